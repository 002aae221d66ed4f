/*
 * Sessions that PostgreSQL has lately confirmed, kept for one purpose: while it is away, an operator who
 * was logged in can still load his page and see the alarms that onekeyd holds. Nothing else is decided
 * by it. What is here has been confirmed within VISITORS_KEPT_S of the present outage's beginning.
 */
#ifndef ONEKEY_CONSOLE_VISITORS_H
#define ONEKEY_CONSOLE_VISITORS_H

#include "tools/console/token.h"

#include <stddef.h>

#define VISITORS_MAX 4096
#define VISITORS_KEPT_S 900

struct visitors;

struct visitor {
    char name[65];
    char *session; /* the answer of GET /api/session, as JSON text */
    bool sees_unstored;
};

struct visitors *visitors_open(void);
void visitors_close(struct visitors *visitors);
/* Remembers a session that was confirmed just now. `session` is copied; NULL keeps what is known. */
void visitors_note(struct visitors *visitors, const uint8_t hash[TOKEN_HASH_SIZE],
                   const struct visitor *visitor, int64_t mono_us);
void visitors_forget(struct visitors *visitors, const uint8_t hash[TOKEN_HASH_SIZE]);
/* NULL if it is not known or was confirmed too long ago. Lent until the next call. */
const struct visitor *visitors_find(struct visitors *visitors, const uint8_t hash[TOKEN_HASH_SIZE],
                                    int64_t mono_us);
/* PostgreSQL is away since then: nothing ages meanwhile, as nothing can be confirmed. 0: it is back. */
void visitors_freeze(struct visitors *visitors, int64_t mono_us);

#endif
