/* What every tool of an administrator is told: where the configuration and the database are. */
#ifndef ONEKEY_COMMON_INVOCATION_H
#define ONEKEY_COMMON_INVOCATION_H

#include <stdbool.h>

#define DEFAULT_CONFIG "/etc/onekey/onekeyd.conf"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct invocation {
    const char *config;   /* path of the daemon's configuration */
    const char *socket;   /* control socket; NULL: as the configuration says */
    const char *conninfo; /* of the database; NULL: as the configuration says */
    bool json;            /* for programs instead of people */
};

#endif
