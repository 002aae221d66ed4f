/* What notices are sent with. */
#ifndef ONEKEY_EDGE_NOTICE_SETUP_H
#define ONEKEY_EDGE_NOTICE_SETUP_H

#include "daemon/base/config.h"
#include "daemon/base/log.h"
#include "daemon/base/random.h"

struct event_base;
struct mqtt;

/* Everything is lent for good. */
struct notices_setup {
    struct event_base *base;
    const struct config *config;
    const char *district;
    struct mqtt *mqtt; /* NULL: none */
    struct random *random;
    struct log *log;
    void (*on_turn)(void *context); /* before anything is done in a turn of the loop */
    void *context;
};

#endif
