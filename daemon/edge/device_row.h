/* One row of onekey.registry() as a device_entry. */
#ifndef ONEKEY_EDGE_DEVICE_ROW_H
#define ONEKEY_EDGE_DEVICE_ROW_H

#include "daemon/base/attributes.h"
#include "daemon/core/store.h"
#include "db/rows.h"

/* What to select, in the order in which device_row_read expects it. */
#define DEVICE_ROW_COLUMNS                                                                         \
    "device_id, protocol, identity, kind, household_id, area_id, parent_area_id, "                 \
    "report_interval_s, supervision_s, carrier, secret, "                                          \
    "extract(epoch from absent_from)::bigint, extract(epoch from absent_until)::bigint, "          \
    "extract(epoch from worked_on_from)::bigint, extract(epoch from worked_on_until)::bigint, "    \
    "round(latitude * 1e7)::bigint, round(longitude * 1e7)::bigint, silence_scheme, "              \
    "round(silence_litres * 1000), round(silence_hours * 3600)"

/* False if the gateway cannot know such a device. */
bool device_row_read(const struct pg_result *rows, int row, struct device_entry *out) MUST_USE;

#endif
