/* onekey-console: arguments, configuration, wiring. */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "tools/console/api.h"
#include "tools/console/caller.h"
#include "tools/console/certificate.h"
#include "tools/console/clock.h"
#include "tools/console/event.h"
#include "tools/console/fanout.h"
#include "tools/console/figures.h"
#include "tools/console/http/status.h"
#include "tools/console/links.h"
#include "tools/console/pages.h"
#include "tools/console/pulse.h"
#include "tools/console/roll_up.h"
#include "tools/console/spec.h"
#include "tools/console/unstored.h"
#include "tools/console/visitors.h"
#include "tools/console/worker.h"

#define CONFIG_FILE "/etc/onekey/onekeyd.conf"
#define EXIT_USAGE 2
#define HEAD_MAX 8192
#define BODY_MAX 65536
#define BACKLOG_MAX (256 * 1024)
#define DESCRIPTORS_BESIDE 128 /* files, PostgreSQL, the loop's own */
#define BEAT_S 5

static const char usage[] =
    "Usage: onekey-console [OPTION]...\n"
    "Serve the dispatch console: its web page, its interface and what happens, as it happens.\n"
    "\n"
    "  -c, --config FILE     configuration (" CONFIG_FILE "), and conf.d/ beside it\n"
    "  -t, --check-config    say what is wrong with the configuration, and end\n"
    "  -V, --version         print the version, and end\n"
    "  -h, --help            print this, and end\n"
    "\n"
    "Exit status: 0 ended as asked, 1 failed, 2 wrong usage.\n"
    "Signals: TERM and INT end.\n";

struct program {
    struct app app;
    const char *config_path;
    struct ssl_ctx_st *tls;
    struct event *signals[2], *beat;
};

static void tell_error(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "onekey-console: %s\n", text);
}

/* --- requests --- */

static void answer_text(struct exchange *exchange, int status, const char *type, const char *text,
                        size_t size)
{
    const struct reply reply = {
        .status = status, .type = type, .headers = STATUS_HEADERS, .body = text, .size = size};
    server_reply(exchange, &reply, NULL, NULL);
}

static void answer_ready(struct app *app, struct exchange *exchange)
{
    bool ready = links_are_up(app->links) && fanout_is_up(app->fanout) &&
                 fanout_cursor(app->fanout)[0] != '\0';
    const char *text = ready ? "ready\n" : "PostgreSQL does not answer\n";
    answer_text(exchange, ready ? 200 : 503, "text/plain", text, strlen(text));
}

/* Figures are for whoever runs the machine: not through a proxy, not from elsewhere. */
static bool is_local(const struct caller *caller)
{
    return strncmp(caller->address, "127.", 4) == 0 || strcmp(caller->address, "::1") == 0;
}

static void on_request(void *context, struct exchange *exchange)
{
    struct app *app = context;
    const struct message *message = &exchange->message;
    bool reads = message->method == MESSAGE_GET || message->method == MESSAGE_HEAD;
    struct caller caller;
    caller_find(&app->config, exchange, &caller);
    if (!caller_host_is_ours(&app->config, message))
        answer_text(exchange, 421, "text/plain", "not by that name\n", 17);
    else if (reads && strcmp(message->path, "/-/healthy") == 0)
        answer_text(exchange, 200, "text/plain", "healthy\n", 8);
    else if (reads && strcmp(message->path, "/-/ready") == 0)
        answer_ready(app, exchange);
    else if (reads && strcmp(message->path, "/metrics") == 0 && is_local(&caller))
        figures_serve(app, exchange);
    else if (reads && strcmp(message->path, "/api/openapi.json") == 0)
        answer_text(exchange, 200, "application/json; charset=utf-8", spec_text, spec_size());
    else if (strncmp(message->path, "/api/", 5) == 0)
        api_begin(app, exchange, &caller);
    else
        pages_serve(app->pages, exchange);
}

/* --- alarms that are not stored yet --- */

static bool wants_unstored(const struct stream *stream)
{
    return stream->sees_unstored;
}

static void on_unstored(struct app *app)
{
    fanout_tell(app->fanout, event_make("", "unstored", unstored_json(app->unstored)),
                wants_unstored);
}

/* --- wiring --- */

static void on_signal(evutil_socket_t number, short what, void *context)
{
    struct program *program = context;
    (void)number, (void)what;
    sd_notify(0, "STOPPING=1");
    event_base_loopbreak(program->app.base);
}

static void on_beat(evutil_socket_t fd, short what, void *context)
{
    struct program *program = context;
    (void)fd, (void)what;
    log_tick(&program->app.log, clock_mono_us());
    sd_notify(0, "WATCHDOG=1");
}

static void watch(struct program *program)
{
    const int numbers[] = {SIGTERM, SIGINT};
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < 2; i++) {
        program->signals[i] =
            event_new(program->app.base, numbers[i], EV_SIGNAL | EV_PERSIST, on_signal, program);
        event_add(program->signals[i], NULL);
    }
    program->beat = event_new(program->app.base, -1, EV_PERSIST, on_beat, program);
    event_add(program->beat, &(struct timeval){BEAT_S, 0});
}

