/*
 * The commands of onekeyctl. Each gets the options before its name, and its own name as argv[0]; it
 * says what went wrong in one sentence on standard error and returns an exit status.
 */
#ifndef ONEKEY_ONEKEYCTL_COMMAND_H
#define ONEKEY_ONEKEYCTL_COMMAND_H

#include <stdbool.h>

#define DEFAULT_CONFIG "/etc/onekey/onekeyd.conf"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct invocation {
    const char *config;   /* path of the daemon's configuration */
    const char *socket;   /* control socket; NULL: as the configuration says */
    const char *conninfo; /* of the database; NULL: as the configuration says */
    bool json;            /* for programs instead of people */
};

int check_command(const struct invocation *invocation, int argc, char **argv);
int control_command(const struct invocation *invocation, int argc, char **argv);
int migrate_command(const struct invocation *invocation, int argc, char **argv);
int import_command(const struct invocation *invocation, int argc, char **argv);
int ticket_command(const struct invocation *invocation, int argc, char **argv);
int tickets_command(const struct invocation *invocation, int argc, char **argv);

#endif
