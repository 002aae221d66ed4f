/*
 * Where signals come in: the configured listeners (TCP, TLS, UDP) and the MQTT broker, each handed to
 * the gateway under its session, and the gateway's answers handed back. Owns the listeners, the
 * broker connection and the UDP peers; decides nothing.
 *
 * Everything here is named to the gateway by one 64-bit connection: TCP connections by their handle,
 * UDP peers by theirs with the top bit set.
 */
#ifndef ONEKEY_EDGE_INLETS_H
#define ONEKEY_EDGE_INLETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/attributes.h"
#include "daemon/edge/inlet_setup.h"
#include "protocol/bytes.h"

struct inlets;
struct mqtt;

/* Opens every listener of the configuration, and connects to the broker where one is named. NULL,
 * and one sentence in `error`, where one cannot be opened. */
struct inlets *inlets_open(const struct inlets_setup *setup, char *error,
                           size_t error_size) MUST_USE;
void inlets_close(struct inlets *inlets);
/* No new connections; those that live go on. How many there are. */
uint32_t inlets_drain(struct inlets *inlets);
/* Reads certificates and keys anew; what cannot be used is logged and the old one kept. */
bool inlets_reload(struct inlets *inlets, const struct config *config);

/* The gateway's effects. */
void inlets_send(struct inlets *inlets, uint64_t connection, struct bytes data);
void inlets_hang_up(struct inlets *inlets, uint64_t connection);
void inlets_publish(struct inlets *inlets, struct bytes topic, struct bytes body);

/* The broker's connection, NULL if none is configured; lent until inlets_close. */
struct mqtt *inlets_mqtt(struct inlets *inlets);

/* At the end of a turn: what is durable may be acknowledged, and whether there is room to read. */
void inlets_turn(struct inlets *inlets, uint64_t durable, bool has_room);

struct inlets_figures {
    uint64_t accepted, bytes_in, bytes_out, handshakes, handshakes_failed;
    uint64_t slow_readers, oversized, idle, failed;
    uint64_t mqtt_received, mqtt_refused, mqtt_published;
    uint32_t connections, udp_peers;
    bool mqtt_connected;
};
struct inlets_figures inlets_figures(const struct inlets *inlets);

#endif
