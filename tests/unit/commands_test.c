/*
 * Commands to devices in the gateway: when one is sent, to whom, how often, and what comes of it. The
 * database is the test: it gives and refuses.
 */
#include "tests/support/gateway_fixture.h"

#define WATCH "7300000001"

static struct {
    int64_t taken;
    int takes, results;
    struct command_result result;
} database;

static bool take_command(void *context, int64_t id)
{
    (void)context;
    database.taken = id;
    database.takes++;
    return true;
}

static void keep_result(void *context, const struct command_result *result)
{
    (void)context;
    database.results++;
    database.result = *result;
}

static uint64_t open_with_watch(const char *secret)
{
    memset(&database, 0, sizeof(database));
    fixture_open_with(
        &(struct gateway_ports){.take_command = take_command, .command_result = keep_result});
    fixture_device(7, "watch", WATCH, DEVICE_WRISTBAND, secret);
    return gateway_connected(fixture.gateway, codec_find("watch"), 1);
}

static void say(uint64_t session, const char *frame)
{
    fixture.sent[0] = '\0';
    assert_int_equal(gateway_input(fixture.gateway, session, bytes_of(frame)), strlen(frame));
}

static bool ask(int64_t id, enum command_kind kind, int64_t left_us)
{
    struct asked_command asked = {.id = id,
                                  .device_id = 7,
                                  .left_us = left_us,
                                  .kind = kind,
                                  .seconds = 600,
                                  .protocol = (uint8_t)codec_find("watch"),
                                  .identity = WATCH};

    return gateway_command(fixture.gateway, &asked);
}

static void one_is_taken_then_sent_then_answered(void **state)
{
    uint64_t session = open_with_watch("");

    (void)state;
    say(session, "[3G*" WATCH "*0002*LK]");
    assert_true(ask(1, COMMAND_LOCATE, US_PER_HOUR));
    assert_int_equal(database.taken, 1);
    assert_string_equal(fixture.sent, "[3G*" WATCH "*0002*LK]"); /* not before it is ours */
    gateway_command_taken(fixture.gateway, 1, true);
    assert_string_equal(fixture.sent, "[SG*" WATCH "*0002*CR]");
    assert_true(ask(1, COMMAND_LOCATE, US_PER_HOUR)); /* read again: known */
    assert_true(ask(2, COMMAND_REPORT_INTERVAL, US_PER_HOUR));
    assert_int_equal(database.takes, 1);
    say(session, "[3G*" WATCH "*0002*CR]");
    assert_string_equal(database.result.state, "done");
    assert_int_equal(database.result.id, 1);
    assert_int_equal(database.taken, 2);
    gateway_command_taken(fixture.gateway, 2, false); /* another gateway has it */
    assert_string_equal(fixture.sent, "");
    assert_int_equal(database.results, 1);
}

static void one_without_an_answer_is_sent_twice(void **state)
{
    uint64_t session = open_with_watch("");

    (void)state;
    say(session, "[3G*" WATCH "*0002*LK]");
    assert_true(ask(1, COMMAND_LOCATE, US_PER_DAY));
    gateway_command_taken(fixture.gateway, 1, true);
    fixture.sent[0] = '\0';
    fixture_pass(31 * US_PER_SECOND);
    assert_int_equal(database.takes, 1);
    say(session, "[3G*" WATCH "*0002*LK]");
    assert_int_equal(database.takes, 2);
    gateway_command_taken(fixture.gateway, 1, true);
    assert_string_equal(fixture.sent, "[SG*" WATCH "*0002*CR]");
    fixture_pass(31 * US_PER_SECOND);
    assert_string_equal(database.result.state, "failed");
    say(session, "[3G*" WATCH "*0002*CR]"); /* too late */
    assert_int_equal(database.results, 1);
}

static void one_waits_for_its_device_and_expires(void **state)
{
    uint64_t session = open_with_watch("");

    (void)state;
    assert_true(ask(1, COMMAND_LOCATE, 10 * US_PER_SECOND));
    assert_int_equal(database.takes, 0);
    fixture_pass(11 * US_PER_SECOND);
    assert_string_equal(database.result.state, "expired");
    assert_true(ask(2, COMMAND_LOCATE, 10 * US_PER_SECOND));
    say(session, "[3G*" WATCH "*0002*LK]");
    assert_int_equal(database.taken, 2);
}

static void what_is_not_proven_gets_none(void **state)
{
    uint64_t session = open_with_watch("hush");

    (void)state;
    assert_true(ask(1, COMMAND_LOCATE, 10 * US_PER_SECOND));
    say(session, "[3G*" WATCH "*0002*LK]");
    assert_int_equal(database.takes, 0);
    fixture_pass(11 * US_PER_SECOND);
    assert_string_equal(database.result.state, "refused");
    assert_string_equal(database.result.answer, "the device did not prove who it is");
}

static void what_the_protocol_has_not_is_refused(void **state)
{
    (void)state;
    open_with_watch("");
    assert_true(ask(1, COMMAND_ACKNOWLEDGE, US_PER_HOUR));
    assert_string_equal(database.result.state, "refused");
    assert_int_equal(database.takes, 0);
}

