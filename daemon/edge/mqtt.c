/*
 *            connect             CONNACK, SUBACK
 *   WAITING ---------> CONNECTING -------------> CONNECTED
 *      ^                   |                         |
 *      +-------------------+-------------------------+    lost, or a message was refused
 */
#include "daemon/edge/mqtt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>

#include "daemon/base/log.h"
#include "daemon/base/random.h"
#include "daemon/edge/secret_file.h"

#define RECEIVE_MAXIMUM 1000
#define RECONNECT_MIN_MS 500
#define RECONNECT_MAX_MS 30000
#define QOS 1
#define SESSION_NEVER_EXPIRES UINT32_MAX

enum state { WAITING, CONNECTING, CONNECTED };

struct mqtt {
    struct event_base *base;
    struct mosquitto *client;
    struct event *reader, *writer; /* of the present socket, NULL while WAITING */
    int fd; /* a duplicate of it: the library closes its own without warning, under the events */
    struct event *reconnect, *every_second;
    struct mqtt_options options; /* of its texts only these are ours: */
    char *host;                  /* for the log */
    char **topics;
    enum state state;
    uint64_t owed, durable; /* while owed > durable nothing is written */
    bool refusing;          /* a message of this connection was refused: it is of no more use */
    bool writing;           /* inside mosquitto_loop_write */
    bool paused;
    uint32_t attempts;       /* failed since the last good connection */
    uint32_t queued;         /* own publishes since everything was last out */
    uint32_t unacknowledged; /* own publishes of QoS 1 and 2 */
    struct mqtt_counters counters;
    mqtt_on_published *on_published;
    void *published_context;
};

static void report(const struct mqtt *mqtt, enum log_level level, const char *event,
                   const char *reason)
{
    if (mqtt->options.log)
        log_event(mqtt->options.log, level, event, field_text("host", mqtt->host),
                  field_number("port", mqtt->options.port), field_text("reason", reason));
}

/* --- the socket --- */

static bool is_withheld(const struct mqtt *mqtt)
{
    return mqtt->owed > mqtt->durable;
}

static void set_event(struct event *event, bool wanted)
{
    if (wanted)
        event_add(event, NULL);
    else
        event_del(event);
}

static void watch(struct mqtt *mqtt)
{
    bool withheld = is_withheld(mqtt);
    set_event(mqtt->reader, !withheld && !mqtt->paused);
    set_event(mqtt->writer, !withheld && mosquitto_want_write(mqtt->client));
}

static void schedule_reconnect(struct mqtt *mqtt)
{
    uint64_t delay_ms = mqtt->options.reconnect_max_ms;
    if (mqtt->attempts < 16 &&
        (uint64_t)mqtt->options.reconnect_min_ms << mqtt->attempts < delay_ms)
        delay_ms = (uint64_t)mqtt->options.reconnect_min_ms << mqtt->attempts;
    mqtt->attempts++;
    delay_ms -= random_below(mqtt->options.random, delay_ms / 2 + 1);
    struct timeval delay = {(time_t)(delay_ms / 1000), (suseconds_t)(delay_ms % 1000) * 1000};
    event_add(mqtt->reconnect, &delay);
}

static void forget_socket(struct mqtt *mqtt)
{
    if (!mqtt->reader)
        return;
    event_free(mqtt->reader);
    event_free(mqtt->writer);
    mqtt->reader = mqtt->writer = NULL;
    shutdown(mqtt->fd, SHUT_RDWR);
    close(mqtt->fd);
}

/* The connection is of no more use. Its socket, if it is still open, can never be written to again;
 * the library closes it and forgets what it had queued when it connects anew. */
static void lose(struct mqtt *mqtt, const char *reason)
{
    bool was_connected = mqtt->state == CONNECTED;

    forget_socket(mqtt);
    mqtt->state = WAITING;
    mqtt->refusing = false;
    mqtt->counters.losses += was_connected;
    report(mqtt, LOG_WARNING, was_connected ? "mqtt.lost" : "mqtt.connect_failed", reason);
    schedule_reconnect(mqtt);
    if (was_connected && mqtt->options.on_state)
        mqtt->options.on_state(mqtt->options.context, false);
}

