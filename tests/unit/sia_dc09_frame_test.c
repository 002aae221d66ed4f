/* How SIA DC-09 frames are found in a stream, on an invented panel with the account 0A42. */
#include "protocol/sia_dc09_frame.h"
#include "tests/support/mutate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define AT "_03:04:05,01-02-2026"

extern const struct codec sia_dc09_codec;

static struct outcome outcome;

static const struct signal *take_bytes(struct bytes bytes)
{
    struct codec_environment environment = drive_environment();
    struct message message = {.body = bytes};

    drive(&sia_dc09_codec, &message, 0, &environment, &outcome);
    return &outcome.signals[0];
}

static void checksums_of_two_bytes_and_decimal_lengths_are_taken(void **state)
{
    const char *body = "\"ADM-CID\"0007L0#0A42[#0A42|1101 01 003]" AT;
    uint8_t memory[128];
    struct writer writer = writer_into(memory, sizeof(memory));

    (void)state;
    sia_dc09_frame_write(&writer, bytes_of(body), true);
    assert_int_equal(memory[1], 0x62);
    assert_int_equal(take_bytes(writer_view(&writer))->kind, SIGNAL_PANIC);
    assert_memory_equal(outcome.reply, "\n\x6B\xC4\x30\x30\x31\x32\"ACK\"0007", 16);
    take_bytes(bytes_of("\n62960059\"ADM-CID\"0007L0#0A42[#0A42|1101 01 003]" AT "\r"));
    assert_int_equal(outcome.signals[0].flags, 0);
    take_bytes(bytes_of("\n62960099\"ADM-CID\"0007L0#0A42[#0A42|1101 01 003]" AT "\r"));
    assert_int_equal(outcome.signals[0].flags, SIGNAL_FLAG_LENGTH_WRONG);
    assert_int_equal(outcome.signals[0].kind, SIGNAL_PANIC);
}

static void frames_are_found_between_junk_and_without_their_ends(void **state)
{
    (void)state;
    take_bytes(bytes_of("\r\n~\"~\n71170013\"NULL\"0000L0#0A42[]\r\n\r\n"
                        "71170013\"NULL\"0000L0#0A42[]71170013\"NULL\"0000L0#0A42[]\n"
                        "71170018\"NULL\"0000L0#0A42[]\n6296003B\"ADM-CID\"0007L0#0A42[#0A42|1101 "
                        "01 003]" AT));
    assert_int_equal(outcome.frames, 5);
    assert_int_equal(outcome.bad_frames, 0);
    assert_int_equal(drive_alarms(&outcome), 1);
}

static void first_bytes_tell_whose_they_are(void **state)
{
    static const char *const more[] = {"", "\n", "\n12", "\n1C5C0028", "1C5C0028", "\n\x01\x02"},
                             *const bad[] = {"[3G*",         "\x78\x78\x0D", "{\"a\":", "1C5C0028x",
                                             "\n\x01\x02zz", "\n1C5C00281",  "GET "};

    (void)state;
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
        assert_int_equal(sia_dc09_codec.recognise(bytes_of(more[i])), FRAME_MORE);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(sia_dc09_codec.recognise(bytes_of(bad[i])), FRAME_BAD);
    assert_int_equal(sia_dc09_codec.recognise(bytes_of("\n1C5C0028\"S")), FRAME_READY);
    assert_int_equal(sia_dc09_codec.recognise(bytes_of("1C5C0028\"")), FRAME_READY);
    assert_int_equal(sia_dc09_codec.recognise(bytes_of("\n\x01\x02"
                                                       "0028\"")),
                     FRAME_READY);
}

static void hostile_streams_stay_bounded(void **state)
{
    const size_t size = 100000;
    char *text = malloc(size + 1);
    size_t skip, frame_size;

    (void)state;
    assert_non_null(text);
    memset(text, '0', size);
    text[size] = '\0';
    for (size_t i = 8; i < size; i += 9)
        text[i] = '"';
    take_bytes(bytes_of(text));
    assert_int_equal(outcome.frames, 0);
    assert_int_equal(sia_dc09_codec.split((struct bytes){(uint8_t *)text, SIA_DC09_FRAME_MAX - 1},
                                          &skip, &frame_size),
                     FRAME_BAD);
    assert_int_equal(skip, SIA_DC09_FRAME_MAX - 1);
    memset(text, '\n', size);
    take_bytes(bytes_of(text));
    assert_int_equal(
        sia_dc09_codec.split((struct bytes){(uint8_t *)text, size}, &skip, &frame_size),
        FRAME_MORE);
    assert_true(skip >= size - 9); /* junk is not kept */
    assert_int_equal(
        sia_dc09_codec.split((struct bytes){(const uint8_t *)"\r\0 ", 3}, &skip, &frame_size),
        FRAME_MORE);
    assert_int_equal(skip, 3); /* nor what panels put behind a frame */
    /* More alarms in one frame than there is room for. */
    struct writer body = writer_into(text, size);
    uint8_t memory[SIA_DC09_FRAME_MAX];
    struct writer writer = writer_into(memory, sizeof(memory));

    writer_text(&body, "\"SIA-DCS\"0007L0#0A42[|N");
    for (size_t i = 0; i < 1000; i++)
        writer_text(&body, "/PA");
    sia_dc09_frame_write(&writer, writer_view(&body), false);
    take_bytes(writer_view(&writer));
    assert_int_equal(outcome.signal_count, DECODE_SIGNALS_MAX);
    free(text);
}

/* Frames of everything cut and damaged; where damage spares the head, the alarm is still there. */
static void damage_loses_no_alarm_that_can_be_read(void **state)
{
    static const char *const bodies[] = {
        "\"SIA-DCS\"0007R1L2#0A42[#0A42|Nri1/PA7^x/y^/AT|Atext][X104E15.6][Y30N30]" AT,
        "\"ADM-CID\"0007L0#0A42[#0A42|1101 01 003]" AT,
        "\"*ADM-CID\"0007L0#0A42[00112233445566778899AABBCCDDEEFF]",
    };
    struct random random;
    uint8_t memory[256];
    char damaged[256];

    (void)state;
    mutate_seed(&random);
    for (size_t i = 0; i < 3; i++) {
        struct writer out = writer_into(memory, sizeof(memory));

        sia_dc09_frame_write(&out, bytes_of(bodies[i]), false);
        if (i == 0)
            sia_dc09_frame_write(&out, bytes_of(bodies[i]), true);

        struct message message = {.body = writer_view(&out)};

        mutate_cut(&sia_dc09_codec, &message);
        mutate_flip(&sia_dc09_codec, &message, &random, 4000);
    }
    for (size_t offset = 1; offset < strlen(bodies[1]); offset++) {
        struct writer out = writer_into(memory, sizeof(memory));

        sia_dc09_frame_write(&out, bytes_of(bodies[1]), false);
        snprintf(damaged, sizeof(damaged), "%.*s", (int)out.size, (const char *)memory);
        damaged[9 + offset] = '~';
        take_bytes(bytes_of(damaged));
        assert_int_equal(drive_alarms(&outcome), 1);
        assert_int_equal(outcome.reply_size, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_of_two_bytes_and_decimal_lengths_are_taken),
        cmocka_unit_test(frames_are_found_between_junk_and_without_their_ends),
        cmocka_unit_test(first_bytes_tell_whose_they_are),
        cmocka_unit_test(hostile_streams_stay_bounded),
        cmocka_unit_test(damage_loses_no_alarm_that_can_be_read),
    };

    return cmocka_run_group_tests_name("sia_dc09_frame", tests, NULL, NULL);
}
