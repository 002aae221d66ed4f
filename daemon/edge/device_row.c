#include "daemon/edge/device_row.h"

#include "daemon/base/instant.h"
#include "protocol/codec.h"

#include <string.h>

#define LATEST_S INT64_C(253402300799) /* the year 9999 */

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
    SECRET,
    ABSENT_FROM,
    ABSENT_UNTIL,
    WORKED_ON_FROM,
    WORKED_ON_UNTIL,
    LATITUDE,
    LONGITUDE,
    SCHEME,
    SILENCE_ML,
    SILENCE_WINDOW
};

/* Seconds since 1970; null: 0. */
static int64_t read_moment(const struct pg_result *rows, int row, int column)
{
    int64_t at_s = rows_int64(rows, row, column);

    return (at_s < LATEST_S ? at_s : LATEST_S) * US_PER_SECOND;
}

/* As the configuration limits it; null: 0. */
static int32_t read_limited(const struct pg_result *rows, int row, int column, int32_t most)
{
    int64_t value = rows_int64(rows, row, column);

    return value < most ? (int32_t)value : most;
}

static struct stretch read_stretch(const struct pg_result *rows, int row, int column)
{
    return (struct stretch){read_moment(rows, row, column), read_moment(rows, row, column + 1)};
}

/* What bears on the silence of its home. A scheme of a longer name cannot be in the configuration. */
static void read_home(const struct pg_result *rows, int row, struct device_entry *out)
{
    size_t scheme_size = rows_size(rows, row, SCHEME);

    out->absent = read_stretch(rows, row, ABSENT_FROM);
    out->worked_on = read_stretch(rows, row, WORKED_ON_FROM);
    out->latitude_e7 = (int32_t)rows_int64(rows, row, LATITUDE);
    out->longitude_e7 = (int32_t)rows_int64(rows, row, LONGITUDE);
    out->silence_ml = read_limited(rows, row, SILENCE_ML, 655000);
    out->silence_window_s = read_limited(rows, row, SILENCE_WINDOW, 168 * 3600);
    if (scheme_size <= SCHEME_LIMIT)
        memcpy(out->scheme, rows_text(rows, row, SCHEME), scheme_size);
}

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
    read_home(rows, row, out);
    return true;
}
