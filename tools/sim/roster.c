#include "tools/sim/roster.h"

#include "tools/sim/table.h"

#include <stdio.h>
#include <stdlib.h>

extern const struct codec watch_codec;
extern const struct codec meter_json_codec;

static const char *const columns[] = {"protocol", "identity", "kind", NULL};

static void add(struct roster *roster, const struct codec *codec, enum device_kind kind,
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
    if (settings->devices_path && !read_file(roster, settings)) {
        roster_close(roster);
        return false;
    }
    if (!settings->devices_path)
        invent(roster, settings);
    if (roster->count == 0)
        fprintf(stderr, "onekey-sim: no device that could be played\n");
    return roster->count > 0;
}

void roster_close(struct roster *roster)
{
    free(roster->devices);
    roster->devices = NULL;
}
