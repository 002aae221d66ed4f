/* onekeyctl show, reload, drain: one question to the daemon over its control socket. */
#include "daemon/base/config.h"
#include "tools/common/columns.h"
#include "tools/onekeyctl/command.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define REQUEST_MAX 256
#define TIMEOUT_S 15

static void ignore_error(void *context, const char *text)
{
    (void)context;
    (void)text;
}

/* Where the daemon listens. A configuration with errors is no reason not to ask a running daemon. */
static void find_socket(const struct invocation *invocation, char *out, size_t size)
{
    struct config config;
    if (invocation->socket == NULL) {
        int ignored = config_load(&config, invocation->config, NULL, ignore_error);
        (void)ignored;
    }
    snprintf(out, size, "%s",
             invocation->socket == NULL ? config.control.socket : invocation->socket);
}

/* A connection on which nothing blocks for long; NULL, and said why. */
static FILE *connect_to(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = TIMEOUT_S};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t size = strnlen(path, sizeof(name.sun_path) - 1); /* a longer path is not found */
    memcpy(name.sun_path, path, size);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 &&
        connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0)
        return fdopen(fd, "r+");
    fprintf(stderr, "onekeyctl: cannot reach the daemon at %s: %s%s\n", path, strerror(errno),
            errno == EACCES ? "; join the group of the socket" : "; is onekeyd running?");
    if (fd >= 0)
        close(fd);
    return NULL;
}

/* The words of the request with one blank between them. False if they are no line. */
static bool join(int argc, char **argv, char out[REQUEST_MAX])
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < argc && used < REQUEST_MAX; i++) {
        if (strpbrk(argv[i], "\r\n") != NULL)
            return false;
        used += (size_t)snprintf(out + used, REQUEST_MAX - used, "%s%s", i > 0 ? " " : "", argv[i]);
    }
    return used < REQUEST_MAX - 1;
}

static void print_refusal(const json_t *row)
{
    const char *error = json_string_value(json_object_get(row, "error"));
    const char *remedy = json_string_value(json_object_get(row, "remedy"));
    fprintf(stderr, "onekeyctl: %s%s%s\n", error, remedy == NULL ? "" : "; ",
            remedy == NULL ? "" : remedy);
}

/* Prints one line of the answer; false if it is a refusal, or no JSON. */
static bool print_line(const struct invocation *invocation, const char *line,
                       struct columns *columns)
{
    json_t *row = json_loads(line, 0, NULL);
    bool good = json_is_object(row) && !json_is_string(json_object_get(row, "error"));
    if (row == NULL)
        fprintf(stderr, "onekeyctl: the daemon's answer is not understood\n");
    else if (!good)
        print_refusal(row);
    else if (invocation->json)
        fputs(line, columns->out);
    else
        columns_add(columns, json_incref(row));
    json_decref(row);
    return good;
}

/* Reads the answer up to its empty line. */
static int print_answer(const struct invocation *invocation, FILE *stream)
{
    static struct columns columns;
    char *line = NULL;
    size_t capacity = 0;
    bool good = true, complete = false;
    columns_start(&columns, stdout);
    errno = 0;
    while (!complete && getline(&line, &capacity, stream) > 0) {
        complete = strcmp(line, "\n") == 0;
        if (!complete)
            good = print_line(invocation, line, &columns) && good;
    }
    columns_finish(&columns);
    free(line);
    if (!complete)
        fprintf(stderr, "onekeyctl: the daemon's answer breaks off: %s\n",
                errno == 0        ? "connection closed"
                : errno == EAGAIN ? "no answer in time"
                                  : strerror(errno));
    return good && complete && fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}

int control_command(const struct invocation *invocation, int argc, char **argv)
{
    char request[REQUEST_MAX], path[CONFIG_PATH_SIZE];
    if (!join(argc, argv, request)) {
        fprintf(stderr, "onekeyctl: the request is too long, or more than one line\n");
        return EXIT_USAGE;
    }
    find_socket(invocation, path, sizeof(path));
    FILE *stream = connect_to(path);
    if (stream == NULL)
        return EXIT_FAILED;
    bool lists = strcmp(request, "show") == 0;
    fprintf(stream, "%s\n", lists ? "help" : request);
    fflush(stream);
    int status = print_answer(invocation, stream);
    fclose(stream);
    return status;
}
