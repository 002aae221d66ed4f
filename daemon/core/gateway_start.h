/*
 * The start of the gateway: first every device of the registry's copy (gateway_device), then every
 * record of the journal above the last checkpoint, in order.
 */
#ifndef ONEKEY_CORE_GATEWAY_START_H
#define ONEKEY_CORE_GATEWAY_START_H

#include "daemon/core/gateway.h"

/* A device that gateway_device will tell of soon, one of many: what that will look for in memory is
 * fetched meanwhile. */
void gateway_device_ahead(const struct gateway *gateway, const struct device_entry *entry);

/* A record found in the journal at the start, above the last checkpoint, in order. */
void gateway_replay(struct gateway *gateway, enum lane lane, uint64_t number, struct bytes payload);
/* All of them have been told: what was decided before the crash and not recorded is decided now. */
void gateway_replayed(struct gateway *gateway);

#endif
