/*
 * What of arrivals and devices goes to which parameter of the database's functions: one array a
 * column, in the order of the function's parameters.
 */
#ifndef ONEKEY_EDGE_COLUMNS_H
#define ONEKEY_EDGE_COLUMNS_H

#include "daemon/core/store.h"
#include "db/statement.h"

/* For onekey.raise_tickets or, the reading lane, onekey.store_readings. */
void columns_put_batch(struct statement *out, const struct store_batch *batch);
/* For onekey.reject: one record and why the database refused it. */
void columns_put_rejected(struct statement *out, const struct arrival *arrival,
                          const char *message);
/* For onekey.touch_devices. */
void columns_put_touches(struct statement *out, const struct device_touch *touches, size_t count);
/* For onekey.store_observations. */
void columns_put_observations(struct statement *out, const struct observation *observations,
                              size_t count);

#endif
