#include "tools/console/token.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

static void write_hex(const uint8_t *bytes, char out[TOKEN_TEXT_SIZE])
{
    for (int i = 0; i < TOKEN_HASH_SIZE; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

bool token_make(char out[TOKEN_TEXT_SIZE])
{
    uint8_t bytes[TOKEN_HASH_SIZE];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return false;
    write_hex(bytes, out);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return true;
}

bool token_is_sound(const char *text)
{
    return strlen(text) == TOKEN_TEXT_SIZE - 1 &&
           strspn(text, "0123456789abcdef") == TOKEN_TEXT_SIZE - 1;
}

void token_hash(const char *text, uint8_t out[TOKEN_HASH_SIZE])
{
    SHA256((const unsigned char *)text, strlen(text), out);
}

void token_csrf(const char *text, char out[TOKEN_TEXT_SIZE])
{
    char mixed[TOKEN_TEXT_SIZE + 8];
    uint8_t hash[TOKEN_HASH_SIZE];
    int size = snprintf(mixed, sizeof(mixed), "csrf %s", text);
    SHA256((const unsigned char *)mixed, (size_t)size, hash);
    write_hex(hash, out);
}

bool token_csrf_matches(const char *text, const char *given)
{
    char wanted[TOKEN_TEXT_SIZE];
    token_csrf(text, wanted);
    return given != NULL && strlen(given) == TOKEN_TEXT_SIZE - 1 &&
           CRYPTO_memcmp(given, wanted, TOKEN_TEXT_SIZE - 1) == 0;
}
