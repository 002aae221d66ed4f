/* The secret of a session: 256 random bits that only the browser holds; the server keeps hashes. */
#ifndef ONEKEY_CONSOLE_TOKEN_H
#define ONEKEY_CONSOLE_TOKEN_H

#include "daemon/base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

#define TOKEN_TEXT_SIZE 65 /* hex digits and NUL */
#define TOKEN_HASH_SIZE 32

/* A new token. False if the system gives no randomness. */
bool token_make(char out[TOKEN_TEXT_SIZE]) MUST_USE;
/* Whether the text has a token's form. */
bool token_is_sound(const char *text);
/* SHA-256 of a token: what the database knows it by. */
void token_hash(const char *text, uint8_t out[TOKEN_HASH_SIZE]);
/* What a page of ours sends beside the cookie and another site cannot know: made of the token. */
void token_csrf(const char *text, char out[TOKEN_TEXT_SIZE]);
/* Whether `given` (NULL: none) is the CSRF token of that session, in constant time. */
bool token_csrf_matches(const char *text, const char *given);

#endif
