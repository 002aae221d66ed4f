/*
 * The devices' side of the MQTT broker: one client for all of them, on the caller's event loop, with
 * a session of its own that ends with it. It comes back by itself when the broker does; what was
 * published and not acknowledged is then sent again by the library.
 */
#ifndef ONEKEY_SIM_BROKER_H
#define ONEKEY_SIM_BROKER_H

#include "protocol/bytes.h"
#include "tools/sim/endpoint.h"

struct event_base;
struct broker;

struct broker_events {
    void (*on_up)(void *context);
    /* Both lent for the call. */
    void (*on_message)(void *context, const char *topic, struct bytes body);
};

/* NULL, with a sentence on stderr, if the broker cannot be reached at the start. `subscribe` may be
 * NULL; `events` and what it names must outlive the broker. */
struct broker *broker_open(struct event_base *base, const struct endpoint *to,
                           const char *subscribe, const struct broker_events *events,
                           void *context);
/* At QoS 1. False if the library refuses it; then nothing was sent. Copies the body. */
bool broker_publish(struct broker *broker, const char *topic, struct bytes body);
bool broker_is_up(const struct broker *broker);
/* Published and not yet acknowledged by the broker. */
long broker_outstanding(const struct broker *broker);
void broker_close(struct broker *broker);

#endif
