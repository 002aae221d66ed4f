/*
 * The location body of JT/T 808 (0x0200): alarm bits, status, place, time and what follows them as
 * (id, length, value), both ways.
 *
 * When an alarm is new. An alarm bit is a state: the emergency button's stays set until the platform
 * has confirmed it, so a report every ten seconds repeats one press. A bit rings when it rises,
 * within one connection of one device. Reports that the device kept have a state of their own, so
 * that an old one neither raises nor ends what is live. A device that sends nothing but presses never
 * lets the bit fall; so an emergency that comes more than a minute after the last one seen set is
 * new too. Low battery and power lost say the end as well: their bits fall.
 *
 * Which alarms are the same. The name of an alarm is the device's time and the serial of its frame
 * (of a kept report, which may come again in another frame: a checksum of its content). A device
 * whose clock is not set names nothing.
 */
#ifndef ONEKEY_PROTOCOL_JT808_LOCATION_H
#define ONEKEY_PROTOCOL_JT808_LOCATION_H

#include "protocol/batch.h"
#include "protocol/codec.h"

/* Longest body that jt808_location_compose writes. */
#define JT808_LOCATION_MAX 64
#define JT808_ALARM_EMERGENCY 1U

/* The codec's session->state[]: what live and kept reports showed, when an emergency was last seen
 * (seconds), and whether a report that cannot be read has rung. */
enum jt808_state { JT808_STATE_LIVE, JT808_STATE_KEPT, JT808_STATE_SEEN, JT808_STATE_HIDDEN };

/* One report, and from where it comes. */
struct jt808_report {
    struct bytes body;
    uint16_t serial; /* of its frame */
    bool is_kept;    /* the device kept it while it had no network */
    bool is_cut;     /* it goes on in another package: what it does not show has not ended */
    uint32_t shown;  /* what of it showed that came before and is read no more */
    int64_t now_us;
    struct signal model; /* identity and flags of what it says */
};

/* The alarm bits, 0 if the body is too short for them. */
uint32_t jt808_location_alarms(struct bytes body);
/* Adds what the report says to the batch: one signal for each new alarm, else a position or a
 * heartbeat, but nothing else of a report that is cut. Returns what it showed, for `shown`. */
uint32_t jt808_location_decode(const struct jt808_report *report, struct codec_session *session,
                               struct batch *batch);
/* The body by which a device says `signal`. False if it has no words for it. */
bool jt808_location_compose(const struct signal *signal, int64_t now_us, struct writer *out);

#endif
