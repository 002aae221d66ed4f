/*
 * A writer, which fills a fixed buffer and remembers overflow: the short functions of bytes.h, which says
 * what they are. Inline, as every byte of every frame and record goes through them.
 */
#ifndef ONEKEY_PROTOCOL_WRITER_H
#define ONEKEY_PROTOCOL_WRITER_H

#include "protocol/cursor.h"

struct writer {
    uint8_t *data;
    size_t size, limit;
    bool overflow;
};

static inline struct writer writer_into(void *buffer, size_t limit)
{
    return (struct writer){buffer, 0, limit, false};
}

/* `size` more bytes, which the caller fills; NULL if there is no room for them. */
static inline uint8_t *writer_take(struct writer *writer, size_t size)
{
    if (writer->overflow || size > writer->limit - writer->size) {
        writer->overflow = true;
        return NULL;
    }
    writer->size += size;
    return writer->data + writer->size - size;
}

static inline void writer_bytes(struct writer *writer, struct bytes bytes)
{
    uint8_t *at = bytes.size ? writer_take(writer, bytes.size) : NULL;

    if (at)
        memcpy(at, bytes.data, bytes.size);
}

static inline void writer_text(struct writer *writer, const char *text)
{
    writer_bytes(writer, bytes_of(text));
}

static inline void writer_u8(struct writer *writer, uint8_t value)
{
    uint8_t *at = writer_take(writer, 1);

    if (at)
        at[0] = value;
}

static inline void writer_u16_be(struct writer *writer, uint16_t value)
{
    uint8_t *at = writer_take(writer, 2);

    if (at) {
        at[0] = (uint8_t)(value >> 8);
        at[1] = (uint8_t)value;
    }
}

static inline void writer_u16_le(struct writer *writer, uint16_t value)
{
    uint8_t *at = writer_take(writer, 2);

    if (at) {
        at[0] = (uint8_t)value;
        at[1] = (uint8_t)(value >> 8);
    }
}

static inline void writer_u32_be(struct writer *writer, uint32_t value)
{
    uint8_t *at = writer_take(writer, 4);

    if (at) {
        at[0] = (uint8_t)(value >> 24);
        at[1] = (uint8_t)(value >> 16);
        at[2] = (uint8_t)(value >> 8);
        at[3] = (uint8_t)value;
    }
}

static inline void writer_u32_le(struct writer *writer, uint32_t value)
{
    uint8_t *at = writer_take(writer, 4);

    if (at)
        bytes_put_u32_le(at, value);
}

static inline void writer_u64_le(struct writer *writer, uint64_t value)
{
    uint8_t *at = writer_take(writer, 8);

    if (at) {
        bytes_put_u32_le(at, (uint32_t)value);
        bytes_put_u32_le(at + 4, (uint32_t)(value >> 32));
    }
}

static inline struct bytes writer_view(const struct writer *writer)
{
    return (struct bytes){writer->data, writer->size};
}

#endif
