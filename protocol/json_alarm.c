#include "protocol/json_alarm.h"

#include "protocol/calendar.h"
#include "protocol/checksum.h"

#include <string.h>

/* What people print on buttons, beside the words of signal_kind_name. */
static const struct {
    const char *word;
    uint8_t kind;
} alarm_words[] = {
    {"sos", SIGNAL_PANIC},
    {"emergency", SIGNAL_PANIC},
    {"battery_low", SIGNAL_LOW_BATTERY},
};

/* What a text is looked for as where the member is true or false. */
#define TRUE_WORD "true"

/* Members of decoded sensor objects that mean an alarm: the whole text or one word of it. */
static const struct sensor_alarm {
    const char *path, *word; /* NULL: any text */
    uint8_t kind;
    bool lasting; /* said again and again while it is so */
} sensor_alarms[] = {
    {"button_event", NULL, SIGNAL_PANIC, false},
    {"press", NULL, SIGNAL_PANIC, false},
    {"detection_status", "fall", SIGNAL_FALL, false},
    {"fall_alarm.alarm_status", "1", SIGNAL_FALL, false},
    {"fall_alarm.alarm_status", "alarm_triggered", SIGNAL_FALL, false},
    {"water_alarm", "water flow timeout alarm", SIGNAL_LEAK, true},
    {"leakage_status", "leak", SIGNAL_LEAK, true},
    {"status", "LEAK", SIGNAL_LEAK, true},
    {"status", "BURST", SIGNAL_LEAK, true},
    {"status", "POWER_LOW", SIGNAL_LOW_BATTERY, true},
    {"leak", TRUE_WORD, SIGNAL_LEAK, true},
    {"brokenPipe", TRUE_WORD, SIGNAL_LEAK, true},
    {"continuousFlow", TRUE_WORD, SIGNAL_LEAK, true},
    {"batteryStatus", "LOW", SIGNAL_LOW_BATTERY, true},
};

bool json_alarm_is_device_kind(enum signal_kind kind)
{
    return kind >= SIGNAL_PANIC && kind <= SIGNAL_TAMPER_RESTORED && kind != SIGNAL_UNREADABLE;
}

enum signal_kind json_alarm_kind(struct bytes word)
{
    char text[CODE_LIMIT + 1];
    enum signal_kind kind;

    if (!bytes_copy_text(word, text, sizeof(text)))
        return SIGNAL_NONE;
    kind = signal_kind_from_name(text);
    if (json_alarm_is_device_kind(kind))
        return kind;
    for (size_t i = 0; i < sizeof(alarm_words) / sizeof(alarm_words[0]); i++)
        if (strcmp(alarm_words[i].word, text) == 0)
            return alarm_words[i].kind;
    return SIGNAL_NONE;
}

static void set_service(struct bytes service, struct signal *out)
{
    char text[CODE_LIMIT + 1];

    bytes_copy_text(service, text, sizeof(text));
    out->service = (uint8_t)service_kind_from_name(text);
    if (out->service == SERVICE_NONE) {
        out->service = SERVICE_OTHER;
        out->flags |= SIGNAL_FLAG_UNKNOWN_CODE;
    }
}

void json_alarm_set_type(struct bytes type, struct bytes service, struct signal *out)
{
    bytes_copy_text(type, out->code, sizeof(out->code));
    if (bytes_starts_with(type, "service:")) {
        service = bytes_part(type, strlen("service:"), type.size);
        type.size = strlen("service");
    }
    out->kind = (uint8_t)json_alarm_kind(type);
    if (out->kind == SIGNAL_SERVICE)
        set_service(service, out);
    if (out->kind == SIGNAL_NONE) {
        out->kind = SIGNAL_PANIC;
        out->flags |= SIGNAL_FLAG_UNKNOWN_CODE;
    }
}

