/* CJ/T 188, on invented water meters of a maker 9900. */
#include "tests/support/mutate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ADDRESS "42000000000099"
#define TOPIC "onekey/v1/meter/99000000000042/up/cjt188"
/* 2026-05-29 04:20:40 in China, the day of drive_environment(): 20 s after its time. */
#define TIME "40 26 04 29 05 26 20"
#define AT_US INT64_C(1780000000000000)

extern const struct codec cjt188_codec;

static struct outcome outcome;
static uint8_t stream[1024];
static struct writer input;
static struct codec_environment environment;

static void begin(void)
{
    environment = drive_environment();
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

/* Adds the frame of these hex bytes, from the type to the data, with what stands around them. */
static void add(const char *hex)
{
    size_t start = input.size;
    uint8_t sum = 0;

    writer_u8(&input, 0x68);
    add_hex(hex);
    for (size_t i = start; i < input.size; i++)
        sum = (uint8_t)(sum + stream[i]);
    writer_u8(&input, sum);
    writer_u8(&input, 0x16);
}

static const struct signal *take(void)
{
    struct message message = {.body = writer_view(&input)};

    drive(&cjt188_codec, &message, 0, &environment, &outcome);
    return &outcome.signals[0];
}

static const struct signal *take_one(const char *hex)
{
    begin();
    add(hex);
    return take();
}

static void an_answer_is_a_reading(void **state)
{
    const struct signal *signal =
        take_one("10" ADDRESS "81 16 90 1F 07 56 34 12 00 2C 00 30 12 00 2C" TIME "00 00");

    (void)state;
    assert_int_equal(outcome.signal_count, 1);
    assert_int_equal(signal->kind, SIGNAL_READING);
    assert_int_equal(signal->device, DEVICE_METER);
    assert_string_equal(signal->identity, "99000000000042");
    assert_int_equal(signal->has, MEASURE_TOTAL);
    assert_int_equal(signal->total_ml, INT64_C(1234560000)); /* 1234.56 m3 */
    assert_int_equal(signal->occurred_at_us, AT_US);
    assert_int_equal(signal->flags, 0);
    assert_int_equal(outcome.reply_size, 0);
    /* Litres, and DI in the other order. */
    signal = take_one("12" ADDRESS "81 16 1F 90 07 56 34 12 00 29 00 30 12 00 29" TIME "01 00");
    assert_int_equal(signal->total_ml, 1234560);
    assert_int_equal(signal->flags, SIGNAL_FLAG_VALVE_CLOSED);
    /* A vendor's upload: the unit goes before. */
    signal =
        take_one("10" ADDRESS "A1 1D 90 1F 01 2C 56 34 12 00 2C 00 30 12 00 35 00 00 00 00" TIME
                 "40 21 00 02");
    assert_int_equal(signal->total_ml, INT64_C(1234560000));
    assert_int_equal(signal->occurred_at_us, AT_US);
}

static void a_low_battery_is_an_alarm_a_day(void **state)
{
    const char *frame = "10" ADDRESS "81 16 90 1F 07 56 34 12 00 2C 00 30 12 00 2C" TIME "04 00";
    char first[MESSAGE_ID_LIMIT + 1];

    (void)state;
    take_one(frame);
    assert_int_equal(outcome.signal_count, 2);
    assert_int_equal(outcome.signals[1].kind, SIGNAL_LOW_BATTERY);
    assert_int_equal(outcome.signals[1].has, 0);
    snprintf(first, sizeof(first), "%s", outcome.signals[1].message_id);
    environment.now_us += INT64_C(3600000000);
    take();
    assert_string_equal(outcome.signals[1].message_id, first);
    environment.now_us += 24 * INT64_C(3600000000);
    take();
    assert_string_not_equal(outcome.signals[1].message_id, first);
    /* By the masks of a vendor the same byte says nothing, and 60 both. */
    begin();
    add(frame);
    environment.options = CODEC_OPTION_METER_STATUS_VENDOR;
    take();
    assert_int_equal(outcome.signal_count, 1);
    begin();
    add("10" ADDRESS "81 16 90 1F 07 56 34 12 00 2C 00 30 12 00 2C" TIME "60 00");
    environment.options = CODEC_OPTION_METER_STATUS_VENDOR;
    take();
    assert_int_equal(outcome.signal_count, 2);
    assert_int_equal(outcome.signals[0].flags, SIGNAL_FLAG_VALVE_CLOSED);
}

static void what_is_no_reading_is_a_sign_of_life(void **state)
{
    const char *const frames[] = {
        "10" ADDRESS "83 03 81 0A 00",                                            /* its address */
        "10" ADDRESS "81 08 D1 20 00 56 34 12 00 2C",                             /* history */
        "10" ADDRESS "C1 03 90 1F 00",                                            /* an error */
        "10" ADDRESS "81 16 90 1F 07 FF FF FF FF 2C FF FF FF FF 2C" TIME "00 00", /* no number */
        "10" ADDRESS "81 16 90 1F 07 56 34 12 00 05 00 30 12 00 05" TIME "00 00", /* kWh */
        "20" ADDRESS "81 16 90 1F 07 56 34 12 00 2C 00 30 12 00 2C" TIME "00 00", /* heat */
        "10" ADDRESS "81 04 90 1F 07 56",                                         /* cut */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        assert_int_equal(take_one(frames[i])->kind, SIGNAL_HEARTBEAT);
        assert_int_equal(outcome.signals[0].has, 0);
        assert_int_equal(outcome.signals[0].total_ml, 0);
    }
    /* What is sent to a meter is no sign of life of it. */
    take_one("10" ADDRESS "01 03 90 1F 00");
    assert_int_equal(outcome.bad_frames, 1);
    begin();
    add("10" ADDRESS "83 03 81 0A 00");
    stream[3] ^= 1;
    take();
    assert_int_equal(outcome.bad_frames, 1);
}

static void a_clock_that_is_not_set_tells_no_time(void **state)
{
    const char *const times[] = {"00 00 00 00 00 00 00", "20 20 05 29 05 19 20",
                                 "20 20 05 29 05 31 20", "FF FF FF FF FF FF FF"};
    char frame[128];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        snprintf(frame, sizeof(frame),
                 "10" ADDRESS "81 16 90 1F 07 56 34 12 00 2C 00 30 12 00 2C%s00 00", times[i]);
        assert_int_equal(take_one(frame)->kind, SIGNAL_READING);
        assert_int_equal(outcome.signals[0].occurred_at_us, 0);
        assert_int_equal(outcome.signals[0].flags, SIGNAL_FLAG_CLOCK_WRONG);
    }
}

