/*
 * What the owner of TCP connections and the modules that serve them say to each other: see tcp.h.
 */
#ifndef ONEKEY_EDGE_TCP_TYPES_H
#define ONEKEY_EDGE_TCP_TYPES_H

#include <stddef.h>
#include <stdint.h>

struct tls;

#define TCP_READ_MAX 16384        /* bytes taken from one connection in one turn */
#define TCP_INPUT_MAX_LIMIT 65536 /* the largest input_max */
#define TCP_REFUSED UINT64_C(0)   /* on_open: close it again */

enum tcp_reason {
    TCP_PEER_CLOSED, /* the peer ended its side; what was owed to it had 2 s to go out */
    TCP_IDLE,        /* nothing came for idle_timeout_s */
    TCP_OVERSIZED,   /* input_max bytes came and nothing in them was consumed */
    TCP_SLOW_READER, /* more than output_max bytes waited for the peer */
    TCP_FAILED,      /* reset, unreachable, broken TLS */
    TCP_REASONS
};

/* Who has connected; lent for the call. */
struct tcp_peer {
    const char *address;     /* "192.0.2.7:5120", "[2001:db8::7]:5120" */
    const char *certificate; /* name in the verified client certificate, "" if there is none */
    const char *serial;      /* the subject's serialNumber in it, likewise */
};

struct tcp_callbacks {
    /* A connection is ready to talk. Returns the caller's own name for it (not 0), which the other
     * two are called with, or TCP_REFUSED. `connection` is the handle for tcp_send and tcp_hang_up,
     * and may be used at once. */
    uint64_t (*on_open)(void *context, uint64_t connection, const struct tcp_peer *peer);
    /* All bytes that have come and were not consumed. Returns how many from the front are done
     * with; called again at once while it consumes and bytes are left. Those left come again with
     * those that follow, or when a pause of reading that began in this call ends. */
    size_t (*on_input)(void *context, uint64_t token, const uint8_t *data, size_t size);
    /* It has gone, and not because of tcp_hang_up: then the caller knows. */
    void (*on_close)(void *context, uint64_t token, enum tcp_reason reason);
};

struct tcp_listener_options {
    const char *address;         /* numeric IPv4 or IPv6; "" or "*": all of this machine's */
    uint16_t port;               /* 0: any free one, see tcp_listener_port */
    struct tls *tls;             /* lent as long as the listener lives; NULL: plain */
    uint32_t connections_max;    /* of this listener; more wait in the kernel's backlog */
    uint32_t accepts_per_second; /* more wait in the backlog */
    uint32_t handshake_timeout_s;
    uint32_t idle_timeout_s; /* 0: never closed for silence */
    size_t input_max;        /* bytes kept of one connection that are not consumed */
    size_t output_max;       /* bytes kept that the peer does not read */
    struct tcp_callbacks callbacks;
    void *context;
};

struct tcp_counters {
    uint64_t accepted, refused, handshakes, handshakes_failed;
    uint64_t accepts_delayed; /* times that a listener's rate or room ran out */
    uint64_t accepts_failed;  /* times that the system had no descriptor or memory */
    uint64_t bytes_in, bytes_out;
    uint64_t closed[TCP_REASONS];
};

#endif
