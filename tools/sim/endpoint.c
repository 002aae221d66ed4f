#include "tools/sim/endpoint.h"

#include <netdb.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Splits the text into endpoint->host and its port; returns the port, or NULL. */
static const char *split(struct endpoint *endpoint, const char *text)
{
    const char *colon = strrchr(text, ':');
    const char *start = text;

    if (!colon)
        return NULL;
    size_t size = (size_t)(colon - text);
    if (size >= 2 && text[0] == '[' && colon[-1] == ']') {
        start++;
        size -= 2;
    }
    if (size == 0 || size >= sizeof(endpoint->host))
        return NULL;
    memcpy(endpoint->host, start, size);
    endpoint->host[size] = '\0';
    return colon + 1;
}

bool endpoint_parse(struct endpoint *endpoint, const char *text)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;

    memset(endpoint, 0, sizeof(*endpoint));
    const char *port = split(endpoint, text);
    if (!port || getaddrinfo(endpoint->host, port, &hints, &found) != 0) {
        fprintf(stderr, "onekey-sim: %s is no HOST:PORT that can be found\n", text);
        return false;
    }
    memcpy(&endpoint->address, found->ai_addr, found->ai_addrlen);
    endpoint->address_size = found->ai_addrlen;
    endpoint->port = (int)strtol(port, NULL, 10);
    freeaddrinfo(found);
    return true;
}

bool endpoint_use_tls(struct endpoint *endpoint, const char *ca_path)
{
    endpoint->tls = SSL_CTX_new(TLS_client_method());
    if (!endpoint->tls)
        abort();
    SSL_CTX_set_verify(endpoint->tls, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_load_verify_locations(endpoint->tls, ca_path, NULL) == 1)
        return true;
    fprintf(stderr, "onekey-sim: %s: no authorities (PEM) in it\n", ca_path);
    return false;
}
