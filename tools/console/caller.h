/* Who asks, and whether a browser was led here by somebody else's page. */
#ifndef ONEKEY_CONSOLE_CALLER_H
#define ONEKEY_CONSOLE_CALLER_H

#include "tools/console/app.h"

/* Reads X-Forwarded-For and X-Forwarded-Proto only from the proxies of the configuration: the last
 * address that is not one of them. */
void caller_find(const struct config *config, const struct exchange *exchange, struct caller *out);
/* Whether Host is a name of ours: a number, localhost, or one of the configuration. So no foreign name
 * that resolves to us makes a foreign page one of our origin. */
bool caller_host_is_ours(const struct config *config, const struct message *message);
/* Whether a request that changes something may come from a page of another origin. */
bool caller_is_foreign(const struct message *message);

#endif
