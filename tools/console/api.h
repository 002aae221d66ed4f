/* Everything below /api/: which request it is, what it must pass, who answers it. */
#ifndef ONEKEY_CONSOLE_API_H
#define ONEKEY_CONSOLE_API_H

#include "tools/console/app.h"

/* Takes a request and answers it, now or later. */
void api_begin(struct app *app, struct exchange *exchange, const struct caller *caller);

#endif
