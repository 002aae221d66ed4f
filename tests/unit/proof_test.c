/*
 * Who is believed to be the device: secrets, certificates, topics, and what those who are not can change.
 */
#include "tests/support/gateway_fixture.h"

#define BAND "W-PROOF"
#define CONNECTION 5

/* The watch protocol has no proof of its own. */
static uint64_t connect_watch(const char *certificate)
{
    uint64_t session = gateway_connected(fixture.gateway, codec_find("watch"), CONNECTION);

    gateway_introduce(fixture.gateway, session, &(struct introduction){.identity = certificate});
    return session;
}

static void say(uint64_t session, const char *identity, const char *content)
{
    char frame[256];

    snprintf(frame, sizeof(frame), "[3G*%s*%04x*%s]", identity, (unsigned)strlen(content), content);
    assert_int_equal(gateway_input(fixture.gateway, session, bytes_of(frame)), strlen(frame));
    gateway_durable(fixture.gateway, fixture.number);
}

static uint32_t flags_of_press(uint64_t session, const char *identity)
{
    static int seconds;
    char content[128];

    snprintf(content, sizeof(content),
             "AL,010126,0304%02d,V,0.0,N,0.0,E,0,0,0,0,80,90,0,0,00010000", seconds++ % 60);
    fixture.alarm_count = 0;
    fixture.sent[0] = '\0';
    say(session, identity, content);
    assert_int_equal(fixture.alarm_count, 1);  /* whatever is odd about it, it is taken */
    assert_string_not_equal(fixture.sent, ""); /* and answered */
    return fixture.alarms[0].flags & SIGNAL_FLAG_UNAUTHENTICATED;
}

static bool was_heard(void)
{
    fixture.touch_count = 0;
    fixture_pass(US_PER_SECOND);
    return fixture.touch_count > 0;
}

static void without_a_secret_a_device_is_believed(void **state)
{
    (void)state;
    fixture_open(16);
    fixture_device(1, "watch", "7300000001", DEVICE_WRISTBAND, "");
    assert_false(flags_of_press(connect_watch(NULL), "7300000001"));
    assert_true(was_heard());
}

static void with_a_secret_it_must_be_proven(void **state)
{
    (void)state;
    fixture_open(16);
    fixture_device(1, "watch", "7300000001", DEVICE_WRISTBAND, "by certificate");
    assert_true(flags_of_press(connect_watch(NULL), "7300000001"));
    assert_false(was_heard());
    assert_false(flags_of_press(connect_watch("7300000001"), "7300000001"));
    assert_true(was_heard());
    assert_int_equal(gateway_counters(fixture.gateway)->unauthenticated, 1);
}

static void a_certificate_of_another_contradicts(void **state)
{
    char name[IDENTITY_LIMIT + 10];

    (void)state;
    fixture_open(16);
    fixture_device(1, "watch", "7300000001", DEVICE_WRISTBAND, "");
    assert_true(flags_of_press(connect_watch("7300000002"), "7300000001"));
    assert_true(flags_of_press(connect_watch(""), "7300000001"));           /* it names nobody */
    assert_true(flags_of_press(connect_watch("7300000002"), "7399999999")); /* of no device */
    memset(name, '7', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_true(flags_of_press(connect_watch(name), "7300000001"));
    assert_false(was_heard());
}

/* Of the native topics; those of network servers name many devices. */
static void a_topic_proves_where_the_broker_sees_to_it(void **state)
{
    (void)state;
    for (int proves = 0; proves <= 1; proves++) {
        fixture_open(16);
        fixture.settings.mqtt_proves = proves;
        gateway_configure(fixture.gateway, &fixture.settings);
        fixture_device(1, "meter_json", BAND, DEVICE_WRISTBAND, "any");
        fixture_publish_json("wristband", BAND, "heartbeat", "{\"battery\":80}");
        assert_int_equal(was_heard(), proves);
        fixture_publish_json("wristband", BAND, "alarm", "{\"type\":\"panic\"}");
        assert_int_equal(fixture.alarm_count, 1);
        assert_int_equal(!(fixture.alarms[0].flags & SIGNAL_FLAG_UNAUTHENTICATED), proves);
        if (!proves)
            fixture_close(NULL);
    }
}

static void a_forged_meter_writes_nothing(void **state)
{
    (void)state;
    fixture_open(16);
    fixture_device(1, "meter_json", "WM-1", DEVICE_METER, "any");
    fixture_device(2, "meter_json", "WM-2", DEVICE_METER, "");
    fixture_publish_json("meter", "WM-1", "reading", "{\"total_l\":5}");
    assert_int_equal(fixture.readings, 0);
    fixture_publish_json("meter", "WM-2", "reading", "{\"total_l\":5}");
    assert_int_equal(fixture.readings, 1);
}

static void a_forged_press_never_stands_for_the_real_one(void **state)
{
    static const char press[] = "AL,010126,030405,V,0.0,N,0.0,E,0,0,0,0,80,90,0,0,00010000";
    uint64_t forger, device;

    (void)state;
    fixture_open(16);
    fixture_device(1, "watch", "7300000001", DEVICE_WRISTBAND, "by certificate");
    forger = connect_watch(NULL);
    device = connect_watch("7300000001");
    say(forger, "7300000001", press);
    say(forger, "7300000001", press);
    assert_int_equal(fixture.alarm_count, 1);
    say(device, "7300000001", press); /* the same message, and not a repetition */
    say(device, "7300000001", press);
    assert_int_equal(fixture.alarm_count, 2);
    assert_false(fixture.alarms[1].flags & SIGNAL_FLAG_UNAUTHENTICATED);
}

static void options_reach_the_codec(void **state)
{
    /* A cold meter's answer: 12.34 m3, status 20 in its low byte, sum at the end. */
    uint8_t frame[] = {0x68, 0x10, 0x01, 0,    0, 0, 0,    0,    0, 0x81, 0x16, 0x90,
                       0x1F, 0,    0x34, 0x12, 0, 0, 0x2C, 0,    0, 0,    0,    0x2C,
                       0,    0,    0,    0,    0, 0, 0,    0x20, 0, 0,    0x16};

    (void)state;
    for (size_t i = 0; i < sizeof(frame) - 2; i++)
        frame[sizeof(frame) - 2] = (uint8_t)(frame[sizeof(frame) - 2] + frame[i]);
    for (uint32_t options = 0; options <= CODEC_OPTION_METER_STATUS_VENDOR; options++) {
        fixture_open(0);
        fixture_device(1, "cjt188", "00000000000001", DEVICE_METER, "");
        uint64_t session = gateway_connected(fixture.gateway, codec_find("cjt188"), CONNECTION);

        gateway_introduce(fixture.gateway, session, &(struct introduction){.options = options});
        gateway_input(fixture.gateway, session, (struct bytes){frame, sizeof(frame)});
        assert_int_equal(fixture.readings, 1);
        assert_int_equal(fixture.alarm_count, options); /* its battery is low only by those masks */
        if (options == 0)
            fixture_close(NULL);
    }
}

#define TEST(function) cmocka_unit_test_teardown(function, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_secret_a_device_is_believed),
        TEST(with_a_secret_it_must_be_proven),
        TEST(a_certificate_of_another_contradicts),
        TEST(a_topic_proves_where_the_broker_sees_to_it),
        TEST(a_forged_meter_writes_nothing),
        TEST(a_forged_press_never_stands_for_the_real_one),
        TEST(options_reach_the_codec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
