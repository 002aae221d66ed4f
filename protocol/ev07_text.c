/*
 * The text form of older EV-07 pendants, TCP or UDP:
 *
 *     !1,IMEI[,version,battery];   !5,signal,fix[,battery];
 *     !D,dd/mm/yy,hh:mm:ss,latitude,longitude,speed,course,flags,height,battery,…;
 *
 * B is a D that the device kept while it had no network; A and C have fewer fields behind the flags.
 * Only the log-in says who it is: the connection remembers it. Nothing is answered.
 *
 * Where a frame ends: at its semicolon, or where the next one begins, or where it is too long.
 *
 * When an alarm is new. The flags are a state, each bit for itself: an alarm rings when its bit rises,
 * within one connection of one device; a press or a fall also if a report more than a minute after
 * the last one shows it. Kept reports have a state of their own. Its name is the device's time and the
 * flags, but only with a fix: without one the time may be that of the last fix, and two presses
 * indoors are not the same.
 */
#include "protocol/batch.h"
#include "protocol/calendar.h"
#include "protocol/codec.h"

#include <string.h>

#define FRAME_MAX 512
#define FIELDS_MAX 10
#define GAP_S 60
/* 2016-01-01: no device says an earlier time and means it. */
#define CLOCK_SET_AFTER_US (16801 * CALENDAR_DAY_US)
#define FLAG_FIX (1U | 1U << 1) /* of satellites; an approximate one */
#define FLAG_CHARGING (1U << 22)
#define EMERGENCIES (1U << 6 | 1U << 8)

/* session.state[]: the alarms of the last report; when one last showed an emergency, in seconds. Then
 * the same of kept reports. */
enum { STATE_ALARMS, STATE_SEEN, STATE_KEPT };

static const struct {
    uint32_t bits;
    uint8_t kind;
} alarms[] = {
    {1U << 2, SIGNAL_TAMPER}, /* a fault */
    {1U << 6, SIGNAL_PANIC},
    {1U << 8, SIGNAL_FALL},
    {1U << 9 | 1U << 10 | 1U << 11, SIGNAL_WANDER},
    {1U << 12, SIGNAL_LOW_BATTERY},
};
#define ALARM_COUNT (sizeof(alarms) / sizeof(alarms[0]))

struct fields {
    struct bytes at[FIELDS_MAX];
    size_t count;
};

static bool is_type(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z');
}

/* Whether a frame begins here: !X, */
static enum frame ev07_text_recognise(struct bytes first)
{
    if (first.size > 0 && first.data[0] != '!')
        return FRAME_BAD;
    if (first.size > 1 && !is_type(first.data[1]))
        return FRAME_BAD;
    if (first.size < 3)
        return FRAME_MORE;
    return first.data[2] == ',' ? FRAME_READY : FRAME_BAD;
}

static enum frame ev07_text_split(struct bytes input, size_t *skip, size_t *size)
{
    enum frame frame = FRAME_BAD;

    for (*skip = 0; *skip < input.size; ++*skip) {
        frame = ev07_text_recognise(bytes_part(input, *skip, 3));
        if (frame != FRAME_BAD)
            break;
    }
    if (frame != FRAME_READY)
        return FRAME_MORE;
    input = bytes_part(input, *skip, FRAME_MAX);
    for (*size = 1; *size < input.size; ++*size) {
        if (input.data[*size] == ';') {
            ++*size;
            return FRAME_READY;
        }
        if (ev07_text_recognise(bytes_part(input, *size, 3)) == FRAME_READY)
            return FRAME_READY;
    }
    *size = FRAME_MAX - 2; /* the last two bytes may begin the next */
    return input.size < FRAME_MAX ? FRAME_MORE : FRAME_READY;
}

static struct fields split_fields(struct bytes text)
{
    struct fields fields = {.count = 0};
    struct bytes field;

    text = bytes_part(text, 1, bytes_find(text, ';') - 1);
    while (fields.count < FIELDS_MAX && bytes_next_field(&text, ',', &field))
        fields.at[fields.count++] = bytes_trim(field);
    return fields;
}

/* Three numbers of one or more digits. */
static bool parse_three(struct bytes text, uint8_t separator, int out[3])
{
    struct bytes part;
    int64_t value;

    for (int i = 0; i < 3; i++) {
        if (!bytes_next_field(&text, separator, &part) || !bytes_parse_decimal(part, &value) ||
            value < 0 || value > 9999)
            return false;
        out[i] = (int)value;
    }
    return true;
}

