/*
 * The PostgreSQL client against a real server: order, what is refused and what is lost, a server
 * that crashes or hangs.
 */
#include "db/pipeline.h"
#include "tests/support/private_postgres.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ECHO_BYTES, INSERT, SLEEP, RAISE };
static const char *const statements[] = {
    [ECHO_BYTES] = "SELECT u FROM unnest($1::bytea[]) WITH ORDINALITY t(u, n) ORDER BY n",
    [INSERT] = "INSERT INTO kept (n) SELECT * FROM unnest($1::bigint[])",
    [SLEEP] = "SELECT pg_sleep($1::float8)",
    [RAISE] = "SELECT fail($1)",
    NULL,
};

static struct event_base *base;
static struct random rng;
static struct statement parameters;

/* What the pipeline under test has said. */
static struct {
    struct pipeline *pipeline;
    int ups, downs, results, ok, refused, lost;
    int order[1024];
    char sqlstate[6], message[256], reason[256];
} seen;

static void on_up(void *context)
{
    (void)context;
    seen.ups++;
}

static void on_down(void *context, const char *reason)
{
    (void)context;
    seen.downs++;
    snprintf(seen.reason, sizeof seen.reason, "%s", reason);
}

static void on_result(void *context, const struct pipeline_result *result)
{
    seen.order[seen.results++] = (int)(intptr_t)context;
    seen.ok += result->outcome == PIPELINE_OK;
    seen.refused += result->outcome == PIPELINE_REFUSED;
    seen.lost += result->outcome == PIPELINE_LOST;
    assert_int_equal(result->rows != NULL, result->outcome == PIPELINE_OK);
    snprintf(seen.sqlstate, sizeof seen.sqlstate, "%s", result->sqlstate);
    snprintf(seen.message, sizeof seen.message, "%s", result->message);
}

static void open_pipeline(const char *conninfo, const char *const *setup, int timeout_ms)
{
    struct pipeline_settings settings = {conninfo, "test", setup, statements, timeout_ms, 0};
    struct pipeline_callbacks callbacks = {NULL, on_up, on_down, NULL};
    char *error = NULL;

    memset(&seen, 0, sizeof seen);
    seen.pipeline = pipeline_open(base, &settings, &rng, &callbacks, &error);
    assert_non_null(seen.pipeline);
}

static bool submit(int statement, int number)
{
    return pipeline_submit(seen.pipeline, statement, &parameters, on_result,
                           (void *)(intptr_t)number);
}

static bool insert(int number)
{
    statement_reset(&parameters);
    statement_array_begin(&parameters);
    statement_int64(&parameters, number);
    statement_array_end(&parameters);
    return submit(INSERT, number);
}

static bool raise_state(const char *sqlstate)
{
    statement_reset(&parameters);
    statement_string(&parameters, sqlstate);
    return submit(RAISE, 0);
}

static bool doze(const char *seconds)
{
    statement_reset(&parameters);
    statement_string(&parameters, seconds);
    return submit(SLEEP, 0);
}

static void order_and_limit(void **state)
{
    (void)state;
    open_pipeline(server.conninfo, NULL, 0);
    assert_false(insert(1));
    WAIT_FOR(base, seen.ups == 1);
    int taken = 0;
    while (insert(1000 + taken))
        taken++;
    assert_int_equal(taken, PIPELINE_IN_FLIGHT_MAX);
    WAIT_FOR(base, seen.results == taken);
    for (int i = 0; i < taken; i++)
        assert_int_equal(seen.order[i], 1000 + i);
    assert_int_equal(seen.ok, taken);
    assert_int_equal(server_number("SELECT count(*) FROM kept"), taken);
    pipeline_close(seen.pipeline);
}

static void a_refused_one_leaves_its_neighbours_alone(void **state)
{
    (void)state;
    open_pipeline(server.conninfo, NULL, 0);
    WAIT_FOR(base, seen.ups == 1);
    assert_true(insert(1));
    assert_true(insert(-1)); /* against the check */
    assert_true(insert(2));
    WAIT_FOR(base, seen.results == 3);
    assert_int_equal(seen.ok, 2);
    assert_int_equal(seen.refused, 1);
    assert_int_equal(seen.downs, 0);
    assert_int_equal(server_number("SELECT count(*) FROM kept WHERE n IN (-1, 1, 2)"), 2);
    pipeline_close(seen.pipeline);
}

