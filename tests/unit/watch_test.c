/* The watch protocol, on invented watches of a maker that does not exist. */
#include "tests/support/mutate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NO_WIFI ",0,0"
#define BLOCK(status) "020126,030405,A,30.500000,N,104.250000,E,0.0,0,500,9,80,66,1200,0," status

extern const struct codec watch_codec;

static struct outcome outcome;

/* What the gateway makes of these bytes. */
static const struct signal *take(const char *text)
{
    struct message message = {.body = bytes_of(text)};
    struct codec_environment environment = drive_environment();

    drive(&watch_codec, &message, 0, &environment, &outcome);
    return &outcome.signals[0];
}

static void replied(const char *expected)
{
    char reply[sizeof(outcome.reply) + 1];

    memcpy(reply, outcome.reply, outcome.reply_size);
    reply[outcome.reply_size] = '\0';
    assert_string_equal(reply, expected);
}

static void a_press_is_a_panic(void **state)
{
    const struct signal *signal =
        take("[ZJ*1000000042*0001*0051*AL," BLOCK("00010000") NO_WIFI "]");

    (void)state;
    assert_int_equal(outcome.signal_count, 1);
    assert_int_equal(signal->kind, SIGNAL_PANIC);
    assert_int_equal(signal->device, DEVICE_WRISTBAND);
    assert_string_equal(signal->identity, "1000000042");
    assert_string_equal(signal->code, "AL 00010000");
    assert_int_equal(signal->occurred_at_us, INT64_C(1767323045000000));
    assert_int_equal(signal->latitude_e7, 305000000);
    assert_int_equal(signal->longitude_e7, 1042500000);
    assert_int_equal(signal->battery_percent, 66);
    assert_int_equal(signal->gsm_percent, 80);
    assert_int_equal(signal->steps, 1200);
    assert_int_equal(signal->has, MEASURE_POSITION | MEASURE_BATTERY | MEASURE_GSM | MEASURE_STEPS);
    assert_int_equal(signal->flags, 0);
    replied("[ZJ*1000000042*0001*0002*AL]");
}

static void each_alarm_bit_is_a_signal(void **state)
{
    const uint8_t expected[] = {SIGNAL_PANIC,          SIGNAL_FALL,   SIGNAL_WANDER,
                                SIGNAL_MAINS_LOST,     SIGNAL_TAMPER, SIGNAL_LOW_BATTERY,
                                SIGNAL_WANDER_RESTORED};

    (void)state;
    take("[3G*1000000042*0055*AL_LTE," BLOCK("007F4000") NO_WIFI "]");
    assert_int_equal(outcome.signal_count, 7);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(outcome.signals[i].kind, expected[i]);
    replied("[3G*1000000042*0002*AL]");
}

static void an_alarm_without_a_known_bit_is_general(void **state)
{
    (void)state;
    assert_int_equal(take("[3G*1000000042*004d*AL," BLOCK("0000") NO_WIFI "]")->kind, SIGNAL_PANIC);
    assert_int_equal(outcome.signals[0].flags, SIGNAL_FLAG_UNKNOWN_CODE);
    assert_int_equal(take("[3G*1000000042*0055*AL," BLOCK("00000001") NO_WIFI "]")->kind,
                     SIGNAL_PANIC);
}

static void an_alarm_that_cannot_be_read_is_kept_and_answered(void **state)
{
    (void)state;
    assert_int_equal(take("[3G*1000000042*0002*AL]")->kind, SIGNAL_UNREADABLE);
    assert_string_equal(outcome.signals[0].identity, "1000000042");
    assert_int_equal(outcome.signals[0].flags, SIGNAL_FLAG_UNREADABLE);
    replied("[3G*1000000042*0002*AL]");
    assert_int_equal(take("[3G*1000000042*0000*al,020126,03")->kind, SIGNAL_NONE); /* no end yet */
    assert_int_equal(outcome.frames, 0);
    assert_int_equal(take("[3G*10000?0042*00XX*AL," BLOCK("00010000") "]")->kind,
                     SIGNAL_UNREADABLE);
    assert_string_equal(outcome.signals[0].identity, "10000?0042");
}

