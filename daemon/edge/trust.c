#include "daemon/edge/trust.h"

#include <glob.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Whether a folder holds certificates by the hash of their name, as OpenSSL looks them up. */
static bool is_hashed(const char *folder)
{
    char pattern[512];
    glob_t found;
    bool is;

    snprintf(pattern, sizeof(pattern), "%s/[0-9a-f][0-9a-f][0-9a-f][0-9a-f]*.[0-9]", folder);
    is = glob(pattern, GLOB_NOSORT, NULL, &found) == 0;
    globfree(&found);
    return is;
}

/* By the folder where there is one: OpenSSL's default would read the file with all of them at once. */
static int use_system(X509_STORE *trust)
{
    const char *folder = getenv(X509_get_default_cert_dir_env());

    if (!folder)
        folder = X509_get_default_cert_dir();
    if (!getenv(X509_get_default_cert_file_env()) && is_hashed(folder))
        return X509_STORE_load_path(trust, folder);
    return X509_STORE_set_default_paths(trust);
}

struct x509_store_st *trust_open(const char *path, char *error, size_t error_size)
{
    X509_STORE *trust = X509_STORE_new();

    if (!trust)
        abort(); /* out of memory */
    if (path ? X509_STORE_load_file(trust, path) : use_system(trust))
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
