#include "daemon/edge/measure.h"

#include <stdio.h>

#include "daemon/base/metrics.h"

struct line {
    enum metric_kind kind;
    const char *name, *labels, *help;
    int64_t value;
};

static void add(struct metrics *metrics, const struct line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct line *line = &lines[i];
        int series = metrics_add(metrics, line->kind, line->name, line->labels, line->help);

        if (line->kind == METRIC_COUNTER)
            metrics_count(metrics, series, line->value);
        else
            metrics_set(metrics, series, line->value);
    }
}

static void add_signals(struct metrics *metrics, const struct gateway_counters *counters)
{
    for (int kind = 1; kind < SIGNAL_KIND_COUNT; kind++) {
        char labels[METRICS_LABELS_MAX];
        struct line line = {METRIC_COUNTER, "onekey_signals_total", labels,
                            "Signals by kind, from devices or decided by the gateway",
                            (int64_t)counters->signals[kind]};

        snprintf(labels, sizeof(labels), "kind=\"%s\"", signal_kind_name((enum signal_kind)kind));
        add(metrics, &line, 1);
    }
}

static void add_odd_readings(struct metrics *metrics, const struct gateway_counters *counters)
{
    for (int bit = 0; bit < SILENCE_ODD_COUNT; bit++) {
        char labels[METRICS_LABELS_MAX];
        struct line line = {METRIC_COUNTER, "onekey_readings_odd_total", labels,
                            "Meter readings that were odd, by what was odd about them",
                            (int64_t)counters->odd_readings[bit]};

        snprintf(labels, sizeof(labels), "kind=\"%s\"",
                 silence_odd_name((enum silence_odd)(1 << bit)));
        add(metrics, &line, 1);
    }
}

static void add_explained(struct metrics *metrics, const struct gateway_counters *counters)
{
    for (int bit = 0; bit < SILENCE_REASON_COUNT; bit++) {
        char labels[METRICS_LABELS_MAX];
        struct line line = {METRIC_COUNTER, "onekey_silences_explained_total", labels,
                            "Silences that were recorded and not raised, by why",
                            (int64_t)counters->explained[bit]};

        snprintf(labels, sizeof(labels), "reason=\"%s\"",
                 silence_reason_name((enum silence_reason)(1 << bit)));
        add(metrics, &line, 1);
    }
}

#define COUNTER(name, help, value)                                                                 \
    {                                                                                              \
        METRIC_COUNTER, name, NULL, help, (int64_t)(value)                                         \
    }
#define GAUGE(name, help, value)                                                                   \
    {                                                                                              \
        METRIC_GAUGE, name, NULL, help, (int64_t)(value)                                           \
    }
#define SECONDS(name, help, value)                                                                 \
    {                                                                                              \
        METRIC_SECONDS, name, NULL, help, (int64_t)(value)                                         \
    }
#define LABELLED(kind, name, labels, help, value)                                                  \
    {                                                                                              \
        kind, name, labels, help, (int64_t)(value)                                                 \
    }

