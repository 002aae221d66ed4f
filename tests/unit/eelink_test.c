/* Eelink, on an invented pendant whose IMEI counts to 42. */
#include "tests/support/mutate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define IMEI "100000000000042"
#define LOGIN "01 0001 0100000000000042"
/* 2026-01-02 03:04:05, 30.5 N 104.25 E. */
#define TIME "695735A5"
#define PLACE TIME "01 0345B520 0B2F4FD0 0000 0000 0000 00"

extern const struct codec eelink_codec;

static struct outcome outcome;
static uint8_t stream[2048];
static struct writer input;

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

/* Adds the frame of this type, serial and content. */
static void add(const char *hex)
{
    size_t start = input.size;

    add_hex("6767");
    add_hex((char[]){hex[0], hex[1], 0});
    add_hex("0000");
    add_hex(hex + 2);
    stream[start + 4] = (uint8_t)(input.size - start - 5);
}

static const struct signal *take(void)
{
    struct message message = {.body = writer_view(&input)};
    struct codec_environment environment = drive_environment();

    drive(&eelink_codec, &message, 0, &environment, &outcome);
    return &outcome.signals[0];
}

/* The signal of this frame, behind a log-in. */
static const struct signal *take_one(const char *hex)
{
    input = writer_into(stream, sizeof(stream));
    add(LOGIN);
    add(hex);
    take();
    assert_int_equal(outcome.signal_count, 2);
    return &outcome.signals[1];
}

/* A heartbeat that damage has made a log-in of 20 bytes: the real log-in begins where the IMEI of that one
 * would stand, and the alarm is behind it. */
static void a_log_in_made_by_damage_swallows_no_alarm(void **state)
{
    (void)state;
    input = writer_into(stream, sizeof(stream));
    add("03 0002 0001");
    stream[2] = 0x01;
    stream[4] = 0x14;
    add(LOGIN);
    add("14 0007" PLACE "02 0181");
    take();
    unsigned panics = 0;
    for (size_t i = 0; i < outcome.signal_count; i++)
        panics += outcome.signals[i].kind == SIGNAL_PANIC;
    assert_int_equal(panics, 1);
}

/* Digits that look like the head of a frame, and the one of ten that checks them. */
static void an_imei_may_look_like_a_head(void **state)
{
    char login[64];
    int taken = 0;

    (void)state;
    for (int digit = 0; digit < 10; digit++) {
        snprintf(login, sizeof(login), "01 0001 006767010005000%d", digit);
        input = writer_into(stream, sizeof(stream));
        add(login);
        add("14 0007" PLACE "02 0181");
        take();
        taken += outcome.frames == 2 && outcome.signals[1].kind == SIGNAL_PANIC &&
                 strncmp(outcome.signals[1].identity, "067670100050", 12) == 0;
    }
    assert_int_equal(taken, 1);
}

static void a_press_is_a_panic(void **state)
{
    const struct signal *signal = take_one("14 0007" PLACE "02 0181");

    (void)state;
    assert_int_equal(signal->kind, SIGNAL_PANIC);
    assert_string_equal(signal->identity, IMEI);
    assert_string_equal(signal->message_id, "1767323045-0007");
    assert_int_equal(signal->occurred_at_us, INT64_C(1767323045000000));
    assert_int_equal(signal->latitude_e7, 305000000);
    assert_int_equal(signal->longitude_e7, 1042500000);
    assert_int_equal(signal->flags, SIGNAL_FLAG_CHARGING);
    input = writer_into(stream, sizeof(stream));
    add("01 0001 6A18A500 01 00"); /* the environment's 1780000000 s */
    add("14 0007");
    assert_int_equal(outcome.reply_size, input.size);
    assert_memory_equal(outcome.reply, stream, input.size);
}

