/* The five steps of protocol/README.md, followed with a protocol of one line: `!identity,A` and
 * `!identity,H`, each ended by a line feed and answered with `ok`. */
#include "tests/support/mutate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define FRAME_MAX 64

static enum frame toy_recognise(struct bytes first)
{
    if (first.size == 0)
        return FRAME_MORE;
    return first.data[0] == '!' ? FRAME_READY : FRAME_BAD;
}

static enum frame toy_split(struct bytes input, size_t *skip, size_t *size)
{
    struct bytes frame;

    *skip = bytes_find(input, '!');
    frame = bytes_part(input, *skip, FRAME_MAX);
    *size = bytes_find(frame, '\n') + 1;
    if (*size <= frame.size)
        return FRAME_READY;
    if (frame.size < FRAME_MAX)
        return FRAME_MORE;
    *skip += FRAME_MAX;
    return FRAME_BAD;
}

static int toy_decode(const struct message *message, struct codec_session *session,
                      const struct codec_environment *environment, struct signal *out, int limit)
{
    struct bytes rest = bytes_part(message->body, 1, message->body.size - 2), identity, type;

    (void)session, (void)environment, (void)limit;
    if (!bytes_next_field(&rest, ',', &identity) || !bytes_next_field(&rest, ',', &type))
        return DECODE_BAD;
    *out = (struct signal){.kind = SIGNAL_HEARTBEAT};
    bytes_copy_text(identity, out->identity, sizeof(out->identity));
    if (bytes_starts_with(type, "A"))
        out->kind = bytes_equal_text(type, "A") ? SIGNAL_PANIC : SIGNAL_UNREADABLE;
    return 1;
}

static void toy_reply(const struct message *message, struct codec_session *session,
                      const struct codec_environment *environment, enum verdict verdict,
                      struct writer *topic, struct writer *out)
{
    (void)message, (void)session, (void)environment, (void)verdict, (void)topic;
    writer_text(out, "ok\n");
}

static bool toy_compose(const struct signal *signal, struct codec_session *session,
                        const struct codec_environment *environment, struct writer *topic,
                        struct writer *out)
{
    (void)session, (void)environment, (void)topic;
    writer_u8(out, '!');
    writer_text(out, signal->identity);
    writer_text(out, signal->kind == SIGNAL_PANIC ? ",A\n" : ",H\n");
    return signal->kind == SIGNAL_PANIC || signal->kind == SIGNAL_HEARTBEAT;
}

static const struct codec toy_codec = {
    .name = "toy",
    .frame_max = FRAME_MAX,
    .recognise = toy_recognise,
    .split = toy_split,
    .decode = toy_decode,
    .reply = toy_reply,
    .compose = toy_compose,
};

static struct outcome outcome;

static void a_press_comes_through(void **state)
{
    struct codec_environment environment = drive_environment();
    struct signal press = {.kind = SIGNAL_PANIC, .identity = "toy-1"};
    struct codec_session session = {0};
    char text[FRAME_MAX];
    struct writer topic = writer_into(NULL, 0), out = writer_into(text, sizeof(text));

    (void)state;
    assert_int_equal(toy_codec.recognise(bytes_of("!toy")), FRAME_READY);
    assert_true(toy_codec.compose(&press, &session, &environment, &topic, &out));
    drive(&toy_codec, &(struct message){.body = writer_view(&out)}, 1, &environment, &outcome);
    assert_int_equal(outcome.signal_count, 1);
    assert_int_equal(outcome.signals[0].kind, SIGNAL_PANIC);
    assert_string_equal(outcome.signals[0].identity, "toy-1");
    assert_int_equal(outcome.reply_size, 3);
}

static void damage_breaks_no_promise(void **state)
{
    struct message message = {.body = bytes_of("junk!toy-1,A\n!toy-2,H\n")};
    struct random random;

    (void)state;
    mutate_seed(&random);
    mutate_cut(&toy_codec, &message);
    mutate_flip(&toy_codec, &message, &random, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_press_comes_through),
        cmocka_unit_test(damage_breaks_no_promise),
    };

    return cmocka_run_group_tests_name("toy_codec", tests, NULL, NULL);
}
