/* What the parts of the program share: opened in main.c, in this order, closed in the opposite one. */
#ifndef ONEKEY_CONSOLE_APP_H
#define ONEKEY_CONSOLE_APP_H

#include "daemon/base/config.h"
#include "daemon/base/log.h"
#include "daemon/base/random.h"

#include "tools/console/http/server.h"

struct app {
    struct config config;
    char district[16];
    struct log log;
    struct random random;
    struct event_base *base;
    struct worker *worker, *writer; /* of passwords; of reports, which must not hold those up */
    struct roll_up *roll_up;
    int reports; /* being written */
    struct links *links;
    struct visitors *visitors;
    struct pages *pages;
    struct unstored *unstored;
    struct fanout *fanout;
    struct pulse *pulse;
    struct server *server;
    struct figures *figures;
};

/* The address of whoever asks: of the connection, or what a proxy of ours says. Lent. */
struct caller {
    char address[INET6_ADDRSTRLEN];
    char origin[INET6_ADDRSTRLEN + 16]; /* as audits name it */
    bool is_secure;                     /* TLS all the way from the browser, as far as we know */
};

#endif
