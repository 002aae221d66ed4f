/* The inside of struct turn, shared by turn.c and turn_figures.c and by nobody else. */
#ifndef ONEKEY_EDGE_TURN_STATE_H
#define ONEKEY_EDGE_TURN_STATE_H

#include "daemon/base/random.h"
#include "daemon/edge/directory.h"
#include "daemon/edge/effects.h"
#include "daemon/edge/escalation.h"
#include "daemon/edge/notices.h"
#include "daemon/edge/turn.h"

struct turn {
    struct event_base *base;
    const struct config *config;
    struct log *log;
    struct random random;
    struct instant now;
    bool fresh; /* `now` is of this turn */
    bool stopping, failed, draining, directory_complete;
    struct effects effects;
    void *memory;
    size_t memory_size;
    struct directory *directory;
    struct notices *notices; /* NULL: no target is configured */
    struct escalation *escalation;
    struct event *timer, *written;
    int64_t checkpoint_at_us, alive_at_us, maintain_at_us;
    struct turn_figures figures;
    char cache_path[CONFIG_PATH_SIZE + 32];
    char district[16];
};

#endif
