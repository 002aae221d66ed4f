#include "tools/console/presented.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/console/links.h"

struct presented {
    struct app *app;
    uint8_t hash[TOKEN_HASH_SIZE];
    char origin[64];
    char tickets[];
};

struct presented *presented_new(struct app *app, const uint8_t hash[TOKEN_HASH_SIZE],
                                const char *origin, const char *tickets)
{
    size_t size = strlen(tickets) + 1;
    if (size == 1)
        return NULL;
    struct presented *presented = malloc(sizeof(*presented) + size);
    if (presented == NULL)
        abort(); /* out of memory */
    presented->app = app;
    memcpy(presented->hash, hash, TOKEN_HASH_SIZE);
    snprintf(presented->origin, sizeof(presented->origin), "%s", origin);
    memcpy(presented->tickets, tickets, size);
    return presented;
}

/* Nothing waits for it: what is not marked now is marked when it is shown again. */
static void on_result(void *context, const struct pipeline_result *result)
{
    struct app *app = context;
    if (result->outcome == PIPELINE_REFUSED)
        log_event(&app->log, LOG_WARNING, "presented.failed",
                  field_text("reason", result->message));
}

void presented_send(void *argument, bool sent)
{
    struct presented *presented = argument;
    struct statement statement;
    char *at = presented->tickets, *end;
    statement_init(&statement);
    statement_string(&statement, presented->app->district);
    statement_bytes(&statement, presented->hash, TOKEN_HASH_SIZE);
    statement_string(&statement, presented->origin);
    statement_array_begin(&statement);
    for (long long id; id = strtoll(at, &end, 10), end != at; at = end)
        statement_int64(&statement, id);
    statement_array_end(&statement);
    if (sent)
        sent = links_submit(presented->app->links, LINKS_PRESENTED, &statement, on_result,
                            presented->app);
    statement_fini(&statement);
    free(presented);
}
