/*
 * Sends captured frames and prints what came back, one line of JSON a frame. The file has one object
 * a line: "frame" with "encoding" text or hex, "topic" for MQTT, and "derived"."wire_ok", false where
 * the frame could not have been on a wire as it stands (sent only with --all).
 *
 * Over TCP or UDP each frame gets a connection of its own, many at once; an answer is over when a whole
 * frame of the protocol has come, when the peer closes, or when the wait is.
 */
#include "daemon/base/attributes.h"
#include "daemon/base/field.h"
#include "protocol/codec.h"
#include "tools/sim/broker.h"
#include "tools/sim/command.h"
#include "tools/sim/wire.h"

#include <event2/event.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE 64
#define ANSWER_MAX 4096

struct replay;

struct capture {
    struct replay *replay;
    long line;
    char *topic; /* NULL: none */
    uint8_t *frame;
    size_t frame_size;
    struct wire wire;
    struct event *timer;
    bool is_begun, is_over, is_closed_by_peer;
    uint8_t answer[ANSWER_MAX];
    size_t answer_size;
};

struct replay {
    const struct codec *codec;
    struct endpoint to, mqtt;
    bool all, is_datagram;
    int wait_ms;
    struct capture *captures;
    size_t count, limit, begun, over;
    struct event_base *base;
    struct broker *broker;
};

/* --- the file --- */

static bool decode_frame(struct capture *capture, const char *frame, bool is_hex)
{
    size_t size = strlen(frame);

    capture->frame = malloc(size + 1);
    if (!capture->frame)
        abort();
    capture->frame_size = size;
    if (is_hex)
        return bytes_parse_hex_string(bytes_of(frame), capture->frame, size, &capture->frame_size);
    memcpy(capture->frame, frame, size);
    return true;
}

static struct capture *append(struct replay *replay)
{
    if (replay->count == replay->limit) {
        replay->limit = replay->limit ? 2 * replay->limit : 256;
        replay->captures = realloc(replay->captures, replay->limit * sizeof(struct capture));
        if (!replay->captures)
            abort();
    }
    struct capture *capture = &replay->captures[replay->count++];
    *capture = (struct capture){.replay = replay};
    return capture;
}

static bool read_line(struct replay *replay, const char *path, long line, const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    const char *frame = json_string_value(json_object_get(json, "frame"));
    const char *encoding = json_string_value(json_object_get(json, "encoding"));
    const char *topic = json_string_value(json_object_get(json, "topic"));
    const json_t *wire_ok = json_object_get(json_object_get(json, "derived"), "wire_ok");
    bool is_wanted = replay->all || !json_is_false(wire_ok);
    bool is_good = frame != NULL;

    if (is_good && is_wanted) {
        struct capture *capture = append(replay);
        capture->line = line;
        capture->topic = topic ? strdup(topic) : NULL;
        is_good = decode_frame(capture, frame, encoding && strcmp(encoding, "hex") == 0);
    }
    if (!is_good)
        fprintf(stderr, "onekey-sim: %s:%ld: no frame in it\n", path, line);
    json_decref(json);
    return is_good;
}

static bool read_file(struct replay *replay, const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;
    bool is_good = file != NULL;

    if (!file)
        perror(path);
    for (long line = 1; is_good && getline(&text, &size, file) > 0; line++)
        is_good = read_line(replay, path, line, text);
    free(text);
    if (file)
        fclose(file);
    return is_good;
}

/* --- over TCP --- */

static void begin_next(struct replay *replay);

/* A captured frame's answer is as long as it will get. */
static void end_capture(struct capture *capture)
{
    if (capture->is_over)
        return;
    capture->is_over = true;
    wire_close(&capture->wire);
    event_free(capture->timer);
    capture->replay->over++;
    if (capture->replay->over == capture->replay->count)
        event_base_loopbreak(capture->replay->base);
    else
        begin_next(capture->replay);
}

static void on_up(void *context)
{
    struct capture *capture = context;

    wire_send(&capture->wire, (struct bytes){capture->frame, capture->frame_size});
}

static size_t on_input(void *context, struct bytes input)
{
    struct capture *capture = context;
    size_t skip, size, room = ANSWER_MAX - capture->answer_size;
    size_t taken = input.size < room ? input.size : room;

    memcpy(capture->answer + capture->answer_size, input.data, taken);
    capture->answer_size += taken;
    struct bytes answer = {capture->answer, capture->answer_size};
    if (capture->replay->codec->split(answer, &skip, &size) == FRAME_READY)
        end_capture(capture);
    return input.size;
}

static void on_down(void *context)
{
    struct capture *capture = context;

    capture->is_closed_by_peer = true;
    end_capture(capture);
}

static void on_timeout(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    end_capture(context);
}

static const struct wire_events wire_events = {on_up, on_input, on_down};

static void begin_next(struct replay *replay)
{
    if (replay->begun == replay->count)
        return;
    struct capture *capture = &replay->captures[replay->begun++];
    const struct timeval wait = {.tv_sec = replay->wait_ms / 1000,
                                 .tv_usec = replay->wait_ms % 1000 * 1000};

    capture->wire = (struct wire){.events = &wire_events, .context = capture};
    capture->timer = evtimer_new(replay->base, on_timeout, capture);
    event_add(capture->timer, &wait);
    if (!wire_open(&capture->wire, replay->base, &replay->to))
        on_down(capture);
}

