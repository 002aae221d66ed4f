#include "daemon/edge/device_cache.h"

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

static void count_entry(void *context, const struct device_entry *device)
{
    struct device_cache *cache = context;

    (void)device;
    cache->count++;
}

static void put_shard(struct device_cache *cache, uint32_t shard)
{
    struct bytes entries = device_table_bytes(cache->table, shard);
    bool is_whole = device_table_read(entries, count_entry, cache);

    assert(is_whole);
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

/* All of a file, the caller frees data; data is NULL with errno on failure. */
static struct bytes read_file(const char *path)
{
    struct bytes whole = {NULL, 0};
    struct stat status;
    FILE *file = fopen(path, "re");

    if (!file)
        return whole;
    if (fstat(fileno(file), &status) == 0) {
        size_t size = (size_t)status.st_size;
        uint8_t *data = malloc(size + 1);
        if (data && fread(data, 1, size, file) == size)
            whole = (struct bytes){data, size};
        else
            free(data);
    }
    fclose(file);
    return whole;
}

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

struct reading {
    device_table_on_entry *on_device;
    void *context;
    int codec_of[UINT8_MAX + 1]; /* today's index of the codec with that index then, or -1 */
    int64_t count, told;
};

static void count_device(void *context, const struct device_entry *device)
{
    (void)device;
    ((struct reading *)context)->count++;
}

static void tell_device(void *context, const struct device_entry *device)
{
    struct reading *reading = context;
    struct device_entry today = *device;

    if (reading->codec_of[device->protocol] < 0)
        return;
    today.protocol = (uint8_t)reading->codec_of[device->protocol];
    reading->on_device(reading->context, &today);
    reading->told++;
}

static void read_codecs(struct cursor *in, struct reading *reading)
{
    char text[NAME_MAX_BYTES + 1];
    uint32_t count = take_number(in);

    memset(reading->codec_of, 0xff, sizeof reading->codec_of);
    for (uint32_t i = 0; i < count && i <= UINT8_MAX && !in->failed; i++) {
        bytes_copy_text(take_name(in), text, sizeof text);
        reading->codec_of[i] = codec_find(text);
    }
}

static const char *check_and_tell(struct bytes whole, const char *district, struct reading *reading)
{
    struct cursor in = cursor_over(whole);
    uint64_t count;
    uint32_t crc;

    if (!bytes_equal_text(cursor_take(&in, sizeof MAGIC - 1), MAGIC))
        return "is no copy of the device directory";
    if (take_number(&in) != VERSION)
        return "was written by another version";
    if (in.rest.size < TRAILER_BYTES)
        return "is cut short";
    memcpy(&crc, whole.data + whole.size - sizeof crc, sizeof crc);
    if (crc32_z(crc32(0, NULL, 0), whole.data, whole.size - sizeof crc) != crc)
        return "is damaged";
    if (!bytes_equal_text(take_name(&in), district))
        return "belongs to another district";
    read_codecs(&in, reading);
    if (in.failed || in.rest.size < TRAILER_BYTES)
        return "is damaged";
    struct bytes entries = bytes_part(in.rest, 0, in.rest.size - TRAILER_BYTES);
    memcpy(&count, entries.data + entries.size, sizeof count);
    if (!device_table_read(entries, count_device, reading) || (uint64_t)reading->count != count)
        return "is damaged";
    return device_table_read(entries, tell_device, reading) ? NULL : "is damaged";
}

int64_t device_cache_read(const char *path, const char *district, device_table_on_entry *on_device,
                          void *context, const char **error)
{
    struct reading reading = {.on_device = on_device, .context = context};
    struct bytes whole = read_file(path);

    *error = whole.data ? check_and_tell(whole, district, &reading) : strerror(errno);
    free((void *)(uintptr_t)whole.data);
    return *error ? -1 : reading.told;
}
