/* What can go wrong with a played device's messages, each with the share of them that it befalls. */
#ifndef ONEKEY_SIM_FAULTS_H
#define ONEKEY_SIM_FAULTS_H

#include "daemon/base/random.h"

#include <stdbool.h>

enum fault {
    FAULT_CUT,       /* the connection ends in the middle of a message */
    FAULT_DELAY,     /* up to FAULT_DELAY_MAX_US late */
    FAULT_DUPLICATE, /* arrives twice */
    FAULT_GARBAGE,   /* behind bytes that mean nothing */
    FAULT_CLOCK,     /* of the devices: the clock is wrong by up to FAULT_CLOCK_MAX_S */
    FAULT_COUNT
};

#define FAULT_DELAY_MAX_US 3000000
#define FAULT_CLOCK_MAX_S (30 * 86400)

struct faults {
    double share[FAULT_COUNT];
};

/* "cut=0.01 clock=0.1": names as above in lower case, in any order; "" is none. False, with a
 * sentence on stderr, for anything else. */
bool faults_parse(struct faults *faults, const char *text);
/* Whether this one is befallen. Draws one number. */
bool faults_strike(const struct faults *faults, enum fault fault, struct random *random);

#endif
