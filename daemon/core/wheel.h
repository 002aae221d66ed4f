/*
 * A hierarchical timing wheel for millions of timers that are re-armed far more often than they
 * expire: a device that reports every minute and is lost after ten. Re-arming to a later moment
 * only stores the new deadline; the timer stays in its old slot and moves on when that slot comes
 * up. Only an earlier deadline relinks it. Four levels of 256 slots; one tick is WHEEL_TICK_US.
 *
 * Timers are numbered 0 … count-1 by the caller, so a stale cancel is harmless. Work is sliced:
 * wheel_advance handles at most `budget` timers a call, whether they expire or only move on.
 */
#ifndef ONEKEY_CORE_WHEEL_H
#define ONEKEY_CORE_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WHEEL_TICK_US INT64_C(100000)
#define WHEEL_LEVELS 4
#define WHEEL_SLOTS 256

struct wheel_timer {
    uint32_t next, previous; /* timers of the same slot, a ring; index + 1, 0 = none */
    uint32_t deadline;       /* tick at which it expires; 0 = not armed */
    uint32_t queued;         /* slot it is linked in + 1; 0 = not linked */
};

struct wheel {
    struct wheel_timer *timers;
    uint32_t count;
    uint32_t now;                                   /* every tick up to this one has been handled */
    uint32_t armed;                                 /* timers with a deadline */
    int64_t origin_us;                              /* mono time of tick 0 */
    uint32_t slots[WHEEL_LEVELS * WHEEL_SLOTS + 1]; /* first timer + 1; the last slot: due now */
};

/* Borrows `timers` (count of them, zeroed here) for the wheel's life. mono_us: now. */
void wheel_init(struct wheel *wheel, struct wheel_timer *timers, uint32_t count, int64_t mono_us);
/* (Re)arms a timer; it expires at the first tick at or after deadline_us, never before it. */
void wheel_arm(struct wheel *wheel, uint32_t timer, int64_t deadline_us);
/* It will not expire. It may stay linked until its old slot comes up; harmless. */
void wheel_disarm(struct wheel *wheel, uint32_t timer);
bool wheel_is_armed(const struct wheel *wheel, uint32_t timer);
/* Expires what is due at mono_us, at most `budget` timers handled; each is disarmed before
 * on_expire, which may arm it again. True if more work is left for now: call again next turn. */
bool wheel_advance(struct wheel *wheel, int64_t mono_us, uint32_t budget,
                   void (*on_expire)(void *context, uint32_t timer), void *context);
/* Mono time before which nothing can expire (a lower bound, cheap); INT64_MAX when none is armed. */
int64_t wheel_wake_at(const struct wheel *wheel);

#endif
