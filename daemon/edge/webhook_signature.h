/*
 * The signature of a webhook by Standard Webhooks 1.0: HMAC-SHA256 with a shared secret over
 * "ID.SECONDS.BODY", so that the receiver knows who said it, to whom and when.
 */
#ifndef ONEKEY_EDGE_WEBHOOK_SIGNATURE_H
#define ONEKEY_EDGE_WEBHOOK_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/edge/base64.h"

#define WEBHOOK_SECRET_MIN 24
#define WEBHOOK_SECRET_MAX 64
#define WEBHOOK_SIGNATURE_SIZE (3 + BASE64_SIZE(32)) /* "v1," and the rest, with its NUL */

struct webhook_secret {
    uint8_t bytes[WEBHOOK_SECRET_MAX + 2]; /* two for the decoder */
    size_t size;
};

/* Reads "whsec_" and base64 of 24 to 64 bytes from the first line of a file. False, and a sentence in
 * `error` that does not repeat it, if it is not that. */
bool webhook_signature_read(const char *path, struct webhook_secret *secret, char *error,
                            size_t error_size);
/* The header webhook-signature of that body, "v1,BASE64". */
void webhook_signature_write(const struct webhook_secret *secret, const char *message_id,
                             int64_t at_s, const void *body, size_t size,
                             char out[WEBHOOK_SIGNATURE_SIZE]);

#endif
