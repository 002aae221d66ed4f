/*
 * What a played device does with a command: it answers as a real one does. Watches repeat the word of the
 * command, JT/T 808 terminals answer by its serial, devices of the native JSON publish a result.
 */
#ifndef ONEKEY_SIM_OBEY_H
#define ONEKEY_SIM_OBEY_H

#include "tools/sim/device.h"

/* The answer to `frame`, which came on `topic` ("" for streams). False: it is no command, or a played device
 * of this protocol obeys none. */
bool obey_command(const struct device *device, const char *topic, struct bytes frame,
                  int64_t now_us, struct device_frame *answer);

#endif
