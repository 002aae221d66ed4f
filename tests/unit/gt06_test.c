/* GT06, on an invented tracker whose IMEI counts to 42. */
#include "protocol/checksum.h"
#include "tests/support/mutate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define IMEI "100000000000042"
#define LOGIN "01 0100000000000042"
/* 2026-01-02 03:04:05, 30.5 N 104.25 E. */
#define GPS "1A0102030405 C9 0345B520 0B2F4FD0 00 1400"
#define CELL "09 0000000000000000"
#define AT_US INT64_C(1767323045000000)

extern const struct codec gt06_codec;

static struct outcome outcome;
static uint8_t stream[4096];
static struct writer input;

static void begin(void)
{
    input = writer_into(stream, sizeof(stream));
}

static void add_hex(const char *hex)
{
    for (; *hex; hex += *hex == ' ' ? 1 : 2) {
        uint64_t byte;

        if (*hex != ' ') {
            assert_true(bytes_parse_hex(bytes_part(bytes_of(hex), 0, 2), &byte));
            writer_u8(&input, (uint8_t)byte);
        }
    }
}

/* Adds the frame of this type and content. */
static void add(const char *hex, uint16_t serial)
{
    size_t start = input.size;

    add_hex("7878 00");
    add_hex(hex);
    writer_u16_be(&input, serial);
    stream[start + 2] = (uint8_t)(input.size - start - 1);
    writer_u16_be(&input,
                  checksum_crc16_x25((struct bytes){stream + start + 2, input.size - start - 2}));
    add_hex("0D0A");
}

static const struct signal *take(void)
{
    struct message message = {.body = writer_view(&input)};
    struct codec_environment environment = drive_environment();

    drive(&gt06_codec, &message, 0, &environment, &outcome);
    return &outcome.signals[0];
}

/* The signal of this frame, behind a log-in. */
static const struct signal *take_one(const char *hex)
{
    begin();
    add(LOGIN, 1);
    add(hex, 7);
    take();
    assert_int_equal(outcome.signal_count, 2);
    return &outcome.signals[1];
}

static void a_press_is_a_panic(void **state)
{
    const struct signal *signal = take_one("26" GPS CELL "46 06 04 01 02");

    (void)state;
    assert_int_equal(signal->kind, SIGNAL_PANIC);
    assert_string_equal(signal->identity, IMEI);
    assert_string_equal(signal->code, "26 01");
    assert_string_equal(signal->message_id, "1767323045-0007");
    assert_int_equal(signal->occurred_at_us, AT_US);
    assert_int_equal(signal->latitude_e7, 305000000);
    assert_int_equal(signal->longitude_e7, 1042500000);
    assert_int_equal(signal->battery_percent, 100);
    assert_int_equal(signal->gsm_percent, 100);
    assert_int_equal(signal->flags, SIGNAL_FLAG_CHARGING);
    begin();
    add("01", 1);
    add("26", 7);
    assert_int_equal(outcome.reply_size, input.size);
    assert_memory_equal(outcome.reply, stream, input.size);
}