static void add_gateway(struct metrics *metrics, const struct gateway *gateway)
{
    const struct gateway_counters *counters = gateway_counters(gateway);
    struct gateway_figures figures = gateway_figures(gateway);
    const struct line lines[] = {
        COUNTER("onekey_frames_total", "Frames and messages read", counters->frames),
        COUNTER("onekey_frames_bad_total", "Frames that could not be read and were no alarm",
                counters->frames_bad),
        COUNTER("onekey_bytes_skipped_total", "Bytes between frames", counters->bytes_skipped),
        COUNTER("onekey_alarms_accepted_total", "Alarms recorded", counters->accepted),
        COUNTER("onekey_alarms_repeated_total", "Retransmissions recognised", counters->repeated),
        COUNTER("onekey_alarms_refused_total", "Alarms not acknowledged for want of disk space",
                counters->refused),
        COUNTER("onekey_signals_unknown_device_total", "Signals of devices not registered",
                counters->unknown_devices),
        COUNTER("onekey_signals_unauthenticated_total",
                "Signals whose sender has not proven to be the device", counters->unauthenticated),
        COUNTER("onekey_signals_clock_wrong_total", "Signals with an impossible time",
                counters->clocks_wrong),
        COUNTER("onekey_replies_total", "Replies owed to devices", counters->replies),
        COUNTER("onekey_sessions_refused_total", "Connections beyond sessions_max",
                counters->sessions_refused),
        COUNTER("onekey_sessions_slow_total", "Connections closed over a slow frame",
                counters->frames_slow),
        COUNTER("onekey_sessions_unrecognised_total", "Connections of no known protocol",
                counters->unrecognised),
        GAUGE("onekey_devices", "Devices in the registry", figures.devices),
        GAUGE("onekey_devices_lost", "Devices not heard of in time", figures.devices_lost),
        GAUGE("onekey_devices_in_outages", "Of these, those told as part of an outage",
              figures.devices_in_outages),
        GAUGE("onekey_outages", "Outages now", figures.outages),
        GAUGE("onekey_mains_outages", "Areas whose water is cut off now", figures.mains_outages),
        COUNTER("onekey_mains_outages_total", "Times that an area's water was found cut off",
                counters->mains_outages),
        GAUGE("onekey_meters_in_mains_outages", "Meters whose silence these explain",
              figures.meters_in_mains_outages),
        GAUGE("onekey_sessions", "Connections with a session", figures.sessions),
        GAUGE("onekey_replies_waiting", "Replies that wait for the disk", figures.replies_waiting),
        GAUGE("onekey_database_up", "1 if alarms reach the database", figures.database_up),
        LABELLED(METRIC_GAUGE, "onekey_outbox_records", "lane=\"alarms\"",
                 "Records in memory that wait for the database", figures.alarms_waiting),
        LABELLED(METRIC_GAUGE, "onekey_outbox_records", "lane=\"readings\"", "",
                 figures.readings_waiting),
        LABELLED(METRIC_COUNTER, "onekey_outbox_committed_total", "lane=\"alarms\"",
                 "Records committed to the database", figures.alarms_committed),
        LABELLED(METRIC_COUNTER, "onekey_outbox_committed_total", "lane=\"readings\"", "",
                 figures.readings_committed),
        COUNTER("onekey_commands_sent_total", "Commands sent to devices", counters->commands_sent),
        COUNTER("onekey_observations_total", "Rows of the devices' history taken",
                counters->observations),
        COUNTER("onekey_observations_thinned_total",
                "Not taken whole: the device said as much within the interval",
                counters->observations_thinned),
        COUNTER("onekey_observations_dropped_total",
                "Given up, the oldest, as the database was away", counters->observations_dropped),
        COUNTER("onekey_observations_refused_total", "Refused by the database",
                counters->observations_refused),
        GAUGE("onekey_observations_waiting", "Rows that wait for the database",
              figures.observations_waiting),
        COUNTER("onekey_records_rejected_total", "Records the database refused, parked there",
                figures.parked),
    };

    add(metrics, lines, sizeof(lines) / sizeof(lines[0]));
    add_signals(metrics, counters);
    add_odd_readings(metrics, counters);
    add_explained(metrics, counters);
}

static void add_inlets(struct metrics *metrics, const struct inlets_figures *figures)
{
    const struct line lines[] = {
        GAUGE("onekey_connections", "TCP and TLS connections", figures->connections),
        GAUGE("onekey_udp_peers", "UDP peers remembered", figures->udp_peers),
        COUNTER("onekey_connections_accepted_total", "Connections accepted", figures->accepted),
        COUNTER("onekey_tls_handshakes_total", "Handshakes completed", figures->handshakes),
        COUNTER("onekey_tls_handshakes_failed_total", "Handshakes failed",
                figures->handshakes_failed),
        COUNTER("onekey_network_in_bytes_total", "Bytes from devices", figures->bytes_in),
        COUNTER("onekey_network_out_bytes_total", "Bytes to devices", figures->bytes_out),
        LABELLED(METRIC_COUNTER, "onekey_connections_closed_total", "reason=\"slow_reader\"",
                 "Connections closed by us or broken", figures->slow_readers),
        LABELLED(METRIC_COUNTER, "onekey_connections_closed_total", "reason=\"oversized\"", "",
                 figures->oversized),
        LABELLED(METRIC_COUNTER, "onekey_connections_closed_total", "reason=\"idle\"", "",
                 figures->idle),
        LABELLED(METRIC_COUNTER, "onekey_connections_closed_total", "reason=\"failed\"", "",
                 figures->failed),
        GAUGE("onekey_mqtt_connected", "1 if subscribed at the broker", figures->mqtt_connected),
        COUNTER("onekey_mqtt_received_total", "Messages from the broker", figures->mqtt_received),
        COUNTER("onekey_mqtt_refused_total", "Messages left for redelivery", figures->mqtt_refused),
        COUNTER("onekey_mqtt_published_total", "Messages to the broker", figures->mqtt_published),
    };

    add(metrics, lines, sizeof(lines) / sizeof(lines[0]));
}

