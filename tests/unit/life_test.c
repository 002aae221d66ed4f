/*
 * What is a sign of life: which messages of a home's devices begin the silence of its meter anew, and
 * which do not, however alive the device is that sent them. As frames, so that codec and gateway are
 * held to it together.
 */
#include "daemon/core/view.h"
#include "protocol/checksum.h"
#include "tests/support/gateway_fixture.h"

#define METER "M-LIFE"
#define WATCH "7300000001"
#define LK(steps) "[3G*" WATCH "*000c*LK," steps ",0,80]"
#define PLACE "091025,085320,A,30.5,N,104.25,E,0,0,0,5,80,90,"
#define REPORT(type, steps, status) "[3G*" WATCH "*0040*" type "," PLACE steps ",0," status "]"

struct row {
    const char *what, *codec, *identity;
    enum device_kind kind;
    const char *before, *sign; /* as the device sends them; JSON: channel, blank, body */
    bool is_life;
};

/* When the silence of the meter began. */
static int64_t silent_since(void)
{
    uint32_t position = 0;
    struct view_meter meter;

    assert_true(view_next_meter(fixture.gateway, &position, &meter));
    return meter.detail.since_us;
}

/* A home whose meter showed a use an hour ago. */
static void open_home(void)
{
    fixture_open(0);
    fixture_device(1, "meter_json", METER, DEVICE_METER, "");
    fixture_publish_json("meter", METER, "reading", "{\"total_l\":1000}");
    fixture_pass(US_PER_HOUR);
    fixture_publish_json("meter", METER, "reading", "{\"total_l\":1020}");
    assert_int_equal(silent_since(), fixture.now.wall_us);
    fixture_pass(US_PER_HOUR);
    assert_int_equal(silent_since(), fixture.now.wall_us - US_PER_HOUR);
}

static void send(const struct row *row, uint64_t session, const char *text)
{
    struct bytes body = bytes_of(text);
    struct bytes channel;
    char name[32];

    if (codecs[codec_find(row->codec)]->split) {
        assert_int_equal(gateway_input(fixture.gateway, session, body), body.size);
        return;
    }
    assert_true(bytes_next_field(&body, ' ', &channel));
    bytes_copy_text(channel, name, sizeof(name));
    fixture_publish_json(device_kind_name(row->kind), row->identity, name, (const char *)body.data);
}

static void check(const struct row *row)
{
    int codec = codec_find(row->codec);
    uint64_t session = 0;

    if (codecs[codec]->split)
        session = gateway_connected(fixture.gateway, codec, 1);
    if (row->before)
        send(row, session, row->before);
    fixture_pass(US_PER_MINUTE);
    send(row, session, row->sign);
    if ((silent_since() == fixture.now.wall_us) != row->is_life)
        fail_msg("%s %s %s", row->codec, row->what, row->is_life ? "is none" : "is one");
}

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        open_home();
        if (strcmp(rows[i].identity, METER) != 0)
            fixture_device(2, rows[i].codec, rows[i].identity, rows[i].kind, "");
        check(&rows[i]);
        fixture_close(NULL);
    }
}

#define BAND(what, before, sign, is_life)                                                          \
    {                                                                                              \
        what, "watch", WATCH, DEVICE_WRISTBAND, before, sign, is_life                              \
    }

