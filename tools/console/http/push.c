#include "tools/console/http/push.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>

#define PIECES_MAX 16

/* The bytes that the socket took; 0 also if it has failed, which the next write tells. */
static size_t send_pieces(evutil_socket_t fd, struct evbuffer *shared)
{
    struct evbuffer_iovec pieces[PIECES_MAX];
    int count = evbuffer_peek(shared, -1, NULL, pieces, PIECES_MAX);
    struct msghdr message = {.msg_iov = pieces,
                             .msg_iovlen = (size_t)(count < PIECES_MAX ? count : PIECES_MAX)};
    ssize_t sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? 0 : (size_t)sent;
}

static void keep_rest(struct evbuffer *output, struct evbuffer *shared, size_t from)
{
    size_t size = evbuffer_get_length(shared);
    struct evbuffer_ptr place;
    for (struct evbuffer_iovec piece; from < size; from += piece.iov_len) {
        evbuffer_ptr_set(shared, &place, from, EVBUFFER_PTR_SET);
        if (evbuffer_peek(shared, -1, &place, &piece, 1) < 1 ||
            evbuffer_add(output, piece.iov_base, piece.iov_len) != 0)
            abort(); /* out of memory */
    }
}

bool push_now(struct bufferevent *stream, struct evbuffer *shared)
{
    struct evbuffer *output = bufferevent_get_output(stream);
    size_t sent = 0;
    if (evbuffer_get_length(output) == 0)
        sent = send_pieces(bufferevent_getfd(stream), shared);
    if (sent == 0)
        return false;
    keep_rest(output, shared, sent);
    if (evbuffer_get_length(output) == 0)
        bufferevent_trigger(stream, EV_WRITE, BEV_TRIG_DEFER_CALLBACKS);
    return true;
}
