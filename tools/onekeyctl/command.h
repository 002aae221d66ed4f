/*
 * The commands of onekeyctl. Each gets the options before its name, and its own name as argv[0]; it
 * says what went wrong in one sentence on standard error and returns an exit status.
 */
#ifndef ONEKEY_ONEKEYCTL_COMMAND_H
#define ONEKEY_ONEKEYCTL_COMMAND_H

#include "tools/common/invocation.h"

int check_command(const struct invocation *invocation, int argc, char **argv);
int control_command(const struct invocation *invocation, int argc, char **argv);
int migrate_command(const struct invocation *invocation, int argc, char **argv);
int device_command(const struct invocation *invocation, int argc, char **argv);
int import_command(const struct invocation *invocation, int argc, char **argv);
int limits_command(const struct invocation *invocation, int argc, char **argv);
int notice_command(const struct invocation *invocation, int argc, char **argv);
int notices_command(const struct invocation *invocation, int argc, char **argv);
int silence_command(const struct invocation *invocation, int argc, char **argv);
int ticket_command(const struct invocation *invocation, int argc, char **argv);
int user_command(const struct invocation *invocation, int argc, char **argv);
int tickets_command(const struct invocation *invocation, int argc, char **argv);

#endif
