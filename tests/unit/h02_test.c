/* H02, on an invented tracker 1000000042. */
#include "tests/support/mutate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PLACE "A,3030.0000,N,10415.0000,E,0.00,0,020126"
#define TEXT(status) "*HQ,1000000042,V1,030405," PLACE "," status "#"
#define AT_US INT64_C(1767323045000000)

extern const struct codec h02_codec;

static struct outcome outcome;

static const struct signal *take_bytes(struct bytes bytes)
{
    struct message message = {.body = bytes};
    struct codec_environment environment = drive_environment();

    drive(&h02_codec, &message, 0, &environment, &outcome);
    return &outcome.signals[0];
}

static const struct signal *take(const char *text)
{
    return take_bytes(bytes_of(text));
}

static void a_press_is_a_panic(void **state)
{
    const struct signal *signal = take(TEXT("FFFFFFFD"));
    const char *reply = "*HQ,1000000042,V4,V1,20260528202640#";

    (void)state;
    assert_int_equal(outcome.signal_count, 1);
    assert_int_equal(signal->kind, SIGNAL_PANIC);
    assert_string_equal(signal->identity, "1000000042");
    assert_string_equal(signal->code, "FFFFFFFD");
    assert_string_equal(signal->message_id, "1767323045");
    assert_int_equal(signal->occurred_at_us, AT_US);
    assert_int_equal(signal->latitude_e7, 305000000);
    assert_int_equal(signal->longitude_e7, 1042500000);
    assert_int_equal(signal->flags, 0);
    assert_int_equal(outcome.reply_size, strlen(reply));
    assert_memory_equal(outcome.reply, reply, strlen(reply));
    assert_int_equal(take(TEXT("FFFBFFFF"))->kind, SIGNAL_PANIC);
    assert_int_equal(take(TEXT("FFF7FFFF"))->kind, SIGNAL_MAINS_LOST);
    assert_int_equal(take(TEXT("FFFFFBFE"))->kind, SIGNAL_POSITION);
    assert_int_equal(
        take("*HQ,1000000042,NBR,030405,460,0,1,1,9338,3692,15,020126,FFFFFFFD,5#")->kind,
        SIGNAL_PANIC);
    assert_int_equal(take("*HQ,1000000042,BS,,2d4,a,1b63,,FFFFFFFD,60#")->kind, SIGNAL_PANIC);
    assert_int_equal(take("*HQ,1000000042,V19,030405," PLACE ",,a.example,898,FFFFFFFD#")->kind,
                     SIGNAL_PANIC);
}

static void a_state_rings_when_it_begins(void **state)
{
    struct codec_environment environment = drive_environment();
    struct codec_session session = {0};
    struct message message = {.body = bytes_of(TEXT("FFFFFFFD"))};
    struct signal signals[2];

    (void)state;
    take(TEXT("FFFFFFFD") TEXT("FFFFFFFD") TEXT("FFFFFFFF")
             TEXT("FFFFFFFD") "*HQ,1000000043,V1,030405," PLACE ",FFFFFFFD#");
    assert_int_equal(drive_alarms(&outcome), 3);
    assert_int_equal(outcome.signals[1].kind, SIGNAL_POSITION);
    for (int i = 0; i < 3; i++) {
        h02_codec.decode(&message, &session, &environment, signals, 2);
        assert_int_equal(signals[0].kind, i == 1 ? SIGNAL_POSITION : SIGNAL_PANIC);
        environment.now_us += i == 0 ? INT64_C(30000000) : INT64_C(61000000);
    }
}

static void the_mains_come_back(void **state)
{
    (void)state;
    take(TEXT("FFF7FFFF") TEXT("FFF7FFFF") "*HQ,1000000042,HTBT#" TEXT("FFF7FFFD") TEXT("FFFFFFFF")
             TEXT("FFFFFFFF"));
    assert_int_equal(outcome.signal_count, 6);
    assert_int_equal(outcome.signals[0].kind, SIGNAL_MAINS_LOST);
    assert_int_equal(outcome.signals[1].kind, SIGNAL_POSITION);
    assert_int_equal(outcome.signals[2].kind, SIGNAL_HEARTBEAT);
    assert_int_equal(outcome.signals[3].kind, SIGNAL_PANIC);
    assert_int_equal(outcome.signals[4].kind, SIGNAL_MAINS_RESTORED);
    assert_string_equal(outcome.signals[4].code, "FFFFFFFF");
    assert_int_equal(outcome.signals[5].kind, SIGNAL_POSITION);
    take(TEXT("FFF7FFFF") "*HQ,1000000043,V1,030405," PLACE ",FFFFFFFF#");
    assert_int_equal(drive_alarms(&outcome), 1); /* another device has its own */
}

