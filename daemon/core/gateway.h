/*
 * The gateway: every decision between a device's bytes and the database's queue, and nothing else.
 * It sees no clock, socket, disk or library: time and bytes come in as arguments, and what it wants
 * done leaves through struct gateway_ports. So the whole of it runs in a test on virtual time.
 *
 *     gateway_input / _message --> codec --> admit --> ports.append (record n) --> outbox lanes
 *                                              |                                      |
 *                                     pledge: reply waits for n              gateway_submit
 *     gateway_durable(n) --> ports.send / publish                            ports.submit(batch)
 *     gateway_stored(batch) --> records leave the lane --> gateway_checkpoint
 *
 * Calls of one turn: gateway_now, then any input, then gateway_tick, then (the journal has been
 * handed its write) gateway_submit; gateway_durable whenever the journal reports.
 */
#ifndef ONEKEY_CORE_GATEWAY_H
#define ONEKEY_CORE_GATEWAY_H

#include "daemon/base/instant.h"
#include "daemon/base/log.h"
#include "daemon/core/asked.h"
#include "daemon/core/battery.h"
#include "daemon/core/counters.h"
#include "daemon/core/mains.h"
#include "daemon/core/outage.h"
#include "daemon/core/silence_scheme.h"
#include "protocol/codec.h"
#include "protocol/json_convention.h"

struct gateway;

#define GATEWAY_LISTENERS 33     /* those of the configuration, and the broker */
#define GATEWAY_LISTENER_SIZE 28 /* a longer name is cut */
#define GATEWAY_BROKER 1         /* its number */

/* What memory is taken for, once, at the start. */
struct gateway_limits {
    uint32_t devices_max, sessions_max;
    size_t outbox_bytes, pledge_bytes; /* of each lane; of replies waiting for the disk */
    uint32_t recent_sets;              /* of remembered alarms, RECENT_WAYS each */
    /* Rows of the history that wait for the database, commands held for devices; 0: none. */
    uint32_t observations_max, commands_max;
    uint32_t early_max; /* signals that wait for the end of the replay; see gateway_starting */
};

/* May be changed while running. */
struct gateway_settings {
    int64_t clock_wrong_us;   /* a device's time further off than this is flagged */
    int64_t partial_frame_us; /* a frame that takes longer to arrive closes its connection */
    int64_t supervise_us[DEVICE_KIND_COUNT]; /* not heard of for so long: lost; 0 = never */
    int64_t hold_off_us; /* the last part of that time, in which a device is only missing */
    int64_t early_us; /* four missed reports are a loss, but none sooner; 0 = none sooner at all */
    int64_t interval_min_us, interval_max_us; /* bounds of a learned report interval */
    struct outage_settings outage;
    int64_t alarm_open_us; /* a home is in no outage for so long after a panic */
    char listeners[GATEWAY_LISTENERS][GATEWAY_LISTENER_SIZE]; /* their names, by number - 1 */
    int64_t startup_grace_us; /* after the start nobody is lost earlier */
    int64_t keep_round_us;    /* in which every meter's state is journaled once */
    uint32_t batch_records, in_flight;
    int32_t time_window_before_s, time_window_after_s; /* of SIA DC-09 */
    uint32_t mqtt_options;            /* enum codec_option, for what comes by the broker */
    struct json_mapping_set mappings; /* beside those of the codec; their texts are lent */
    bool mqtt_proves; /* the broker lets a device publish below its own identity only */
    struct battery_limits battery;
    int64_t command_answer_us;       /* so long a device has for its answer */
    int64_t observation_interval_us; /* between two rows of one device's history; 0: none is kept */
    struct silence_settings silence;
    int32_t scheme_count;
    struct silence_scheme schemes[SCHEMES_MAX]; /* of homes that name one */
    struct mains_settings mains;
    int64_t care_call_us;     /* after an absence without a sign of life; 0 = never */
    int32_t home_radius_m;    /* a wristband farther away is not at home; 0 = nobody asks */
    int64_t outside_us;       /* so long it is believed */
    bool positions_are_gcj02; /* of the wristbands; those of homes are WGS-84 */
};

enum append_room {
    APPEND_READY, /* a record of ARRIVAL_SIZE_MAX fits now */
    APPEND_WAIT,  /* the writer is behind: nothing may be read until the next turn */
    APPEND_FULL   /* no room on the disk: alarms are refused, so that the device sends them again */
};

