/*
 * The events inside a SIA DC-09 frame, both ways: Contact ID (`1101 01 007`: qualifier, event, area,
 * zone) and SIA codes (`Nri1/PA007`: new, area 1, panic alarm of zone 7). What each code is taken
 * as stands in two tables; a code in neither is taken as a panic and flagged.
 */
#ifndef ONEKEY_PROTOCOL_SIA_DC09_EVENTS_H
#define ONEKEY_PROTOCOL_SIA_DC09_EVENTS_H

#include "protocol/batch.h"
#include "protocol/bytes.h"

/* Adds the events of `data` (behind the account) to the batch, each a copy of *model with its kind,
 * code and flags; of several each gets a message_id of its own. Returns how many there were. */
int sia_dc09_events_contact_id(struct bytes data, const struct signal *model, struct batch *batch);
int sia_dc09_events_sia(struct bytes data, const struct signal *model, struct batch *batch);
/* The event by which a panel says `kind`. False if there is none. */
bool sia_dc09_events_write(enum signal_kind kind, bool as_sia, struct writer *out);

#endif
