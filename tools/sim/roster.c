#include "tools/sim/roster.h"

#include "tools/sim/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS_MAX 64

extern const struct codec watch_codec;
extern const struct codec meter_json_codec;

static const char *const columns[] = {"protocol", "identity", "kind", NULL};

static struct device *add(struct roster *roster, const struct codec *codec, enum device_kind kind,
                          const char *identity)
{
    /* Grows at powers of two. */
    if ((roster->count & (roster->count - 1)) == 0) {
        size_t limit = roster->count ? 2 * (size_t)roster->count : 1;
        roster->devices = realloc(roster->devices, limit * sizeof(roster->devices[0]));
        if (!roster->devices)
            abort();
    }
    struct device *device = &roster->devices[roster->count];
    *device = (struct device){.codec = codec, .kind = (uint8_t)kind, .index = roster->count};
    snprintf(device->identity, sizeof(device->identity), "%s", identity);
    device->total_ml = 1000000 + (int64_t)device->index * 1000;
    roster->count++;
    return device;
}

static bool read_file(struct roster *roster, const struct settings *settings)
{
    struct table table;

    if (!table_open(&table, settings->devices_path, columns))
        return false;
    while (table_next(&table)) {
        enum device_kind kind = device_kind_from_name(table.fields[2]);
        int found = codec_find(table.fields[0]);
        const struct codec *codec = found < 0 ? NULL : codecs[found];
        bool is_playable = (codec == &watch_codec && settings->watch.port) ||
                           (codec == &meter_json_codec && settings->mqtt.port);
        if (kind != DEVICE_UNKNOWN && is_playable)
            add(roster, codec, kind, table.fields[1]);
        else
            roster->left_out++;
    }
    return table_close(&table);
}

/* An invented identity as the protocol has them. */
static void invent_identity(const char *protocol, const char *prefix, int index,
                            char identity[IDENTITY_LIMIT + 1])
{
    static const struct {
        const char *protocol, *format;
    } forms[] = {
        {"watch", "%s%08d"},       {"h02", "%s%08d"},           {"jt808", "1%s%08d"},
        {"sia_dc09", "%s%06d"},    {"cjt188", "7833%s%08d"},    {"ev07b", "35%s00000%06d"},
        {"gt06", "35%s00001%06d"}, {"eelink", "35%s00002%06d"}, {"ev07_text", "35%s00003%06d"},
    };
    const char *format = "SIM-%s-%06d";

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (strcmp(forms[i].protocol, protocol) == 0)
            format = forms[i].format;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(identity, IDENTITY_LIMIT + 1, format, prefix, index);
#pragma GCC diagnostic pop
}

enum column { PROTOCOL, KIND, COUNT_OF, REPORT_EVERY, PRESSES, TO, FAULTS_OF };
static const char *const mix_columns[] = {"protocol",         "kind", "count",  "report_every_s",
                                          "presses_per_hour", "to",   "faults", NULL};

static bool complain(const struct table *table, enum column column, const char *remedy)
{
    fprintf(stderr, "onekey-sim: %s:%ld: %s \"%.60s\": %s\n", table->path, table->line,
            mix_columns[column], table->fields[column], remedy);
    return false;
}

static bool read_number(const struct table *table, enum column column, double least, double *out)
{
    char *end;

    *out = strtod(table->fields[column], &end);
    if (end != table->fields[column] && *end == '\0' && *out >= least && *out < 1e6)
        return true;
    return complain(table, column, "give a number");
}

/* HOST:PORT, or udp:HOST:PORT; empty: by the broker. */
static bool read_endpoint(const struct table *table, const struct settings *settings,
                          const struct codec *codec, struct endpoint *endpoint)
{
    const char *text = table->fields[TO];
    bool is_datagram = strncmp(text, "udp:", 4) == 0;

    if (*text == '\0')
        return (codec->topics && settings->mqtt.port) ||
               complain(table, TO, "give HOST:PORT, or --mqtt for a protocol that has topics");
    if (!codec->split || !endpoint_parse(endpoint, is_datagram ? text + 4 : text))
        return complain(table, TO, "give HOST:PORT or udp:HOST:PORT of a listener");
    endpoint->is_datagram = is_datagram;
    return true;
}

