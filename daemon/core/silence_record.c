#include "daemon/core/silence_record.h"

#include "daemon/base/attributes.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define LAYOUT_VERSION 1

/* All of it is inline in the two functions below, so that each field is a move or two: every meter is
 * saved once a round. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* One list of the fields serves both ways: into the bytes when `saving`, else out of them. There are
 * SILENCE_RECORD_SIZE bytes. */
struct stream {
    bool saving;
    uint8_t *at;
    bool not_finite; /* a number read is none */
};

/* `count` numbers of `size` bytes, little-endian. */
static ALWAYS_INLINE void pass(struct stream *stream, void *values, size_t size, size_t count)
{
    uint8_t *number = values;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (stream->saving)
        memcpy(stream->at, number, size * count);
    else
        memcpy(number, stream->at, size * count);
#else
    for (size_t i = 0; i < count; i++)
        for (size_t byte = 0; byte < size; byte++)
            if (stream->saving)
                stream->at[i * size + byte] = number[(i + 1) * size - 1 - byte];
            else
                number[(i + 1) * size - 1 - byte] = stream->at[i * size + byte];
#endif
    stream->at += size * count;
}

static ALWAYS_INLINE void pass_u8(struct stream *stream, uint8_t *value)
{
    pass(stream, value, sizeof(*value), 1);
}

static ALWAYS_INLINE void pass_u16(struct stream *stream, uint16_t *value)
{
    pass(stream, value, sizeof(*value), 1);
}

static ALWAYS_INLINE void pass_u32(struct stream *stream, uint32_t *value)
{
    pass(stream, value, sizeof(*value), 1);
}

static ALWAYS_INLINE void pass_i32(struct stream *stream, int32_t *value)
{
    pass(stream, value, sizeof(*value), 1);
}

static ALWAYS_INLINE void pass_i64(struct stream *stream, int64_t *value)
{
    pass(stream, value, sizeof(*value), 1);
}

static ALWAYS_INLINE void pass_floats(struct stream *stream, float *values, size_t count)
{
    pass(stream, values, sizeof(*values), count);
    for (size_t i = 0; i < count && !stream->saving; i++)
        stream->not_finite = stream->not_finite || !isfinite(values[i]);
}

static ALWAYS_INLINE void pass_times(struct stream *stream, struct silence *silence)
{
    pass_i64(stream, &silence->seen_us);
    pass_i64(stream, &silence->quiet_us);
    pass_i64(stream, &silence->counted_us);
    pass_i64(stream, &silence->total_ml);
    pass_i64(stream, &silence->suspect_ml);
    pass_u32(stream, &silence->heard_s);
    pass_u32(stream, &silence->started_s);
    pass_u32(stream, &silence->explained_s);
    pass_u32(stream, &silence->run_s[0]);
    pass_u32(stream, &silence->run_s[1]);
    pass_u32(stream, &silence->interval_s);
    pass_u32(stream, &silence->last_use_s);
    pass_u32(stream, &silence->last_use_ml);
    pass_u32(stream, &silence->day_cl);
    pass_i32(stream, &silence->hour);
    pass_i32(stream, &silence->ring_hour);
}

static ALWAYS_INLINE void pass_habits(struct stream *stream, struct silence *silence)
{
    float *scalars[] = {&silence->observed,   &silence->used,       &silence->actual,
                        &silence->expected,   &silence->activity,   &silence->lambda,
                        &silence->peak,       &silence->tail_count, &silence->tail_sum,
                        &silence->tail_years, &silence->theta,      &silence->bias,
                        &silence->leak,       &silence->ring_open};
    for (size_t i = 0; i < ARRAY_SIZE(scalars); i++)
        pass_floats(stream, scalars[i], 1);
    for (int kind = 0; kind < 2; kind++) {
        pass_floats(stream, silence->hazard[kind], 24);
        pass(stream, silence->weight[kind], sizeof(silence->weight[kind][0]), 24);
    }
    pass_floats(stream, silence->ring, 24);
}

static ALWAYS_INLINE void pass_all(struct stream *stream, struct silence *silence)
{
    pass_times(stream, silence);
    pass_habits(stream, silence);
    for (int i = 0; i < SILENCE_RECENT; i++) {
        pass_u32(stream, &silence->recent_s[i]);
        pass_u16(stream, &silence->recent_cl[i]);
    }
    pass_u16(stream, &silence->false_count);
    pass_u16(stream, &silence->true_count);
    uint8_t *bytes[] = {&silence->recent_count, &silence->open,     &silence->noted,
                        &silence->reasons,      &silence->suspects, &silence->fitting,
                        &silence->coarse};
    for (size_t i = 0; i < ARRAY_SIZE(bytes); i++)
        pass_u8(stream, bytes[i]);
}

/* Whether no later call can trap on it, index outside or loop for long. */
static bool is_sound(const struct silence *silence)
{
    const int64_t latest_us = UINT32_MAX * INT64_C(1000000), most_ml = INT64_C(1) << 50;
    bool sound = silence->seen_us >= 0 && silence->quiet_us >= 0 &&
                 silence->quiet_us <= silence->counted_us &&
                 silence->seen_us <= silence->counted_us && silence->counted_us < latest_us &&
                 silence->total_ml < most_ml && silence->total_ml > -most_ml &&
                 silence->suspect_ml < most_ml && silence->suspect_ml > -most_ml &&
                 silence->hour >= 0 && silence->ring_hour >= 0 && silence->interval_s > 0 &&
                 silence->recent_count <= SILENCE_RECENT && silence->activity > 0 &&
                 silence->actual >= 0 && silence->expected >= 0 && silence->lambda >= 0 &&
                 silence->tail_count >= 0 && silence->tail_sum >= 0 && silence->tail_years >= 0 &&
                 (silence->seen_us == 0 || silence->recent_count > 0);
    for (int hour = 0; hour < 48; hour++) {
        float hazard = silence->hazard[hour / 24][hour % 24];
        sound = sound && hazard > 0 && hazard < 10;
    }
    return sound;
}

size_t silence_record_save(const struct silence *silence, void *out, size_t limit)
{
    struct stream stream = {.saving = true, .at = out};
    uint16_t version = LAYOUT_VERSION;
    if (limit < SILENCE_RECORD_SIZE)
        return 0;
    pass_u16(&stream, &version);
    pass_all(&stream, (struct silence *)silence); /* only read */
    assert(stream.at == (uint8_t *)out + SILENCE_RECORD_SIZE);
    return SILENCE_RECORD_SIZE;
}

bool silence_record_load(struct silence *silence, const void *data, size_t size)
{
    struct silence loaded = {0};
    struct stream stream = {.at = (uint8_t *)data}; /* only read */
    uint16_t version = 0;
    if (size != SILENCE_RECORD_SIZE)
        return false;
    pass_u16(&stream, &version);
    pass_all(&stream, &loaded);
    if (version != LAYOUT_VERSION || stream.not_finite || !is_sound(&loaded))
        return false;
    *silence = loaded;
    return true;
}
