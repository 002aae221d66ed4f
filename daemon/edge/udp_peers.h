/*
 * UDP sockets whose peers are remembered for a while, so that each has a session at the gateway like
 * a TCP connection: a reply that must wait for the disk still finds its way. A peer that has been
 * silent for PEER_IDLE is forgotten; when the table is full the one silent longest goes.
 */
#ifndef ONEKEY_EDGE_UDP_PEERS_H
#define ONEKEY_EDGE_UDP_PEERS_H

#include "daemon/base/attributes.h"
#include "daemon/edge/inlet_setup.h"
#include "protocol/bytes.h"

struct udp_peers;

/* Of all datagrams so far, those without a session too. */
struct udp_peers_bytes {
    uint64_t in, out;
};

#define UDP_PEER_IDLE_US (120 * INT64_C(1000000))

struct udp_peers *udp_peers_open(const struct inlets_setup *setup);
void udp_peers_close(struct udp_peers *peers);
/* False, and one sentence in `error`, where the address cannot be bound. */
bool udp_peers_listen(struct udp_peers *peers, const struct config_listener *config, int codec,
                      char *error, size_t error_size) MUST_USE;
/* Whether a connection is one of these. */
bool udp_peers_owns(uint64_t connection);
void udp_peers_send(struct udp_peers *peers, uint64_t connection, struct bytes data);
void udp_peers_forget(struct udp_peers *peers, uint64_t connection);
void udp_peers_pause(struct udp_peers *peers, bool pause);
/* Forgets silent peers. */
void udp_peers_turn(struct udp_peers *peers);
uint32_t udp_peers_count(const struct udp_peers *peers);
struct udp_peers_bytes udp_peers_bytes(const struct udp_peers *peers);

#endif