static void of_a_wristband(void **state)
{
    static const struct row rows[] = {
        BAND("more steps", LK("100"), LK("101"), true),
        BAND("as many steps", LK("100"), LK("100"), false),
        BAND("a counter that began anew", LK("100"), LK("7"), false),
        BAND("the first count of steps", NULL, LK("100"), false),
        BAND("steps out of nothing", LK("0"), LK("100"), false),
        BAND("more steps beside a position", LK("100"), REPORT("UD", "120", "0000"), true),
        BAND("steps of hours ago", LK("100"), REPORT("UD2", "120", "0000"), false),
        BAND("a keep-alive", LK("100"), "[3G*" WATCH "*0002*LK]", false),
        BAND("a position", NULL, REPORT("UD", "0", "0000"), false),
        BAND("its moving about", NULL, REPORT("UD", "0", "0010"), false),
        BAND("a pulse", NULL, "[3G*" WATCH "*0008*heart,72]", true),
        BAND("no pulse", NULL, "[3G*" WATCH "*0007*heart,0]", false),
        BAND("blood pressure", NULL, "[3G*" WATCH "*0010*bphrt,120,80,,,,]", true),
        BAND("oxygen", NULL, "[3G*" WATCH "*000b*oxygen,0,98]", true),
        BAND("a temperature, which a table has too", NULL, "[3G*" WATCH "*0009*TEMP,36.5]", false),
        BAND("a press", NULL, REPORT("AL", "0", "00010000"), true),
        BAND("a fall", NULL, REPORT("AL", "0", "00200000"), false),
        BAND("being taken off", NULL, REPORT("AL", "0", "00100000"), false),
        BAND("leaving the fence", NULL, REPORT("AL", "0", "00040000"), false),
        BAND("a low battery", NULL, REPORT("AL", "0", "00020000"), false),
        BAND("the answer to a command", NULL, "[3G*" WATCH "*0002*CR]", false),
    };

    (void)state;
    check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

#define JSON(what, kind, before, sign, is_life)                                                    \
    {                                                                                              \
        what, "meter_json", "X-LIFE", kind, before, sign, is_life                                  \
    }

static void of_native_json(void **state)
{
    static const struct row rows[] = {
        JSON("a press", DEVICE_CALL_BOX, NULL, "alarm {\"type\":\"panic\"}", true),
        JSON("a press of an unknown name", DEVICE_CALL_BOX, NULL, "alarm {\"type\":\"?\"}", true),
        JSON("a service", DEVICE_CALL_BOX, NULL, "alarm {\"type\":\"service:taxi\"}", true),
        JSON("a press taken back", DEVICE_CALL_BOX, NULL, "alarm {\"type\":\"cancel\"}", true),
        JSON("a press of hours ago", DEVICE_CALL_BOX, NULL,
             "alarm {\"type\":\"panic\",\"stored\":true}", false),
        JSON("a test", DEVICE_CALL_BOX, NULL, "alarm {\"type\":\"test\"}", false),
        JSON("a leak", DEVICE_CALL_BOX, NULL, "alarm {\"type\":\"leak\"}", false),
        JSON("mains lost", DEVICE_CALL_BOX, NULL, "alarm {\"type\":\"mains_lost\"}", false),
        JSON("mains restored", DEVICE_CALL_BOX, NULL, "alarm {\"type\":\"mains_restored\"}", false),
        JSON("tampering", DEVICE_CALL_BOX, NULL, "alarm {\"type\":\"tamper\"}", false),
        JSON("what nobody can read", DEVICE_CALL_BOX, NULL, "alarm {\"type\":", false),
        JSON("a heartbeat", DEVICE_CALL_BOX, NULL, "heartbeat {}", false),
        JSON("a battery", DEVICE_WRISTBAND, NULL, "heartbeat {\"battery\":50}", false),
        JSON("a pulse", DEVICE_WRISTBAND, NULL, "heartbeat {\"heart_rate\":70}", true),
        JSON("a pulse of hours ago", DEVICE_WRISTBAND, NULL,
             "heartbeat {\"heart_rate\":70,\"stored\":true}", false),
        JSON("more steps", DEVICE_WRISTBAND, "heartbeat {\"steps\":100}",
             "heartbeat {\"steps\":101}", true),
    };
    const struct row meter[] = {
        {"a use", "meter_json", METER, DEVICE_METER, NULL, "reading {\"total_l\":1040}", true},
        {"no use", "meter_json", METER, DEVICE_METER, NULL, "reading {\"total_l\":1020}", false},
        {"a meter's alarm", "meter_json", METER, DEVICE_METER, NULL, "alarm {\"type\":\"panic\"}",
         false},
        {"a meter's heartbeat", "meter_json", METER, DEVICE_METER, NULL, "heartbeat {}", false},
    };

    (void)state;
    check_rows(rows, sizeof(rows) / sizeof(rows[0]));
    check_rows(meter, sizeof(meter) / sizeof(meter[0]));
}

/* A Contact ID event of the call box 0A42. */
static void of_a_call_box(void **state)
{
    static const struct {
        const char *event;
        bool is_life;
    } events[] = {
        {"1101 01 007", true},  {"1120 01 007", true},  {"3101 01 007", false},
        {"1401 01 007", true},  {"3401 01 007", true},  {"1408 01 007", true},
        {"1441 01 007", true},  {"1406 01 007", true},  {"1601 00 000", false},
        {"1602 00 000", false}, {"1301 00 000", false}, {"3301 00 000", false},
        {"1302 00 000", false}, {"1137 00 000", false}, {"1154 00 000", false},
        {"1354 00 000", false}, {"1570 01 007", false},
    };
    char text[64], frame[128];

    (void)state;
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        struct row row = {events[i].event, "sia_dc09",       "0A42", DEVICE_CALL_BOX, NULL,
                          frame,           events[i].is_life};

        snprintf(text, sizeof(text), "\"ADM-CID\"0001L0#0A42[#0A42|%s]", events[i].event);
        snprintf(frame, sizeof(frame), "\n%04X0%03zX%s\r", checksum_crc16_arc(bytes_of(text)),
                 strlen(text), text);
        check_rows(&row, 1);
    }
}

