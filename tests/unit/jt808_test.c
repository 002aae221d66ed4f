/* What JT/T 808 reports say, and when an alarm in them is a new one. */
#include "tests/unit/jt808_frames.h"

static void an_emergency_is_a_panic_and_confirmed(void **state)
{
    const struct signal *signal = take_one(0x0200, "00000001" PLACE("00000002") "3001"
                                                                                "1f"
                                                                                "e402"
                                                                                "0142"
                                                                                "f802"
                                                                                "04b0");

    (void)state;
    assert_int_equal(outcome.signal_count, 1);
    assert_int_equal(signal->kind, SIGNAL_PANIC);
    assert_string_equal(signal->identity, "19900000042");
    assert_string_equal(signal->code, "0200 00000001");
    assert_string_equal(signal->message_id, "1767323045-0007");
    assert_int_equal(signal->occurred_at_us, AT_US);
    assert_int_equal(signal->latitude_e7, 305000000);
    assert_int_equal(signal->longitude_e7, 1042500000);
    assert_int_equal(signal->gsm_percent, 100);
    assert_int_equal(signal->battery_percent, 66);
    assert_int_equal(signal->steps, 1200);
    assert_int_equal(signal->flags, 0);
    replied("80010005" PHONE "0007"
            "0007"
            "0200"
            "04",
            NULL);
}