static void alarms_of_every_form_are_found(void **state)
{
    static const struct {
        const char *hex;
        enum signal_kind kind;
    } alarms[] = {
        {"16" GPS CELL "00 06 04 23 02", SIGNAL_FALL},
        {"16" GPS CELL "00 06 04 0E 02", SIGNAL_LOW_BATTERY},
        {"16" GPS CELL "00 06 04 02 02", SIGNAL_MAINS_LOST},
        {"16" GPS CELL "00 06 04 13 02", SIGNAL_TAMPER},
        {"16" GPS CELL "00 06 04 05 02", SIGNAL_WANDER},
        {"16" GPS CELL "00 06 04 04 02", SIGNAL_WANDER_RESTORED},
        {"16" GPS CELL "00 06 04 06 02", SIGNAL_POSITION}, /* too fast */
        {"16" GPS CELL "00 06 04 77 02", SIGNAL_PANIC},    /* unknown */
        {"16" GPS CELL "20 06 04 06 02", SIGNAL_PANIC},    /* shown in the bits */
        {"16" GPS CELL "38 06 04 00 02", SIGNAL_TAMPER},
        {"16" GPS "0000000000000000 20 04 04 04 00", SIGNAL_PANIC}, /* no length of the cell */
        {"16" GPS CELL "00 00 2A 3C 01 02", SIGNAL_PANIC},          /* percentages */
        {"16" GPS CELL "20", SIGNAL_UNREADABLE},                    /* cut */
        {"16", SIGNAL_UNREADABLE},
        {"27" GPS CELL "00 06 04 01 02 05", SIGNAL_PANIC},
        {"A4" GPS "09000000000000000000 00 06 04 01 02 05", SIGNAL_PANIC},
        {"A5 000000000000 0102", SIGNAL_PANIC},
        {"19 000000000000 0002", SIGNAL_HEARTBEAT},
        {"95 1A0102030405 01 00", SIGNAL_PANIC},
        {"95 1A0102030405 0345B520 0B2F4FD0 1400 01 0000", SIGNAL_PANIC},
        {"16 000000000000000000000000000000000000" CELL "00 06 04 01 02", SIGNAL_PANIC},
        {"13 20 06 04 0002", SIGNAL_PANIC},
        {"13 00 03 01 0002", SIGNAL_HEARTBEAT},
        {"23 18 0190 04 0002", SIGNAL_LOW_BATTERY},
        {"94 00", SIGNAL_HEARTBEAT},
        {"22" GPS, SIGNAL_POSITION},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(alarms) / sizeof(alarms[0]); i++) {
        const struct signal *signal = take_one(alarms[i].hex);

        if (signal->kind != alarms[i].kind)
            fail_msg("%s is a %s", alarms[i].hex, signal_kind_name(signal->kind));
        assert_int_equal(strstr(alarms[i].hex, " 77 ") != NULL,
                         (signal->flags & SIGNAL_FLAG_UNKNOWN_CODE) != 0);
    }
}

static void a_state_rings_when_it_rises(void **state)
{
    (void)state;
    begin();
    add(LOGIN, 1);
    add("26" GPS CELL "20 06 04 01 02", 2);
    add("13 20 06 04 0002", 3); /* the same press, shown again */
    add("13 00 06 04 0002", 4);
    add("13 20 06 04 0002", 5);
    add("13 20 06 04 0002", 6);
    add("26" GPS CELL "20 06 04 01 02", 7); /* an alarm frame is a press */
    take();
    assert_int_equal(drive_alarms(&outcome), 3);
    assert_int_equal(outcome.signals[1].kind, SIGNAL_PANIC);
    assert_int_equal(outcome.signals[4].kind, SIGNAL_PANIC);
    assert_int_equal(outcome.signals[6].kind, SIGNAL_PANIC);
    assert_string_not_equal(outcome.signals[6].message_id, outcome.signals[1].message_id);
    assert_string_equal(outcome.signals[4].message_id, ""); /* it has no time */
}

static void odd_positions_are_understood(void **state)
{
    const struct signal *signal = take_one("12 1A0102030405 C9 0345B520 0B2F4FD0 00 0800");

    (void)state;
    assert_int_equal(signal->latitude_e7, -305000000);
    assert_int_equal(signal->longitude_e7, -1042500000);
    assert_int_equal(signal->flags, SIGNAL_FLAG_NO_POSITION); /* the last place it knew */
    signal = take_one("12 1A1302030405 C9 0345B520 0B2F4FD0 00 1400");
    assert_int_equal(signal->kind, SIGNAL_HEARTBEAT);
    assert_int_equal(signal->flags, SIGNAL_FLAG_NO_POSITION | SIGNAL_FLAG_CLOCK_WRONG);
    signal = take_one("12 1A0102030405 C9 00000000 00000000 00 1400");
    assert_int_equal(signal->kind, SIGNAL_HEARTBEAT);
    /* A time zone in the log-in: eight hours east, and half past three west. */
    begin();
    add(LOGIN "1234 3200", 1);
    add("12" GPS, 2);
    add(LOGIN "1234 14A8", 1);
    add("12" GPS, 2);
    take();
    assert_int_equal(outcome.signals[1].occurred_at_us, AT_US - INT64_C(28800000000));
    assert_int_equal(outcome.signals[3].occurred_at_us, AT_US + INT64_C(12600000000));
}

