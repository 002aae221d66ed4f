/*
 * Shows a configuration by its table: key by key to whoever asks, or as a file that reads back the
 * same. The example file, the man page and `onekeyctl show config` are made of it.
 */
#ifndef ONEKEY_BASE_CONFIG_PRINT_H
#define ONEKEY_BASE_CONFIG_PRINT_H

#include "daemon/base/settings.h"

#include <stdio.h>

/* One line of the table with one value in it: what config_print_each shows. Lent for the call. */
struct config_item {
    const char *section, *key;
    const char *name; /* of [listen NAME] and the like; empty elsewhere */
    const char *value, *initial;
    const char *accepts; /* "yes or no", "1 to 65535", "tcp, tls or udp" */
    const char *help;
    bool reloadable;
};

/* Every key with its value in the table's order; the [listen] keys once for each listener, and so on. */
void config_print_each(const struct config *config, void *context,
                       void (*on_item)(void *context, const struct config_item *item));
/* The effective configuration as INI that config_read takes back, with the help as comments. */
void config_print(const struct config *config, FILE *out);

#endif
