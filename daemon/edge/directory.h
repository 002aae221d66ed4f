/*
 * Which devices there are, as the database says: a full load at start and after every gap, single
 * changes as they are notified, and a copy on disk so that the daemon knows its devices while
 * PostgreSQL is away. Works in slices, so that a million rows never hold the loop.
 *
 * Keeps a packed copy of every entry (about 60 bytes): to find what a full load no longer names,
 * and to write the copy on disk.
 */
#ifndef ONEKEY_EDGE_DIRECTORY_H
#define ONEKEY_EDGE_DIRECTORY_H

#include "daemon/base/attributes.h"
#include "daemon/base/random.h"
#include "daemon/core/store.h"

#include <event2/event.h>

struct directory;

struct directory_settings {
    const char *conninfo;
    const char *district;
    const char *cache_path; /* NULL: no copy on disk */
    int cache_interval_s;   /* at most one write of the copy in this time; 0 = 60 */
    int timeout_ms;         /* longest wait for an answer; 0 = 5000 */
};

struct directory_callbacks {
    void *context;
    /* A device is new or changed. The entry is lent for the call. */
    void (*on_device)(void *context, const struct device_entry *device);
    /* It will be told soon, from the copy on disk. */
    void (*on_device_ahead)(void *context, const struct device_entry *device);
    /* The device of that device_id is gone, or has another protocol or identity now (then on_device
     * follows). If the identity meanwhile belongs to another device_id, leave that one alone. */
    void (*on_device_removed)(void *context, const struct device_entry *device);
    /* All devices of the database have been told, and what was gone has been removed. */
    void (*on_complete)(void *context, size_t devices);
    /* One line for the log: connection lost, copy on disk not written. */
    void (*on_trouble)(void *context, const char *message);
};

/* Knows no device yet and is told of none. The strings are copied. */
struct directory *directory_open(struct event_base *base, const struct directory_settings *settings,
                                 const struct directory_callbacks *callbacks);
/* Once: connects in the following turns of the loop, and again whenever that is needed. False, with
 * *error set to a line that the caller frees, if conninfo cannot be read. */
bool directory_connect(struct directory *directory, const struct directory_settings *settings,
                       struct random *random, char **error) MUST_USE;
/* Writes nothing: a copy on disk that is being written is dropped, the one before it stays. */
void directory_close(struct directory *directory);

/* Reads the copy on disk and calls on_device for each; for the start, before directory_connect. It is
 * checked as a whole before the first call. How many devices, or -1 with *error set to a line
 * that the caller frees (no such file, another version or district, damaged). */
int64_t directory_load_cache(struct directory *directory, char **error) MUST_USE;
/* How many devices are known now. */
size_t directory_count(const struct directory *directory);

#endif
