#include "daemon/edge/control.h"

#include "daemon/base/error.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utlist.h>

#define CLIENTS_MAX 16
#define STALL_TIMEOUT_MS 10000
#define BACKLOG 16
#define MODE 0660
#define OUTPUT_FULL (64 * 1024)
#define OUTPUT_LOW (16 * 1024) /* more is written when the output has drained to this */

/* A client asks (command NULL, reading) or is being answered (command set, not reading). */
struct client {
    struct client *prev, *next;
    struct control *control;
    struct bufferevent *stream;
    const struct control_command *command;
    char argument[CONTROL_REQUEST_MAX];
    int64_t cursor;
    bool ended; /* it asks no more, and goes once it has read its answers */
};

struct control_answer {
    struct evbuffer *output;
};

struct control {
    struct control_settings settings;
    struct log *log;
    struct evconnlistener *listener;
    struct client *clients;
    int client_count;
};

bool control_has_room(const struct control_answer *answer)
{
    return evbuffer_get_length(answer->output) < OUTPUT_FULL;
}

static void append(struct evbuffer *output, const char *text, size_t size)
{
    if (evbuffer_add(output, text, size) != 0)
        abort(); /* out of memory */
}

void control_write(struct control_answer *answer, const struct field *fields, size_t count)
{
    static const char too_long[] = "{\"error\":\"a line is too long to be shown\"}";
    char line[CONTROL_LINE_MAX];
    size_t size = field_write_json(fields, count, line, sizeof(line));
    if (size > 0)
        append(answer->output, line, size);
    else
        append(answer->output, too_long, sizeof(too_long) - 1);
    append(answer->output, "\n", 1);
}

static void drop(struct client *client)
{
    struct control *control = client->control;
    DL_DELETE(control->clients, client);
    control->client_count--;
    bufferevent_free(client->stream);
    free(client);
}

/* The command that a request begins with, and what follows it. */
static const struct control_command *find_command(const struct control_settings *settings,
                                                  const char *request, const char **argument)
{
    for (int i = 0; i < settings->command_count; i++) {
        const struct control_command *command = &settings->commands[i];
        size_t size = strlen(command->name);
        if (strncmp(request, command->name, size) != 0 ||
            (request[size] != '\0' && request[size] != ' '))
            continue;
        *argument = request + size + strspn(request + size, " ");
        return command;
    }
    return NULL;
}

static void refuse(struct client *client, const char *why, const char *remedy)
{
    struct control_answer answer = {bufferevent_get_output(client->stream)};
    control_line(&answer, field_text("error", why), field_text("remedy", remedy));
    append(answer.output, "\n", 1);
}

static void list_commands(struct client *client)
{
    const struct control_settings *settings = &client->control->settings;
    struct control_answer answer = {bufferevent_get_output(client->stream)};
    for (int i = 0; i < settings->command_count; i++)
        control_line(&answer, field_text("command", settings->commands[i].name),
                     field_text("argument", settings->commands[i].argument),
                     field_text("help", settings->commands[i].help));
    append(answer.output, "\n", 1);
}

static void take_request(struct client *client, const char *request)
{
    const char *argument;
    const struct control_command *command =
        find_command(&client->control->settings, request, &argument);
    if (strcmp(request, "help") == 0) {
        list_commands(client);
    } else if (command == NULL) {
        refuse(client, "unknown request", "help lists what can be asked");
    } else if (command->argument == NULL && *argument != '\0') {
        refuse(client, "this request takes no argument", command->name);
    } else {
        client->command = command;
        client->cursor = 0;
        memcpy(client->argument, argument, strlen(argument) + 1);
    }
}

/* Takes the next request if one has arrived whole. False if the client was dropped instead. */
static bool read_request(struct client *client)
{
    struct evbuffer *input = bufferevent_get_input(client->stream);
    size_t size;
    char *line = evbuffer_readln(input, &size, EVBUFFER_EOL_CRLF);
    if (line == NULL && evbuffer_get_length(input) < CONTROL_REQUEST_MAX)
        return true;
    if (line == NULL || size >= CONTROL_REQUEST_MAX || strlen(line) != size) {
        free(line);
        drop(client);
        return false;
    }
    take_request(client, line);
    free(line);
    return true;
}

/* Writes one more piece of the answer. */
static void continue_answer(struct client *client)
{
    struct control_answer answer = {bufferevent_get_output(client->stream)};
    client->cursor = client->command->answer(client->control->settings.context, client->argument,
                                             client->cursor, &answer);
    assert(client->cursor == CONTROL_DONE || client->cursor >= 0);
    if (client->cursor != CONTROL_DONE)
        return;
    client->command = NULL;
    append(answer.output, "\n", 1);
}

/* Whether the client, which asks no more, has also been told everything. */
static bool is_over(const struct client *client)
{
    return client->ended && client->command == NULL &&
           evbuffer_get_length(bufferevent_get_output(client->stream)) == 0;
}

