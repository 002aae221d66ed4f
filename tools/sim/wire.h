/*
 * One device's connection by TCP, TLS or datagrams, on the caller's event loop. It says when it is up, hands over what
 * arrives and says when it is gone; coming back is the caller's decision.
 */
#ifndef ONEKEY_SIM_WIRE_H
#define ONEKEY_SIM_WIRE_H

#include "protocol/bytes.h"
#include "tools/sim/endpoint.h"

struct event_base;
struct bufferevent;

struct wire_events {
    void (*on_up)(void *context);
    /* `input` is lent for the call; returns how much of it is used up. */
    size_t (*on_input)(void *context, struct bytes input);
    /* The peer or the network ended it; the wire is closed already. */
    void (*on_down)(void *context);
};

struct wire {
    struct bufferevent *stream; /* NULL: closed */
    bool is_up;
    const struct wire_events *events;
    void *context;
};

/* Begins to connect. False if no connection can even be begun. */
bool wire_open(struct wire *wire, struct event_base *base, const struct endpoint *to);
/* Copies the bytes. Only while up. */
void wire_send(struct wire *wire, struct bytes bytes);
/* Bytes that the system has not taken yet. */
size_t wire_waiting(const struct wire *wire);
/* Closes without calling back; a closed wire may be closed again. */
void wire_close(struct wire *wire);
/* Allows this process as many as the machine does. */
void wire_allow_many(void);

#endif
