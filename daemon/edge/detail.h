/*
 * What a ticket shows of a signal beside its kind and time, as one JSON object: the measures the
 * device said, its own names of message and code, and what the gateway added about its decision.
 * The result is always valid: a decision that is not is carried as text, for no alarm may be
 * refused over its decoration.
 */
#ifndef ONEKEY_EDGE_DETAIL_H
#define ONEKEY_EDGE_DETAIL_H

#include "daemon/core/arrival.h"

#define DETAIL_SIZE_MAX 8192 /* room that always suffices */

/* Appends the object; nothing at all if there is nothing to say. */
void detail_write(const struct arrival *arrival, struct writer *out);

#endif
