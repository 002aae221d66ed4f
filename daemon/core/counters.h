/* What the gateway has counted since its start; daemon/edge/measure.c names them for Prometheus. */
#ifndef ONEKEY_CORE_COUNTERS_H
#define ONEKEY_CORE_COUNTERS_H

#include <stdint.h>

#include "daemon/core/silence.h"
#include "protocol/signal.h"

struct gateway_counters {
    uint64_t frames, frames_bad, bytes_skipped;
    uint64_t signals[SIGNAL_KIND_COUNT]; /* by kind, as decoded or decided */
    uint64_t accepted;                   /* alarms that became a record */
    uint64_t repeated;                   /* alarms recognised as retransmissions */
    uint64_t refused;                    /* alarms not acknowledged: the journal had no room */
    uint64_t unknown_devices;            /* signals of devices not in the registry */
    uint64_t unauthenticated;            /* signals whose sender has not proven to be the device */
    uint64_t clocks_wrong;
    uint64_t odd_readings[SILENCE_ODD_COUNT]; /* by bit of enum silence_odd */
    uint64_t explained[SILENCE_REASON_COUNT]; /* silences not raised, by bit of silence_reason */
    uint64_t mains_outages;                   /* areas found cut off */
    uint64_t replies, replies_late; /* sent at once, sent after their record was durable */
    uint64_t sessions_refused, frames_slow;
    uint64_t unrecognised;         /* connections whose first bytes fit no protocol */
    uint64_t unparkable;           /* records that the database could not even park */
    uint64_t commands_sent;        /* to devices */
    uint64_t observations;         /* of the history, taken to be stored */
    uint64_t observations_thinned; /* left out because the device said as much a moment ago */
    uint64_t observations_dropped; /* given up, the oldest, as the database was away too long */
    uint64_t observations_refused; /* by the database */
};

struct gateway_figures {
    uint32_t devices, sessions, devices_lost;
    uint32_t outages, devices_in_outages;            /* the latter are among those lost */
    uint32_t mains_outages, meters_in_mains_outages; /* areas cut off; the latter as last counted */
    uint64_t alarms_waiting, readings_waiting;       /* records not yet committed, in memory */
    uint64_t alarms_spilled, readings_spilled;       /* 1 if more wait in the journal */
    uint64_t alarms_committed, readings_committed, parked;
    uint64_t replies_waiting;
    uint64_t observations_waiting;
    bool database_up;
};

#endif
