/* The text form of EV-07, on invented sentences, and against those that others recorded. */
#include "tests/support/mutate.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LOGIN "!1,350000000000017,V1,90;"
#define REPORT(second, flags)                                                                      \
    "!D,02/01/26,03:04:" second ",30.500000,-104.250000,0,0," flags ",1.0,80,5,9,0;"

extern const struct codec ev07_text_codec;

static struct outcome outcome;

static void take(const char *text)
{
    struct message message = {.body = bytes_of(text)};
    struct codec_environment environment = drive_environment();

    drive(&ev07_text_codec, &message, 0, &environment, &outcome);
}

static void is(size_t index, enum signal_kind kind)
{
    assert_true(index < outcome.signal_count);
    assert_string_equal(signal_kind_name(outcome.signals[index].kind), signal_kind_name(kind));
}

static void a_press_is_of_who_has_logged_in(void **state)
{
    (void)state;
    take(LOGIN REPORT("05", "100041"));
    assert_int_equal(outcome.signal_count, 2);
    is(0, SIGNAL_HEARTBEAT);
    is(1, SIGNAL_PANIC);
    assert_string_equal(outcome.signals[1].identity, "350000000000017");
    assert_string_equal(outcome.signals[1].message_id, "1767323045-0041");
    assert_int_equal(outcome.signals[1].occurred_at_us, INT64_C(1767323045000000));
    assert_int_equal(outcome.signals[1].latitude_e7, 305000000);
    assert_int_equal(outcome.signals[1].longitude_e7, -1042500000);
    assert_int_equal(outcome.signals[1].battery_percent, 80);
    assert_int_equal(outcome.signals[1].flags, 0);
    assert_int_equal(outcome.reply_size, 0);
    take(REPORT("05", "000040")); /* nobody, and no fix */
    is(0, SIGNAL_PANIC);
    assert_string_equal(outcome.signals[0].identity, "");
    assert_int_equal(outcome.signals[0].flags, SIGNAL_FLAG_NO_POSITION);
}

static void each_bit_rings_when_it_rises(void **state)
{
    (void)state;
    take(LOGIN REPORT("05", "41") REPORT("06", "41") REPORT("07", "1") REPORT("08", "1141"));
    assert_int_equal(outcome.signal_count, 7);
    is(1, SIGNAL_PANIC);
    is(2, SIGNAL_POSITION);
    is(3, SIGNAL_POSITION);
    is(4, SIGNAL_PANIC);
    is(5, SIGNAL_FALL);
    is(6, SIGNAL_LOW_BATTERY);
    take(LOGIN REPORT("05", "100205") REPORT("06", "100605") REPORT("07", "100801"));
    assert_int_equal(outcome.signal_count, 5);
    is(1, SIGNAL_TAMPER);
    is(2, SIGNAL_WANDER);
    is(3, SIGNAL_WANDER); /* another fence */
    is(4, SIGNAL_WANDER);
}

/* Whatever else is set beside it: a press is a press, and nothing else is. */
static void no_other_bit_hides_a_press(void **state)
{
    char text[160];

    (void)state;
    for (int bit = 0; bit < 32; bit++) {
        bool rings = bit == 2 || bit == 6 || (bit >= 8 && bit <= 12);

        snprintf(text, sizeof(text), LOGIN REPORT("05", "%x"), 1U << bit);
        take(text);
        assert_int_equal(drive_alarms(&outcome), rings);
        snprintf(text, sizeof(text), LOGIN REPORT("05", "%x"), 1U << bit | 1U << 6);
        take(text);
        assert_int_equal(drive_alarms(&outcome), rings && bit != 6 ? 2 : 1);
    }
    take(LOGIN REPORT("05", "ffffffffff"));
    assert_int_equal(drive_alarms(&outcome), 5);
}

/* Three presses by what the gateway's clock says between them; a weak battery says nothing new. */
static void a_state_that_lasts_rings_again_later(void **state)
{
    static const int64_t after_s[] = {0, 30, 61};
    struct codec_environment environment = drive_environment();
    struct codec_session session = {0};
    struct message message = {.body = bytes_of(REPORT("05", "1041"))};
    struct signal signals[4];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        environment.now_us += after_s[i] * 1000000;
        int count = ev07_text_codec.decode(&message, &session, &environment, signals, 4);

        assert_int_equal(count, i == 0 ? 2 : 1);
        assert_int_equal(signals[0].kind, i == 1 ? SIGNAL_POSITION : SIGNAL_PANIC);
    }
}

static void what_was_kept_has_a_state_of_its_own(void **state)
{
    (void)state;
    take(LOGIN REPORT("05", "41") "!B,02/01/26,01:00:00,30.5,104.25,0,0,41,1.0,80,5,9,0;"
                                  "!B,02/01/26,01:00:01,30.5,104.25,0,0,41,1.0,80,5,9,0;");
    assert_int_equal(outcome.signal_count, 4);
    is(2, SIGNAL_PANIC);
    assert_int_equal(outcome.signals[1].flags, 0);
    assert_int_equal(outcome.signals[2].flags, SIGNAL_FLAG_STORED);
    is(3, SIGNAL_POSITION);
}

