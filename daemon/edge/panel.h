/*
 * What can be asked on the control socket, answered from the gateway: the table of commands. Reload
 * and drain are asked of the caller, who owns the configuration and the process.
 */
#ifndef ONEKEY_EDGE_PANEL_H
#define ONEKEY_EDGE_PANEL_H

#include "daemon/edge/control.h"
#include "daemon/edge/turn.h"

struct panel {
    struct turn *turn;
    const struct config *config;
    void *context;
    /* NULL when done, else why not. */
    const char *(*reload)(void *context);
    void (*drain)(void *context);
};

extern const struct control_command panel_commands[];
extern const int panel_command_count;

#endif
