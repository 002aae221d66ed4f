/*
 * A crowd of live devices on one event loop. Wristbands hold a connection each, the others share the
 * broker. Pressing begins when all have been connected once, at a steady rate spread at random over
 * the devices that have no alarm under way. An alarm that is not answered in time is sent again: over
 * a new connection (so that a late answer can never be taken for that of the next alarm) or with the
 * same id over MQTT. Prints a summary as one line of JSON.
 */
#ifndef ONEKEY_SIM_CROWD_H
#define ONEKEY_SIM_CROWD_H

#include "tools/sim/settings.h"

/* Runs until the time is over or SIGINT or SIGTERM comes. Returns 0 if every alarm pressed was
 * acknowledged, 1 if some were not or nothing could be run. */
int crowd_run(const struct settings *settings);

#endif
