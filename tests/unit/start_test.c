/*
 * What devices send while the journal is still being replayed: nothing of it is lost, nothing is
 * answered too early, and it counts as if it had come after all that is in the journal.
 */
#include "daemon/core/gateway_start.h"
#include "daemon/core/view.h"
#include "tests/support/gateway_fixture.h"

#define WATCH "7300000001"
#define METER "M-START"
#define BEAT "[3G*" WATCH "*0002*LK]"
#define ANSWERED "[3G*" WATCH "*0002*AL]"
#define PRESS "[3G*" WATCH "*004d*AL,091025,085320,V,0.0,N,0.0,E,0,0,0,0,80,90,0,0,00010000]"
#define FOUND 100 /* the last number in the journal */

static uint64_t session;

/* The journal has been found and its replay begins. */
static void start(void)
{
    fixture_open(0);
    fixture_device(1, "watch", WATCH, DEVICE_WRISTBAND, "");
    fixture_device(2, "meter_json", METER, DEVICE_METER, "");
    fixture.number = FOUND;
    gateway_starting(fixture.gateway, FOUND);
    session = gateway_connected(fixture.gateway, codec_find("watch"), 1);
}

static void say(const char *frame)
{
    fixture.sent[0] = '\0';
    assert_int_equal(gateway_input(fixture.gateway, session, bytes_of(frame)), strlen(frame));
}

static void replay(uint64_t number, const struct signal *signal)
{
    uint8_t memory[ARRIVAL_SIZE_MAX];
    struct writer writer = writer_into(memory, sizeof(memory));
    struct arrival arrival = {.signal = *signal};

    arrival_encode(&arrival, &writer);
    gateway_replay(fixture.gateway, arrival_lane(&arrival), number, writer_view(&writer));
}

static struct signal signal_of(const char *protocol, const char *identity, enum signal_kind kind)
{
    struct signal signal = {.protocol = (uint8_t)codec_find(protocol),
                            .kind = (uint8_t)kind,
                            .received_at_us = STARTED_US - US_PER_HOUR,
                            .occurred_at_us = STARTED_US - US_PER_HOUR};

    snprintf(signal.identity, sizeof(signal.identity), "%s", identity);
    return signal;
}

/* The press is there once more, from before the crash that its answer did not survive. */
static void a_press_is_one_alarm(void **state)
{
    struct signal press;

    (void)state;
    start();
    say(PRESS);
    assert_int_equal(fixture.alarm_count, 1);
    assert_string_equal(fixture.sent, "");
    press = fixture.alarms[0];
    replay(FOUND - 10, &press);
    assert_false(gateway_replayed(fixture.gateway)); /* its record may still be lost */
    assert_false(gateway_has_room(fixture.gateway));
    gateway_durable(fixture.gateway, FOUND + 1);
    assert_string_equal(fixture.sent, ANSWERED);
    replay(FOUND + 1, &press);
    assert_true(gateway_replayed(fixture.gateway));
    assert_true(gateway_has_room(fixture.gateway));
    assert_int_equal(gateway_figures(fixture.gateway).alarms_waiting, 1);
    assert_int_equal(gateway_counters(fixture.gateway)->repeated, 1);
    say(PRESS);
    assert_string_equal(fixture.sent, ANSWERED);
    assert_int_equal(fixture.alarm_count, 1);
}

/* A new press waits in its lane behind what the journal had. */
static void a_new_press_is_raised(void **state)
{
    struct signal press, other = signal_of("watch", WATCH, SIGNAL_FALL);

    (void)state;
    start();
    say(PRESS);
    press = fixture.alarms[0];
    replay(FOUND - 10, &other);
    gateway_durable(fixture.gateway, FOUND + 1);
    replay(FOUND + 1, &press);
    assert_true(gateway_replayed(fixture.gateway));
    assert_int_equal(gateway_figures(fixture.gateway).alarms_waiting, 2);
    assert_int_equal(gateway_counters(fixture.gateway)->repeated, 0);
}