static void odd_forms_are_understood(void **state)
{
    const struct signal *signal =
        take("*HQ,1000000042,V1,030405,V,-30-30.0,S,-104-15.0000,W,0,0,020126,FFFFFFFF#");

    (void)state;
    assert_int_equal(signal->latitude_e7, -305000000);
    assert_int_equal(signal->longitude_e7, -1042500000);
    assert_int_equal(signal->flags, SIGNAL_FLAG_NO_POSITION);
    signal = take("*TH,1000000042,V4,S24,x,1,030405,A,30300000,N,15.0,E,0,0,020126,FFFFFFFF#");
    assert_int_equal(signal->latitude_e7, 305000000);
    assert_int_equal(signal->longitude_e7, 2500000);
    assert_int_equal(signal->occurred_at_us, AT_US);
    signal = take("*HQ,1000000042,LINK,030405,15,0,84,1200,0,020126,FFFFFFFF#");
    assert_int_equal(signal->kind, SIGNAL_HEARTBEAT);
    assert_int_equal(signal->battery_percent, 84);
    assert_int_equal(signal->steps, 1200);
    assert_int_equal(take("*HQ,1000000042,HTBT#")->kind, SIGNAL_HEARTBEAT);
    take("*HQ,1000000042#");
    assert_int_equal(outcome.bad_frames, 1);
    signal = take("*HQ,1000000042,V1,990405,A,9930.0,N,10415.0,E,0,0,020126,FFFFFFFD#");
    assert_int_equal(signal->kind, SIGNAL_PANIC);
    assert_int_equal(signal->flags, SIGNAL_FLAG_NO_POSITION | SIGNAL_FLAG_CLOCK_WRONG);
    assert_string_equal(signal->message_id, "");
}

/* With the bytes that follow in the longer forms, some of which look like a beginning. */
static void binary_frames_are_read(void **state)
{
    uint8_t bytes[256];
    size_t size;
    const char *hex = "24 1000000042 030405 020126 30300000 05 104150000E 000000 FFFFFFFD"
                      "00002A24FF 2424241000000000 2A48"
                      "24 1000000042 030405 020126 30300000 63 1041500002 000000 FFFFFFFF";
    char packed[256] = "";

    (void)state;
    for (const char *at = hex; *at; at++)
        if (*at != ' ')
            strncat(packed, at, 1);
    assert_true(bytes_parse_hex_string(bytes_of(packed), bytes, sizeof(bytes), &size));
    take_bytes((struct bytes){bytes, size});
    assert_int_equal(outcome.signal_count, 2);
    assert_int_equal(outcome.signals[0].kind, SIGNAL_PANIC);
    assert_string_equal(outcome.signals[0].identity, "1000000042");
    assert_int_equal(outcome.signals[0].occurred_at_us, AT_US);
    assert_int_equal(outcome.signals[0].latitude_e7, 305000000);
    assert_int_equal(outcome.signals[0].longitude_e7, 1042500000);
    assert_int_equal(outcome.signals[0].battery_percent, 80);
    assert_int_equal(outcome.signals[0].flags, 0);
    assert_int_equal(outcome.signals[1].latitude_e7, -305000000);
    assert_int_equal(outcome.signals[1].longitude_e7, -1042500000);
    assert_int_equal(outcome.signals[1].battery_percent, 99);
}

