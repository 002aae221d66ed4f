/*
 * A crowd of devices on TCP, one thread on epoll, the same for the gateway and for every floor:
 *
 *     tcp_client SAYS PORT CONNECTIONS RATE SECONDS FIRST
 *
 * SAYS is heartbeat, panic (one frame of a wristband each), ping (redis) or the name of a codec, whose
 * heartbeats are said then. Each connection has one message under way at most; an answer ends with `]`
 * or a line feed, that to a codec's heartbeat with what arrives. RATE 0 sends again as soon as an answer is
 * there; otherwise so many a second are sent over all connections in turn, and a moment at which
 * every connection waits is counted as starved, and made up for. SECONDS 0: every connection says one
 * message, `held` is printed, and nothing more is said until standard input ends. FIRST is the number
 * of the first press (bench.h), or of the first connection's device where heartbeats are said.
 */
#include "protocol/codec.h"
#include "tests/bench/bench.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#define EVENTS 256
#define DRAIN_US 2000000 /* for the last answers */

struct client {
    int fd;
    int64_t number;  /* whose heartbeats it says */
    int64_t sent_us; /* 0: nothing under way */
};

struct crowd {
    struct client *clients;
    int count, epoll, next, waiting;
    char says;                 /* h, p, r or, of a codec, c */
    const struct codec *codec; /* of c */
    int64_t number;            /* of the next press */
    int64_t *latencies;
    size_t answered, room;
    int64_t sent, starved, broken;
};

/* The heartbeat of a codec's device; the protocols differ in how many digits its name has. */
static int frame_of_codec(const struct codec *codec, int64_t number, char frame[FRAME_SIZE])
{
    const struct codec_environment environment = {.now_us = INT64_C(1790000000000000)};
    struct codec_session session = {0};
    struct signal signal = {.kind = SIGNAL_HEARTBEAT, .device = DEVICE_WRISTBAND};
    struct writer topic = writer_into(NULL, 0), out = writer_into(frame, FRAME_SIZE);

    snprintf(signal.identity, sizeof(signal.identity), "1%010lld", (long long)number);
    if (!codec->compose(&signal, &session, &environment, &topic, &out))
        fail("compose");
    return (int)out.size;
}

static void say(struct crowd *crowd, struct client *client)
{
    char frame[FRAME_SIZE] = "PING\r\n";
    int size = 6;

    if (crowd->says == 'h')
        size = frame_heartbeat(frame, client->number);
    else if (crowd->says == 'p')
        size = frame_panic(frame, crowd->number++);
    else if (crowd->says == 'c')
        size = frame_of_codec(crowd->codec, client->number, frame);
    client->sent_us = now_us();
    crowd->sent++;
    crowd->waiting++;
    if (send(client->fd, frame, (size_t)size, MSG_NOSIGNAL) != size)
        fail("send");
}

/* What came; true if it completes the answer. */
static bool hear(struct crowd *crowd, struct client *client)
{
    char data[1024];
    ssize_t size = recv(client->fd, data, sizeof(data), MSG_DONTWAIT);

    if (size <= 0) {
        if (size < 0 && errno == EAGAIN)
            return false;
        crowd->broken++;
        epoll_ctl(crowd->epoll, EPOLL_CTL_DEL, client->fd, NULL);
        return false;
    }
    if (client->sent_us == 0 ||
        (crowd->says != 'c' && data[size - 1] != ']' && data[size - 1] != '\n'))
        return false;
    if (crowd->answered < crowd->room)
        crowd->latencies[crowd->answered] = now_us() - client->sent_us;
    crowd->answered++;
    crowd->waiting--;
    client->sent_us = 0;
    return true;
}

/* Waits for answers, at most until that time. */
static void take_answers(struct crowd *crowd, int64_t until_us, bool again)
{
    struct epoll_event events[EVENTS];
    int64_t wait_us = until_us - now_us();
    struct timespec wait = {wait_us > 0 ? wait_us / 1000000 : 0,
                            wait_us > 0 ? wait_us % 1000000 * 1000 : 0};
    int count = epoll_pwait2(crowd->epoll, events, EVENTS, &wait, NULL);

    for (int i = 0; i < count; i++) {
        struct client *client = events[i].data.ptr;
        if (hear(crowd, client) && again)
            say(crowd, client);
    }
}

