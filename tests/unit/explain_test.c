/* Why a silence is explained, and what people found out about the alarms: a gateway on virtual time with a
 * meter, a wristband and a stranger's wristband. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/gateway.h"
#include "daemon/core/gateway_start.h"
#include "daemon/core/place.h"
#include "daemon/core/view.h"

#define START_US (INT64_C(1700006400) * US_PER_SECOND)
#define METER "WM-1"
#define RECORDS_MAX 4096

struct home {
    struct gateway *gateway;
    void *memory;
    struct log log;
    struct gateway_settings settings;
    struct device_entry meter;
    int64_t hour, total_l;
    size_t count;
    struct {
        enum lane lane;
        uint8_t bytes[ARRIVAL_SIZE_MAX];
        size_t size;
    } * records;
    struct profile copy; /* the last one offered */
    uint8_t state[PROFILE_STATE_MAX];
    char detail[PROFILE_DETAIL_MAX + 1];
};

static const struct gateway_limits limits = {.devices_max = 4,
                                             .sessions_max = 1,
                                             .outbox_bytes = 64 << 10,
                                             .pledge_bytes = 8 << 10,
                                             .recent_sets = 16};

static enum append_room append_room(void *context)
{
    (void)context;
    return APPEND_READY;
}

static uint64_t append(void *context, enum lane lane, struct bytes payload)
{
    struct home *home = context;

    assert_true(home->count < RECORDS_MAX);
    home->records[home->count].lane = lane;
    home->records[home->count].size = payload.size;
    memcpy(home->records[home->count].bytes, payload.data, payload.size);
    return ++home->count;
}

static bool submit(void *context, const struct store_batch *batch)
{
    gateway_stored(((struct home *)context)->gateway, batch->id, STORE_COMMITTED, "");
    return true;
}

static size_t touch(void *context, const struct device_touch *touches, size_t count)
{
    (void)context, (void)touches;
    return count;
}

static void keep_profile(void *context, const struct profile *profile)
{
    struct home *home = context;

    home->copy = *profile;
    memcpy(home->state, profile->state.data, profile->state.size);
    memcpy(home->detail, profile->detail.data, profile->detail.size);
    home->detail[profile->detail.size] = '\0';
}

static bool read_back(void *context, enum lane lane, uint64_t after)
{
    (void)context, (void)lane, (void)after;
    return true;
}

static struct instant now_of(const struct home *home)
{
    int64_t since_us = home->hour * US_PER_HOUR;

    return (struct instant){US_PER_HOUR + since_us, START_US + since_us};
}

/* Starts the gateway, anew or after a crash; what the journal holds is told to it. */
static void start(struct home *home)
{
    struct gateway_ports ports = {.context = home,
                                  .append_room = append_room,
                                  .append = append,
                                  .submit = submit,
                                  .touch = touch,
                                  .profile = keep_profile,
                                  .read_back = read_back,
                                  .log = &home->log};
    struct device_entry band = {.protocol = (uint8_t)codec_find("watch"),
                                .kind = DEVICE_WRISTBAND,
                                .identity = "8800000015",
                                .device_id = 2,
                                .household_id = 1,
                                .latitude_e7 = 312300000,
                                .longitude_e7 = 1214700000};
    size_t count = home->count;

    memset(home->memory, 0, gateway_memory_size(&limits));
    home->gateway = gateway_init(home->memory, &limits, &home->settings, &ports, now_of(home));
    assert_true(gateway_device(home->gateway, &home->meter));
    assert_true(gateway_device(home->gateway, &band));
    for (size_t i = 0; i < count; i++)
        gateway_replay(home->gateway, home->records[i].lane, i + 1,
                       (struct bytes){home->records[i].bytes, home->records[i].size});
    gateway_replayed(home->gateway);
    gateway_durable(home->gateway, home->count);
}

static void settle(struct home *home)
{
    gateway_profile(home->gateway, home->meter.protocol, METER, (struct bytes){NULL, 0});
}

static struct home *open_home(void)
{
    struct home *home = calloc(1, sizeof(*home));

