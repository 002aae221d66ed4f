#include "daemon/edge/detail.h"

#include "protocol/json_value.h"

static void write_key(struct writer *out, const char *key)
{
    writer_text(out, out->size == 0 ? "{\"" : ",\"");
    writer_text(out, key);
    writer_text(out, "\":");
}

static void write_number(struct writer *out, const char *key, int64_t value, int digits)
{
    write_key(out, key);
    writer_fixed(out, value, digits);
}

/* Text of any origin: what is no printable ASCII becomes a question mark. */
static void write_text(struct writer *out, const char *key, struct bytes text)
{
    write_key(out, key);
    writer_u8(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '"' || c == '\\')
            writer_u8(out, '\\');
        writer_u8(out, c >= 0x20 && c < 0x7f ? c : '?');
    }
    writer_u8(out, '"');
}

static void write_measures(const struct signal *signal, struct writer *out)
{
    const struct {
        uint32_t measure;
        const char *key;
        int64_t value;
        int digits;
    } members[] = {
        {MEASURE_POSITION, "latitude", signal->latitude_e7, 7},
        {MEASURE_POSITION, "longitude", signal->longitude_e7, 7},
        {MEASURE_ACCURACY, "accuracy_m", signal->accuracy_m, 0},
        {MEASURE_BATTERY, "battery", signal->battery_percent, 0},
        {MEASURE_GSM, "gsm", signal->gsm_percent, 0},
        {MEASURE_STEPS, "steps", signal->steps, 0},
        {MEASURE_HEART_RATE, "heart_rate", signal->heart_rate, 0},
        {MEASURE_BLOOD_PRESSURE, "systolic", signal->systolic, 0},
        {MEASURE_BLOOD_PRESSURE, "diastolic", signal->diastolic, 0},
        {MEASURE_OXYGEN, "oxygen", signal->oxygen_percent, 0},
        {MEASURE_TEMPERATURE, "body_temperature_c", signal->temperature_c100, 2},
        {MEASURE_TOTAL, "total_ml", signal->total_ml, 0},
        {MEASURE_INTERVAL, "interval_ml", signal->interval_ml, 0},
        {MEASURE_INTERVAL, "interval_s", signal->interval_s, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        if (signal->has & members[i].measure)
            write_number(out, members[i].key, members[i].value, members[i].digits);
}

/* The members of the decision's object behind ours; of two of one name the database keeps the last,
 * that is the decision's. */
static void write_decision(struct bytes detail, struct writer *out)
{
    json_t *parsed = json_value_parse(detail);

    if (!json_is_object(parsed)) {
        write_text(out, "decision", detail);
    } else if (json_object_size(parsed) > 0) {
        struct bytes members = bytes_trim(detail);
        writer_u8(out, out->size == 0 ? '{' : ',');
        writer_bytes(out, bytes_part(members, 1, members.size - 2));
    }
    json_decref(parsed);
}

void detail_write(const struct arrival *arrival, struct writer *out)
{
    const struct signal *signal = &arrival->signal;

    write_measures(signal, out);
    if (signal->device != DEVICE_UNKNOWN)
        write_text(out, "device_kind", bytes_of(device_kind_name(signal->device)));
    if (signal->code[0])
        write_text(out, "code", bytes_of(signal->code));
    if (signal->message_id[0])
        write_text(out, "message_id", bytes_of(signal->message_id));
    if (arrival->detail.size > 0)
        write_decision(arrival->detail, out);
    if (out->size > 0)
        writer_u8(out, '}');
}