/* What each protocol composes, by its kind alone. */
static void of_every_protocol(void **state)
{
    static const char *const identities[] = {"0A42", WATCH, "13800000042", "350000000000017"};
    static uint8_t bytes[REPLY_MAX];
    struct codec_environment environment = {.now_us = STARTED_US};
    int said = 0;

    (void)state;
    for (int c = 0; c < codec_count; c++)
        for (int kind = SIGNAL_PANIC; codecs[c]->split && kind <= SIGNAL_LIFE; kind++) {
            struct codec_session session = {0};
            struct writer topic = writer_into(NULL, 0), out;
            struct signal signal = {.kind = (uint8_t)kind, .heart_rate = 70};
            bool can = false;

            if (kind == SIGNAL_VITALS)
                signal.has = MEASURE_HEART_RATE;
            if (strcmp(codecs[c]->name, "cjt188") == 0)
                continue; /* meters */
            for (size_t i = 0; !can && i < sizeof(identities) / sizeof(identities[0]); i++) {
                snprintf(signal.identity, sizeof(signal.identity), "%s", identities[i]);
                out = writer_into(bytes, sizeof(bytes));
                can = codecs[c]->compose(&signal, &session, &environment, &topic, &out);
            }
            if (!can)
                continue;
            said++;
            open_home();
            fixture_device(2, codecs[c]->name, signal.identity, DEVICE_WRISTBAND, "");
            gateway_input(fixture.gateway, gateway_connected(fixture.gateway, c, 1),
                          writer_view(&out));
            bool is_life = kind == SIGNAL_PANIC || kind == SIGNAL_SERVICE ||
                           kind == SIGNAL_CANCEL || kind == SIGNAL_LIFE || kind == SIGNAL_VITALS;
            if ((silent_since() == fixture.now.wall_us) != is_life)
                fail_msg("%s %s", codecs[c]->name, signal_kind_name((enum signal_kind)kind));
            fixture_close(NULL);
        }
    assert_true(said > 40);
}

/* The same press, of somebody else. */
static void of_others_none(void **state)
{
    const struct row press = BAND("a press", NULL, REPORT("AL", "0", "00010000"), false);
    struct device_entry entry = {.protocol = (uint8_t)codec_find("watch"),
                                 .kind = DEVICE_WRISTBAND,
                                 .identity = WATCH,
                                 .device_id = 2,
                                 .household_id = 2};

    (void)state;
    open_home();
    check(&press); /* of nobody that is known */
    fixture_close(NULL);
    open_home();
    assert_true(gateway_device(fixture.gateway, &entry));
    check(&press); /* of another home */
    fixture_close(NULL);
    open_home();
    fixture_device(2, "watch", WATCH, DEVICE_WRISTBAND, "hush");
    check(&press); /* of somebody who did not prove who it is */
}

/* Steps that were kept say nothing of now, nor do they make those of now look like more. */
static void of_steps_that_were_kept_none(void **state)
{
    const struct row again = BAND("as many steps", REPORT("UD2", "40", "0000"), LK("100"), false);

    (void)state;
    open_home();
    fixture_device(2, "watch", WATCH, DEVICE_WRISTBAND, "");
    send(&again, gateway_connected(fixture.gateway, codec_find("watch"), 2), LK("100"));
    check(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_wristband),
        cmocka_unit_test(of_native_json),
        cmocka_unit_test(of_a_call_box),
        cmocka_unit_test(of_every_protocol),
        cmocka_unit_test_teardown(of_others_none, fixture_close),
        cmocka_unit_test_teardown(of_steps_that_were_kept_none, fixture_close),
    };

    return cmocka_run_group_tests_name("life", tests, NULL, NULL);
}
