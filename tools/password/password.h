/*
 * Hashes of passwords by crypt(3), method yescrypt. Each call takes about a tenth of a second and some
 * megabytes, on purpose: a program that serves others calls it from a thread of its own.
 */
#ifndef ONEKEY_PASSWORD_H
#define ONEKEY_PASSWORD_H

#include "daemon/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>

#define PASSWORD_LENGTH_MIN 10
#define PASSWORD_LENGTH_MAX 200
#define PASSWORD_HASH_SIZE 384

/* NULL, or why this cannot be a password; in bytes of UTF-8. */
const char *password_wrong(const char *password);
/* A new hash with a new salt. False if the system has no randomness or no memory. */
bool password_hash(const char *password, char out[PASSWORD_HASH_SIZE]) MUST_USE;
/* Whether it is the password of that hash. hash NULL or unusable: the same work, and false. */
bool password_matches(const char *password, const char *hash) MUST_USE;
/* Overwrites what is no longer needed, also where a compiler would not. */
void password_forget(char *password, size_t size);

#endif
