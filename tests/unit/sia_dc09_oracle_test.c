/*
 * What our panel composes, put through the receiver of others (tests/oracle, npm): it must read
 * what we meant, and we its answer. Skipped where node or the receiver is not installed.
 */
#include "daemon/edge/cipher.h"
#include "protocol/sia_dc09_text.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define AT_US INT64_C(1767323045000000)
#define RECEIVER "tests/oracle/receive.js"
#define VARIANT_SIA 1

extern const struct codec sia_dc09_codec;

static const struct wanted {
    uint8_t kind;
    bool as_sia, has_place;
    const char *key, *data;
} wanted[] = {
    {SIGNAL_PANIC, false, false, NULL, "#0A42|1101 01 001"},
    {SIGNAL_PANIC, true, true, NULL, "#0A42|Nri1/QA001"},
    {SIGNAL_LOW_BATTERY, false, false, "an invented key!", "#0A42|1302 01 001"},
    {SIGNAL_MAINS_RESTORED, true, false, "an invented key!", "#0A42|Nri1/AR001"},
    {SIGNAL_LEAK, false, true, "twenty-four letters long", "#0A42|1154 01 001"},
    {SIGNAL_TEST, true, false, "616E20696E76656E746564206B657921", "#0A42|Nri1/RX001"},
    {SIGNAL_PANIC, true, false, "616E20696E76656E746564206B657921616E20696E76656E746564206B657921",
     "#0A42|Nri1/QA001"},
};
#define WANTED_COUNT (sizeof(wanted) / sizeof(wanted[0]))

static size_t find_secret(const void *secrets, const char *identity, uint8_t out[64])
{
    const char *key = secrets;

    (void)identity;
    if (key)
        memcpy(out, key, strlen(key));
    return key ? strlen(key) : 0;
}

static struct codec_environment environment_of(const struct wanted *want)
{
    return (struct codec_environment){.now_us = AT_US,
                                      .cipher = &openssl_cipher,
                                      .find_secret = find_secret,
                                      .secrets = want->key};
}

static void write_request(FILE *file, const struct wanted *want)
{
    struct codec_environment environment = environment_of(want);
    struct codec_session session = {.variant = want->as_sia ? VARIANT_SIA : 0};
    struct signal signal = {.kind = want->kind,
                            .has = want->has_place ? MEASURE_POSITION : 0,
                            .latitude_e7 = 305000000,
                            .longitude_e7 = 1042500000,
                            .identity = "0A42"};
    uint8_t memory[512];
    struct writer out = writer_into(memory, sizeof(memory));

    assert_true(sia_dc09_codec.compose(&signal, &session, &environment, NULL, &out));
    fprintf(file, "{\"account\":\"0A42\",\"frame\":\"");
    for (size_t i = 0; i < out.size; i++)
        fprintf(file, "%02x", memory[i]);
    fprintf(file, "\",\"hex\":%s", want->key && strlen(want->key) >= 32 ? "true" : "false");
    if (want->key)
        fprintf(file, ",\"key\":\"%s\"", want->key);
    fprintf(file, "}\n");
}

/* The receiver's answers, one a line; the caller closes it. */
static FILE *ask_receiver(FILE *requests)
{
    FILE *answers = tmpfile();
    int status;
    pid_t child;

    assert_non_null(answers);
    fflush(requests);
    rewind(requests);
    child = fork();
    if (child == 0) {
        dup2(fileno(requests), STDIN_FILENO);
        dup2(fileno(answers), STDOUT_FILENO);
        execlp("node", "node", RECEIVER, (char *)NULL);
        _exit(127);
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        skip();
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    rewind(answers);
    return answers;
}

static void check_answer(const struct wanted *want, const char *hex)
{
    static struct sia_dc09_text text;
    struct codec_environment environment = environment_of(want);
    struct sia_dc09_frame frame;
    uint8_t memory[512];
    size_t size;

    assert_true(bytes_parse_hex_string(bytes_of(hex), memory, sizeof(memory), &size));
    frame = sia_dc09_frame_parse((struct bytes){memory + 1, size - 2});
    assert_true(frame.is_sound && frame.length_right && bytes_equal_text(frame.id, "ACK"));
    assert_int_equal(frame.is_encrypted, want->key != NULL);
    sia_dc09_text_open(&frame, "0A42", &environment, &text);
    assert_false(text.is_lost);
}

static void the_receiver_of_others_reads_what_we_compose(void **state)
{
    FILE *requests = tmpfile(), *answers;
    char line[4096];

    (void)state;
    assert_non_null(requests);
    if (access("tests/oracle/node_modules", F_OK) != 0)
        skip();
    for (size_t i = 0; i < WANTED_COUNT; i++)
        write_request(requests, &wanted[i]);
    answers = ask_receiver(requests);
    for (size_t i = 0; i < WANTED_COUNT; i++) {
        json_t *answer;

        assert_non_null(fgets(line, sizeof(line), answers));
        print_message("# %s", line);
        answer = json_loads(line, 0, NULL);
        assert_non_null(answer);
        assert_null(json_object_get(answer, "error"));
        assert_string_equal(json_string_value(json_object_get(answer, "data")), wanted[i].data);
        assert_string_equal(json_string_value(json_object_get(answer, "account")), "0A42");
        /* Of two extensions it loses the second, and the time. */
        assert_string_equal(json_string_value(json_object_get(answer, "time")),
                            wanted[i].has_place ? "" : "03:04:05,01-02-2026");
        check_answer(&wanted[i], json_string_value(json_object_get(answer, "answer")));
        json_decref(answer);
    }
    fclose(requests);
    fclose(answers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_receiver_of_others_reads_what_we_compose),
    };

    return cmocka_run_group_tests_name("sia_dc09_oracle", tests, NULL, NULL);
}
