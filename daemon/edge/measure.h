/* The figures of the daemon under their Prometheus names: counted where they arise, named here. */
#ifndef ONEKEY_EDGE_MEASURE_H
#define ONEKEY_EDGE_MEASURE_H

#include <stddef.h>

#include "daemon/edge/turn.h"

/* Writes all metrics as Prometheus text, in pieces. */
void measure_print(struct turn *turn, void *context,
                   void (*on_text)(void *context, const char *text, size_t size));

#endif
