/*
 * Socket addresses as text, and sockets bound to them. Numeric addresses only: no name is looked up,
 * so nothing here waits.
 */
#ifndef ONEKEY_EDGE_ADDRESS_H
#define ONEKEY_EDGE_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/attributes.h"

struct sockaddr_storage;

#define ADDRESS_TEXT 64 /* room for address_text */

/* A non-blocking socket of `type` (SOCK_STREAM, SOCK_DGRAM) bound to a numeric IPv4 or IPv6 address,
 * or with "" or "*" to all of this machine's. -1, and one sentence in `error`, if it cannot be. */
int address_bind(int type, const char *address, uint16_t port, char *error,
                 size_t error_size) MUST_USE;
/* The port that a socket is bound to. */
uint16_t address_port(int fd);
/* "192.0.2.7:5120", "[2001:db8::7]:5120", cut to fit; an IPv4 peer of an IPv6 socket as IPv4. */
void address_text(const struct sockaddr_storage *address, char *text, size_t text_size);
/* The same of the peer that a socket is connected to. */
void address_peer_text(int fd, char *text, size_t text_size);

#endif
