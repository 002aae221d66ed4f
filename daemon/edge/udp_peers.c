#include "daemon/edge/udp_peers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>
#include <utlist.h>

#include "daemon/base/instant.h"
#include "daemon/base/pool.h"
#include "daemon/core/gateway.h"
#include "daemon/edge/clock.h"
#include "daemon/edge/setup.h"
#include "daemon/edge/udp.h"

#define PEERS_MAX 65536
#define UDP_MARK (UINT64_C(1) << 63)

struct socket {
    struct udp_peers *peers;
    struct udp *udp;
    int codec;
    uint32_t options; /* enum codec_option */
    uint8_t listener; /* the gateway's number of it */
};

struct key {
    struct udp_peer peer;
    uint32_t socket;
};

struct peer {
    struct key key;
    UT_hash_handle hh;
    struct peer *prev, *next; /* silent longest first */
    uint64_t session, handle;
    int64_t heard_us;
};

struct udp_peers {
    struct inlets_setup setup;
    struct socket sockets[CONFIG_LISTENERS_MAX];
    uint32_t socket_count;
    struct pool pool;
    void *memory;
    struct peer *by_key, *oldest;
    struct udp_peers_bytes bytes;
};

struct udp_peers *udp_peers_open(const struct inlets_setup *setup)
{
    struct udp_peers *peers = calloc(1, sizeof(*peers));

    assert(peers);
    peers->setup = *setup;
    return peers;
}

static void forget(struct udp_peers *peers, struct peer *peer)
{
    HASH_DEL(peers->by_key, peer);
    DL_DELETE(peers->oldest, peer);
    pool_remove(&peers->pool, peer->handle);
}

static void expire(struct udp_peers *peers, struct peer *peer)
{
    gateway_closed(peers->setup.gateway, peer->session);
    forget(peers, peer);
}

static struct peer *meet(struct socket *socket, const struct key *key)
{
    struct udp_peers *peers = socket->peers;
    uint64_t handle = pool_add(&peers->pool);

    if (handle == HANDLE_NONE) {
        expire(peers, peers->oldest);
        handle = pool_add(&peers->pool);
    }

    struct peer *peer = pool_get(&peers->pool, handle);

    peer->key = *key;
    peer->handle = handle;
    peer->session = gateway_connected(peers->setup.gateway, socket->codec, handle | UDP_MARK);
    if (peer->session == 0 && peers->oldest) {
        expire(peers, peers->oldest);
        peer->session = gateway_connected(peers->setup.gateway, socket->codec, handle | UDP_MARK);
    }
    if (peer->session == 0) {
        pool_remove(&peers->pool, handle);
        return NULL;
    }
    gateway_introduce(peers->setup.gateway, peer->session,
                      &(struct introduction){.options = socket->options,
                                             .listener = socket->listener,
                                             .is_datagram = true});
    HASH_ADD(hh, peers->by_key, key, sizeof(peer->key), peer);
    DL_APPEND(peers->oldest, peer);
    return peer;
}

static void on_datagram(void *context, const struct udp_peer *from, const uint8_t *data,
                        size_t size)
{
    struct socket *socket = context;
    struct udp_peers *peers = socket->peers;
    struct key key;
    struct peer *peer;
    uint64_t handle, session;

    peers->setup.on_turn(peers->setup.context);
    peers->bytes.in += size;
    memset(&key, 0, sizeof(key));
    key.peer = *from;
    key.socket = (uint32_t)(socket - peers->sockets);
    HASH_FIND(hh, peers->by_key, &key, sizeof(key), peer);
    if (!peer && !(peer = meet(socket, &key)))
        return;
    DL_DELETE(peers->oldest, peer);
    DL_APPEND(peers->oldest, peer);
    peer->heard_us = clock_now().mono_us;
    handle = peer->handle;
    session = peer->session;
    /* What a datagram leaves over can never be completed by another: the session starts anew. */
    if (gateway_input(peers->setup.gateway, session, (struct bytes){data, size}) < size &&
        (peer = pool_get(&peers->pool, handle)) != NULL)
        expire(peers, peer);
    /* What is read without room is lost; what waits in the kernel is not. */
    if (!gateway_has_room(peers->setup.gateway))
        udp_peers_pause(peers, true);
}

bool udp_peers_listen(struct udp_peers *peers, const struct config_listener *config, int codec,
                      char *error, size_t error_size)
{
    struct socket *socket = &peers->sockets[peers->socket_count];

    if (!peers->memory) {
        /* Senders' addresses can be forged: they must not use up what connections need. */
        uint32_t half = (uint32_t)peers->setup.config->gateway.sessions_max / 2;
        uint32_t most = half < PEERS_MAX ? half : PEERS_MAX;

        peers->memory = calloc(1, pool_memory_size(sizeof(struct peer), most));
        assert(peers->memory);
        pool_init(&peers->pool, peers->memory, sizeof(struct peer), most);
    }
    socket->peers = peers;
    socket->codec = codec;
    socket->options = setup_codec_options(config->meter_status);
    socket->listener = (uint8_t)(GATEWAY_BROKER + 1 + (config - peers->setup.config->listeners));
    socket->udp = udp_open(peers->setup.base,
                           &(struct udp_options){.address = config->address,
                                                 .port = (uint16_t)config->port,
                                                 .on_datagram = on_datagram,
                                                 .context = socket},
                           error, error_size);
    if (!socket->udp)
        return false;
    peers->socket_count++;
    return true;
}

void udp_peers_close(struct udp_peers *peers)
{
    for (uint32_t i = 0; i < peers->socket_count; i++)
        udp_close(peers->sockets[i].udp);
    HASH_CLEAR(hh, peers->by_key);
    free(peers->memory);
    free(peers);
}

bool udp_peers_owns(uint64_t connection)
{
    return connection & UDP_MARK;
}

void udp_peers_send(struct udp_peers *peers, uint64_t connection, struct bytes data)
{
    struct peer *peer = pool_get(&peers->pool, connection & ~UDP_MARK);

    if (peer &&
        udp_send(peers->sockets[peer->key.socket].udp, &peer->key.peer, data.data, data.size))
        peers->bytes.out += data.size;
}

void udp_peers_forget(struct udp_peers *peers, uint64_t connection)
{
    struct peer *peer = pool_get(&peers->pool, connection & ~UDP_MARK);

    if (peer)
        forget(peers, peer);
}

void udp_peers_pause(struct udp_peers *peers, bool pause)
{
    for (uint32_t i = 0; i < peers->socket_count; i++)
        udp_pause_reading(peers->sockets[i].udp, pause);
}

void udp_peers_turn(struct udp_peers *peers)
{
    int64_t limit_us = clock_now().mono_us - UDP_PEER_IDLE_US;

    while (peers->oldest && peers->oldest->heard_us < limit_us)
        expire(peers, peers->oldest);
}

uint32_t udp_peers_count(const struct udp_peers *peers)
{
    return HASH_COUNT(peers->by_key);
}

struct udp_peers_bytes udp_peers_bytes(const struct udp_peers *peers)
{
    return peers->bytes;
}
