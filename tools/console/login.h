/* Log-in, and hashing of new passwords: what waits for the thread that knows crypt(3). */
#ifndef ONEKEY_CONSOLE_LOGIN_H
#define ONEKEY_CONSOLE_LOGIN_H

#include "tools/console/call.h"

/* POST /api/session: brake, hash, comparison, session. Answers and ends the call. */
void login_begin(struct call *call);
/* Replaces `password` of the body by its hash, for somebody who is logged in, and goes on with the call. */
void login_hash_password(struct call *call);

#endif
