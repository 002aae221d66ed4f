/*
 * onekeyd: arguments, configuration, wiring. What happens once it runs is daemon/edge/turn.h.
 */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/config.h"
#include "daemon/base/config_print.h"
#include "daemon/base/error.h"
#include "daemon/base/log.h"
#include "daemon/edge/clock.h"
#include "daemon/edge/control.h"
#include "daemon/edge/http.h"
#include "daemon/edge/measure.h"
#include "daemon/edge/panel.h"
#include "daemon/edge/service.h"
#include "daemon/edge/turn.h"
#include "protocol/codec.h"

#define CONFIG_PATH "/etc/onekey/onekeyd.conf"
#define EXIT_USAGE 2

struct program {
    const char *config_path;
    struct config configs[2]; /* the one in force and the one being read */
    int current;
    struct log log;
    struct event_base *base;
    struct event *signals[3];
    struct turn *turn;
    struct http *http;
    struct control *control;
    struct panel panel;
    char refusal[512];
};

static const char usage[] =
    "Usage: onekeyd [OPTION]...\n"
    "Take alarms of call boxes, wristbands and water meters and raise tickets from them.\n"
    "\n"
    "  -c, --config FILE     configuration (" CONFIG_PATH "), and conf.d/ beside it\n"
    "  -t, --check-config    say what is wrong with the configuration, and end\n"
    "  -p, --print-config    print the configuration in force with its defaults, and end\n"
    "      --list-protocols  print the names of the protocols, and end\n"
    "  -V, --version         print the version, and end\n"
    "  -h, --help            print this, and end\n"
    "\n"
    "Exit status: 0 ended as asked, 1 failed, 2 wrong usage.\n"
    "Signals: HUP reads configuration and certificates again, TERM and INT end.\n";

static struct config *running(struct program *program)
{
    return &program->configs[program->current];
}

static void tell_error(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "onekeyd: %s\n", text);
}

static bool protocols_exist(const struct config *config, void *context,
                            void (*on_error)(void *context, const char *text))
{
    bool ok = true;

    for (int i = 0; i < config->listener_count; i++) {
        const struct config_listener *listener = &config->listeners[i];
        char text[256];
        int codec = codec_find(listener->protocol);

        if (strcmp(listener->protocol, "any") == 0 || (codec >= 0 && codecs[codec]->split))
            continue;
        snprintf(text, sizeof(text),
                 "[listen %s] protocol: '%s' is no protocol of a listener; see --list-protocols",
                 listener->name, listener->protocol);
        on_error(context, text);
        ok = false;
    }
    return ok;
}

static bool load(const struct program *program, struct config *config, void *context,
                 void (*on_error)(void *context, const char *text))
{
    int errors = config_load(config, program->config_path, context, on_error);

    return errors == 0 && protocols_exist(config, context, on_error);
}

static void keep_refusal(void *context, const char *text)
{
    struct program *program = context;
    size_t used = strlen(program->refusal);

    snprintf(program->refusal + used, sizeof(program->refusal) - used, "%s%s", used ? "; " : "",
             text);
    log_event(&program->log, LOG_ERROR, "config.refused", field_text("reason", text));
}

static void keep_difference(void *context, const char *key)
{
    char text[128];

    snprintf(text, sizeof(text), "%s needs a restart", key);
    keep_refusal(context, text);
}

/* Reads into the other struct and swaps, or leaves everything as it was. */
static const char *reload(void *context)
{
    struct program *program = context;
    struct config *wanted = &program->configs[!program->current];

    service_reloading(clock_monotonic_us());
    program->refusal[0] = '\0';
    if (load(program, wanted, program, keep_refusal) &&
        config_differs(running(program), wanted, program, keep_difference) == 0) {
        program->current = !program->current;
        program->panel.config = wanted;
        program->log.level = (enum log_level)wanted->log.level;
        turn_configure(program->turn, wanted);
        log_event(&program->log, LOG_NOTICE, "config.reloaded",
                  field_text("file", program->config_path));
    }
    service_ready();
    return program->refusal[0] ? program->refusal : NULL;
}

static void drain(void *context)
{
    struct program *program = context;

    log_event(&program->log, LOG_NOTICE, "daemon.draining");
    turn_drain(program->turn);
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
    struct program *program = context;

    (void)what;
    if (number == SIGHUP)
        (void)reload(program);
    else
        turn_stop(program->turn);
}

static void write_metrics(void *context, void *reply)
{
    measure_print(((struct program *)context)->turn, reply, http_write);
}

static const char *not_ready(void *context)
{
    return turn_not_ready(((struct program *)context)->turn);
}

static bool open_http(struct program *program)
{
    const struct config *config = running(program);
    struct http_pages pages = {program, write_metrics, not_ready};

    if (config->http.port == 0)
        return true;
    program->http =
        http_open(program->base, config->http.address, (uint16_t)config->http.port, &pages);
    if (!program->http)
        fprintf(stderr, "onekeyd: [http] cannot listen on %s port %d: %s\n", config->http.address,
                config->http.port, strerror(errno));
    return program->http != NULL;
}

