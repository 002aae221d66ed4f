/*
 * The table behind the configuration: one row for each key, and the kinds of sections. config.c reads
 * files with it; everything that is printed comes from it too.
 */
#ifndef ONEKEY_BASE_CONFIG_TABLE_H
#define ONEKEY_BASE_CONFIG_TABLE_H

#include "daemon/base/settings.h"

#include <stddef.h>

enum config_type {
    CONFIG_TEXT,     /* char[]; min = shortest length */
    CONFIG_WORD,     /* char[]; letters, digits, '.', '-', '_'; min = shortest length */
    CONFIG_PATH,     /* char[]; absolute; min = 0: may be empty */
    CONFIG_ADDRESS,  /* char[]; IPv4 or IPv6 in numbers */
    CONFIG_CONNINFO, /* char[]; for libpq; holds no password */
    CONFIG_INTEGER,  /* int32_t */
    CONFIG_SIZE,     /* int64_t bytes; K, M and G are understood */
    CONFIG_REAL,     /* double */
    CONFIG_YES_NO,   /* bool */
    CONFIG_CHOICE,   /* int32_t: min + place among `words` */
    CONFIG_CODEC     /* char[]; one of `words` */
};

struct config_key {
    const char *section, *key;
    enum config_type type;
    bool reloadable;
    size_t offset, size; /* in struct config, or in the struct of the section's kind */
    const char *initial;
    double min, max;
    const char *words; /* separated by blanks */
    const char *help;
};

/* Sections that there may be several of: [listen NAME]. Each is a struct that begins with its name, in
 * an array of struct config. */
struct config_kind {
    const char *section;
    size_t items, count; /* of the array, and of the int32_t that says how many are in use */
    size_t size;         /* of one */
    int max;
};

extern const struct config_key config_keys[];
extern const int config_key_count;

extern const struct config_kind config_kinds[];
extern const int config_kind_count;

/* NULL: a section that there is once. */
const struct config_kind *config_table_kind(const char *section);
int config_table_count(const struct config_kind *kind, const struct config *config);
/* Of a config that may be written, one may be written. */
void *config_table_item(const struct config_kind *kind, const struct config *config, int index);
/* The row, NULL if there is none. */
const struct config_key *config_table_find(const char *section, const char *key);
bool config_table_has_section(const char *section);

#endif
