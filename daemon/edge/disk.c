#include "daemon/edge/disk.h"

#include "daemon/base/error.h"
#include "daemon/edge/segments.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum slot_state { SLOT_FREE, SLOT_SUBMITTED, SLOT_DONE };

struct slot {
    enum slot_state state;
    struct disk_completion completion;
    int64_t since_us;
};

struct disk {
    struct segments segments;
    int64_t (*now_us)(void);
    int event;

    bool started;
    pthread_t thread;
    pthread_mutex_t mutex; /* what follows */
    pthread_cond_t wake;
    bool stopping;
    bool signalled; /* the event is readable */
    struct slot write_slot, prepare_slot;
    struct journal_write write;
    struct journal_prepare request;
    struct disk_figures figures;
};

/* --- opening and closing --- */

int disk_open(struct disk **out, const char *path, int64_t (*now_us)(void))
{
    struct disk *disk = calloc(1, sizeof *disk);
    if (disk == NULL)
        abort();
    int error = segments_open(&disk->segments, path);
    if (error < 0) {
        free(disk);
        return error;
    }
    disk->now_us = now_us;
    disk->event = -1;
    pthread_mutex_init(&disk->mutex, NULL);
    pthread_cond_init(&disk->wake, NULL);
    *out = disk;
    return 0;
}

const struct journal_disk *disk_port(struct disk *disk)
{
    return &disk->segments.port;
}

void disk_close(struct disk *disk)
{
    if (disk == NULL)
        return;
    assert(!disk->started);
    segments_close(&disk->segments);
    if (disk->event >= 0)
        close(disk->event);
    pthread_cond_destroy(&disk->wake);
    pthread_mutex_destroy(&disk->mutex);
    free(disk);
}

/* --- the writer thread; the mutex is held except around calls to the disk --- */

static void finish(struct disk *disk, struct slot *slot, int error, int system_error)
{
    slot->state = SLOT_DONE;
    slot->completion.error = error;
    slot->completion.system_error = error < 0 ? system_error : 0;
    slot->completion.elapsed_us = disk->now_us() - slot->since_us;
    uint64_t one = 1;
    if (!disk->signalled && write(disk->event, &one, sizeof one) != sizeof one)
        abort(); /* an eventfd at zero takes a one */
    disk->signalled = true;
}

static void count_write(struct disk_figures *figures, uint64_t bytes, int64_t elapsed_us)
{
    figures->writes++;
    figures->bytes += bytes;
    figures->write_last_us = elapsed_us;
    figures->write_total_us += elapsed_us;
    if (elapsed_us > figures->write_max_us)
        figures->write_max_us = elapsed_us;
}

static void write_submitted(struct disk *disk)
{
    const struct journal_disk *port = &disk->segments.port;
    const struct journal_write *write = &disk->write; /* ours until SLOT_DONE */
    int error = 0;
    uint64_t bytes = 0;
    pthread_mutex_unlock(&disk->mutex);
    for (unsigned i = 0; i < write->parts && error == 0; i++) {
        const struct journal_part *part = &write->part[i];
        error = port->write(port->context, part->segment, part->offset, part->data, part->size);
        bytes += part->size;
    }
    int system_error = errno;
    pthread_mutex_lock(&disk->mutex);
    finish(disk, &disk->write_slot, error, system_error);
    count_write(&disk->figures, bytes, disk->write_slot.completion.elapsed_us);
}

/* One step, so that a write never waits for a whole creation: 1 if there is more to do. */
static int prepare_step(struct disk *disk, const struct journal_prepare *request)
{
    const struct journal_disk *port = &disk->segments.port;
    switch (request->kind) {
    case JOURNAL_CREATE:
        return segments_create_step(&disk->segments, request->segment, request->size);
    case JOURNAL_RECYCLE:
        return port->recycle(port->context, request->from, request->segment);
    case JOURNAL_REMOVE:
        return port->remove(port->context, request->segment);
    }
    return ERR_INVALID;
}

