#include "daemon/edge/udp.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/edge/address.h"

struct udp {
    struct event *event;
    evutil_socket_t fd;
    struct udp_options options;
    struct udp_counters counters;
    bool paused;
    uint8_t datagram[65536]; /* longer ones do not exist */
};

/* False when there is nothing more to take. */
static bool take_one(struct udp *udp)
{
    struct sockaddr_storage from;
    struct udp_peer peer = {.size = 0};
    socklen_t from_size = sizeof(from);
    ssize_t size = recvfrom(udp->fd, udp->datagram, sizeof(udp->datagram), 0,
                            (struct sockaddr *)&from, &from_size);
    /* An ICMP error of an earlier answer also ends the turn; the next readiness goes on. */
    if (size < 0 || from_size > sizeof(peer.address))
        return false;
    memcpy(peer.address, &from, from_size);
    peer.size = (uint32_t)from_size;
    udp->counters.received++;
    udp->options.on_datagram(udp->options.context, &peer, udp->datagram, (size_t)size);
    return true;
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    struct udp *udp = context;
    for (int i = 0; i < UDP_BATCH && !udp->paused && take_one(udp); i++)
        ;
}

struct udp *udp_open(struct event_base *base, const struct udp_options *options, char *error,
                     size_t error_size)
{
    int fd = address_bind(SOCK_DGRAM, options->address, options->port, error, error_size);
    if (fd < 0)
        return NULL;
    struct udp *udp = calloc(1, sizeof(*udp));
    if (!udp)
        abort();
    udp->fd = fd;
    udp->options = *options;
    udp->event = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, udp);
    if (!udp->event || event_add(udp->event, NULL) < 0)
        abort();
    return udp;
}

void udp_close(struct udp *udp)
{
    if (!udp)
        return;
    event_free(udp->event);
    close(udp->fd);
    free(udp);
}

uint16_t udp_port(const struct udp *udp)
{
    return address_port(udp->fd);
}

bool udp_send(struct udp *udp, const struct udp_peer *peer, const void *data, size_t size)
{
    assert(peer->size <= sizeof(peer->address));
    ssize_t sent = sendto(udp->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL,
                          (const struct sockaddr *)peer->address, (socklen_t)peer->size);
    if (sent < 0) {
        udp->counters.dropped++;
        return false;
    }
    udp->counters.sent++;
    return true;
}

void udp_pause_reading(struct udp *udp, bool pause)
{
    if (udp->paused == pause)
        return;
    udp->paused = pause;
    if (pause)
        event_del(udp->event);
    else
        event_add(udp->event, NULL);
}

void udp_peer_text(const struct udp_peer *peer, char text[UDP_PEER_TEXT])
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    memcpy(&address, peer->address, peer->size);
    address_text(&address, text, UDP_PEER_TEXT);
}

const struct udp_counters *udp_counters(const struct udp *udp)
{
    return &udp->counters;
}
