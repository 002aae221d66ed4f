/* From the configuration's units to the gateway's. */
#ifndef ONEKEY_EDGE_SETUP_H
#define ONEKEY_EDGE_SETUP_H

#include "daemon/base/config.h"
#include "daemon/core/gateway.h"
#include "daemon/edge/escalation.h"

struct gateway_limits setup_limits(const struct config *config);
struct gateway_settings setup_gateway(const struct config *config);
/* Bits of enum codec_option of an enum config_meter_status. */
uint32_t setup_codec_options(int32_t meter_status);
struct escalation_settings setup_escalation(const struct config *config, const char *district);

#endif
