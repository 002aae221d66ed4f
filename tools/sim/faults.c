#include "tools/sim/faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[FAULT_COUNT] = {"cut", "delay", "duplicate", "garbage", "clock"};

/* One "name=share" of `size` characters. */
static bool parse_one(struct faults *faults, const char *text, size_t size)
{
    for (int i = 0; i < FAULT_COUNT; i++) {
        size_t name = strlen(names[i]);
        char *end;

        if (size <= name + 1 || strncmp(text, names[i], name) != 0 || text[name] != '=')
            continue;
        faults->share[i] = strtod(text + name + 1, &end);
        return end == text + size && faults->share[i] >= 0 && faults->share[i] <= 1;
    }
    return false;
}

bool faults_parse(struct faults *faults, const char *text)
{
    *faults = (struct faults){{0}};
    for (const char *at = text + strspn(text, " "); *at; at += strspn(at, " ")) {
        size_t size = strcspn(at, " ");

        if (!parse_one(faults, at, size)) {
            fprintf(stderr,
                    "onekey-sim: faults \"%.80s\": give NAME=SHARE with a share from 0 to 1 and a "
                    "name of cut, delay, duplicate, garbage, clock\n",
                    text);
            return false;
        }
        at += size;
    }
    return true;
}

bool faults_strike(const struct faults *faults, enum fault fault, struct random *random)
{
    return random_fraction(random) < faults->share[fault];
}
