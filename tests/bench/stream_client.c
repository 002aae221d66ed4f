/*
 * So many browsers without a screen, each with the stream of events open:
 *
 *     stream_client PORT COUNT COOKIE
 *
 * Prints `ready=COUNT` when each has been greeted. Then each line of its input is a mark, for which it prints when, in
 * microseconds of the monotonic clock, half of the streams, 99 % of them and the last had read it:
 * `p50=... p99=... last=...`. Ends with its input, or with status 1 if a stream ends or a mark takes too long.
 */
#include "tests/bench/bench.h"

#include <poll.h>
#include <string.h>
#include <sys/epoll.h>

#define BUFFER_SIZE 65536
#define MARK_SIZE 64
#define MARK_US 40000000
#define EVENTS 256

struct client {
    int fd;
    bool has_mark;
    char tail[MARK_SIZE]; /* the end of what was read, where a mark may have begun */
    size_t tail_size;
};

struct crowd {
    int poll;
    size_t count, marked;
    struct client *clients;
    int64_t *times;
};

/* Whether the mark is in what the client has read now, or begins in what it had read before. */
static bool finds(struct client *client, char *data, size_t size, const char *mark)
{
    size_t mark_size = strlen(mark), keep = mark_size - 1;
    memcpy(data - client->tail_size, client->tail, client->tail_size);
    data -= client->tail_size;
    size += client->tail_size;
    client->tail_size = size < keep ? size : keep;
    memcpy(client->tail, data + size - client->tail_size, client->tail_size);
    return memmem(data, size, mark, mark_size) != NULL;
}

static void read_client(struct crowd *crowd, struct client *client, const char *mark)
{
    static char buffer[MARK_SIZE + BUFFER_SIZE];
    ssize_t size = recv(client->fd, buffer + MARK_SIZE, BUFFER_SIZE, 0);
    if (size <= 0)
        fail("a stream has ended");
    if (!finds(client, buffer + MARK_SIZE, (size_t)size, mark) || client->has_mark)
        return;
    client->has_mark = true;
    crowd->times[crowd->marked++] = now_us();
}

/* Until each stream has read the mark. What else is in them is read and forgotten. */
static void wait_for_mark(struct crowd *crowd, const char *mark)
{
    struct epoll_event events[EVENTS];
    int64_t end_us = now_us() + MARK_US;
    crowd->marked = 0;
    for (size_t i = 0; i < crowd->count; i++) {
        crowd->clients[i].has_mark = false;
        crowd->clients[i].tail_size = 0;
    }
    while (crowd->marked < crowd->count) {
        int ready = epoll_wait(crowd->poll, events, EVENTS, 100);
        for (int i = 0; i < ready; i++)
            read_client(crowd, events[i].data.ptr, mark);
        if (now_us() > end_us) {
            fprintf(stderr, "%zu of %zu streams did not get %s\n", crowd->count - crowd->marked,
                    crowd->count, mark);
            exit(1);
        }
    }
}

static void open_streams(struct crowd *crowd, int port, const char *cookie)
{
    char head[512];
    int size =
        snprintf(head, sizeof(head),
                 "GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: %s\r\n\r\n", cookie);
    for (size_t i = 0; i < crowd->count; i++) {
        struct client *client = &crowd->clients[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        client->fd = connect_to(port);
        if (send(client->fd, head, (size_t)size, MSG_NOSIGNAL) != size ||
            epoll_ctl(crowd->poll, EPOLL_CTL_ADD, client->fd, &event) != 0)
            fail("send");
    }
}

/* The next line of the input; meanwhile the streams are read, as browsers do. */
static bool next_mark(struct crowd *crowd, char mark[MARK_SIZE])
{
    struct pollfd fds[] = {{.fd = 0, .events = POLLIN}, {.fd = crowd->poll, .events = POLLIN}};
    struct epoll_event events[EVENTS];
    while (poll(fds, 2, -1) > 0 && fds[0].revents == 0) {
        int ready = epoll_wait(crowd->poll, events, EVENTS, 0);
        for (int i = 0; i < ready; i++)
            read_client(crowd, events[i].data.ptr, "\n\n");
    }
    ssize_t size = read(0, mark, MARK_SIZE - 1);
    mark[size > 0 ? size : 0] = '\0';
    mark[strcspn(mark, "\n")] = '\0';
    return mark[0] != '\0';
}

int main(int argc, char **argv)
{
    char mark[MARK_SIZE];
    if (argc != 4)
        return 2;
    struct crowd crowd = {.poll = epoll_create1(0), .count = strtoul(argv[2], NULL, 10)};
    crowd.clients = calloc(crowd.count, sizeof(*crowd.clients));
    crowd.times = calloc(crowd.count + 1, sizeof(*crowd.times));
    if (crowd.poll < 0 || crowd.clients == NULL || crowd.times == NULL || crowd.count == 0)
        fail("setup");
    open_streams(&crowd, (int)strtol(argv[1], NULL, 10), argv[3]);
    wait_for_mark(&crowd, "event: hello");
    printf("ready=%zu\n", crowd.count);
    fflush(stdout);
    while (next_mark(&crowd, mark)) {
        wait_for_mark(&crowd, mark);
        printf("p50=%lld p99=%lld last=%lld\n", (long long)quantile(crowd.times, crowd.count, 0.5),
               (long long)quantile(crowd.times, crowd.count, 0.99),
               (long long)crowd.times[crowd.count - 1]);
        fflush(stdout);
    }
    return 0;
}
