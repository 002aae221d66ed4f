/* Many panics a second, for tests and measurements. */
#include "tools/sim/command.h"
#include "tools/sim/crowd.h"

int load_command(int argc, char **argv)
{
    struct settings settings = {
        .alarms_per_second = 100,
        .report_every_s = 60,
        .retransmit_s = 2,
        .seconds = 10,
        .drain_s = 30,
        .prefix = "91",
        .seed = 1,
        .panics_only = true,
    };

    return settings_parse(&settings, argc, argv) ? crowd_run(&settings) : 2;
}