static void an_alarm_before_the_log_in_is_not_lost(void **state)
{
    (void)state;
    begin();
    add("26" GPS CELL "46 06 04 01 02", 7);
    assert_int_equal(take()->kind, SIGNAL_PANIC);
    assert_string_equal(outcome.signals[0].identity, "");
    stream[30] ^= 4; /* in the cell */
    assert_int_equal(take()->kind, SIGNAL_PANIC);
    assert_true(outcome.signals[0].flags & SIGNAL_FLAG_CHECKSUM_WRONG);
    assert_int_equal(outcome.reply_size, 10);
}

static void the_time_is_told_and_much_is_not_answered(void **state)
{
    (void)state; /* the environment's 1780000000 s */
    take_one("8A");
    begin();
    add("01", 1);
    add("8A 1A051C141A28", 7);
    assert_int_equal(outcome.reply_size, input.size);
    assert_memory_equal(outcome.reply, stream, input.size);
    take_one("15 00");
    assert_int_equal(outcome.reply_size, 10);
    assert_int_equal(take_one("94 00")->kind, SIGNAL_HEARTBEAT);
    assert_int_equal(outcome.reply_size, 10);
}

static void frames_end_where_they_should(void **state)
{
    (void)state;
    begin();
    add("26" GPS "09 0D0A0000000D0A00 00 06 04 01 02", 7);      /* ends within */
    add_hex("7878 00 17 1A0102030405 02 00CC 0000000000 0D0A"); /* the length is a count */
    add_hex("7979 0005 94 0000 0000 0D0A");
    add_hex("FFFF 78");
    add("13 00 06 04 0002", 8);
    add_hex("7878 40 13 00 06 04 0002 0009 0000 0D0A"); /* too long a length: the next ends it */
    add("26" GPS CELL "46 06 04 01 02", 9);
    stream[input.size - 2] = 0; /* its end is damaged: the next begins where it should end */
    add("26" GPS CELL "46 06 04 01 02", 10);
    take();
    assert_int_equal(outcome.frames, 7);
    assert_int_equal(drive_alarms(&outcome), 3);
    assert_int_equal(outcome.bad_frames, 0);
}

static void hostile_streams_stay_bounded(void **state)
{
    static uint8_t bytes[20000];
    struct message message = {.body = {bytes, sizeof(bytes)}};
    struct codec_environment environment = drive_environment();

    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        memset(bytes, byte, sizeof(bytes));
        drive(&gt06_codec, &message, 0, &environment, &outcome);
        bytes[0] = bytes[1] = 0x79;
        drive(&gt06_codec, &message, 0, &environment, &outcome);
        assert_int_equal(drive_alarms(&outcome), 0);
    }
    assert_int_equal(gt06_codec.recognise(bytes_of("")), FRAME_MORE);
    assert_int_equal(gt06_codec.recognise(bytes_of("x")), FRAME_MORE);
    assert_int_equal(gt06_codec.recognise(bytes_of("xx")), FRAME_READY);
    assert_int_equal(gt06_codec.recognise(bytes_of("yy")), FRAME_READY);
    assert_int_equal(gt06_codec.recognise(bytes_of("xy")), FRAME_BAD);
    assert_int_equal(gt06_codec.recognise(bytes_of("~")), FRAME_BAD);
}

