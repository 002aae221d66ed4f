/* onekey-sim: plays the devices. This file only finds the command; each has its own. */
#include "daemon/base/attributes.h"
#include "tools/sim/command.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"protocols", protocols_command, "list the protocols; --stream: only those over a connection"},
    {"replay", replay_command, "send captured frames, print each one's reply"},
    {"readings", readings_command, "publish the readings of a CSV file as meters would"},
    {"device", play_command, "play one device by words on standard input"},
    {"fleet", fleet_command, "play live wristbands, call boxes and meters"},
    {"load", load_command, "press many alarms a second and record which were acknowledged"},
    {"silence", silence_command, "judge the silent-meter detector on recorded readings"},
    {"history", history_command, "an invented year of services in the database"},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "usage: onekey-sim COMMAND [OPTION]...\n\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        fprintf(stderr, "  %-10s %s\n", commands[i].name, commands[i].help);
    return 2;
}
