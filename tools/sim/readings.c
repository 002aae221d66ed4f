/*
 * Publishes the readings of a CSV file as the meters of its homes would: cumulative litres, in the
 * order of their times over all homes, at N times the pace of their time stamps. The stamps are
 * local wall-clock times without a zone and are taken as UTC.
 */
#include "daemon/base/attributes.h"
#include "daemon/base/field.h"
#include "daemon/base/instant.h"
#include "protocol/calendar.h"
#include "protocol/codec.h"
#include "tools/sim/broker.h"
#include "tools/sim/clock.h"
#include "tools/sim/command.h"
#include "tools/sim/table.h"

#include <event2/event.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTSTANDING_MAX 2000 /* readings that the broker has not acknowledged yet */
#define HOME_SIZE 24

extern const struct codec meter_json_codec;

struct reading {
    int64_t at_us;
    int64_t total_ml;
    char home[HOME_SIZE];
};

struct readings {
    const char *csv_path, *prefix, *home;
    struct endpoint mqtt;
    double speed; /* 0: as fast as the broker takes them */
    bool shift_to_now;
    int64_t shift_us;
    struct reading *list;
    size_t count, limit, next;
    struct event_base *base;
    struct broker *broker;
    int64_t started_at_us; /* mono; 0: the broker is not up yet */
};

static const char *const columns[] = {"household_id", "timestamp", "litres_in_interval", NULL};

/* "2016-03-01T00:35", with or without seconds. */
static bool parse_time(const char *text, int64_t *us)
{
    char whole[40];

    snprintf(whole, sizeof(whole), "%s%sZ", text, strlen(text) == 16 ? ":00" : "");
    return calendar_parse_rfc3339(bytes_of(whole), us);
}

static void append(struct readings *readings, const struct reading *reading)
{
    if (readings->count == readings->limit) {
        readings->limit = readings->limit ? 2 * readings->limit : 4096;
        readings->list = realloc(readings->list, readings->limit * sizeof(readings->list[0]));
        if (!readings->list)
            abort();
    }
    readings->list[readings->count++] = *reading;
}

/* One line of the file; litres become the home's total by the reading before it. */
static bool read_line(struct readings *readings, const struct table *table, struct reading *last)
{
    const char *home = table->fields[0];
    int64_t interval_ml;

    if (readings->home && strcmp(readings->home, home) != 0)
        return true;
    if (strcmp(last->home, home) != 0) {
        last->total_ml = 0;
        snprintf(last->home, sizeof(last->home), "%s", home);
    }
    if (!parse_time(table->fields[1], &last->at_us) ||
        !bytes_parse_fixed(bytes_of(table->fields[2]), 3, &interval_ml)) {
        fprintf(stderr, "onekey-sim: %s:%ld: no time or no litres\n", table->path, table->line);
        return false;
    }
    last->total_ml += interval_ml;
    append(readings, last);
    return true;
}

static int compare(const void *left, const void *right)
{
    const struct reading *a = left, *b = right;

    if (a->at_us != b->at_us)
        return a->at_us < b->at_us ? -1 : 1;
    return strcmp(a->home, b->home);
}

/* The whole file, in order of time. Rows of one home must follow each other. */
static bool read_file(struct readings *readings)
{
    struct table table;
    struct reading last = {0};
    bool is_good = true;

    if (!table_open(&table, readings->csv_path, columns))
        return false;
    while (is_good && table_next(&table))
        is_good = read_line(readings, &table, &last);
    is_good = table_close(&table) && is_good;
    if (is_good && readings->count == 0)
        fprintf(stderr, "onekey-sim: %s: no readings\n", readings->csv_path);
    if (!is_good || readings->count == 0)
        return false;
    qsort(readings->list, readings->count, sizeof(readings->list[0]), compare);
    if (readings->shift_to_now)
        readings->shift_us = clock_wall_us() - readings->list[readings->count - 1].at_us;
    return true;
}

