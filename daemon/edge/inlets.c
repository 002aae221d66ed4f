#include "daemon/edge/inlets.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/core/gateway.h"
#include "daemon/edge/mqtt.h"
#include "daemon/edge/setup.h"
#include "daemon/edge/tcp.h"
#include "daemon/edge/tls.h"
#include "daemon/edge/udp_peers.h"

#define OUTPUT_MAX 65536
#define TOPICS_MAX 64

struct inlet {
    struct inlets *inlets;
    int codec; /* -1: told by the first bytes */
    int32_t client_identity;
    uint32_t options; /* enum codec_option */
    struct tls *tls;
    struct tcp_listener *listener;
};

struct inlets {
    struct inlets_setup setup;
    struct tcp *tcp;
    struct mqtt *mqtt;
    struct udp_peers *udp;
    struct inlet inlets[CONFIG_LISTENERS_MAX];
    int count;
    bool draining;
};

static uint64_t on_open(void *context, uint64_t connection, const struct tcp_peer *peer)
{
    struct inlet *inlet = context;
    struct inlets_setup *setup = &inlet->inlets->setup;
    struct introduction introduction = {
        .options = inlet->options,
        .listener = (uint8_t)(GATEWAY_BROKER + 1 + (inlet - inlet->inlets->inlets))};
    uint64_t session;

    setup->on_turn(setup->context);
    log_event(setup->log, LOG_DEBUG, "session.opened", field_text("peer", peer->address),
              field_text("certificate", peer->certificate));
    session = gateway_connected(setup->gateway, inlet->codec, connection);
    if (inlet->client_identity == CONFIG_COMMON_NAME)
        introduction.identity = peer->certificate;
    else if (inlet->client_identity == CONFIG_SERIAL_NUMBER)
        introduction.identity = peer->serial;
    gateway_introduce(setup->gateway, session, &introduction);
    return session;
}

static void pause_reading(struct inlets *inlets, bool pause)
{
    tcp_pause_reading(inlets->tcp, pause);
    udp_peers_pause(inlets->udp, pause);
    if (inlets->mqtt)
        mqtt_pause_reading(inlets->mqtt, pause);
}

static size_t on_input(void *context, uint64_t token, const uint8_t *data, size_t size)
{
    struct inlet *inlet = context;
    struct inlets_setup *setup = &inlet->inlets->setup;
    size_t done;

    setup->on_turn(setup->context);
    done = gateway_input(setup->gateway, token, (struct bytes){data, size});
    /* At once, not at the turn's end: what is left may be a whole frame, and only what is held by a
     * pause is offered again without more bytes of the peer. */
    if (!gateway_has_room(setup->gateway))
        pause_reading(inlet->inlets, true);
    return done;
}

static void on_close(void *context, uint64_t token, enum tcp_reason reason)
{
    struct inlet *inlet = context;
    struct inlets_setup *setup = &inlet->inlets->setup;

    setup->on_turn(setup->context);
    if (reason != TCP_PEER_CLOSED)
        log_event(setup->log, LOG_INFO, "session.closed",
                  field_text("reason", tcp_reason_text(reason)));
    gateway_closed(setup->gateway, token);
}

static uint64_t on_message(void *context, const struct mqtt_message *message)
{
    struct inlets_setup *setup = &((struct inlets *)context)->setup;
    struct message in = {.topic = bytes_of(message->topic),
                         .body = {message->payload, message->size}};
    uint64_t owed;

    setup->on_turn(setup->context);
    if (message->retained)
        return MQTT_NOTHING; /* said before we listened: not news, and alarms are never retained */
    if (!gateway_has_room(setup->gateway))
        return MQTT_REFUSED;
    owed = gateway_message(setup->gateway, &in);
    return owed == GATEWAY_REFUSED ? MQTT_REFUSED : owed;
}

static void on_mqtt_state(void *context, bool connected)
{
    struct inlets *inlets = context;

    log_event(inlets->setup.log, connected ? LOG_NOTICE : LOG_WARNING,
              connected ? "mqtt.connected" : "mqtt.lost",
              field_text("host", inlets->setup.config->mqtt.host));
}

static bool open_tls(struct inlet *inlet, const struct config_listener *config, char *error,
                     size_t error_size)
{
    if (config->transport != CONFIG_TLS)
        return true;
    inlet->tls = tls_open(
        &(struct tls_options){.certificate_path = config->certificate,
                              .key_path = config->key,
                              .client_ca_path = config->client_ca[0] ? config->client_ca : NULL},
        error, error_size);
    return inlet->tls != NULL;
}