void json_alarm_set_message_id(const json_t *id, struct signal *out)
{
    struct bytes text = json_value_text(id);
    struct writer writer = writer_into(out->message_id, MESSAGE_ID_LIMIT);

    if (json_is_integer(id)) {
        writer_decimal(&writer, json_integer_value(id));
    } else if (!bytes_copy_text(text, out->message_id, sizeof(out->message_id))) {
        writer_u8(&writer, '~');
        writer_hex(&writer, checksum_crc16_arc(text), 4);
        writer_hex(&writer, checksum_crc16_x25(text), 4);
        writer_decimal(&writer, (int64_t)text.size);
    } else {
        return;
    }
    out->message_id[writer.size] = '\0';
}

void json_alarm_set_identity(struct bytes identity, struct signal *out)
{
    if (!bytes_copy_text(identity, out->identity, sizeof(out->identity)) &&
        identity.size > IDENTITY_LIMIT)
        out->identity[IDENTITY_LIMIT - 1] = '?';
}

static bool shows(struct bytes text, const char *word)
{
    struct bytes part;

    if (!word || bytes_equal_text(text, word))
        return text.size > 0;
    for (size_t i = 0; i < text.size; i++) {
        struct bytes rest = bytes_part(text, i, text.size);
        bool starts = i == 0 || text.data[i - 1] == ' ' || text.data[i - 1] == ',';
        size_t size = strlen(word);

        part = bytes_part(rest, 0, size);
        if (starts && bytes_equal_text(part, word) &&
            (rest.size == size || rest.data[size] == ' ' || rest.data[size] == ','))
            return true;
    }
    return false;
}

/* "LEAK 2026-01-02", so that a state which every report repeats is one message a day. */
static void name_by_day(struct bytes word, int64_t at_us, struct signal *out)
{
    struct writer writer = writer_into(out->message_id, MESSAGE_ID_LIMIT);

    writer_bytes(&writer, bytes_part(word, 0, CODE_LIMIT));
    writer_u8(&writer, ' ');
    calendar_write_rfc3339(&writer, at_us - at_us % CALENDAR_DAY_US);
    out->message_id[writer.size - strlen("T00:00:00Z")] = '\0';
}

void json_alarm_add(const json_t *value, const struct signal *model, struct batch *batch)
{
    char digits[24] = "true";
    struct writer writer = writer_into(digits, sizeof(digits));
    struct bytes word = json_value_text(value);
    struct signal signal = *model;

    if (json_is_integer(value) && json_integer_value(value) != 0) {
        writer_decimal(&writer, json_integer_value(value));
        word = writer_view(&writer);
    } else if (json_is_true(value)) {
        word = bytes_of(digits);
    }
    if (word.size == 0 || bytes_equal_nocase(word, "none") || bytes_equal_nocase(word, "normal"))
        return;
    json_alarm_set_type(word, (struct bytes){NULL, 0}, &signal);
    batch_add(batch, &signal);
}

void json_alarm_collect(json_t *values, const struct signal *model, int64_t now_us,
                        struct batch *batch)
{
    const json_t *member;
    struct signal signal;

    for (size_t i = 0; i < sizeof(sensor_alarms) / sizeof(sensor_alarms[0]); i++) {
        const struct sensor_alarm *rule = &sensor_alarms[i];
        const json_t *value = json_value_at(values, rule->path);
        struct bytes text = json_is_true(value) ? bytes_of(TRUE_WORD) : json_value_text(value);
        const char *word = rule->word;

        if (!shows(text, word))
            continue;
        if (json_is_true(value))
            text = bytes_of(word = rule->path);
        signal = *model;
        signal.kind = rule->kind;
        bytes_copy_text(text, signal.code, sizeof(signal.code));
        if (rule->lasting)
            name_by_day(bytes_of(word), model->occurred_at_us ? model->occurred_at_us : now_us,
                        &signal);
        batch_add(batch, &signal);
    }
    member = json_value_at(values, "alarm");
    if (json_is_string(member))
        json_alarm_add(member, model, batch);
}
