/*
 * How a value of each type of the configuration's table is read, shown and described.
 */
#ifndef ONEKEY_BASE_CONFIG_VALUE_H
#define ONEKEY_BASE_CONFIG_VALUE_H

#include "daemon/base/config_table.h"

/* Longest value: with its key it fits a line of the file (inih takes 199 characters). */
#define CONFIG_VALUE_MAX 170
/* Memory that a value or its description takes. */
#define CONFIG_TEXT_MAX (2 * CONFIG_PATH_SIZE)

/* Reads `value` into the member of `base` (struct config or one of a kind). NULL, or a
 * few words on why it cannot be. */
const char *config_value_set(const struct config_key *key, void *base, const char *value);
/* The value as it would stand in a file. */
void config_value_show(const struct config_key *key, const void *base, char out[CONFIG_TEXT_MAX]);
/* What may stand there: "1 to 65535", "one of tcp, tls, udp". */
void config_value_describe(const struct config_key *key, char out[CONFIG_TEXT_MAX]);

#endif