static void what_is_odd_loses_no_alarm(void **state)
{
    char text[2000] = "!D,";

    (void)state;
    take(LOGIN "!D,02/01/26,03:04:05,30.5,104.25,0,0,4x,1;" REPORT("05", "41"));
    is(1, SIGNAL_UNREADABLE);
    is(2, SIGNAL_PANIC);
    /* A semicolon is lost; there is no clock. */
    take("!1,350000000000017!C,0/0/0,x,,,0,0,40,1;junk!5,20,A,70;");
    assert_int_equal(outcome.signal_count, 3);
    is(1, SIGNAL_PANIC);
    assert_string_equal(outcome.signals[1].message_id, "");
    assert_true(outcome.signals[1].flags & SIGNAL_FLAG_CLOCK_WRONG);
    assert_int_equal(outcome.signals[2].battery_percent, 70);
    /* Two presses indoors, at the time of the last fix: neither is the other's repetition. */
    take(LOGIN REPORT("05", "40") REPORT("05", "0") REPORT("05", "40"));
    assert_int_equal(drive_alarms(&outcome), 2);
    assert_string_equal(outcome.signals[1].message_id, "");
    /* No end within its length. */
    for (size_t size = 400; size < 800; size++) {
        memset(text + 3, '7', size);
        snprintf(text + 3 + size, sizeof(text) - 3 - size, REPORT("05", "40"));
        take(text);
        assert_int_equal(drive_alarms(&outcome), 1);
    }
}

static void nobody_elses_bytes_are_taken(void **state)
{
    (void)state;
    assert_int_equal(ev07_text_codec.recognise(bytes_of("!")), FRAME_MORE);
    assert_int_equal(ev07_text_codec.recognise(bytes_of("!1")), FRAME_MORE);
    assert_int_equal(ev07_text_codec.recognise(bytes_of("!1,3")), FRAME_READY);
    assert_int_equal(ev07_text_codec.recognise(bytes_of("!d,")), FRAME_BAD);
    assert_int_equal(ev07_text_codec.recognise(bytes_of("!toy-1,A")), FRAME_BAD);
    assert_int_equal(ev07_text_codec.recognise(bytes_of("*HQ,")), FRAME_BAD);
    for (int i = 0; i < codec_count; i++)
        if (codecs[i] != &ev07_text_codec && codecs[i]->recognise)
            assert_int_equal(codecs[i]->recognise(bytes_of(LOGIN)), FRAME_BAD);
}

static void damage_breaks_no_promise(void **state)
{
    static const char frame[] = REPORT("05", "000041");
    struct message message = {.body = bytes_of(LOGIN REPORT("05", "100041") "!5,20,A;")};
    struct random random;
    char damaged[sizeof(frame)];

    (void)state;
    mutate_seed(&random);
    mutate_cut(&ev07_text_codec, &message);
    mutate_flip(&ev07_text_codec, &message, &random, 4000);
    for (size_t i = 3; i < strlen(frame); i++) {
        memcpy(damaged, frame, sizeof(frame));
        if (strchr(",;", frame[i]) || strncmp(frame + i, "41,1", 4) == 0 ||
            strncmp(frame + i, "1,1.0", 5) == 0)
            continue;
        damaged[i] = '~';
        take(damaged);
        assert_int_equal(drive_alarms(&outcome), 1);
    }
}

static bool agrees(const struct vector *vector, const struct outcome *found, char *why,
                   size_t why_size)
{
    const char *assertion = vector_text(vector->expect, "assert");
    bool has_place = assertion && strcmp(assertion, "decodes to a location") == 0;

    snprintf(why, why_size, "%zu signals", found->signal_count);
    return found->signal_count == 1 && found->bad_frames == 0 &&
           has_place == !!(found->signals[0].has & MEASURE_POSITION) &&
           found->signals[0].kind == (has_place ? SIGNAL_POSITION : SIGNAL_HEARTBEAT);
}

/* They were written down without their semicolons. */
static size_t wire(const struct vector *vector, uint8_t *out, size_t out_size)
{
    struct writer writer = writer_into(out, out_size);

    writer_bytes(&writer, vector->frame);
    writer_u8(&writer, ';');
    return writer.size;
}

static void recorded_sentences_are_read(void **state)
{
    const struct vector_file file = {
        .file = "ev07_text.jsonl", .codec = "ev07_text", .agrees = agrees, .wire = wire};

    (void)state;
    vectors_check(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_press_is_of_who_has_logged_in),
        cmocka_unit_test(each_bit_rings_when_it_rises),
        cmocka_unit_test(no_other_bit_hides_a_press),
        cmocka_unit_test(a_state_that_lasts_rings_again_later),
        cmocka_unit_test(what_was_kept_has_a_state_of_its_own),
        cmocka_unit_test(what_is_odd_loses_no_alarm),
        cmocka_unit_test(nobody_elses_bytes_are_taken),
        cmocka_unit_test(damage_breaks_no_promise),
        cmocka_unit_test(recorded_sentences_are_read),
    };

    return cmocka_run_group_tests_name("ev07_text", tests, NULL, NULL);
}