static void reports_with_alarm_bits_are_alarms(void **state)
{
    (void)state;
    assert_int_equal(take("[3G*1000000042*0056*UD," BLOCK("00010000") NO_WIFI "]")->kind,
                     SIGNAL_PANIC);
    replied("");
    assert_int_equal(take("[3G*1000000042*0056*UD2," BLOCK("00200000") NO_WIFI "]")->kind,
                     SIGNAL_FALL);
    assert_true(outcome.signals[0].flags & SIGNAL_FLAG_STORED);
    /* Battery low, fence, worn and power are states there. */
    assert_int_equal(take("[3G*1000000042*0055*UD," BLOCK("0000400F") NO_WIFI "]")->kind,
                     SIGNAL_POSITION);
    assert_int_equal(outcome.signal_count, 1);
}

static void odd_positions_are_understood(void **state)
{
    const struct signal *signal =
        take("[3G*1000000042*0056*UD,020126,030405,V,-30.5,N, -104.25,W,0,0,0,0,0,5,,,00000000]");

    (void)state;
    assert_int_equal(signal->kind, SIGNAL_POSITION);
    assert_int_equal(signal->latitude_e7, -305000000);
    assert_int_equal(signal->longitude_e7, -1042500000);
    assert_true(signal->flags & SIGNAL_FLAG_NO_POSITION); /* the last place it knew */
    assert_false(signal->has & MEASURE_STEPS);
    signal = take("[3G*1000000042*0056*UD,020126,030405,A,30.5,,104.25,,0,0,0,0,0,5,0,0,0000]");
    assert_int_equal(signal->longitude_e7, 1042500000);
    assert_false(signal->flags & SIGNAL_FLAG_NO_POSITION);
    signal = take("[3G*1000000042*0056*UD,020126,030405,V,0.0,N,0.0,E,0,0,0,0,0,5,0,0,0000]");
    assert_int_equal(signal->kind, SIGNAL_HEARTBEAT);
    signal = take("[3G*1000000042*0056*AL,020126,030405,A,91.0,N,0.5,E,0,0,0,0,0,5,0,0,0000]");
    assert_false(signal->has & MEASURE_POSITION);
    assert_true(signal->flags & SIGNAL_FLAG_NO_POSITION);
}

static void a_repetition_has_the_same_name_and_a_second_press_another(void **state)
{
    char first[MESSAGE_ID_LIMIT + 1];

    (void)state;
    take("[3G*1000000042*0055*AL," BLOCK("00010000") NO_WIFI "]");
    snprintf(first, sizeof(first), "%s", outcome.signals[0].message_id);
    assert_true(first[0]);
    take("[3G*1000000042*0002*0055*AL," BLOCK("00010000") NO_WIFI "]"); /* with another index */
    assert_string_equal(outcome.signals[0].message_id, first);
    take("[3G*1000000042*0055*AL,020126,030409,A,30.500000,N,104.250000,E,0.0,0,500,9,80,66,1200,0,"
         "00010000" NO_WIFI "]");
    assert_string_not_equal(outcome.signals[0].message_id, first);
    /* A clock that was never set names nothing: no press may be taken for another. */
    take("[3G*1000000042*0055*AL,010100,000107,V,0,N,0,E,0,0,0,0,0,50,0,0,00010000]");
    assert_string_equal(outcome.signals[0].message_id, "");
    take("[3G*1000000042*0055*AL,000000,000000,V,0,N,0,E,0,0,0,0,0,50,0,0,00010000]");
    assert_string_equal(outcome.signals[0].message_id, "");
    assert_true(outcome.signals[0].flags & SIGNAL_FLAG_CLOCK_WRONG);
    assert_int_equal(outcome.signals[0].kind, SIGNAL_PANIC);
}

static void keep_alives_are_answered(void **state)
{
    const struct signal *signal = take("[SG*1000000042*000d*LK,321,0,77]");

    (void)state;
    assert_int_equal(signal->kind, SIGNAL_HEARTBEAT);
    assert_int_equal(signal->steps, 321);
    assert_int_equal(signal->battery_percent, 77);
    replied("[SG*1000000042*0002*LK]");
    signal = take("[SG*1000000042*0008*LK,0,100]");
    assert_int_equal(signal->has, MEASURE_BATTERY);
    assert_int_equal(signal->battery_percent, 100);
    assert_int_equal(take("[SG*1000000042*0002*LK]")->has, 0);
    take("[CS*1000000042*0007*INIT,42][CS*1000000042*0004*TKQ2][CS*1000000042*0009*JXTK,0,ab]");
    replied("[CS*1000000042*0006*INIT,1][CS*1000000042*0004*TKQ2][CS*1000000042*0007*JXTKR,1]");
    take("[CS*1000000042*0002*CR][CS*1000000042*000a*UPLOAD,600]"); /* ours, come back */
    replied("");
    assert_int_equal(outcome.signals[1].kind, SIGNAL_HEARTBEAT);
}

