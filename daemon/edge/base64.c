#include "daemon/edge/base64.h"

#include <assert.h>
#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

#define ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

void base64_write(const void *data, size_t size, char *out)
{
    assert(size < INT_MAX / 2);
    EVP_EncodeBlock((unsigned char *)out, data, (int)size);
}

bool base64_read(const char *text, uint8_t *out, size_t limit, size_t *size)
{
    size_t length = strlen(text), letters = strspn(text, ALPHABET), padding = length - letters;

    if (length == 0 || length % 4 != 0 || padding > 2 || strspn(text + letters, "=") != padding)
        return false;
    *size = length / 4 * 3 - padding;
    if (*size > limit || length / 4 * 3 > limit) /* the padding is decoded as zeros too */
        return false;
    return EVP_DecodeBlock(out, (const unsigned char *)text, (int)length) >= 0;
}
