#include "tests/unit/fake_disk.h"

#include "daemon/base/error.h"

#include <stdlib.h>
#include <string.h>

struct fake_segment *fake_disk_find(struct fake_disk *disk, uint64_t floor)
{
    for (size_t i = 0; i < FAKE_SEGMENTS; i++) {
        if (disk->segments[i].bytes != NULL && disk->segments[i].floor == floor)
            return &disk->segments[i];
    }
    return NULL;
}

static int fake_list(void *context,
                     int (*on_segment)(void *argument, uint64_t floor, uint64_t size),
                     void *argument)
{
    struct fake_disk *disk = context;
    int result = 0;
    for (size_t i = FAKE_SEGMENTS; i-- > 0 && result == 0;) {
        if (disk->segments[i].bytes != NULL)
            result = on_segment(argument, disk->segments[i].floor, disk->segments[i].size);
    }
    return result;
}

static int fake_read(void *context, uint64_t floor, uint64_t offset, void *buffer, size_t size)
{
    struct fake_disk *disk = context;
    struct fake_segment *segment = fake_disk_find(disk, floor);
    if (segment == NULL)
        return ERR_MISSING;
    if (disk->read_fails || offset + size > segment->size)
        return ERR_IO;
    memcpy(buffer, segment->bytes + offset, size);
    return 0;
}

static int fake_write(void *context, uint64_t floor, uint64_t offset, const void *data, size_t size)
{
    struct fake_disk *disk = context;
    struct fake_segment *segment = fake_disk_find(disk, floor);
    if (segment == NULL)
        return ERR_MISSING;
    if (disk->write_fails || offset + size > segment->size)
        return ERR_IO;
    memcpy(segment->bytes + offset, data, size);
    return 0;
}

static int fake_create(void *context, uint64_t floor, uint64_t size)
{
    struct fake_disk *disk = context;
    uint64_t total = size;
    struct fake_segment *unused = NULL;
    for (size_t i = 0; i < FAKE_SEGMENTS; i++) {
        if (disk->segments[i].bytes == NULL)
            unused = &disk->segments[i];
        else
            total += disk->segments[i].size;
    }
    if (total > disk->space || unused == NULL)
        return ERR_NO_SPACE;
    if (fake_disk_find(disk, floor) != NULL)
        return ERR_EXISTS;
    *unused = (struct fake_segment){floor, size, calloc(1, size)};
    disk->creations++;
    return 0;
}

static int fake_recycle(void *context, uint64_t from, uint64_t to)
{
    struct fake_disk *disk = context;
    struct fake_segment *segment = fake_disk_find(disk, from);
    if (segment == NULL)
        return ERR_MISSING;
    if (fake_disk_find(disk, to) != NULL)
        return ERR_EXISTS;
    segment->floor = to;
    disk->recyclings++;
    return 0;
}

static int fake_remove(void *context, uint64_t floor)
{
    struct fake_disk *disk = context;
    struct fake_segment *segment = fake_disk_find(disk, floor);
    if (segment == NULL)
        return ERR_MISSING;
    free(segment->bytes);
    segment->bytes = NULL;
    disk->removals++;
    return 0;
}

static int fake_shorten(void *context, uint64_t floor, uint64_t size)
{
    struct fake_disk *disk = context;
    struct fake_segment *segment = fake_disk_find(disk, floor);
    if (segment == NULL)
        return ERR_MISSING;
    if (size > segment->size)
        return ERR_INVALID;
    segment->bytes = realloc(segment->bytes, size);
    segment->size = size;
    disk->cuts++;
    return 0;
}

void fake_disk_init(struct fake_disk *disk, uint64_t space)
{
    memset(disk, 0, sizeof *disk);
    disk->space = space;
    disk->port = (struct journal_disk){.context = disk,
                                       .list = fake_list,
                                       .read = fake_read,
                                       .write = fake_write,
                                       .create = fake_create,
                                       .recycle = fake_recycle,
                                       .remove = fake_remove,
                                       .shorten = fake_shorten};
}

void fake_disk_fini(struct fake_disk *disk)
{
    for (size_t i = 0; i < FAKE_SEGMENTS; i++)
        free(disk->segments[i].bytes);
}

void fake_disk_submit(struct fake_disk *disk, const struct journal_write *write)
{
    disk->pending = *write;
}

int fake_disk_complete(struct fake_disk *disk)
{
    int error = 0;
    for (unsigned i = 0; i < disk->pending.parts && error == 0; i++) {
        const struct journal_part *part = &disk->pending.part[i];
        error = fake_write(disk, part->segment, part->offset, part->data, part->size);
    }
    disk->pending.parts = 0;
    return error;
}

int fake_disk_prepare(struct fake_disk *disk, const struct journal_prepare *request)
{
    switch (request->kind) {
    case JOURNAL_CREATE:
        return fake_create(disk, request->segment, request->size);
    case JOURNAL_RECYCLE:
        return fake_recycle(disk, request->from, request->segment);
    case JOURNAL_REMOVE:
        return fake_remove(disk, request->segment);
    }
    return ERR_INVALID;
}

void fake_disk_crash(struct fake_disk *disk, struct random *random)
{
    uint64_t manner = random_below(random, 4);
    uint64_t sector = UINT64_C(1) << (3 + random_below(random, 7));
    for (unsigned i = 0; i < disk->pending.parts && manner > 0; i++) {
        const struct journal_part *part = &disk->pending.part[i];
        uint8_t *to = fake_disk_find(disk, part->segment)->bytes + part->offset;
        size_t arrives = manner == 1 ? part->size : (size_t)random_below(random, part->size + 1);
        if (manner < 3)
            memcpy(to, part->data, arrives);
        for (size_t at = 0; manner == 3 && at < part->size; at += sector) {
            size_t rest = part->size - at;
            if (random_below(random, 2) == 0)
                memcpy(to + at, part->data + at, rest < sector ? rest : sector);
        }
    }
    disk->pending.parts = 0;
}
