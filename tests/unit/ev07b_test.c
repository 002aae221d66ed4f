/* EV-07B, on an invented pendant with the IMEI 100000000000042. */
#include "protocol/checksum.h"
#include "tests/support/mutate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define IDENTITY "100000000000042"
#define IDENTITY_FIELD "1001313030303030303030303030303432"
#define AT_S 1767323045
#define AT_FIELD "a5355769"               /* the same, as it is sent */
#define STATUS "0924" AT_FIELD "0000a042" /* battery 66 %, signal level 20 */
#define PLACE "162040ee2d12a049233e00000000f40109000000000008"
#define ANSWER 0x10

extern const struct codec ev07b_codec;

static struct outcome outcome;

static const struct signal *take_bytes(struct bytes bytes)
{
    struct message message = {.body = bytes};
    struct codec_environment environment = drive_environment();

    drive(&ev07b_codec, &message, 0, &environment, &outcome);
    return &outcome.signals[0];
}

/* A frame of this command and the fields spelled in hex, sequence 7. */
static struct bytes frame(uint8_t flags, uint8_t code, const char *fields, uint8_t *memory)
{
    uint8_t content[4096];
    struct writer writer = writer_into(memory, 4096);
    size_t size;

    content[0] = code;
    assert_true(bytes_parse_hex_string(bytes_of(fields), content + 1, sizeof(content) - 1, &size));
    writer_u8(&writer, 0xAB);
    writer_u8(&writer, flags);
    writer_u16_le(&writer, (uint16_t)(size + 1));
    writer_u16_le(&writer, checksum_crc16_xmodem((struct bytes){content, size + 1}));
    writer_u16_le(&writer, 7);
    writer_bytes(&writer, (struct bytes){content, size + 1});
    return writer_view(&writer);
}

static const struct signal *take(uint8_t flags, uint8_t code, const char *fields)
{
    uint8_t memory[4096];

    return take_bytes(frame(flags, code, fields, memory));
}

static const struct signal *take_data(const char *fields)
{
    char text[1024];

    snprintf(text, sizeof(text), IDENTITY_FIELD "%s", fields);
    return take(ANSWER, 0x01, text);
}

static void replied(const char *hex)
{
    uint8_t expected[64];
    size_t size;

    assert_true(bytes_parse_hex_string(bytes_of(hex), expected, sizeof(expected), &size));
    assert_int_equal(outcome.reply_size, size);
    assert_memory_equal(outcome.reply, expected, size);
}

static void a_press_is_a_panic(void **state)
{
    uint8_t memory[128];
    size_t size;

    (void)state;
    assert_true(bytes_parse_hex_string(
        bytes_of("ab103d0046480700011001313030303030303030303030303432" STATUS
                 "090200100000" AT_FIELD PLACE),
        memory, sizeof(memory), &size));

    const struct signal *signal = take_bytes((struct bytes){memory, size});

    assert_int_equal(outcome.signal_count, 1);
    assert_int_equal(signal->kind, SIGNAL_PANIC);
    assert_int_equal(signal->device, DEVICE_WRISTBAND);
    assert_string_equal(signal->identity, IDENTITY);
    assert_string_equal(signal->code, "alarm 00001000");
    assert_int_equal(signal->occurred_at_us, AT_S * INT64_C(1000000));
    assert_int_equal(signal->latitude_e7, 305000000);
    assert_int_equal(signal->longitude_e7, 1042500000);
    assert_int_equal(signal->battery_percent, 66);
    assert_int_equal(signal->gsm_percent, 64);
    assert_int_equal(signal->has, MEASURE_POSITION | MEASURE_BATTERY | MEASURE_GSM);
    assert_int_equal(signal->flags, 0);
    replied("ab00030008c707007f0100");
}

