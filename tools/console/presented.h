/* Marks tickets as shown once an answer or event with them has left for somebody's screen. */
#ifndef ONEKEY_CONSOLE_PRESENTED_H
#define ONEKEY_CONSOLE_PRESENTED_H

#include "tools/console/app.h"
#include "tools/console/token.h"

struct presented;

/* `tickets`: their numbers with blanks between. NULL if there are none. */
struct presented *presented_new(struct app *app, const uint8_t hash[TOKEN_HASH_SIZE],
                                const char *origin, const char *tickets);
/* If it was sent, tells the database, which looks whether that person is on duty; and frees it. */
void presented_send(void *presented, bool sent);

#endif
