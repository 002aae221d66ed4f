/* A HOST:PORT of the command line, found once. */
#ifndef ONEKEY_SIM_ENDPOINT_H
#define ONEKEY_SIM_ENDPOINT_H

#include <stdbool.h>
#include <sys/socket.h>

struct endpoint {
    char host[64];
    int port; /* 0: not given */
    struct sockaddr_storage address;
    socklen_t address_size;
};

/* "host:port" or "[address]:port". False, with a sentence on stderr, if it cannot be found. */
bool endpoint_parse(struct endpoint *endpoint, const char *text);

#endif