static void a_lost_device_returns(void **state)
{
    struct signal lost = signal_of("watch", WATCH, SIGNAL_DEVICE_LOST);

    (void)state;
    start();
    say(BEAT);
    assert_true(strlen(fixture.sent) > 0);
    replay(FOUND, &lost);
    assert_int_equal(fixture.alarm_count, 0);
    assert_true(gateway_replayed(fixture.gateway));
    assert_int_equal(fixture.alarm_count, 1);
    assert_int_equal(fixture.alarms[0].kind, SIGNAL_DEVICE_RETURNED);
}

/* What is decided at the end of the replay is not told to the gateway again, though its record is
 * durable before all that came early has been heard. */
static void a_decision_is_not_replayed(void **state)
{
    struct signal lost = signal_of("watch", WATCH, SIGNAL_DEVICE_LOST);

    (void)state;
    start();
    say(BEAT);
    say(BEAT);
    replay(FOUND, &lost);
    fixture.behind_from = FOUND + 1;
    assert_false(gateway_replayed(fixture.gateway));
    assert_int_equal(fixture.alarm_count, 1);
    fixture.behind_from = 0;
    gateway_durable(fixture.gateway, FOUND + 1);
    replay(FOUND + 1, &fixture.alarms[0]);
    assert_true(gateway_replayed(fixture.gateway));
    assert_int_equal(fixture.alarm_count, 1);
    assert_int_equal(gateway_figures(fixture.gateway).alarms_waiting, 2);
}

/* Its total is above the one in the journal: water was used just now. */
static void a_reading_comes_after_the_journal(void **state)
{
    struct signal before = signal_of("meter_json", METER, SIGNAL_READING), now;
    uint32_t position = 0;
    struct view_meter meter = {0}, untouched = {0};

    (void)state;
    start();
    assert_true(view_next_meter(fixture.gateway, &position, &untouched));
    before.has = MEASURE_TOTAL;
    before.total_ml = 1000 * 1000;
    now = before;
    now.received_at_us = now.occurred_at_us = STARTED_US;
    now.total_ml = 1020 * 1000;
    fixture_publish_json("meter", METER, "reading", "{\"total_l\":1020}");
    assert_int_equal(fixture.readings, 1);
    position = 0;
    assert_true(view_next_meter(fixture.gateway, &position, &meter));
    assert_memory_equal(&meter.detail, &untouched.detail, sizeof(meter.detail));
    replay(FOUND, &before);
    gateway_durable(fixture.gateway, FOUND + 1);
    replay(FOUND + 1, &now);
    assert_true(gateway_replayed(fixture.gateway));
    position = 0;
    assert_true(view_next_meter(fixture.gateway, &position, &meter));
    assert_int_equal(meter.detail.since_us, STARTED_US);
    assert_int_equal(gateway_figures(fixture.gateway).readings_waiting, 2);
}

static void replay_total(uint64_t number, int64_t at_us, int64_t litres)
{
    struct signal reading = signal_of("meter_json", METER, SIGNAL_READING);

    reading.received_at_us = reading.occurred_at_us = at_us;
    reading.has = MEASURE_TOTAL;
    reading.total_ml = litres * 1000;
    replay(number, &reading);
}

/* The silence was told before the crash. Its end is told too, though no decision is recorded behind the
 * sign of life that came during the replay. */