/* A deferred constraint fails at the commit, after the statement itself has succeeded. */
static void a_failing_commit_is_no_success(void **state)
{
    (void)state;
    open_pipeline(server.conninfo, NULL, 0);
    WAIT_FOR(base, seen.ups == 1);
    assert_true(insert(7));
    WAIT_FOR(base, seen.results == 1);
    assert_true(insert(7));
    assert_true(insert(8));
    WAIT_FOR(base, seen.results == 3);
    assert_int_equal(seen.refused, 1);
    assert_int_equal(seen.ok, 2);
    assert_int_equal(server_number("SELECT count(*) FROM kept WHERE n IN (7, 8)"), 2);
    pipeline_close(seen.pipeline);
}

static void sql_states(void **state)
{
    static const char *const refused[] = {"22P02", "23505", "23514", "P0001", "21000", "42702"};
    static const char *const lost[] = {"08006", "25006", "40P01", "42883", "53100", "XX000"};
    (void)state;
    open_pipeline(server.conninfo, NULL, 0);
    WAIT_FOR(base, seen.ups == 1);
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        seen.results = 0;
        assert_true(raise_state(refused[i]));
        WAIT_FOR(base, seen.results == 1);
        assert_string_equal(seen.sqlstate, refused[i]);
        assert_memory_equal(seen.message, refused[i], 5);
    }
    assert_int_equal(seen.refused, ARRAY_SIZE(refused));
    assert_int_equal(seen.downs, 0);
    for (size_t i = 0; i < ARRAY_SIZE(lost); i++) {
        WAIT_FOR(base, pipeline_is_up(seen.pipeline));
        seen.results = 0;
        assert_true(raise_state(lost[i]));
        assert_true(insert(100));
        WAIT_FOR(base, seen.results == 2);
        assert_memory_equal(seen.message, lost[i], 5);
    }
    assert_int_equal(seen.lost, 2 * ARRAY_SIZE(lost));
    WAIT_FOR(base, seen.ups == 1 + (int)ARRAY_SIZE(lost));
    pipeline_close(seen.pipeline);
}

static void a_crash_loses_what_is_in_flight(void **state)
{
    (void)state;
    open_pipeline(server.conninfo, NULL, 0);
    WAIT_FOR(base, seen.ups == 1);
    assert_true(doze("30"));
    assert_true(insert(200));
    server_end(SIGKILL);
    WAIT_FOR(base, seen.downs >= 1);
    assert_int_equal(seen.results, 2);
    assert_int_equal(seen.lost, 2);
    assert_false(insert(201));
    WAIT_FOR(base, seen.downs >= 2); /* goes on trying */
    server_start();
    WAIT_FOR(base, seen.ups == 2);
    assert_true(insert(202));
    WAIT_FOR(base, seen.results == 3);
    assert_int_equal(seen.ok, 1);
    assert_int_equal(server_number("SELECT count(*) FROM kept WHERE n BETWEEN 200 AND 202"), 1);
    pipeline_close(seen.pipeline);
}

static void a_slow_statement_is_lost(void **state)
{
    (void)state;
    open_pipeline(server.conninfo, NULL, 500);
    WAIT_FOR(base, seen.ups == 1);
    assert_true(doze("30"));
    WAIT_FOR(base, seen.ups == 2);
    assert_int_equal(seen.lost, 1);
    assert_memory_equal(seen.message, "57014", 5); /* the server gave up first */
    pipeline_close(seen.pipeline);
}

static void a_hung_server_is_lost(void **state)
{
    (void)state;
    open_pipeline(server.conninfo, NULL, 500);
    WAIT_FOR(base, seen.ups == 1);
    server_signal(SIGSTOP);
    assert_true(insert(300));
    WAIT_FOR(base, seen.lost == 1);
    assert_string_equal(seen.message, "the server did not answer in time");
    WAIT_FOR(base, seen.downs == 2);
    assert_string_equal(seen.reason, "the server did not let us in in time");
    server_signal(SIGCONT);
    WAIT_FOR(base, seen.ups == 2);
    pipeline_close(seen.pipeline);
}