    home->settings = (struct gateway_settings){.clock_wrong_us = US_PER_DAY,
                                               .partial_frame_us = US_PER_MINUTE,
                                               .keep_round_us = US_PER_HOUR,
                                               .batch_records = 16,
                                               .in_flight = 2,
                                               .silence = silence_settings_default(),
                                               .care_call_us = 6 * US_PER_HOUR,
                                               .home_radius_m = 1000,
                                               .outside_us = 6 * US_PER_HOUR};
    home->memory = malloc(gateway_memory_size(&limits));
    home->records = calloc(RECORDS_MAX, sizeof(*home->records));
    home->meter = (struct device_entry){.protocol = (uint8_t)codec_find("meter_json"),
                                        .kind = DEVICE_METER,
                                        .identity = METER,
                                        .device_id = 1,
                                        .household_id = 1};
    start(home);
    settle(home);
    return home;
}

static void close_home(struct home *home)
{
    free(home->records);
    free(home->memory);
    free(home);
}

static void publish(struct home *home, const char *topic, const char *body)
{
    gateway_message(home->gateway,
                    &(struct message){.topic = bytes_of(topic), .body = bytes_of(body)});
}

static void tick(struct home *home)
{
    gateway_now(home->gateway, now_of(home));
    while (gateway_tick(home->gateway))
        ;
    gateway_durable(home->gateway, home->count);
}

/* Hours pass, each with a reading at its end; `litres` ran in each. */
static void live(struct home *home, int hours, int64_t litres)
{
    char body[96];

    for (int i = 0; i < hours; i++) {
        home->hour++;
        tick(home);
        home->total_l += litres;
        snprintf(body, sizeof(body), "{\"total_l\":%lld}", (long long)home->total_l);
        publish(home, "onekey/v1/meter/" METER "/up/reading", body);
        tick(home);
    }
}

/* How many decisions of that kind were recorded; the last one's detail into `detail`. */
static int decisions(const struct home *home, enum signal_kind kind, char *detail)
{
    struct arrival arrival;
    int count = 0;

    for (size_t i = 0; i < home->count; i++) {
        struct bytes payload = {home->records[i].bytes, home->records[i].size};

        if (home->records[i].lane != LANE_ALARM || !arrival_decode(payload, &arrival) ||
            arrival.signal.kind != kind)
            continue;
        count++;
        if (detail) {
            memcpy(detail, arrival.detail.data, arrival.detail.size);
            detail[arrival.detail.size] = '\0';
        }
    }
    return count;
}

static int64_t hour_us(const struct home *home, int64_t hours_on)
{
    return START_US + (home->hour + hours_on) * US_PER_HOUR;
}

static float bias(const struct home *home)
{
    struct view_meter meter;
    uint32_t position = 0;

    assert_true(view_next_meter(home->gateway, &position, &meter));
    return meter.detail.bias_hours;
}

static void test_an_absence_is_recorded_and_raises_nothing(void **state)
{
    struct home *home = open_home();
    char detail[ARRIVAL_DETAIL_MAX + 1];

    (void)state;
    live(home, 24, 20);
    home->meter.absent = (struct stretch){hour_us(home, 1), hour_us(home, 73)};
    assert_true(gateway_device(home->gateway, &home->meter));
    live(home, 72, 0);
    assert_int_equal(decisions(home, SIGNAL_SILENCE, NULL), 0);
    assert_int_equal(decisions(home, SIGNAL_SILENCE_EXPLAINED, detail), 1);
    assert_non_null(strstr(detail, "\"reasons\":[\"absence\"]"));
    assert_int_equal(gateway_counters(home->gateway)->explained[0], 1);
    assert_int_equal(decisions(home, SIGNAL_CARE_CALL, NULL), 0);
    start(home); /* a crash changes nothing */
    live(home, 8, 0);
    assert_int_equal(decisions(home, SIGNAL_CARE_CALL, detail), 1);
    start(home);
    live(home, 40, 0); /* and what is unexplained is raised within a day of the return */
    assert_int_equal(decisions(home, SIGNAL_CARE_CALL, NULL), 1);
    assert_int_equal(decisions(home, SIGNAL_SILENCE, NULL), 1);
    close_home(home);
}

