/*
 * One device at a terminal: a word a line presses its button or makes it report, and each line of
 * output says what went over the wire and what came back. Read from a file or pipe it is a script:
 * a word waits for the answer to the one before.
 */
#include "daemon/base/attributes.h"
#include "daemon/base/instant.h"
#include "tools/sim/broker.h"
#include "tools/sim/clock.h"
#include "tools/sim/command.h"
#include "tools/sim/device.h"
#include "tools/sim/obey.h"
#include "tools/sim/words.h"

#include <event2/event.h>
#include <getopt.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRIES 3
#define POLL_MS 20
#define WORD_MAX 100

struct play {
    struct device device;
    struct endpoint to, mqtt;
    struct event_base *base;
    struct broker *broker;
    struct random random;
    int wait_ms;
    bool is_down, is_alarm, is_answered;
    uint8_t shown;  /* enum signal_kind that it said last */
    int unanswered; /* alarms without an acknowledgement */
    int64_t sent_at_us;
    struct device_frame frame; /* last said */
    char input[4 * WORD_MAX];
    size_t input_size;
    bool is_ended;
};

/* --- what the person sees --- */

static void print_bytes(const char *mark, struct bytes bytes, const char *remark)
{
    bool is_text = true;

    for (size_t i = 0; i < bytes.size; i++)
        is_text = is_text && ((bytes.data[i] >= ' ' && bytes.data[i] <= '~') ||
                              bytes.data[i] == '\r' || bytes.data[i] == '\n');
    printf("%s ", mark);
    for (size_t i = 0; i < bytes.size; i++)
        if (!is_text)
            printf("%02x", bytes.data[i]);
        else if (bytes.data[i] >= ' ')
            putchar(bytes.data[i]);
    printf("%s\n", remark);
    fflush(stdout);
}

static void print_answer(struct play *play, struct bytes reply, bool is_answer)
{
    const char *remark_of_others = play->is_answered ? "" : "  -- of the log-in, or on its own";
    char remark[100];
    double ms = (double)(clock_mono_us() - play->sent_at_us) / (double)US_PER_MS;

    snprintf(remark, sizeof(remark), "%s", remark_of_others);
    if (is_answer && !play->is_answered)
        snprintf(remark, sizeof(remark), "  -- %s after %.1f ms",
                 play->is_alarm ? "the alarm is acknowledged" : "answered", ms);
    play->is_answered = play->is_answered || is_answer;
    print_bytes("received", reply, remark);
}

/* --- the wire --- */

static void on_up(void *context)
{
    struct play *play = context;

    printf("connected to %s:%d\n", play->to.host, play->to.port);
}

/* Answers what the gateway asks on its own. */
static bool obey_bytes(struct play *play, const char *topic, struct bytes bytes)
{
    struct device_frame answer;
    struct bytes said = {answer.bytes, 0};

    if (!obey_command(&play->device, topic, bytes, clock_wall_us(), &answer))
        return false;
    said.size = answer.size;
    print_bytes("received", bytes, "  -- a command");
    print_bytes("sent", said, "  -- its answer");
    if (play->broker)
        (void)broker_publish(play->broker, answer.topic, said);
    else
        wire_send(&play->device.wire, said);
    return true;
}

static size_t on_input(void *context, struct bytes input)
{
    struct play *play = context;
    size_t used = 0, skip = 0, size = 0;

    while (play->device.codec->split(bytes_part(input, used, input.size), &skip, &size) ==
           FRAME_READY) {
        struct bytes reply = bytes_part(input, used + skip, size);

        if (!obey_bytes(play, "", reply))
            print_answer(play, reply, device_is_answer(&play->device, &play->frame, reply));
        used += skip + size;
    }
    return used;
}

static void on_down(void *context)
{
    struct play *play = context;

    play->is_down = true;
    printf("the connection is closed\n");
    fflush(stdout);
}

static void on_message(void *context, const char *topic, struct bytes body)
{
    struct play *play = context;
    json_t *json;
    const char *id;

    if (obey_bytes(play, topic, body))
        return;
    json = json_loadb((const char *)body.data, body.size, 0, NULL);
    id = json_string_value(json_object_get(json, "id"));
    print_answer(play, body,
                 id && strcmp(id, play->device.alarm.message_id) == 0 &&
                     json_is_true(json_object_get(json, "accepted")));
    json_decref(json);
}

