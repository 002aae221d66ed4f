#include "daemon/edge/notice_mqtt.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/edge/mqtt.h"

#define TOPIC_SIZE 256
#define QOS 1
#define NO_SUBSCRIBERS 16 /* MQTT 5, reason codes of PUBACK */
#define FAILED 128        /* and all above */

struct sent {
    int id; /* 0: none */
    struct event *limit;
    struct notice_waiter *waiter;
};

struct notice_mqtt {
    struct mqtt *mqtt;
    const char *district;
    struct notice_waiter waiters[NOTICE_MQTT_AT_ONCE];
    struct sent sent[NOTICE_MQTT_AT_ONCE]; /* each its waiter's */
};

static void answer(struct sent *sent, enum notice_outcome outcome, const char *reason)
{
    event_del(sent->limit);
    sent->id = 0;
    notice_answer(sent->waiter, outcome, 0, "%s", reason);
}

static void on_published(void *context, int id, int reason)
{
    struct notice_mqtt *sender = context;

    for (int i = 0; i < NOTICE_MQTT_AT_ONCE; i++) {
        struct sent *sent = &sender->sent[i];

        if (sent->id != id)
            continue;
        if (reason >= FAILED)
            answer(sent, NOTICE_LATER, "the broker refused it");
        else if (reason == NO_SUBSCRIBERS)
            answer(sent, NOTICE_LATER, "nobody subscribes to its topic");
        else
            answer(sent, NOTICE_DELIVERED, "acknowledged");
    }
}

static void on_limit(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    answer(context, NOTICE_LATER, "the broker did not acknowledge it");
}

struct notice_mqtt *notice_mqtt_open(struct event_base *base, struct mqtt *mqtt,
                                     const char *district)
{
    struct notice_mqtt *sender = calloc(1, sizeof(*sender));

    if (!sender)
        abort();
    sender->mqtt = mqtt;
    sender->district = district;
    for (int i = 0; i < NOTICE_MQTT_AT_ONCE; i++)
        if (!(sender->sent[i].limit = evtimer_new(base, on_limit, &sender->sent[i])))
            abort();
    mqtt_watch_published(mqtt, on_published, sender);
    return sender;
}

static void close_mqtt(void *context)
{
    struct notice_mqtt *sender = context;

    mqtt_watch_published(sender->mqtt, NULL, NULL);
    for (int i = 0; i < NOTICE_MQTT_AT_ONCE; i++)
        event_free(sender->sent[i].limit);
    free(sender);
}

static void send_mqtt(void *context, const struct notice *notice, notice_on_result *on_result,
                      void *result_context)
{
    struct notice_mqtt *sender = context;
    struct notice_waiter *waiter =
        notice_wait(sender->waiters, NOTICE_MQTT_AT_ONCE, sender, on_result, result_context);
    struct sent *sent = &sender->sent[waiter - sender->waiters];
    char topic[TOPIC_SIZE];

    snprintf(topic, sizeof(topic), "onekey/v1/notice/%s/%s", sender->district, notice->event_type);
    sent->waiter = waiter;
    sent->id = mqtt_publish(sender->mqtt, topic, notice->body, notice->size, QOS, false);
    if (sent->id == 0)
        answer(sent, NOTICE_LATER, "no connection to the broker");
    else
        event_add(sent->limit, &(struct timeval){NOTICE_MQTT_TIMEOUT_S, 0});
}

const struct notice_transport mqtt_transport = {"mqtt", send_mqtt, close_mqtt};
