/*
 * What the files about water (water.c, explain.c, water_detail.c) do for each other and for the other
 * insides of struct gateway; part of gateway_state.h.
 */
#ifndef ONEKEY_CORE_GATEWAY_WATER_H
#define ONEKEY_CORE_GATEWAY_WATER_H

#include "daemon/core/mains.h"
#include "daemon/core/silence.h"
#include "daemon/core/store.h"

struct gateway;

/* explain.c */

/* The settings by which a meter is judged: those of its home's scheme, with what the home has of its own,
 * for which *own gives room. */
const struct silence_settings *explain_settings(const struct gateway *gateway, uint32_t device,
                                                struct silence_settings *own);
/* Name of the scheme that is applied; "" = none of its own. Lent. */
const char *explain_scheme(const struct gateway *gateway, uint32_t device);
/* What the database says of a device's home; and that the device is gone. */
void explain_put(struct gateway *gateway, uint32_t device, const struct device_entry *entry);
void explain_forget(struct gateway *gateway, uint32_t device);
/* Wall time at which explain_check() has something to do for this meter; INT64_MAX = never. */
int64_t explain_due_at(const struct gateway *gateway, uint32_t device);
/* Begins and ends reasons that are due, and raises the care call after an absence. The journal has
 * room. */
void explain_check(struct gateway *gateway, uint32_t device);
/* The household of this meter showed life. */
void explain_life(struct gateway *gateway, uint32_t device, int64_t at_us);
/* A wristband says where it is. */
void explain_place(struct gateway *gateway, uint32_t device, const struct signal *signal);
/* All that the journal holds of this meter has been told. */
void explain_started(struct gateway *gateway, uint32_t device);

/* mains_watch.c */

/* The next part of the round over all meters. */
void mains_watch_tick(struct gateway *gateway);

/* water_detail.c */

/* What an operator needs in order to believe a ticket; `rules`: those it is about. */
void water_detail_write(const struct gateway *gateway, uint32_t device,
                        const struct silence_verdict *verdict, uint32_t rules, struct writer *out);
/* What a meter has learned, in at most PROFILE_DETAIL_MAX bytes. */
void water_detail_write_profile(const struct gateway *gateway, uint32_t device, struct writer *out);

#endif
