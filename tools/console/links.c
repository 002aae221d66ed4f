#include "tools/console/links.h"

#include <stdlib.h>

#define LINKS 4
#define TIMEOUT_MS 5000
#define IN_FLIGHT 64
#define SLOW_TIMEOUT_MS 60000
#define SLOW_IN_FLIGHT 32

static const char *const statements[] = {
    [LINKS_REQUEST] = "select status, body, array_to_string(shown, ' ')"
                      " from onekey.console_request($1, $2::bytea, $3, $4, $5::jsonb)",
    [LINKS_LOGIN_BEGIN] =
        "select retry_s, password_hash from onekey.console_login_begin($1, $2, $3)",
    [LINKS_LOGIN_END] =
        "select status, body"
        " from onekey.console_login_end($1, $2, $3, $4::bytea, $5::integer, $6::integer)",
    [LINKS_LOGIN_FAILED] = "select onekey.console_login_failed($1, $2, $3)",
    [LINKS_PRESENTED] = "select onekey.console_presented($1, $2::bytea, $3, $4::bigint[])",
    [LINKS_STREAMS] = "select place, user_name, scope, is_on_duty, gets_notices, sees_unstored"
                      " from onekey.console_streams($1, $2::bytea[])",
    [LINKS_SUMMARIES] = "select place, body from onekey.console_summaries($1, $2::text[])",
    [LINKS_READERS] = "select onekey.console_readers($1, $2::bigint, $3::text[])",
    [LINKS_DUTY] = "select onekey.console_duty($1)",
    [LINKS_ROLL_UP] = "select count(*) from onekey.roll_up_days($1, 7)",
    [LINKS_REPLY] = "select status, body, '' from onekey.console_contact_reply($1, $2, $3)",
    NULL,
};

struct links {
    struct pipeline *pipelines[LINKS], *slow;
    struct log *log;
};

static void on_down(void *context, const char *reason)
{
    struct links *links = context;
    log_event(links->log, LOG_WARNING, "database.down", field_text("reason", reason));
}

struct links *links_open(struct event_base *base, const char *conninfo, struct random *random,
                         struct log *log, char **error)
{
    struct links *links = calloc(1, sizeof(*links));
    struct pipeline_settings settings = {
        .conninfo = conninfo,
        .application_name = "onekey-console",
        .statements = statements,
        .timeout_ms = TIMEOUT_MS,
        .in_flight = IN_FLIGHT,
    };
    const struct pipeline_callbacks callbacks = {.context = links, .on_down = on_down};
    if (links == NULL)
        abort(); /* out of memory */
    links->log = log;
    for (int i = 0; i < LINKS; i++) {
        links->pipelines[i] = pipeline_open(base, &settings, random, &callbacks, error);
        if (links->pipelines[i] != NULL)
            continue;
        links_close(links);
        return NULL;
    }
    settings.timeout_ms = SLOW_TIMEOUT_MS;
    settings.in_flight = SLOW_IN_FLIGHT;
    links->slow = pipeline_open(base, &settings, random, &callbacks, error);
    if (links->slow == NULL) {
        links_close(links);
        return NULL;
    }
    return links;
}

void links_close(struct links *links)
{
    if (links == NULL)
        return;
    for (int i = 0; i < LINKS; i++)
        pipeline_close(links->pipelines[i]);
    pipeline_close(links->slow);
    free(links);
}

bool links_are_up(const struct links *links)
{
    for (int i = 0; i < LINKS; i++)
        if (pipeline_is_up(links->pipelines[i]))
            return true;
    return false;
}

bool links_submit(struct links *links, enum links_statement statement,
                  const struct statement *parameters, pipeline_on_result *on_result, void *context)
{
    struct pipeline *best = NULL;
    for (int i = 0; i < LINKS; i++) {
        struct pipeline *one = links->pipelines[i];
        if (pipeline_is_up(one) &&
            (best == NULL || pipeline_in_flight(one) < pipeline_in_flight(best)))
            best = one;
    }
    return best != NULL && pipeline_submit(best, (int)statement, parameters, on_result, context);
}

bool links_submit_slow(struct links *links, enum links_statement statement,
                       const struct statement *parameters, pipeline_on_result *on_result,
                       void *context)
{
    return pipeline_is_up(links->slow) &&
           pipeline_submit(links->slow, (int)statement, parameters, on_result, context);
}
