#include "tools/console/worker.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct job {
    bool verifies, has_hash;
    char password[PASSWORD_LENGTH_MAX + 1];
    struct worker_result result; /* and, on the way in, the hash to match */
    worker_on_result *on_result;
    bool (*work)(void *context); /* of worker_run, else NULL */
    void *context;
};

/* Jobs are a ring: [first, first + done) are done, the rest of `count` waits. */
struct worker {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wanted;
    struct job jobs[WORKER_JOBS_MAX];
    unsigned first, done, count;
    bool ends;
    int signal;
    struct event *event;
};

static void do_job(struct job *job)
{
    if (job->work != NULL)
        job->result.good = job->work(job->context);
    else if (job->verifies)
        job->result.good = password_matches(job->password, job->has_hash ? job->result.hash : NULL);
    else
        job->result.good = password_hash(job->password, job->result.hash);
    password_forget(job->password, sizeof(job->password));
}

static void *run(void *argument)
{
    struct worker *worker = argument;
    const uint64_t one = 1;
    pthread_mutex_lock(&worker->lock);
    while (!worker->ends) {
        if (worker->done == worker->count) {
            pthread_cond_wait(&worker->wanted, &worker->lock);
            continue;
        }
        struct job *job = &worker->jobs[(worker->first + worker->done) % WORKER_JOBS_MAX];
        pthread_mutex_unlock(&worker->lock);
        do_job(job);
        pthread_mutex_lock(&worker->lock);
        worker->done++;
        if (write(worker->signal, &one, sizeof(one)) != sizeof(one))
            abort(); /* an eventfd takes this always */
    }
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

static void on_done(evutil_socket_t fd, short what, void *argument)
{
    struct worker *worker = argument;
    uint64_t count;
    (void)what;
    if (read(fd, &count, sizeof(count)) != sizeof(count))
        return;
    pthread_mutex_lock(&worker->lock);
    while (worker->done > 0) {
        struct job job = worker->jobs[worker->first];
        worker->first = (worker->first + 1) % WORKER_JOBS_MAX;
        worker->done--;
        worker->count--;
        pthread_mutex_unlock(&worker->lock);
        job.on_result(job.context, &job.result);
        pthread_mutex_lock(&worker->lock);
    }
    pthread_mutex_unlock(&worker->lock);
}

struct worker *worker_open(struct event_base *base)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL)
        abort(); /* out of memory */
    worker->signal = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->wanted, NULL);
    if (worker->signal < 0 || pthread_create(&worker->thread, NULL, run, worker) != 0)
        abort(); /* out of descriptors or threads at the start */
    worker->event = event_new(base, worker->signal, EV_READ | EV_PERSIST, on_done, worker);
    event_add(worker->event, NULL);
    return worker;
}

void worker_close(struct worker *worker)
{
    if (worker == NULL)
        return;
    pthread_mutex_lock(&worker->lock);
    worker->ends = true;
    pthread_cond_signal(&worker->wanted);
    pthread_mutex_unlock(&worker->lock);
    pthread_join(worker->thread, NULL);
    event_free(worker->event);
    close(worker->signal);
    pthread_cond_destroy(&worker->wanted);
    pthread_mutex_destroy(&worker->lock);
    explicit_bzero(worker, sizeof(*worker));
    free(worker);
}

static bool add(struct worker *worker, const char *password, const struct job *job)
{
    pthread_mutex_lock(&worker->lock);
    bool has_room = worker->count < WORKER_JOBS_MAX;
    if (has_room) {
        struct job *place = &worker->jobs[(worker->first + worker->count++) % WORKER_JOBS_MAX];
        *place = *job;
        snprintf(place->password, sizeof(place->password), "%s", password);
        pthread_cond_signal(&worker->wanted);
    }
    pthread_mutex_unlock(&worker->lock);
    return has_room;
}

bool worker_verify(struct worker *worker, const char *password, const char *hash,
                   worker_on_result *on_result, void *context)
{
    struct job job = {.verifies = true, .has_hash = hash != NULL};
    job.on_result = on_result;
    job.context = context;
    if (hash != NULL)
        snprintf(job.result.hash, sizeof(job.result.hash), "%s", hash);
    return add(worker, password, &job);
}

bool worker_hash(struct worker *worker, const char *password, worker_on_result *on_result,
                 void *context)
{
    struct job job = {.verifies = false};
    job.on_result = on_result;
    job.context = context;
    return add(worker, password, &job);
}

bool worker_run(struct worker *worker, bool (*work)(void *context), worker_on_result *on_result,
                void *context)
{
    const struct job job = {.work = work, .on_result = on_result, .context = context};
    return add(worker, "", &job);
}
