#include "daemon/edge/transport.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static long plain_result(ssize_t result)
{
    if (result > 0)
        return result;
    if (result == 0)
        return TLS_ENDED;
    return errno == EAGAIN || errno == EINTR ? TLS_WANT_READ : TLS_FAILED;
}

long transport_receive(const struct transport *transport, void *data, size_t size)
{
    assert(size >= TRANSPORT_CHUNK_MAX);
    if (transport->tls)
        return tls_session_read(transport->tls, data, size);
    return plain_result(recv(transport->fd, data, size, 0));
}

long transport_send(const struct transport *transport, const void *data, size_t size)
{
    assert(size > 0);
    if (size > TRANSPORT_CHUNK_MAX)
        size = TRANSPORT_CHUNK_MAX;
    long sent = transport->tls ? tls_session_write(transport->tls, data, size)
                               : plain_result(send(transport->fd, data, size, MSG_NOSIGNAL));
    return sent == TLS_ENDED ? TLS_FAILED : sent;
}

long transport_discard(const struct transport *transport, void *scratch, size_t size)
{
    long result = plain_result(recv(transport->fd, scratch, size, 0));
    return result > 0 ? TLS_WANT_READ : result;
}

void transport_end(const struct transport *transport)
{
    if (transport->tls)
        tls_session_end(transport->tls);
    shutdown(transport->fd, SHUT_WR);
}

void transport_close(struct transport *transport)
{
    if (transport->tls)
        tls_session_close(transport->tls);
    close(transport->fd);
}
