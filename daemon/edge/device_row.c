#include "daemon/edge/device_row.h"

#include "protocol/codec.h"

#include <string.h>

enum {
    ID,
    PROTOCOL,
    IDENTITY,
    KIND,
    HOUSEHOLD,
    AREA,
    PARENT_AREA,
    REPORT_INTERVAL,
    SUPERVISION,
    CARRIER,
    SECRET
};

bool device_row_read(const struct pg_result *rows, int row, struct device_entry *out)
{
    int protocol = codec_find(rows_text(rows, row, PROTOCOL));
    size_t identity_size = rows_size(rows, row, IDENTITY);
    size_t carrier_size = rows_size(rows, row, CARRIER);
    size_t secret_size = rows_size(rows, row, SECRET);

    if (protocol < 0 || identity_size > IDENTITY_LIMIT || carrier_size > CARRIER_LIMIT ||
        secret_size > sizeof out->secret)
        return false;
    *out = (struct device_entry){
        .protocol = (uint8_t)protocol,
        .kind = (uint8_t)device_kind_from_name(rows_text(rows, row, KIND)),
        /* A device in store is silent by right. */
        .supervised = !rows_is_null(rows, row, HOUSEHOLD),
        .device_id = rows_int64(rows, row, ID),
        .household_id = rows_int64(rows, row, HOUSEHOLD),
        .area_id = rows_int64(rows, row, AREA),
        .parent_area_id = rows_int64(rows, row, PARENT_AREA),
        .report_interval_s = (int32_t)rows_int64(rows, row, REPORT_INTERVAL),
        .supervision_s = (int32_t)rows_int64(rows, row, SUPERVISION),
        .secret_size = (uint8_t)secret_size,
    };
    memcpy(out->identity, rows_text(rows, row, IDENTITY), identity_size);
    memcpy(out->carrier, rows_text(rows, row, CARRIER), carrier_size);
    memcpy(out->secret, rows_text(rows, row, SECRET), secret_size);
    return true;
}
