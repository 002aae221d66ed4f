/*
 * The real gateway on virtual time: a journal in memory that forgets what lies behind the checkpoint, a
 * database that stores at once, and crashes that take all but the journal.
 */
#ifndef ONEKEY_TESTS_SUPPORT_VIRTUAL_GATEWAY_H
#define ONEKEY_TESTS_SUPPORT_VIRTUAL_GATEWAY_H

#include "daemon/core/gateway.h"

struct virtual_record {
    uint64_t number;
    enum lane lane;
    size_t at, size; /* in bytes */
};

struct virtual_gateway {
    /* Set by the test, the rest zeroed. */
    struct gateway_limits limits;
    struct gateway_settings settings;
    const struct device_entry *devices; /* the registry at each start */
    size_t device_count;
    void (*on_alarm)(void *context, const struct arrival *alarm); /* each new record of that lane */
    void *context;
    struct instant now;
    bool full; /* the journal */

    struct gateway *gateway;
    void *memory;
    struct log log;
    uint8_t *bytes;
    size_t bytes_used, bytes_room;
    struct virtual_record *records;
    size_t record_count, record_room;
    uint64_t number, durable, checkpoint;
    size_t replayed;
};

/* At first, and after a crash: what is not in the journal is gone. */
void virtual_start(struct virtual_gateway *world);
/* Takes the memory and what is not durable yet; virtual_start follows. */
void virtual_crash(struct virtual_gateway *world);
void virtual_end(struct virtual_gateway *world);
/* A turn of the loop at this moment. */
void virtual_advance(struct virtual_gateway *world, int64_t wall_us);
void virtual_publish(struct virtual_gateway *world, const char *topic, const char *body);
/* What the daemon would sleep until, as wall time. */
int64_t virtual_wake_at(const struct virtual_gateway *world);

#endif
