#include "tools/console/roll_up.h"

#include <stdlib.h>

#include "tools/console/links.h"

#define FIRST_S 20 /* after the start, when PostgreSQL is likely there */
#define EVERY_S 1800
#define BATCH 7   /* days a statement; as many again at once while there are more */
#define PAUSE_S 1 /* between batches, so that people's questions go between them */

struct roll_up {
    struct app *app;
    struct event *timer;
};

static void wait_for(struct roll_up *roll_up, int seconds)
{
    event_add(roll_up->timer, &(struct timeval){seconds, 0});
}

static void on_done(void *context, const struct pipeline_result *result)
{
    struct roll_up *roll_up = context;
    if (result->outcome == PIPELINE_REFUSED)
        log_event(&roll_up->app->log, LOG_WARNING, "roll_up.failed",
                  field_text("reason", result->message));
    bool has_more = result->outcome == PIPELINE_OK && rows_int64(result->rows, 0, 0) == BATCH;
    wait_for(roll_up, has_more ? PAUSE_S : EVERY_S);
}

static void on_time(evutil_socket_t fd, short what, void *context)
{
    struct roll_up *roll_up = context;
    struct app *app = roll_up->app;
    struct statement statement;
    (void)fd, (void)what;
    statement_init(&statement);
    statement_string(&statement, app->district);
    if (!links_submit_slow(app->links, LINKS_ROLL_UP, &statement, on_done, roll_up))
        wait_for(roll_up, FIRST_S);
    statement_fini(&statement);
}

struct roll_up *roll_up_open(struct app *app)
{
    struct roll_up *roll_up = calloc(1, sizeof(*roll_up));
    if (roll_up == NULL)
        abort(); /* out of memory */
    roll_up->app = app;
    roll_up->timer = evtimer_new(app->base, on_time, roll_up);
    wait_for(roll_up, FIRST_S);
    return roll_up;
}

void roll_up_close(struct roll_up *roll_up)
{
    if (roll_up == NULL)
        return;
    event_free(roll_up->timer);
    free(roll_up);
}
