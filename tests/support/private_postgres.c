#include "tests/support/private_postgres.h"

#include <assert.h>
#include <fcntl.h>
#include <glob.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define POSTGRES_BIN "/usr/lib/postgresql/15/bin"

struct server server;

/* Runs a program in a group of its own, as the owner of the cluster. */
static pid_t server_spawn(char *const arguments[])
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    const struct passwd *owner = geteuid() == 0 ? getpwnam("postgres") : NULL;
    int quiet = open("/dev/null", O_RDWR);
    dup2(quiet, 0);
    dup2(quiet, 1);
    dup2(open(server.folder, O_RDWR | O_TMPFILE, 0600), 2);
    if (setpgid(0, 0) || chdir("/"))
        _exit(126);
    if (owner && (setgid(owner->pw_gid) || setuid(owner->pw_uid)))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    execv(arguments[0], arguments);
    _exit(127);
}

static int server_run(char *const arguments[])
{
    int status = -1;

    waitpid(server_spawn(arguments), &status, 0);
    return status;
}

static PGconn *server_connect(void)
{
    PGconn *pg = PQconnectdb(server.conninfo);

    if (PQstatus(pg) == CONNECTION_OK)
        return pg;
    PQfinish(pg);
    return NULL;
}

void server_start(void)
{
    char *arguments[] = {POSTGRES_BIN "/postgres", "-D", server.data, "-k", server.folder, NULL};
    PGconn *pg = NULL;

    server.pid = server_spawn(arguments);
    for (int i = 0; i < 3000 && !(pg = server_connect()); i++)
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    assert(pg);
    PQfinish(pg);
}

bool server_create(void)
{
    if (access(POSTGRES_BIN "/initdb", X_OK) != 0)
        return false;
    snprintf(server.folder, sizeof server.folder, "/tmp/onekey-test-XXXXXX");
    if (!mkdtemp(server.folder))
        return false;
    if (geteuid() == 0)
        assert(chown(server.folder, getpwnam("postgres")->pw_uid, (gid_t)-1) == 0);
    snprintf(server.data, sizeof server.data, "%s/data", server.folder);
    snprintf(server.conninfo, sizeof server.conninfo, "host=%s user=postgres dbname=postgres",
             server.folder);
    char *arguments[] = {
        POSTGRES_BIN "/initdb", "-D", server.data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
        "--locale=C.UTF-8",     "-N", NULL};
    assert(server_run(arguments) == 0);
    char path[128];
    snprintf(path, sizeof path, "%s/postgresql.conf", server.data);
    FILE *file = fopen(path, "a");
    assert(file);
    fputs("listen_addresses = ''\nfsync = off\nlog_min_messages = warning\n", file);
    fclose(file);
    server_start();
    return true;
}

void server_signal(int number)
{
    glob_t files;
    char line[512];

    assert(glob("/proc/[0-9]*/stat", 0, NULL, &files) == 0);
    kill(server.pid, SIGSTOP); /* starts no further child, and none loses its parent */
    for (size_t i = 0; i < files.gl_pathc; i++) {
        FILE *file = fopen(files.gl_pathv[i], "r");
        int pid = 0, parent = 0;
        if (file && fgets(line, sizeof line, file) &&
            sscanf(line, "%d (postgres) %*c %d", &pid, &parent) == 2 && parent == server.pid)
            kill(pid, number);
        if (file)
            fclose(file);
    }
    kill(server.pid, number);
    globfree(&files);
}

void server_end(int number)
{
    if (server.pid <= 0)
        return;
    if (number == SIGKILL)
        server_signal(number);
    else
        kill(server.pid, number);
    waitpid(server.pid, NULL, 0);
    server.pid = 0;
}

void server_remove(void)
{
    char *arguments[] = {"/bin/rm", "-rf", server.folder, NULL};

    server_end(SIGINT);
    if (server.folder[0])
        server_run(arguments);
}

char *server_sql(const char *sql)
{
    PGconn *pg = server_connect();
    assert(pg);
    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        fprintf(stderr, "%.300s\n%s", sql, PQerrorMessage(pg));
        server_remove();
        abort();
    }
    char *value = strdup(PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    PQfinish(pg);
    return value;
}

int64_t server_number(const char *sql)
{
    char *text = server_sql(sql);
    int64_t number = strtoll(text, NULL, 10);

    free(text);
    return number;
}

void server_migrate(void)
{
    glob_t files;

    assert(glob("db/migrations/*.sql", 0, NULL, &files) == 0);
    assert(glob("db/functions/*.sql", GLOB_APPEND, NULL, &files) == 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        char *text = NULL;
        size_t size = 0;
        FILE *file = fopen(files.gl_pathv[i], "r");
        assert(file && getdelim(&text, &size, '\0', file) > 0);
        fclose(file);
        free(server_sql(text));
        free(text);
    }
    globfree(&files);
}

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    fprintf(stderr, "waited too long for: %s\n", (const char *)context);
    server_signal(SIGCONT);
    server_remove();
    abort();
}

struct event *server_deadline(struct event_base *base, const char *text)
{
    struct event *deadline = evtimer_new(base, on_deadline, (void *)(uintptr_t)text);

    event_add(deadline, &(struct timeval){20, 0});
    return deadline;
}

void server_turn(struct event_base *base)
{
    /* It fails where a test that failed inside a callback has left the loop half-way. */
    if (event_base_loop(base, EVLOOP_ONCE) < 0) {
        server_remove();
        abort();
    }
}
