#include "daemon/edge/device_cache.h"

#include "daemon/edge/memory.h"
#include "protocol/codec.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define MAGIC "ONEKEYDC"
#define VERSION 3 /* goes up with the form of struct packed, too */
#define SHARDS_A_SLICE 128
#define NAME_MAX_BYTES 255
#define PATH_BYTES 4096
#define TRAILER_BYTES (sizeof(uint64_t) + sizeof(uint32_t))

struct device_cache {
    FILE *file;
    const struct device_table *table;
    uint32_t next_shard;
    uint64_t count;
    uLong crc;
    off_t written, flushed;
    char path[PATH_BYTES], new_path[PATH_BYTES + 8];
};

/* --- writing --- */

static void put(struct device_cache *cache, const void *data, size_t size)
{
    cache->crc = crc32(cache->crc, data, (uInt)size);
    fwrite(data, 1, size, cache->file); /* errors are kept by the stream, see end_slice */
    cache->written += (off_t)size;
}

static void put_number(struct device_cache *cache, uint32_t number)
{
    put(cache, &number, sizeof number);
}

static void put_name(struct device_cache *cache, const char *name)
{
    uint8_t size = (uint8_t)strnlen(name, NAME_MAX_BYTES);

    put(cache, &size, sizeof size);
    put(cache, name, size);
}

struct device_cache *device_cache_begin(const char *path, const char *district,
                                        const struct device_table *table)
{
    struct device_cache *cache = calloc(1, sizeof *cache);

    if (!cache)
        abort(); /* out of memory: the supervisor starts us anew */
    snprintf(cache->path, sizeof cache->path, "%s", path);
    snprintf(cache->new_path, sizeof cache->new_path, "%s.new", cache->path);
    cache->table = table;
    cache->file = fopen(cache->new_path, "we");
    if (!cache->file || fchmod(fileno(cache->file), S_IRUSR | S_IWUSR) != 0) {
        device_cache_drop(cache);
        return NULL;
    }
    cache->crc = crc32(0, NULL, 0);
    put(cache, MAGIC, sizeof MAGIC - 1);
    put_number(cache, VERSION);
    put_name(cache, district);
    put_number(cache, (uint32_t)codec_count);
    for (int i = 0; i < codec_count; i++)
        put_name(cache, codecs[i]->name);
    return cache;
}

void device_cache_write(const char *path, const char *district, const struct device_table *table)
{
    struct device_cache *cache = device_cache_begin(path, district, table);

    while (cache && device_cache_continue(cache) == DEVICE_CACHE_MORE)
        continue;
}

void device_cache_drop(struct device_cache *cache)
{
    if (!cache)
        return;
    int error = errno;
    if (cache->file) {
        fclose(cache->file);
        remove(cache->new_path);
    }
    free(cache);
    errno = error;
}

static void put_shard(struct device_cache *cache, uint32_t shard)
{
    struct bytes entries = device_table_bytes(cache->table, shard);
    int64_t count = device_table_count(entries);

    assert(count >= 0);
    cache->count += (uint64_t)count;
    if (entries.size > 0)
        put(cache, entries.data, entries.size);
}

/* Hands the slice to the disk without waiting for it, so that the sync at the end finds little left
 * to wait for. */
static bool end_slice(struct device_cache *cache)
{
    if (fflush(cache->file) != 0 || ferror(cache->file))
        return false;
    sync_file_range(fileno(cache->file), cache->flushed, cache->written - cache->flushed,
                    SYNC_FILE_RANGE_WRITE);
    cache->flushed = cache->written;
    return true;
}

static bool put_in_place(struct device_cache *cache)
{
    uint32_t crc;

    put(cache, &cache->count, sizeof cache->count);
    crc = (uint32_t)cache->crc;
    put(cache, &crc, sizeof crc);
    if (!end_slice(cache) || fdatasync(fileno(cache->file)) != 0)
        return false;
    return rename(cache->new_path, cache->path) == 0;
}

enum device_cache_progress device_cache_continue(struct device_cache *cache)
{
    uint32_t end = cache->next_shard + SHARDS_A_SLICE;

    if (cache->next_shard < DEVICE_TABLE_SHARDS) {
        for (; cache->next_shard < end; cache->next_shard++)
            put_shard(cache, cache->next_shard);
        if (end_slice(cache))
            return DEVICE_CACHE_MORE;
    } else if (put_in_place(cache)) {
        fclose(cache->file);
        free(cache);
        return DEVICE_CACHE_DONE;
    }
    device_cache_drop(cache);
    return DEVICE_CACHE_FAILED;
}

/* --- reading --- */

#define HEAD_MAX 4096             /* of what stands before the entries */
#define CHUNK ((size_t)256 << 10) /* read and summed while it is in the processor's cache */

