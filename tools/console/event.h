/* Server-sent events as text: each written once, whoever gets it. */
#ifndef ONEKEY_CONSOLE_EVENT_H
#define ONEKEY_CONSOLE_EVENT_H

#include <event2/buffer.h>

/* Appends one event. cursor "": without id. `json` holds no line break. */
void event_write(struct evbuffer *out, const char *cursor, const char *name, const char *json);
/* A buffer with one event. The caller frees it. */
struct evbuffer *event_make(const char *cursor, const char *name, const char *json);

#endif
