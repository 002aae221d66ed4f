/*
 * What holds for every codec, from one seed: what a device composes is decoded as it was meant; no
 * damage to a frame breaks a promise of codec.h (drive aborts) or costs unbounded work; and damage to
 * the frames beside it never costs an alarm that is whole.
 */
#include "daemon/base/config_table.h"
#include "daemon/base/config_value.h"
#include "tests/support/mutate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define FRAME_MAX 1024
#define FLIPS_IN_ALL 100000
#define FLIPS_BESIDE 1000 /* of each codec */
#define DRIPPED_EVERY 16  /* one byte at a time is slow: every so many-th */
#define AT_US (INT64_C(1780000000) * 1000000)

static const uint8_t kinds[] = {
    SIGNAL_PANIC,    SIGNAL_FALL,    SIGNAL_WANDER,          SIGNAL_SERVICE,
    SIGNAL_CANCEL,   SIGNAL_LEAK,    SIGNAL_LOW_BATTERY,     SIGNAL_MAINS_LOST,
    SIGNAL_TAMPER,   SIGNAL_TEST,    SIGNAL_WANDER_RESTORED, SIGNAL_BATTERY_RESTORED,
    SIGNAL_POSITION, SIGNAL_READING, SIGNAL_HEARTBEAT,       SIGNAL_VITALS,
    SIGNAL_LIFE,
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

struct composed {
    struct signal said;
    char topic[256];
    uint8_t bytes[FRAME_MAX];
    size_t topic_size, size;
};

static struct outcome outcome, dripped;
static struct composed frames[16 * KIND_COUNT];

/* An identity that the protocol can say: digits in the number that it wants. */
static const char *identity_for(const struct codec *codec)
{
    static const struct {
        const char *codec, *identity;
    } known[] = {{"watch", "9000000042"},      {"sia_dc09", "0A42"},  {"jt808", "13800000042"},
                 {"cjt188", "78330000000042"}, {"h02", "9000000042"}, {"meter_json", "box-42"}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i].codec, codec->name) == 0)
            return known[i].identity;
    return "100000000000042";
}

static bool compose(const struct codec *codec, uint8_t kind, int64_t at_us, struct composed *out)
{
    struct codec_session session = {0};
    const struct codec_environment environment = drive_environment();
    struct writer topic = writer_into(out->topic, sizeof(out->topic));
    struct writer body = writer_into(out->bytes, sizeof(out->bytes));
    bool is_meter = strcmp(codec->name, "cjt188") == 0 || kind == SIGNAL_READING;

    out->said = (struct signal){.kind = kind,
                                .device = is_meter ? DEVICE_METER : DEVICE_CALL_BOX,
                                .occurred_at_us = at_us,
                                .latitude_e7 = 305000000,
                                .longitude_e7 = 1042500000,
                                .battery_percent = 50,
                                .heart_rate = 70,
                                .total_ml = 12340000};
    if (kind == SIGNAL_SERVICE)
        out->said.service = SERVICE_OTHER;
    if (kind == SIGNAL_VITALS)
        out->said.has = MEASURE_HEART_RATE;
    else if (kind == SIGNAL_READING)
        out->said.has = MEASURE_TOTAL;
    else if (kind != SIGNAL_HEARTBEAT)
        out->said.has = MEASURE_POSITION;
    snprintf(out->said.identity, sizeof(out->said.identity), "%s", identity_for(codec));
    if (!codec->compose(&out->said, &session, &environment, &topic, &body))
        return false;
    out->topic_size = topic.size;
    out->size = body.size;
    return true;
}

static struct message message_of(const struct composed *frame)
{
    return (struct message){{(const uint8_t *)frame->topic, frame->topic_size},
                            {frame->bytes, frame->size}};
}

/* The signal of that kind that was found, NULL if none was. */
static const struct signal *find(const struct outcome *found, uint8_t kind)
{
    for (size_t i = 0; i < found->signal_count && i < OUTCOME_SIGNALS_MAX; i++)
        if (found->signals[i].kind == kind)
            return &found->signals[i];
    return NULL;
}

static void what_is_composed_is_decoded(void **state)
{
    struct codec_environment environment = drive_environment();

    (void)state;
    for (int c = 0; c < codec_count; c++) {
        int said = 0;

        for (size_t k = 0; k < KIND_COUNT; k++) {
            struct composed *frame = &frames[0];
            const struct signal *found;

            if (!compose(codecs[c], kinds[k], AT_US, frame))
                continue;
            said++;
            struct message message = message_of(frame);
            drive(codecs[c], &message, 1, &environment, &outcome);
            found = find(&outcome, kinds[k]);
            if (!found)
                fail_msg("%s: %s is not found again", codecs[c]->name, signal_kind_name(kinds[k]));
            assert_string_equal(found->identity, frame->said.identity);
            if (signal_is_alarm(kinds[k]) && found->occurred_at_us)
                assert_int_equal(found->occurred_at_us, AT_US);
            if (kinds[k] == SIGNAL_READING)
                assert_true(llabs(found->total_ml - frame->said.total_ml) < 10000);
            if (found->has & frame->said.has & MEASURE_POSITION)
                assert_true(abs(found->latitude_e7 - frame->said.latitude_e7) < 30 &&
                            abs(found->longitude_e7 - frame->said.longitude_e7) < 30);
        }
        if (said < 2)
            fail_msg("%s composes next to nothing", codecs[c]->name);
    }
}

static void flip(struct random *random, uint8_t *bytes, size_t size)
{
    for (uint64_t flips = 1 + random_below(random, 4); flips > 0; flips--)
        bytes[random_below(random, size)] ^= (uint8_t)(1U << random_below(random, 8));
}

