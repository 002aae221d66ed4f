/* What can be configured of onekey-console: a part of struct config (settings.h). */
#ifndef ONEKEY_BASE_SETTINGS_CONSOLE_H
#define ONEKEY_BASE_SETTINGS_CONSOLE_H

#include "daemon/base/settings_words.h"

#include <stdint.h>

struct config_console {
    char address[CONFIG_NAME_SIZE];
    int32_t port;
    char certificate[CONFIG_PATH_SIZE], key[CONFIG_PATH_SIZE];
    char hosts[CONFIG_PATH_SIZE], proxies[CONFIG_PATH_SIZE]; /* separated by blanks */
    char conninfo[CONFIG_PATH_SIZE]; /* never empty: database.conninfo unless set */
    char pages[CONFIG_PATH_SIZE];
    int32_t connections_max, session_idle_s, session_s;
};

#endif
