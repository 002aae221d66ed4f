/*
 * What goes to open consoles beside tickets: the ping by which a page knows that it is alive, summaries, who
 * is on duty, notices for supervisors; and whether the sessions behind the streams still stand.
 */
#ifndef ONEKEY_CONSOLE_PULSE_H
#define ONEKEY_CONSOLE_PULSE_H

#include "tools/console/fanout.h"

struct pulse;

extern const struct fanout_hooks pulse_hooks;

struct pulse *pulse_open(struct app *app);
void pulse_close(struct pulse *pulse);

#endif
