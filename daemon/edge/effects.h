/*
 * The gateway's effects (struct gateway_ports) carried out: the ledger keeps, the inlets answer, the
 * store stores. Owns none of them; members are set by the turn as it opens them.
 */
#ifndef ONEKEY_EDGE_EFFECTS_H
#define ONEKEY_EDGE_EFFECTS_H

#include "daemon/core/gateway.h"
#include "daemon/edge/command_queue.h"
#include "daemon/edge/inlets.h"
#include "daemon/edge/learning.h"
#include "daemon/edge/ledger.h"
#include "daemon/edge/store.h"

struct effects {
    struct gateway *gateway;
    struct ledger *ledger;
    struct inlets *inlets;
    struct store *store;
    struct learning *learning; /* NULL until the journal is replayed, as the next */
    struct command_queue *commands;
    struct log *log;
    /* Called before anything is handed to the gateway from outside its own calls. */
    void (*begin)(void *context);
    void *context;
};

/* The ports; `effects` is lent for the gateway's life. */
struct gateway_ports effects_ports(struct effects *effects);

#endif
