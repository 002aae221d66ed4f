/* What the program counts, for /metrics. */
#ifndef ONEKEY_CONSOLE_FIGURES_H
#define ONEKEY_CONSOLE_FIGURES_H

#include "tools/console/app.h"

struct figures;

struct figures *figures_open(void);
void figures_close(struct figures *figures);
void figures_count_answer(struct figures *figures, int status);
void figures_count_login(struct figures *figures, bool good);
/* Answers with all of them as Prometheus reads them. */
void figures_serve(struct app *app, struct exchange *exchange);

#endif
