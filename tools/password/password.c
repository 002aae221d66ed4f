#include "tools/password/password.h"

#include <crypt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX                                                                                     \
    "$y$" /* yescrypt; the cost is the library's own choice, which its makers keep up to date */
/* Nobody's: work for a name that does not exist. */
#define NOBODY "$y$j9T$0000000000000000000000$0000000000000000000000000000000000000000000"

const char *password_wrong(const char *password)
{
    size_t size = strlen(password);
    if (size < PASSWORD_LENGTH_MIN)
        return "a password has at least 10 characters";
    return size > PASSWORD_LENGTH_MAX ? "a password has at most 200 characters" : NULL;
}

/* crypt_r's memory is too large for a stack. "" if it fails. */
static bool make(const char *password, const char *setting, char out[PASSWORD_HASH_SIZE])
{
    struct crypt_data *data = calloc(1, sizeof(*data));
    if (data == NULL)
        return false;
    const char *hash = crypt_r(password, setting, data);
    bool good = hash != NULL && hash[0] == '$';
    if (good)
        snprintf(out, PASSWORD_HASH_SIZE, "%s", hash);
    explicit_bzero(data, sizeof(*data));
    free(data);
    return good;
}

bool password_hash(const char *password, char out[PASSWORD_HASH_SIZE])
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    return crypt_gensalt_rn(PREFIX, 0, NULL, 0, setting, sizeof(setting)) != NULL &&
           make(password, setting, out);
}

/* In a time that does not depend on where they differ. */
static bool is_same(const char *one, const char *other)
{
    size_t size = strlen(one);
    unsigned char differences = 0;
    if (strlen(other) != size)
        return false; /* of hashes of one method: never, or no secret */
    for (size_t i = 0; i < size; i++)
        differences |= (unsigned char)(one[i] ^ other[i]);
    return differences == 0;
}

bool password_matches(const char *password, const char *hash)
{
    char made[PASSWORD_HASH_SIZE] = "";
    if (hash != NULL && strlen(password) <= PASSWORD_LENGTH_MAX && make(password, hash, made))
        return is_same(made, hash);
    bool ignored = make("nobody", NOBODY, made);
    (void)ignored;
    return false;
}

void password_forget(char *password, size_t size)
{
    explicit_bzero(password, size);
}