static bool add_group(struct roster *roster, const struct settings *settings,
                      const struct table *table)
{
    struct endpoint *to = &roster->endpoints[roster->group_count];
    int found = codec_find(table->fields[PROTOCOL]);
    enum device_kind kind = device_kind_from_name(table->fields[KIND]);
    char identity[IDENTITY_LIMIT + 1];
    double count, report_every_s, presses_per_hour;
    struct faults faults;

    if (found < 0)
        return complain(table, PROTOCOL, "no such protocol");
    if (kind == DEVICE_UNKNOWN)
        return complain(table, KIND, "give call_box, wristband or meter");
    if (!read_number(table, COUNT_OF, 0, &count) ||
        !read_number(table, REPORT_EVERY, 0.001, &report_every_s) ||
        !read_number(table, PRESSES, 0, &presses_per_hour) ||
        !read_endpoint(table, settings, codecs[found], to) ||
        !faults_parse(&faults, table->fields[FAULTS_OF]))
        return false;
    for (int i = 0; i < (int)count; i++) {
        invent_identity(table->fields[PROTOCOL], settings->prefix, roster->group_count * 10000 + i,
                        identity);
        struct device *device = add(roster, codecs[found], kind, identity);
        device->to = to;
        device->is_on_broker = to->port == 0;
        device->faults = faults;
        device->report_every_us = (int64_t)(report_every_s * 1e6);
        device->press_every_us = presses_per_hour > 0 ? (int64_t)(3600e6 / presses_per_hour) : 0;
    }
    roster->group_count++;
    return true;
}

static bool read_mix(struct roster *roster, const struct settings *settings)
{
    struct table table;
    bool is_good = true;

    if (!table_open(&table, settings->mix_path, mix_columns))
        return false;
    roster->endpoints = calloc(GROUPS_MAX, sizeof(struct endpoint));
    if (!roster->endpoints)
        abort();
    while (is_good && table_next(&table))
        is_good = roster->group_count < GROUPS_MAX ? add_group(roster, settings, &table)
                                                   : complain(&table, PROTOCOL, "too many groups");
    return table_close(&table) && is_good;
}

/* What a group says for itself, the settings say for the others. */
static void apply_settings(struct roster *roster, const struct settings *settings)
{
    for (int i = 0; i < roster->count; i++) {
        struct device *device = &roster->devices[i];

        if (device->report_every_us == 0) {
            device->to = &settings->watch;
            device->faults = settings->faults;
            device->report_every_us = (int64_t)(settings->report_every_s * 1e6);
        }
        random_init(&device->random, settings->seed + 2 * (uint64_t)i);
        random_init(&device->chance, ~(settings->seed + 2 * (uint64_t)i));
        if (faults_strike(&device->faults, FAULT_CLOCK, &device->chance))
            device->clock_offset_us =
                ((int64_t)random_below(&device->chance, 2 * FAULT_CLOCK_MAX_S) -
                 FAULT_CLOCK_MAX_S) *
                1000000;
    }
}

static void invent(struct roster *roster, const struct settings *settings)
{
    char identity[IDENTITY_LIMIT + 1];

    for (int i = 0; i < settings->wristbands; i++) {
        snprintf(identity, sizeof(identity), "%s%08d", settings->prefix, i);
        add(roster, &watch_codec, DEVICE_WRISTBAND, identity);
    }
    for (int i = 0; i < settings->call_boxes; i++) {
        snprintf(identity, sizeof(identity), "CB-%s-%06d", settings->prefix, i);
        add(roster, &meter_json_codec, DEVICE_CALL_BOX, identity);
    }
    for (int i = 0; i < settings->meters; i++) {
        snprintf(identity, sizeof(identity), "WM-%s-%06d", settings->prefix, i);
        add(roster, &meter_json_codec, DEVICE_METER, identity);
    }
}

bool roster_open(struct roster *roster, const struct settings *settings)
{
    *roster = (struct roster){0};
    if ((settings->devices_path && !read_file(roster, settings)) ||
        (settings->mix_path && !read_mix(roster, settings))) {
        roster_close(roster);
        return false;
    }
    if (!settings->devices_path)
        invent(roster, settings);
    apply_settings(roster, settings);
    if (roster->count == 0)
        fprintf(stderr, "onekey-sim: no device that could be played\n");
    return roster->count > 0;
}

void roster_close(struct roster *roster)
{
    free(roster->devices);
    free(roster->endpoints);
    roster->endpoints = NULL;
    roster->devices = NULL;
}
