#include "daemon/core/escalate.h"

#include <assert.h>
#include <string.h>

static size_t aligned(size_t size)
{
    return (size + 63) & ~(size_t)63;
}

size_t escalate_memory_size(uint32_t tickets_max)
{
    return aligned(tickets_max * sizeof(struct wheel_timer)) +
           aligned(tickets_max * sizeof(struct escalate_ticket)) +
           aligned(tickets_max * sizeof(uint32_t));
}

void escalate_init(struct escalate *escalate, void *memory, uint32_t tickets_max, int64_t mono_us)
{
    uint8_t *at = memory;
    struct wheel_timer *timers = memory;

    assert(tickets_max > 0);
    memset(escalate, 0, sizeof(*escalate));
    at += aligned(tickets_max * sizeof(struct wheel_timer));
    escalate->tickets = (void *)at;
    at += aligned(tickets_max * sizeof(struct escalate_ticket));
    escalate->buckets = (void *)at;
    escalate->tickets_max = tickets_max;
    escalate->horizon_us = ESCALATE_HORIZON_MAX_US;
    memset(escalate->buckets, 0, tickets_max * sizeof(*escalate->buckets));
    for (uint32_t i = 0; i < tickets_max; i++)
        escalate->tickets[i] = (struct escalate_ticket){.next = i + 1 < tickets_max ? i + 2 : 0};
    escalate->free_first = 1;
    wheel_init(&escalate->wheel, timers, tickets_max, mono_us);
}

/* Fibonacci hashing: tickets are numbered one after the other. */
static uint32_t *bucket_of(const struct escalate *escalate, int64_t ticket)
{
    uint64_t hash = (uint64_t)ticket * UINT64_C(0x9E3779B97F4A7C15);

    return &escalate->buckets[(hash >> 32) % escalate->tickets_max];
}

/* The link that leads to the ticket, or the end of its bucket. */
static uint32_t *find(const struct escalate *escalate, int64_t ticket)
{
    uint32_t *link = bucket_of(escalate, ticket);

    while (*link && escalate->tickets[*link - 1].id != ticket)
        link = &escalate->tickets[*link - 1].next;
    return link;
}

static void forget(struct escalate *escalate, uint32_t *link)
{
    uint32_t place = *link;
    struct escalate_ticket *ticket = &escalate->tickets[place - 1];

    wheel_disarm(&escalate->wheel, place - 1);
    *link = ticket->next;
    *ticket = (struct escalate_ticket){.next = escalate->free_first};
    escalate->free_first = place;
    escalate->count--;
}

/* Halves the horizon and forgets what lies beyond it. */
static void shorten(struct escalate *escalate, int64_t mono_us)
{
    escalate->was_short = true;
    if (escalate->horizon_us <= ESCALATE_HORIZON_MIN_US)
        return;
    escalate->horizon_us /= 2;
    if (escalate->horizon_us < ESCALATE_HORIZON_MIN_US)
        escalate->horizon_us = ESCALATE_HORIZON_MIN_US;
    for (uint32_t i = 0; i < escalate->tickets_max; i++)
        if (escalate->tickets[i].deadline_us > mono_us + escalate->horizon_us)
            forget(escalate, find(escalate, escalate->tickets[i].id));
}

static uint32_t *add(struct escalate *escalate, int64_t ticket)
{
    uint32_t *link = bucket_of(escalate, ticket), place = escalate->free_first;

    escalate->free_first = escalate->tickets[place - 1].next;
    escalate->tickets[place - 1] = (struct escalate_ticket){.id = ticket, .next = *link};
    *link = place;
    escalate->count++;
    return link;
}

void escalate_set(struct escalate *escalate, int64_t ticket, int64_t in_us, int64_t mono_us)
{
    uint32_t *link = find(escalate, ticket);

    while (!*link && !escalate->free_first && in_us <= escalate->horizon_us) {
        bool can_shorten = escalate->horizon_us > ESCALATE_HORIZON_MIN_US;

        shorten(escalate, mono_us);
        if (!can_shorten)
            return;
        link = find(escalate, ticket);
    }
    if (in_us > escalate->horizon_us) {
        if (*link)
            forget(escalate, link);
        return;
    }
    if (!*link)
        link = add(escalate, ticket);
    escalate->tickets[*link - 1].deadline_us = mono_us + in_us;
    wheel_arm(&escalate->wheel, *link - 1, mono_us + in_us);
}

struct taken {
    struct escalate *escalate;
    int64_t *tickets;
    uint32_t count;
};

static void on_expire(void *context, uint32_t timer)
{
    struct taken *taken = context;
    int64_t ticket = taken->escalate->tickets[timer].id;

    taken->tickets[taken->count++] = ticket;
    forget(taken->escalate, find(taken->escalate, ticket));
}

uint32_t escalate_due(struct escalate *escalate, int64_t mono_us, int64_t *tickets, uint32_t limit)
{
    struct taken taken = {.escalate = escalate, .tickets = tickets};

    escalate->has_more = wheel_advance(&escalate->wheel, mono_us, limit, on_expire, &taken);
    return taken.count;
}

int64_t escalate_wake_at(const struct escalate *escalate)
{
    return escalate->has_more ? 0 : wheel_wake_at(&escalate->wheel);
}

void escalate_reading(struct escalate *escalate)
{
    escalate->was_short = false;
}

int64_t escalate_read(struct escalate *escalate)
{
    if (!escalate->was_short)
        escalate->horizon_us *= 2;
    if (escalate->horizon_us > ESCALATE_HORIZON_MAX_US)
        escalate->horizon_us = ESCALATE_HORIZON_MAX_US;
    /* What was beyond the horizon a moment ago must be known before it is due. */
    return escalate->horizon_us / 2;
}
