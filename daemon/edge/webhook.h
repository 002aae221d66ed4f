/*
 * Notices as webhooks: a signed POST by the rules of Standard Webhooks 1.0. Any status 2xx is taken,
 * 410 is no for good, everything else is tried again; redirects are not followed.
 */
#ifndef ONEKEY_EDGE_WEBHOOK_H
#define ONEKEY_EDGE_WEBHOOK_H

#include "daemon/base/attributes.h"
#include "daemon/base/settings.h"
#include "daemon/edge/notice.h"

struct event_base;
struct webhook;

extern const struct notice_transport webhook_transport;

/* Reads secret and authorities. NULL, and one sentence in `error`, if they cannot be used. */
struct webhook *webhook_open(struct event_base *base, const struct config_webhook *config,
                             char *error, size_t error_size) MUST_USE;

#endif