/* Every frame that any codec composes, cut, doubled and then damaged by turns. */
static void no_damage_breaks_a_promise(void **state)
{
    struct codec_environment environment = drive_environment();
    const struct codec *owner[sizeof(frames) / sizeof(frames[0])];
    uint8_t damaged[2 * FRAME_MAX];
    struct random random;
    size_t count = 0;

    (void)state;
    mutate_seed(&random);
    for (int c = 0; c < codec_count; c++)
        for (size_t k = 0; k < KIND_COUNT; k++)
            if (compose(codecs[c], kinds[k], AT_US, &frames[count]))
                owner[count++] = codecs[c];
    for (size_t i = 0; i < count; i++) {
        struct message message = message_of(&frames[i]);

        mutate_cut(owner[i], &message);
        memcpy(damaged, frames[i].bytes, frames[i].size);
        memcpy(damaged + frames[i].size, frames[i].bytes, frames[i].size);
        message.body = (struct bytes){damaged, 2 * frames[i].size};
        drive(owner[i], &message, 0, &environment, &outcome);
        if (owner[i]->split && signal_is_alarm(frames[i].said.kind))
            assert_true(drive_alarms(&outcome) > 0);
    }
    for (int round = 0; round < FLIPS_IN_ALL; round++) {
        size_t i = (size_t)round % count;
        struct message message = message_of(&frames[i]);

        memcpy(damaged, frames[i].bytes, frames[i].size);
        flip(&random, damaged, frames[i].size);
        message.body.data = damaged;
        drive(owner[i], &message, 0, &environment, &outcome);
        if (round % DRIPPED_EVERY)
            continue;
        drive(owner[i], &message, 1, &environment, &dripped);
        assert_true(drive_same(&outcome, &dripped));
    }
}

/* Report, press, report: the reports are damaged, the press is not. What was damaged may have been
 * the log-in, so who pressed is not asked. */
static void damage_beside_it_costs_no_alarm(void **state)
{
    struct codec_environment environment = drive_environment();
    struct random random;
    int lost = 0;

    (void)state;
    mutate_seed(&random);
    for (int c = 0; c < codec_count; c++) {
        struct composed *report = &frames[0], *press = &frames[1];
        uint8_t stream[3 * FRAME_MAX];

        if (!codecs[c]->split || !compose(codecs[c], SIGNAL_HEARTBEAT, AT_US, report) ||
            !compose(codecs[c], SIGNAL_PANIC, AT_US + 1000000, press))
            continue;
        for (int round = 0; round < FLIPS_BESIDE; round++) {
            size_t size = 2 * report->size + press->size;
            struct message message = {.body = {stream, size}};

            memcpy(stream, report->bytes, report->size);
            memcpy(stream + report->size, press->bytes, press->size);
            memcpy(stream + report->size + press->size, report->bytes, report->size);
            flip(&random, round % 2 ? stream : stream + report->size + press->size, report->size);
            drive(codecs[c], &message, 0, &environment, &outcome);
            if (find(&outcome, SIGNAL_PANIC))
                continue;
            lost++;
            print_message("# %s:", codecs[c]->name);
            for (size_t i = 0; i < size; i++)
                print_message(" %02x", stream[i]);
            print_message("\n");
        }
    }
    assert_int_equal(lost, 0);
}

/* What a codec says that it can command it writes, for a device that its session knows, and nothing
 * else; no frame of another kind is taken for the answer. */
static void commands_are_those_that_are_said(void **state)
{
    struct codec_environment environment = drive_environment();

    (void)state;
    for (int c = 0; c < codec_count; c++) {
        const struct codec *codec = codecs[c];

        assert_true(!codec->command == !codec->commands);
        for (int kind = COMMAND_LOCATE; codec->command && kind <= COMMAND_ACKNOWLEDGE; kind++) {
            uint8_t place[256], bytes[REPLY_MAX], answer[REPLY_MAX];
            struct writer topic = writer_into(place, sizeof(place)), text;
            struct writer out = writer_into(bytes, sizeof(bytes));
            struct command command = {.kind = (enum command_kind)kind, .value = 1};
            struct codec_session session = {0};

            memcpy(command.text, "15550100", 9);
            memcpy(session.identity, identity_for(codec), strlen(identity_for(codec)));
            command.value = kind == COMMAND_REPORT_INTERVAL ? 600 : 1;
            command.device = DEVICE_WRISTBAND;
            assert_int_equal(codec->command(&command, &session, &environment, &topic, &out),
                             !!(codec->commands & COMMAND_BIT(kind)));
            assert_true((topic.size > 0) == (out.size > 0 && !codec->split));
            text = writer_into(answer, sizeof(answer));
            if (codec->command_answer && codec->commands & COMMAND_BIT(kind) &&
                compose(codec, SIGNAL_HEARTBEAT, AT_US, &frames[0])) {
                struct message message = message_of(&frames[0]);

                assert_int_equal(codec->command_answer(&message, &command, 0, &text),
                                 COMMAND_UNANSWERED);
            }
        }
    }
}

/* The configuration has the names of its own, as its folder knows no protocol. */
static void every_stream_can_be_listened_for(void **state)
{
    const struct config_key *key = config_table_find("listen", "protocol");
    struct config_listener listener;

    (void)state;
    for (int i = 0; i < codec_count; i++)
        if (codecs[i]->split)
            assert_null(config_value_set(key, &listener, codecs[i]->name));
    assert_non_null(config_value_set(key, &listener, "meter_json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_composed_is_decoded),
        cmocka_unit_test(no_damage_breaks_a_promise),
        cmocka_unit_test(damage_beside_it_costs_no_alarm),
        cmocka_unit_test(commands_are_those_that_are_said),
        cmocka_unit_test(every_stream_can_be_listened_for),
    };

    return cmocka_run_group_tests_name("codec_property", tests, NULL, NULL);
}
