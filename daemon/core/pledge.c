#include "daemon/core/pledge.h"

#include <assert.h>
#include <string.h>

#include "protocol/codec.h"

#define TOPIC_MAX 256

struct entry {
    uint64_t number, session;
    uint16_t topic_size, body_size;
    uint8_t data[];
};

#define ENTRY_MAX (sizeof(struct entry) + TOPIC_MAX + REPLY_MAX)

void pledge_init(struct pledges *pledges, void *memory, size_t size)
{
    ring_init(&pledges->ring, memory, size);
    pledges->newest = 0;
}

bool pledge_has_room(const struct pledges *pledges)
{
    return ring_has_room(&pledges->ring, ENTRY_MAX);
}

void pledge_add(struct pledges *pledges, const struct pledge *pledge)
{
    size_t size = pledge->topic.size + pledge->body.size;
    struct entry *entry = ring_push(&pledges->ring, sizeof(*entry) + size);

    assert(entry && pledge->number >= pledges->newest);
    pledges->newest = entry->number = pledge->number;
    entry->session = pledge->session;
    entry->topic_size = (uint16_t)pledge->topic.size;
    entry->body_size = (uint16_t)pledge->body.size;
    if (pledge->topic.size)
        memcpy(entry->data, pledge->topic.data, pledge->topic.size);
    if (pledge->body.size)
        memcpy(entry->data + pledge->topic.size, pledge->body.data, pledge->body.size);
}

void pledge_release(struct pledges *pledges, uint64_t durable,
                    void (*on_release)(void *context, const struct pledge *pledge), void *context)
{
    struct ring *ring = &pledges->ring;
    const struct entry *entry;
    size_t size;

    while ((entry = ring_at(ring, ring->head, &size)) != NULL && entry->number <= durable) {
        struct pledge pledge = {
            .number = entry->number,
            .session = entry->session,
            .topic = {entry->data, entry->topic_size},
            .body = {entry->data + entry->topic_size, entry->body_size},
        };

        on_release(context, &pledge);
        ring_pop(ring);
    }
    if (ring->count == 0)
        pledges->newest = 0;
}
