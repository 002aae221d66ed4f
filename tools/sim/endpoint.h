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
    bool is_datagram;
    struct ssl_ctx_st *tls; /* NULL: in clear */
};

/* "host:port" or "[address]:port". False, with a sentence on stderr, if it cannot be found. */
bool endpoint_parse(struct endpoint *endpoint, const char *text);
/* Speaks TLS to it from now on, and only to one whom an authority in `ca_path` (PEM) vouches for. False,
 * with a sentence on stderr, if that cannot be read. Kept until the process ends. */
bool endpoint_use_tls(struct endpoint *endpoint, const char *ca_path);

#endif
