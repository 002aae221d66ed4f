/*
 * What the silence detector shares with the database, on a connection of its own so that it never stands
 * before an alarm: copies of what meters have learned go there, in batches; what people found out about
 * its alarms comes back; and a meter of which the journal knows nothing gets its copy.
 *
 * Nothing here must succeed: copies come again with the next round, lessons are asked for until a copy
 * that holds them is stored, and a meter without a copy starts from the population's habits.
 */
#ifndef ONEKEY_EDGE_LEARNING_H
#define ONEKEY_EDGE_LEARNING_H

#include "daemon/base/attributes.h"
#include "daemon/core/gateway.h"
#include "daemon/edge/inlet_setup.h"

struct learning;

/* To be opened when all journaled records have been replayed. NULL, with *error set to a line that the
 * caller frees, if conninfo cannot be read. The district is copied. */
struct learning *learning_open(const struct inlets_setup *setup, const char *district,
                               char **error) MUST_USE;
/* What was not sent is lost. NULL is allowed. */
void learning_close(struct learning *learning);
/* Takes a copy along with the next batch; dropped if there is no room. */
void learning_put(struct learning *learning, const struct profile *profile);

#endif