static void take_time(struct bytes date, struct bytes time, struct signal *out)
{
    int day[3], clock[3];

    if (parse_three(date, '/', day) && parse_three(time, ':', clock)) {
        struct civil civil = {.year = day[2] < 100 ? 2000 + day[2] : day[2],
                              .month = day[1],
                              .day = day[0],
                              .hour = clock[0],
                              .minute = clock[1],
                              .second = clock[2]};

        if (calendar_from_civil(&civil, &out->occurred_at_us))
            return;
    }
    out->flags |= SIGNAL_FLAG_CLOCK_WRONG;
}

static void take_battery(struct bytes text, struct signal *out)
{
    int64_t percent;

    if (!bytes_parse_decimal(text, &percent) || percent < 0 || percent > 100)
        return;
    out->battery_percent = (int16_t)percent;
    out->has |= MEASURE_BATTERY;
}

/* A place without a fix is the last one known: kept, and flagged. */
static void take_place(const struct fields *fields, bool has_fix, struct signal *out)
{
    int64_t latitude, longitude;

    if (bytes_parse_fixed(fields->at[3], 7, &latitude) &&
        bytes_parse_fixed(fields->at[4], 7, &longitude) && latitude >= -900000000 &&
        latitude <= 900000000 && longitude >= -1800000000 && longitude <= 1800000000 &&
        (latitude || longitude)) {
        out->latitude_e7 = (int32_t)latitude;
        out->longitude_e7 = (int32_t)longitude;
        out->has |= MEASURE_POSITION;
    }
    if (!has_fix || !(out->has & MEASURE_POSITION))
        out->flags |= SIGNAL_FLAG_NO_POSITION;
    out->kind = out->has & MEASURE_POSITION ? SIGNAL_POSITION : SIGNAL_HEARTBEAT;
}

static void name_alarm(uint32_t flags, struct signal *alarm)
{
    struct writer writer = writer_into(alarm->code, CODE_LIMIT);

    writer_text(&writer, "flags ");
    writer_hex(&writer, flags, 6);
    if (alarm->occurred_at_us < CLOCK_SET_AFTER_US || !(flags & FLAG_FIX))
        return;
    writer = writer_into(alarm->message_id, MESSAGE_ID_LIMIT);
    writer_decimal(&writer, alarm->occurred_at_us / CALENDAR_SECOND_US);
    writer_u8(&writer, '-');
    writer_hex(&writer, flags & 0xFFFF, 4);
}

/* The alarms that are new; `state` is that of live or of kept reports. */
static uint32_t compare_state(uint32_t flags, uint32_t *state, int64_t now_us)
{
    uint32_t shown = 0, before = state[STATE_ALARMS];
    uint32_t now_s = (uint32_t)(now_us / CALENDAR_SECOND_US);

    for (size_t i = 0; i < ALARM_COUNT; i++)
        shown |= flags & alarms[i].bits;
    if (shown & EMERGENCIES) {
        if (now_s - state[STATE_SEEN] > GAP_S)
            before &= ~EMERGENCIES;
        state[STATE_SEEN] = now_s;
    }
    state[STATE_ALARMS] = shown;
    return shown & ~before;
}

/* One signal for each alarm that is new, or the report itself. */
static void decide(uint32_t flags, uint32_t risen, const struct signal *said, struct batch *batch)
{
    for (size_t i = 0; i < ALARM_COUNT; i++) {
        struct signal alarm = *said;

        if (!(risen & alarms[i].bits))
            continue;
        alarm.kind = alarms[i].kind;
        name_alarm(flags, &alarm);
        batch_add(batch, &alarm);
    }
    if (batch->count == 0)
        batch_add(batch, said);
}

/* A report whose flags cannot be read may have been a press. */
static void decode_report(const struct fields *fields, struct codec_session *session,
                          int64_t now_us, struct signal said, struct batch *batch)
{
    bool is_kept = bytes_equal_text(fields->at[0], "B");
    /* A has no flags but a zero in their place. */
    bool has_fix = bytes_equal_text(fields->at[0], "A");
    uint64_t flags = 0;

    if (is_kept)
        said.flags |= SIGNAL_FLAG_STORED;
    take_time(fields->at[1], fields->at[2], &said);
    if (fields->count > 9)
        take_battery(fields->at[9], &said);
    if (fields->count > 7 && !bytes_parse_hex(fields->at[7], &flags)) {
        said.kind = SIGNAL_UNREADABLE;
        said.flags |= SIGNAL_FLAG_UNREADABLE;
        batch_add(batch, &said);
        return;
    }
    if (flags & FLAG_CHARGING)
        said.flags |= SIGNAL_FLAG_CHARGING;
    take_place(fields, has_fix || flags & FLAG_FIX, &said);
    decide((uint32_t)flags,
           compare_state((uint32_t)flags, session->state + (is_kept ? STATE_KEPT : 0), now_us),
           &said, batch);
}

