/*
 * Takes notices from the outbox in PostgreSQL (db/functions/45_notices.sql), hands them to their
 * transports, and says there what came of each. Nothing here may hold up an alarm: it has a database
 * connection of its own, a bounded number of notices on the way, and nothing that it calls blocks.
 *
 *     NOTIFY, a retry that is due, a slot free --> take_notices() --> transport --> notice_delivered()
 *                                                      on lease                     or notice_failed()
 *
 * A notice whose result is not stored keeps its slot until it is, through every reconnect. What a
 * crash leaves is taken again under the same id.
 */
#ifndef ONEKEY_EDGE_NOTICES_H
#define ONEKEY_EDGE_NOTICES_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/attributes.h"
#include "daemon/edge/notice_setup.h"

struct notices;

struct notices_figures {
    uint64_t delivered, failed, refused;
    uint32_t targets, on_the_way;
};

/* *notices is NULL where no target is configured. False,
 * and one sentence in `error`, where one cannot be used. */
bool notices_open(const struct notices_setup *setup, struct notices **notices, char *error,
                  size_t error_size) MUST_USE;
/* What is on its way may or may not arrive, and is sent again after the next start. */
void notices_close(struct notices *notices);
/* Takes over the times of [notice]. */
void notices_configure(struct notices *notices, const struct config *config);
struct notices_figures notices_figures(const struct notices *notices);

#endif