static void test_water_after_an_absence_calls_nobody(void **state)
{
    struct home *home = open_home();

    (void)state;
    live(home, 24, 20);
    home->meter.absent = (struct stretch){hour_us(home, 0), 0};
    assert_true(gateway_device(home->gateway, &home->meter));
    live(home, 48, 0);
    home->meter.absent = (struct stretch){0, 0}; /* open-ended, and now it has ended */
    assert_true(gateway_device(home->gateway, &home->meter));
    live(home, 3, 0);
    live(home, 24, 10);
    assert_int_equal(decisions(home, SIGNAL_CARE_CALL, NULL), 0);
    assert_int_equal(decisions(home, SIGNAL_SILENCE, NULL), 0);
    close_home(home);
}

static void test_maintenance_stops_the_clock(void **state)
{
    struct home *home = open_home();

    (void)state;
    home->settings.silence.rules = SILENCE_GUARANTEE;
    gateway_configure(home->gateway, &home->settings);
    live(home, 24, 20);
    live(home, 20, 0);
    home->meter.worked_on = (struct stretch){hour_us(home, 0), hour_us(home, 10)};
    assert_true(gateway_device(home->gateway, &home->meter));
    live(home, 12, 0);
    assert_int_equal(decisions(home, SIGNAL_SILENCE, NULL), 0);
    live(home, 3, 0); /* 24 h of which nobody worked on it */
    assert_int_equal(decisions(home, SIGNAL_SILENCE, NULL), 1);
    assert_int_equal(decisions(home, SIGNAL_CARE_CALL, NULL), 0);
    close_home(home);
}

static void test_a_home_has_rules_of_its_own(void **state)
{
    struct home *home = open_home();
    char detail[ARRIVAL_DETAIL_MAX + 1];

    (void)state;
    home->settings.scheme_count = 1;
    home->settings.schemes[0] = (struct silence_scheme){"frail", home->settings.silence};
    home->settings.schemes[0].silence.rules = SILENCE_FIXED | SILENCE_GUARANTEE;
    home->settings.schemes[0].silence.fixed_window_us = 5 * US_PER_HOUR;
    gateway_configure(home->gateway, &home->settings);
    memcpy(home->meter.scheme, "frail", 6);
    assert_true(gateway_device(home->gateway, &home->meter));
    live(home, 12, 20);
    live(home, 4, 0);
    assert_int_equal(decisions(home, SIGNAL_SILENCE, NULL), 0);
    live(home, 1, 0);
    assert_int_equal(decisions(home, SIGNAL_SILENCE, detail), 1);
    assert_non_null(strstr(detail, "\"rules\":[\"fixed\"]"));
    live(home, 24, 20);
    home->meter.silence_window_s = 3 * 3600; /* its own hours go before its scheme's */
    home->meter.silence_ml = 30000;
    assert_true(gateway_device(home->gateway, &home->meter));
    live(home, 12, 20);
    live(home, 2, 0);
    assert_int_equal(decisions(home, SIGNAL_SILENCE, NULL), 2);
    close_home(home);
}

static struct lesson lesson_of(const struct home *home, int64_t id, const char *word)
{
    return (struct lesson){.id = id,
                           .protocol = home->meter.protocol,
                           .identity = METER,
                           .word = word,
                           .at_us = hour_us(home, 0)};
}

static void test_a_lesson_is_taken_once(void **state)
{
    struct home *home = open_home();
    struct lesson lesson = lesson_of(home, 7, "ok_at_home");

    (void)state;
    live(home, 2, 20);
    assert_true(gateway_lesson(home->gateway, &lesson));
    assert_float_equal(bias(home), 0.25F, 1e-4F);
    assert_true(gateway_lesson(home->gateway, &lesson));
    start(home);
    assert_true(gateway_lesson(home->gateway, &lesson));
    assert_float_equal(bias(home), 0.25F, 1e-4F);
    assert_int_equal(home->copy.lesson_id, 7);
    assert_non_null(strstr(home->detail, "\"moved_by_outcomes_hours\":0.25"));
    lesson = lesson_of(home, 8, "needed_help");
    assert_true(gateway_lesson(home->gateway, &lesson));
    assert_true(bias(home) < -0.8F);
    close_home(home);
}