/* After every call that may have used the socket. False if the connection was lost. */
static bool survives(struct mqtt *mqtt, int result)
{
    if (mqtt->refusing)
        lose(mqtt, "a message was refused");
    else if (result != MOSQ_ERR_SUCCESS)
        lose(mqtt, result == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(result));
    else if (mosquitto_socket(mqtt->client) < 0)
        lose(mqtt, "closed");
    else
        return true;
    return false;
}

/* Lets out what may go. */
static void write_out(struct mqtt *mqtt)
{
    int result = MOSQ_ERR_SUCCESS;

    if (!is_withheld(mqtt) && mosquitto_want_write(mqtt->client)) {
        mqtt->writing = true;
        result = mosquitto_loop_write(mqtt->client, 1);
        mqtt->writing = false;
    }
    if (!survives(mqtt, result))
        return;
    if (!mosquitto_want_write(mqtt->client))
        mqtt->queued = 0;
    watch(mqtt);
}

/* A batch. The library does not say whether it read a packet; errno tells that it met the end, but
 * may also be left over from within a call that did deliver a message. */
static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct mqtt *mqtt = context;
    (void)fd, (void)what;

    for (int i = 0; i < MQTT_BATCH; i++) {
        uint64_t received = mqtt->counters.received;
        errno = 0;
        int result = mosquitto_loop_read(mqtt->client, 1);
        if (!survives(mqtt, result))
            return;
        if (errno == EAGAIN && mqtt->counters.received == received)
            break;
    }
    write_out(mqtt);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    write_out(context);
}

static void begin_with_socket(struct mqtt *mqtt, int result)
{
    if (!survives(mqtt, result))
        return;
    mqtt->fd = dup(mosquitto_socket(mqtt->client));
    if (mqtt->fd < 0) {
        lose(mqtt, strerror(errno));
        return;
    }
    mqtt->state = CONNECTING;
    mqtt->owed = 0; /* what the last connection owed went with its queue */
    mqtt->queued = 0;
    mqtt->reader = event_new(mqtt->base, mqtt->fd, EV_READ | EV_PERSIST, on_readable, mqtt);
    mqtt->writer = event_new(mqtt->base, mqtt->fd, EV_WRITE | EV_PERSIST, on_writable, mqtt);
    if (!mqtt->reader || !mqtt->writer)
        abort();
    watch(mqtt);
}

static void on_reconnect(evutil_socket_t fd, short what, void *context)
{
    struct mqtt *mqtt = context;
    (void)fd, (void)what;
    begin_with_socket(mqtt, mosquitto_reconnect_async(mqtt->client));
}

/* The library's own clock work: keep-alive, and giving up on a broker that does not answer it. */
static void on_second(evutil_socket_t fd, short what, void *context)
{
    struct mqtt *mqtt = context;
    (void)fd, (void)what;
    if (mqtt->state == WAITING)
        return;
    int result = mosquitto_loop_misc(mqtt->client);
    if (survives(mqtt, result))
        watch(mqtt);
}

/* --- what the library calls --- */

static void come_into_use(struct mqtt *mqtt)
{
    mqtt->state = CONNECTED;
    mqtt->counters.connects++;
    mqtt->attempts = 0;
    report(mqtt, LOG_NOTICE, "mqtt.connected", "");
    if (mqtt->options.on_state)
        mqtt->options.on_state(mqtt->options.context, true);
}

static void on_connect(struct mosquitto *client, void *context, int reason, int flags,
                       const mosquitto_property *properties)
{
    struct mqtt *mqtt = context;
    (void)properties;

    if (reason != 0) {
        report(mqtt, LOG_ERROR, "mqtt.refused", mosquitto_reason_string(reason));
        return; /* the broker closes */
    }
    if (!(flags & 1) && mqtt->counters.connects > 0)
        report(mqtt, LOG_WARNING, "mqtt.session_forgotten", "messages may have been lost");
    if (mqtt->options.topic_count == 0)
        come_into_use(mqtt);
    else
        mosquitto_subscribe_multiple(client, NULL, (int)mqtt->options.topic_count, mqtt->topics,
                                     QOS, MQTT_SUB_OPT_SEND_RETAIN_NEW, NULL);
}

