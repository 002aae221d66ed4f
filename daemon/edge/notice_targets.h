/*
 * The targets of notices as configured: where, by which transport, how many at once.
 */
#ifndef ONEKEY_EDGE_NOTICE_TARGETS_H
#define ONEKEY_EDGE_NOTICE_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/attributes.h"
#include "daemon/base/settings.h"
#include "daemon/edge/notice.h"
#include "daemon/edge/notice_setup.h"

#define NOTICE_TARGETS_MAX (3 * CONFIG_TARGETS_MAX + 1)

struct notice_target {
    const struct notice_transport *transport;
    void *sender;
    char name[CONFIG_NAME_SIZE];
    int32_t include; /* enum config_include */
    int at_once, busy;
    bool is_failing; /* the last result was no: it is tried with one at a time */
};

struct notice_targets {
    struct notice_target list[NOTICE_TARGETS_MAX];
    int count;
    int longest_s; /* that one of them may take */
};

/* False, and one sentence in `error`, where one cannot be used; to be closed all the same. */
bool notice_targets_open(struct notice_targets *targets, const struct notices_setup *setup,
                         char *error, size_t error_size) MUST_USE;
void notice_targets_close(struct notice_targets *targets);
/* How many more it may be sent now. */
int notice_targets_room(const struct notice_target *target);

#endif
