#include "protocol/json_fields.h"

#include <string.h>

/* Halves of a measure that counts only when both are there. */
#define HALF_LATITUDE (1U << 28)
#define HALF_LONGITUDE (1U << 29)
#define HALF_SYSTOLIC (1U << 30)
#define HALF_DIASTOLIC (1U << 31)

#define LITRE 1000
#define CUBIC_METRE 1000000
/* A million cubic metres: more than any meter in a home counts. */
#define VOLUME_MAX_ML INT64_C(1000000000000)
#define DEGREE 10000000

#define MEMBER(member) offsetof(struct signal, member), sizeof(((struct signal *)NULL)->member)
#define FIELD(path, member, measure, scale, low, high)                                             \
    {                                                                                              \
        path, measure, MEMBER(member), scale, low, high                                            \
    }
#define TOTAL(path, unit) FIELD(path, total_ml, MEASURE_TOTAL, unit, 0, VOLUME_MAX_ML)
#define INTERVAL(path, unit) FIELD(path, interval_ml, MEASURE_INTERVAL, unit, 0, VOLUME_MAX_ML)
#define BATTERY(path) FIELD(path, battery_percent, MEASURE_BATTERY, 1, 0, 100)
#define LATITUDE(path)                                                                             \
    FIELD(path, latitude_e7, HALF_LATITUDE, DEGREE, -90LL * DEGREE, 90LL * DEGREE)
#define LONGITUDE(path)                                                                            \
    FIELD(path, longitude_e7, HALF_LONGITUDE, DEGREE, -180LL * DEGREE, 180LL * DEGREE)

/* Of several names for one measure the first that is there counts. */
static const struct json_field known_fields[] = {
    TOTAL("total_l", LITRE),
    TOTAL("total_m3", CUBIC_METRE),
    TOTAL("current_volume_m3", CUBIC_METRE),
    TOTAL("totalVolume_l", LITRE),
    TOTAL("volume_m3", CUBIC_METRE),
    TOTAL("water", LITRE),
    INTERVAL("interval_l", LITRE),
    INTERVAL("interval_m3", CUBIC_METRE),
    FIELD("interval_s", interval_s, 0, 1, 1, 366 * 86400),
    BATTERY("battery"),
    BATTERY("battery_pct"),
    BATTERY("batteryLevel"),
    BATTERY("battery_level"),
    FIELD("gsm", gsm_percent, MEASURE_GSM, 1, 0, 100),
    LATITUDE("lat"),
    LATITUDE("latitude"),
    LONGITUDE("lon"),
    LONGITUDE("longitude"),
    FIELD("accuracy_m", accuracy_m, MEASURE_ACCURACY, 1, 0, 1000000),
    FIELD("steps", steps, MEASURE_STEPS, 1, 0, INT32_MAX),
    FIELD("heart_rate", heart_rate, MEASURE_HEART_RATE, 1, 1, 300),
    FIELD("systolic", systolic, HALF_SYSTOLIC, 1, 1, 300),
    FIELD("diastolic", diastolic, HALF_DIASTOLIC, 1, 1, 300),
    FIELD("oxygen", oxygen_percent, MEASURE_OXYGEN, 1, 1, 100),
    FIELD("body_temperature_c", temperature_c100, MEASURE_TEMPERATURE, 100, 1, 9999),
};

static void store(struct signal *out, const struct json_field *field, int64_t value)
{
    char *member = (char *)out + field->offset;
    int32_t value32 = (int32_t)value;
    int16_t value16 = (int16_t)value;

    if (field->width == sizeof(value))
        memcpy(member, &value, sizeof(value));
    else if (field->width == sizeof(value32))
        memcpy(member, &value32, sizeof(value32));
    else
        memcpy(member, &value16, sizeof(value16));
}

static void join_halves(struct signal *out, uint32_t first, uint32_t second, uint32_t whole)
{
    if ((out->has & first) && (out->has & second))
        out->has |= whole;
    out->has &= ~(first | second);
}

static bool is_true(json_t *values, const char *key)
{
    return json_is_true(json_object_get(values, key));
}

static void read_flags(json_t *values, struct signal *out)
{
    if (is_true(values, "reset"))
        out->flags |= SIGNAL_FLAG_RESET;
    if (is_true(values, "charging"))
        out->flags |= SIGNAL_FLAG_CHARGING;
    if (is_true(values, "stored"))
        out->flags |= SIGNAL_FLAG_STORED;
    if (bytes_equal_text(json_value_text(json_object_get(values, "valve")), "closed"))
        out->flags |= SIGNAL_FLAG_VALVE_CLOSED;
    if (out->has & (MEASURE_HEART_RATE | MEASURE_BLOOD_PRESSURE | MEASURE_OXYGEN))
        out->flags |= SIGNAL_FLAG_WORN;
    /* ChirpStack sends a level of 0 beside these. */
    if (is_true(values, "externalPowerSource") || is_true(values, "batteryLevelUnavailable")) {
        out->has &= ~(uint32_t)MEASURE_BATTERY;
        out->battery_percent = 0;
    }
}

#define KNOWN_COUNT (sizeof(known_fields) / sizeof(known_fields[0]))
_Static_assert(KNOWN_COUNT <= 32, "a bit each");

/* Which of the known fields are there, a bit each: an object has few members, and to look all the names up
 * in it took a third of the time of a reading. */
static uint32_t fields_there(json_t *values)
{
    uint32_t there = 0;

    for (void *at = json_object_iter(values); at; at = json_object_iter_next(values, at)) {
        const char *key = json_object_iter_key(at);

        for (size_t i = 0; i < KNOWN_COUNT; i++)
            if (key[0] == known_fields[i].path[0] && strcmp(key, known_fields[i].path) == 0)
                there |= UINT32_C(1) << i;
    }
    return there;
}

void json_fields_read(json_t *values, struct signal *out)
{
    uint32_t there = fields_there(values);

    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        const struct json_field *field = &known_fields[i];
        int64_t value;

        if (!(there >> i & 1) || out->has & field->measure)
            continue;
        if (!json_value_scaled(json_value_at(values, field->path), field->scale, &value))
            continue;
        if (value < field->low || value > field->high)
            continue;
        store(out, field, value);
        out->has |= field->measure;
    }
    join_halves(out, HALF_LATITUDE, HALF_LONGITUDE, MEASURE_POSITION);
    join_halves(out, HALF_SYSTOLIC, HALF_DIASTOLIC, MEASURE_BLOOD_PRESSURE);
    read_flags(values, out);
}

bool json_fields_volume(const json_t *value, int64_t unit_ml, int64_t *ml)
{
    return json_value_scaled(value, unit_ml, ml) && *ml >= 0 && *ml <= VOLUME_MAX_ML;
}

enum signal_kind json_fields_kind(uint32_t has)
{
    if (has & (MEASURE_TOTAL | MEASURE_INTERVAL))
        return SIGNAL_READING;
    if (has & (MEASURE_HEART_RATE | MEASURE_BLOOD_PRESSURE | MEASURE_OXYGEN | MEASURE_TEMPERATURE))
        return SIGNAL_VITALS;
    return has & MEASURE_POSITION ? SIGNAL_POSITION : SIGNAL_HEARTBEAT;
}
