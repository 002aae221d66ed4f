/*
 * Notifications from PostgreSQL (LISTEN), kept through every reconnect. A connection that was away
 * has missed an unknown number of notifications, so on_gap comes each time listening starts, the
 * first time too: the user then reads everything, and from there on_notification tells the changes
 * in the order of their commits. A hung server is found by a question every few seconds.
 */
#ifndef ONEKEY_DB_LISTEN_H
#define ONEKEY_DB_LISTEN_H

#include "db/pipeline.h"

#define LISTEN_CHANNELS_MAX 8

struct listen;

struct listen_settings {
    const char *conninfo;
    const char *application_name;
    const char *const *channels;   /* SQL identifiers, NULL-terminated */
    const char *const *statements; /* for queries on the same connection; or NULL */
    int timeout_ms;                /* as pipeline_settings */
};

struct listen_callbacks {
    void *context;
    void (*on_gap)(void *context);
    void (*on_notification)(void *context, const char *channel, const char *payload);
    void (*on_down)(void *context, const char *reason);
};

struct listen *listen_open(struct event_base *base, const struct listen_settings *settings,
                           struct random *random, const struct listen_callbacks *callbacks,
                           char **error) MUST_USE;
void listen_close(struct listen *listen);
/* The connection, for queries whose answers must stand in order with the notifications. */
struct pipeline *listen_pipeline(struct listen *listen);

#endif
