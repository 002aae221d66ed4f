/* JT/T 808 between terminal and platform: who it is, what is answered, commanded, composed, and what
 * damage does. */
#include "tests/support/mutate.h"
#include "tests/unit/jt808_frames.h"

#include <stdlib.h>

static size_t one_secret(const void *secrets, const char *identity, uint8_t out[64])
{
    if (strcmp(identity, "19900000042") != 0)
        return 0;
    memcpy(out, secrets, strlen(secrets));
    return strlen(secrets);
}

static void terminals_register_and_authenticate(void **state)
{
    struct codec_environment environment = drive_environment();

    (void)state;
    environment.find_secret = one_secret;
    environment.secrets = "moon";
    begin();
    add_message(0x0100, 1, "002c012f3730313131");
    take_with(&environment);
    assert_int_equal(outcome.signals[0].flags, SIGNAL_FLAG_UNAUTHENTICATED);
    assert_int_equal(outcome.reply_size, 1 + 12 + 3 + 8 + 1 + 1);
    assert_true(outcome.reply[1] == 0x81 && outcome.reply[2] == 0x00);
    begin();
    add_message(0x0102, 1, "6d6f6f6f"); /* another word */
    add_message(0x0200, 2, "00000001" PLACE("00000002"));
    take_with(&environment);
    assert_int_equal(outcome.signals[1].flags, SIGNAL_FLAG_UNAUTHENTICATED);
    replied("80010005" PHONE "0001"
            "0001"
            "0102"
            "00",
            "80010005" PHONE "0002"
            "0002"
            "0200"
            "04");
    begin();
    add_message(0x0102, 1, "6d6f6f6e");
    add_message(0x0200, 2, "00000001" PLACE("00000002"));
    take_with(&environment);
    assert_int_equal(outcome.signals[1].flags, 0);
    begin();
    add("0102400801"
        "00000000019900000042"
        "0001"
        "046d6f6f6e313233");
    take_with(&environment);
    assert_int_equal(outcome.signals[0].flags, 0);
}

static void the_code_of_a_registration_authenticates(void **state)
{
    struct codec_environment environment = drive_environment();
    struct codec_session session = {0};
    struct signal signals[2];
    struct message message;
    char body[17];

    (void)state;
    take_one(0x0100, "002c012f3730313131");
    for (int i = 0; i < 8; i++)
        snprintf(body + 2 * i, 3, "%02x", outcome.reply[1 + 12 + 3 + i]);
    begin();
    add_message(0x0102, 2, body);
    message = (struct message){.body = writer_view(&input)};
    jt808_codec.decode(&message, &session, &environment, signals, 2);
    assert_true(session.authenticated);
    /* The next terminal of this connection has proved nothing. */
    begin();
    add("00020000"
        "019900000043"
        "0001");
    message.body = writer_view(&input);
    jt808_codec.decode(&message, &session, &environment, signals, 2);
    assert_false(session.authenticated);
}

static void the_time_is_told(void **state)
{
    (void)state; /* the environment's 1780000000 s */
    take_one(0x0109, "");
    replied("81090007" PHONE "0007"
            "07ea"
            "05"
            "1c"
            "14"
            "1a"
            "28",
            NULL);
    take_one(0x0004, "");
    replied("80040006" PHONE "0007"
            "260528202640",
            NULL);
}

static void what_is_unknown_is_said_to_be(void **state)
{
    (void)state;
    assert_int_equal(take_one(0x0f00, "0102")->kind, SIGNAL_HEARTBEAT);
    replied("80010005" PHONE "0007"
            "0007"
            "0f00"
            "03",
            NULL);
    take_one(0x0003, "");
    replied("80010005" PHONE "0007"
            "0007"
            "0003"
            "00",
            NULL);
    take_one(0x0001, "0001820300");
    replied(NULL, NULL);
    take_one(0x8001, "0007020004"); /* ours, come back */
    replied(NULL, NULL);
}

static void a_damaged_emergency_is_not_lost(void **state)
{
    (void)state;
    begin();
    add_message(0x0200, 7, "00000001" PLACE("00000002"));
    stream[input.size - 2] ^= 0x55;
    assert_int_equal(take()->kind, SIGNAL_PANIC);
    assert_int_equal(outcome.signals[0].flags, SIGNAL_FLAG_CHECKSUM_WRONG);
    replied("80010005" PHONE "0007"
            "0007"
            "0200"
            "04",
            NULL);
    begin();
    add_message(0x0200, 7, "00000000" PLACE("00000002"));
    stream[input.size - 2] ^= 0x55;
    take();
    assert_int_equal(outcome.bad_frames, 1);
    /* Cut off after its first bytes; a stray bit in the attributes. */
    begin();
    add("0200001c" PHONE "0007"
        "00000001"
        "000000");
    assert_int_equal(take()->kind, SIGNAL_PANIC);
    assert_true(outcome.signals[0].flags & SIGNAL_FLAG_LENGTH_WRONG);
    begin();
    add("0200041c" PHONE "0007"
        "00000001" PLACE("00000002"));
    assert_int_equal(take()->kind, SIGNAL_PANIC);
    /* One that is encrypted indeed. */
    begin();
    add("02000420" PHONE "0007"
        "c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffee00aa");
    add("02000420" PHONE "0008"
        "c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffee00ab");
    assert_int_equal(take()->kind, SIGNAL_UNREADABLE);
    assert_int_equal(outcome.signals[0].flags, SIGNAL_FLAG_UNREADABLE | SIGNAL_FLAG_SECRET_LOST);
}

