/*
 * The start of the gateway: first every device of the registry's copy (gateway_device), then every
 * record of the journal above the last checkpoint.
 *
 *     gateway_device ... gateway_starting --> gateway_replay ... gateway_replayed --> turns
 *                                                  ^ frames come in between
 */
#ifndef ONEKEY_CORE_GATEWAY_START_H
#define ONEKEY_CORE_GATEWAY_START_H

#include "daemon/core/gateway.h"

/* A device that gateway_device will tell of soon, one of many: what that will look for in memory is
 * fetched meanwhile. */
void gateway_device_ahead(const struct gateway *gateway, const struct device_entry *entry);

/* From here on frames are taken, while the journal is still being replayed; `durable` is its last
 * number. Only with early_max; without this call none may come before gateway_replayed.
 *
 * An alarm or a reading is journaled, and answered when it is durable, as ever; what follows from it
 * is left to the replay, which comes by its record too: to the gateway it is as if it had been
 * accepted just before a crash. Nothing is decided meanwhile, by timer or otherwise, and no lane
 * submits: of a turn only input and gateway_durable take place. */
void gateway_starting(struct gateway *gateway, uint64_t durable);
/* A record found in the journal, above the last checkpoint, in order. A message that is there twice
 * was sent again during an earlier replay, or this one: it counts once. */
void gateway_replay(struct gateway *gateway, enum lane lane, uint64_t number, struct bytes payload);
/* All that is durable has been told: what was decided before the crash and not recorded is decided
 * now, and what came meanwhile is heard. False: it waits for the disk, and nothing more is taken in;
 * go on with the replay and call again after the next write. */
bool gateway_replayed(struct gateway *gateway);

#endif
