/*
 * The turn: the one order in which everything happens, and the wiring of the gateway's effects to
 * the outside. One turn of the loop is
 *
 *     read the clocks once -> take input -> timers -> hand this turn's records to the writer
 *          -> let out what has become durable -> submit batches -> acknowledge, metrics, watchdog
 *
 * Owns the gateway, the ledger, the inlets, the database's store and the directory, and the memory of
 * all. One thread; the writer's thread is the ledger's.
 */
#ifndef ONEKEY_EDGE_TURN_H
#define ONEKEY_EDGE_TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/attributes.h"
#include "daemon/base/config.h"
#include "daemon/base/log.h"
#include "daemon/core/gateway.h"
#include "daemon/edge/escalation.h"
#include "daemon/edge/inlets.h"
#include "daemon/edge/ledger.h"
#include "daemon/edge/notices.h"

struct event_base;
struct turn;

/* Opens everything: registry from its copy, listeners, replay of the journal while alarms are taken,
 * then what asks the database. `config` and `log` are lent for good. NULL, and one
 * sentence in `error`. */
struct turn *turn_open(struct event_base *base, const struct config *config, struct log *log,
                       char *error, size_t error_size) MUST_USE;
/* Writes what was accepted; submits nothing more. */
void turn_close(struct turn *turn);
/* Runs turns until turn_stop. False: the journal failed, and the process must end at once. */
bool turn_run(struct turn *turn) MUST_USE;
void turn_stop(struct turn *turn);
/* Takes over a configuration that has been validated and differs only in what may change; lent. */
void turn_configure(struct turn *turn, const struct config *config);
/* Stops listening; ends by itself when everything accepted is in the database, or at turn_stop. */
void turn_drain(struct turn *turn);
/* NULL if alarms are taken and reach the database, else what is missing. */
const char *turn_not_ready(const struct turn *turn);

/* For metrics and the control socket. */
const struct gateway *turn_gateway(const struct turn *turn);
struct inlets_figures turn_inlets(const struct turn *turn);
struct notices_figures turn_notices(const struct turn *turn);
struct ledger_figures turn_ledger(const struct turn *turn);
struct escalation_figures turn_escalation(const struct turn *turn);
struct turn_figures {
    uint64_t turns, ack_count;
    int64_t longest_us; /* turn, since it was last asked */
    int64_t started_us; /* wall */
    bool draining, directory_complete;
};
struct turn_figures turn_figures(struct turn *turn);

#endif