static void a_silence_ends(bool by_reading)
{
    struct signal silence = signal_of("meter_json", METER, SIGNAL_SILENCE), press;

    start();
    if (by_reading)
        fixture_publish_json("meter", METER, "reading", "{\"total_l\":1020}");
    else
        say(PRESS);
    press = fixture.alarms[0];
    replay_total(FOUND - 3, STARTED_US - 30 * US_PER_HOUR, 1000);
    replay_total(FOUND - 2, STARTED_US - 2 * US_PER_HOUR, 1000);
    replay(FOUND - 1, &silence);
    gateway_durable(fixture.gateway, FOUND + 1);
    if (by_reading)
        replay_total(FOUND + 1, STARTED_US, 1020);
    else
        replay(FOUND + 1, &press);
    assert_true(gateway_replayed(fixture.gateway));
    assert_int_equal(fixture.alarm_count, by_reading ? 1 : 2);
    assert_int_equal(fixture.alarms[fixture.alarm_count - 1].kind, SIGNAL_SILENCE_ENDED);
    assert_string_equal(fixture.alarms[fixture.alarm_count - 1].code, "learned");
}

static void a_reading_ends_a_silence(void **state)
{
    (void)state;
    a_silence_ends(true);
}

static void a_press_ends_a_silence(void **state)
{
    (void)state;
    a_silence_ends(false);
}

/* Where it was told before the crash, it is not told again. */
static void an_end_is_told_once(void **state)
{
    struct signal silence = signal_of("meter_json", METER, SIGNAL_SILENCE);
    struct signal ended = signal_of("meter_json", METER, SIGNAL_SILENCE_ENDED);

    (void)state;
    start();
    replay_total(FOUND - 4, STARTED_US - 30 * US_PER_HOUR, 1000);
    replay_total(FOUND - 3, STARTED_US - 2 * US_PER_HOUR, 1000);
    replay(FOUND - 2, &silence);
    replay_total(FOUND - 1, STARTED_US - US_PER_HOUR, 1020);
    replay(FOUND, &ended);
    assert_true(gateway_replayed(fixture.gateway));
    assert_int_equal(fixture.alarm_count, 0);
}

/* The day's water is an alarm, whether or not the meter has had one like it before. */
static void running_water_is_told_again(void **state)
{
    struct signal running = signal_of("meter_json", METER, SIGNAL_RUNNING_WATER);

    (void)state;
    start();
    fixture.settings.silence.rules |= SILENCE_DAILY;
    gateway_configure(fixture.gateway, &fixture.settings);
    fixture_publish_json("meter", METER, "reading", "{\"total_l\":4000}");
    replay(FOUND - 2, &running);
    replay_total(FOUND - 1, STARTED_US - 10 * US_PER_HOUR, 1000);
    gateway_durable(fixture.gateway, FOUND + 1);
    replay_total(FOUND + 1, STARTED_US, 4000);
    assert_true(gateway_replayed(fixture.gateway));
    assert_int_equal(fixture.alarm_count, 1);
    assert_int_equal(fixture.alarms[0].kind, SIGNAL_RUNNING_WATER);
}

/* Who finds no room waits for the end of the replay, as if nobody listened yet. */
static void room_for_what_is_heard(void **state)
{
    int beats = 0;

    (void)state;
    start();
    for (; beats < 1000 && gateway_has_room(fixture.gateway); beats++)
        say(BEAT);
    assert_int_equal(beats, DECODE_SIGNALS_MAX + 1);
    assert_int_equal(gateway_input(fixture.gateway, session, bytes_of(BEAT)), 0);
    assert_true(gateway_replayed(fixture.gateway));
    say(BEAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_press_is_one_alarm, fixture_close),
        cmocka_unit_test_teardown(a_new_press_is_raised, fixture_close),
        cmocka_unit_test_teardown(a_lost_device_returns, fixture_close),
        cmocka_unit_test_teardown(a_reading_comes_after_the_journal, fixture_close),
        cmocka_unit_test_teardown(a_decision_is_not_replayed, fixture_close),
        cmocka_unit_test_teardown(a_reading_ends_a_silence, fixture_close),
        cmocka_unit_test_teardown(a_press_ends_a_silence, fixture_close),
        cmocka_unit_test_teardown(an_end_is_told_once, fixture_close),
        cmocka_unit_test_teardown(running_water_is_told_again, fixture_close),
        cmocka_unit_test_teardown(room_for_what_is_heard, fixture_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