static void prepare_submitted(struct disk *disk)
{
    pthread_mutex_unlock(&disk->mutex);
    int more = prepare_step(disk, &disk->request);
    int system_error = errno;
    pthread_mutex_lock(&disk->mutex);
    if (more > 0)
        return;
    disk->figures.preparations++;
    finish(disk, &disk->prepare_slot, more, system_error);
}

static void *run(void *argument)
{
    struct disk *disk = argument;
    pthread_mutex_lock(&disk->mutex);
    for (;;) {
        if (disk->write_slot.state == SLOT_SUBMITTED)
            write_submitted(disk);
        else if (disk->stopping)
            break;
        else if (disk->prepare_slot.state == SLOT_SUBMITTED)
            prepare_submitted(disk);
        else
            pthread_cond_wait(&disk->wake, &disk->mutex);
    }
    segments_create_drop(&disk->segments);
    pthread_mutex_unlock(&disk->mutex);
    return NULL;
}

int disk_start(struct disk *disk)
{
    assert(!disk->started);
    disk->write_slot = (struct slot){.completion.kind = DISK_WRITE};
    disk->prepare_slot = (struct slot){.completion.kind = DISK_PREPARE};
    disk->stopping = false;
    if (disk->event < 0)
        disk->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (disk->event < 0)
        return ERR_IO;
    /* Signals are the loop's business. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&disk->thread, NULL, run, disk);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    disk->started = error == 0;
    return error == 0 ? 0 : ERR_IO;
}

void disk_stop(struct disk *disk)
{
    if (!disk->started)
        return;
    pthread_mutex_lock(&disk->mutex);
    disk->stopping = true;
    pthread_cond_signal(&disk->wake);
    pthread_mutex_unlock(&disk->mutex);
    pthread_join(disk->thread, NULL);
    disk->started = false;
}

/* --- the caller's side of the mailbox --- */

static void submit(struct disk *disk, struct slot *slot)
{
    assert(disk->started && slot->state == SLOT_FREE);
    slot->state = SLOT_SUBMITTED;
    slot->since_us = disk->now_us();
    pthread_cond_signal(&disk->wake);
}

void disk_submit_write(struct disk *disk, const struct journal_write *write)
{
    pthread_mutex_lock(&disk->mutex);
    disk->write = *write;
    submit(disk, &disk->write_slot);
    pthread_mutex_unlock(&disk->mutex);
}

void disk_submit_prepare(struct disk *disk, const struct journal_prepare *request)
{
    pthread_mutex_lock(&disk->mutex);
    disk->request = *request;
    submit(disk, &disk->prepare_slot);
    pthread_mutex_unlock(&disk->mutex);
}

int disk_completion_fd(const struct disk *disk)
{
    return disk->event;
}

bool disk_take_completion(struct disk *disk, struct disk_completion *completion)
{
    pthread_mutex_lock(&disk->mutex);
    struct slot *slot = &disk->write_slot;
    if (slot->state != SLOT_DONE)
        slot = &disk->prepare_slot;
    bool done = slot->state == SLOT_DONE;
    if (done) {
        *completion = slot->completion;
        slot->state = SLOT_FREE;
    }
    if (!done && disk->signalled) {
        uint64_t count;
        if (read(disk->event, &count, sizeof count) != sizeof count)
            abort();
        disk->signalled = false;
    }
    pthread_mutex_unlock(&disk->mutex);
    return done;
}

int64_t disk_write_age_us(struct disk *disk)
{
    pthread_mutex_lock(&disk->mutex);
    const struct slot *slot = &disk->write_slot;
    int64_t age_us = slot->state == SLOT_SUBMITTED ? disk->now_us() - slot->since_us : 0;
    pthread_mutex_unlock(&disk->mutex);
    return age_us;
}

void disk_read_figures(struct disk *disk, struct disk_figures *figures)
{
    pthread_mutex_lock(&disk->mutex);
    *figures = disk->figures;
    pthread_mutex_unlock(&disk->mutex);
}
