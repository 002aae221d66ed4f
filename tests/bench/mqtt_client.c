/*
 * Both ends of the MQTT row.
 *
 *     mqtt_client publish PORT COUNT PREFIX FIRST    COUNT readings of PREFIX's meters, then one alarm
 *     mqtt_client subscribe PORT PREFIX              the floor: only the deferred PUBACK
 *
 * The publisher's last message is an alarm, whose acknowledgement comes when it and all before it have
 * been taken; it prints `rate=` of messages a second until then. FIRST makes the readings differ from
 * those of another run. The subscriber reads what is there, up to a batch, and lets the PUBACKs out
 * only then, as the gateway does around its sync; it prints `port=0` when it has subscribed, and ends
 * when standard input does.
 */
#include "tests/bench/bench.h"

#include <mosquitto.h>
#include <poll.h>
#include <string.h>

#define METERS 1000
#define BATCH 128
#define TIMEOUT_US 60000000
#define WINDOW 4000 /* published and not yet taken by the broker */

struct client {
    struct mosquitto *mosquitto;
    const char *prefix;
    char topic[64]; /* subscribed to */
    long under_way;
    bool is_ready, is_done;
};

static void on_publish(struct mosquitto *mosquitto, void *context, int id)
{
    (void)mosquitto, (void)id;
    ((struct client *)context)->under_way--;
}

static void on_connect(struct mosquitto *mosquitto, void *context, int reason)
{
    if (reason == 0)
        mosquitto_subscribe(mosquitto, NULL, ((struct client *)context)->topic, 1);
}

static void on_subscribe(struct mosquitto *mosquitto, void *context, int id, int count,
                         const int *granted)
{
    (void)mosquitto, (void)id, (void)count, (void)granted;
    ((struct client *)context)->is_ready = true;
}

static void on_acknowledged(struct mosquitto *mosquitto, void *context,
                            const struct mosquitto_message *message)
{
    (void)mosquitto, (void)message;
    ((struct client *)context)->is_done = true;
}

/* The floor's only thought: the last message is answered. */
static void on_message(struct mosquitto *mosquitto, void *context,
                       const struct mosquitto_message *message)
{
    struct client *client = context;
    char topic[128];
    const char *end = strstr(message->topic, "/up/alarm");

    if (end == NULL)
        return;
    snprintf(topic, sizeof(topic), "%.*s/down/ack", (int)(end - message->topic), message->topic);
    mosquitto_publish(mosquitto, NULL, topic, 2, "{}", 0, false);
    client->is_done = true;
}

/* Waits so long, without end if negative, where the end of standard input counts too. Reads a batch,
 * then writes what is to be said. */
static void turn(struct client *client, int wait_ms)
{
    struct pollfd polls[2] = {{.fd = mosquitto_socket(client->mosquitto), .events = POLLIN},
                              {.fd = STDIN_FILENO, .events = POLLIN}};

    if (mosquitto_want_write(client->mosquitto))
        polls[0].events |= POLLOUT;
    if (poll(polls, wait_ms < 0 ? 2 : 1, wait_ms) < 0)
        fail("poll");
    if (polls[1].revents)
        exit(0);
    for (int i = 0; polls[0].revents & POLLIN && i < BATCH; i++) {
        struct pollfd more = {.fd = polls[0].fd, .events = POLLIN};
        if (mosquitto_loop_read(client->mosquitto, 1) != MOSQ_ERR_SUCCESS)
            fail("mosquitto_loop_read");
        if (i % 8 == 7 && poll(&more, 1, 0) == 0)
            break;
    }
    if (mosquitto_want_write(client->mosquitto) &&
        mosquitto_loop_write(client->mosquitto, 1) != MOSQ_ERR_SUCCESS)
        fail("mosquitto_loop_write");
    mosquitto_loop_misc(client->mosquitto);
}

static void open_client(struct client *client, int port, const char *topic)
{
    snprintf(client->topic, sizeof(client->topic), "%s%s", client->prefix, topic);
    mosquitto_lib_init();
    client->mosquitto = mosquitto_new(NULL, true, client);
    if (!client->mosquitto)
        fail("mosquitto_new");
    mosquitto_int_option(client->mosquitto, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_int_option(client->mosquitto, MOSQ_OPT_RECEIVE_MAXIMUM, 1000);
    mosquitto_int_option(client->mosquitto, MOSQ_OPT_SEND_MAXIMUM, 1000);
    mosquitto_int_option(client->mosquitto, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_threaded_set(client->mosquitto, true); /* then it writes only when told to */
    mosquitto_connect_callback_set(client->mosquitto, on_connect);
    mosquitto_subscribe_callback_set(client->mosquitto, on_subscribe);
    mosquitto_publish_callback_set(client->mosquitto, on_publish);
    if (mosquitto_connect(client->mosquitto, "127.0.0.1", port, 60) != MOSQ_ERR_SUCCESS)
        fail("mosquitto_connect");
    for (int i = 0; i < 500 && !client->is_ready; i++)
        turn(client, 20);
    if (!client->is_ready)
        fail("subscribe");
}

static void subscribe(struct client *client, int port)
{
    open_client(client, port, "/+/+/up/#");
    mosquitto_message_callback_set(client->mosquitto, on_message);
    puts("port=0");
    fflush(stdout);
    for (;;)
        turn(client, -1);
}

static void publish_one(struct client *client, const char *topic, const char *body)
{
    if (mosquitto_publish(client->mosquitto, NULL, topic, (int)strlen(body), body, 1, false) != 0)
        fail("mosquitto_publish");
    client->under_way++;
}

static void publish(struct client *client, int port, long count, int64_t first)
{
    char topic[128], body[128];
    int64_t start_us;

    open_client(client, port, "/+/+/down/ack");
    mosquitto_message_callback_set(client->mosquitto, on_acknowledged);
    start_us = now_us();
    for (long sent = 0; !client->is_done && now_us() < start_us + TIMEOUT_US;) {
        for (; sent < count && client->under_way < WINDOW; sent++) {
            snprintf(topic, sizeof(topic), "%s/meter/9%06ld/up/reading", client->prefix,
                     sent % METERS);
            snprintf(body, sizeof(body), "{\"total_l\":%lld}", (long long)(first + sent / METERS));
            publish_one(client, topic, body);
        }
        if (sent == count && client->under_way < WINDOW) {
            snprintf(topic, sizeof(topic), "%s/call_box/8000001/up/alarm", client->prefix);
            snprintf(body, sizeof(body), "{\"type\":\"test\",\"id\":\"%lld\"}", (long long)first);
            publish_one(client, topic, body);
            sent++;
        }
        turn(client, 20);
    }
    if (!client->is_done)
        fail("no acknowledgement");
    printf("rate=%.0f\n", (double)(count + 1) / ((double)(now_us() - start_us) / 1e6));
}

int main(int argc, char **argv)
{
    static struct client client;

    if (argc == 4 && strcmp(argv[1], "subscribe") == 0) {
        client.prefix = argv[3];
        subscribe(&client, (int)strtol(argv[2], NULL, 10));
    } else if (argc == 6 && strcmp(argv[1], "publish") == 0) {
        client.prefix = argv[4];
        publish(&client, (int)strtol(argv[2], NULL, 10), strtol(argv[3], NULL, 10),
                strtoll(argv[5], NULL, 10));
    } else {
        fputs("usage: mqtt_client publish PORT COUNT PREFIX FIRST | subscribe PORT PREFIX\n",
              stderr);
        return 2;
    }
    return 0;
}
