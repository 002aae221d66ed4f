/* GET /api/events: one browser's stream, from the proof of its session to its end. */
#ifndef ONEKEY_CONSOLE_STREAM_H
#define ONEKEY_CONSOLE_STREAM_H

#include "tools/console/call.h"
#include "tools/console/visitors.h"

/* Asks the database who that is, then opens the stream. Ends the call. */
void stream_open(struct call *call);
/* Opens it without the database, for somebody who was logged in when it went away. */
void stream_open_offline(struct call *call, const struct visitor *visitor);
/* Ends all streams of a session that has ended. */
void stream_end_session(struct app *app, const uint8_t hash[TOKEN_HASH_SIZE]);

#endif
