#include "daemon/edge/columns.h"

#include "daemon/edge/detail.h"
#include "protocol/codec.h"

#include <assert.h>
#include <string.h>

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

/* Numbers among the measures, in the order in which both functions take them. */
static const struct measure_column {
    uint32_t measure;
    size_t offset; /* in struct measures */
    bool is_wide;  /* int32_t, else int16_t */
    int digits;    /* behind the point */
} measure_columns[] = {
    {MEASURE_BATTERY, offsetof(struct measures, battery_percent), false, 0},
    {MEASURE_GSM, offsetof(struct measures, gsm_percent), false, 0},
    {MEASURE_POSITION, offsetof(struct measures, longitude_e7), true, 7},
    {MEASURE_POSITION, offsetof(struct measures, latitude_e7), true, 7},
    {MEASURE_ACCURACY, offsetof(struct measures, accuracy_m), true, 0},
    {MEASURE_STEPS, offsetof(struct measures, steps), true, 0},
    {MEASURE_HEART_RATE, offsetof(struct measures, heart_rate), false, 0},
    {MEASURE_BLOOD_PRESSURE, offsetof(struct measures, systolic), false, 0},
    {MEASURE_BLOOD_PRESSURE, offsetof(struct measures, diastolic), false, 0},
    {MEASURE_OXYGEN, offsetof(struct measures, oxygen_percent), false, 0},
    {MEASURE_TEMPERATURE, offsetof(struct measures, temperature_c100), false, 2},
};

static void put_number_of(struct statement *out, const struct measure_column *column,
                          const struct measures *measures)
{
    const char *member = (const char *)measures + column->offset;
    char memory[24];
    struct writer text = writer_into(memory, sizeof memory);
    int32_t wide;
    int16_t narrow;

    if (!(measures->has & column->measure)) {
        statement_null(out);
        return;
    }
    if (column->is_wide)
        memcpy(&wide, member, sizeof wide);
    else {
        memcpy(&narrow, member, sizeof narrow);
        wide = narrow;
    }
    writer_fixed(&text, wide, column->digits);
    statement_text(out, memory, text.size);
}

/* The measures of `count` rows that lie `stride` bytes apart. */
static void put_measures(struct statement *out, const struct measures *first, size_t stride,
                         size_t count)
{
    for (size_t c = 0; c < ARRAY_SIZE(measure_columns); c++) {
        statement_array_begin(out);
        for (size_t i = 0; i < count; i++)
            put_number_of(
                out, &measure_columns[c],
                (const struct measures *)(const void *)((const char *)first + i * stride));
        statement_array_end(out);
    }
}

/* A column of times: the int64_t at `offset` of each row. */
static void put_instants(struct statement *out, const void *rows, size_t stride, size_t count,
                         size_t offset)
{
    statement_array_begin(out);
    for (size_t i = 0; i < count; i++) {
        int64_t at_us;
        memcpy(&at_us, (const char *)rows + i * stride + offset, sizeof at_us);
        statement_instant(out, at_us);
    }
    statement_array_end(out);
}

void columns_put_touches(struct statement *out, const struct device_touch *touches, size_t count)
{
    static const size_t ats[] = {offsetof(struct device_touch, latest.position_at_us),
                                 offsetof(struct device_touch, latest.vitals_at_us),
                                 offsetof(struct device_touch, latest.condition_at_us)};
    statement_array_begin(out);
    for (size_t i = 0; i < count; i++)
        put_protocol_name(out, touches[i].protocol);
    statement_array_end(out);
    statement_array_begin(out);
    for (size_t i = 0; i < count; i++)
        statement_string(out, touches[i].identity);
    statement_array_end(out);
    put_instants(out, touches, sizeof *touches, count, offsetof(struct device_touch, heard_us));
    put_measures(out, &touches->latest, sizeof *touches, count);
    for (size_t i = 0; i < ARRAY_SIZE(ats); i++)
        put_instants(out, touches, sizeof *touches, count, ats[i]);
}

void columns_put_observations(struct statement *out, const struct observation *observations,
                              size_t count)
{
    static const size_t ats[] = {offsetof(struct observation, at_us),
                                 offsetof(struct observation, received_at_us),
                                 offsetof(struct observation, occurred_at_us)};
    statement_array_begin(out);
    for (size_t i = 0; i < count; i++)
        statement_int64(out, observations[i].device_id);
    statement_array_end(out);
    for (size_t i = 0; i < ARRAY_SIZE(ats); i++)
        put_instants(out, observations, sizeof *observations, count, ats[i]);
    put_measures(out, &observations->said, sizeof *observations, count);
}
