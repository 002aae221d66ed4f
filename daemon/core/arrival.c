#include "daemon/core/arrival.h"

#include <string.h>

#include "protocol/codec.h"

#define ARRIVAL_VERSION 1

enum lane arrival_lane(const struct arrival *arrival)
{
    return arrival->signal.kind == SIGNAL_READING ? LANE_READING : LANE_ALARM;
}

static void write_short(struct writer *out, const char *text)
{
    struct bytes bytes = bytes_of(text);

    writer_u8(out, (uint8_t)bytes.size);
    writer_bytes(out, bytes);
}

static void read_short(struct cursor *in, char *out, size_t limit)
{
    size_t size = cursor_u8(in);

    if (size > limit)
        in->failed = true;
    else
        bytes_copy_text(cursor_take(in, size), out, limit + 1);
}

static void write_i16(struct writer *out, int16_t value)
{
    writer_u16_le(out, (uint16_t)value);
}

static void write_i32(struct writer *out, int32_t value)
{
    writer_u32_le(out, (uint32_t)value);
}

static void write_i64(struct writer *out, int64_t value)
{
    writer_u64_le(out, (uint64_t)value);
}

static void write_measures(const struct signal *signal, struct writer *out)
{
    write_i64(out, signal->total_ml);
    write_i64(out, signal->interval_ml);
    write_i32(out, signal->interval_s);
    write_i32(out, signal->latitude_e7);
    write_i32(out, signal->longitude_e7);
    write_i32(out, signal->accuracy_m);
    write_i32(out, signal->steps);
    write_i16(out, signal->battery_percent);
    write_i16(out, signal->gsm_percent);
    write_i16(out, signal->heart_rate);
    write_i16(out, signal->systolic);
    write_i16(out, signal->diastolic);
    write_i16(out, signal->oxygen_percent);
    write_i16(out, signal->temperature_c100);
}

static void read_measures(struct cursor *in, struct signal *signal)
{
    signal->total_ml = (int64_t)cursor_u64_le(in);
    signal->interval_ml = (int64_t)cursor_u64_le(in);
    signal->interval_s = (int32_t)cursor_u32_le(in);
    signal->latitude_e7 = (int32_t)cursor_u32_le(in);
    signal->longitude_e7 = (int32_t)cursor_u32_le(in);
    signal->accuracy_m = (int32_t)cursor_u32_le(in);
    signal->steps = (int32_t)cursor_u32_le(in);
    signal->battery_percent = (int16_t)cursor_u16_le(in);
    signal->gsm_percent = (int16_t)cursor_u16_le(in);
    signal->heart_rate = (int16_t)cursor_u16_le(in);
    signal->systolic = (int16_t)cursor_u16_le(in);
    signal->diastolic = (int16_t)cursor_u16_le(in);
    signal->oxygen_percent = (int16_t)cursor_u16_le(in);
    signal->temperature_c100 = (int16_t)cursor_u16_le(in);
}

void arrival_encode(const struct arrival *arrival, struct writer *out)
{
    const struct signal *signal = &arrival->signal;
    bool cut = arrival->raw.size > ARRIVAL_RAW_MAX;
    struct bytes raw = bytes_part(arrival->raw, 0, ARRIVAL_RAW_MAX);

    writer_u8(out, ARRIVAL_VERSION);
    writer_u8(out, signal->kind);
    writer_u8(out, signal->service);
    writer_u8(out, signal->device);
    writer_u8(out, signal->protocol);
    writer_u32_le(out, signal->flags | (cut ? SIGNAL_FLAG_TRUNCATED : 0));
    writer_u32_le(out, signal->has);
    write_i64(out, signal->occurred_at_us);
    write_i64(out, signal->received_at_us);
    write_measures(signal, out);
    write_short(out, signal->identity);
    write_short(out, signal->message_id);
    write_short(out, signal->code);
    writer_u16_le(out, (uint16_t)raw.size);
    writer_bytes(out, raw);
    writer_u16_le(out, (uint16_t)arrival->detail.size);
    writer_bytes(out, arrival->detail);
}

bool arrival_decode(struct bytes payload, struct arrival *out)
{
    struct cursor in = cursor_over(payload);
    struct signal *signal = &out->signal;

    memset(out, 0, sizeof(*out));
    if (cursor_u8(&in) != ARRIVAL_VERSION)
        return false;
    signal->kind = cursor_u8(&in);
    signal->service = cursor_u8(&in);
    signal->device = cursor_u8(&in);
    signal->protocol = cursor_u8(&in);
    signal->flags = cursor_u32_le(&in);
    signal->has = cursor_u32_le(&in);
    signal->occurred_at_us = (int64_t)cursor_u64_le(&in);
    signal->received_at_us = (int64_t)cursor_u64_le(&in);
    read_measures(&in, signal);
    read_short(&in, signal->identity, IDENTITY_LIMIT);
    read_short(&in, signal->message_id, MESSAGE_ID_LIMIT);
    read_short(&in, signal->code, CODE_LIMIT);
    out->raw = cursor_take(&in, cursor_u16_le(&in));
    out->detail = cursor_take(&in, cursor_u16_le(&in));
    return !in.failed && in.rest.size == 0 && signal->kind < SIGNAL_KIND_COUNT &&
           signal->protocol < codec_count;
}
