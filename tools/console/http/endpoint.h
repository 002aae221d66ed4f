/* Addresses in numbers, as text and as the system wants them. */
#ifndef ONEKEY_CONSOLE_HTTP_ENDPOINT_H
#define ONEKEY_CONSOLE_HTTP_ENDPOINT_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

/* Its size; 0 if `address` is none. */
socklen_t endpoint_parse(const char *address, uint16_t port, struct sockaddr_storage *out);
/* The address without port; one of IPv4 that came by IPv6 as IPv4. "" for anything else. */
void endpoint_print(const struct sockaddr *name, char out[INET6_ADDRSTRLEN]);
uint16_t endpoint_port(const struct sockaddr_storage *name);

#endif
