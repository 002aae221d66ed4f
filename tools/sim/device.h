/*
 * One played device: who it is, the alarm it waits to have acknowledged, and what it says. A device
 * has at most one alarm under way; two alarms of one device never carry the same second, so that each
 * has a name of its own in every protocol. Knows no network and no clock.
 */
#ifndef ONEKEY_SIM_DEVICE_H
#define ONEKEY_SIM_DEVICE_H

#include "daemon/base/random.h"
#include "protocol/codec.h"
#include "tools/sim/faults.h"
#include "tools/sim/wire.h"

#include <uthash.h>

#define DEVICE_FRAME_MAX 1024

struct crowd;

struct device {
    struct crowd *crowd;
    const struct codec *codec;
    char identity[IDENTITY_LIMIT + 1];
    uint8_t kind;      /* enum device_kind */
    bool is_on_broker; /* though its protocol has streams too */
    int index;
    bool has_come;   /* was connected once */
    bool is_pending; /* `alarm` is not acknowledged */
    bool is_sent;    /* at least once, on the connection that it has now */
    struct signal alarm;
    const struct endpoint *to; /* of a stream */
    struct faults faults;
    struct random random, chance;                  /* of what it does; of what befalls it */
    int64_t report_every_us, press_every_us;       /* press: the mean, 0 = never by itself */
    int64_t clock_offset_us;                       /* of its wall clock */
    int64_t pressed_at_us, sent_at_us;             /* mono */
    int64_t press_at_us, hold_until_us, cut_at_us; /* mono, 0 = none */
    int64_t report_at_us,
        retry_at_us; /* mono: the next heartbeat or reading; the next connection */
    int64_t total_ml;
    int32_t steps;
    struct wire wire;
    UT_hash_handle hh; /* by identity, of devices on the broker */
};

/* A frame of the protocol; both texts NUL-terminated, topic "" for streams. */
struct device_frame {
    char topic[128];
    uint8_t bytes[DEVICE_FRAME_MAX + 1];
    size_t size;
};

/* The frame by which it says `signal`, whose identity is set here. False if its protocol cannot. */
bool device_say(const struct device *device, const struct signal *signal, int64_t now_us,
                struct device_frame *frame);
/* Whether it has a connection of its own rather than a topic on the broker. */
bool device_is_stream(const struct device *device);
/* The kind of its next alarm: mostly panics, some falls, some services of a call box, as far as its
 * protocol has them. */
enum signal_kind device_choose(const struct device *device, struct random *random, bool panics_only,
                               enum service_kind *service);
/* Whether somebody can press: nothing is pending, and the last press is a second ago on the clock of
 * `pressed_at_us`, for the device names its presses by the second. Meters have no button. */
bool device_may_press(const struct device *device, int64_t mono_us);
/* Begins a new alarm of that kind at wall time `now_us`. The device must not have one pending. */
void device_press(struct device *device, enum signal_kind kind, enum service_kind service,
                  int64_t now_us);
/* Whether its protocol has a word for an alarm of that kind. */
bool device_can_say(const struct device *device, enum signal_kind kind, enum service_kind service);
/* False if the device's protocol cannot say its alarm. */
bool device_say_alarm(const struct device *device, struct device_frame *frame);
/* What a gateway calls the alarm by: the codec makes it of the frame. "" if it has no name. */
void device_name_alarm(const struct device *device, char name[MESSAGE_ID_LIMIT + 1]);
/* The regular report: a heartbeat, or a meter's reading with a little more water in it. */
bool device_say_report(struct device *device, struct random *random, int64_t now_us,
                       struct device_frame *frame);
/* Whether the protocol owes an answer for `frame`. */
bool device_is_owed_answer(const struct device *device, const struct device_frame *frame);
/* Whether `reply` is that answer, whatever the gateway's clock says in it. */
bool device_is_answer(const struct device *device, const struct device_frame *frame,
                      struct bytes reply);
/* Until the next of its own presses: exponential, from a millisecond up. */
int64_t device_next_pause_us(struct device *device);
/* Whether `reply` is what the protocol owes for the pending alarm. */
bool device_is_acknowledged_by(const struct device *device, struct bytes reply);

#endif
