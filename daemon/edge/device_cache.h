/*
 * The device table's copy on disk, for a start without PostgreSQL. Written in slices beside other
 * work to PATH.new, synced and put in place by a rename, so that at any time there is a whole copy
 * or none. It is read by the machine that wrote it: numbers are in its own byte order, and what was
 * read is the table's memory at once.
 *
 *     magic, version, district, names of the codecs (an entry holds an index into them)
 *     the entries of all shards
 *     their count, CRC-32 of everything before it
 *
 * It holds the devices' secrets and is readable by its owner only.
 */
#ifndef ONEKEY_EDGE_DEVICE_CACHE_H
#define ONEKEY_EDGE_DEVICE_CACHE_H

#include "daemon/edge/device_table.h"

struct device_cache;

/* Starts a copy. NULL with errno if the file cannot be made. Everything is borrowed until the end. */
struct device_cache *device_cache_begin(const char *path, const char *district,
                                        const struct device_table *table);
enum device_cache_progress { DEVICE_CACHE_MORE, DEVICE_CACHE_DONE, DEVICE_CACHE_FAILED };
/* Writes the next slice. After DONE (in place) and FAILED (errno; the copy before it stays) the
 * cache is gone. */
enum device_cache_progress device_cache_continue(struct device_cache *cache) MUST_USE;
/* Gives the unfinished copy up. NULL is allowed. */
void device_cache_drop(struct device_cache *cache);

/* Writes a whole copy at one go, for an orderly end; the copy before it stays if that fails. */
void device_cache_write(const char *path, const char *district, const struct device_table *table);

/* Fills an empty table from the copy, after the whole of it was checked, and tells the heir of each
 * device. Devices of codecs that are no more are left out. How many there are, or -1 with *error, a
 * line that lives until the next call, and the table as it was. */
int64_t device_cache_load(const char *path, const char *district, struct device_table *table,
                          const struct device_table_heir *heir, const char **error) MUST_USE;

#endif
