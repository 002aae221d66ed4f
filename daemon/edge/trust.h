/*
 * The authorities that a server's certificate must come from, read once at start: to read all those of the
 * system takes OpenSSL some hundred milliseconds, which no connection may cost the loop.
 */
#ifndef ONEKEY_EDGE_TRUST_H
#define ONEKEY_EDGE_TRUST_H

#include <stddef.h>

#include "daemon/base/attributes.h"

struct x509_store_st; /* of OpenSSL */

/* Those of a PEM file; NULL: those of the system, each of which is read when it is first needed if they
 * lie in a folder by their hashes (as Debian keeps them). NULL, and one sentence in `error`, if there are
 * none. */
struct x509_store_st *trust_open(const char *path, char *error, size_t error_size) MUST_USE;
void trust_close(struct x509_store_st *trust);
/* Puts them into an SSL_CTX. */
void trust_use(struct x509_store_st *trust, void *ssl_ctx);

#endif
