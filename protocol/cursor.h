/*
 * A view of memory, and a cursor that consumes one: the short functions of bytes.h, which says what they
 * are. Inline, as every byte of every frame and record goes through them.
 */
#ifndef ONEKEY_PROTOCOL_CURSOR_H
#define ONEKEY_PROTOCOL_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const uint8_t *data;
    size_t size;
};

struct cursor {
    struct bytes rest;
    bool failed;
};

/* A view of a NUL-terminated string, without its NUL. */
static inline struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* The part [offset, offset+size), clipped to the view. */
static inline struct bytes bytes_part(struct bytes whole, size_t offset, size_t size)
{
    if (offset > whole.size)
        offset = whole.size;
    if (size > whole.size - offset)
        size = whole.size - offset;
    return (struct bytes){whole.data ? whole.data + offset : NULL, size};
}

/* A number of four bytes, the low one first. */
static inline uint32_t bytes_get_u32_le(const uint8_t *at)
{
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static inline void bytes_put_u32_le(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
    at[2] = (uint8_t)(value >> 16);
    at[3] = (uint8_t)(value >> 24);
}

static inline struct cursor cursor_over(struct bytes whole)
{
    return (struct cursor){whole, false};
}

/* The next `size` bytes as a view; an empty view on failure. */
static inline struct bytes cursor_take(struct cursor *cursor, size_t size)
{
    if (cursor->failed || size > cursor->rest.size) {
        cursor->failed = true;
        return (struct bytes){NULL, 0};
    }
    struct bytes taken = bytes_part(cursor->rest, 0, size);

    cursor->rest = bytes_part(cursor->rest, size, cursor->rest.size);
    return taken;
}

/* Numbers; 0 on failure. */
static inline uint8_t cursor_u8(struct cursor *cursor)
{
    const uint8_t *at = cursor_take(cursor, 1).data;

    return at ? at[0] : 0;
}

static inline uint16_t cursor_u16_be(struct cursor *cursor)
{
    const uint8_t *at = cursor_take(cursor, 2).data;

    return (uint16_t)(at ? at[0] << 8 | at[1] : 0);
}

static inline uint16_t cursor_u16_le(struct cursor *cursor)
{
    const uint8_t *at = cursor_take(cursor, 2).data;

    return (uint16_t)(at ? at[1] << 8 | at[0] : 0);
}

static inline uint32_t cursor_u32_be(struct cursor *cursor)
{
    const uint8_t *at = cursor_take(cursor, 4).data;

    return at ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3] : 0;
}

static inline uint32_t cursor_u32_le(struct cursor *cursor)
{
    const uint8_t *at = cursor_take(cursor, 4).data;

    return at ? bytes_get_u32_le(at) : 0;
}

static inline uint64_t cursor_u64_le(struct cursor *cursor)
{
    const uint8_t *at = cursor_take(cursor, 8).data;

    return at ? (uint64_t)bytes_get_u32_le(at + 4) << 32 | bytes_get_u32_le(at) : 0;
}

#endif
