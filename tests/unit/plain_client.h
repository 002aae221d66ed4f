/*
 * For tests of MQTT: a plain client that publishes to a broker on 127.0.0.1 and hears from it.
 */
#ifndef ONEKEY_TEST_PLAIN_CLIENT_H
#define ONEKEY_TEST_PLAIN_CLIENT_H

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <mosquitto.h>

#include "tests/unit/loop.h"

struct plain_client {
    struct mosquitto *client;
    bool subscribed;
    int published, heard;
    char last[200]; /* payload heard last */
};

static inline void plain_on_publish(struct mosquitto *client, void *context, int id)
{
    (void)client, (void)id;
    ((struct plain_client *)context)->published++;
}

static inline void plain_on_subscribe(struct mosquitto *client, void *context, int id, int count,
                                      const int *granted)
{
    (void)client, (void)id, (void)count, (void)granted;
    ((struct plain_client *)context)->subscribed = true;
}

static inline void plain_on_message(struct mosquitto *client, void *context,
                                    const struct mosquitto_message *message)
{
    struct plain_client *plain = context;
    (void)client;
    plain->heard++;
    snprintf(plain->last, sizeof(plain->last), "%.*s", message->payloadlen,
             message->payloadlen ? (const char *)message->payload : "");
}

/* Whether the condition came true within 10 s of the client's own loop. */
#define PLAIN_UNTIL(plain, condition)                                                              \
    ({                                                                                             \
        double plain_deadline = seconds_now() + 10;                                                \
        while (!(condition) && seconds_now() < plain_deadline)                                     \
            mosquitto_loop((plain)->client, 10, 1);                                                \
        (condition);                                                                               \
    })

/* Connected, and subscribed to `topic` if that is not NULL. */
UNUSED static void plain_open(struct plain_client *plain, uint16_t port, const char *topic)
{
    memset(plain, 0, sizeof(*plain));
    mosquitto_lib_init();
    plain->client = mosquitto_new(NULL, true, plain);
    mosquitto_publish_callback_set(plain->client, plain_on_publish);
    mosquitto_subscribe_callback_set(plain->client, plain_on_subscribe);
    mosquitto_message_callback_set(plain->client, plain_on_message);
    int result = mosquitto_connect(plain->client, "127.0.0.1", port, 60);
    assert(result == MOSQ_ERR_SUCCESS);
    (void)result;
    if (topic) {
        mosquitto_subscribe(plain->client, NULL, topic, 1);
        bool subscribed = PLAIN_UNTIL(plain, plain->subscribed);
        assert(subscribed);
        (void)subscribed;
    }
}

/* At QoS 1; returns when the broker has it. */
UNUSED static void plain_publish(struct plain_client *plain, const char *topic, const char *text)
{
    int before = plain->published;
    mosquitto_publish(plain->client, NULL, topic, (int)strlen(text), text, 1, false);
    bool published = PLAIN_UNTIL(plain, plain->published > before);
    assert(published);
    (void)published;
}

UNUSED static void plain_close(struct plain_client *plain)
{
    mosquitto_disconnect(plain->client);
    mosquitto_destroy(plain->client);
    mosquitto_lib_cleanup();
}

#endif