/* A frame of the largest codec that may come here, and as much again behind it. */
static size_t input_max_for(int codec)
{
    size_t largest = 0;

    for (int i = 0; i < codec_count; i++)
        if ((codec < 0 || codec == i) && codecs[i]->frame_max > largest)
            largest = codecs[i]->frame_max;
    return largest + 1024 < TCP_INPUT_MAX_LIMIT ? largest + 1024 : TCP_INPUT_MAX_LIMIT;
}

static bool open_stream(struct inlet *inlet, const struct config_listener *config, char *error,
                        size_t error_size)
{
    struct tcp_listener_options options = {
        .address = config->address,
        .port = (uint16_t)config->port,
        .connections_max = (uint32_t)config->connections_max,
        .accepts_per_second = (uint32_t)config->accepts_per_second,
        .handshake_timeout_s = (uint32_t)config->handshake_timeout_s,
        .idle_timeout_s = (uint32_t)config->idle_timeout_s,
        .input_max = input_max_for(inlet->codec),
        .output_max = OUTPUT_MAX,
        .callbacks = {on_open, on_input, on_close},
        .context = inlet,
    };

    if (!open_tls(inlet, config, error, error_size))
        return false;
    options.tls = inlet->tls;
    inlet->listener = tcp_listen(inlet->inlets->tcp, &options, error, error_size);
    return inlet->listener != NULL;
}

static bool open_listener(struct inlets *inlets, const struct config_listener *config, char *error,
                          size_t error_size)
{
    struct inlet *inlet = &inlets->inlets[inlets->count];
    char reason[256] = "";
    bool ok;

    inlet->inlets = inlets;
    inlet->client_identity = config->client_identity;
    inlet->options = setup_codec_options(config->meter_status);
    inlet->codec = strcmp(config->protocol, "any") == 0 ? -1 : codec_find(config->protocol);
    if (inlet->codec < 0 && strcmp(config->protocol, "any") != 0) {
        snprintf(error, error_size, "[listen %s] protocol: there is no protocol '%s'", config->name,
                 config->protocol);
        return false;
    }
    if (config->transport == CONFIG_UDP)
        ok = udp_peers_listen(inlets->udp, config, inlet->codec, reason, sizeof(reason));
    else
        ok = open_stream(inlet, config, reason, sizeof(reason));
    if (!ok)
        snprintf(error, error_size, "[listen %s] %s", config->name, reason);
    inlets->count++;
    return ok;
}

static bool open_mqtt(struct inlets *inlets, char *error, size_t error_size)
{
    const struct config *config = inlets->setup.config;
    const char *topics[TOPICS_MAX];
    size_t count = 0;

    if (!config->mqtt.enabled)
        return true;
    for (int i = 0; i < codec_count; i++)
        for (const char *const *topic = codecs[i]->topics; topic && *topic; topic++)
            if (count < TOPICS_MAX)
                topics[count++] = *topic;
    for (int i = 0; i < config->mapping_count && count < TOPICS_MAX; i++)
        topics[count++] = config->mappings[i].topic;
    inlets->mqtt = mqtt_open(
        inlets->setup.base,
        &(struct mqtt_options){
            .host = config->mqtt.host,
            .port = (uint16_t)config->mqtt.port,
            .client_id = config->mqtt.client_id,
            .username = config->mqtt.username[0] ? config->mqtt.username : NULL,
            .password_path = config->mqtt.password_file[0] ? config->mqtt.password_file : NULL,
            .ca_path = config->mqtt.ca_file[0] ? config->mqtt.ca_file : NULL,
            .keepalive_s = (uint16_t)config->mqtt.keepalive_s,
            .receive_maximum = (uint16_t)config->mqtt.receive_maximum,
            .reconnect_max_ms = (uint32_t)config->mqtt.reconnect_max_s * 1000,
            .topics = topics,
            .topic_count = count,
            .on_message = on_message,
            .on_state = on_mqtt_state,
            .context = inlets,
            .random = inlets->setup.random,
            .log = inlets->setup.log,
        },
        error, error_size);
    return inlets->mqtt != NULL;
}

struct inlets *inlets_open(const struct inlets_setup *setup, char *error, size_t error_size)
{
    struct inlets *inlets = calloc(1, sizeof(*inlets));
    bool ok = true;

