/*
 * TLS of the listeners: certificates, the handshake, and bytes through OpenSSL. A `struct tls` is
 * what a listener serves (certificate, key, optional authority of client certificates) and may be
 * reloaded while connections live: they keep what they began with, the next handshake uses the new.
 * A `struct tls_session` is one connection's; it borrows the socket and never closes it.
 *
 * TLS 1.2 and later. Sessions resume by tickets, and a server keeps no state for them. An end of the
 * stream without close_notify counts as an end: small devices rarely say goodbye.
 * The process ignores SIGPIPE.
 */
#ifndef ONEKEY_EDGE_TLS_H
#define ONEKEY_EDGE_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/attributes.h"

struct tls;
struct tls_session;

struct tls_options {
    const char *certificate_path; /* PEM: the certificate, then its chain */
    const char *key_path;         /* PEM, not encrypted */
    const char *client_ca_path;   /* PEM; NULL: clients show no certificate, else they must */
};

#define TLS_NAME_MAX 128 /* of a client certificate, with its NUL */

/* Results of the calls below that move no bytes. */
#define TLS_WANT_READ (-1)  /* call again when the socket is readable */
#define TLS_WANT_WRITE (-2) /* call again when it is writable */
#define TLS_ENDED (-3)      /* the peer has ended the stream */
#define TLS_FAILED (-4)     /* broken; tls_failure says why */

/* NULL, and one sentence in `error`, where a file cannot be used or key and certificate differ. */
struct tls *tls_open(const struct tls_options *options, char *error, size_t error_size) MUST_USE;
/* The same files' new content, or other files. False leaves everything as it was. */
bool tls_reload(struct tls *tls, const struct tls_options *options, char *error,
                size_t error_size) MUST_USE;
/* Sessions that live keep what they need. */
void tls_close(struct tls *tls);

/* A server's session over the non-blocking socket `fd`; NULL if there is no memory. */
struct tls_session *tls_session_open(struct tls *tls, int fd) MUST_USE;
/* One step: 0 when done, or one of the results above. */
int tls_session_handshake(struct tls_session *session) MUST_USE;
/* Common name of the verified client certificate, or its first DNS or URI name, and the serialNumber
 * of its subject; "" if none. Cut to fit, printable ASCII. */
void tls_session_name(const struct tls_session *session, char name[TLS_NAME_MAX],
                      char serial[TLS_NAME_MAX]);
/* At most one record, so that nothing stays behind in the library where `size` is 16 KiB or more.
 * Bytes read (> 0) or one of the results above. */
long tls_session_read(struct tls_session *session, void *data, size_t size) MUST_USE;
/* Bytes written (> 0, perhaps fewer than size) or one of the results above; size > 0. */
long tls_session_write(struct tls_session *session, const void *data, size_t size) MUST_USE;
/* Says goodbye once, without waiting for an answer. */
void tls_session_end(struct tls_session *session);
void tls_session_close(struct tls_session *session);
/* Why the last call on this thread failed, lent until the next call; "" if nothing is known. */
const char *tls_failure(void);

#endif
