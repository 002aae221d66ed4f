#include "daemon/edge/panel.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/config_print.h"
#include "daemon/core/view.h"

static int64_t show_status(void *context, const char *argument, int64_t cursor,
                           struct control_answer *answer)
{
    struct panel *panel = context;
    struct gateway_figures figures = gateway_figures(turn_gateway(panel->turn));
    struct turn_figures turn = turn_figures(panel->turn);
    const char *missing = turn_not_ready(panel->turn);

    (void)argument, (void)cursor;
    control_line(
        answer, field_text("gateway", panel->config->gateway.name),
        field_text("version", ONEKEY_VERSION), field_boolean("ready", missing == NULL),
        field_text("missing", missing), field_time("started_at", turn.started_us),
        field_boolean("draining", turn.draining), field_boolean("database_up", figures.database_up),
        field_boolean("registry_complete", turn.directory_complete),
        field_unsigned("devices", figures.devices),
        field_unsigned("devices_lost", figures.devices_lost),
        field_unsigned("devices_in_outages", figures.devices_in_outages),
        field_unsigned("outages", figures.outages), field_unsigned("sessions", figures.sessions),
        field_unsigned("alarms_waiting", figures.alarms_waiting));
    return CONTROL_DONE;
}

static int64_t show_sessions(void *context, const char *argument, int64_t cursor,
                             struct control_answer *answer)
{
    struct panel *panel = context;
    struct view_session session;
    uint64_t handle = (uint64_t)cursor;

    (void)argument;
    while (view_next_session(turn_gateway(panel->turn), &handle, &session)) {
        control_line(answer, field_text("identity", session.identity),
                     field_text("protocol", session.protocol),
                     field_boolean("known", session.known));
        if (!control_has_room(answer))
            return (int64_t)handle;
    }
    return CONTROL_DONE;
}

static int64_t show_devices(void *context, const char *argument, int64_t cursor,
                            struct control_answer *answer)
{
    struct panel *panel = context;
    struct view_device device;
    uint32_t position = (uint32_t)cursor;

    while (view_next_device(turn_gateway(panel->turn), &position, &device)) {
        if (argument[0] && strcmp(argument, device.identity) != 0)
            continue;
        control_line(
            answer, field_text("identity", device.identity),
            field_text("protocol", device.protocol), field_text("kind", device.kind),
            field_number("device_id", device.device_id),
            field_number("household_id", device.household_id),
            field_boolean("connected", device.connected), field_boolean("lost", device.lost),
            field_boolean("in_outage", device.in_outage), field_time("heard_at", device.heard_us));
        if (!control_has_room(answer))
            return position;
    }
    return CONTROL_DONE;
}

static void write_lane(struct control_answer *answer, const char *lane,
                       const struct view_lane *figures)
{
    control_line(answer, field_text("lane", lane), field_boolean("up", figures->up),
                 field_unsigned("waiting", figures->waiting),
                 field_unsigned("in_flight", figures->in_flight),
                 field_boolean("more_in_journal", figures->spilled),
                 field_unsigned("oldest", figures->oldest),
                 field_unsigned("committed", figures->committed),
                 field_unsigned("rejected", figures->parked));
}

static int64_t show_outbox(void *context, const char *argument, int64_t cursor,
                           struct control_answer *answer)
{
    struct panel *panel = context;
    struct view_lane lane;

    (void)argument, (void)cursor;
    lane = view_lane(turn_gateway(panel->turn), LANE_ALARM);
    write_lane(answer, "alarms", &lane);
    lane = view_lane(turn_gateway(panel->turn), LANE_READING);
    write_lane(answer, "readings", &lane);
    return CONTROL_DONE;
}

/* Alarms accepted and not yet in the database, oldest first: what the console shows meanwhile. */
static int64_t show_unstored(void *context, const char *argument, int64_t cursor,
                             struct control_answer *answer)
{
    struct panel *panel = context;
    struct arrival arrival;
    uint64_t position = (uint64_t)cursor;

    (void)argument;
    while (view_next_unstored(turn_gateway(panel->turn), &position, &arrival)) {
        const struct signal *signal = &arrival.signal;

        control_line(answer, field_unsigned("number", arrival.number),
                     field_text("kind", signal_kind_name(signal->kind)),
                     field_text("service_kind", service_kind_name(signal->service)),
                     field_text("protocol", codecs[signal->protocol]->name),
                     field_text("identity", signal->identity), field_text("code", signal->code),
                     field_unsigned("flags", signal->flags),
                     field_time("occurred_at", signal->occurred_at_us),
                     field_time("received_at", signal->received_at_us));
        if (!control_has_room(answer))
            return (int64_t)position;
    }
    return CONTROL_DONE;
}

