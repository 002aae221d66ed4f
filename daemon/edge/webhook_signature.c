#include "daemon/edge/webhook_signature.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/edge/secret_file.h"

#define PREFIX "whsec_"
#define SHA256_SIZE 32

bool webhook_signature_read(const char *path, struct webhook_secret *secret, char *error,
                            size_t error_size)
{
    char line[SECRET_SIZE] = "";
    bool ok = secret_file_read(path, line, error, error_size);

    if (ok &&
        (strncmp(line, PREFIX, strlen(PREFIX)) != 0 ||
         !base64_read(line + strlen(PREFIX), secret->bytes, sizeof(secret->bytes), &secret->size) ||
         secret->size < WEBHOOK_SECRET_MIN || secret->size > WEBHOOK_SECRET_MAX)) {
        snprintf(error, error_size, "%s: no secret; give " PREFIX " and base64 of %d to %d bytes",
                 path, WEBHOOK_SECRET_MIN, WEBHOOK_SECRET_MAX);
        ok = false;
    }
    explicit_bzero(line, sizeof(line));
    return ok;
}

void webhook_signature_write(const struct webhook_secret *secret, const char *message_id,
                             int64_t at_s, const void *body, size_t size,
                             char out[WEBHOOK_SIGNATURE_SIZE])
{
    char digest[] = "SHA256", seconds[32];
    uint8_t mac[SHA256_SIZE];
    size_t mac_size = 0;
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0),
                               OSSL_PARAM_construct_end()};
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = hmac ? EVP_MAC_CTX_new(hmac) : NULL;

    snprintf(seconds, sizeof(seconds), ".%" PRId64 ".", at_s);
    if (!context || !EVP_MAC_init(context, secret->bytes, secret->size, parameters) ||
        !EVP_MAC_update(context, (const uint8_t *)message_id, strlen(message_id)) ||
        !EVP_MAC_update(context, (const uint8_t *)seconds, strlen(seconds)) ||
        !EVP_MAC_update(context, body, size) ||
        !EVP_MAC_final(context, mac, &mac_size, sizeof(mac)) || mac_size != sizeof(mac))
        abort(); /* out of memory, or no SHA-256 in this OpenSSL */
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(hmac);
    memcpy(out, "v1,", 3);
    base64_write(mac, sizeof(mac), out + 3);
}
