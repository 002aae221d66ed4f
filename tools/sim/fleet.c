/* A live district for people to look at: slow, of all kinds, until interrupted. */
#include "tools/sim/command.h"
#include "tools/sim/crowd.h"

int fleet_command(int argc, char **argv)
{
    struct settings settings = {
        .alarms_per_second = 6.0 / 60,
        .report_every_s = 30,
        .retransmit_s = 5,
        .drain_s = 10,
        .prefix = "90",
        .seed = 1,
    };

    return settings_parse(&settings, argc, argv) ? crowd_run(&settings) : 2;
}