static void a_frame_is_found_wherever_it_stands(void **state)
{
    (void)state;
    begin();
    writer_text(&input, "CTRL:&h1234h\xFE\xFE\xFE");
    add("10" ADDRESS "83 03 81 0A 00");
    add_hex("00 68 68 10 FE FE");
    add("10" ADDRESS "83 03 81 0A 01");
    add("10" ADDRESS "83 03 81 0A 02");
    take();
    assert_int_equal(outcome.signal_count, 3);
    assert_int_equal(outcome.bad_frames, 0);
    /* Behind one whose length is damaged, so that it would end behind them. */
    begin();
    add_hex("68 10" ADDRESS "81 40 90 1F 07");
    add("10" ADDRESS "83 03 81 0A 03");
    add_hex("FE FE");
    add("10" ADDRESS "83 03 81 0A 04");
    take();
    assert_int_equal(outcome.signal_count, 2);
}

/* As bytes and as hex digits; a whole datagram is searched the same way. */
static void a_message_of_mqtt_is_taken(void **state)
{
    char hex[256];
    struct writer text = writer_into(hex, sizeof(hex));
    struct message message = {.topic = bytes_of(TOPIC)};

    (void)state;
    begin();
    add_hex("FE FE");
    add("10" ADDRESS "81 16 90 1F 07 56 34 12 00 2C 00 30 12 00 2C" TIME "00 00");
    message.body = writer_view(&input);
    drive(&cjt188_codec, &message, 0, &environment, &outcome);
    assert_int_equal(outcome.signals[0].kind, SIGNAL_READING);
    for (size_t i = 0; i < input.size; i++) {
        writer_hex(&text, stream[i], 2);
        writer_u8(&text, ' ');
    }
    writer_text(&text, "\r\n");
    message.body = writer_view(&text);
    drive(&cjt188_codec, &message, 0, &environment, &outcome);
    assert_int_equal(outcome.signals[0].kind, SIGNAL_READING);
    message.body = bytes_of("hello");
    drive(&cjt188_codec, &message, 0, &environment, &outcome);
    assert_int_equal(outcome.bad_frames, 1);
}

static void first_bytes_tell_whose_they_are(void **state)
{
    (void)state;
    assert_int_equal(cjt188_codec.recognise(bytes_of("")), FRAME_MORE);
    assert_int_equal(cjt188_codec.recognise(bytes_of("\xFE\xFEh")), FRAME_MORE);
    assert_int_equal(cjt188_codec.recognise(bytes_of("\xFE\xFEh\x10")), FRAME_READY);
    assert_int_equal(cjt188_codec.recognise(bytes_of("h\x10")), FRAME_READY);
    assert_int_equal(cjt188_codec.recognise(bytes_of("http")), FRAME_BAD);
    assert_int_equal(cjt188_codec.recognise(bytes_of("\xFE~")), FRAME_BAD);
}