static void a_lost_delimiter_costs_no_neighbour(void **state)
{
    size_t second;

    (void)state;
    begin();
    add_message(0x0002, 1, "");
    second = input.size;
    add_message(0x0200, 2, "00000001" PLACE("00000002"));
    stream[second - 1] = 0x7F;
    take();
    assert_int_equal(drive_alarms(&outcome), 1);
    stream[second - 1] = 0x7E;
    /* Two frames that share one, and junk before and between. */
    memmove(stream + second, stream + second + 1, --input.size - second);
    take();
    assert_int_equal(outcome.signal_count, 2);
    begin();
    writer_text(&input, "$$");
    add_message(0x0002, 1, "");
    writer_text(&input, "\r\n");
    add_message(0x0200, 2, "00000001" PLACE("00000002"));
    take();
    assert_int_equal(outcome.signal_count, 2);
    assert_int_equal(drive_alarms(&outcome), 1);
}

static void hostile_streams_stay_bounded(void **state)
{
    static uint8_t bytes[20000];
    struct message message = {.body = {bytes, sizeof(bytes)}};
    struct codec_environment environment = drive_environment();
    size_t skip, size;

    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        memset(bytes, byte, sizeof(bytes));
        drive(&jt808_codec, &message, 0, &environment, &outcome);
        assert_int_equal(outcome.signal_count, 0);
        bytes[0] = 0x7E;
        drive(&jt808_codec, &message, 0, &environment, &outcome);
    }
    assert_int_equal(jt808_codec.split((struct bytes){bytes + 1, 4096}, &skip, &size), FRAME_BAD);
    assert_int_equal(skip, 4096);
    assert_int_equal(jt808_codec.split((struct bytes){bytes + 1, 4095}, &skip, &size), FRAME_MORE);
    assert_int_equal(jt808_codec.recognise((struct bytes){stream, 0}), FRAME_MORE);
    assert_int_equal(jt808_codec.recognise(bytes_of("~")), FRAME_READY);
    assert_int_equal(jt808_codec.recognise(bytes_of("[3G*")), FRAME_BAD);
}

static bool command(const struct command *wanted, const char *expected)
{
    struct codec_environment environment = drive_environment();
    struct codec_session session = {.identity = "19900000042"};
    uint8_t bytes[REPLY_MAX];
    struct writer topic = writer_into(NULL, 0), out = writer_into(bytes, sizeof(bytes));

    if (!jt808_codec.command(wanted, &session, &environment, &topic, &out))
        return false;
    begin();
    add(expected);
    return bytes_equal(writer_view(&out), writer_view(&input));
}

static void commands_are_written(void **state)
{
    (void)state;
    assert_true(command(&(struct command){.kind = COMMAND_LOCATE}, "82010000" PHONE "0000"));
    assert_true(command(&(struct command){.kind = COMMAND_REPORT_INTERVAL, .value = 600},
                        "8103000a" PHONE "0000"
                        "01"
                        "00000029"
                        "04"
                        "00000258"));
    assert_true(command(&(struct command){.kind = COMMAND_ACKNOWLEDGE}, "82030006" PHONE "0000"
                                                                        "0000"
                                                                        "00000001"));
    assert_false(command(&(struct command){.kind = COMMAND_REPORT_INTERVAL, .value = 0}, ""));
    assert_false(
        command(&(struct command){.kind = COMMAND_SOS_NUMBER, .value = 1, .text = "15550100"}, ""));
}

static struct signal invent(struct random *random)
{
    static const uint8_t kinds[] = {SIGNAL_PANIC,       SIGNAL_FALL,     SIGNAL_WANDER,
                                    SIGNAL_MAINS_LOST,  SIGNAL_POSITION, SIGNAL_WANDER_RESTORED,
                                    SIGNAL_LOW_BATTERY, SIGNAL_HEARTBEAT};
    struct signal signal = {.kind = kinds[random_below(random, sizeof(kinds))]};

