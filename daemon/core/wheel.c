#include "daemon/core/wheel.h"

#include <assert.h>
#include <string.h>

#define DUE_SLOT (WHEEL_LEVELS * WHEEL_SLOTS)
#define SLOT_BITS 8

void wheel_init(struct wheel *wheel, struct wheel_timer *timers, uint32_t count, int64_t mono_us)
{
    memset(timers, 0, count * sizeof(*timers));
    memset(wheel, 0, sizeof(*wheel));
    wheel->timers = timers;
    wheel->count = count;
    wheel->now = 1; /* so that deadline 0 can mean "not armed" */
    wheel->origin_us = mono_us - WHEEL_TICK_US;
}

static uint32_t tick_at_or_after(const struct wheel *wheel, int64_t mono_us)
{
    int64_t ticks = (mono_us - wheel->origin_us + WHEEL_TICK_US - 1) / WHEEL_TICK_US;

    if (ticks < 1)
        return 1;
    return ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX;
}

/* The slot in which a deadline waits: the lowest level whose span from now still covers it. */
static uint32_t slot_of(const struct wheel *wheel, uint32_t deadline)
{
    uint32_t distance_bits = deadline ^ wheel->now;

    if (deadline <= wheel->now)
        return DUE_SLOT;
    for (uint32_t level = 0; level < WHEEL_LEVELS; level++) {
        uint32_t shift = level * SLOT_BITS;

        if (level == WHEEL_LEVELS - 1 || distance_bits >> (shift + SLOT_BITS) == 0)
            return level * WHEEL_SLOTS + (deadline >> shift) % WHEEL_SLOTS;
    }
    return DUE_SLOT;
}

static void link_timer(struct wheel *wheel, uint32_t index, uint32_t slot)
{
    struct wheel_timer *timer = &wheel->timers[index];
    uint32_t first = wheel->slots[slot];

    timer->queued = slot + 1;
    timer->next = first;
    timer->previous = 0;
    if (first)
        wheel->timers[first - 1].previous = index + 1;
    wheel->slots[slot] = index + 1;
}

static void unlink_timer(struct wheel *wheel, uint32_t index)
{
    struct wheel_timer *timer = &wheel->timers[index];

    if (timer->previous)
        wheel->timers[timer->previous - 1].next = timer->next;
    else
        wheel->slots[timer->queued - 1] = timer->next;
    if (timer->next)
        wheel->timers[timer->next - 1].previous = timer->previous;
    timer->next = timer->previous = timer->queued = 0;
}

void wheel_arm(struct wheel *wheel, uint32_t index, int64_t deadline_us)
{
    assert(index < wheel->count);

    struct wheel_timer *timer = &wheel->timers[index];
    uint32_t deadline = tick_at_or_after(wheel, deadline_us), old = timer->deadline;

    if (!old)
        wheel->armed++;
    timer->deadline = deadline;
    /* Linked for an earlier (or the same) moment: it moves on by itself when that slot comes up.
     * A disarmed timer that is still linked may wait in a later slot: relink it. */
    if (timer->queued && old && deadline >= old)
        return;
    if (timer->queued)
        unlink_timer(wheel, index);
    link_timer(wheel, index, slot_of(wheel, deadline));
}

void wheel_disarm(struct wheel *wheel, uint32_t index)
{
    assert(index < wheel->count);
    if (wheel->timers[index].deadline) {
        wheel->timers[index].deadline = 0;
        wheel->armed--;
    }
}

bool wheel_is_armed(const struct wheel *wheel, uint32_t index)
{
    return wheel->timers[index].deadline != 0;
}

/* A slot of a higher level is taken apart when its first tick comes: its timers go to lower levels.
 * Returns the slot that must be emptied before tick `now` is complete, or DUE_SLOT. */
static uint32_t slot_to_empty(const struct wheel *wheel)
{
    for (uint32_t level = WHEEL_LEVELS - 1; level > 0; level--) {
        uint32_t shift = level * SLOT_BITS;
        uint32_t slot = level * WHEEL_SLOTS + (wheel->now >> shift) % WHEEL_SLOTS;

        if (wheel->now % (1u << shift) == 0 && wheel->slots[slot])
            return slot;
    }
    return wheel->slots[wheel->now % WHEEL_SLOTS] ? wheel->now % WHEEL_SLOTS : DUE_SLOT;
}

static void handle_first(struct wheel *wheel, uint32_t slot,
                         void (*on_expire)(void *context, uint32_t timer), void *context)
{
    uint32_t index = wheel->slots[slot] - 1;
    struct wheel_timer *timer = &wheel->timers[index];

    unlink_timer(wheel, index);
    if (!timer->deadline)
        return;
    if (timer->deadline > wheel->now) {
        link_timer(wheel, index, slot_of(wheel, timer->deadline));
        return;
    }
    timer->deadline = 0;
    wheel->armed--;
    on_expire(context, index);
}

bool wheel_advance(struct wheel *wheel, int64_t mono_us, uint32_t budget,
                   void (*on_expire)(void *context, uint32_t timer), void *context)
{
    int64_t ticks = (mono_us - wheel->origin_us) / WHEEL_TICK_US;
    uint32_t target = ticks < 1 ? 1 : (uint32_t)ticks;

    for (;;) {
        uint32_t slot = slot_to_empty(wheel);

        if (wheel->slots[slot]) {
            if (budget-- == 0)
                return true;
            handle_first(wheel, slot, on_expire, context);
        } else if (wheel->now >= target) {
            return false;
        } else {
            wheel->now++;
        }
    }
}

int64_t wheel_wake_at(const struct wheel *wheel)
{
    if (wheel->armed == 0)
        return INT64_MAX;
    if (wheel->slots[DUE_SLOT])
        return wheel->origin_us;

    uint32_t tick = wheel->now + 1;

    while (tick % WHEEL_SLOTS && !wheel->slots[tick % WHEEL_SLOTS])
        tick++;
    return wheel->origin_us + (int64_t)tick * WHEEL_TICK_US;
}