static void a_meter_is_read_by_command(void **state)
{
    struct codec_session session = {0};
    struct signal signals[2];
    struct message message;
    uint8_t bytes[64];
    struct writer topic = writer_into(NULL, 0), out = writer_into(bytes, sizeof(bytes));
    struct command command = {.kind = COMMAND_LOCATE};

    (void)state;
    assert_false(cjt188_codec.command(&command, &session, &environment, &topic, &out));
    begin();
    add("12" ADDRESS "83 03 0A 81 00");
    message = (struct message){.body = writer_view(&input)};
    assert_int_equal(cjt188_codec.decode(&message, &session, &environment, signals, 2), 1);
    assert_true(cjt188_codec.command(&command, &session, &environment, &topic, &out));
    begin();
    add_hex("FE FE FE FE");
    add("12" ADDRESS "01 03 1F 90 00");
    assert_true(bytes_equal(writer_view(&out), writer_view(&input)));
    command.kind = COMMAND_ACKNOWLEDGE;
    assert_false(cjt188_codec.command(&command, &session, &environment, &topic, &out));
}

static void what_is_composed_is_decoded(void **state)
{
    static const uint8_t kinds[] = {SIGNAL_READING, SIGNAL_LOW_BATTERY, SIGNAL_HEARTBEAT};
    struct random random;

    (void)state;
    mutate_seed(&random);
    for (int i = 0; i < 2000; i++) {
        struct codec_session session = {0};
        struct signal signal = {.kind = kinds[random_below(&random, 3)], .device = DEVICE_METER};
        struct writer topic = writer_into(NULL, 0);
        struct message message;
        const struct signal *seen;

        begin();
        environment.options = (uint32_t)random_below(&random, 2);
        snprintf(signal.identity, sizeof(signal.identity), "%014llu",
                 (unsigned long long)random_below(&random, 100000000000000));
        if (signal.kind != SIGNAL_HEARTBEAT && random_below(&random, 2))
            signal.flags = SIGNAL_FLAG_VALVE_CLOSED;
        if (signal.kind == SIGNAL_READING) {
            signal.has = MEASURE_TOTAL;
            signal.total_ml = random_below(&random, 2)
                                  ? (int64_t)random_below(&random, 100000000) * 10
                                  : 1000000000 + (int64_t)random_below(&random, 90000000) * 10000;
            signal.occurred_at_us = AT_US - (int64_t)random_below(&random, 86400) * 1000000;
        }
        assert_true(cjt188_codec.compose(&signal, &session, &environment, &topic, &input));
        message = (struct message){.body = writer_view(&input)};
        drive(&cjt188_codec, &message, 1 + random_below(&random, 9), &environment, &outcome);
        seen = &outcome.signals[outcome.signal_count - 1];
        assert_int_equal(seen->kind, signal.kind);
        assert_string_equal(seen->identity, signal.identity);
        assert_int_equal(seen->flags, signal.flags);
        assert_int_equal(seen->has, signal.has);
        assert_int_equal(seen->total_ml, signal.total_ml);
        assert_int_equal(seen->occurred_at_us, signal.occurred_at_us);
    }
}

static void damage_is_refused_and_stays_bounded(void **state)
{
    static uint8_t bytes[20000];
    struct message message = {.body = {bytes, sizeof(bytes)}};
    struct random random;

    (void)state;
    mutate_seed(&random);
    for (int byte = 0; byte < 256; byte++) {
        memset(bytes, byte, sizeof(bytes));
        bytes[0] = 0x68;
        drive(&cjt188_codec, &message, 0, &environment, &outcome);
        assert_int_equal(outcome.signal_count, 0);
    }
    begin();
    add_hex("FE FE FE FE");
    add("10" ADDRESS "81 16 90 1F 07 56 34 12 00 2C 00 30 12 00 2C" TIME "04 00");
    add("10" ADDRESS "A1 1D 90 1F 01 2C 56 34 12 00 2C 00 30 12 00 35 00 00 00 00" TIME
        "40 21 00 02");
    message.body = writer_view(&input);
    mutate_cut(&cjt188_codec, &message);
    mutate_flip(&cjt188_codec, &message, &random, 4000);
    /* A single bit never makes another total of the first frame. */
    for (size_t i = 4; i < 39; i++)
        for (int bit = 0; bit < 8; bit++) {
            stream[i] ^= (uint8_t)(1 << bit);
            take();
            for (size_t k = 0; k < outcome.signal_count; k++)
                assert_int_equal(outcome.signals[k].total_ml, INT64_C(1234560000));
            stream[i] ^= (uint8_t)(1 << bit);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_a_reading),
        cmocka_unit_test(a_low_battery_is_an_alarm_a_day),
        cmocka_unit_test(what_is_no_reading_is_a_sign_of_life),
        cmocka_unit_test(a_clock_that_is_not_set_tells_no_time),
        cmocka_unit_test(a_frame_is_found_wherever_it_stands),
        cmocka_unit_test(a_message_of_mqtt_is_taken),
        cmocka_unit_test(first_bytes_tell_whose_they_are),
        cmocka_unit_test(a_meter_is_read_by_command),
        cmocka_unit_test(what_is_composed_is_decoded),
        cmocka_unit_test(damage_is_refused_and_stays_bounded),
    };

    return cmocka_run_group_tests_name("cjt188", tests, NULL, NULL);
}
