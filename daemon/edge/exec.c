#include "daemon/edge/exec.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

struct process {
    struct exec *exec;
    pid_t pid; /* 0: none */
    bool is_late;
    struct event *limit;
    struct notice_waiter *waiter;
};

struct exec {
    struct config_exec config;
    struct event *ended;
    struct notice_waiter waiters[CONFIG_AT_ONCE_MAX];
    struct process processes[CONFIG_AT_ONCE_MAX];
};

static void tell(const struct process *process, int status)
{
    struct notice_waiter *waiter = process->waiter;

    if (process->is_late)
        notice_answer(waiter, NOTICE_LATER, 0, "killed after %d s",
                      process->exec->config.timeout_s);
    else if (WIFSIGNALED(status))
        notice_answer(waiter, NOTICE_LATER, 0, "ended by signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status) == EX_OK)
        notice_answer(waiter, NOTICE_DELIVERED, 0, "exit status 0");
    else
        notice_answer(waiter, WEXITSTATUS(status) == EX_TEMPFAIL ? NOTICE_LATER : NOTICE_REFUSED, 0,
                      "exit status %d", WEXITSTATUS(status));
}

/* What it has started ends with it. */
static void reap(struct process *process, int status)
{
    kill(-process->pid, SIGKILL);
    event_del(process->limit);
    process->pid = 0;
    tell(process, status);
}

static void on_child(evutil_socket_t number, short what, void *context)
{
    struct exec *exec = context;
    int status;

    (void)number, (void)what;
    for (int i = 0; i < CONFIG_AT_ONCE_MAX; i++) {
        struct process *process = &exec->processes[i];

        if (process->pid > 0 && waitpid(process->pid, &status, WNOHANG) == process->pid)
            reap(process, status);
    }
}

static void on_limit(evutil_socket_t fd, short what, void *context)
{
    struct process *process = context;

    (void)fd, (void)what;
    process->is_late = true;
    kill(-process->pid, SIGKILL); /* on_child tells */
}

struct exec *exec_open(struct event_base *base, const struct config_exec *config)
{
    struct exec *exec = calloc(1, sizeof(*exec));

    if (!exec || !(exec->ended = evsignal_new(base, SIGCHLD, on_child, exec)))
        abort();
    exec->config = *config;
    event_add(exec->ended, NULL);
    for (int i = 0; i < CONFIG_AT_ONCE_MAX; i++) {
        exec->processes[i].exec = exec;
        exec->processes[i].limit = evtimer_new(base, on_limit, &exec->processes[i]);
        if (!exec->processes[i].limit)
            abort();
    }
    return exec;
}

static void close_exec(void *sender)
{
    struct exec *exec = sender;

    for (int i = 0; i < CONFIG_AT_ONCE_MAX; i++) {
        struct process *process = &exec->processes[i];

        if (process->pid > 0) {
            kill(-process->pid, SIGKILL);
            waitpid(process->pid, NULL, 0);
        }
        event_free(process->limit);
    }
    event_free(exec->ended);
    free(exec);
}

/* The body as a file in memory that nobody else can open, at its beginning; -1 if that fails. */
static int file_of(const struct notice *notice)
{
    int fd = memfd_create("notice", MFD_CLOEXEC);
    size_t written = 0;

    while (fd >= 0 && written < notice->size) {
        ssize_t size = write(fd, notice->body + written, notice->size - written);
        if (size <= 0) {
            close(fd);
            return -1;
        }
        written += (size_t)size;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

static void set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(attributes);
    posix_spawnattr_setpgroup(attributes, 0);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                             POSIX_SPAWN_SETSIGDEF);
}

/* 0, or what went wrong. */
static int spawn(const struct exec *exec, int input, pid_t *pid)
{
    char *const arguments[] = {(char *)exec->config.program, NULL};
    char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error;

    set_attributes(&attributes);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawn_file_actions_addchdir_np(&actions, "/");
    error = posix_spawn(pid, exec->config.program, &actions, &attributes, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}

static void send_exec(void *sender, const struct notice *notice, notice_on_result *on_result,
                      void *context)
{
    struct exec *exec = sender;
    struct notice_waiter *waiter =
        notice_wait(exec->waiters, CONFIG_AT_ONCE_MAX, exec, on_result, context);
    struct process *process = &exec->processes[waiter - exec->waiters];
    struct timeval limit = {exec->config.timeout_s, 0};
    int input = file_of(notice);
    int error = input < 0 ? errno : spawn(exec, input, &process->pid);

    if (input >= 0)
        close(input);
    if (error != 0) {
        process->pid = 0;
        notice_answer(waiter, NOTICE_LATER, 0, "%s: %s", exec->config.program, strerror(error));
        return;
    }
    process->waiter = waiter;
    process->is_late = false;
    event_add(process->limit, &limit);
}

const struct notice_transport exec_transport = {"exec", send_exec, close_exec};
