/* What everything that takes signals in is given: see inlets.h. */
#ifndef ONEKEY_EDGE_INLET_SETUP_H
#define ONEKEY_EDGE_INLET_SETUP_H

#include "daemon/base/config.h"

struct event_base;
struct gateway;
struct log;
struct random;

struct inlets_setup {
    struct event_base *base;
    const struct config *config; /* lent for good */
    struct gateway *gateway;
    struct log *log;
    struct random *random;
    /* Called before anything is handed to the gateway: reads the clock once a turn. */
    void (*on_turn)(void *context);
    void *context;
};

#endif
