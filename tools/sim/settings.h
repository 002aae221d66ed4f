/* What a crowd of devices is told to do: the options that `fleet` and `load` share. */
#ifndef ONEKEY_SIM_SETTINGS_H
#define ONEKEY_SIM_SETTINGS_H

#include "tools/sim/endpoint.h"
#include "tools/sim/faults.h"

#include <stdint.h>

struct settings {
    struct endpoint watch, mqtt; /* port 0: not used */
    const char *devices_path;    /* registered devices, NULL: none */
    const char *mix_path;        /* invented ones of any protocol, NULL: none */
    struct faults faults;        /* of all but those of the mix, which has its own */
    /* Without a file: invented devices, in these numbers. */
    int wristbands, call_boxes, meters;
    double alarms_per_second;
    double report_every_s; /* heartbeats and readings of one device */
    double retransmit_s;   /* an alarm not acknowledged for so long is sent again */
    double seconds;        /* of pressing; 0 = until interrupted */
    double drain_s;        /* then at most so long for the last acknowledgements */
    const char *record_path;
    const char *prefix; /* of invented identities, so that several crowds differ: 2 digits */
    uint64_t seed;
    bool panics_only;
};

/* Reads the command line over what *settings holds, which are the defaults. False after an error
 * was told on stderr. */
bool settings_parse(struct settings *settings, int argc, char **argv);

#endif