/* As many descriptors as connections need; fewer connections if the system gives fewer. */
static int raise_descriptors(int connections)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)connections + DESCRIPTORS_BESIDE;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return connections;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur >= wanted ? connections : (int)limit.rlim_cur - DESCRIPTORS_BESIDE;
}

static bool open_server(struct program *program)
{
    struct app *app = &program->app;
    const struct config *config = &app->config;
    char error[512];
    if (config->console.certificate[0] != '\0' &&
        (program->tls = certificate_load(config->console.certificate, config->console.key, error,
                                         sizeof(error))) == NULL) {
        tell_error(NULL, error);
        return false;
    }
    const struct server_settings settings = {
        .address = config->console.address,
        .port = (uint16_t)config->console.port,
        .tls = program->tls,
        .connections_max = raise_descriptors(config->console.connections_max),
        .head_max = HEAD_MAX,
        .body_max = BODY_MAX,
        .backlog_max = BACKLOG_MAX,
        .head_s = 10,
        .idle_s = 60,
        .body_s = 15,
        .write_s = 20,
        .context = app,
        .on_request = on_request,
    };
    app->server = server_open(app->base, &settings);
    if (app->server == NULL)
        fprintf(stderr, "onekey-console: [console] cannot listen on %s port %d: %s\n",
                settings.address, config->console.port, strerror(errno));
    return app->server != NULL;
}

static bool open_all(struct program *program)
{
    struct app *app = &program->app;
    char *error = NULL;
    uint64_t seed;
    app->base = event_base_new();
    if (app->base == NULL || getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        return false;
    random_init(&app->random, seed);
    watch(program);
    app->figures = figures_open();
    app->visitors = visitors_open();
    app->worker = worker_open(app->base);
    app->writer = worker_open(app->base);
    app->pages = pages_open(app->config.console.pages, &app->log);
    app->pulse = pulse_open(app);
    app->unstored = unstored_open(app, on_unstored);
    app->links =
        links_open(app->base, app->config.console.conninfo, &app->random, &app->log, &error);
    if (app->links != NULL)
        app->fanout = fanout_open(app, &pulse_hooks, &error);
    if (app->fanout == NULL) {
        tell_error(NULL, error);
        free(error);
        return false;
    }
    app->roll_up = roll_up_open(app);
    return open_server(program);
}

static void close_all(struct program *program)
{
    struct app *app = &program->app;
    worker_close(app->worker);
    worker_close(app->writer);
    roll_up_close(app->roll_up);
    if (app->server != NULL)
        server_close(app->server); /* streams leave the fan-out by it */
    links_close(app->links);
    fanout_close(app->fanout);
    certificate_free(program->tls);
    unstored_close(app->unstored);
    pulse_close(app->pulse);
    if (app->pages != NULL)
        pages_close(app->pages);
    if (app->visitors != NULL)
        visitors_close(app->visitors);
    figures_close(app->figures);
    for (int i = 0; i < 2; i++)
        if (program->signals[i] != NULL)
            event_free(program->signals[i]);
    if (program->beat != NULL)
        event_free(program->beat);
    if (app->base != NULL)
        event_base_free(app->base);
}

static int serve(struct program *program)
{
    struct app *app = &program->app;
    snprintf(app->district, sizeof(app->district), "%d", app->config.gateway.district);
    log_init(&app->log, (enum log_level)app->config.log.level);
    bool good = open_all(program);
    if (good) {
        log_event(&app->log, LOG_NOTICE, "console.ready", field_text("version", ONEKEY_VERSION),
                  field_text("address", app->config.console.address),
                  field_number("port", app->config.console.port));
        sd_notify(0, "READY=1");
        event_base_dispatch(app->base);
        log_event(&app->log, LOG_NOTICE, "console.ended", field_boolean("asked", true));
    }
    close_all(program);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"check-config", no_argument, NULL, 't'},
        {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    static struct program program = {.config_path = CONFIG_FILE};
    bool checks = false;
    for (int option; (option = getopt_long(argc, argv, "c:tVh", options, NULL)) != -1;) {
        if (option == 'c')
            program.config_path = optarg;
        else if (option == 't')
            checks = true;
        else if (option == 'V')
            return puts("onekey-console " ONEKEY_VERSION), EXIT_SUCCESS;
        else if (option == 'h')
            return fputs(usage, stdout), EXIT_SUCCESS;
        else
            return EXIT_USAGE;
    }
    if (optind < argc)
        return fputs(usage, stderr), EXIT_USAGE;
    if (config_load(&program.app.config, program.config_path, NULL, tell_error) > 0)
        return EXIT_FAILURE;
    return checks ? EXIT_SUCCESS : serve(&program);
}