/* Goes on with whatever this client is at, until it must read, or must ask. */
static void serve(struct client *client)
{
    const struct control_answer answer = {bufferevent_get_output(client->stream)};
    struct evbuffer *input = bufferevent_get_input(client->stream);
    size_t before;
    do {
        before = evbuffer_get_length(input);
        if (client->command == NULL && !read_request(client))
            return;
        if (client->command != NULL)
            continue_answer(client);
    } while (control_has_room(&answer) &&
             (client->command != NULL || evbuffer_get_length(input) < before));
    if (is_over(client))
        drop(client);
    else if (client->command == NULL && !client->ended && control_has_room(&answer))
        bufferevent_enable(client->stream, EV_READ);
    else
        bufferevent_disable(client->stream, EV_READ);
}

static void on_activity(struct bufferevent *stream, void *argument)
{
    (void)stream;
    serve(argument);
}

static void on_end(struct bufferevent *stream, short what, void *argument)
{
    struct client *client = argument;
    if ((what & BEV_EVENT_EOF) != 0 && (what & BEV_EVENT_READING) != 0) {
        client->ended = true;
        bufferevent_setwatermark(stream, EV_WRITE, 0, 0);
        serve(client);
        return;
    }
    if ((what & BEV_EVENT_TIMEOUT) != 0 && (what & BEV_EVENT_WRITING) != 0)
        log_event(client->control->log, LOG_NOTICE, "control.stalled",
                  field_text("request", client->command == NULL ? "" : client->command->name));
    drop(client);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer,
                      int peer_size, void *argument)
{
    struct control *control = argument;
    (void)peer;
    (void)peer_size;
    if (control->client_count == control->settings.clients_max) {
        log_event(control->log, LOG_WARNING, "control.refused",
                  field_number("clients", control->client_count));
        evutil_closesocket(fd);
        return;
    }
    struct client *client = calloc(1, sizeof(*client));
    struct bufferevent *stream =
        bufferevent_socket_new(evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
    if (client == NULL || stream == NULL)
        abort(); /* out of memory */
    client->control = control;
    client->stream = stream;
    DL_APPEND(control->clients, client);
    control->client_count++;
    int timeout_ms = control->settings.stall_timeout_ms;
    const struct timeval patience = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
    bufferevent_set_timeouts(stream, &patience, &patience);
    bufferevent_setwatermark(stream, EV_READ, 0, 2 * CONTROL_REQUEST_MAX);
    bufferevent_setwatermark(stream, EV_WRITE, OUTPUT_LOW, 0);
    bufferevent_setcb(stream, on_activity, on_activity, on_end, client);
    bufferevent_enable(stream, EV_READ | EV_WRITE);
}

/* Whether a living process answers at this path. */
static bool is_answered(const struct sockaddr_un *name)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answered = fd >= 0 && connect(fd, (const struct sockaddr *)name, sizeof(*name)) == 0;
    if (fd >= 0)
        close(fd);
    return answered;
}

/* A listening socket with the right mode from its first moment on, or -1. */
static int listen_at(const struct sockaddr_un *name)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* The file takes the mode of the socket less the umask, which chmod then restores. */
    if (fd >= 0 && fchmod(fd, MODE) == 0 &&
        bind(fd, (const struct sockaddr *)name, sizeof(*name)) == 0 &&
        chmod(name->sun_path, MODE) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int reason = errno;
    if (fd >= 0)
        close(fd);
    errno = reason;
    return -1;
}

int control_open(struct control **out, struct event_base *base,
                 const struct control_settings *settings, struct log *log)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    size_t size = strlen(settings->path);
    if (size >= sizeof(name.sun_path))
        return ERR_TOO_LARGE;
    memcpy(name.sun_path, settings->path, size);
    if (is_answered(&name))
        return ERR_EXISTS;
    struct stat left;
    if (lstat(name.sun_path, &left) == 0 && S_ISSOCK(left.st_mode))
        unlink(name.sun_path);
    int fd = listen_at(&name);
    if (fd < 0) {
        log_event(log, LOG_ERROR, "control.unopened", field_text("path", settings->path),
                  field_text("reason", strerror(errno)));
        return ERR_IO;
    }
    struct control *control = calloc(1, sizeof(*control));
    if (control == NULL)
        abort(); /* out of memory */
    control->settings = *settings;
    control->log = log;
    if (settings->clients_max == 0)
        control->settings.clients_max = CLIENTS_MAX;
    if (settings->stall_timeout_ms == 0)
        control->settings.stall_timeout_ms = STALL_TIMEOUT_MS;
    control->listener = evconnlistener_new(base, on_accept, control, LEV_OPT_CLOSE_ON_FREE, 0, fd);
    if (control->listener == NULL)
        abort(); /* out of memory */
    *out = control;
    return 0;
}

void control_close(struct control *control)
{
    struct client *client, *following;
    DL_FOREACH_SAFE(control->clients, client, following)
    drop(client);
    evconnlistener_free(control->listener);
    unlink(control->settings.path);
    free(control);
}