static struct client *find_idle(struct crowd *crowd)
{
    for (int tried = 0; tried < crowd->count; tried++) {
        struct client *client = &crowd->clients[crowd->next];
        crowd->next = (crowd->next + 1) % crowd->count;
        if (client->sent_us == 0)
            return client;
    }
    return NULL;
}

static void run_paced(struct crowd *crowd, double rate, int64_t start_us, int64_t end_us)
{
    double due_us = (double)start_us;

    while (now_us() < end_us) {
        while (due_us <= (double)now_us()) {
            struct client *client = find_idle(crowd);
            if (client == NULL) {
                crowd->starved++;
                break;
            }
            say(crowd, client);
            due_us += 1e6 / rate;
        }
        take_answers(crowd, (int64_t)due_us < end_us ? (int64_t)due_us : end_us, false);
    }
}

static void run_closed(struct crowd *crowd, int64_t end_us)
{
    for (int i = 0; i < crowd->count; i++)
        say(crowd, &crowd->clients[i]);
    while (now_us() < end_us)
        take_answers(crowd, end_us, true);
}

static void drain(struct crowd *crowd)
{
    int64_t end_us = now_us() + DRAIN_US;

    while (crowd->waiting > 0 && now_us() < end_us)
        take_answers(crowd, end_us, false);
}

static void hold(struct crowd *crowd)
{
    char ignored[16];

    for (int i = 0; i < crowd->count; i++) {
        say(crowd, &crowd->clients[i]);
        drain(crowd);
    }
    printf("held=%zu\n", crowd->answered);
    fflush(stdout);
    while (read(STDIN_FILENO, ignored, sizeof(ignored)) > 0) {
    }
}

static void open_clients(struct crowd *crowd, int port, int64_t first)
{
    crowd->epoll = epoll_create1(0);
    crowd->clients = calloc((size_t)crowd->count, sizeof(*crowd->clients));
    crowd->room = 4000000;
    crowd->latencies = calloc(crowd->room, sizeof(*crowd->latencies));
    if (crowd->epoll < 0 || !crowd->clients || !crowd->latencies)
        fail("start");
    for (int i = 0; i < crowd->count; i++) {
        struct client *client = &crowd->clients[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        client->fd = connect_to(port);
        client->number = first + i;
        if (epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, client->fd, &event) != 0)
            fail("epoll_ctl");
    }
}

int main(int argc, char **argv)
{
    struct crowd crowd = {0};

    if (argc != 7) {
        fputs("usage: tcp_client heartbeat|panic|ping|CODEC PORT CONNECTIONS RATE SECONDS FIRST\n",
              stderr);
        return 2;
    }
    crowd.says = strcmp(argv[1], "ping") == 0 ? 'r' : argv[1][0];
    if (codec_find(argv[1]) >= 0) {
        crowd.says = 'c';
        crowd.codec = codecs[codec_find(argv[1])];
    }
    crowd.count = (int)strtol(argv[3], NULL, 10);
    crowd.number = strtoll(argv[6], NULL, 10);
    open_clients(&crowd, (int)strtol(argv[2], NULL, 10), crowd.number);

    double rate = strtod(argv[4], NULL), seconds = strtod(argv[5], NULL);
    int64_t start_us = now_us(), end_us = start_us + (int64_t)(seconds * 1e6);
    if (seconds <= 0) {
        hold(&crowd);
        return 0;
    }
    if (rate > 0)
        run_paced(&crowd, rate, start_us, end_us);
    else
        run_closed(&crowd, end_us);
    size_t answered = crowd.answered;
    double took_s = (double)(now_us() - start_us) / 1e6;
    drain(&crowd);
    printf("rate=%.0f sent=%lld unanswered=%d broken=%lld starved=%lld ", (double)answered / took_s,
           (long long)crowd.sent, crowd.waiting, (long long)crowd.broken, (long long)crowd.starved);
    print_latencies(crowd.latencies, crowd.answered < crowd.room ? crowd.answered : crowd.room);
    putchar('\n');
    return 0;
}