static void alarms_of_every_form_are_found(void **state)
{
    static const struct {
        const char *hex;
        enum signal_kind kind;
    } alarms[] = {
        {"14 0007" PLACE "86 0001", SIGNAL_FALL},
        {"14 0007" PLACE "25 0001", SIGNAL_TAMPER},
        {"14 0007" PLACE "03 0001", SIGNAL_LOW_BATTERY},
        {"14 0007" PLACE "84 0001", SIGNAL_WANDER},
        {"14 0007" PLACE "82 0001", SIGNAL_POSITION},                  /* too fast */
        {"14 0007" PLACE "77 0001", SIGNAL_PANIC},                     /* unknown */
        {"14 0007" TIME "02 0000000000000000000000 02", SIGNAL_PANIC}, /* a cell, no status */
        {"14 0007" TIME "80 0009 00000000000000000000000000000000000000 00000000000000 02",
         SIGNAL_PANIC},
        {"14 0007" TIME "7E", SIGNAL_UNREADABLE}, /* cut */
        {"14 0007", SIGNAL_UNREADABLE},
        {"04 0007" TIME "0345B520 0B2F4FD0 00 0000 000000000000000000 01 02", SIGNAL_PANIC},
        {"04 0007" TIME "0345B520 0B2F4FD0", SIGNAL_UNREADABLE},
        {"02 0007" TIME "0345B520 0B2F4FD0 00 0000 000000000000000000 01", SIGNAL_POSITION},
        {"12 0007" PLACE "0001", SIGNAL_POSITION},
        {"03 0007 0000", SIGNAL_HEARTBEAT},
        {"16 0007 0000", SIGNAL_HEARTBEAT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(alarms) / sizeof(alarms[0]); i++)
        if (take_one(alarms[i].hex)->kind != alarms[i].kind)
            fail_msg("%s is a %s", alarms[i].hex, signal_kind_name(outcome.signals[1].kind));
    assert_int_equal(take_one("14 0007" PLACE "77 0001")->flags, SIGNAL_FLAG_UNKNOWN_CODE);
    /* Without a log-in, and behind the head of a datagram. */
    input = writer_into(stream, sizeof(stream));
    add("14 0007" PLACE "02 0001");
    assert_int_equal(take()->kind, SIGNAL_PANIC);
    assert_string_equal(outcome.signals[0].identity, "");
    input = writer_into(stream, sizeof(stream));
    add_hex("00 454C 0000 0000 0100000000000042");
    add("14 0007" PLACE "02 0001");
    take();
    assert_int_equal(outcome.signals[1].kind, SIGNAL_PANIC);
    assert_string_equal(outcome.signals[1].identity, IMEI);
}

static void first_bytes_tell_whose_they_are(void **state)
{
    static uint8_t bytes[20000];
    struct message message = {.body = {bytes, sizeof(bytes)}};
    struct codec_environment environment = drive_environment();

    (void)state;
    assert_int_equal(eelink_codec.recognise(bytes_of("g")), FRAME_MORE);
    assert_int_equal(eelink_codec.recognise(bytes_of("gg")), FRAME_READY);
    assert_int_equal(eelink_codec.recognise(bytes_of("EL")), FRAME_READY);
    assert_int_equal(eelink_codec.recognise(bytes_of("GE")), FRAME_BAD);
    assert_int_equal(eelink_codec.recognise(bytes_of("gE")), FRAME_BAD);
    for (int byte = 0; byte < 256; byte++) {
        memset(bytes, byte, sizeof(bytes));
        drive(&eelink_codec, &message, 0, &environment, &outcome);
        assert_int_equal(drive_alarms(&outcome), 0);
    }
}

static void what_is_composed_is_decoded(void **state)
{
    static const uint8_t kinds[] = {SIGNAL_PANIC,       SIGNAL_FALL,      SIGNAL_WANDER,
                                    SIGNAL_TAMPER,      SIGNAL_POSITION,  SIGNAL_WANDER_RESTORED,
                                    SIGNAL_LOW_BATTERY, SIGNAL_MAINS_LOST};
    struct codec_environment environment = drive_environment();
    struct random random;

    (void)state;
    mutate_seed(&random);
    for (int i = 0; i < 2000; i++) {
        struct codec_session session = {.serial = (uint16_t)random_below(&random, 65536)};
        struct signal signal = {.kind = kinds[random_below(&random, sizeof(kinds))],
                                .has = MEASURE_POSITION};
        struct signal *seen = &outcome.signals[1];
        struct writer topic = writer_into(NULL, 0);
        struct message message;

        snprintf(signal.identity, sizeof(signal.identity), "1%014llu",
                 (unsigned long long)random_below(&random, 100000000000000));
        signal.occurred_at_us =
            1767225600000000 + (int64_t)random_below(&random, 1000000000) * 1000000;
        signal.latitude_e7 = (int32_t)random_below(&random, 1800000001) - 900000000;
        signal.longitude_e7 = (int32_t)(random_below(&random, 3600000001) - 1800000000) | 1;
        if (signal.kind == SIGNAL_POSITION && random_below(&random, 2)) {
            signal.has |= MEASURE_STEPS;
            signal.steps = (int32_t)random_below(&random, 65536);
        }
        input = writer_into(stream, sizeof(stream));
        assert_true(eelink_codec.compose(&signal, &session, &environment, &topic, &input));
        message = (struct message){.body = writer_view(&input)};
        drive(&eelink_codec, &message, 1 + random_below(&random, 9), &environment, &outcome);
        assert_int_equal(outcome.signal_count, 2);
        assert_true(abs(seen->latitude_e7 - signal.latitude_e7) <= 12);
        assert_true(abs(seen->longitude_e7 - signal.longitude_e7) <= 12);
        seen->latitude_e7 = signal.latitude_e7;
        seen->longitude_e7 = signal.longitude_e7;
        memset(seen->code, 0, sizeof(seen->code));
        memset(seen->message_id, 0, sizeof(seen->message_id));
        assert_memory_equal(seen, &signal, sizeof(signal));
    }
}

/* Cut and damaged; damage that spares the head and the flags spares an alarm. */
static void damage_loses_no_alarm_that_can_be_read(void **state)
{
    struct random random;
    struct message message;

    (void)state;
    mutate_seed(&random);
    input = writer_into(stream, sizeof(stream));
    add("14 0007" PLACE "02 0001");
    for (size_t i = 5; i < input.size; i++)
        for (int bit = 0; bit < 8; bit++) {
            if (i == 11 || i == 27) /* what stands where, and the code itself */
                continue;
            stream[i] ^= (uint8_t)(1 << bit);
            take();
            assert_int_equal(drive_alarms(&outcome), 1);
            stream[i] ^= (uint8_t)(1 << bit);
        }
    add_hex("454C 0000 0000 0100000000000042");
    add("12 0007" PLACE "0001");
    message = (struct message){.body = writer_view(&input)};
    mutate_cut(&eelink_codec, &message);
    mutate_flip(&eelink_codec, &message, &random, 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_press_is_a_panic),
        cmocka_unit_test(a_log_in_made_by_damage_swallows_no_alarm),
        cmocka_unit_test(an_imei_may_look_like_a_head),
        cmocka_unit_test(alarms_of_every_form_are_found),
        cmocka_unit_test(first_bytes_tell_whose_they_are),
        cmocka_unit_test(what_is_composed_is_decoded),
        cmocka_unit_test(damage_loses_no_alarm_that_can_be_read),
    };

    return cmocka_run_group_tests_name("eelink", tests, NULL, NULL);
}
