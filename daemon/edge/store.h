/*
 * The database as the core sees it (daemon/core/store.h): batches of records become one call of an
 * idempotent SQL function each. Two connections: alarms have the first one to themselves; meter
 * readings and soft state take the second, so that neither ever stands before an alarm.
 */
#ifndef ONEKEY_EDGE_STORE_H
#define ONEKEY_EDGE_STORE_H

#include "daemon/base/attributes.h"
#include "daemon/base/random.h"
#include "daemon/core/store.h"

#include <event2/event.h>

struct store;

struct store_settings {
    const char *conninfo;
    const char *gateway; /* with the record's number the key that makes storing idempotent */
    const char *district;
    int in_flight;  /* most batches of each lane without result */
    int timeout_ms; /* longest wait for an answer; 0 = 5000 */
};

struct store_callbacks {
    void *context;
    /* Exactly once for each batch that store_submit took, in order of submission in its lane.
     * `message` is one line for the log, "" when committed; lent. Never STORE_BUSY. */
    void (*on_result)(void *context, enum lane lane, uint32_t batch, enum store_result result,
                      const char *message);
    /* The lane can (no longer) be stored. on_down comes after the results of all it had taken,
     * and again when it cannot come up for a reason not told since it was up. */
    void (*on_up)(void *context, enum lane lane);
    void (*on_down)(void *context, enum lane lane, const char *reason);
    /* Exactly once for each batch that store_observe took. */
    void (*on_observed)(void *context, enum store_result result, const char *message);
};

/* Told whether the rejected record is safe in the database; if not, ask again later. */
typedef void store_on_rejected(void *context, uint64_t number, bool stored);

/* NULL, with *error set to a line that the caller frees, if conninfo cannot be read. The strings
 * are copied; `random` is borrowed for good. */
struct store *store_open(struct event_base *base, const struct store_settings *settings,
                         struct random *random, const struct store_callbacks *callbacks,
                         char **error) MUST_USE;
/* Calls nobody back. What is in flight may or may not be committed. */
void store_close(struct store *store);

/* False: not sent (STORE_BUSY), no result follows. The batch is borrowed for the call. */
bool store_submit(struct store *store, const struct store_batch *batch) MUST_USE;
/* Parks a record that the database refused, with the reason, where people find it. False: not
 * sent, on_rejected is not called. */
bool store_reject(struct store *store, const struct arrival *arrival, const char *message,
                  store_on_rejected *on_rejected, void *context) MUST_USE;
/* Soft state: not durable, nothing tells the result. How many were taken; the caller may offer the
 * others again later. */
size_t store_touch(struct store *store, const struct device_touch *touches, size_t count);
/* The history, one batch at a time. False: not taken, nothing follows. */
bool store_observe(struct store *store, const struct observation *observations,
                   size_t count) MUST_USE;
/* Tells the database that this gateway runs. To be called when the readings' lane comes up. */
void store_greet(struct store *store, const char *version);
/* Makes the partitions of the days to come and drops those past their keeping; to be called some times
 * a day. Without it rows go to the default partition, so nothing is lost if it fails. */
void store_maintain(struct store *store);
bool store_is_up(const struct store *store, enum lane lane);

#endif