/* What stands before the entries. */
struct head {
    size_t size;
    struct bytes district;
    int codec_of[UINT8_MAX + 1]; /* today's index of the codec with that index then, or -1 */
};

/* The whole file in memory, in which the entries lie aligned. */
struct image {
    uint8_t *memory;
    size_t memory_size;
    struct bytes whole;
};

static uint32_t take_number(struct cursor *in)
{
    struct bytes bytes = cursor_take(in, sizeof(uint32_t));
    uint32_t number = 0;

    if (bytes.size == sizeof number)
        memcpy(&number, bytes.data, sizeof number);
    return number;
}

static struct bytes take_name(struct cursor *in)
{
    return cursor_take(in, cursor_u8(in));
}

static void read_codecs(struct cursor *in, struct head *head)
{
    char text[NAME_MAX_BYTES + 1];
    uint32_t count = take_number(in);

    memset(head->codec_of, 0xff, sizeof head->codec_of);
    for (uint32_t i = 0; i < count && i <= UINT8_MAX && !in->failed; i++) {
        bytes_copy_text(take_name(in), text, sizeof text);
        head->codec_of[i] = codec_find(text);
    }
}

/* `start`: as much of the file as holds it. NULL, or what is wrong. */
static const char *read_head(struct bytes start, struct head *head)
{
    struct cursor in = cursor_over(start);

    if (!bytes_equal_text(cursor_take(&in, sizeof MAGIC - 1), MAGIC))
        return "is no copy of the device directory";
    if (take_number(&in) != VERSION)
        return "was written by another version";
    head->district = take_name(&in);
    read_codecs(&in, head);
    head->size = start.size - in.rest.size;
    return in.failed ? "is damaged" : NULL;
}

/* The file from `fd` into the image's memory. NULL, or what is wrong. */
static const char *read_image(int fd, const struct image *image)
{
    uint8_t *data = image->memory + image->memory_size - image->whole.size;
    size_t size = image->whole.size, end = size - sizeof(uint32_t);
    uLong crc = crc32(0, NULL, 0);
    uint32_t kept;

    for (size_t at = 0, part; at < size; at += part) {
        ssize_t got = pread(fd, data + at, size - at < CHUNK ? size - at : CHUNK, (off_t)at);

        if (got < 0)
            return strerror(errno);
        if (got == 0)
            return "is cut short";
        part = (size_t)got;
        if (at < end)
            crc = crc32_z(crc, data + at, end - at < part ? end - at : part);
    }
    memcpy(&kept, data + end, sizeof kept);
    return kept == crc ? NULL : "is damaged";
}

/* The entries of an image that was found whole; empty with *error if they are not what was written. */
static struct bytes check_entries(const struct image *image, size_t head_size, const char **error)
{
    struct bytes entries =
        bytes_part(image->whole, head_size, image->whole.size - head_size - TRAILER_BYTES);
    uint64_t count;

    memcpy(&count, entries.data + entries.size, sizeof count);
    if (device_table_count(entries) != (int64_t)count) {
        *error = "is damaged";
        entries.size = 0;
    }
    return entries;
}

static const char *load(int fd, size_t size, const char *district, struct device_table *table,
                        const struct device_table_heir *heir)
{
    uint8_t start[HEAD_MAX];
    ssize_t got = pread(fd, start, sizeof start, 0);
    struct image image;
    struct head head;
    const char *error;

    if (got < 0)
        return strerror(errno);
    error = read_head((struct bytes){start, (size_t)got}, &head);
    if (error)
        return error;
    if (size < head.size + TRAILER_BYTES)
        return "is cut short";
    image.memory_size = size + DEVICE_TABLE_ALIGNMENT - head.size % DEVICE_TABLE_ALIGNMENT;
    image.memory = memory_take_full(image.memory_size);
    image.whole = (struct bytes){image.memory + image.memory_size - size, size};
    error = read_image(fd, &image);
    if (!error && !bytes_equal_text(head.district, district))
        error = "belongs to another district";
    struct bytes entries = {NULL, 0};
    if (!error)
        entries = check_entries(&image, head.size, &error);
    if (error)
        memory_give_back(image.memory, image.memory_size);
    else
        device_table_adopt(table, image.memory, image.memory_size, entries, head.codec_of, heir);
    return error;
}

int64_t device_cache_load(const char *path, const char *district, struct device_table *table,
                          const struct device_table_heir *heir, const char **error)
{
    FILE *file = fopen(path, "re");
    struct stat status;

    if (!file || fstat(fileno(file), &status) != 0)
        *error = strerror(errno);
    else
        *error = load(fileno(file), (size_t)status.st_size, district, table, heir);
    if (file)
        fclose(file);
    return *error ? -1 : (int64_t)table->count;
}