static bool open_control(struct program *program)
{
    struct control_settings settings = {.path = running(program)->control.socket,
                                        .commands = panel_commands,
                                        .command_count = panel_command_count,
                                        .context = &program->panel};
    int result;

    program->panel = (struct panel){program->turn, running(program), program, reload, drain};
    result = control_open(&program->control, program->base, &settings, &program->log);
    if (result < 0)
        fprintf(stderr, "onekeyd: [control] socket %s: %s\n", settings.path, error_text(result));
    return result >= 0;
}

static void watch_signals(struct program *program)
{
    const int numbers[] = {SIGHUP, SIGTERM, SIGINT};

    for (int i = 0; i < 3; i++) {
        program->signals[i] =
            event_new(program->base, numbers[i], EV_SIGNAL | EV_PERSIST, on_signal, program);
        event_add(program->signals[i], NULL);
    }
}

static bool open_all(struct program *program)
{
    char error[512];

    signal(SIGPIPE, SIG_IGN); /* devices are answered while the turn is still being opened */
    program->base = event_base_new();
    if (!program->base) {
        fprintf(stderr, "onekeyd: no event loop: %s\n", strerror(errno));
        return false;
    }
    program->turn = turn_open(program->base, running(program), &program->log, error, sizeof(error));
    if (!program->turn) {
        fprintf(stderr, "onekeyd: %s\n", error);
        return false;
    }
    watch_signals(program);
    return open_http(program) && open_control(program);
}

static void close_all(struct program *program)
{
    if (program->control)
        control_close(program->control);
    if (program->http)
        http_close(program->http);
    if (program->turn)
        turn_close(program->turn);
    for (int i = 0; i < 3; i++)
        if (program->signals[i])
            event_free(program->signals[i]);
    if (program->base)
        event_base_free(program->base);
}

static int serve(struct program *program)
{
    bool ok;

    log_init(&program->log, (enum log_level)running(program)->log.level);
    if (!open_all(program)) {
        close_all(program);
        return EXIT_FAILURE;
    }
    log_event(&program->log, LOG_NOTICE, "daemon.ready", field_text("version", ONEKEY_VERSION),
              field_text("gateway", running(program)->gateway.name));
    service_ready();
    ok = turn_run(program->turn);
    service_stopping();
    if (!ok)
        _exit(
            EXIT_FAILURE); /* the disk cannot be trusted: nothing more is written, replay decides */
    log_event(&program->log, LOG_NOTICE, "daemon.ended");
    close_all(program);
    return EXIT_SUCCESS;
}

static int list_protocols(void)
{
    for (int i = 0; i < codec_count; i++)
        printf("%s\t%s\n", codecs[i]->name, codecs[i]->split ? "stream" : "mqtt");
    return EXIT_SUCCESS;
}

enum action { ACTION_SERVE, ACTION_CHECK, ACTION_PRINT, ACTION_LIST, ACTION_VERSION, ACTION_HELP };

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"check-config", no_argument, NULL, 't'},
    {"print-config", no_argument, NULL, 'p'},
    {"list-protocols", no_argument, NULL, 'l'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* -1 for wrong usage, which getopt has told of. */
static int read_arguments(struct program *program, int argc, char **argv)
{
    int action = ACTION_SERVE, option;

    while ((option = getopt_long(argc, argv, "c:tpVh", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            program->config_path = optarg;
            break;
        case 't':
            action = ACTION_CHECK;
            break;
        case 'p':
            action = ACTION_PRINT;
            break;
        case 'l':
            action = ACTION_LIST;
            break;
        case 'V':
            action = ACTION_VERSION;
            break;
        case 'h':
            action = ACTION_HELP;
            break;
        default:
            return -1;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "onekeyd: what is '%s'? It takes options only\n", argv[optind]);
        return -1;
    }
    return action;
}

static int act(struct program *program, enum action action)
{
    if (action == ACTION_LIST)
        return list_protocols();
    if (action == ACTION_HELP || action == ACTION_VERSION) {
        fputs(action == ACTION_HELP ? usage : "onekeyd " ONEKEY_VERSION "\n", stdout);
        return EXIT_SUCCESS;
    }
    if (!load(program, running(program), program, tell_error))
        return EXIT_FAILURE;
    if (action == ACTION_PRINT)
        config_print(running(program), stdout);
    if (action == ACTION_CHECK)
        printf("%s: good\n", program->config_path);
    return action == ACTION_SERVE ? serve(program) : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static struct program program = {.config_path = CONFIG_PATH};
    int action = read_arguments(&program, argc, argv);

    if (action < 0) {
        fputs("Try 'onekeyd --help'.\n", stderr);
        return EXIT_USAGE;
    }
    return act(&program, (enum action)action);
}
