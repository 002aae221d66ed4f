#include "daemon/edge/columns.h"

#include "daemon/edge/detail.h"
#include "protocol/codec.h"

#include <assert.h>

typedef void put_field(struct statement *out, const struct arrival *arrival);

static void put_number(struct statement *out, const struct arrival *arrival)
{
    statement_int64(out, (int64_t)arrival->number);
}

static void put_protocol_name(struct statement *out, uint8_t protocol)
{
    statement_string(out, protocol < codec_count ? codecs[protocol]->name : "unknown");
}

static void put_protocol(struct statement *out, const struct arrival *arrival)
{
    put_protocol_name(out, arrival->signal.protocol);
}

static void put_identity(struct statement *out, const struct arrival *arrival)
{
    statement_string(out, arrival->signal.identity);
}

static void put_kind(struct statement *out, const struct arrival *arrival)
{
    statement_string(out, signal_kind_name(arrival->signal.kind));
}

static void put_service(struct statement *out, const struct arrival *arrival)
{
    statement_string(out, service_kind_name(arrival->signal.service));
}

static void put_flags(struct statement *out, const struct arrival *arrival)
{
    char memory[SIGNAL_FLAG_COUNT * 20];
    struct writer names = writer_into(memory, sizeof memory);

    for (int i = 0; i < SIGNAL_FLAG_COUNT; i++) {
        if (!(arrival->signal.flags & 1u << i))
            continue;
        if (names.size > 0)
            writer_u8(&names, ' ');
        writer_text(&names, signal_flag_name(i));
    }
    assert(!names.overflow);
    statement_text(out, memory, names.size);
}

static void put_occurred(struct statement *out, const struct arrival *arrival)
{
    statement_instant(out, arrival->signal.occurred_at_us);
}

static void put_received(struct statement *out, const struct arrival *arrival)
{
    statement_instant(out, arrival->signal.received_at_us);
}

static void put_raw(struct statement *out, const struct arrival *arrival)
{
    if (arrival->raw.size > 0)
        statement_bytes(out, arrival->raw.data, arrival->raw.size);
    else
        statement_null(out);
}

static void put_detail(struct statement *out, const struct arrival *arrival)
{
    char memory[DETAIL_SIZE_MAX];
    struct writer object = writer_into(memory, sizeof memory);

    detail_write(arrival, &object);
    if (object.size > 0 && !object.overflow)
        statement_text(out, memory, object.size);
    else
        statement_null(out);
}

/* NULL if the signal does not say the measure. */
static void put_measure(struct statement *out, const struct signal *signal, uint32_t measure,
                        int64_t value)
{
    if (signal->has & measure)
        statement_int64(out, value);
    else
        statement_null(out);
}

static void put_total(struct statement *out, const struct arrival *arrival)
{
    put_measure(out, &arrival->signal, MEASURE_TOTAL, arrival->signal.total_ml);
}

static void put_interval(struct statement *out, const struct arrival *arrival)
{
    put_measure(out, &arrival->signal, MEASURE_INTERVAL, arrival->signal.interval_ml);
}

static void put_interval_s(struct statement *out, const struct arrival *arrival)
{
    put_measure(out, &arrival->signal, MEASURE_INTERVAL, arrival->signal.interval_s);
}

static void put_battery(struct statement *out, const struct arrival *arrival)
{
    put_measure(out, &arrival->signal, MEASURE_BATTERY, arrival->signal.battery_percent);
}

static put_field *const alarm_columns[] = {
    put_number,   put_protocol, put_identity, put_kind,   put_service, put_flags,
    put_occurred, put_received, put_raw,      put_detail, NULL,
};
static put_field *const reading_columns[] = {
    put_number,   put_protocol,   put_identity, put_occurred, put_received, put_total,
    put_interval, put_interval_s, put_battery,  put_flags,    NULL,
};

void columns_put_batch(struct statement *out, const struct store_batch *batch)
{
    put_field *const *put = batch->type == LANE_ALARM ? alarm_columns : reading_columns;

    for (; *put; put++) {
        statement_array_begin(out);
        for (size_t i = 0; i < batch->count; i++)
            (*put)(out, &batch->records[i]);
        statement_array_end(out);
    }
}

void columns_put_rejected(struct statement *out, const struct arrival *arrival, const char *message)
{
    put_number(out, arrival);
    put_received(out, arrival);
    put_protocol(out, arrival);
    put_identity(out, arrival);
    put_kind(out, arrival);
    statement_string(out, message);
    put_raw(out, arrival);
}

/* --- soft state --- */

typedef void put_touch(struct statement *out, const struct device_touch *touch);

static void put_touch_protocol(struct statement *out, const struct device_touch *touch)
{
    put_protocol_name(out, touch->protocol);
}

static void put_touch_identity(struct statement *out, const struct device_touch *touch)
{
    statement_string(out, touch->identity);
}

static void put_touch_seen(struct statement *out, const struct device_touch *touch)
{
    statement_instant(out, touch->latest.received_at_us);
}

static void put_touch_battery(struct statement *out, const struct device_touch *touch)
{
    put_measure(out, &touch->latest, MEASURE_BATTERY, touch->latest.battery_percent);
}

static void put_touch_gsm(struct statement *out, const struct device_touch *touch)
{
    put_measure(out, &touch->latest, MEASURE_GSM, touch->latest.gsm_percent);
}

static void put_degrees(struct statement *out, const struct signal *signal, int32_t degrees_e7)
{
    char memory[24];
    struct writer text = writer_into(memory, sizeof memory);

    writer_fixed(&text, degrees_e7, 7);
    if (signal->has & MEASURE_POSITION)
        statement_text(out, memory, text.size);
    else
        statement_null(out);
}

static void put_touch_longitude(struct statement *out, const struct device_touch *touch)
{
    put_degrees(out, &touch->latest, touch->latest.longitude_e7);
}

static void put_touch_latitude(struct statement *out, const struct device_touch *touch)
{
    put_degrees(out, &touch->latest, touch->latest.latitude_e7);
}

static put_touch *const touch_columns[] = {
    put_touch_protocol, put_touch_identity,  put_touch_seen,     put_touch_battery,
    put_touch_gsm,      put_touch_longitude, put_touch_latitude, NULL,
};

void columns_put_touches(struct statement *out, const struct device_touch *touches, size_t count)
{
    for (put_touch *const *put = touch_columns; *put; put++) {
        statement_array_begin(out);
        for (size_t i = 0; i < count; i++)
            (*put)(out, &touches[i]);
        statement_array_end(out);
    }
}
