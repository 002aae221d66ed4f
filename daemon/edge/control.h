/*
 * The control socket: a UNIX-domain socket on which onekeyctl asks. One request is one line, "show
 * sessions", "reload"; its answer is JSON objects, one a line, ended by an empty line; then the next
 * request may come. A request that is refused is answered by one object with "error" in it. What can
 * be asked is the caller's table.
 *
 * A long answer is made in pieces as the client reads it, so that a table of a million rows neither
 * fills memory nor stops the loop. Clients, lines and pauses are bounded; one that does not read is
 * dropped. Who may ask is the socket's mode, 0660. SIGPIPE must be ignored by the process.
 */
#ifndef ONEKEY_EDGE_CONTROL_H
#define ONEKEY_EDGE_CONTROL_H

#include "daemon/base/attributes.h"
#include "daemon/base/field.h"
#include "daemon/base/log.h"

#include <stdbool.h>
#include <stdint.h>

#define CONTROL_DONE INT64_C(-1) /* a cursor: the answer is complete */
#define CONTROL_LINE_MAX 4096    /* longest line of an answer */
#define CONTROL_REQUEST_MAX 256  /* longest request */

struct event_base;
struct control;
struct control_answer;

struct control_command {
    const char *name;     /* "show sessions" */
    const char *argument; /* what may follow it, for help: "[IDENTITY]"; NULL: nothing may */
    const char *help;     /* one line */
    /* Writes lines by control_line. `argument` is empty if none was given. A long table is left
     * when control_has_room turns false: the cursor returned (>= 0, the caller's meaning) comes
     * back when there is room again. The first is 0; CONTROL_DONE ends. */
    int64_t (*answer)(void *context, const char *argument, int64_t cursor,
                      struct control_answer *answer);
};

struct control_settings {
    const char *path; /* of the socket; at most 107 bytes */
    const struct control_command *commands;
    int command_count;
    void *context;        /* of the commands */
    int clients_max;      /* 0: 16 */
    int stall_timeout_ms; /* a client that neither asks nor reads for so long is dropped; 0: 10 s */
};

/* Listens. A socket left by a dead process is replaced, one that answers is not: ERR_EXISTS. Other
 * failures are ERR_IO or ERR_TOO_LARGE, logged. Settings and what they point to outlive it. */
int control_open(struct control **out, struct event_base *base,
                 const struct control_settings *settings, struct log *log) MUST_USE;
/* Ends all clients and removes the socket. */
void control_close(struct control *control);

/* One line of the answer; one that is longer than CONTROL_LINE_MAX becomes an error line. */
void control_write(struct control_answer *answer, const struct field *fields, size_t count);
/* Whether more lines should be written now. */
bool control_has_room(const struct control_answer *answer);

#define control_line(answer, ...)                                                                  \
    control_write(answer, (const struct field[]){__VA_ARGS__},                                     \
                  sizeof((const struct field[]){__VA_ARGS__}) / sizeof(struct field))

#endif
