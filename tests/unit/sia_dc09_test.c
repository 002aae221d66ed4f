/* SIA DC-09, on an invented panel with the account 0A42. */
#include "daemon/edge/cipher.h"
#include "protocol/sia_dc09_text.h"
#include "tests/support/mutate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define AT "_03:04:05,01-02-2026"
#define AT_US INT64_C(1767323045000000)
#define MINUTE_US INT64_C(60000000)
#define VARIANT_SIA 1

extern const struct codec sia_dc09_codec;

static struct outcome outcome;
static struct codec_environment environment;
static char reply_text[4097];

static size_t find_secret(const void *secrets, const char *identity, uint8_t out[64])
{
    const char *secret = secrets;

    if (!secret || strcmp(identity, "0A42") != 0)
        return 0;
    memcpy(out, secret, strlen(secret));
    return strlen(secret);
}

static int set_up(void **state)
{
    (void)state;
    environment = drive_environment();
    environment.now_us = AT_US;
    environment.cipher = &openssl_cipher;
    environment.find_secret = find_secret;
    environment.time_window_before_s = 40;
    environment.time_window_after_s = 20;
    return 0;
}

static const struct signal *take_bytes(struct bytes bytes)
{
    struct message message = {.body = bytes};

    drive(&sia_dc09_codec, &message, 0, &environment, &outcome);
    memcpy(reply_text, outcome.reply, outcome.reply_size);
    reply_text[outcome.reply_size] = '\0';
    return &outcome.signals[0];
}

/* The frame around this body. */
static const struct signal *take(const char *body)
{
    uint8_t memory[SIA_DC09_FRAME_MAX];
    struct writer writer = writer_into(memory, sizeof(memory));

    sia_dc09_frame_write(&writer, bytes_of(body), false);
    return take_bytes(writer_view(&writer));
}

/* An encrypted frame with this id of the panel whose key this is, spelled as it is. */
static const struct signal *take_secret(const char *id, const char *plain, const char *key_text)
{
    struct sia_dc09_key key = {.size = strlen(key_text)};
    char body[1024];
    struct writer writer = writer_into(body, sizeof(body) - 1);

    memcpy(key.bytes, key_text, key.size);
    writer_text(&writer, "\"*");
    writer_text(&writer, id);
    writer_text(&writer, "\"0007L0#0A42[");
    assert_true(sia_dc09_text_encrypt(bytes_of(plain), &key, &openssl_cipher, &writer));
    body[writer.size] = '\0';
    return take(body);
}

/* Its dialect has a constant for a checksum; another tail makes it a damaged message. */
static void a_galaxy_has_no_checksum(void **state)
{
    const struct signal *signal =
        take_bytes(bytes_of("\n01010036\"SIA-DCS\"0007R0073L0011[#0B43|Nri1/PA002]0123456789ABCDEF"
                            "|#0B43\r"));

    (void)state;
    assert_int_equal(signal->kind, SIGNAL_PANIC);
    assert_string_equal(signal->identity, "0B43");
    assert_string_equal(reply_text, "ACK\r");
    signal = take_bytes(bytes_of("\n01010036\"SIA-DCS\"0007R0073L0011[#0B43|Nri1/PA002]\r"));
    assert_int_equal(signal->kind, SIGNAL_UNREADABLE);
    assert_string_equal(reply_text, "");
}

static void a_press_is_a_panic(void **state)
{
    const struct signal *signal =
        take_bytes(bytes_of("\n6296003B\"ADM-CID\"0007L0#0A42[#0A42|1101 01 003]" AT "\r"));

    (void)state;
    assert_int_equal(outcome.signal_count, 1);
    assert_int_equal(signal->kind, SIGNAL_PANIC);
    assert_int_equal(signal->device, DEVICE_CALL_BOX);
    assert_string_equal(signal->identity, "0A42");
    assert_string_equal(signal->code, "1101 01 003");
    assert_int_equal(signal->occurred_at_us, AT_US);
    assert_int_equal(signal->flags, 0);
    assert_string_equal(reply_text, "\n6BC40012\"ACK\"0007L0#0A42[]\r");
}

