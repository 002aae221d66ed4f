/* Summarises closed days now and then, so that figures over months are read quickly. */
#ifndef ONEKEY_CONSOLE_ROLL_UP_H
#define ONEKEY_CONSOLE_ROLL_UP_H

#include "tools/console/app.h"

struct roll_up;

struct roll_up *roll_up_open(struct app *app);
void roll_up_close(struct roll_up *roll_up);

#endif