static void add_ledger(struct metrics *metrics, const struct ledger_figures *figures)
{
    const struct line lines[] = {
        COUNTER("onekey_journal_writes_total", "Group commits", figures->writes),
        COUNTER("onekey_journal_written_bytes_total", "Bytes written", figures->bytes),
        GAUGE("onekey_journal_free_bytes", "Room for records", figures->free_bytes),
        GAUGE("onekey_journal_full", "1 while alarms cannot be acknowledged", figures->full),
        SECONDS("onekey_journal_write_last_seconds", "Write and sync, the last one",
                figures->write_last_us),
        SECONDS("onekey_journal_write_longest_seconds", "Write and sync, the longest",
                figures->write_max_us),
    };

    add(metrics, lines, sizeof(lines) / sizeof(lines[0]));
}

static void add_notices(struct metrics *metrics, const struct notices_figures *figures)
{
    const struct line lines[] = {
        GAUGE("onekey_notice_targets", "Targets of notices", figures->targets),
        GAUGE("onekey_notices_on_the_way", "Notices being sent", figures->on_the_way),
        LABELLED(METRIC_COUNTER, "onekey_notices_total", "result=\"delivered\"",
                 "Attempts to deliver a notice", figures->delivered),
        LABELLED(METRIC_COUNTER, "onekey_notices_total", "result=\"failed\"", "", figures->failed),
        LABELLED(METRIC_COUNTER, "onekey_notices_total", "result=\"refused\"", "",
                 figures->refused),
    };

    add(metrics, lines, sizeof(lines) / sizeof(lines[0]));
}

static void add_escalation(struct metrics *metrics, const struct escalation_figures *figures)
{
    const struct line lines[] = {
        GAUGE("onekey_time_limits_waiting", "Tickets with a deadline within the horizon",
              figures->waiting),
        COUNTER("onekey_time_limits_due_total", "Tickets at which something was due",
                figures->taken),
        COUNTER("onekey_time_limits_readings_total", "Times that all deadlines were read",
                figures->readings),
    };

    add(metrics, lines, sizeof(lines) / sizeof(lines[0]));
}

static void add_turn(struct metrics *metrics, const struct turn_figures *figures)
{
    const struct line lines[] = {
        LABELLED(METRIC_GAUGE, "onekey_build_info", "version=\"" ONEKEY_VERSION "\"",
                 "Always 1; the label says which build runs", 1),
        COUNTER("onekey_turns_total", "Turns of the loop", figures->turns),
        SECONDS("onekey_turn_longest_seconds", "Longest turn since the last scrape",
                figures->longest_us),
        SECONDS("onekey_start_time_seconds", "When the daemon started, since 1970",
                figures->started_us),
    };

    add(metrics, lines, sizeof(lines) / sizeof(lines[0]));
}

void measure_print(struct turn *turn, void *context,
                   void (*on_text)(void *context, const char *text, size_t size))
{
    static struct metrics metrics; /* large; filled anew for every scrape */
    struct inlets_figures inlets = turn_inlets(turn);
    struct ledger_figures ledger = turn_ledger(turn);
    struct notices_figures notices = turn_notices(turn);
    struct escalation_figures escalation = turn_escalation(turn);
    struct turn_figures figures = turn_figures(turn);

    metrics_init(&metrics);
    add_turn(&metrics, &figures);
    add_gateway(&metrics, turn_gateway(turn));
    add_inlets(&metrics, &inlets);
    add_ledger(&metrics, &ledger);
    add_notices(&metrics, &notices);
    add_escalation(&metrics, &escalation);
    metrics_print(&metrics, context, on_text);
}
