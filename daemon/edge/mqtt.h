/*
 * The connection to an MQTT broker, on libmosquitto's external loop. A message of QoS 1 is
 * acknowledged only after its number is durable, so that the broker delivers again what a crash took.
 *
 * How: libmosquitto queues the PUBACK before it hands the message over, and writes it at once unless
 * it is told that another thread does the writing. It is told so; there is no thread; and the queue
 * leaves only when this module calls mosquitto_loop_write. So the module reads a batch, then neither
 * reads nor writes until the highest number owed for it is durable, then lets everything out and
 * reads on: one sync a batch, and no stream of new messages can starve the acknowledgements.
 *
 * A refused message leaves the whole batch unacknowledged: the connection is dropped without a
 * write, and after the back-off the broker delivers again. So numbers may be asked for twice: who
 * decides on messages must know repeats.
 *
 * MQTT 5, for its receive-maximum; persistent session that never expires: the client id names it and
 * must not be shared. A host name is resolved by a blocking call at each connect: give an address, or
 * a name that needs no network. The process ignores SIGPIPE.
 *
 * Callbacks come from the event loop only and may publish and pause; they must not call mqtt_durable
 * or mqtt_close.
 */
#ifndef ONEKEY_EDGE_MQTT_H
#define ONEKEY_EDGE_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/attributes.h"

struct event_base;
struct log;
struct random;
struct mqtt;

#define MQTT_NOTHING UINT64_C(0)  /* on_message: nothing is owed, acknowledge when you like */
#define MQTT_REFUSED UINT64_MAX   /* on_message: not taken, must be delivered again */
#define MQTT_BATCH 128            /* messages read before their numbers must be durable */
#define MQTT_PUBLISHING_MAX 10000 /* own publishes not yet taken by the broker */

/* Lent for the call. */
struct mqtt_message {
    const char *topic;
    const uint8_t *payload;
    size_t size;
    int qos;
    bool retained; /* kept by the broker since before we subscribed */
};

struct mqtt_options {
    const char *host;
    uint16_t port;
    const char *client_id;
    const char *username;         /* NULL: none */
    const char *password_path;    /* its first line is the password; NULL: none */
    const char *ca_path;          /* PEM; NULL: no TLS */
    const char *certificate_path; /* our own, with key_path; NULL: none */
    const char *key_path;
    uint16_t keepalive_s;     /* at least 5 */
    uint16_t receive_maximum; /* messages that the broker may send before we acknowledge; 0: 1000 */
    uint32_t reconnect_min_ms,
        reconnect_max_ms;      /* 0: 500 and 30,000; jittered down by up to half */
    const char *const *topics; /* subscriptions, at QoS 1 */
    size_t topic_count;
    /* The highest number owed for the message, MQTT_NOTHING or MQTT_REFUSED. */
    uint64_t (*on_message)(void *context, const struct mqtt_message *message);
    /* Subscribed and in use, or lost. May be NULL. */
    void (*on_state)(void *context, bool connected);
    void *context;
    struct random *random; /* lent; for the jitter */
    struct log *log;       /* lent; NULL: silent */
};

struct mqtt_counters {
    uint64_t received, refused, published, publish_refused;
    uint64_t connects, losses;
};

/* Starts connecting; the broker need not be there yet. NULL, and one sentence in `error`, where the
 * options or their files cannot be used. Copies the texts. */
struct mqtt *mqtt_open(struct event_base *base, const struct mqtt_options *options, char *error,
                       size_t error_size) MUST_USE;
/* Lets out what is durable, says goodbye as far as the socket takes it, and drops the rest. */
void mqtt_close(struct mqtt *mqtt);

/* All numbers up to this one are durable. To be told every turn in which it grew. */
void mqtt_durable(struct mqtt *mqtt, uint64_t number);
/* The number of the message (never 0) if it was queued; 0 while there is no connection, and while the
 * broker takes nothing. It leaves together with the acknowledgements, perhaps one sync later. */
int mqtt_publish(struct mqtt *mqtt, const char *topic, const void *payload, size_t size, int qos,
                 bool retain);
/* The broker has answered for that message: below 128 it took it, 16: but nobody subscribes to it. */
typedef void mqtt_on_published(void *context, int id, int reason);
void mqtt_watch_published(struct mqtt *mqtt, mqtt_on_published *on_published, void *context);
/* While paused no messages are taken: they wait at the broker. */
void mqtt_pause_reading(struct mqtt *mqtt, bool pause);
bool mqtt_is_connected(const struct mqtt *mqtt);
const struct mqtt_counters *mqtt_counters(const struct mqtt *mqtt);

#endif
