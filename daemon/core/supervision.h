/*
 * Is each device heard from, and what is told if many are not: supervise.c and outage_ticket.c, for the
 * other files that make up struct gateway.
 */
#ifndef ONEKEY_CORE_SUPERVISION_H
#define ONEKEY_CORE_SUPERVISION_H

#include "daemon/core/mains.h"
#include "daemon/core/outage.h"
#include "protocol/bytes.h"
#include "protocol/signal.h"

struct gateway;
struct device;

/* supervise.c */
enum supervision { SUPERVISION_HEARD, SUPERVISION_MISSING, SUPERVISION_LOST, SUPERVISION_GROUPED };
bool supervise_is_lost(const struct device *device);
/* By which listener a device came. */
void supervise_came_by(struct gateway *gateway, uint32_t device, uint8_t listener);
/* A panic or fall of its home: nothing of that home is hidden in an outage. */
void supervise_alarm(struct gateway *gateway, uint32_t device, int64_t at_us);
/* How a device stood is found in the journal. */
void supervise_restore(struct gateway *gateway, uint32_t device, enum supervision state,
                       enum outage_slot slot);
struct outage_place supervise_place(const struct gateway *gateway, uint32_t device);
void supervise_heard(struct gateway *gateway, uint32_t device);
void supervise_expired(struct gateway *gateway, uint32_t device);
/* A decision that a device is lost or back was found in the journal. */
void supervise_said(struct gateway *gateway, uint32_t device, enum signal_kind kind);
/* Its timeout may have changed, or the clock it counts from. */
void supervise_arm(struct gateway *gateway, uint32_t device);
/* A device joined the registry; before and after what is known of it changes. */
void supervise_join(struct gateway *gateway, uint32_t device);
void supervise_leave(struct gateway *gateway, uint32_t device);
void supervise_forget(struct gateway *gateway, uint32_t device);

/* outage_ticket.c */

/* A device is part of an outage: the outage is told if that is news. False if there is no room. */
bool outage_ticket_tell(struct gateway *gateway, uint32_t device, enum outage_slot slot);
/* A device whose loss was told by itself is part of one: its ticket is merged. The same. */
bool outage_ticket_merge(struct gateway *gateway, uint32_t device, enum outage_slot slot);
/* device: one of the group. */
void outage_ticket_end(struct gateway *gateway, uint32_t device, struct outage_group *group);

/* keep_standing.c */

/* How a device stands has changed: it is journaled, if there is room. */
void keep_standing(struct gateway *gateway, uint32_t device);
/* An outage was opened or ended: the same. */
void keep_standing_outage(struct gateway *gateway, const struct outage_group *group);
/* An area's water was cut off, or runs again: the same. */
void keep_standing_mains(struct gateway *gateway, const struct mains_area *area);
/* The records of a round: of one device (false: no room now), and of all open outages. */
bool keep_standing_round(struct gateway *gateway, uint32_t device);
void keep_standing_outages(struct gateway *gateway);
/* False if it is no state of this kind. */
bool keep_standing_replayed(struct gateway *gateway, struct bytes payload);

#endif