static void on_subscribe(struct mosquitto *client, void *context, int id, int count,
                         const int *granted)
{
    struct mqtt *mqtt = context;
    (void)client, (void)id;

    for (int i = 0; i < count; i++)
        if (granted[i] != QOS)
            report(mqtt, LOG_ERROR, "mqtt.subscription_refused",
                   (size_t)i < mqtt->options.topic_count ? mqtt->topics[i] : "");
    come_into_use(mqtt);
}

static void on_message(struct mosquitto *client, void *context,
                       const struct mosquitto_message *message)
{
    struct mqtt *mqtt = context;
    (void)client;

    mqtt->counters.received++;
    if (mqtt->refusing)
        return;
    struct mqtt_message lent = {.topic = message->topic,
                                .payload = message->payload,
                                .size = (size_t)message->payloadlen,
                                .qos = message->qos,
                                .retained = message->retain};
    uint64_t number = mqtt->options.on_message(mqtt->options.context, &lent);
    if (number == MQTT_REFUSED) {
        mqtt->counters.refused++;
        mqtt->refusing = true;
    } else if (number > mqtt->owed) {
        mqtt->owed = number;
    }
}

/* QoS 0: written. Others: acknowledged. */
static void on_publish(struct mosquitto *client, void *context, int id, int reason,
                       const mosquitto_property *properties)
{
    struct mqtt *mqtt = context;
    (void)client, (void)properties;
    if (!mqtt->writing && mqtt->unacknowledged > 0)
        mqtt->unacknowledged--;
    if (mqtt->on_published)
        mqtt->on_published(mqtt->published_context, id, reason);
}

/* --- set-up --- */

static bool set_credentials(struct mqtt *mqtt, char *error, size_t error_size)
{
    const struct mqtt_options *options = &mqtt->options;
    char password[SECRET_SIZE] = "";

    if (!options->username)
        return true;
    if (options->password_path &&
        !secret_file_read(options->password_path, password, error, error_size))
        return false;
    int result = mosquitto_username_pw_set(mqtt->client, options->username,
                                           options->password_path ? password : NULL);
    explicit_bzero(password, sizeof(password));
    if (result != MOSQ_ERR_SUCCESS)
        snprintf(error, error_size, "mqtt username: %s", mosquitto_strerror(result));
    return result == MOSQ_ERR_SUCCESS;
}

static bool set_tls(struct mqtt *mqtt, char *error, size_t error_size)
{
    const struct mqtt_options *options = &mqtt->options;

    if (!options->ca_path)
        return true;
    int result = mosquitto_tls_set(mqtt->client, options->ca_path, NULL, options->certificate_path,
                                   options->key_path, NULL);
    if (result != MOSQ_ERR_SUCCESS)
        snprintf(error, error_size, "mqtt TLS files (%s ...): %s", options->ca_path,
                 mosquitto_strerror(result));
    return result == MOSQ_ERR_SUCCESS;
}

/* The library takes properties for CONNECT only together with a connect that blocks, and remembers
 * them for those that do not. Without a host it remembers them and goes no further. */
static void set_session_expiry(struct mqtt *mqtt)
{
    mosquitto_property *properties = NULL;
    if (mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                     SESSION_NEVER_EXPIRES) != MOSQ_ERR_SUCCESS)
        abort();
    if (mosquitto_connect_bind_v5(mqtt->client, NULL, 0, 0, NULL, properties) != MOSQ_ERR_INVAL)
        abort();
    mosquitto_property_free_all(&properties);
}

static bool configure(struct mqtt *mqtt, char *error, size_t error_size)
{
    struct mosquitto *client = mqtt->client;

    mosquitto_threaded_set(client, true); /* acknowledgements wait for us: see mqtt.h */
    mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_int_option(client, MOSQ_OPT_RECEIVE_MAXIMUM, mqtt->options.receive_maximum);
    mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_connect_v5_callback_set(client, on_connect);
    mosquitto_subscribe_callback_set(client, on_subscribe);
    mosquitto_message_callback_set(client, on_message);
    mosquitto_publish_v5_callback_set(client, on_publish);
    set_session_expiry(mqtt);
    return set_credentials(mqtt, error, error_size) && set_tls(mqtt, error, error_size);
}