static void vitals_are_read_unless_they_are_zero(void **state)
{
    (void)state;
    assert_int_equal(take("[3G*1000000042*0008*HEART,71]")->heart_rate, 71);
    assert_int_equal(outcome.signals[0].kind, SIGNAL_VITALS);
    assert_true(outcome.signals[0].flags & SIGNAL_FLAG_WORN);
    assert_int_equal(take("[3G*1000000042*0007*heart,0]")->kind, SIGNAL_HEARTBEAT);
    assert_int_equal(take("[3G*1000000042*0015*bphrt,120,80,66,,,,]")->diastolic, 80);
    assert_int_equal(outcome.signals[0].has, MEASURE_BLOOD_PRESSURE | MEASURE_HEART_RATE);
    assert_int_equal(take("[3G*1000000042*000a*BLOOD,120,0]")->has, 0);
    assert_int_equal(take("[3G*1000000042*000e*btemp2,1,36.42]")->temperature_c100, 3642);
    assert_int_equal(take("[3G*1000000042*000b*OXYGEN,0,97]")->oxygen_percent, 97);
    assert_int_equal(take("[3G*1000000042*0009*temp,36.6]")->temperature_c100, 3660);
}

static void brackets_in_names_do_not_end_a_frame_early(void **state)
{
    (void)state;
    take("[3G*1000000042*0001*AL," BLOCK("00010000") ",0,1,[cafe],00:11:22:33:44:55,-70,9.0]"
                                                     "[3G*1000000042*0002*LK]");
    assert_int_equal(outcome.frames, 2);
    assert_int_equal(outcome.bad_frames, 0);
    assert_true(outcome.signals[0].flags & SIGNAL_FLAG_LENGTH_WRONG);
    /* One that never closes, where the length is right: it need not wait for the next frame. */
    take("[3G*1000000042*000a*WT,0,[cafe]");
    assert_int_equal(outcome.frames, 1);
    /* And one whose end was lost: the next frame ends it, and neither is lost. */
    take("[3G*1000000042*0055*AL," BLOCK("00010000") ",0,1,[ca[3G*1000000042*0002*LK]");
    assert_int_equal(outcome.frames, 2);
    assert_int_equal(outcome.signals[0].kind, SIGNAL_PANIC);
    /* A name that closes more than it opens costs what follows it only. */
    take("[3G*1000000042*0055*AL," BLOCK("00010000") ",0,1,ca]fe,00:11,-70,9.0]"
                                                     "[3G*1000000042*0002*LK]");
    assert_int_equal(outcome.signals[0].kind, SIGNAL_PANIC);
    assert_int_equal(outcome.signal_count, 2);
}

static void hostile_streams_stay_cheap_and_bounded(void **state)
{
    const size_t size = 200000;
    char *text = malloc(size + 1);
    size_t skip, frame_size;

    (void)state;
    assert_non_null(text);
    memset(text, '[', size);
    text[size] = '\0';
    take(text);
    assert_int_equal(outcome.frames, 0);
    assert_int_equal(watch_codec.split((struct bytes){(uint8_t *)text, 65536}, &skip, &frame_size),
                     FRAME_BAD);
    assert_int_equal(skip, 65536);
    for (size_t i = 0; i + 4 <= size; i += 4)
        memcpy(text + i, "[3G*", 4);
    take(text);
    memset(text, 'x', size);
    take(text);
    assert_int_equal(outcome.frames, 0);
    assert_int_equal(watch_codec.split((struct bytes){(uint8_t *)text, size}, &skip, &frame_size),
                     FRAME_MORE);
    assert_int_equal(skip, size); /* junk is not kept */
    free(text);
}