static const struct wire_events wire_events = {on_up, on_input, on_down};
static const struct broker_events broker_events = {.on_message = on_message};

/* Turns the loop until `done` is set or the time is over. */
static void turn_until(struct play *play, const bool *done, int64_t limit_ms)
{
    int64_t end_us = clock_mono_us() + limit_ms * US_PER_MS;
    const struct timeval moment = {.tv_usec = POLL_MS * 1000};

    while (!*done && clock_mono_us() < end_us) {
        event_base_loopexit(play->base, &moment);
        event_base_loop(play->base, EVLOOP_ONCE);
    }
}

static bool is_up(const struct play *play)
{
    return play->broker ? broker_is_up(play->broker) : play->device.wire.is_up;
}

static bool be_connected(struct play *play)
{
    const struct endpoint *to = play->broker ? &play->mqtt : &play->to;
    int64_t end_us = clock_mono_us() + play->wait_ms * US_PER_MS;

    if (is_up(play))
        return true;
    play->is_down = !play->broker && !wire_open(&play->device.wire, play->base, to);
    while (!is_up(play) && !play->is_down && clock_mono_us() < end_us)
        turn_until(play, &play->is_down, 1);
    if (is_up(play))
        return true;
    wire_close(&play->device.wire);
    printf("no connection to %s:%d\n", to->host, to->port);
    return false;
}

static bool is_answer_owed(const struct play *play)
{
    return play->broker ? play->is_alarm && device_is_owed_answer(&play->device, &play->frame)
                        : device_is_owed_answer(&play->device, &play->frame);
}

static bool put_on_wire(struct play *play)
{
    struct bytes bytes = {play->frame.bytes, play->frame.size};

    if (!be_connected(play))
        return false;
    play->sent_at_us = clock_mono_us();
    if (play->broker)
        return broker_publish(play->broker, play->frame.topic, bytes);
    wire_send(&play->device.wire, bytes);
    return true;
}

/* Until the network or the broker has what was said. */
static void let_go(struct play *play)
{
    for (int i = 0; i < play->wait_ms; i++) {
        if (play->broker ? broker_outstanding(play->broker) == 0
                         : wire_waiting(&play->device.wire) == 0)
            return;
        turn_until(play, &play->is_answered, 1);
    }
}

/* Says the frame, and an alarm again until it is acknowledged. */
static void say_frame(struct play *play, const char *what)
{
    char mark[2 * WORD_MAX];
    bool owed = is_answer_owed(play);

    play->is_answered = false;
    for (int try = 1; try <= (play->is_alarm ? TRIES : 1) && !play->is_answered; try++) {
        if (put_on_wire(play)) {
            snprintf(mark, sizeof(mark), "%s %s:%s%s", try == 1 ? "sent" : "sent again", what,
                     play->broker ? " " : "", play->broker ? play->frame.topic : "");
            print_bytes(mark, (struct bytes){play->frame.bytes, play->frame.size},
                        owed ? "" : "  -- no answer is owed");
        }
        if (!owed) {
            let_go(play);
            break;
        }
        turn_until(play, &play->is_answered, play->wait_ms);
        if (!play->is_answered)
            printf("no answer within %d ms\n", play->wait_ms);
    }
    play->unanswered += play->is_alarm && owed && !play->is_answered;
    fflush(stdout);
}

/* --- the words --- */

/* What a plain report of the device says beside its kind. */
static struct signal report_of(struct play *play, enum signal_kind kind)
{
    struct signal report = {
        .kind = (uint8_t)kind,
        .device = play->device.kind,
        .occurred_at_us = clock_wall_us(),
        .has = MEASURE_BATTERY,
        .battery_percent = 95,
    };

    if (kind == SIGNAL_POSITION) {
        report.has |= MEASURE_POSITION;
        report.latitude_e7 = 310000000;
        report.longitude_e7 = 1210000000;
    } else if (kind == SIGNAL_VITALS) {
        report.has = MEASURE_HEART_RATE | MEASURE_OXYGEN;
        report.heart_rate = 72;
        report.oxygen_percent = 97;
    } else if (kind == SIGNAL_READING) {
        play->device.total_ml += 1000 * (int64_t)(1 + random_below(&play->random, 20));
        report.has |= MEASURE_TOTAL;
        report.total_ml = play->device.total_ml;
    }
    return report;
}

