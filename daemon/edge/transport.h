/*
 * Bytes over a connected socket, plain or through TLS, under one set of results (those of tls.h).
 * Owns both the socket and the session.
 */
#ifndef ONEKEY_EDGE_TRANSPORT_H
#define ONEKEY_EDGE_TRANSPORT_H

#include <stddef.h>

#include "daemon/base/attributes.h"
#include "daemon/edge/tls.h"

#define TRANSPORT_CHUNK_MAX 16384 /* bytes a call: one TLS record */

struct transport {
    struct tls_session *tls; /* NULL: plain */
    int fd;
};

/* Bytes read, up to `size`, at least TRANSPORT_CHUNK_MAX; or TLS_WANT_..., TLS_ENDED, TLS_FAILED. */
long transport_receive(const struct transport *transport, void *data, size_t size) MUST_USE;
/* Bytes sent, perhaps fewer than `size` (> 0), or TLS_WANT_..., TLS_FAILED. What was refused must be
 * offered again from its first byte, in one piece, at least as long up to TRANSPORT_CHUNK_MAX. */
long transport_send(const struct transport *transport, const void *data, size_t size) MUST_USE;
/* Throws away what has come, beneath TLS. TLS_WANT_READ, or TLS_ENDED or TLS_FAILED at the end. */
long transport_discard(const struct transport *transport, void *scratch, size_t size) MUST_USE;
/* Says that we shall send no more. */
void transport_end(const struct transport *transport);
void transport_close(struct transport *transport);

#endif