struct gateway_ports {
    void *context;
    enum append_room (*append_room)(void *context);
    /* Number of the record, 0 if it was refused. */
    uint64_t (*append)(void *context, enum lane lane, struct bytes payload);
    void (*send)(void *context, uint64_t connection, struct bytes data);
    void (*hang_up)(void *context, uint64_t connection, const char *reason);
    void (*publish)(void *context, struct bytes topic, struct bytes body);
    /* STORE_BUSY: not taken. Otherwise the result comes by gateway_stored. */
    bool (*submit)(void *context, const struct store_batch *batch);
    /* Parks one record that the database refuses, with its reason; answered by gateway_parked.
     * False: not taken. */
    bool (*park)(void *context, const struct arrival *arrival, const char *message);
    /* Soft state; how many were taken. */
    size_t (*touch)(void *context, const struct device_touch *touches, size_t count);
    /* The history, soft state too. False: not taken. Otherwise answered by gateway_observed. */
    bool (*observe)(void *context, const struct observation *observations, size_t count);
    /* Asks for the right to send a command; answered by gateway_command_taken. False: not now. */
    bool (*take_command)(void *context, int64_t id);
    /* What came of it. Neither is needed without commands_max. */
    void (*command_result)(void *context, const struct command_result *result);
    /* A copy of a meter's state for the database: soft, it comes again. May be NULL. */
    void (*profile)(void *context, const struct profile *profile);
    /* Reads durable records of one lane with numbers above `after` back from the journal and gives
     * each to gateway_refill, in order, until that returns false or a bounded amount is done. True:
     * the end was reached. */
    bool (*read_back)(void *context, enum lane lane, uint64_t after);
    const struct cipher *cipher; /* for codecs; may be NULL */
    struct log *log;
};

size_t gateway_memory_size(const struct gateway_limits *limits);
/* Borrows memory (zeroed, aligned as by malloc) and ports for the gateway's life. */
struct gateway *gateway_init(void *memory, const struct gateway_limits *limits,
                             const struct gateway_settings *settings,
                             const struct gateway_ports *ports, struct instant now);
void gateway_configure(struct gateway *gateway, const struct gateway_settings *settings);

/* The time of this turn, before any other call of the turn. */
void gateway_now(struct gateway *gateway, struct instant now);
/* Timers and soft state; bounded work. True if more is due: turn again at once. */
bool gateway_tick(struct gateway *gateway);
/* Journals the states of some meters; `hurry`: more of them, because the journal wants to be pruned
 * and can be only behind a complete round. */
void gateway_keep(struct gateway *gateway, bool hurry);
/* Forms and hands out batches. */
void gateway_submit(struct gateway *gateway);
/* Mono time at which the next turn is needed at the latest. */
int64_t gateway_wake_at(const struct gateway *gateway);

/* A connection: codec index, or -1 to recognise it by its first bytes. Returns the session, 0 if
 * there are too many. */
uint64_t gateway_connected(struct gateway *gateway, int codec, uint64_t connection);
/* What the listener knows of a connection before it has said anything. */
struct introduction {
    const char *identity; /* proven, by a certificate; NULL: nothing is */
    uint32_t options;     /* enum codec_option */
    uint8_t listener;     /* from 2 on in the order of the configuration; see GATEWAY_BROKER */
    bool is_datagram;
};
/* At most once, right after gateway_connected. Borrowed for the call. */
void gateway_introduce(struct gateway *gateway, uint64_t session,
                       const struct introduction *introduction);
/* All bytes not yet consumed; returns how many are done with. */
size_t gateway_input(struct gateway *gateway, uint64_t session, struct bytes data);
void gateway_closed(struct gateway *gateway, uint64_t session);
/* One MQTT message. The number that must be durable before it is acknowledged, 0 if none. */
#define GATEWAY_REFUSED UINT64_MAX
uint64_t gateway_message(struct gateway *gateway, const struct message *message);
/* Whether input should be read at all now: false while replies or records have no room. */
bool gateway_has_room(const struct gateway *gateway);

/* Records up to this number are on disk. */
void gateway_durable(struct gateway *gateway, uint64_t number);
void gateway_lane_up(struct gateway *gateway, enum lane lane);
void gateway_lane_down(struct gateway *gateway, enum lane lane);
/* `message`: why it was refused. */
void gateway_stored(struct gateway *gateway, uint32_t batch, enum store_result result,
                    const char *message);
/* What became of the observations last handed out. */
void gateway_observed(struct gateway *gateway, enum store_result result);
/* The record of that number is safe among the rejected ones, or (not done) must be tried again. */
void gateway_parked(struct gateway *gateway, uint64_t number, bool done);
/* A record read back for its lane; false: no room, come again later. */
bool gateway_refill(struct gateway *gateway, enum lane lane, uint64_t number, struct bytes payload);
/* Records up to this number are no longer needed. */
uint64_t gateway_checkpoint(const struct gateway *gateway);

/* The registry, from the directory: new or changed, and gone. */
bool gateway_device(struct gateway *gateway, const struct device_entry *entry);
/* Ignored if the identity meanwhile belongs to another device_id. */
void gateway_device_removed(struct gateway *gateway, uint8_t protocol, const char *identity,
                            int64_t device_id);

/* A lesson from the database; one that the meter has taken already changes nothing. False: no room in
 * the journal, tell it again. */
bool gateway_lesson(struct gateway *gateway, const struct lesson *lesson);
/* The next meter of which nothing is known and a copy in the database might tell; false when there is
 * none. *position starts at 0. */
bool gateway_next_blank(struct gateway *gateway, uint32_t *position, struct profile *wanted);
/* The copy of one of them; of no size: there is none. */
void gateway_profile(struct gateway *gateway, uint8_t protocol, const char *identity,
                     struct bytes state);

const struct gateway_counters *gateway_counters(const struct gateway *gateway);
/* For the control socket. */
struct gateway_figures gateway_figures(const struct gateway *gateway);

#endif