    assert(inlets);
    inlets->setup = *setup;
    inlets->tcp = tcp_open(setup->base, (uint32_t)setup->config->gateway.sessions_max, setup->log);
    inlets->udp = udp_peers_open(setup);
    for (int i = 0; ok && i < setup->config->listener_count; i++)
        ok = open_listener(inlets, &setup->config->listeners[i], error, error_size);
    if (ok && open_mqtt(inlets, error, error_size))
        return inlets;
    inlets_close(inlets);
    return NULL;
}

void inlets_close(struct inlets *inlets)
{
    if (inlets->mqtt)
        mqtt_close(inlets->mqtt);
    tcp_close(inlets->tcp);
    udp_peers_close(inlets->udp);
    for (int i = 0; i < inlets->count; i++)
        if (inlets->inlets[i].tls)
            tls_close(inlets->inlets[i].tls);
    free(inlets);
}

uint32_t inlets_drain(struct inlets *inlets)
{
    if (!inlets->draining)
        tcp_stop_listening(inlets->tcp);
    inlets->draining = true;
    return tcp_count(inlets->tcp);
}

bool inlets_reload(struct inlets *inlets, const struct config *config)
{
    bool all = true;

    inlets->setup.config = config;
    for (int i = 0; i < inlets->count && i < config->listener_count; i++) {
        const struct config_listener *listener = &config->listeners[i];
        struct tls_options options = {.certificate_path = listener->certificate,
                                      .key_path = listener->key,
                                      .client_ca_path =
                                          listener->client_ca[0] ? listener->client_ca : NULL};
        char error[256];

        if (!inlets->inlets[i].tls ||
            tls_reload(inlets->inlets[i].tls, &options, error, sizeof(error)))
            continue;
        all = false;
        log_event(inlets->setup.log, LOG_ERROR, "certificate.kept",
                  field_text("listen", listener->name), field_text("reason", error));
    }
    return all;
}

void inlets_send(struct inlets *inlets, uint64_t connection, struct bytes data)
{
    if (udp_peers_owns(connection))
        udp_peers_send(inlets->udp, connection, data);
    else
        (void)tcp_send(inlets->tcp, connection, data.data, data.size);
}

void inlets_hang_up(struct inlets *inlets, uint64_t connection)
{
    if (udp_peers_owns(connection))
        udp_peers_forget(inlets->udp, connection);
    else
        tcp_hang_up(inlets->tcp, connection, true);
}

void inlets_publish(struct inlets *inlets, struct bytes topic, struct bytes body)
{
    char name[256];

    if (inlets->mqtt && bytes_copy_text(topic, name, sizeof(name)))
        mqtt_publish(inlets->mqtt, name, body.data, body.size, 1, false);
}

struct mqtt *inlets_mqtt(struct inlets *inlets)
{
    return inlets->mqtt;
}

void inlets_turn(struct inlets *inlets, uint64_t durable, bool has_room)
{
    udp_peers_turn(inlets->udp);
    if (inlets->mqtt)
        mqtt_durable(inlets->mqtt, durable);
    pause_reading(inlets, !has_room);
}

struct inlets_figures inlets_figures(const struct inlets *inlets)
{
    const struct tcp_counters *tcp = tcp_counters(inlets->tcp);
    struct udp_peers_bytes udp = udp_peers_bytes(inlets->udp);
    struct inlets_figures figures = {
        .accepted = tcp->accepted,
        .bytes_in = tcp->bytes_in + udp.in,
        .bytes_out = tcp->bytes_out + udp.out,
        .handshakes = tcp->handshakes,
        .handshakes_failed = tcp->handshakes_failed,
        .slow_readers = tcp->closed[TCP_SLOW_READER],
        .oversized = tcp->closed[TCP_OVERSIZED],
        .idle = tcp->closed[TCP_IDLE],
        .failed = tcp->closed[TCP_FAILED],
        .connections = tcp_count(inlets->tcp),
        .udp_peers = udp_peers_count(inlets->udp),
    };

    if (inlets->mqtt) {
        const struct mqtt_counters *mqtt = mqtt_counters(inlets->mqtt);

        figures.mqtt_received = mqtt->received;
        figures.mqtt_refused = mqtt->refused;
        figures.mqtt_published = mqtt->published;
        figures.mqtt_connected = mqtt_is_connected(inlets->mqtt);
    }
    return figures;
}
