/* What many streams get alike, written at once: asking to be told when a socket can be written, being told, and
 * asking no more are three calls of the kernel for one that writes. */
#ifndef ONEKEY_CONSOLE_HTTP_PUSH_H
#define ONEKEY_CONSOLE_HTTP_PUSH_H

#include <event2/bufferevent.h>
#include <stdbool.h>

/* Writes `shared`, which keeps its content, to the socket of a plain stream past its output, without waiting. What
 * the socket does not take is copied to the output; the write callback comes as ever, later. False, and nothing has
 * been done, if something waits in the output already, or the socket takes nothing now. */
bool push_now(struct bufferevent *stream, struct evbuffer *shared);

#endif
