/*
 * A crowd that comes back at once, as after a power cut: every connection is begun before any is answered, and
 * says who it is as soon as it stands; every so many-th presses instead.
 *
 *     storm_client PORT COUNT PRESS_EVERY FIRST
 *
 * FIRST is the number of the first press (bench.h). Prints `answered`, `took_us` until the last answer, and the
 * latencies of the presses, from the moment at which each device began to connect.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#define EVENTS 256
#define LIMIT_US 60000000

struct client {
    int fd;
    bool presses, has_spoken;
    int64_t number, begun_us;
};

static int begin_connect(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (fd < 0 || (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS))
        fail("connect");
    return fd;
}

static void say(struct client *client, int epoll)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    char frame[FRAME_SIZE];
    int size = client->presses ? frame_panic(frame, client->number)
                               : frame_heartbeat(frame, client->number);

    client->has_spoken = true;
    if (send(client->fd, frame, (size_t)size, MSG_NOSIGNAL) != size ||
        epoll_ctl(epoll, EPOLL_CTL_MOD, client->fd, &event) != 0)
        fail("send");
}

static void hear(struct client *client, int epoll)
{
    char data[1024];

    if (recv(client->fd, data, sizeof(data), MSG_DONTWAIT) <= 0)
        fail("answer");
    epoll_ctl(epoll, EPOLL_CTL_DEL, client->fd, NULL);
}

static int64_t *begin(struct client *clients, long count, int port, long every, int64_t first,
                      int epoll)
{
    long presses = 0;

    for (long i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLOUT, .data.ptr = &clients[i]};

        clients[i] = (struct client){.begun_us = now_us(), .presses = i % every == 0};
        clients[i].fd = begin_connect(port);
        clients[i].number = clients[i].presses ? first + presses++ : IDENTITIES - 1 - i;
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].fd, &event) != 0)
            fail("epoll_ctl");
    }
    return calloc((size_t)presses, sizeof(int64_t));
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    long count = argc == 5 ? strtol(argv[2], NULL, 10) : 0, answered = 0;
    int epoll = epoll_create1(0);
    size_t pressed = 0;

    if (count < 1) {
        fputs("usage: storm_client PORT COUNT PRESS_EVERY FIRST\n", stderr);
        return 2;
    }
    struct client *clients = calloc((size_t)count, sizeof(*clients));
    int64_t start_us = now_us();
    int64_t *latencies = begin(clients, count, (int)strtol(argv[1], NULL, 10),
                               strtol(argv[3], NULL, 10), strtoll(argv[4], NULL, 10), epoll);

    while (answered < count && now_us() < start_us + LIMIT_US) {
        int ready = epoll_wait(epoll, events, EVENTS, 1000);

        for (int i = 0; i < ready; i++) {
            struct client *client = events[i].data.ptr;

            if (!client->has_spoken) {
                say(client, epoll);
                continue;
            }
            hear(client, epoll);
            answered++;
            if (client->presses)
                latencies[pressed++] = now_us() - client->begun_us;
        }
    }
    printf("answered=%ld took_us=%lld ", answered, (long long)(now_us() - start_us));
    print_latencies(latencies, pressed);
    putchar('\n');
    return answered == count ? 0 : 1;
}