    snprintf(signal.identity, sizeof(signal.identity), "1%010u",
             (unsigned)random_below(random, 1000000000));
    if (signal.kind != SIGNAL_HEARTBEAT)
        signal.has = MEASURE_POSITION;
    else
        signal.flags = SIGNAL_FLAG_NO_POSITION;
    signal.has |= MEASURE_BATTERY | (random_below(random, 2) ? MEASURE_STEPS : 0) |
                  (random_below(random, 2) ? MEASURE_GSM : 0);
    signal.occurred_at_us = 1767225600000000 + (int64_t)random_below(random, 1000000000) * 1000000;
    signal.battery_percent = (int16_t)random_below(random, 101);
    if (random_below(random, 3) == 0)
        signal.flags |= SIGNAL_FLAG_STORED;
    if (random_below(random, 3) == 0)
        signal.flags |= SIGNAL_FLAG_CHARGING;
    if (signal.has & MEASURE_POSITION) {
        signal.latitude_e7 = ((int32_t)random_below(random, 180000001) - 90000000) * 10;
        signal.longitude_e7 = ((int32_t)random_below(random, 360000001) - 180000000) / 2 * 20 - 10;
    }
    if (signal.has & MEASURE_STEPS)
        signal.steps = (int32_t)random_below(random, 65536);
    if (signal.has & MEASURE_GSM)
        signal.gsm_percent = (int16_t)(random_below(random, 32) * 100 / 31);
    return signal;
}

static void what_is_composed_is_decoded(void **state)
{
    struct codec_environment environment = drive_environment();
    struct random random;

    (void)state;
    mutate_seed(&random);
    for (int i = 0; i < 2000; i++) {
        struct codec_session session = {.variant = (uint8_t)random_below(&random, 3),
                                        .serial = (uint16_t)random_below(&random, 65536)};
        struct signal signal = invent(&random), *seen = &outcome.signals[0];
        struct writer topic = writer_into(NULL, 0);
        struct message message;

        begin();
        assert_true(jt808_codec.compose(&signal, &session, &environment, &topic, &input));
        message = (struct message){.body = writer_view(&input)};
        drive(&jt808_codec, &message, 1 + random_below(&random, 9), &environment, &outcome);
        assert_int_equal(outcome.signal_count, 1);
        memset(seen->code, 0, sizeof(seen->code));
        memset(seen->message_id, 0, sizeof(seen->message_id));
        assert_memory_equal(seen, &signal, sizeof(signal));
    }
}

static void what_has_no_words_is_not_composed(void **state)
{
    struct codec_environment environment = drive_environment();
    struct codec_session session = {0};
    struct signal signal = {.kind = SIGNAL_HEARTBEAT, .identity = "19900000042"};
    struct writer topic = writer_into(NULL, 0);

    (void)state;
    begin();
    assert_true(jt808_codec.compose(&signal, &session, &environment, &topic, &input));
    assert_int_equal(take()->kind, SIGNAL_HEARTBEAT);
    assert_int_equal(input.size, 15);
    signal.kind = SIGNAL_TAMPER;
    assert_false(jt808_codec.compose(&signal, &session, &environment, &topic, &input));
    signal.kind = SIGNAL_PANIC;
    snprintf(signal.identity, sizeof(signal.identity), "1234567890123"); /* no 12 digits */
    assert_false(jt808_codec.compose(&signal, &session, &environment, &topic, &input));
    snprintf(signal.identity, sizeof(signal.identity), "12a");
    assert_false(jt808_codec.compose(&signal, &session, &environment, &topic, &input));
}

static void damage_loses_no_alarm_that_can_be_read(void **state)
{
    struct random random;
    struct message message;
    size_t size;

    (void)state;
    mutate_seed(&random);
    begin();
    add_message(0x0200, 7,
                "00000001" PLACE("00000002") "eb08"
                                             "00060089ffffefff"
                                             "e802"
                                             "0c01");
    size = input.size;
    message = (struct message){.body = writer_view(&input)};
    mutate_cut(&jt808_codec, &message);
    mutate_flip(&jt808_codec, &message, &random, 4000);
    for (size_t i = 3; i < size - 1; i++)
        for (int bit = 0; bit < 8; bit++) {
            if (i == 3 || i == 16) /* the form of the header, the emergency bit's byte */
                continue;
            stream[i] ^= (uint8_t)(1 << bit);
            take();
            assert_true(i < 17 ? outcome.frames > 0 : drive_alarms(&outcome) > 0);
            stream[i] ^= (uint8_t)(1 << bit);
        }
    add_message(0x0704, 8,
                "000201"
                "001c"
                "00000001" PLACE("00000002") "001c"
                                             "00000001" PLACE("00000002"));
    add("0102400801"
        "00000000019900000042"
        "0001"
        "046d6f6f6e313233");
    message.body = writer_view(&input);
    mutate_cut(&jt808_codec, &message);
    mutate_flip(&jt808_codec, &message, &random, 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terminals_register_and_authenticate),
        cmocka_unit_test(the_code_of_a_registration_authenticates),
        cmocka_unit_test(the_time_is_told),
        cmocka_unit_test(what_is_unknown_is_said_to_be),
        cmocka_unit_test(a_damaged_emergency_is_not_lost),
        cmocka_unit_test(a_lost_delimiter_costs_no_neighbour),
        cmocka_unit_test(hostile_streams_stay_bounded),
        cmocka_unit_test(commands_are_written),
        cmocka_unit_test(what_is_composed_is_decoded),
        cmocka_unit_test(what_has_no_words_is_not_composed),
        cmocka_unit_test(damage_loses_no_alarm_that_can_be_read),
    };

    return cmocka_run_group_tests_name("jt808_session", tests, NULL, NULL);
}