static bool command(const struct command *wanted, const char *text)
{
    struct codec_environment environment = drive_environment();
    struct codec_session session = {.identity = IMEI};
    uint8_t bytes[REPLY_MAX];
    struct writer topic = writer_into(NULL, 0), out = writer_into(bytes, sizeof(bytes));

    return gt06_codec.command(wanted, &session, &environment, &topic, &out) &&
           bytes[4] == strlen(text) + 4 && memcmp(bytes + 9, text, strlen(text)) == 0 &&
           out.size == 9 + strlen(text) + 2 + 6;
}

static void commands_are_written(void **state)
{
    (void)state;
    assert_true(command(&(struct command){.kind = COMMAND_LOCATE}, "WHERE#"));
    assert_true(
        command(&(struct command){.kind = COMMAND_REPORT_INTERVAL, .value = 60}, "TIMER,60#"));
    assert_true(
        command(&(struct command){.kind = COMMAND_SOS_NUMBER, .value = 2, .text = "15550100"},
                "SOS,A,,15550100#"));
    assert_false(
        command(&(struct command){.kind = COMMAND_SOS_NUMBER, .value = 1, .text = "1#SOS"}, ""));
    assert_false(
        command(&(struct command){.kind = COMMAND_SOS_NUMBER, .value = 4, .text = "15550100"}, ""));
    assert_false(command(&(struct command){.kind = COMMAND_ACKNOWLEDGE}, ""));
}

static struct signal invent(struct random *random)
{
    static const uint8_t kinds[] = {SIGNAL_PANIC,    SIGNAL_FALL,        SIGNAL_WANDER,
                                    SIGNAL_TAMPER,   SIGNAL_MAINS_LOST,  SIGNAL_WANDER_RESTORED,
                                    SIGNAL_POSITION, SIGNAL_LOW_BATTERY, SIGNAL_HEARTBEAT};
    struct signal signal = {.kind = kinds[random_below(random, sizeof(kinds))]};

    snprintf(signal.identity, sizeof(signal.identity), "1%014llu",
             (unsigned long long)random_below(random, 100000000000000));
    if (signal.kind != SIGNAL_POSITION && random_below(random, 2)) {
        signal.has |= MEASURE_BATTERY | MEASURE_GSM;
        signal.battery_percent = (int16_t)(random_below(random, 7) * 100 / 6);
        signal.gsm_percent = (int16_t)(random_below(random, 5) * 25);
        signal.flags |= random_below(random, 2) ? SIGNAL_FLAG_CHARGING : 0;
    }
    if (signal.kind == SIGNAL_HEARTBEAT)
        return signal;
    signal.has |= MEASURE_POSITION;
    signal.occurred_at_us = 1767225600000000 + (int64_t)random_below(random, 1000000000) * 1000000;
    signal.latitude_e7 = (int32_t)random_below(random, 1800000001) - 900000000;
    signal.longitude_e7 = (int32_t)(random_below(random, 3600000001) - 1800000000) | 1;
    return signal;
}

static void what_is_composed_is_decoded(void **state)
{
    struct codec_environment environment = drive_environment();
    struct random random;

    (void)state;
    mutate_seed(&random);
    for (int i = 0; i < 2000; i++) {
        struct codec_session session = {.serial = (uint16_t)random_below(&random, 65536)};
        struct signal signal = invent(&random), again = signal, *seen = &outcome.signals[1];
        struct writer topic = writer_into(NULL, 0);
        struct message message;

        begin();
        assert_true(gt06_codec.compose(&signal, &session, &environment, &topic, &input));
        assert_true(gt06_codec.compose(&again, &session, &environment, &topic, &input));
        message = (struct message){.body = writer_view(&input)};
        drive(&gt06_codec, &message, 1 + random_below(&random, 9), &environment, &outcome);
        assert_int_equal(outcome.signal_count, 3); /* one log-in */
        assert_true(abs(seen->latitude_e7 - signal.latitude_e7) <= 5);
        assert_true(abs(seen->longitude_e7 - signal.longitude_e7) <= 5);
        seen->latitude_e7 = signal.latitude_e7;
        seen->longitude_e7 = signal.longitude_e7;
        memset(seen->code, 0, sizeof(seen->code));
        memset(seen->message_id, 0, sizeof(seen->message_id));
        assert_memory_equal(seen, &signal, sizeof(signal));
    }
}

