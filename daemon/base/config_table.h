/*
 * The table behind the configuration: one row for each key, and how a value of its type is read,
 * shown and described. config.c reads files with it; everything that is printed comes from it too.
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
    size_t offset, size; /* in struct config; of [listen] in struct config_listener */
    const char *initial;
    double min, max;
    const char *words; /* separated by blanks */
    const char *help;
};

/* Longest value: with its key it fits a line of the file (inih takes 199 characters). */
#define CONFIG_VALUE_MAX 170
/* Memory that a value or its description takes. */
#define CONFIG_TEXT_MAX (2 * CONFIG_PATH_SIZE)

extern const struct config_key config_keys[];
extern const int config_key_count;

/* The row, NULL if there is none. */
const struct config_key *config_table_find(const char *section, const char *key);
bool config_table_has_section(const char *section);
/* Reads `value` into the member of `base` (struct config or struct config_listener). NULL, or a
 * few words on why it cannot be. */
const char *config_table_set(const struct config_key *key, void *base, const char *value);
/* The value as it would stand in a file. */
void config_table_show(const struct config_key *key, const void *base, char out[CONFIG_TEXT_MAX]);
/* What may stand there: "1 to 65535", "one of tcp, tls, udp". */
void config_table_describe(const struct config_key *key, char out[CONFIG_TEXT_MAX]);

#endif
