/*
 * A private PostgreSQL cluster for tests in C: in a new folder under /tmp, on a UNIX socket only,
 * gone with the test that started it. For root the server runs as user postgres, as it insists.
 * And the waiting of such tests: turn the loop until something is so, with a deadline.
 */
#ifndef ONEKEY_TESTS_PRIVATE_POSTGRES_H
#define ONEKEY_TESTS_PRIVATE_POSTGRES_H

#include <event2/event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

extern struct server {
    char folder[64], data[80], conninfo[192];
    pid_t pid; /* 0: not running */
} server;

/* Makes a cluster and starts it. False if PostgreSQL is not installed. */
bool server_create(void);
void server_start(void);
/* A signal to the server and all its children, which have process groups of their own. */
void server_signal(int number);
/* SIGINT: orderly; SIGKILL: as a crash of the machine. Does nothing if it does not run. */
void server_end(int number);
/* Ends it and removes the folder. */
void server_remove(void);

/* Runs SQL; the text of the first value it gives, the caller frees it. A failure ends the test. */
char *server_sql(const char *sql);
int64_t server_number(const char *sql);
/* The project's own schema: db/migrations and db/functions in order of their names. */
void server_migrate(void);

/* A timer that ends the whole test program when 20 s have passed, with `text` as the reason. */
struct event *server_deadline(struct event_base *base, const char *text);

/* One turn of the loop. */
void server_turn(struct event_base *base);

/* Turns the loop until the condition holds. */
#define WAIT_FOR(base, condition)                                                                  \
    do {                                                                                           \
        struct event *deadline_ = server_deadline(base, #condition);                               \
        while (!(condition))                                                                       \
            server_turn(base);                                                                     \
        event_free(deadline_);                                                                     \
    } while (0)

#endif