static bool say_report(struct play *play, enum signal_kind kind, const char *what)
{
    struct signal report = report_of(play, kind);

    play->is_alarm = false;
    if (!device_say(&play->device, &report, report.occurred_at_us, &play->frame))
        return false;
    say_frame(play, what);
    play->shown = (uint8_t)kind;
    return true;
}

/* Some protocols show a state that must end before it can begin again: a report ends it. */
static bool say_alarm(struct play *play, const struct word *word)
{
    if (play->shown == word->kind)
        say_report(play, SIGNAL_HEARTBEAT, "heartbeat");
    play->device.is_pending = false;
    device_press(&play->device, word->kind, word->service, clock_wall_us());
    play->is_alarm = true;
    if (!device_say(&play->device, &play->device.alarm, play->device.alarm.occurred_at_us,
                    &play->frame))
        return false;
    say_frame(play, word->text);
    play->shown = word->kind;
    return true;
}

static void obey(struct play *play, const char *line)
{
    const struct word *word = words_find(line);
    bool is_said;

    if (*line == '\0' || *line == '#')
        return;
    play->is_ended = strcmp(line, "quit") == 0;
    if (!word) {
        if (!play->is_ended && strcmp(line, "help") != 0)
            printf("no such word: %s\n", line);
        if (!play->is_ended)
            words_print_help();
        return;
    }
    if (!signal_is_alarm(word->kind))
        is_said = say_report(play, word->kind, word->text);
    else
        is_said = say_alarm(play, word);
    if (!is_said && word->kind == SIGNAL_BATTERY_RESTORED) /* a state that a report ends */
        is_said = say_report(play, SIGNAL_HEARTBEAT, "a report with a full battery");
    if (!is_said)
        printf("%s has no word for %s\n", play->device.codec->name, word->text);
    fflush(stdout);
}

/* --- life --- */

/* Takes the lines that have come; at the end of the input the last one may lack its end. */
static void take_lines(struct play *play)
{
    ssize_t size = read(STDIN_FILENO, play->input + play->input_size,
                        sizeof(play->input) - play->input_size - 1);
    bool is_over = size <= 0;
    char *end;

    if (is_over && play->input_size > 0)
        play->input[play->input_size++] = '\n';
    play->input_size += is_over ? 0 : (size_t)size;
    play->input[play->input_size] = '\0';
    while (!play->is_ended && (end = strchr(play->input, '\n'))) {
        *end = '\0';
        if (end > play->input && end[-1] == '\r')
            end[-1] = '\0';
        obey(play, play->input);
        play->input_size -= (size_t)(end + 1 - play->input);
        memmove(play->input, end + 1, play->input_size + 1);
    }
    if (play->input_size + 1 == sizeof(play->input)) {
        printf("that line is too long\n");
        play->input_size = 0;
    }
    play->is_ended = play->is_ended || is_over;
}

static void run(struct play *play)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

    if (isatty(STDIN_FILENO))
        words_print_help();
    while (!play->is_ended) {
        event_base_loop(play->base, EVLOOP_NONBLOCK);
        if (poll(&input, 1, POLL_MS) > 0)
            take_lines(play);
    }
}

struct wanted {
    const char *protocol, *identity, *host, *port, *ca_path, *kind;
    bool is_udp;
};

static uint8_t usual_kind(const char *protocol)
{
    if (strcmp(protocol, "cjt188") == 0)
        return DEVICE_METER;
    return strcmp(protocol, "sia_dc09") == 0 || strcmp(protocol, "meter_json") == 0
               ? DEVICE_CALL_BOX
               : DEVICE_WRISTBAND;
}

