/*
 * One thread for what takes a tenth of a second or more: hashes of passwords, files of reports. Jobs wait in a short queue;
 * when it is full the server says so instead of piling up work for whoever hammers at the door.
 */
#ifndef ONEKEY_CONSOLE_WORKER_H
#define ONEKEY_CONSOLE_WORKER_H

#include "tools/password/password.h"

#include <event2/event.h>

#define WORKER_JOBS_MAX 64

struct worker;

struct worker_result {
    bool good;                     /* it matches; there is a new hash; the work is done */
    char hash[PASSWORD_HASH_SIZE]; /* of worker_hash */
};

typedef void worker_on_result(void *context, const struct worker_result *result);

struct worker *worker_open(struct event_base *base);
/* Waits for the job that is being done; calls nobody. */
void worker_close(struct worker *worker);
/* Compares; hash NULL: nobody's, the same work. False if the queue is full. Both are copied. */
bool worker_verify(struct worker *worker, const char *password, const char *hash,
                   worker_on_result *on_result, void *context) MUST_USE;
/* Makes a new hash. False if the queue is full. */
bool worker_hash(struct worker *worker, const char *password, worker_on_result *on_result,
                 void *context) MUST_USE;

/* Runs work(context) on the thread, and then on_result(context) on that of the base. False if the queue
 * is full. */
bool worker_run(struct worker *worker, bool (*work)(void *context), worker_on_result *on_result,
                void *context) MUST_USE;

#endif
