/* From the configuration's units to the gateway's. */
#ifndef ONEKEY_EDGE_SETUP_H
#define ONEKEY_EDGE_SETUP_H

#include "daemon/base/config.h"
#include "daemon/core/gateway.h"

struct gateway_limits setup_limits(const struct config *config);
struct gateway_settings setup_gateway(const struct config *config);

#endif