static void sia_codes_are_read_and_the_receiver_is_repeated(void **state)
{
    (void)state;
    assert_int_equal(
        take_bytes(bytes_of("\n1C5C0028\"SIA-DCS\"0008R1L2#0A42[#0A42|Nri1/QA003]\r"))->kind,
        SIGNAL_PANIC);
    assert_string_equal(outcome.signals[0].code, "QA003 ri1");
    assert_int_equal(outcome.signals[0].occurred_at_us, 0);
    assert_string_equal(reply_text, "\nB4CE0014\"ACK\"0008R1L2#0A42[]\r");
}

static void a_link_test_is_a_heartbeat(void **state)
{
    (void)state;
    assert_int_equal(take_bytes(bytes_of("\n71170013\"NULL\"0000L0#0A42[]\r"))->kind,
                     SIGNAL_HEARTBEAT);
    assert_string_equal(outcome.signals[0].identity, "0A42");
    assert_string_equal(outcome.signals[0].message_id, "");
    assert_string_equal(reply_text, "\nB1750012\"ACK\"0000L0#0A42[]\r");
}

static void codes_become_kinds(void **state)
{
    static const struct {
        const char *data;
        uint8_t kind;
        bool unknown;
    } cases[] = {
        {"1100 01 001", SIGNAL_PANIC, false},
        {"1113 01 001", SIGNAL_LEAK, false},
        {"1154 01 001", SIGNAL_LEAK, false},
        {"6120 01 001", SIGNAL_PANIC, false},
        {"1301 00 000", SIGNAL_MAINS_LOST, false},
        {"3301 00 000", SIGNAL_MAINS_RESTORED, false},
        {"1384 00 002", SIGNAL_LOW_BATTERY, false},
        {"3302 00 0", SIGNAL_BATTERY_RESTORED, false},
        {"1354 00 000", SIGNAL_TAMPER, false},
        {"3137 0 0", SIGNAL_TAMPER_RESTORED, false},
        {"3101 01 001", SIGNAL_HEARTBEAT, false},
        {"1406 00 001", SIGNAL_CANCEL, false},
        {"1602 00 000", SIGNAL_HEARTBEAT, false},
        {"1601 00 000", SIGNAL_TEST, false},
        {"3401 00 001", SIGNAL_LIFE, false},
        {"1570 00 001", SIGNAL_HEARTBEAT, false},
        {"1777 00 001", SIGNAL_PANIC, true},
        {"1999", SIGNAL_PANIC, true},
        {"3777 00 001", SIGNAL_HEARTBEAT, true},
        {"1654 00 001", SIGNAL_PANIC, false},
        {"NPA", SIGNAL_PANIC, false},
        {"Nri2HA01", SIGNAL_PANIC, false},
        {"NMA7^Grace^", SIGNAL_PANIC, false},
        {"NWA7", SIGNAL_LEAK, false},
        {"Nri1YT", SIGNAL_LOW_BATTERY, false},
        {"NYR", SIGNAL_BATTERY_RESTORED, false},
        {"NAT", SIGNAL_MAINS_LOST, false},
        {"NAR", SIGNAL_MAINS_RESTORED, false},
        {"NTA1", SIGNAL_TAMPER, false},
        {"NTR1", SIGNAL_TAMPER_RESTORED, false},
        {"NPT1", SIGNAL_TAMPER, false},
        {"NPR1", SIGNAL_HEARTBEAT, false},
        {"NRP", SIGNAL_HEARTBEAT, false},
        {"NRX", SIGNAL_TEST, false},
        {"Nid7OP", SIGNAL_LIFE, false},
        {"NBC", SIGNAL_CANCEL, false},
        {"NZZ9", SIGNAL_PANIC, true},
        {"Nti10:23/QA7", SIGNAL_PANIC, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char body[128];

        snprintf(body, sizeof(body), "\"%s\"0007L0#0A42[#0A42|%s]",
                 cases[i].data[0] == 'N' ? "SIA-DCS" : "ADM-CID", cases[i].data);
        assert_int_equal(take(body)->kind, cases[i].kind);
        assert_int_equal(outcome.signal_count, 1);
        assert_int_equal(outcome.signals[0].flags, cases[i].unknown ? SIGNAL_FLAG_UNKNOWN_CODE : 0);
        assert_non_null(strstr(reply_text, "\"ACK\"0007L0#0A42[]"));
    }
}

static void several_events_are_several_alarms(void **state)
{
    (void)state;
    take("\"SIA-DCS\"0007L0#0A42[#0A42|Nri1/PA001^A/B^/PA002/AT|OWA*'x/y'NM|A/PA9]");
    assert_int_equal(outcome.signal_count, 4);
    assert_string_equal(outcome.signals[1].code, "PA002 ri1");
    assert_int_equal(outcome.signals[2].kind, SIGNAL_MAINS_LOST);
    assert_int_equal(outcome.signals[3].kind, SIGNAL_LEAK);
    assert_int_equal(outcome.signals[3].flags, SIGNAL_FLAG_STORED);
    /* Two presses in one message are two. */
    assert_string_not_equal(outcome.signals[0].message_id, outcome.signals[1].message_id);
}

static void the_account_may_stand_inside_or_in_small_letters(void **state)
{
    (void)state;
    assert_string_equal(take("\"SIA-DCS\"0007R1L0[#0a42|NPA7]")->identity, "0A42");
    assert_non_null(strstr(reply_text, "\"ACK\"0007R1L0#0a42[]"));
    assert_string_equal(take("\"ADM-CID\"0007#0a42[|1101 01 001]")->identity, "0A42");
    assert_int_equal(outcome.signals[0].kind, SIGNAL_PANIC);
    assert_non_null(strstr(reply_text, "\"ACK\"0007L0#0a42[]"));
    assert_int_equal(take("\"SIA-DCS\"0007L0#0A42[NPA7]")->kind, SIGNAL_PANIC);
    assert_string_equal(take("\"ADM-CID\"0007L0[1101 01 001]")->identity, "");
    assert_int_equal(outcome.signals[0].kind, SIGNAL_PANIC);
}

static void extensions_say_where_and_when(void **state)
{
    const struct signal *signal =
        take("\"SIA-DCS\"0007L0#0A42[|NPA7][X104E15.6][Y30S30][Iroom 5][H03:04:01,01-02-2026]" AT);

    (void)state;
    assert_int_equal(signal->has, MEASURE_POSITION);
    assert_int_equal(signal->longitude_e7, 1042600000);
    assert_int_equal(signal->latitude_e7, -305000000);
    assert_int_equal(signal->occurred_at_us, AT_US - 4000000);
    assert_int_equal(take("\"SIA-DCS\"0007L0#0A42[|NPA7][X104E15.6]")->has, 0);
    assert_int_equal(take("\"SIA-DCS\"0007L0#0A42[|NPA7][X181E15.6][Y30N30]")->has, 0);
    assert_int_equal(take("\"SIA-DCS\"0007L0#0A42[|NPA7]_03:04:05,01-02-202")->flags,
                     SIGNAL_FLAG_CLOCK_WRONG);
    assert_int_equal(outcome.signals[0].kind, SIGNAL_PANIC);
}

static void secrets_are_keys_or_spell_them(void **state)
{
    static const struct {
        const char *secret, *key;
    } cases[] = {
        {"an invented key!", "an invented key!"},
        {"616E20696E76656E746564206B657921", "an invented key!"},
        {"616e20696e76656e746564206b657921", "an invented key!"},
        {"616E20696E76656E746564206B657921", "616E20696E76656E746564206B657921"},
        {"twenty-four letters long", "twenty-four letters long"},
        {"7477656E74792D666F7572206C657474657273206C6F6E67", "twenty-four letters long"},
        {"616E20696E76656E746564206B657921616E20696E76656E746564206B657921",
         "an invented key!an invented key!"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sia_dc09_text *text = calloc(1, sizeof(*text));
        struct sia_dc09_frame answer;

        environment.secrets = cases[i].secret;
        assert_int_equal(take_secret("ADM-CID", "#0A42|1101 01 003]" AT, cases[i].key)->kind,
                         SIGNAL_PANIC);
        assert_int_equal(outcome.signals[0].flags, 0);
        assert_string_equal(outcome.signals[0].code, "1101 01 003");
        answer = sia_dc09_frame_parse((struct bytes){outcome.reply + 1, outcome.reply_size - 2});
        assert_true(answer.is_sound && answer.is_encrypted && bytes_equal_text(answer.id, "ACK"));
        assert_true(bytes_equal_text(answer.sequence, "0007"));
        assert_non_null(text);
        sia_dc09_text_open(&answer, "0A42", &environment, text);
        assert_false(text->is_lost);
        assert_int_equal(text->data.size, 0);
        assert_int_equal(text->stamped_us, AT_US);
        free(text);
    }
}

static void padding_of_every_make_is_taken_off(void **state)
{
    (void)state;
    environment.secrets = "an invented key!";
    take_secret("NULL", "]" AT, "an invented key!");
    assert_int_equal(outcome.signals[0].kind, SIGNAL_HEARTBEAT);
    assert_non_null(strstr(reply_text, "\"*ACK\"0007L0#0A42["));
    take_secret("SIA-DCS", "Nri1/PA7][Y30N30]" AT, "an invented key!");
    assert_int_equal(outcome.signals[0].kind, SIGNAL_PANIC);
}

static void an_alarm_that_no_key_opens_is_kept(void **state)
{
    (void)state;
    environment.secrets = "an invented key!";
    assert_int_equal(take_secret("ADM-CID", "#0A42|1101 01 003]" AT, "another new key!")->kind,
                     SIGNAL_UNREADABLE);
    assert_string_equal(outcome.signals[0].identity, "0A42");
    assert_int_equal(outcome.signals[0].flags, SIGNAL_FLAG_SECRET_LOST | SIGNAL_FLAG_UNREADABLE |
                                                   SIGNAL_FLAG_UNAUTHENTICATED);
    assert_non_null(strstr(reply_text, "\"NAK\"0000R0L0A0[]" AT));
    assert_int_equal(take_secret("NULL", "]" AT, "another new key!")->kind, SIGNAL_HEARTBEAT);
    assert_non_null(strstr(reply_text, "\"NAK\"0000R0L0A0[]" AT));
    environment.cipher = NULL;
    assert_int_equal(take_secret("SIA-DCS", "|NPA7]" AT, "an invented key!")->kind,
                     SIGNAL_UNREADABLE);
    take("\"*SIA-DCS\"0007L0#0A42[12345]");
    assert_int_equal(outcome.signals[0].kind, SIGNAL_UNREADABLE);
}

static void who_has_a_key_and_speaks_in_clear_is_flagged(void **state)
{
    (void)state;
    environment.secrets = "an invented key!";
    assert_int_equal(take("\"ADM-CID\"0007L0#0A42[#0A42|1101 01 003]")->kind, SIGNAL_PANIC);
    assert_int_equal(outcome.signals[0].flags, SIGNAL_FLAG_UNAUTHENTICATED);
    assert_non_null(strstr(reply_text, "\"ACK\"0007"));
}

static void a_wrong_clock_is_told_the_time_and_the_alarm_taken(void **state)
{
    static const struct {
        int64_t late_us;
        bool accepted;
    } cases[] = {
        {40 * 1000000, true}, {41 * 1000000, false}, {-20 * 1000000, true}, {-21 * 1000000, false}};

    (void)state;
    environment.secrets = "an invented key!";
    for (size_t i = 0; i < 4; i++) {
        environment.now_us = AT_US + cases[i].late_us;
        take_secret("ADM-CID", "#0A42|1101 01 003]" AT, "an invented key!");
        assert_int_equal(outcome.signals[0].kind, SIGNAL_PANIC);
        assert_int_equal(outcome.signals[0].flags,
                         cases[i].accepted ? 0
                                           : SIGNAL_FLAG_CLOCK_WRONG | SIGNAL_FLAG_UNAUTHENTICATED);
        assert_true((strstr(reply_text, "\"NAK\"0000R0L0A0[]_03:0") != NULL) != cases[i].accepted);
    }
    /* In clear the time is a courtesy, and nothing is proved by it. */
    environment.secrets = NULL;
    take("\"ADM-CID\"0007L0#0A42[#0A42|1101 01 003]_03:04:05,01-02-2019");
    assert_non_null(strstr(reply_text, "\"ACK\"0007"));
    environment.secrets = "an invented key!";
    environment.time_window_before_s = environment.time_window_after_s = 0;
    take_secret("ADM-CID", "#0A42|1101 01 003]_03:04:05,01-02-2019", "an invented key!");
    assert_int_equal(outcome.signals[0].flags, 0);
}

static void what_is_no_event_is_kept_and_not_acknowledged(void **state)
{
    static const char *const bodies[] = {
        "\"ADM-CID\"0007L0#0A42[#0A42|]", "\"ADM-CID\"0007L0#0A42[#0A42|help]",
        "\"SIA-DCS\"0007L0#0A42[]", "\"X-99\"0007L0#0A42[#0A42|1101 01 003]"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(take(bodies[i])->kind, SIGNAL_UNREADABLE);
        assert_int_equal(outcome.signals[0].flags, SIGNAL_FLAG_UNREADABLE);
        assert_non_null(strstr(reply_text, "\"DUH\"0007L0#0A42[]"));
    }
    assert_string_equal(outcome.signals[0].code, "X-99");
    take("\"NAK\"0000R0L0A0[]" AT);
    assert_int_equal(outcome.bad_frames, 1);
}

static void a_wrong_checksum_is_not_answered_and_its_alarm_kept(void **state)
{
    (void)state;
    take_bytes(bytes_of("\n6297003B\"ADM-CID\"0007L0#0A42[#0A42|1101 01 003]" AT "\r"));
    assert_int_equal(outcome.signals[0].kind, SIGNAL_UNREADABLE);
    assert_string_equal(outcome.signals[0].identity, "0A42");
    assert_string_equal(outcome.signals[0].code, "1101 01 003");
    assert_int_equal(outcome.signals[0].flags, SIGNAL_FLAG_CHECKSUM_WRONG | SIGNAL_FLAG_UNREADABLE);
    assert_string_equal(reply_text, "");
    take_bytes(bytes_of("\n71160013\"NULL\"0000L0#0A42[]\r"));
    assert_int_equal(outcome.bad_frames, 1);
    assert_string_equal(reply_text, "");
}

static char *id_of(const char *body, int64_t now_us)
{
    environment.now_us = now_us;
    return strdup(take(body)->message_id);
}

static void a_repetition_has_the_same_name_and_a_second_press_another(void **state)
{
#define PRESS "\"ADM-CID\"0007L0#0A42[#0A42|1101 01 003]"
    const int64_t start = AT_US / (5 * MINUTE_US) * (5 * MINUTE_US);
    char *timed = id_of(PRESS AT, AT_US), *timeless = id_of(PRESS, start);
    char *same[] = {id_of(PRESS AT, AT_US + 90 * MINUTE_US), id_of(PRESS, start + 4 * MINUTE_US)};
    char *other[] = {id_of("\"ADM-CID\"0008L0#0A42[#0A42|1101 01 003]" AT, AT_US),
                     id_of("\"ADM-CID\"0007L0#0A42[#0A42|1101 01 004]" AT, AT_US),
                     id_of(PRESS "_03:04:06,01-02-2026", AT_US),
                     id_of(PRESS "[X104E15.6]" AT, AT_US),
                     id_of(PRESS, start + 5 * MINUTE_US),
                     id_of(PRESS, start - 1)};

    (void)state;
    assert_string_not_equal(timed, "");
    assert_string_not_equal(timed, timeless);
    assert_string_equal(same[0], timed);
    assert_string_equal(same[1], timeless);
    for (size_t i = 0; i < 6; i++) {
        assert_string_not_equal(other[i], timed);
        assert_string_not_equal(other[i], timeless);
        free(other[i]);
    }
    free(same[0]), free(same[1]), free(timed), free(timeless);
#undef PRESS
}

static struct signal invent(struct random *random)
{
    static const uint8_t kinds[] = {
        SIGNAL_PANIC,           SIGNAL_LEAK,      SIGNAL_LOW_BATTERY,
        SIGNAL_MAINS_LOST,      SIGNAL_TAMPER,    SIGNAL_TEST,
        SIGNAL_MAINS_RESTORED,  SIGNAL_CANCEL,    SIGNAL_LIFE,
        SIGNAL_TAMPER_RESTORED, SIGNAL_HEARTBEAT, SIGNAL_BATTERY_RESTORED};
    struct signal signal = {.kind = kinds[random_below(random, sizeof(kinds))],
                            .device = DEVICE_CALL_BOX,
                            .identity = "0A42"};

    signal.occurred_at_us = 1767225600000000 + (int64_t)random_below(random, 1000000000) * 1000000;
    if (random_below(random, 2)) {
        signal.has = MEASURE_POSITION;
        signal.latitude_e7 = (int32_t)random_below(random, 1800000001) - 900000000;
        signal.longitude_e7 = (int32_t)(random_below(random, 3600000001) - 1800000000);
    }
    return signal;
}

static void what_is_composed_is_decoded(void **state)
{
    static const char *const secrets[] = {NULL, "an invented key!", "twenty-four letters long",
                                          "616E20696E76656E746564206B657921"};
    struct random random;
    uint8_t memory[512];

    (void)state;
    mutate_seed(&random);
    for (int i = 0; i < 2000; i++) {
        struct codec_session session = {.variant = random_below(&random, 2) ? VARIANT_SIA : 0};
        struct signal signal = invent(&random), *seen = &outcome.signals[0];
        struct writer out = writer_into(memory, sizeof(memory));

        environment.secrets = secrets[random_below(&random, 4)];
        environment.now_us = signal.occurred_at_us;
        assert_true(sia_dc09_codec.compose(&signal, &session, &environment, NULL, &out));

        struct message message = {.body = writer_view(&out)};

        drive(&sia_dc09_codec, &message, 1 + random_below(&random, 9), &environment, &outcome);
        assert_int_equal(outcome.signal_count, 1);
        assert_non_null(memmem(outcome.reply, outcome.reply_size, "ACK\"", 4));
        memset(seen->code, 0, sizeof(seen->code));
        memset(seen->message_id, 0, sizeof(seen->message_id));
        assert_memory_equal(seen, &signal, sizeof(signal));
    }
}

static void what_the_protocol_cannot_say_is_not_composed(void **state)
{
    struct signal signal = {.kind = SIGNAL_FALL, .identity = "0A42"};
    struct codec_session session = {0};
    uint8_t memory[512];
    struct writer out = writer_into(memory, sizeof(memory));

    (void)state;
    assert_false(sia_dc09_codec.compose(&signal, &session, &environment, NULL, &out));
    signal.kind = SIGNAL_PANIC;
    snprintf(signal.identity, sizeof(signal.identity), "0A]42");
    assert_false(sia_dc09_codec.compose(&signal, &session, &environment, NULL, &out));
    signal.identity[0] = '\0';
    assert_false(sia_dc09_codec.compose(&signal, &session, &environment, NULL, &out));
    assert_int_equal(out.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_galaxy_has_no_checksum, set_up),
        cmocka_unit_test_setup(a_press_is_a_panic, set_up),
        cmocka_unit_test_setup(sia_codes_are_read_and_the_receiver_is_repeated, set_up),
        cmocka_unit_test_setup(a_link_test_is_a_heartbeat, set_up),
        cmocka_unit_test_setup(codes_become_kinds, set_up),
        cmocka_unit_test_setup(several_events_are_several_alarms, set_up),
        cmocka_unit_test_setup(the_account_may_stand_inside_or_in_small_letters, set_up),
        cmocka_unit_test_setup(extensions_say_where_and_when, set_up),
        cmocka_unit_test_setup(secrets_are_keys_or_spell_them, set_up),
        cmocka_unit_test_setup(padding_of_every_make_is_taken_off, set_up),
        cmocka_unit_test_setup(an_alarm_that_no_key_opens_is_kept, set_up),
        cmocka_unit_test_setup(who_has_a_key_and_speaks_in_clear_is_flagged, set_up),
        cmocka_unit_test_setup(a_wrong_clock_is_told_the_time_and_the_alarm_taken, set_up),
        cmocka_unit_test_setup(what_is_no_event_is_kept_and_not_acknowledged, set_up),
        cmocka_unit_test_setup(a_wrong_checksum_is_not_answered_and_its_alarm_kept, set_up),
        cmocka_unit_test_setup(a_repetition_has_the_same_name_and_a_second_press_another, set_up),
        cmocka_unit_test_setup(what_is_composed_is_decoded, set_up),
        cmocka_unit_test_setup(what_the_protocol_cannot_say_is_not_composed, set_up),
    };

    return cmocka_run_group_tests_name("sia_dc09", tests, NULL, NULL);
}