static bool is_sound(struct play *play, const struct wanted *wanted)
{
    int found = wanted->protocol ? codec_find(wanted->protocol) : -1;
    const char *problem = NULL;
    char address[300];

    if (found < 0)
        problem = "--protocol is one of `onekey-sim protocols`";
    else if (!wanted->identity || strlen(wanted->identity) > IDENTITY_LIMIT)
        problem = "--identity names the device, in 1 to 40 characters";
    else if (wanted->kind && device_kind_from_name(wanted->kind) == DEVICE_UNKNOWN)
        problem = "--kind is call_box, wristband or meter";
    else if (play->mqtt.port ? !codecs[found]->topics : !codecs[found]->split || !wanted->port)
        problem = "the protocol goes by --port or by --mqtt, whichever it knows";
    if (problem) {
        fprintf(stderr, "onekey-sim: %s\n", problem);
        return false;
    }
    play->device.codec = codecs[found];
    play->device.kind = (uint8_t)(wanted->kind ? device_kind_from_name(wanted->kind)
                                               : usual_kind(wanted->protocol));
    snprintf(play->device.identity, sizeof(play->device.identity), "%s", wanted->identity);
    if (play->mqtt.port)
        return true;
    snprintf(address, sizeof(address), "%s:%s", wanted->host, wanted->port);
    if (!endpoint_parse(&play->to, address))
        return false;
    play->to.is_datagram = wanted->is_udp;
    return !wanted->ca_path || endpoint_use_tls(&play->to, wanted->ca_path);
}

static bool parse_wait(const char *text, int *out)
{
    int64_t ms;

    *out = bytes_parse_decimal(bytes_of(text), &ms) && ms <= 600000 ? (int)ms : 0;
    return *out > 0;
}

static bool parse(struct play *play, int argc, char **argv)
{
    static const struct option options[] = {
        {"protocol", required_argument, NULL, 'p'}, {"identity", required_argument, NULL, 'i'},
        {"host", required_argument, NULL, 'h'},     {"port", required_argument, NULL, 'n'},
        {"tls", required_argument, NULL, 't'},      {"udp", no_argument, NULL, 'u'},
        {"mqtt", required_argument, NULL, 'm'},     {"kind", required_argument, NULL, 'k'},
        {"wait-ms", required_argument, NULL, 'w'},  {0},
    };
    struct wanted wanted = {.host = "127.0.0.1"};
    bool is_good = true;

    for (int option; is_good && (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'm')
            is_good = endpoint_parse(&play->mqtt, optarg);
        else if (option == 'w')
            is_good = parse_wait(optarg, &play->wait_ms);
        else if (option == 'u')
            wanted.is_udp = true;
        else if (option == '?')
            is_good = false;
        else
            *(option == 'p'   ? &wanted.protocol
              : option == 'i' ? &wanted.identity
              : option == 'h' ? &wanted.host
              : option == 'n' ? &wanted.port
              : option == 't' ? &wanted.ca_path
                              : &wanted.kind) = optarg;
    }
    is_good = is_good && optind == argc && is_sound(play, &wanted);
    if (!is_good)
        fprintf(stderr, "usage: onekey-sim device --protocol P --identity ID [--host H] --port N "
                        "[--udp | --tls CA.pem]\n"
                        "       onekey-sim device --protocol P --identity ID --mqtt HOST:PORT\n"
                        "       [--kind call_box|wristband|meter] [--wait-ms N]\n"
                        "Then a word a line on standard input: press, fall, help ...\n");
    return is_good;
}

int play_command(int argc, char **argv)
{
    struct play *play = calloc(1, sizeof(*play));
    char subscription[IDENTITY_LIMIT + 40];

    if (!play)
        abort();
    play->wait_ms = 5000;
    if (!parse(play, argc, argv)) {
        free(play);
        return 2;
    }
    play->base = event_base_new();
    random_init(&play->random, (uint64_t)clock_wall_us());
    play->device.total_ml = 1000000;
    play->device.is_on_broker = play->mqtt.port != 0;
    play->device.wire = (struct wire){.events = &wire_events, .context = play};
    snprintf(subscription, sizeof(subscription), "onekey/v1/+/%s/down/+", play->device.identity);
    if (play->mqtt.port)
        play->broker = broker_open(play->base, &play->mqtt, subscription, &broker_events, play);

    bool is_good = (play->broker || !play->mqtt.port) && be_connected(play);

    if (is_good)
        run(play);
    is_good = is_good && play->unanswered == 0;
    wire_close(&play->device.wire);
    if (play->broker)
        broker_close(play->broker);
    event_base_free(play->base);
    free(play);
    return is_good ? 0 : 1;
}
