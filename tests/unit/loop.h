/*
 * For tests of what runs on libevent: turns the loop until a condition holds, with a deadline, and
 * opens blocking sockets to 127.0.0.1.
 */
#ifndef ONEKEY_TEST_LOOP_H
#define ONEKEY_TEST_LOOP_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/base/attributes.h"

static inline double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline void loop_once(struct event_base *base)
{
    /* Bounded wait: a condition may depend on something outside the loop. */
    static const struct timeval soon = {0, 5000};
    event_base_loopexit(base, &soon);
    event_base_loop(base, EVLOOP_ONCE);
}

/* Whether `condition` came true within `limit_s`. It is not asked again once it has. */
#define LOOP_UNTIL_WITHIN(base, limit_s, condition)                                                \
    ({                                                                                             \
        double loop_deadline = seconds_now() + (limit_s);                                          \
        bool loop_came_true;                                                                       \
        while (!(loop_came_true = (condition)) && seconds_now() < loop_deadline)                   \
            loop_once(base);                                                                       \
        loop_came_true;                                                                            \
    })
#define LOOP_UNTIL(base, condition) LOOP_UNTIL_WITHIN(base, 10.0, condition)

/* A blocking socket connected to the port, or -1. Reads on it give up after 5 s. */
UNUSED static int dial(uint16_t port)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct timeval limit = {5, 0};
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (fd >= 0 && connect(fd, (struct sockaddr *)&where, sizeof(where)) == 0)
        return fd;
    close(fd);
    return -1;
}

#endif