/* A device that is played sends its log-in and its alarm at once, and waits for the alarm's reply. */
static void several_frames_at_once_are_taken(void **state)
{
    struct codec_environment environment = drive_environment();
    struct codec_session session = {0}, gateway = {0};
    struct signal signal = {.kind = SIGNAL_PANIC, .identity = IMEI}, signals[4];
    struct writer topic = writer_into(NULL, 0);
    struct message message;
    uint8_t reply[REPLY_MAX];
    struct writer out = writer_into(reply, sizeof(reply));

    (void)state;
    begin();
    assert_true(gt06_codec.compose(&signal, &session, &environment, &topic, &input));
    message = (struct message){.body = writer_view(&input)};
    assert_int_equal(gt06_codec.decode(&message, &gateway, &environment, signals, 4), 2);
    assert_int_equal(signals[1].kind, SIGNAL_PANIC);
    gt06_codec.reply(&message, &gateway, &environment, VERDICT_ACCEPTED, &topic, &out);
    begin();
    add("26", 1);
    assert_true(bytes_equal(writer_view(&out), writer_view(&input)));
    signal.kind = SIGNAL_SERVICE;
    assert_false(gt06_codec.compose(&signal, &session, &environment, &topic, &out));
    signal.kind = SIGNAL_PANIC;
    signal.identity[3] = 'x';
    assert_false(gt06_codec.compose(&signal, &session, &environment, &topic, &out));
}

/* Cut, and damaged; damage that spares the head and the alarm's type spares an alarm. */
static void damage_loses_no_alarm_that_can_be_read(void **state)
{
    struct random random;
    struct message message;

    (void)state;
    mutate_seed(&random);
    begin();
    add("26" GPS CELL "26 06 04 01 02", 7);
    message = (struct message){.body = writer_view(&input)};
    for (size_t i = 4; i < input.size - 2; i++)
        for (int bit = 0; bit < 8; bit++) {
            if (i == 22) /* the length of the cell says where the alarm stands */
                continue;
            stream[i] ^= (uint8_t)(1 << bit);
            take();
            assert_int_equal(drive_alarms(&outcome), 1);
            stream[i] ^= (uint8_t)(1 << bit);
        }
    add(LOGIN, 8);
    add("13 20 06 04 0002", 9);
    add("95 1A0102030405 0345B520 0B2F4FD0 1400 01 0000", 10);
    message.body = writer_view(&input);
    mutate_cut(&gt06_codec, &message);
    mutate_flip(&gt06_codec, &message, &random, 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_press_is_a_panic),
        cmocka_unit_test(alarms_of_every_form_are_found),
        cmocka_unit_test(a_state_rings_when_it_rises),
        cmocka_unit_test(odd_positions_are_understood),
        cmocka_unit_test(an_alarm_before_the_log_in_is_not_lost),
        cmocka_unit_test(the_time_is_told_and_much_is_not_answered),
        cmocka_unit_test(frames_end_where_they_should),
        cmocka_unit_test(hostile_streams_stay_bounded),
        cmocka_unit_test(commands_are_written),
        cmocka_unit_test(what_is_composed_is_decoded),
        cmocka_unit_test(several_frames_at_once_are_taken),
        cmocka_unit_test(damage_loses_no_alarm_that_can_be_read),
    };

    return cmocka_run_group_tests_name("gt06", tests, NULL, NULL);
}