static void publish(struct readings *readings, const struct reading *reading)
{
    char topic_text[128] = {0};
    uint8_t body[512];
    struct codec_session session = {0};
    const struct codec_environment environment = {0};
    struct writer topic = writer_into(topic_text, sizeof(topic_text) - 1);
    struct writer out = writer_into(body, sizeof(body));
    struct signal signal = {
        .kind = SIGNAL_READING,
        .device = DEVICE_METER,
        .has = MEASURE_TOTAL,
        .total_ml = reading->total_ml,
        .occurred_at_us = reading->at_us + readings->shift_us,
    };

    snprintf(signal.identity, sizeof(signal.identity), "%.16s%s", readings->prefix, reading->home);
    if (meter_json_codec.compose(&signal, &session, &environment, &topic, &out))
        broker_publish(readings->broker, topic_text, writer_view(&out));
}

static bool is_due(const struct readings *readings)
{
    const struct reading *reading = &readings->list[readings->next];

    if (readings->speed == 0)
        return true;
    double elapsed_us = (double)(clock_mono_us() - readings->started_at_us) * readings->speed;
    return (double)(reading->at_us - readings->list[0].at_us) <= elapsed_us;
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    struct readings *readings = context;

    (void)fd, (void)what;
    if (!broker_is_up(readings->broker))
        return;
    if (!readings->started_at_us)
        readings->started_at_us = clock_mono_us();
    while (readings->next < readings->count &&
           broker_outstanding(readings->broker) < OUTSTANDING_MAX && is_due(readings))
        publish(readings, &readings->list[readings->next++]);
    if (readings->next == readings->count && broker_outstanding(readings->broker) == 0)
        event_base_loopbreak(readings->base);
}

static void run(struct readings *readings)
{
    static const struct broker_events events = {0};
    const struct timeval tick = {.tv_usec = 1000};
    char line[256];

    readings->base = event_base_new();
    readings->broker = broker_open(readings->base, &readings->mqtt, NULL, &events, NULL);
    if (readings->broker) {
        struct event *ticker = event_new(readings->base, -1, EV_PERSIST, on_tick, readings);
        event_add(ticker, &tick);
        event_base_dispatch(readings->base);
        event_free(ticker);
        broker_close(readings->broker);
        const struct field fields[] = {
            field_unsigned("published", readings->next),
            field_real("seconds", (double)(clock_mono_us() - readings->started_at_us) / 1e6),
        };
        field_write_json(fields, ARRAY_SIZE(fields), line, sizeof(line));
        puts(line);
    }
    event_base_free(readings->base);
}

static bool parse_option(struct readings *readings, int option, const char *text)
{
    int64_t seconds;

    switch (option) {
    case 'm':
        return endpoint_parse(&readings->mqtt, text);
    case 'c':
        readings->csv_path = text;
        return true;
    case 's':
        readings->speed = strtod(text, NULL);
        return readings->speed >= 0;
    case 'i':
        readings->prefix = text;
        return true;
    case 'h':
        readings->home = text;
        return true;
    case 't':
        readings->shift_to_now = strcmp(text, "now") == 0;
        if (!readings->shift_to_now && !bytes_parse_decimal(bytes_of(text), &seconds))
            return false;
        readings->shift_us = readings->shift_to_now ? 0 : seconds * US_PER_SECOND;
        return true;
    default:
        return false;
    }
}

int readings_command(int argc, char **argv)
{
    static const struct option options[] = {
        {"mqtt", required_argument, NULL, 'm'},
        {"csv", required_argument, NULL, 'c'},
        {"speed", required_argument, NULL, 's'},
        {"identity-prefix", required_argument, NULL, 'i'},
        {"home", required_argument, NULL, 'h'},
        {"shift", required_argument, NULL, 't'},
        {0},
    };
    struct readings readings = {.prefix = "", .speed = 0};
    bool is_good = true;

    for (int option; is_good && (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        is_good = parse_option(&readings, option, optarg);
    if (!is_good || !readings.mqtt.port || !readings.csv_path) {
        fprintf(stderr, "usage: onekey-sim readings --mqtt HOST:PORT --csv FILE.csv[.gz] "
                        "[--speed N] [--home ID] [--identity-prefix P] [--shift now|SECONDS]\n");
        return 2;
    }
    is_good = read_file(&readings);
    if (is_good)
        run(&readings);
    is_good = is_good && readings.next == readings.count;
    free(readings.list);
    return is_good ? 0 : 1;
}