/* The first host does not exist, the second says that it is read-only, the third is good. */
static void several_hosts(void **state)
{
    static const char *const read_only[] = {"SET default_transaction_read_only = on", NULL};
    char conninfo[512];

    (void)state;
    snprintf(conninfo, sizeof conninfo,
             "host=/nowhere,%s port=5432,5432 user=postgres dbname=postgres "
             "target_session_attrs=read-write",
             server.folder);
    open_pipeline(conninfo, NULL, 0);
    WAIT_FOR(base, seen.ups == 1);
    assert_int_equal(seen.downs, 1);
    pipeline_close(seen.pipeline);

    free(server_sql("ALTER DATABASE postgres SET default_transaction_read_only = on"));
    open_pipeline(conninfo, NULL, 0);
    WAIT_FOR(base, seen.downs == 2);
    assert_int_equal(seen.ups, 0);
    free(server_sql("BEGIN READ WRITE; ALTER DATABASE postgres RESET ALL; COMMIT"));
    WAIT_FOR(base, seen.ups == 1);
    assert_int_equal(seen.downs, 2); /* the first host failed again, which is no news */
    pipeline_close(seen.pipeline);

    open_pipeline(conninfo, read_only, 0);
    WAIT_FOR(base, seen.ups == 1);
    assert_true(insert(400)); /* a primary that became a standby under us: 25006 */
    WAIT_FOR(base, seen.lost == 1);
    pipeline_close(seen.pipeline);
}

static void bad_conninfo(void **state)
{
    static const char *const bad[] = {"host", "host=a,b,c port=1,2", "nonsense=1"};
    struct pipeline_callbacks callbacks = {NULL, on_up, on_down, NULL};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct pipeline_settings settings = {bad[i], "test", NULL, statements, 0, 0};
        char *error = NULL;
        assert_null(pipeline_open(base, &settings, &rng, &callbacks, &error));
        assert_non_null(error);
        free(error);
    }
}

/* A statement that cannot be prepared, as before the migration: down until it can. */
static void waits_for_the_schema(void **state)
{
    (void)state;
    free(server_sql("ALTER TABLE kept RENAME TO gone"));
    open_pipeline(server.conninfo, NULL, 0);
    WAIT_FOR(base, seen.downs == 1);
    assert_memory_equal(seen.reason, "42P01", 5);
    free(server_sql("ALTER TABLE gone RENAME TO kept"));
    WAIT_FOR(base, seen.ups == 1);
    pipeline_close(seen.pipeline);
}

/* More than the socket's buffer: the rest leaves when there is room, the loop never waits. */
static void a_large_submission(void **state)
{
    (void)state;
    open_pipeline(server.conninfo, NULL, 20000);
    WAIT_FOR(base, seen.ups == 1);
    statement_reset(&parameters);
    statement_array_begin(&parameters);
    char *block = calloc(1, 1000000);
    for (int i = 0; i < 4; i++)
        statement_bytes(&parameters, block, 1000000);
    free(block);
    statement_array_end(&parameters);
    for (int i = 0; i < 3; i++)
        assert_true(submit(ECHO_BYTES, i));
    WAIT_FOR(base, seen.results == 3);
    assert_int_equal(seen.ok, 3);
    pipeline_close(seen.pipeline);
}

/* --- set-up --- */

static int start(void **state)
{
    (void)state;
    if (!server_create())
        return 0; /* each test then says that it was skipped */
    free(server_sql("CREATE TABLE kept (n bigint CHECK (n > 0), UNIQUE (n) DEFERRABLE INITIALLY "
                    "DEFERRED); "
                    "CREATE FUNCTION fail(state text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN "
                    "RAISE EXCEPTION 'as asked' USING ERRCODE = state; END $$"));
    base = event_base_new();
    random_init(&rng, 20260101);
    statement_init(&parameters);
    return 0;
}

static int end(void **state)
{
    (void)state;
    server_remove();
    statement_fini(&parameters);
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

#define WITH_SERVER(test) cmocka_unit_test_setup(test, need_server)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(order_and_limit),
        WITH_SERVER(a_refused_one_leaves_its_neighbours_alone),
        WITH_SERVER(a_failing_commit_is_no_success),
        WITH_SERVER(sql_states),
        WITH_SERVER(a_crash_loses_what_is_in_flight),
        WITH_SERVER(a_slow_statement_is_lost),
        WITH_SERVER(a_hung_server_is_lost),
        WITH_SERVER(several_hosts),
        WITH_SERVER(bad_conninfo),
        WITH_SERVER(waits_for_the_schema),
        WITH_SERVER(a_large_submission),
    };
    return cmocka_run_group_tests(tests, start, end);
}