static int64_t show_journal(void *context, const char *argument, int64_t cursor,
                            struct control_answer *answer)
{
    struct panel *panel = context;
    struct ledger_figures figures = turn_ledger(panel->turn);

    (void)argument, (void)cursor;
    control_line(answer, field_unsigned("durable", figures.durable),
                 field_unsigned("checkpoint", figures.checkpoint),
                 field_unsigned("free_bytes", figures.free_bytes),
                 field_boolean("full", figures.full), field_unsigned("writes", figures.writes),
                 field_unsigned("bytes", figures.bytes),
                 field_number("last_write_us", figures.write_last_us),
                 field_number("longest_write_us", figures.write_max_us));
    return CONTROL_DONE;
}

static void write_meter(struct control_answer *answer, const struct view_meter *meter)
{
    const struct silence_detail *detail = &meter->detail;

    control_line(
        answer, field_text("identity", meter->identity),
        field_number("household_id", meter->household_id), field_text("rules_open", meter->rules),
        field_text("explained_by", meter->reasons), field_text("scheme", meter->scheme),
        field_text("rules_on", meter->rules_on), field_number("fixed_ml", meter->fixed_ml),
        field_number("fixed_window_s", meter->fixed_window_us / US_PER_SECOND),
        field_time("since", detail->since_us), field_time("known_until", detail->known_us),
        field_time("last_use", detail->last_use_us),
        field_number("last_use_ml", detail->last_use_ml),
        field_real("quiet_hours", detail->quiet_hours),
        field_real("effective_hours", detail->effective_hours),
        field_real("threshold_hours", detail->theta_hours),
        field_real("usual_chance", detail->usual_chance), field_time("due_at", meter->due_us),
        field_number("false_before", detail->false_count),
        field_number("true_before", detail->true_count));
}

static int64_t show_silence(void *context, const char *argument, int64_t cursor,
                            struct control_answer *answer)
{
    struct panel *panel = context;
    struct view_meter meter;
    uint32_t position = (uint32_t)cursor;

    while (view_next_meter(turn_gateway(panel->turn), &position, &meter)) {
        char household[24];

        snprintf(household, sizeof(household), "%" PRId64, meter.household_id);
        if (argument[0] && strcmp(argument, meter.identity) != 0 &&
            strcmp(argument, household) != 0)
            continue;
        write_meter(answer, &meter);
        if (!control_has_room(answer))
            return position;
    }
    return CONTROL_DONE;
}

static void write_item(void *context, const struct config_item *item)
{
    control_line(context, field_text("section", item->section), field_text("name", item->name),
                 field_text("key", item->key), field_text("value", item->value),
                 field_boolean("reloadable", item->reloadable));
}

static int64_t show_config(void *context, const char *argument, int64_t cursor,
                           struct control_answer *answer)
{
    struct panel *panel = context;

    (void)argument, (void)cursor;
    config_print_each(panel->config, answer, write_item);
    return CONTROL_DONE;
}

static int64_t reload(void *context, const char *argument, int64_t cursor,
                      struct control_answer *answer)
{
    struct panel *panel = context;
    const char *refused = panel->reload(panel->context);

    (void)argument, (void)cursor;
    if (refused)
        control_line(answer, field_text("error", refused));
    else
        control_line(answer, field_text("result", "reloaded"));
    return CONTROL_DONE;
}

static int64_t drain(void *context, const char *argument, int64_t cursor,
                     struct control_answer *answer)
{
    struct panel *panel = context;

    (void)argument, (void)cursor;
    panel->drain(panel->context);
    control_line(answer, field_text("result", "draining"));
    return CONTROL_DONE;
}

const struct control_command panel_commands[] = {
    {"show status", NULL, "One line about the whole", show_status},
    {"show sessions", NULL, "Connections and who is at their other end", show_sessions},
    {"show devices", "[IDENTITY]", "Registered devices and when they were heard", show_devices},
    {"show outbox", NULL, "Records on their way to the database", show_outbox},
    {"show unstored", NULL, "Alarms accepted and not yet in the database", show_unstored},
    {"show journal", NULL, "The journal: what is durable, and how much room is left", show_journal},
    {"show silence", "[METER|HOUSEHOLD]", "Water meters: since when silent, and when due",
     show_silence},
    {"show config", NULL, "The configuration in force", show_config},
    {"reload", NULL, "Read the configuration and certificates again", reload},
    {"drain", NULL, "Take no new connections; end when everything is stored", drain},
};
const int panel_command_count = (int)(sizeof(panel_commands) / sizeof(panel_commands[0]));