static void each_alarm_bit_is_a_signal(void **state)
{
    static const struct {
        const char *bits;
        uint8_t kind;
        bool unknown;
    } cases[] = {
        {"00100000", SIGNAL_PANIC, false},
        {"04000000", SIGNAL_FALL, false},
        {"10000000", SIGNAL_WANDER, false},
        {"80000000", SIGNAL_WANDER, false},
        {"10000008", SIGNAL_WANDER_RESTORED, false},
        {"80000040", SIGNAL_WANDER_RESTORED, false},
        {"00200000", SIGNAL_SERVICE, false},
        {"00400000", SIGNAL_SERVICE, false},
        {"00010000", SIGNAL_TAMPER, false},
        {"00020000", SIGNAL_TAMPER_RESTORED, false},
        {"01000000", SIGNAL_LOW_BATTERY, false},
        {"00000000", SIGNAL_PANIC, true},
        {"00000800", SIGNAL_PANIC, true},
        {"02040080", SIGNAL_HEARTBEAT, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char fields[64];

        snprintf(fields, sizeof(fields), "0502%s", cases[i].bits);
        assert_int_equal(take_data(fields)->kind, cases[i].kind);
        assert_int_equal(outcome.signal_count, 1);
        assert_int_equal(outcome.signals[0].service,
                         cases[i].kind == SIGNAL_SERVICE ? SERVICE_OTHER : SERVICE_NONE);
        assert_int_equal(outcome.signals[0].flags,
                         (cases[i].unknown ? SIGNAL_FLAG_UNKNOWN_CODE : 0) |
                             (cases[i].kind == SIGNAL_HEARTBEAT ? 0 : SIGNAL_FLAG_NO_POSITION));
    }
    take_data(STATUS "050215100000" PLACE); /* press, fall, fence, battery at once */
    assert_int_equal(outcome.signal_count, 4);
    assert_int_equal(outcome.signals[0].kind, SIGNAL_PANIC);
    assert_int_equal(outcome.signals[1].kind, SIGNAL_FALL);
    take_data("050201000800"); /* low battery, and a bit that nobody knows */
    assert_int_equal(outcome.signal_count, 2);
    assert_int_equal(outcome.signals[1].kind, SIGNAL_PANIC);
    assert_int_equal(outcome.signals[1].flags, SIGNAL_FLAG_UNKNOWN_CODE | SIGNAL_FLAG_NO_POSITION);
}

static void a_key_that_comes_again_begins_the_next_record(void **state)
{
    (void)state;
    take_data(STATUS PLACE "0924a635576980000042" /* one second later, stored */
                           "050200100000" STATUS "0a28000000000000000000"
                           "0a280000000000000000000a2c000000000000000000"
                           "0a2c000000000000000000");
    assert_int_equal(outcome.signal_count, 3);
    assert_int_equal(outcome.signals[0].kind, SIGNAL_POSITION);
    assert_int_equal(outcome.signals[1].kind, SIGNAL_PANIC);
    assert_int_equal(outcome.signals[1].flags, SIGNAL_FLAG_STORED | SIGNAL_FLAG_NO_POSITION);
    assert_int_equal(outcome.signals[1].occurred_at_us, (AT_S + 1) * INT64_C(1000000));
    assert_string_equal(outcome.signals[1].identity, IDENTITY);
    assert_int_equal(outcome.signals[2].kind, SIGNAL_HEARTBEAT);
    assert_int_equal(outcome.signals[2].flags, 0);
    assert_int_equal(take_data(STATUS "ff2000")->flags, SIGNAL_FLAG_LENGTH_WRONG);
}

static void measures_are_read(void **state)
{
    const struct signal *signal;

    (void)state;
    signal = take_data("0930" AT_FIELD "e8030000"
                       "0640" AT_FIELD "48"
                       "0641" AT_FIELD "61"
                       "041437000f");
    assert_int_equal(signal->kind, SIGNAL_VITALS);
    assert_int_equal(signal->has,
                     MEASURE_STEPS | MEASURE_HEART_RATE | MEASURE_OXYGEN | MEASURE_BATTERY);
    assert_int_equal(signal->steps, 1000);
    assert_int_equal(signal->heart_rate, 72);
    assert_int_equal(signal->oxygen_percent, 97);
    assert_int_equal(signal->battery_percent, 55);
    assert_int_equal(signal->flags, SIGNAL_FLAG_WORN);
    assert_int_equal(signal->occurred_at_us, AT_S * INT64_C(1000000));
    signal = take_data("0640" AT_FIELD "01"
                       "0641" AT_FIELD "00"
                       "0924" AT_FIELD "100000ff");
    assert_int_equal(signal->kind, SIGNAL_HEARTBEAT); /* neither is a reading */
    assert_int_equal(signal->has, 0);
    assert_int_equal(signal->flags, SIGNAL_FLAG_CHARGING);
    /* Places: a beacon at home, a tag; no fix is the last place, 0,0 none. */
    assert_int_equal(take_data("122c8011223344556600c540ee2d12a049233e")->latitude_e7, 305000000);
    assert_int_equal(take_data("12280011223344556600c540ee2d12a049233e")->has, 0);
    assert_int_equal(take_data("0f2311223344556640ee2d12a049233e")->longitude_e7, 1042500000);
    signal = take_data("162040ee2d12a049233e00000000f40100000000000008");
    assert_int_equal(signal->has, MEASURE_POSITION);
    assert_int_equal(signal->flags, SIGNAL_FLAG_NO_POSITION);
    assert_int_equal(take_data("1620000000000000000000000000f40109000000000008")->has, 0);
    assert_int_equal(take_data("1620ffffff7f0000000000000000f40109000000000008")->has, 0);
}

static void services_are_served(void **state)
{
    (void)state;
    assert_int_equal(take(ANSWER, 0x03, IDENTITY_FIELD "0112")->kind, SIGNAL_HEARTBEAT);
    assert_string_equal(outcome.signals[0].identity, IDENTITY);
    replied("ab00070000ca070003051200a5186a"); /* drive_environment's time */
    take(ANSWER, 0x03, IDENTITY_FIELD "0111");
    assert_int_equal(outcome.reply_size, 8 + 12);
    assert_memory_equal(outcome.reply + 8, "\x03\x0A\x11\0\0\0\0\0\0\0\0\0", 12);
    take(ANSWER, 0x03, IDENTITY_FIELD "02105a");
    assert_int_equal(outcome.reply_size, 9);
    take(0, 0x03, IDENTITY_FIELD "0112");
    replied("");
}

static void other_commands_are_heartbeats(void **state)
{
    (void)state;
    assert_string_equal(take(0, 0x02, "100231303030303030303030303030343203330000")->identity,
                        IDENTITY);
    assert_int_equal(outcome.signals[0].kind, SIGNAL_HEARTBEAT);
    replied("");
    take(ANSWER, 0x04, "031f6f6b");
    replied("ab00030008c707007f0100");
    take(ANSWER, 0x7F, "0100"); /* no answer to an answer */
    replied("");
}

static void the_identity_holds_for_the_connection(void **state)
{
    uint8_t first[256], memory[512];
    struct writer writer = writer_into(memory, sizeof(memory));

    (void)state;
    writer_bytes(&writer, frame(ANSWER, 0x01, IDENTITY_FIELD STATUS, first));
    writer_bytes(&writer, frame(ANSWER, 0x01, "050200100000", first));
    take_bytes(writer_view(&writer));
    assert_int_equal(outcome.signals[1].kind, SIGNAL_PANIC);
    assert_string_equal(outcome.signals[1].identity, IDENTITY);
    take(ANSWER, 0x01, "050200100000");
    assert_int_equal(outcome.signals[0].kind, SIGNAL_PANIC);
    assert_string_equal(outcome.signals[0].identity, "");
}

static void an_alarm_that_cannot_be_read_is_kept(void **state)
{
    uint8_t memory[4096];
    struct bytes bytes = frame(ANSWER, 0x01, IDENTITY_FIELD "090200100000" AT_FIELD, memory);

    (void)state;
    memory[4] ^= 1;
    assert_int_equal(take_bytes(bytes)->kind, SIGNAL_UNREADABLE);
    assert_string_equal(outcome.signals[0].identity, IDENTITY);
    assert_int_equal(outcome.signals[0].flags, SIGNAL_FLAG_UNREADABLE | SIGNAL_FLAG_CHECKSUM_WRONG);
    replied("");
    bytes = frame(ANSWER, 0x01, IDENTITY_FIELD STATUS, memory);
    memory[4] ^= 1;
    take_bytes(bytes);
    assert_int_equal(outcome.bad_frames, 1);
    replied("");
    assert_int_equal(take_data("03020010")->kind, SIGNAL_UNREADABLE);
    assert_true(outcome.reply_size > 0);
}

static void a_repetition_has_the_same_name_and_a_second_press_another(void **state)
{
    char first[MESSAGE_ID_LIMIT + 1];

    (void)state;
    take_data(STATUS "050200100000");
    snprintf(first, sizeof(first), "%s", outcome.signals[0].message_id);
    assert_string_not_equal(first, "");
    take_data(STATUS "050200100000");
    assert_string_equal(outcome.signals[0].message_id, first);
    take_data("0924a4355769000000ff" STATUS "050200100000"); /* later, out of the memory */
    assert_string_equal(outcome.signals[1].message_id, first);
    take_data("0924a63557690000a042"
              "050200100000");
    assert_string_not_equal(outcome.signals[0].message_id, first);
    take_data(STATUS "050204100000");
    assert_string_not_equal(outcome.signals[0].message_id, first);
    /* A clock that was never set names nothing. */
    take_data("0924000000000000a042"
              "050200100000");
    assert_string_equal(outcome.signals[0].message_id, "");
    assert_int_equal(outcome.signals[0].occurred_at_us, 0);
    take_data("0924802b67100000a042"
              "050200100000");
    assert_string_equal(outcome.signals[0].message_id, "");
    assert_true(outcome.signals[0].flags & SIGNAL_FLAG_CLOCK_WRONG);
}

static void first_bytes_and_hostile_lengths(void **state)
{
    static uint8_t memory[70000];
    size_t skip, size;

    (void)state;
    assert_int_equal(ev07b_codec.recognise(bytes_of("")), FRAME_MORE);
    assert_int_equal(ev07b_codec.recognise(bytes_of("\xAB\x10\x15")), FRAME_MORE);
    assert_int_equal(ev07b_codec.recognise(bytes_of("\xAB\x10\x15\x01")), FRAME_READY);
    assert_int_equal(ev07b_codec.recognise(bytes_of("\xAB\x10\x15\x7F")), FRAME_BAD);
    assert_int_equal(ev07b_codec.recognise(bytes_of("[3G*")), FRAME_BAD);
    memset(memory, 0xAB, sizeof(memory));
    take_bytes((struct bytes){memory, sizeof(memory)});
    assert_int_equal(outcome.frames, 0);
    memset(memory, 0, sizeof(memory));
    assert_int_equal(ev07b_codec.split((struct bytes){memory, sizeof(memory)}, &skip, &size),
                     FRAME_MORE);
    assert_int_equal(skip, sizeof(memory));
}

static struct signal invent(struct random *random)
{
    static const uint8_t kinds[] = {
        SIGNAL_PANIC,           SIGNAL_FALL,           SIGNAL_WANDER,
        SIGNAL_SERVICE,         SIGNAL_TAMPER,         SIGNAL_LOW_BATTERY,
        SIGNAL_POSITION,        SIGNAL_HEARTBEAT,      SIGNAL_VITALS,
        SIGNAL_TAMPER_RESTORED, SIGNAL_WANDER_RESTORED};
    struct signal signal = {.kind = kinds[random_below(random, sizeof(kinds))],
                            .device = DEVICE_WRISTBAND,
                            .has = MEASURE_GSM,
                            .identity = IDENTITY};

    signal.service = signal.kind == SIGNAL_SERVICE ? SERVICE_OTHER : SERVICE_NONE;
    signal.occurred_at_us = 1767225600000000 + (int64_t)random_below(random, 1000000000) * 1000000;
    signal.gsm_percent = (int16_t)((1 + random_below(random, 31)) * 100 / 31);
    if (random_below(random, 2)) {
        signal.has |= MEASURE_BATTERY;
        signal.battery_percent = (int16_t)random_below(random, 101);
    }
    if (random_below(random, 2)) {
        signal.has |= MEASURE_STEPS;
        signal.steps = (int32_t)random_below(random, INT32_MAX);
    }
    if (signal.kind == SIGNAL_VITALS) {
        signal.has |= MEASURE_HEART_RATE | MEASURE_OXYGEN;
        signal.heart_rate = (int16_t)(2 + random_below(random, 200));
        signal.oxygen_percent = (int16_t)(1 + random_below(random, 100));
        signal.flags |= SIGNAL_FLAG_WORN;
    } else if (signal.kind != SIGNAL_HEARTBEAT) {
        signal.has |= MEASURE_POSITION;
        signal.latitude_e7 = (int32_t)random_below(random, 1800000001) - 900000000;
        signal.longitude_e7 = (int32_t)(random_below(random, 3600000001) - 1800000000) | 1;
    }
    signal.flags |= random_below(random, 2) ? SIGNAL_FLAG_STORED : 0;
    signal.flags |= random_below(random, 2) ? SIGNAL_FLAG_CHARGING : 0;
    return signal;
}

static void what_is_composed_is_decoded(void **state)
{
    struct codec_environment environment = drive_environment();
    struct random random;
    uint8_t memory[512];

    (void)state;
    mutate_seed(&random);
    for (int i = 0; i < 2000; i++) {
        struct codec_session session = {0};
        struct signal signal = invent(&random), *seen = &outcome.signals[0];
        struct writer out = writer_into(memory, sizeof(memory));

        assert_true(ev07b_codec.compose(&signal, &session, &environment, NULL, &out));

        struct message message = {.body = writer_view(&out)};

        drive(&ev07b_codec, &message, 1 + random_below(&random, 9), &environment, &outcome);
        assert_int_equal(outcome.signal_count, 1);
        assert_int_equal(outcome.reply_size, 11);
        memset(seen->code, 0, sizeof(seen->code));
        memset(seen->message_id, 0, sizeof(seen->message_id));
        assert_memory_equal(seen, &signal, sizeof(signal));
    }
}

static void what_the_protocol_cannot_say_is_not_composed(void **state)
{
    struct codec_environment environment = drive_environment();
    struct signal signal = {.kind = SIGNAL_CANCEL, .identity = IDENTITY};
    struct codec_session session = {0};
    uint8_t memory[512];
    struct writer out = writer_into(memory, sizeof(memory));

    (void)state;
    assert_false(ev07b_codec.compose(&signal, &session, &environment, NULL, &out));
    signal.kind = SIGNAL_PANIC;
    signal.identity[5] = '\0';
    assert_false(ev07b_codec.compose(&signal, &session, &environment, NULL, &out));
    assert_int_equal(out.size, 0);
}

/* Frames cut, doubled and damaged; where damage spares the head and the alarm, it is still there. */
static void damage_loses_no_alarm_that_can_be_read(void **state)
{
    const size_t head = 4, alarm = 9 + 17 + 10; /* start to length; identity, status before it */
    uint8_t memory[4096];
    struct bytes bytes =
        frame(ANSWER, 0x01, IDENTITY_FIELD STATUS "090200100000" AT_FIELD PLACE, memory);
    struct message message = {.body = bytes};
    struct random random;

    (void)state;
    mutate_seed(&random);
    mutate_cut(&ev07b_codec, &message);
    mutate_flip(&ev07b_codec, &message, &random, 8000);
    for (size_t offset = head; offset < bytes.size; offset++) {
        if (offset == 8 || (offset >= alarm && offset < alarm + 6))
            continue; /* the command says that these are data at all */
        memory[offset] ^= 0x40;
        take_bytes(bytes);
        assert_int_equal(drive_alarms(&outcome), 1);
        memory[offset] ^= 0x40;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_press_is_a_panic),
        cmocka_unit_test(each_alarm_bit_is_a_signal),
        cmocka_unit_test(a_key_that_comes_again_begins_the_next_record),
        cmocka_unit_test(measures_are_read),
        cmocka_unit_test(services_are_served),
        cmocka_unit_test(other_commands_are_heartbeats),
        cmocka_unit_test(the_identity_holds_for_the_connection),
        cmocka_unit_test(an_alarm_that_cannot_be_read_is_kept),
        cmocka_unit_test(a_repetition_has_the_same_name_and_a_second_press_another),
        cmocka_unit_test(first_bytes_and_hostile_lengths),
        cmocka_unit_test(what_is_composed_is_decoded),
        cmocka_unit_test(what_the_protocol_cannot_say_is_not_composed),
        cmocka_unit_test(damage_loses_no_alarm_that_can_be_read),
    };

    return cmocka_run_group_tests_name("ev07b", tests, NULL, NULL);
}