/* Kinds of the signals of one 0x0200 with these bits, behind a plain report. */
static void raises(const char *bits, const char *elements, const uint8_t *kinds, size_t count)
{
    char body[512];

    snprintf(body, sizeof(body), "%s" PLACE("00000002") "%s", bits, elements);
    take_one(0x0200, body);
    assert_int_equal(outcome.signal_count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(outcome.signals[i].kind, kinds[i]);
}

static void each_alarm_bit_is_a_signal(void **state)
{
    (void)state;
    raises("60900181", "",
           (uint8_t[]){SIGNAL_PANIC, SIGNAL_FALL, SIGNAL_WANDER, SIGNAL_MAINS_LOST,
                       SIGNAL_LOW_BATTERY},
           5);
    raises("00100000", "1206010000000900", (uint8_t[]){SIGNAL_WANDER_RESTORED}, 1);
    raises("00100000", "1206010000000901", (uint8_t[]){SIGNAL_WANDER}, 1);
    raises("00010400", "", (uint8_t[]){SIGNAL_POSITION}, 1); /* a vehicle's own affairs */
    /* What vendors say in elements of their own. */
    raises("00000000", "e7080002000000000000", (uint8_t[]){SIGNAL_PANIC}, 1);
    raises("00000000",
           "e804"
           "0c0101ff",
           (uint8_t[]){SIGNAL_PANIC}, 1);
    raises("00000000",
           "e803"
           "0c1200",
           (uint8_t[]){SIGNAL_TAMPER}, 1);
    raises("00000000",
           "eb08"
           "00060089ffffefff",
           (uint8_t[]){SIGNAL_TAMPER}, 1);
    raises("00000000",
           "eb05"
           "000300c603",
           (uint8_t[]){SIGNAL_LOW_BATTERY}, 1);
    raises("00000000",
           "eb05"
           "000300e12a",
           (uint8_t[]){SIGNAL_POSITION}, 1);
    assert_int_equal(outcome.signals[0].battery_percent, 42);
    raises("00000000",
           "5602"
           "0900"
           "e4ff",
           (uint8_t[]){SIGNAL_POSITION}, 1); /* the last is cut */
    assert_int_equal(outcome.signals[0].battery_percent, 90);
}

static void an_emergency_rings_when_it_rises(void **state)
{
    (void)state;
    begin();
    add_message(0x0200, 1, "00000001" PLACE("00000002"));
    add_message(0x0200, 2, "00000001" PLACE("00000002")); /* not confirmed yet */
    add_message(0x0002, 3, "");
    add_message(0x0200, 4, "00000001" PLACE("00000002"));
    assert_int_equal(drive_alarms((take(), &outcome)), 1);
    assert_int_equal(outcome.signals[1].kind, SIGNAL_POSITION);
    add_message(0x0200, 5, "00000000" PLACE("00000002"));
    add_message(0x0200, 6, "00000001" PLACE("00000002"));
    take();
    assert_int_equal(drive_alarms(&outcome), 2);
    assert_string_not_equal(outcome.signals[0].message_id, outcome.signals[5].message_id);
    /* Another terminal behind the same connection, and the states that have an end. */
    add("0200001c"
        "019900000043"
        "0007"
        "00000181" PLACE("00000002"));
    add("0200001c"
        "019900000043"
        "0008"
        "00000001" PLACE("00000002"));
    take();
    assert_int_equal(outcome.signals[6].kind, SIGNAL_PANIC);
    assert_string_equal(outcome.signals[6].identity, "19900000043");
    assert_int_equal(outcome.signals[9].kind, SIGNAL_MAINS_RESTORED);
    assert_int_equal(outcome.signals[10].kind, SIGNAL_BATTERY_RESTORED);
}

/* A device that sends presses only never lets the bit fall. */
static void an_emergency_long_after_the_last_is_new(void **state)
{
    struct codec_environment environment = drive_environment();
    struct codec_session session = {0};
    struct signal signals[4];
    struct message message;
    const int after_s[] = {0, 30, 30, 61};
    const uint8_t expected[] = {SIGNAL_PANIC, SIGNAL_POSITION, SIGNAL_POSITION, SIGNAL_PANIC};

    (void)state;
    begin();
    add_message(0x0200, 1, "00000001" PLACE("00000002"));
    message = (struct message){.body = writer_view(&input)};
    for (int i = 0; i < 4; i++) {
        environment.now_us += after_s[i] * INT64_C(1000000);
        assert_int_equal(jt808_codec.decode(&message, &session, &environment, signals, 4), 1);
        assert_int_equal(signals[0].kind, expected[i]);
    }
}

static void kept_reports_have_a_state_of_their_own(void **state)
{
    (void)state;
    begin();
    add_message(0x0200, 1, "00000001" PLACE("00000002"));
    add_message(
        0x0704, 2,
        "000301"
        "001c"
        "00000000" PLACE("00000002") "001c"
                                     "00000001" PLACE("00000006") "001c"
                                                                  "00000001" PLACE("0000000a"));
    add_message(0x0200, 3, "00000001" PLACE("00000002"));
    take();
    assert_int_equal(outcome.signal_count, 5);
    assert_int_equal(drive_alarms(&outcome), 2);
    assert_int_equal(outcome.signals[2].kind, SIGNAL_PANIC);
    assert_int_equal(outcome.signals[2].flags, SIGNAL_FLAG_STORED);
    assert_int_equal(outcome.signals[2].latitude_e7, -305000000);
    assert_int_equal(outcome.signals[3].longitude_e7, -1042500000);
    /* A batch of live ones is live; its last report is cut and still read. */
    take_one(0x0704, "000200"
                     "001c"
                     "00000000" PLACE("00000002") "0020"
                                                  "00000001");
    assert_int_equal(outcome.signals[1].kind, SIGNAL_PANIC);
    assert_int_equal(outcome.signals[1].flags,
                     SIGNAL_FLAG_LENGTH_WRONG | SIGNAL_FLAG_NO_POSITION | SIGNAL_FLAG_CLOCK_WRONG);
    assert_string_equal(outcome.signals[1].message_id, "");
    replied("80010005" PHONE "0007"
            "0007"
            "0704"
            "00",
            NULL);
    take_one(0x0210, "1c"
                     "00000000" PLACE("00000002") "1c"
                                                  "00000001" PLACE("00000002"));
    assert_int_equal(outcome.signals[1].kind, SIGNAL_PANIC);
}

static void odd_reports_are_understood(void **state)
{
    const struct signal *signal = take_one(0x0200, "00000000" PLACE("00000000"));

    (void)state;
    assert_int_equal(signal->kind, SIGNAL_POSITION);
    assert_int_equal(signal->flags, SIGNAL_FLAG_NO_POSITION); /* the last place it knew */
    signal = take_one(0x0200, "00000000"
                              "00000002"
                              "0000000000000000"
                              "000000000000000000000000");
    assert_int_equal(signal->kind, SIGNAL_HEARTBEAT);
    assert_int_equal(signal->flags, SIGNAL_FLAG_NO_POSITION | SIGNAL_FLAG_CLOCK_WRONG);
    signal = take_one(0x0200, "00000000"
                              "00000002"
                              "055d4a8101010101"
                              "000000000000260102110405");
    assert_false(signal->has & MEASURE_POSITION);
    signal = take_one(0x0201, "0001"
                              "00000001" PLACE("00000002"));
    assert_int_equal(signal->kind, SIGNAL_PANIC);
    replied(NULL, NULL);
    signal = take_one(0x0200, "0000");
    assert_int_equal(signal->kind, SIGNAL_HEARTBEAT);
    signal = take_one(0x0002, "550b00");
    assert_int_equal(signal->battery_percent, 85);
}

static void the_form_of_2019_and_packages_are_read(void **state)
{
    (void)state;
    begin();
    add("0200401c01"
        "00000000019900000042"
        "0009"
        "00000001" PLACE("00000002"));
    assert_int_equal(take()->kind, SIGNAL_PANIC);
    assert_string_equal(outcome.signals[0].identity, "19900000042");
    replied("8001400501"
            "00000000019900000042"
            "0009"
            "0009"
            "0200"
            "04",
            NULL);
    begin();
    add("02002004" PHONE "0009"
        "00020001"
        "00000001");
    add("02002004" PHONE "000a"
        "00020002"
        "ffffffff");
    assert_int_equal(take()->kind, SIGNAL_PANIC);
    assert_int_equal(outcome.signals[1].kind, SIGNAL_HEARTBEAT);
    /* A phone that is no number is an identity all the same. */
    begin();
    add("00020000"
        "4eb6fb4ad628"
        "0001");
    assert_string_equal(take()->identity, "4EB6FB4AD628");
}

/* Cut, damaged and doubled; damage that spares the id and the alarm bits spares the alarm. */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_emergency_is_a_panic_and_confirmed),
        cmocka_unit_test(each_alarm_bit_is_a_signal),
        cmocka_unit_test(an_emergency_rings_when_it_rises),
        cmocka_unit_test(an_emergency_long_after_the_last_is_new),
        cmocka_unit_test(kept_reports_have_a_state_of_their_own),
        cmocka_unit_test(odd_reports_are_understood),
        cmocka_unit_test(the_form_of_2019_and_packages_are_read),
    };

    return cmocka_run_group_tests_name("jt808", tests, NULL, NULL);
}