static void the_answer_to_an_alarm_goes_first(void **state)
{
    static const char press[] =
        "[3G*" WATCH "*003e*AL,091025,085320,V,0.0,N,0.0,E,0,0,0,0,80,90,0,0,"
        "00010000]";
    uint64_t session = open_with_watch("");

    (void)state;
    say(session, "[3G*" WATCH "*0002*LK]");
    say(session, press);
    assert_true(ask(1, COMMAND_LOCATE, US_PER_HOUR));
    gateway_command_taken(fixture.gateway, 1, true);
    assert_string_equal(fixture.sent, ""); /* the alarm is not on disk yet */
    fixture_pass(US_PER_SECOND);           /* now it is, and is answered */
    assert_string_equal(fixture.sent, "[3G*" WATCH "*0002*AL]");
    fixture_pass(US_PER_SECOND);
    assert_string_equal(fixture.sent, "[SG*" WATCH "*0002*CR]");
}

static void numbers_are_told_one_by_one(void **state)
{
    uint64_t session = open_with_watch("");
    struct asked_command asked = {.id = 1,
                                  .device_id = 7,
                                  .left_us = US_PER_HOUR,
                                  .kind = COMMAND_SOS_NUMBER,
                                  .number_count = 2,
                                  .numbers = {"15550101", "15550102"},
                                  .protocol = (uint8_t)codec_find("watch"),
                                  .identity = WATCH};

    (void)state;
    say(session, "[3G*" WATCH "*0002*LK]");
    assert_true(gateway_command(fixture.gateway, &asked));
    gateway_command_taken(fixture.gateway, 1, true);
    assert_string_equal(fixture.sent, "[SG*" WATCH "*000d*SOS1,15550101]");
    say(session, "[3G*" WATCH "*0004*SOS2]"); /* not what was asked */
    assert_string_equal(fixture.sent, "");
    say(session, "[3G*" WATCH "*0004*SOS1]");
    assert_string_equal(fixture.sent, "[SG*" WATCH "*000d*SOS2,15550102]");
    assert_int_equal(database.results, 0);
    say(session, "[3G*" WATCH "*0004*SOS2]");
    assert_string_equal(database.result.state, "done");
}

/* A device that says no, over datagrams, whose way back is open only a moment. */
static void a_datagram_opens_the_way_for_a_moment(void **state)
{
    static const char link[] = "*HQ," WATCH ",LINK,085320,15,0,84,1200,0,091025,FFFFFFFF#";
    struct asked_command asked = {.id = 1,
                                  .device_id = 8,
                                  .left_us = US_PER_HOUR,
                                  .kind = COMMAND_REPORT_INTERVAL,
                                  .seconds = 600,
                                  .protocol = (uint8_t)codec_find("h02"),
                                  .identity = WATCH};
    uint64_t session;

    (void)state;
    open_with_watch("");
    fixture_device(8, "h02", WATCH, DEVICE_WRISTBAND, "");
    session = gateway_connected(fixture.gateway, codec_find("h02"), 2);
    gateway_introduce(fixture.gateway, session, &(struct introduction){.is_datagram = true});
    say(session, link);
    fixture_pass(6 * US_PER_SECOND);
    assert_true(gateway_command(fixture.gateway, &asked));
    assert_int_equal(database.takes, 0);
    say(session, link);
    assert_int_equal(database.takes, 1);
    gateway_command_taken(fixture.gateway, 1, true);
    assert_non_null(strstr(fixture.sent, ",S71,"));
    say(session, "*HQ," WATCH ",V4,S71,ERROR#");
    assert_string_equal(database.result.state, "refused");
}

static void few_are_held_of_one_device(void **state)
{
    (void)state;
    open_with_watch("");
    for (int64_t id = 1; id <= COMMANDS_PER_DEVICE; id++)
        assert_true(ask(id, COMMAND_LOCATE, US_PER_HOUR));
    assert_false(ask(COMMANDS_PER_DEVICE + 1, COMMAND_LOCATE, US_PER_HOUR));
    gateway_device_removed(fixture.gateway, (uint8_t)codec_find("watch"), WATCH, 7);
    assert_false(ask(1, COMMAND_LOCATE, US_PER_HOUR));
    fixture_device(7, "watch", WATCH, DEVICE_WRISTBAND, "");
    assert_true(ask(COMMANDS_PER_DEVICE + 1, COMMAND_LOCATE, US_PER_HOUR));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(one_is_taken_then_sent_then_answered, fixture_close),
        cmocka_unit_test_teardown(one_without_an_answer_is_sent_twice, fixture_close),
        cmocka_unit_test_teardown(one_waits_for_its_device_and_expires, fixture_close),
        cmocka_unit_test_teardown(what_is_not_proven_gets_none, fixture_close),
        cmocka_unit_test_teardown(what_the_protocol_has_not_is_refused, fixture_close),
        cmocka_unit_test_teardown(the_answer_to_an_alarm_goes_first, fixture_close),
        cmocka_unit_test_teardown(numbers_are_told_one_by_one, fixture_close),
        cmocka_unit_test_teardown(a_datagram_opens_the_way_for_a_moment, fixture_close),
        cmocka_unit_test_teardown(few_are_held_of_one_device, fixture_close),
    };

    return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