static void log_in(const struct fields *fields, struct codec_session *session, struct signal *said)
{
    char identity[IDENTITY_LIMIT + 1] = "";

    if (fields->count > 1)
        bytes_copy_text(fields->at[1], identity, sizeof(identity));
    if (strcmp(identity, session->identity) != 0)
        memset(session->state, 0, sizeof(session->state));
    memcpy(session->identity, identity, sizeof(identity));
    memcpy(said->identity, identity, sizeof(identity));
    if (fields->count > 3)
        take_battery(fields->at[3], said);
}

static int ev07_text_decode(const struct message *message, struct codec_session *session,
                            const struct codec_environment *environment, struct signal *out,
                            int limit)
{
    struct batch batch = {.out = out, .limit = limit};
    struct signal said = {.kind = SIGNAL_HEARTBEAT};
    struct fields fields;

    if (ev07_text_recognise(message->body) != FRAME_READY)
        return DECODE_BAD;
    fields = split_fields(message->body);
    memcpy(said.identity, session->identity, sizeof(said.identity));
    if (bytes_equal_text(fields.at[0], "1"))
        log_in(&fields, session, &said);
    else if (bytes_equal_text(fields.at[0], "5") && fields.count > 3)
        take_battery(fields.at[3], &said);
    else if (fields.at[0].data[0] >= 'A' && fields.at[0].data[0] <= 'D' && fields.count > 4)
        decode_report(&fields, session, environment->now_us, said, &batch);
    if (batch.count == 0)
        batch_add(&batch, &said);
    return batch.count;
}

/* Nothing is owed: such a pendant waits for no answer. */
static void ev07_text_reply(const struct message *message, struct codec_session *session,
                            const struct codec_environment *environment, enum verdict verdict,
                            struct writer *topic, struct writer *out)
{
    (void)message, (void)session, (void)environment, (void)verdict, (void)topic, (void)out;
}

/* The flags of a signal; false if there are none and it is no plain report. */
static bool write_flags(const struct signal *signal, uint32_t *flags)
{
    bool has_fix = signal->has & MEASURE_POSITION && !(signal->flags & SIGNAL_FLAG_NO_POSITION);

    *flags = has_fix ? 1 : 0;
    if (signal->flags & SIGNAL_FLAG_CHARGING)
        *flags |= FLAG_CHARGING;
    for (size_t i = 0; i < ALARM_COUNT; i++)
        if (alarms[i].kind == signal->kind) {
            *flags |= alarms[i].bits & (0U - alarms[i].bits);
            return true;
        }
    return signal->kind == SIGNAL_POSITION || signal->kind == SIGNAL_HEARTBEAT;
}

static void write_date(struct writer *out, int64_t at_us)
{
    struct civil civil = calendar_to_civil(at_us);
    const int parts[] = {civil.day,  civil.month,  civil.year,
                         civil.hour, civil.minute, civil.second};

    for (int i = 0; i < 6; i++) {
        writer_decimal_padded(out, (uint64_t)parts[i], 2);
        writer_u8(out, (uint8_t) "//,::,"[i]);
    }
}

static void write_report(const struct signal *signal, uint32_t flags, int64_t now_us,
                         struct writer *out)
{
    writer_text(out, signal->flags & SIGNAL_FLAG_STORED ? "!B," : "!D,");
    write_date(out, signal->occurred_at_us ? signal->occurred_at_us : now_us);
    writer_fixed(out, signal->latitude_e7, 7);
    writer_u8(out, ',');
    writer_fixed(out, signal->longitude_e7, 7);
    writer_text(out, ",0,0,");
    writer_hex(out, flags, 6);
    writer_text(out, ",0.0,");
    if (signal->has & MEASURE_BATTERY)
        writer_decimal(out, signal->battery_percent);
    writer_text(out, ",0,0,0;");
}

static bool ev07_text_compose(const struct signal *signal, struct codec_session *session,
                              const struct codec_environment *environment, struct writer *topic,
                              struct writer *out)
{
    uint32_t flags;

    (void)topic;
    if (!write_flags(signal, &flags) || signal->identity[strspn(signal->identity, "0123456789")] ||
        !signal->identity[0])
        return false;
    if (strcmp(session->identity, signal->identity) != 0) {
        writer_text(out, "!1,");
        writer_text(out, signal->identity);
        writer_u8(out, ';');
        memcpy(session->identity, signal->identity, sizeof(session->identity));
    }
    if (signal->kind == SIGNAL_HEARTBEAT && !signal->has)
        writer_text(out, "!5,20,A;");
    else
        write_report(signal, flags, environment->now_us, out);
    return !out->overflow;
}

const struct codec ev07_text_codec = {
    .name = "ev07_text",
    .frame_max = FRAME_MAX,
    .recognise = ev07_text_recognise,
    .split = ev07_text_split,
    .decode = ev07_text_decode,
    .reply = ev07_text_reply,
    .compose = ev07_text_compose,
};
