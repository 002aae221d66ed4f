/*
 * The floor of an acknowledged alarm: a bare epoll server that answers what it hears, after one
 * write and fdatasync a turn into a file that has been written in full before.
 *
 *     floor_sync FILE
 *
 * Prints `port=N`, and ends when standard input does.
 */
#include "tests/bench/bench.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#define EVENTS 1024
#define FILE_SIZE (16 << 20)
#define HEARD_MAX 512
#define BATCH_SIZE (EVENTS * HEARD_MAX)

struct heard {
    int fd;
    size_t size, at;
};

static int prepare(const char *path)
{
    static char zeros[1 << 20];
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    if (fd < 0)
        fail(path);
    for (int i = 0; i < FILE_SIZE / (int)sizeof(zeros); i++)
        if (write(fd, zeros, sizeof(zeros)) != sizeof(zeros))
            fail(path);
    if (fsync(fd) != 0)
        fail(path);
    return fd;
}

static void watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        fail("epoll_ctl");
}

static void accept_all(int epoll, int listener)
{
    int on = 1, fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        watch(epoll, fd);
    }
}

/* One write, one sync, then the answers. */
static void answer(int file, const struct heard *heard, int count, const char *batch, size_t size)
{
    static off_t end;

    if (count == 0)
        return;
    if (end + (off_t)size > FILE_SIZE)
        end = 0;
    if (pwrite(file, batch, size, end) != (ssize_t)size || fdatasync(file) != 0)
        fail("file");
    end += (off_t)size;
    for (int i = 0; i < count; i++)
        if (send(heard[i].fd, batch + heard[i].at, heard[i].size, MSG_NOSIGNAL) < 0)
            perror("send");
}

int main(int argc, char **argv)
{
    static char batch[BATCH_SIZE];
    static struct heard heard[EVENTS];
    struct epoll_event events[EVENTS];
    int file = prepare(argc > 1 ? argv[1] : "floor"), listener = listen_anywhere();
    int epoll = epoll_create1(0);

    watch(epoll, listener);
    watch(epoll, STDIN_FILENO);
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS, -1), count = 0;
        size_t size = 0;
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == STDIN_FILENO)
                return 0;
            if (fd == listener) {
                accept_all(epoll, listener);
                continue;
            }
            ssize_t got = recv(fd, batch + size, HEARD_MAX, 0);
            if (got <= 0) {
                close(fd);
                continue;
            }
            heard[count++] = (struct heard){fd, (size_t)got, size};
            size += (size_t)got;
        }
        answer(file, heard, count, batch, size);
    }
}
