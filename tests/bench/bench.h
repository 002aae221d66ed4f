/* What the programs of the benchmark share: the clock, quantiles, a device's frames, a connection. */
#ifndef ONEKEY_TESTS_BENCH_BENCH_H
#define ONEKEY_TESTS_BENCH_BENCH_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FIRST_IDENTITY INT64_C(7000000000)
#define IDENTITIES 100000 /* registered wristbands, from the first one on: the runner's DEVICES */
#define FRAME_SIZE 160

static inline int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* Ends the program, whose output then has no result, which the runner reports. */
static inline void fail(const char *what)
{
    perror(what);
    exit(1);
}

static inline int by_value(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* Of sorted values; 0 of none. */
static inline int64_t quantile(const int64_t *sorted, size_t count, double share)
{
    size_t at = (size_t)(share * (double)count);
    return count == 0 ? 0 : sorted[at < count ? at : count - 1];
}

/* Prints `name=value` pairs of latencies in microseconds, which it sorts. */
static inline void print_latencies(int64_t *values, size_t count)
{
    qsort(values, count, sizeof(*values), by_value);
    printf("count=%zu p50=%lld p90=%lld p99=%lld max=%lld ", count,
           (long long)quantile(values, count, 0.5), (long long)quantile(values, count, 0.9),
           (long long)quantile(values, count, 0.99), (long long)quantile(values, count, 1.0));
}

/* Who makes press number n: each wristband once before the first presses again. */
static inline int64_t identity_of(int64_t n)
{
    return FIRST_IDENTITY + n % IDENTITIES;
}

static inline int frame_heartbeat(char frame[FRAME_SIZE], int64_t n)
{
    return snprintf(frame, FRAME_SIZE, "[3G*%lld*0002*LK]", (long long)identity_of(n));
}

/* Press number n; two presses of one wristband never name the same second. */
static inline int frame_panic(char frame[FRAME_SIZE], int64_t n)
{
    time_t second = time(NULL) - 36000 + n / IDENTITIES;
    char at[32];
    struct tm parts;
    strftime(at, sizeof(at), "%d%m%y,%H%M%S", gmtime_r(&second, &parts));
    return snprintf(frame, FRAME_SIZE,
                    "[3G*%lld*0039*AL,%s,V,0.0,N,0.0,E,0,0,0,0,80,90,0,0,00010000]",
                    (long long)identity_of(n), at);
}

static inline int connect_to(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

/* A listening socket on a port of the kernel's choice, which is printed as `port=N`. */
static inline int listen_anywhere(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, size) != 0 || listen(fd, 4096) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &size) != 0)
        fail("listen");
    printf("port=%d\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

#endif