/* The rest the library has copied where it needs it. */
static void keep_texts(struct mqtt *mqtt)
{
    const struct mqtt_options *options = &mqtt->options;
    bool good = (mqtt->host = strdup(options->host)) &&
                (mqtt->topics = calloc(options->topic_count + 1, sizeof(*mqtt->topics)));

    for (size_t i = 0; good && i < options->topic_count; i++)
        good = (mqtt->topics[i] = strdup(options->topics[i])) != NULL;
    if (!good)
        abort();
}

static void release(struct mqtt *mqtt)
{
    forget_socket(mqtt);
    event_free(mqtt->reconnect);
    event_free(mqtt->every_second);
    mosquitto_destroy(mqtt->client);
    free(mqtt->host);
    for (size_t i = 0; i < mqtt->options.topic_count; i++)
        free(mqtt->topics[i]);
    free(mqtt->topics);
    free(mqtt);
    mosquitto_lib_cleanup(); /* counts its inits */
}

static void set_defaults(struct mqtt_options *options)
{
    if (options->receive_maximum == 0)
        options->receive_maximum = RECEIVE_MAXIMUM;
    if (options->reconnect_min_ms == 0)
        options->reconnect_min_ms = RECONNECT_MIN_MS;
    if (options->reconnect_max_ms == 0)
        options->reconnect_max_ms = RECONNECT_MAX_MS;
}

struct mqtt *mqtt_open(struct event_base *base, const struct mqtt_options *options, char *error,
                       size_t error_size)
{
    static const struct timeval second = {1, 0};
    struct mqtt *mqtt = calloc(1, sizeof(*mqtt));

    mosquitto_lib_init();
    if (!mqtt)
        abort();
    mqtt->base = base;
    mqtt->options = *options;
    set_defaults(&mqtt->options);
    keep_texts(mqtt);
    mqtt->client = mosquitto_new(options->client_id, false, mqtt);
    mqtt->reconnect = event_new(base, -1, 0, on_reconnect, mqtt);
    mqtt->every_second = event_new(base, -1, EV_PERSIST, on_second, mqtt);
    if (!mqtt->client || !mqtt->reconnect || !mqtt->every_second)
        abort();
    if (!configure(mqtt, error, error_size)) {
        release(mqtt);
        return NULL;
    }
    event_add(mqtt->every_second, &second);
    begin_with_socket(mqtt, mosquitto_connect_async(mqtt->client, options->host, options->port,
                                                    options->keepalive_s));
    return mqtt;
}

void mqtt_close(struct mqtt *mqtt)
{
    if (!mqtt)
        return;
    if (mqtt->state == CONNECTED && !is_withheld(mqtt)) {
        mosquitto_disconnect(mqtt->client);
        (void)mosquitto_loop_write(mqtt->client, 1);
    }
    release(mqtt);
}

/* --- use --- */

void mqtt_durable(struct mqtt *mqtt, uint64_t number)
{
    bool was_withheld = is_withheld(mqtt);

    if (number > mqtt->durable)
        mqtt->durable = number;
    if (mqtt->state != WAITING && was_withheld && !is_withheld(mqtt))
        write_out(mqtt);
}

int mqtt_publish(struct mqtt *mqtt, const char *topic, const void *payload, size_t size, int qos,
                 bool retain)
{
    int id = 0;

    if (mqtt->state != CONNECTED || mqtt->queued >= MQTT_PUBLISHING_MAX ||
        mqtt->unacknowledged >= MQTT_PUBLISHING_MAX ||
        mosquitto_publish(mqtt->client, &id, topic, (int)size, payload, qos, retain) !=
            MOSQ_ERR_SUCCESS) {
        mqtt->counters.publish_refused++;
        return 0;
    }
    mqtt->counters.published++;
    mqtt->queued++;
    mqtt->unacknowledged += qos > 0;
    watch(mqtt);
    return id;
}

void mqtt_watch_published(struct mqtt *mqtt, mqtt_on_published *on_published, void *context)
{
    mqtt->on_published = on_published;
    mqtt->published_context = context;
}

void mqtt_pause_reading(struct mqtt *mqtt, bool pause)
{
    if (mqtt->paused == pause)
        return;
    mqtt->paused = pause;
    if (mqtt->state != WAITING)
        watch(mqtt);
}

bool mqtt_is_connected(const struct mqtt *mqtt)
{
    return mqtt->state == CONNECTED;
}

const struct mqtt_counters *mqtt_counters(const struct mqtt *mqtt)
{
    return &mqtt->counters;
}
