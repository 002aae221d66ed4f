#include "tools/console/certificate.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

/* Without it OpenSSL would ask for a key's password on the terminal. */
static int refuse_password(char *buffer, int size, int for_writing, void *context)
{
    (void)buffer, (void)size, (void)for_writing, (void)context;
    return -1;
}

struct ssl_ctx_st *certificate_load(const char *certificate, const char *key, char *error,
                                    size_t error_size)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL)
        abort(); /* out of memory */
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_default_passwd_cb(context, refuse_password);
    if (SSL_CTX_use_certificate_chain_file(context, certificate) == 1 &&
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 &&
        SSL_CTX_check_private_key(context) == 1)
        return context;
    snprintf(error, error_size, "[console] certificate %s, key %s: %s", certificate, key,
             ERR_reason_error_string(ERR_peek_error()));
    SSL_CTX_free(context);
    return NULL;
}

void certificate_free(struct ssl_ctx_st *context)
{
    SSL_CTX_free(context);
}
