/*
 * What happens, to every open console. PostgreSQL's notifications only say that it is time to look; what is
 * new is asked with a snapshot as the cursor (onekey.console_changes), so nothing is lost however
 * transactions overlap, connections break or browsers come and go:
 *
 *     notified, or a gap --> poll: "what has changed since `cursor`, as these people see it"
 *                              |          one person for each scope: who shares a scope sees the same
 *                              +--> rows of a scope: one buffer --by reference--> its streams
 *
 * A stream joins between two polls: a new one with the cursor that stands, one that resumes by a question of
 * its own on the same connection, whose answer stands before that of the next poll.
 */
#ifndef ONEKEY_CONSOLE_FANOUT_H
#define ONEKEY_CONSOLE_FANOUT_H

#include "tools/console/app.h"
#include "tools/console/token.h"

#define FANOUT_CURSOR_SIZE 512
#define FANOUT_SCOPE_SIZE 256

struct fanout;
struct scope;

enum stream_state { STREAM_WAITS, STREAM_RESUMES, STREAM_LIVE };

/* One open console. */
struct stream {
    struct stream *prev, *next;             /* of all */
    struct stream *scope_prev, *scope_next; /* of its scope */
    struct app *app;
    struct exchange *exchange; /* NULL: gone, and only kept for an answer that is on its way */
    struct scope *scope;       /* NULL: not known, PostgreSQL is away */
    enum stream_state state;
    char after[FANOUT_CURSOR_SIZE]; /* where it resumes; "": anew */
    uint8_t hash[TOKEN_HASH_SIZE];
    char user[65], origin[INET6_ADDRSTRLEN + 16];
    char *shift; /* JSON: the shift of its person, for hello */
    bool is_on_duty, gets_notices, sees_unstored;
};

/* What others do about it; context is the app. */
struct fanout_hooks {
    void (*on_live)(struct app *app, struct stream *stream); /* it has said hello */
    void (*on_changed)(struct app *app);                     /* tickets have */
    void (*on_people)(struct app *app);                      /* shifts or users have, or may have */
    void (*on_notice)(struct app *app, const char *notice);  /* " TICKET WHAT [ABOUT]" */
};

/* `hooks` is borrowed. */
struct fanout *fanout_open(struct app *app, const struct fanout_hooks *hooks,
                           char **error) MUST_USE;
void fanout_close(struct fanout *fanout);
bool fanout_is_up(const struct fanout *fanout);
/* The cursor up to which every live stream has been told; "" if there is none yet. */
const char *fanout_cursor(const struct fanout *fanout);
/* Asks what is new, as soon as the question before has been answered. */
void fanout_poll(struct fanout *fanout);
/* A stream whose session stands: it will say hello and be told of everything from then on. */
void fanout_add(struct fanout *fanout, struct stream *stream, const char *scope);
/* The same for one that is here already; it says hello again if what it sees is another now. */
void fanout_move(struct fanout *fanout, struct stream *stream, const char *scope);
/* Says hello at once, as while PostgreSQL is away. */
void fanout_hello(struct stream *stream);
/* Takes a stream out, whose other end is gone or is sent away, and frees it. */
void fanout_remove(struct fanout *fanout, struct stream *stream);
/* The first of all streams; `next` goes on. */
struct stream *fanout_streams(struct fanout *fanout);
/* To every stream that `wants`; NULL: all. It takes the buffer. */
void fanout_tell(struct fanout *fanout, struct evbuffer *event,
                 bool (*wants)(const struct stream *stream));

/* --- scopes, for what is asked for each of them --- */

/* Appends the person who stands for each scope as an array parameter and copies the keys into `keys`
 * (freed by the caller), so that the answer's places can be found again. Returns how many. */
struct statement;
int fanout_people(struct fanout *fanout, struct statement *statement,
                  char (**keys)[FANOUT_SCOPE_SIZE]);
/* To the live streams of that scope, if it still exists, that `wants`. It takes the buffer. */
void fanout_tell_scope(struct fanout *fanout, const char *key, struct evbuffer *event,
                       bool (*wants)(const struct stream *stream));

#endif