static void test_who_was_met_lives(void **state)
{
    struct home *home = open_home();
    struct lesson lesson;

    (void)state;
    live(home, 24, 20);
    live(home, 30, 0);
    assert_int_equal(decisions(home, SIGNAL_SILENCE, NULL), 1);
    lesson = lesson_of(home, 1, "ok_at_home");
    assert_true(gateway_lesson(home->gateway, &lesson));
    assert_int_equal(decisions(home, SIGNAL_SILENCE_ENDED, NULL), 1);
    live(home, 30, 0); /* a new silence, and it is raised again */
    assert_int_equal(decisions(home, SIGNAL_SILENCE, NULL), 2);
    close_home(home);
}

static void test_a_copy_outlives_the_journal(void **state)
{
    struct home *home = open_home();
    struct lesson lesson = lesson_of(home, 3, "ok_at_home");
    struct profile wanted;
    uint32_t position = 0;

    (void)state;
    live(home, 48, 20);
    assert_true(gateway_lesson(home->gateway, &lesson));
    struct bytes copy = {home->state, home->copy.state.size};
    home->count = 0; /* the journal is gone */
    memset(&home->copy, 0, sizeof(home->copy));
    start(home);
    live(home, 1, 0);
    assert_float_equal(bias(home), 0, 1e-4F);
    gateway_keep(home->gateway, true);
    assert_null(home->copy.identity); /* a blank state does not replace the copy */
    assert_true(gateway_next_blank(home->gateway, &position, &wanted));
    assert_string_equal(wanted.identity, METER);
    gateway_profile(home->gateway, wanted.protocol, wanted.identity, copy);
    assert_float_equal(bias(home), 0.25F, 1e-4F);
    position = 0;
    assert_false(gateway_next_blank(home->gateway, &position, &wanted));
    close_home(home);
}

/* A position `metres` north of home. */
static void band_says(struct home *home, const char *status, double latitude)
{
    char body[256], framed[300];
    uint64_t session = gateway_connected(home->gateway, codec_find("watch"), 1);

    snprintf(body, sizeof(body), "UD,141123,000000,A,%.6f,N,121.470000,E,0.0,0,0,9,100,90,0,0,%s,0",
             latitude, status);
    snprintf(framed, sizeof(framed), "[SG*8800000015*%04zX*%s]", strlen(body), body);
    gateway_input(home->gateway, session, bytes_of(framed));
    gateway_closed(home->gateway, session);
    tick(home);
}

static void test_a_wristband_far_from_home_explains(void **state)
{
    struct home *home = open_home();

    (void)state;
    live(home, 24, 20);
    for (int i = 0; i < 8; i++) {
        band_says(home, "00000000", 31.33); /* 11 km */
        live(home, 5, 0);
    }
    assert_int_equal(decisions(home, SIGNAL_SILENCE, NULL), 0);
    assert_int_equal(decisions(home, SIGNAL_SILENCE_EXPLAINED, NULL), 1);
    band_says(home, "00000000", 31.2305); /* 56 m: back */
    live(home, 26, 0);
    assert_int_equal(decisions(home, SIGNAL_SILENCE, NULL), 1);
    close_home(home);
}

static void test_places_and_their_datum(void **state)
{
    const struct place square = {312304160, 1214737010}, near = {312394160, 1214737010};
    struct place shifted = place_to_gcj02(square);
    const struct place abroad = {515000000, -1000000};

    (void)state;
    assert_float_equal(place_distance_m(square, near), 1000.8, 1);
    assert_float_equal(place_distance_m(square, square), 0, 0.001);
    assert_true(place_distance_m(square, shifted) > 300 && place_distance_m(square, shifted) < 700);
    assert_int_equal(place_to_gcj02(abroad).latitude_e7, abroad.latitude_e7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_absence_is_recorded_and_raises_nothing),
        cmocka_unit_test(test_water_after_an_absence_calls_nobody),
        cmocka_unit_test(test_maintenance_stops_the_clock),
        cmocka_unit_test(test_a_home_has_rules_of_its_own),
        cmocka_unit_test(test_a_lesson_is_taken_once),
        cmocka_unit_test(test_who_was_met_lives),
        cmocka_unit_test(test_a_copy_outlives_the_journal),
        cmocka_unit_test(test_a_wristband_far_from_home_explains),
        cmocka_unit_test(test_places_and_their_datum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