static void frames_end_where_they_should(void **state)
{
    static uint8_t bytes[20000];

    (void)state;
    take("junk" TEXT("FFFFFFFF") "\r\n*HQ,1000000042,V1,030405,A,30" TEXT("FFFFFFFD"));
    assert_int_equal(outcome.frames, 3);
    assert_int_equal(outcome.signals[2].kind, SIGNAL_PANIC);
    for (int byte = 0; byte < 256; byte++) {
        memset(bytes, byte, sizeof(bytes));
        memcpy(bytes, "*HQ,", 4);
        take_bytes((struct bytes){bytes, sizeof(bytes)});
        assert_int_equal(drive_alarms(&outcome), 0);
    }
    assert_int_equal(h02_codec.recognise(bytes_of("*H")), FRAME_MORE);
    assert_int_equal(h02_codec.recognise(bytes_of("*HQ,1")), FRAME_READY);
    assert_int_equal(h02_codec.recognise(bytes_of("$\x10")), FRAME_MORE);
    assert_int_equal(h02_codec.recognise(bytes_of("$GPRMC")), FRAME_BAD);
    assert_int_equal(h02_codec.recognise(bytes_of("[3G*")), FRAME_BAD);
}

static void what_is_composed_is_decoded(void **state)
{
    static const uint8_t kinds[] = {SIGNAL_PANIC, SIGNAL_MAINS_LOST, SIGNAL_POSITION,
                                    SIGNAL_HEARTBEAT};
    struct codec_environment environment = drive_environment();
    struct random random;
    char text[256];

    (void)state;
    mutate_seed(&random);
    for (int i = 0; i < 2000; i++) {
        struct codec_session session = {0};
        struct signal signal = {.kind = kinds[random_below(&random, 4)]};
        struct writer topic = writer_into(NULL, 0), out = writer_into(text, sizeof(text));
        struct signal *seen = &outcome.signals[0];
        struct message message;

        snprintf(signal.identity, sizeof(signal.identity), "%010u",
                 (unsigned)random_below(&random, 1000000000));
        signal.occurred_at_us =
            1767225600000000 + (int64_t)random_below(&random, 1000000000) * 1000000;
        if (signal.kind == SIGNAL_HEARTBEAT) {
            signal.has = MEASURE_BATTERY | MEASURE_STEPS;
            signal.battery_percent = (int16_t)random_below(&random, 101);
            signal.steps = (int32_t)random_below(&random, INT32_MAX);
        } else {
            signal.has = MEASURE_POSITION;
            signal.latitude_e7 = (int32_t)random_below(&random, 1799999999) - 899999999;
            signal.longitude_e7 = (int32_t)(random_below(&random, 3599999999) - 1799999999) | 1;
        }
        assert_true(h02_codec.compose(&signal, &session, &environment, &topic, &out));
        message = (struct message){.body = writer_view(&out)};
        drive(&h02_codec, &message, 1 + random_below(&random, 9), &environment, &outcome);
        assert_int_equal(outcome.signal_count, 1);
        assert_true(abs(seen->latitude_e7 - signal.latitude_e7) <= 10);
        assert_true(abs(seen->longitude_e7 - signal.longitude_e7) <= 10);
        seen->latitude_e7 = signal.latitude_e7;
        seen->longitude_e7 = signal.longitude_e7;
        memset(seen->code, 0, sizeof(seen->code));
        memset(seen->message_id, 0, sizeof(seen->message_id));
        assert_memory_equal(seen, &signal, sizeof(signal));
    }
}

/* Cut and damaged; damage that spares the head, the commas and the status spares the alarm. */
static void damage_loses_no_alarm_that_can_be_read(void **state)
{
    static const char frame[] = TEXT("FFFFFFFD");
    struct message message = {.body = bytes_of(TEXT("FFFFFFFD") "*HQ,1000000042,HTBT#")};
    struct random random;
    char damaged[sizeof(frame)];

    (void)state;
    mutate_seed(&random);
    mutate_cut(&h02_codec, &message);
    mutate_flip(&h02_codec, &message, &random, 4000);
    for (size_t i = 4; i < strlen(frame) - 9; i++) {
        memcpy(damaged, frame, sizeof(frame));
        if (frame[i] == ',')
            continue;
        damaged[i] = '~';
        take(damaged);
        assert_int_equal(drive_alarms(&outcome), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_press_is_a_panic),
        cmocka_unit_test(a_state_rings_when_it_begins),
        cmocka_unit_test(the_mains_come_back),
        cmocka_unit_test(odd_forms_are_understood),
        cmocka_unit_test(binary_frames_are_read),
        cmocka_unit_test(frames_end_where_they_should),
        cmocka_unit_test(what_is_composed_is_decoded),
        cmocka_unit_test(damage_loses_no_alarm_that_can_be_read),
    };

    return cmocka_run_group_tests_name("h02", tests, NULL, NULL);
}
