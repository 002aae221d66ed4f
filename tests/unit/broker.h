/*
 * For tests of MQTT: a private mosquitto on a free port of 127.0.0.1. It goes when the test goes,
 * however it goes.
 */
#ifndef ONEKEY_TEST_BROKER_H
#define ONEKEY_TEST_BROKER_H

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/unit/certificates.h"
#include "tests/unit/loop.h"

#define BROKER_PROGRAM "/usr/sbin/mosquitto"

struct broker {
    char folder[64];
    uint16_t port;
    pid_t process;
};

static inline bool broker_is_installed(void)
{
    return access(BROKER_PROGRAM, X_OK) == 0;
}

/* A port that was free a moment ago. */
static inline uint16_t free_port(void)
{
    struct sockaddr_in where = {.sin_family = AF_INET};
    socklen_t size = sizeof(where);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert(bind(fd, (struct sockaddr *)&where, sizeof(where)) == 0);
    getsockname(fd, (struct sockaddr *)&where, &size);
    close(fd);
    return ntohs(where.sin_port);
}

static inline void broker_run(struct broker *broker)
{
    char configuration[100];
    snprintf(configuration, sizeof(configuration), "%s/broker.conf", broker->folder);
    broker->process = fork();
    if (broker->process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (freopen("/dev/null", "w", stderr))
            execl(BROKER_PROGRAM, BROKER_PROGRAM, "-c", configuration, NULL);
        _exit(127);
    }
    double deadline = seconds_now() + 10;
    int fd;
    while ((fd = dial(broker->port)) < 0 && seconds_now() < deadline)
        poll(NULL, 0, 10);
    assert(fd >= 0);
    close(fd);
}

/* `more` lines of configuration, "" for an open broker; may say %s for its folder, up to four times. */
UNUSED static void broker_start(struct broker *broker, const char *more)
{
    char path[100];
    folder_make(broker->folder);
    broker->port = free_port();
    snprintf(path, sizeof(path), "%s/broker.conf", broker->folder);
    FILE *file = fopen(path, "w");
    assert(file);
    fprintf(file, "listener %u 127.0.0.1\nmax_queued_messages 100000\n%s", broker->port, more);
    fclose(file);
    broker_run(broker);
}

UNUSED static void broker_kill(struct broker *broker)
{
    kill(broker->process, SIGKILL);
    waitpid(broker->process, NULL, 0);
}

UNUSED static void broker_stop(struct broker *broker)
{
    broker_kill(broker);
    folder_remove(broker->folder);
}

#endif
