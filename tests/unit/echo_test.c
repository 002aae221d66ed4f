/*
 * That every value comes back from a real server as it was sent, in arrays, and that no bytes at
 * all are refused as text.
 */
#include "db/pipeline.h"
#include "tests/support/private_postgres.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { ECHO_TEXTS, ECHO_BYTES };
static const char *const statements[] = {
    [ECHO_TEXTS] = "SELECT u FROM unnest($1::text[]) WITH ORDINALITY t(u, n) ORDER BY n",
    [ECHO_BYTES] = "SELECT u FROM unnest($1::bytea[]) WITH ORDINALITY t(u, n) ORDER BY n",
    NULL,
};

static struct event_base *base;
static struct random rng;
static struct statement parameters;
static int good;

static struct pipeline *open_pipeline(void)
{
    struct pipeline_settings settings = {server.conninfo, "test", NULL, statements, 0, 0};
    struct pipeline_callbacks callbacks = {NULL, NULL, NULL, NULL};
    char *error = NULL;
    struct pipeline *pipeline = pipeline_open(base, &settings, &rng, &callbacks, &error);

    assert_non_null(pipeline);
    WAIT_FOR(base, pipeline_is_up(pipeline));
    return pipeline;
}

#define VALUES 200
#define VALUE_MAX 40

static struct value {
    char bytes[VALUE_MAX];
    size_t size;
    bool is_null;
} values[VALUES];

static void on_values(void *context, const struct pipeline_result *result)
{
    bool is_bytea = context != NULL;

    assert_int_equal(result->outcome, PIPELINE_OK);
    assert_int_equal(rows_count(result->rows), VALUES);
    for (int i = 0; i < VALUES; i++) {
        uint8_t bytes[VALUE_MAX];
        assert_int_equal(rows_is_null(result->rows, i, 0), values[i].is_null);
        if (values[i].is_null)
            continue;
        size_t size = is_bytea ? rows_bytes(result->rows, i, 0, bytes, sizeof bytes)
                               : rows_size(result->rows, i, 0);
        assert_int_equal(size, values[i].size);
        assert_memory_equal(is_bytea ? (char *)bytes : rows_text(result->rows, i, 0),
                            values[i].bytes, size);
    }
    good++;
}

static void random_value(struct value *value, bool is_bytea)
{
    static const char *const pieces[] = {"\"", "\\", "{",  "}",   ",",    "NULL", " ",
                                         "'",  "张", "\n", "\\x", "𠮷",   "a",    "\t",
                                         ";",  "$1", "é",  "\r",  "\x01", "()"};
    value->size = 0;
    value->is_null = random_below(&rng, 10) == 0;
    for (uint64_t left = random_below(&rng, 10); left > 0; left--) {
        const char *piece = pieces[random_below(&rng, ARRAY_SIZE(pieces))];
        char byte = (char)random_below(&rng, 256);
        size_t size = is_bytea ? 1 : strlen(piece);
        memcpy(value->bytes + value->size, is_bytea ? &byte : piece, size);
        value->size += size;
    }
}

static void round_trip(struct pipeline *pipeline, bool is_bytea)
{
    statement_reset(&parameters);
    statement_array_begin(&parameters);
    for (int i = 0; i < VALUES; i++) {
        random_value(&values[i], is_bytea);
        if (values[i].is_null)
            statement_null(&parameters);
        else if (is_bytea)
            statement_bytes(&parameters, values[i].bytes, values[i].size);
        else
            statement_text(&parameters, values[i].bytes, values[i].size);
    }
    statement_array_end(&parameters);
    int before = good;
    assert_true(pipeline_submit(pipeline, is_bytea ? ECHO_BYTES : ECHO_TEXTS, &parameters,
                                on_values, is_bytea ? &parameters : NULL));
    WAIT_FOR(base, good == before + 1);
}

static void values_come_back_as_sent(void **state)
{
    (void)state;
    good = 0;
    struct pipeline *pipeline = open_pipeline();
    for (int i = 0; i < 100; i++)
        round_trip(pipeline, i % 2 == 0);
    pipeline_close(pipeline);
    statement_fini(&parameters);
}

static void on_taken(void *context, const struct pipeline_result *result)
{
    (void)context;
    assert_int_equal(result->outcome, PIPELINE_OK);
    assert_int_equal(rows_count(result->rows), VALUES);
    good++;
}

/* Random bytes as text: whatever they are, PostgreSQL takes them. */
static void no_bytes_are_refused_as_text(void **state)
{
    (void)state;
    good = 0;
    struct pipeline *pipeline = open_pipeline();
    for (int round = 1; round <= 100; round++) {
        statement_reset(&parameters);
        statement_array_begin(&parameters);
        for (int i = 0; i < VALUES; i++) {
            random_value(&values[i], true);
            statement_text(&parameters, values[i].bytes, values[i].size);
        }
        statement_array_end(&parameters);
        assert_true(pipeline_submit(pipeline, ECHO_TEXTS, &parameters, on_taken, NULL));
        WAIT_FOR(base, good == round);
    }
    pipeline_close(pipeline);
    statement_fini(&parameters);
}

static int start(void **state)
{
    (void)state;
    if (server_create())
        base = event_base_new();
    random_init(&rng, 20260101);
    return 0;
}

static int end(void **state)
{
    (void)state;
    server_remove();
    if (base)
        event_base_free(base);
    return 0;
}

static int need_server(void **state)
{
    (void)state;
    if (server.pid == 0)
        skip();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(values_come_back_as_sent, need_server),
        cmocka_unit_test_setup(no_bytes_are_refused_as_text, need_server),
    };
    return cmocka_run_group_tests(tests, start, end);
}