/* The answer as text where it is printable, else in hex. */
static void print_answer(const struct capture *capture)
{
    char line[4 * ANSWER_MAX];
    bool is_text = true;

    for (size_t i = 0; i < capture->answer_size; i++)
        is_text = is_text && capture->answer[i] >= ' ' && capture->answer[i] <= '~';
    const struct field fields[] = {
        field_number("line", capture->line),
        is_text ? field_bytes("reply", capture->answer, capture->answer_size)
                : field_hex("reply", capture->answer, capture->answer_size),
        field_text("encoding", is_text ? "text" : "hex"),
        field_boolean("closed", capture->is_closed_by_peer),
    };
    field_write_json(fields, ARRAY_SIZE(fields), line, sizeof(line));
    puts(line);
}

static bool replay_over_tcp(struct replay *replay)
{
    for (int i = 0; i < AT_ONCE; i++)
        begin_next(replay);
    if (replay->over < replay->count)
        event_base_dispatch(replay->base);
    for (size_t i = 0; i < replay->count; i++)
        print_answer(&replay->captures[i]);
    return true;
}

/* --- over MQTT --- */

static void on_broker_up(void *context)
{
    struct replay *replay = context;

    for (; replay->begun < replay->count; replay->begun++) {
        const struct capture *capture = &replay->captures[replay->begun];
        if (capture->topic)
            broker_publish(replay->broker, capture->topic,
                           (struct bytes){capture->frame, capture->frame_size});
    }
}

static void on_message(void *context, const char *topic, struct bytes body)
{
    char line[4 * ANSWER_MAX];
    const struct field fields[] = {
        field_text("topic", topic),
        field_bytes("reply", body.data, body.size),
    };

    (void)context;
    field_write_json(fields, ARRAY_SIZE(fields), line, sizeof(line));
    puts(line);
}

/* Prints what is answered on the acknowledgement topics until the wait is over. */
static bool replay_over_mqtt(struct replay *replay)
{
    static const struct broker_events events = {on_broker_up, on_message};
    const struct timeval wait = {.tv_sec = replay->wait_ms / 1000,
                                 .tv_usec = replay->wait_ms % 1000 * 1000};

    replay->broker =
        broker_open(replay->base, &replay->mqtt, "onekey/v1/+/+/down/ack", &events, replay);
    if (!replay->broker)
        return false;
    do {
        event_base_loopexit(replay->base, &wait);
        event_base_dispatch(replay->base);
    } while (broker_is_up(replay->broker) && broker_outstanding(replay->broker) > 0);
    bool is_done = replay->begun == replay->count && broker_outstanding(replay->broker) == 0;
    broker_close(replay->broker);
    return is_done;
}

/* --- the command line --- */

static bool parse_option(struct replay *replay, int option, const char *text)
{
    int found;
    int64_t wait_ms;

    switch (option) {
    case 'p':
        found = codec_find(text);
        if (found < 0)
            fprintf(stderr, "onekey-sim: no protocol %s\n", text);
        replay->codec = found < 0 ? NULL : codecs[found];
        return found >= 0;
    case 't':
        return endpoint_parse(&replay->to, text);
    case 'm':
        return endpoint_parse(&replay->mqtt, text);
    case 'w':
        if (!bytes_parse_decimal(bytes_of(text), &wait_ms) || wait_ms < 1 || wait_ms > 600000)
            return false;
        replay->wait_ms = (int)wait_ms;
        return true;
    case 'u':
        replay->is_datagram = true;
        return true;
    case 'a':
        replay->all = true;
        return true;
    default:
        return false;
    }
}

static bool run(struct replay *replay, const char *path)
{
    bool is_good = read_file(replay, path);

    replay->base = event_base_new();
    if (is_good)
        is_good = replay->mqtt.port ? replay_over_mqtt(replay) : replay_over_tcp(replay);
    for (size_t i = 0; i < replay->count; i++) {
        free(replay->captures[i].frame);
        free(replay->captures[i].topic);
    }
    free(replay->captures);
    event_base_free(replay->base);
    return is_good;
}

int replay_command(int argc, char **argv)
{
    static const struct option options[] = {
        {"protocol", required_argument, NULL, 'p'},
        {"to", required_argument, NULL, 't'},
        {"mqtt", required_argument, NULL, 'm'},
        {"wait-ms", required_argument, NULL, 'w'},
        {"udp", no_argument, NULL, 'u'},
        {"all", no_argument, NULL, 'a'},
        {0},
    };
    struct replay replay = {.wait_ms = 1000};
    bool is_good = true;

    for (int option; is_good && (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        is_good = parse_option(&replay, option, optarg);
    replay.to.is_datagram = replay.is_datagram;
    bool has_stream = replay.codec && replay.codec->split && replay.to.port;
    if (!is_good || optind != argc - 1 || !(has_stream || replay.mqtt.port)) {
        fprintf(stderr, "usage: onekey-sim replay --protocol P --to HOST:PORT [--udp] [--all] "
                        "[--wait-ms N] FILE.jsonl\n"
                        "       onekey-sim replay --mqtt HOST:PORT [--all] [--wait-ms N] "
                        "FILE.jsonl\n");
        return 2;
    }
    return run(&replay, argv[optind]) ? 0 : 1;
}
