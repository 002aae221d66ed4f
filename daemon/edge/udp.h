/*
 * One bound UDP socket on libevent. Datagrams in, datagrams out, nothing remembered about peers: who
 * owes an answer keeps the struct udp_peer that came with the question. At most UDP_BATCH datagrams
 * are taken a turn. What the kernel does not take at once is dropped and counted: senders of
 * datagrams repeat themselves.
 */
#ifndef ONEKEY_EDGE_UDP_H
#define ONEKEY_EDGE_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/attributes.h"

struct event_base;
struct udp;

#define UDP_BATCH 64
#define UDP_PEER_TEXT 64 /* room for udp_peer_text */

/* A socket address, to be copied and compared as bytes: what is not used is zero. */
struct udp_peer {
    uint8_t address[28];
    uint32_t size;
};

struct udp_options {
    const char *address; /* numeric IPv4 or IPv6; "" or "*": all of this machine's */
    uint16_t port;       /* 0: any free one, see udp_port */
    /* One datagram, lent for the call. */
    void (*on_datagram)(void *context, const struct udp_peer *peer, const uint8_t *data,
                        size_t size);
    void *context;
};

struct udp_counters {
    uint64_t received, sent, dropped;
};

/* NULL, and one sentence in `error`, where the address cannot be bound. Copies the options. */
struct udp *udp_open(struct event_base *base, const struct udp_options *options, char *error,
                     size_t error_size) MUST_USE;
void udp_close(struct udp *udp);
uint16_t udp_port(const struct udp *udp);
/* Whether the kernel took it. */
bool udp_send(struct udp *udp, const struct udp_peer *peer, const void *data, size_t size);
/* While paused no datagrams are taken; the kernel keeps some and drops the rest. */
void udp_pause_reading(struct udp *udp, bool pause);
/* "192.0.2.7:5120" */
void udp_peer_text(const struct udp_peer *peer, char text[UDP_PEER_TEXT]);
const struct udp_counters *udp_counters(const struct udp *udp);

#endif