static void first_bytes_tell_whose_they_are(void **state)
{
    (void)state;
    assert_int_equal(watch_codec.recognise(bytes_of("")), FRAME_MORE);
    assert_int_equal(watch_codec.recognise(bytes_of("[3")), FRAME_MORE);
    assert_int_equal(watch_codec.recognise(bytes_of("[3G*1")), FRAME_READY);
    assert_int_equal(watch_codec.recognise(bytes_of("[\"3G")), FRAME_BAD);
    assert_int_equal(watch_codec.recognise(bytes_of("[abc")), FRAME_BAD);
    assert_int_equal(watch_codec.recognise(bytes_of("GET ")), FRAME_BAD);
}

static void commands(const struct command *command, const char *hello, const char *expected)
{
    struct codec_environment environment = drive_environment();
    struct codec_session session = {0};
    struct signal signals[1];
    struct message message = {.body = bytes_of(hello)};
    char text[REPLY_MAX];
    struct writer topic = writer_into(NULL, 0), out = writer_into(text, sizeof(text));

    watch_codec.decode(&message, &session, &environment, signals, 1);
    if (!expected) {
        assert_false(watch_codec.command(command, &session, &environment, &topic, &out));
        return;
    }
    assert_true(watch_codec.command(command, &session, &environment, &topic, &out));
    assert_true(bytes_equal_text(writer_view(&out), expected));
}

static void commands_are_written(void **state)
{
    const char *cs = "[CS*1000000042*0002*LK]", *indexed = "[ZJ*1000000042*00fe*0002*LK]";
    struct command number = {.kind = COMMAND_SOS_NUMBER, .value = 2, .text = "+15550100"};

    (void)state;
    commands(&(struct command){.kind = COMMAND_LOCATE}, cs, "[CS*1000000042*0002*CR]");
    commands(&(struct command){.kind = COMMAND_LOCATE}, "[3G*1000000042*0002*LK]",
             "[SG*1000000042*0002*CR]");
    commands(&(struct command){.kind = COMMAND_REPORT_INTERVAL, .value = 600}, indexed,
             "[ZJ*1000000042*00FF*000a*UPLOAD,600]");
    commands(&number, cs, "[CS*1000000042*000e*SOS2,+15550100]");
    snprintf(number.text, sizeof(number.text), "1]*");
    commands(&number, cs, NULL);
    commands(&(struct command){.kind = COMMAND_ACKNOWLEDGE}, cs, NULL);
    commands(&(struct command){.kind = COMMAND_LOCATE}, "junk", NULL); /* to whom? */
}

static struct signal invent(struct random *random)
{
    static const uint8_t kinds[] = {SIGNAL_PANIC,       SIGNAL_FALL,           SIGNAL_WANDER,
                                    SIGNAL_MAINS_LOST,  SIGNAL_TAMPER,         SIGNAL_POSITION,
                                    SIGNAL_LOW_BATTERY, SIGNAL_WANDER_RESTORED};
    struct signal signal = {.kind = kinds[random_below(random, sizeof(kinds))],
                            .device = DEVICE_WRISTBAND};

    snprintf(signal.identity, sizeof(signal.identity), "%010u",
             (unsigned)random_below(random, 1000000000));
    signal.occurred_at_us = 1767225600000000 + (int64_t)random_below(random, 1000000000) * 1000000;
    signal.has = MEASURE_POSITION | (random_below(random, 2) ? MEASURE_BATTERY : 0) |
                 (random_below(random, 2) ? MEASURE_STEPS : 0);
    signal.latitude_e7 = (int32_t)random_below(random, 1800000001) - 900000000;
    signal.longitude_e7 = (int32_t)(random_below(random, 3600000001) - 1800000000) | 1;
    if (signal.has & MEASURE_BATTERY)
        signal.battery_percent = (int16_t)random_below(random, 101);
    if (signal.has & MEASURE_STEPS)
        signal.steps = (int32_t)random_below(random, INT32_MAX);
    return signal;
}

static struct bytes compose(const struct signal *signal, struct codec_session *session, char *text,
                            size_t size)
{
    struct codec_environment environment = drive_environment();
    struct writer topic = writer_into(NULL, 0), out = writer_into(text, size);

    assert_true(watch_codec.compose(signal, session, &environment, &topic, &out));
    return writer_view(&out);
}

