#include "daemon/edge/trust.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

struct x509_store_st *trust_open(const char *path, char *error, size_t error_size)
{
    X509_STORE *trust = X509_STORE_new();

    if (!trust)
        abort(); /* out of memory */
    if (path ? X509_STORE_load_file(trust, path) : X509_STORE_set_default_paths(trust))
        return trust;
    snprintf(error, error_size, "%s: no certificates: %s", path ? path : "the system's authorities",
             ERR_reason_error_string(ERR_peek_last_error()));
    ERR_clear_error();
    X509_STORE_free(trust);
    return NULL;
}

void trust_close(struct x509_store_st *trust)
{
    X509_STORE_free(trust);
}

void trust_use(struct x509_store_st *trust, void *ssl_ctx)
{
    SSL_CTX_set1_cert_store(ssl_ctx, trust);
}
