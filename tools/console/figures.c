#include "tools/console/figures.h"

#include <stdlib.h>

#include "daemon/base/metrics.h"
#include "tools/console/fanout.h"
#include "tools/console/http/status.h"
#include "tools/console/links.h"

struct figures {
    struct metrics metrics;
    int good_answers, refused_answers, failed_answers, good_logins, failed_logins;
    int connections, streams, accepted, evicted, slow, stalled, refused, database;
};

struct figures *figures_open(void)
{
    static const char answers[] = "Answers below /api/";
    static const char logins[] = "Log-ins tried";
    struct figures *figures = calloc(1, sizeof(*figures));
    if (figures == NULL)
        abort(); /* out of memory */
    struct metrics *m = &figures->metrics;
    metrics_init(m);
    metrics_set(m,
                metrics_add(m, METRIC_GAUGE, "onekey_console_build_info",
                            "version=\"" ONEKEY_VERSION "\"", "The program; always 1"),
                1);
    figures->good_answers =
        metrics_add(m, METRIC_COUNTER, "onekey_console_answers_total", "status=\"2xx\"", answers);
    figures->refused_answers =
        metrics_add(m, METRIC_COUNTER, "onekey_console_answers_total", "status=\"4xx\"", answers);
    figures->failed_answers =
        metrics_add(m, METRIC_COUNTER, "onekey_console_answers_total", "status=\"5xx\"", answers);
    figures->good_logins =
        metrics_add(m, METRIC_COUNTER, "onekey_console_logins_total", "result=\"good\"", logins);
    figures->failed_logins =
        metrics_add(m, METRIC_COUNTER, "onekey_console_logins_total", "result=\"failed\"", logins);
    figures->connections =
        metrics_add(m, METRIC_GAUGE, "onekey_console_connections", NULL, "Connections of browsers");
    figures->streams =
        metrics_add(m, METRIC_GAUGE, "onekey_console_streams", NULL, "Open streams of events");
    figures->accepted =
        metrics_add(m, METRIC_COUNTER, "onekey_console_accepted_total", NULL, "Connections taken");
    figures->evicted = metrics_add(m, METRIC_COUNTER, "onekey_console_evicted_total", NULL,
                                   "Connections that made room for others");
    figures->slow = metrics_add(m, METRIC_COUNTER, "onekey_console_slow_total", NULL,
                                "Connections ended because they were too slow");
    figures->stalled = metrics_add(m, METRIC_COUNTER, "onekey_console_stalled_total", NULL,
                                   "Streams ended because too much waited to be read");
    figures->refused = metrics_add(m, METRIC_COUNTER, "onekey_console_refused_total", NULL,
                                   "Requests that were none, or too large");
    figures->database = metrics_add(m, METRIC_GAUGE, "onekey_console_database_up", NULL,
                                    "Whether PostgreSQL answers");
    return figures;
}

void figures_close(struct figures *figures)
{
    free(figures);
}

void figures_count_answer(struct figures *figures, int status)
{
    int series = status < 400   ? figures->good_answers
                 : status < 500 ? figures->refused_answers
                                : figures->failed_answers;
    metrics_count(&figures->metrics, series, 1);
}

void figures_count_login(struct figures *figures, bool good)
{
    metrics_count(&figures->metrics, good ? figures->good_logins : figures->failed_logins, 1);
}

/* Counters that others keep as totals. */
static void raise_to(struct metrics *metrics, int series, int64_t total)
{
    metrics_count(metrics, series, total - metrics_value(metrics, series));
}

static void collect(struct app *app)
{
    struct figures *figures = app->figures;
    struct server_figures server = server_figures(app->server);
    metrics_set(&figures->metrics, figures->connections, server.open);
    metrics_set(&figures->metrics, figures->streams, server.streams);
    metrics_set(&figures->metrics, figures->database,
                links_are_up(app->links) && fanout_is_up(app->fanout));
    raise_to(&figures->metrics, figures->accepted, server.accepted);
    raise_to(&figures->metrics, figures->evicted, server.evicted);
    raise_to(&figures->metrics, figures->slow, server.slow);
    raise_to(&figures->metrics, figures->stalled, server.stalled);
    raise_to(&figures->metrics, figures->refused, server.refused);
}

static void write_text(void *context, const char *text, size_t size)
{
    if (evbuffer_add(context, text, size) != 0)
        abort(); /* out of memory */
}

void figures_serve(struct app *app, struct exchange *exchange)
{
    struct evbuffer *text = evbuffer_new();
    collect(app);
    metrics_print(&app->figures->metrics, text, write_text);
    const struct reply reply = {.status = 200,
                                .type = "text/plain; version=0.0.4; charset=utf-8",
                                .headers = STATUS_HEADERS,
                                .shared = text};
    server_reply(exchange, &reply, NULL, NULL);
    evbuffer_free(text);
}
