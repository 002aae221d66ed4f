#include "daemon/edge/segments.h"

#include "daemon/base/attributes.h"
#include "daemon/base/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_WAIT_MS 3000
#define LOCK_PAUSE_MS 20

#define SUFFIX ".journal"
#define SUFFIX_NEW ".new"
#define NAME_SIZE 32
#define SLICE_BYTES (256u << 10)

static int error_of(int system_error)
{
    switch (system_error) {
    case ENOSPC:
    case EDQUOT:
        return ERR_NO_SPACE;
    case ENOENT:
        return ERR_MISSING;
    default:
        return ERR_IO;
    }
}

static void segment_name(char name[NAME_SIZE], uint64_t floor, const char *suffix)
{
    snprintf(name, NAME_SIZE, "%016" PRIx64 "%s", floor, suffix);
}

/* The number in a name of this kind; false for any other file. */
static bool parse_name(const char *name, const char *suffix, uint64_t *floor)
{
    char again[NAME_SIZE];
    *floor = strtoull(name, NULL, 16);
    segment_name(again, *floor, suffix);
    return strcmp(name, again) == 0;
}

static void handle_close(struct segments_handle *handle)
{
    if (handle->fd >= 0)
        close(handle->fd);
    handle->fd = -1;
}

static int handle_open(const struct segments *segments, struct segments_handle *handle,
                       uint64_t floor, int flags)
{
    if (handle->fd >= 0 && handle->floor == floor)
        return 0;
    char name[NAME_SIZE];
    segment_name(name, floor, SUFFIX);
    handle_close(handle);
    handle->fd = openat(segments->directory, name, flags | O_CLOEXEC);
    handle->floor = floor;
    return handle->fd < 0 ? error_of(errno) : 0;
}

static int write_all(int fd, const uint8_t *data, size_t size, uint64_t offset)
{
    while (size > 0) {
        ssize_t n = pwrite(fd, data, size, (off_t)offset);
        if (n < 0 && errno != EINTR)
            return error_of(errno);
        if (n > 0) {
            data += n;
            size -= (size_t)n;
            offset += (uint64_t)n;
        }
    }
    return 0;
}

static int read_at(void *context, uint64_t floor, uint64_t offset, void *buffer, size_t size)
{
    struct segments *segments = context;
    uint8_t *out = buffer;
    int error = handle_open(segments, &segments->reading, floor, O_RDONLY);
    while (error == 0 && size > 0) {
        ssize_t n = pread(segments->reading.fd, out, size, (off_t)offset);
        if (n < 0 && errno != EINTR)
            error = error_of(errno);
        if (n == 0)
            error = ERR_IO; /* shorter than the journal knows it to be */
        if (n > 0) {
            out += n;
            size -= (size_t)n;
            offset += (uint64_t)n;
        }
    }
    return error;
}

static int write_at(void *context, uint64_t floor, uint64_t offset, const void *data, size_t size)
{
    struct segments *segments = context;
    int error = handle_open(segments, &segments->writing, floor, O_WRONLY);
    if (error == 0)
        error = write_all(segments->writing.fd, data, size, offset);
    if (error == 0 && fdatasync(segments->writing.fd) < 0)
        error = error_of(errno);
    return error;
}

static int sync_directory(const struct segments *segments)
{
    return fsync(segments->directory) < 0 ? error_of(errno) : 0;
}

