#include "tools/sim/broker.h"

#include <event2/event.h>
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>

#define KEEPALIVE_S 30
#define SEND_MAXIMUM 1000 /* messages in flight to the broker */

static const struct timeval every = {.tv_usec = 100000}; /* keep-alive, and a try to come back */

struct broker {
    struct event_base *base;
    struct mosquitto *client;
    struct event *readable, *writable, *timer;
    const char *subscribe;
    const struct broker_events *events;
    void *context;
    bool is_up;
    long outstanding;
};

static void forget_socket(struct broker *broker)
{
    if (broker->readable)
        event_free(broker->readable);
    if (broker->writable)
        event_free(broker->writable);
    broker->readable = broker->writable = NULL;
}

static void want_write(struct broker *broker)
{
    if (broker->writable && mosquitto_want_write(broker->client))
        event_add(broker->writable, NULL);
}

static void on_socket(evutil_socket_t fd, short what, void *context)
{
    struct broker *broker = context;
    int status = MOSQ_ERR_SUCCESS;

    (void)fd;
    if (what & EV_READ)
        status = mosquitto_loop_read(broker->client, 1);
    if (what & EV_WRITE && status == MOSQ_ERR_SUCCESS)
        status = mosquitto_loop_write(broker->client, 1);
    if (status == MOSQ_ERR_SUCCESS)
        want_write(broker);
    else
        forget_socket(broker);
}

static void watch_socket(struct broker *broker)
{
    int fd = mosquitto_socket(broker->client);

    if (fd < 0)
        return;
    broker->readable = event_new(broker->base, fd, EV_READ | EV_PERSIST, on_socket, broker);
    broker->writable = event_new(broker->base, fd, EV_WRITE, on_socket, broker);
    if (!broker->readable || !broker->writable)
        abort();
    event_add(broker->readable, NULL);
    want_write(broker);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct broker *broker = context;

    (void)fd, (void)what;
    if (broker->readable) {
        if (mosquitto_loop_misc(broker->client) != MOSQ_ERR_SUCCESS)
            forget_socket(broker);
    } else if (mosquitto_reconnect(broker->client) == MOSQ_ERR_SUCCESS) {
        watch_socket(broker);
    }
}

static void on_connect(struct mosquitto *client, void *context, int status)
{
    struct broker *broker = context;

    broker->is_up = status == 0;
    if (broker->subscribe)
        mosquitto_subscribe(client, NULL, broker->subscribe, 1);
    if (broker->is_up && broker->events->on_up)
        broker->events->on_up(broker->context);
}

static void on_disconnect(struct mosquitto *client, void *context, int status)
{
    struct broker *broker = context;

    (void)client, (void)status;
    broker->is_up = false;
}

static void on_publish(struct mosquitto *client, void *context, int id)
{
    struct broker *broker = context;

    (void)client, (void)id;
    broker->outstanding--;
}

static void on_message(struct mosquitto *client, void *context,
                       const struct mosquitto_message *message)
{
    struct broker *broker = context;

    (void)client;
    if (broker->events->on_message)
        broker->events->on_message(
            broker->context, message->topic,
            (struct bytes){.data = message->payload, .size = (size_t)message->payloadlen});
}

static bool connect_client(struct broker *broker, const struct endpoint *to)
{
    mosquitto_connect_callback_set(broker->client, on_connect);
    mosquitto_disconnect_callback_set(broker->client, on_disconnect);
    mosquitto_publish_callback_set(broker->client, on_publish);
    mosquitto_message_callback_set(broker->client, on_message);
    mosquitto_int_option(broker->client, MOSQ_OPT_SEND_MAXIMUM, SEND_MAXIMUM);
    mosquitto_int_option(broker->client, MOSQ_OPT_TCP_NODELAY, 1);
    int status = mosquitto_connect(broker->client, to->host, to->port, KEEPALIVE_S);
    if (status != MOSQ_ERR_SUCCESS)
        fprintf(stderr, "onekey-sim: broker %s:%d: %s\n", to->host, to->port,
                mosquitto_strerror(status));
    return status == MOSQ_ERR_SUCCESS;
}

struct broker *broker_open(struct event_base *base, const struct endpoint *to,
                           const char *subscribe, const struct broker_events *events, void *context)
{
    struct broker *broker = calloc(1, sizeof(*broker));

    mosquitto_lib_init();
    if (!broker)
        abort();
    *broker =
        (struct broker){.base = base, .subscribe = subscribe, .events = events, .context = context};
    broker->client = mosquitto_new(NULL, true, broker);
    broker->timer = event_new(base, -1, EV_PERSIST, on_timer, broker);
    if (!broker->client || !broker->timer)
        abort();
    if (!connect_client(broker, to)) {
        broker_close(broker);
        return NULL;
    }
    watch_socket(broker);
    event_add(broker->timer, &every);
    return broker;
}

bool broker_publish(struct broker *broker, const char *topic, struct bytes body)
{
    int status =
        mosquitto_publish(broker->client, NULL, topic, (int)body.size, body.data, 1, false);

    /* Without a connection the library keeps the message and sends it with the next one. */
    if (status != MOSQ_ERR_SUCCESS && status != MOSQ_ERR_NO_CONN)
        return false;
    broker->outstanding++;
    want_write(broker);
    return true;
}

bool broker_is_up(const struct broker *broker)
{
    return broker->is_up;
}

long broker_outstanding(const struct broker *broker)
{
    return broker->outstanding;
}

void broker_close(struct broker *broker)
{
    forget_socket(broker);
    event_free(broker->timer);
    mosquitto_disconnect(broker->client);
    mosquitto_destroy(broker->client);
    free(broker);
    mosquitto_lib_cleanup();
}
