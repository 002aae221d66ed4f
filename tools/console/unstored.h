/*
 * The alarms that onekeyd has accepted and PostgreSQL does not have yet, asked of onekeyd's control socket twice a
 * second: so an operator sees an alarm even while the database is away. While it is there, an alarm counts only
 * if it has been on its way from one question to the next.
 */
#ifndef ONEKEY_CONSOLE_UNSTORED_H
#define ONEKEY_CONSOLE_UNSTORED_H

#include "tools/console/app.h"

struct unstored;

/* on_change: what unstored_json says is another than before. */
struct unstored *unstored_open(struct app *app, void (*on_change)(struct app *app));
void unstored_close(struct unstored *unstored);
/* {"known": ..., "at": ..., "alarms": [...]}. Lent until the next turn of the loop. */
const char *unstored_json(const struct unstored *unstored);
/* Nothing to tell: onekeyd answers and has no such alarm. */
bool unstored_is_empty(const struct unstored *unstored);

#endif