static void what_is_composed_is_decoded(void **state)
{
    struct codec_environment environment = drive_environment();
    struct random random;
    char text[512];

    (void)state;
    mutate_seed(&random);
    for (int i = 0; i < 2000; i++) {
        struct codec_session session = {0};
        struct signal signal = invent(&random), *seen = &outcome.signals[0];
        struct message message = {.body = compose(&signal, &session, text, sizeof(text))};

        drive(&watch_codec, &message, 1 + random_below(&random, 9), &environment, &outcome);
        assert_int_equal(outcome.signal_count, 1);
        memset(seen->code, 0, sizeof(seen->code));
        memset(seen->message_id, 0, sizeof(seen->message_id));
        assert_memory_equal(seen, &signal, sizeof(signal));
    }
}

static void vitals_and_heartbeats_are_composed(void **state)
{
    struct signal signal = {.kind = SIGNAL_VITALS, .has = MEASURE_HEART_RATE, .heart_rate = 71};
    struct codec_session session = {0};
    char text[512];

    (void)state;
    snprintf(signal.identity, sizeof(signal.identity), "1000000042");
    assert_true(bytes_equal_text(compose(&signal, &session, text, sizeof(text)),
                                 "[3G*1000000042*0008*heart,71]"));
    signal = (struct signal){.kind = SIGNAL_HEARTBEAT,
                             .has = MEASURE_BATTERY,
                             .battery_percent = 9,
                             .identity = "1000000042"};
    assert_true(bytes_equal_text(compose(&signal, &session, text, sizeof(text)),
                                 "[3G*1000000042*0007*LK,,0,9]"));
    signal.kind = SIGNAL_CANCEL;
    assert_false(watch_codec.compose(&signal, &session, &(struct codec_environment){0}, NULL,
                                     &(struct writer){0}));
}

/* Two frames of everything cut, doubled and damaged; where damage spares the head, the type and the
 * number of fields, the alarm is still there. */
static void damage_loses_no_alarm_that_can_be_read(void **state)
{
    static const char *const frames[] = {
        "[3G*1000000042*0055*AL," BLOCK("00010000") ",1,255,460,0,9,3,35,1,[ab],00:11,-7,9]",
        "[ZJ*1000000042*0007*0003*LK,1,0,2][SG*1000000042*0008*heart,71]",
        "[CS*1000000042*000f*JXTK,0,x}\1}\2}\3}\5,]",
    };
    struct codec_environment environment = drive_environment();
    struct random random;
    char doubled[512];

    (void)state;
    mutate_seed(&random);
    for (size_t i = 0; i < 3; i++) {
        struct message message = {.body = bytes_of(frames[i])}, twice;
        size_t frames_once;

        mutate_cut(&watch_codec, &message);
        mutate_flip(&watch_codec, &message, &random, 4000);
        take(frames[i]);
        frames_once = outcome.frames;
        snprintf(doubled, sizeof(doubled), "%s\r\n%s", frames[i], frames[i]);
        twice.topic = (struct bytes){NULL, 0};
        twice.body = bytes_of(doubled);
        drive(&watch_codec, &twice, 0, &environment, &outcome);
        assert_int_equal(outcome.frames, 2 * frames_once);
    }
    for (size_t offset = strlen("[3G*1000000042*0055*AL,"); offset < strlen(frames[0]); offset++) {
        snprintf(doubled, sizeof(doubled), "%s", frames[0]);
        if (strchr(",[]", doubled[offset]))
            continue;
        doubled[offset] = '~';
        take(doubled);
        assert_true(drive_alarms(&outcome) == 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_press_is_a_panic),
        cmocka_unit_test(each_alarm_bit_is_a_signal),
        cmocka_unit_test(an_alarm_without_a_known_bit_is_general),
        cmocka_unit_test(an_alarm_that_cannot_be_read_is_kept_and_answered),
        cmocka_unit_test(reports_with_alarm_bits_are_alarms),
        cmocka_unit_test(odd_positions_are_understood),
        cmocka_unit_test(a_repetition_has_the_same_name_and_a_second_press_another),
        cmocka_unit_test(keep_alives_are_answered),
        cmocka_unit_test(vitals_are_read_unless_they_are_zero),
        cmocka_unit_test(brackets_in_names_do_not_end_a_frame_early),
        cmocka_unit_test(hostile_streams_stay_cheap_and_bounded),
        cmocka_unit_test(first_bytes_tell_whose_they_are),
        cmocka_unit_test(commands_are_written),
        cmocka_unit_test(what_is_composed_is_decoded),
        cmocka_unit_test(vitals_and_heartbeats_are_composed),
        cmocka_unit_test(damage_loses_no_alarm_that_can_be_read),
    };

    return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