static int creation_begin(struct segments *segments, uint64_t floor, uint64_t size)
{
    char name[NAME_SIZE];
    segment_name(name, floor, SUFFIX_NEW);
    int fd = openat(segments->directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_of(errno);
    segments->creation = (struct segments_creation){.fd = fd, .floor = floor, .size = size};
    /* Asks for all the room at once; where the file system cannot, the zeros will tell. */
    int error = posix_fallocate(fd, 0, (off_t)size);
    if (error == ENOSPC || error == EDQUOT) {
        errno = error;
        return ERR_NO_SPACE;
    }
    return 0;
}

static int creation_slice(struct segments *segments)
{
    static const uint8_t zeros[SLICE_BYTES];
    struct segments_creation *creation = &segments->creation;
    uint64_t rest = creation->size - creation->done;
    size_t size = rest < sizeof zeros ? (size_t)rest : sizeof zeros;
    int error = write_all(creation->fd, zeros, size, creation->done);
    creation->done += size;
    return error;
}

/* The same, and syncs, so that no flush at the end holds up a record's sync for long. */
static int creation_slice_synced(struct segments *segments)
{
    int error = creation_slice(segments);
    if (error == 0 && fdatasync(segments->creation.fd) < 0)
        error = error_of(errno);
    return error;
}

static int creation_finish(struct segments *segments)
{
    struct segments_creation *creation = &segments->creation;
    char temporary[NAME_SIZE], name[NAME_SIZE];
    segment_name(temporary, creation->floor, SUFFIX_NEW);
    segment_name(name, creation->floor, SUFFIX);
    if (fsync(creation->fd) < 0 ||
        renameat(segments->directory, temporary, segments->directory, name) < 0)
        return error_of(errno);
    close(creation->fd);
    creation->fd = -1;
    return sync_directory(segments);
}

void segments_create_drop(struct segments *segments)
{
    int system_error = errno;
    if (segments->creation.fd >= 0) {
        char name[NAME_SIZE];
        segment_name(name, segments->creation.floor, SUFFIX_NEW);
        close(segments->creation.fd);
        segments->creation.fd = -1;
        (void)unlinkat(segments->directory, name, 0);
    }
    errno = system_error;
}

int segments_create_step(struct segments *segments, uint64_t floor, uint64_t size)
{
    int error;
    if (segments->creation.fd < 0)
        error = creation_begin(segments, floor, size);
    else if (segments->creation.done < size)
        error = creation_slice_synced(segments);
    else
        error = creation_finish(segments);
    if (error < 0)
        segments_create_drop(segments);
    return error < 0 ? error : segments->creation.fd >= 0;
}

static int create(void *context, uint64_t floor, uint64_t size)
{
    struct segments *segments = context;
    int error = creation_begin(segments, floor, size);
    while (error == 0 && segments->creation.done < size)
        error = creation_slice(segments);
    if (error == 0)
        error = creation_finish(segments);
    segments_create_drop(segments);
    return error;
}

static int recycle(void *context, uint64_t from, uint64_t to)
{
    struct segments *segments = context;
    char old[NAME_SIZE], name[NAME_SIZE];
    segment_name(old, from, SUFFIX);
    segment_name(name, to, SUFFIX);
    if (renameat(segments->directory, old, segments->directory, name) < 0)
        return error_of(errno);
    return sync_directory(segments);
}

static int remove_one(void *context, uint64_t floor)
{
    struct segments *segments = context;
    char name[NAME_SIZE];
    segment_name(name, floor, SUFFIX);
    if (unlinkat(segments->directory, name, 0) < 0)
        return error_of(errno);
    return sync_directory(segments);
}

static int shorten(void *context, uint64_t floor, uint64_t size)
{
    struct segments *segments = context;
    int error = handle_open(segments, &segments->writing, floor, O_WRONLY);
    if (error == 0 && ftruncate(segments->writing.fd, (off_t)size) < 0)
        error = error_of(errno);
    return error;
}

/* Tells one directory entry, if it is a segment; deletes one whose creation a crash cut short. */
static int list_entry(const struct segments *segments, const char *name,
                      int (*on_segment)(void *argument, uint64_t floor, uint64_t size),
                      void *argument)
{
    uint64_t floor;
    struct stat status;
    if (parse_name(name, SUFFIX_NEW, &floor))
        return unlinkat(segments->directory, name, 0) < 0 ? error_of(errno) : 0;
    if (!parse_name(name, SUFFIX, &floor))
        return 0;
    if (fstatat(segments->directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return error_of(errno);
    return on_segment(argument, floor, (uint64_t)status.st_size);
}

static int list(void *context, int (*on_segment)(void *argument, uint64_t floor, uint64_t size),
                void *argument)
{
    const struct segments *segments = context;
    int fd = openat(segments->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    if (listing == NULL)
        return error_of(errno);
    int result = 0;
    const struct dirent *entry;
    while (result == 0 && (entry = readdir(listing)) != NULL)
        result = list_entry(segments, entry->d_name, on_segment, argument);
    closedir(listing);
    return result;
}

/* A daemon that was killed keeps its lock until its last write to the disk has ended: that is waited for. */
static int take_lock(int lock)
{
    for (int tries = 0; flock(lock, LOCK_EX | LOCK_NB) < 0; tries++) {
        if (errno != EWOULDBLOCK)
            return ERR_IO;
        if (tries == LOCK_WAIT_MS / LOCK_PAUSE_MS)
            return ERR_EXISTS;
        (void)poll(NULL, 0, LOCK_PAUSE_MS);
    }
    return 0;
}

static int open_directory(struct segments *segments, const char *path)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return error_of(errno);
    segments->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (segments->directory < 0)
        return error_of(errno);
    segments->lock = openat(segments->directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (segments->lock < 0)
        return error_of(errno);
    return take_lock(segments->lock);
}

int segments_open(struct segments *segments, const char *path)
{
    *segments = (struct segments){.port = {.context = segments,
                                           .list = list,
                                           .read = read_at,
                                           .write = write_at,
                                           .create = create,
                                           .recycle = recycle,
                                           .remove = remove_one,
                                           .shorten = shorten},
                                  .directory = -1,
                                  .lock = -1,
                                  .reading.fd = -1,
                                  .writing.fd = -1,
                                  .creation.fd = -1};
    int error = open_directory(segments, path);
    if (error < 0) {
        int system_error = errno;
        segments_close(segments);
        errno = system_error;
    }
    return error;
}

void segments_close(struct segments *segments)
{
    const int fds[] = {segments->directory, segments->lock, segments->reading.fd,
                       segments->writing.fd};
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
}
