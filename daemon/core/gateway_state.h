/*
 * The inside of struct gateway, shared by the files that make it up and by nobody else:
 * gateway.c (memory, turn, database), start.c (from registry and journal), session.c (connections),
 * admit.c (from frame to record), commands.c (what devices are asked), proof.c (is it who it says), observe.c (what devices say beyond
 * alarms), supervise.c (is the device heard from), outage_ticket.c (many at once), water.c (the
 * meters), explain.c (why they are silent), mains_watch.c (is their water cut off), keep.c and keep_standing.c (their states).
 */
#ifndef ONEKEY_CORE_GATEWAY_STATE_H
#define ONEKEY_CORE_GATEWAY_STATE_H

#include "daemon/base/pool.h"
#include "daemon/core/circumstances.h"
#include "daemon/core/early.h"
#include "daemon/core/gateway.h"
#include "daemon/core/gateway_commands.h"
#include "daemon/core/gateway_observer.h"
#include "daemon/core/gateway_water.h"
#include "daemon/core/outage.h"
#include "daemon/core/outbox.h"
#include "daemon/core/pledge.h"
#include "daemon/core/recent.h"
#include "daemon/core/registry.h"
#include "daemon/core/supervision.h"
#include "daemon/core/wheel.h"

#define TIMERS_PER_TURN 200 /* of 6 us each if all become tickets: a turn stays under 2 ms */

struct session {
    uint64_t connection;         /* the edge's own name for it */
    uint64_t owed;               /* the number its last reply waits for */
    uint8_t listener;            /* that took it in, as a number + 1; 0 = not known */
    uint32_t device;             /* NO_DEVICE until it has said who it is */
    int16_t codec;               /* -1: not recognised yet */
    uint16_t bad_frames;         /* in a row */
    uint32_t skipped;            /* bytes since the last good frame that belonged to none */
    uint32_t options;            /* enum codec_option */
    bool is_datagram, is_proven; /* by a certificate, to be `proven` */
    char proven[IDENTITY_LIMIT + 1];
    struct codec_session memory;
};

struct gateway {
    struct gateway_limits limits;
    struct gateway_settings settings;
    struct gateway_ports ports;
    struct gateway_counters counters;
    struct instant now;
    int64_t started_mono_us;
    struct registry registry;
    struct outages outages;
    struct mains mains;
    struct pool sessions;
    struct wheel wheel; /* see enum timer_kind */
    struct pledges pledges;
    struct recent recent;
    struct outbox alarms, readings;
    struct silence *water; /* by device index, as the next */
    struct circumstances *circumstances;
    struct observer observer;
    struct commander commands;
    struct early early;
    uint32_t devices_lost;
    uint64_t durable, newest;
    uint64_t kept_from, round_from; /* keep.c: states are whole in the records behind kept_from */
    uint64_t marked_alarms, marked_readings;
    uint32_t keep_cursor, meter_count, blank_count; /* blank: meters that are not settled */
    int64_t keep_at_us, mark_at_us;
    bool replaying, settling; /* settling: a lane has nearly caught up with the journal */
    struct signal decoded[DECODE_SIGNALS_MAX];
    struct arrival batch[STORE_BATCH_MAX];
    union {
        struct device_touch touches[TOUCH_BATCH];
        struct observation observations[OBSERVATION_BATCH];
    } soft;
    uint8_t payload[ARRIVAL_SIZE_MAX];
};

/* Timers are numbered in blocks: supervision by device, water by device, then sessions. */
enum timer_kind { TIMER_SUPERVISE, TIMER_WATER, TIMER_SESSION };
uint32_t gateway_timer(const struct gateway *gateway, enum timer_kind kind, uint32_t index);

/* Where the records of a lane wait for the database: LANE_ALARM or LANE_READING. */
struct outbox *gateway_outbox(struct gateway *gateway, enum lane lane);

/* A decision for which the journal's buffer has no room is tried again after this. */
#define DECISION_RETRY_US 10000

/* A frame on its way in. */
struct origin {
    int codec;
    const struct message *message;
    struct codec_session *memory;
    uint64_t session; /* handle; 0 = MQTT */
};

/* Why the gateway decided something; all may be zero. */
struct decision {
    const char *code;     /* the rule that fired */
    uint32_t flags;       /* enum signal_flag */
    struct bytes detail;  /* a JSON object */
    const char *identity; /* what it is about, if not the device itself */
};

/* admit.c */

#define ADMIT_BAD (UINT64_MAX - 1) /* not readable, and no alarm */

/* Decodes one frame, records what must be recorded, and answers it or pledges to. Returns the number
 * that must be durable before the sender may forget the frame, 0 if none, GATEWAY_REFUSED if the
 * journal has no room, or ADMIT_BAD. */
uint64_t admit_frame(struct gateway *gateway, const struct origin *origin);
/* Records what the gateway itself has decided about a device; false if there is no room. */
bool admit_decision(struct gateway *gateway, uint32_t device, enum signal_kind kind,
                    struct decision decision);
/* Appends to the journal and its lane. Returns the number, 0 if there is no room. */
uint64_t admit_record(struct gateway *gateway, const struct arrival *arrival);

/* Whether a signal of this device shows that somebody of its household is alive. */
bool admit_is_life(const struct device *device, const struct signal *signal);
/* Someone of the home may need help right now. */
bool admit_is_call_for_help(const struct signal *signal);

/* proof.c */

/* Flags a signal whose sender has not shown that it is the device it names, where that is asked for.
 * `device`: the one it names, or NO_DEVICE. */
void proof_judge(struct gateway *gateway, const struct origin *origin, uint32_t device,
                 struct signal *signal);

/* keep.c */

/* Nothing more is to be had of this meter's past. */
void keep_settle(struct gateway *gateway, uint32_t device);

/* Something was decided about this meter: its state is journaled now, if there is room. */
void keep_now(struct gateway *gateway, uint32_t device);

/* A life sign changed what is known of this meter: its state is journaled, but not at every sign. */
void keep_soon(struct gateway *gateway, uint32_t device);

/* A state was found in the journal. */
void keep_replayed(struct gateway *gateway, struct bytes payload);
/* A mark was found: what came before it and is below its numbers is in the database. */
void keep_mark_replayed(struct gateway *gateway, struct bytes payload);

/* session.c */
struct session *session_find(const struct gateway *gateway, uint64_t handle);
void session_expired(struct gateway *gateway, uint32_t slot);

/* water.c */
void water_reading(struct gateway *gateway, uint32_t device, const struct signal *signal);
void water_expired(struct gateway *gateway, uint32_t device);
/* Someone of the household did something: the silence of its meters ends. */
void water_life(struct gateway *gateway, uint32_t device, int64_t at_us);
/* The same of one meter alone. */
void water_life_of(struct gateway *gateway, uint32_t meter, int64_t at_us);
/* Sets the timer of a meter by what is known now; of another device it does nothing. */
void water_arm(struct gateway *gateway, uint32_t device);
/* A meter joined the registry, or left it. */
void water_leave(struct gateway *gateway, uint32_t device);
void water_join(struct gateway *gateway, uint32_t device);
/* A decision about a meter's water was found in the journal; and after the last: what was decided
 * before the crash and is not among them is recorded now. */
void water_said(struct gateway *gateway, uint32_t device, const struct signal *decision);
void water_replayed(struct gateway *gateway);

#endif
