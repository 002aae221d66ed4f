#include "tests/sim/year.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/homes.h"
#include "tests/support/virtual_gateway.h"

#define START_US (INT64_C(19723) * US_PER_DAY) /* Monday, 2024-01-01 */
#define DECISIONS_A_METER_DAY 4
#define DAYS_BETWEEN_CRASHES 2
#define MINUTES 60
#define JSON_ONE_IN 10 /* meters; the others speak CJ/T 188 */
#define DIFFERENCES_SHOWN 5
#define TOPIC_SIZE 48

struct decision_seen {
    uint64_t number; /* of its record */
    int64_t at_us;
    uint64_t explanation; /* a hash of all that the ticket says */
    int32_t meter;
    uint8_t kind;
};

struct result {
    size_t count, room, readings, replayed;
    int crashes;
    double seconds;
    struct decision_seen decisions[];
};

struct year {
    struct virtual_gateway gateway;
    int meters, days;
    struct random habits, fate;
    struct home *homes;
    struct device_entry *devices;
    char (*topics)[TOPIC_SIZE]; /* of those whose protocol is one of streams */
    bool *reports;              /* in this hour */
    struct signal said;         /* here, as to zero it took longer than to say it */
    struct codec_session session;
    bool crashes;
    struct result *result;
};

static void require(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "year: %s\n", what);
    exit(2);
}

/* FNV-1a */
static uint64_t hash_more(uint64_t hash, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ ((const uint8_t *)data)[i]) * UINT64_C(1099511628211);
    return hash;
}

static void on_alarm(void *context, const struct arrival *alarm)
{
    struct result *result = ((struct year *)context)->result;
    uint64_t hash = UINT64_C(14695981039346656037);

    require(result->count < result->room, "more decisions than expected");
    hash = hash_more(hash, alarm->signal.code, strlen(alarm->signal.code));
    hash = hash_more(hash, &alarm->signal.flags, sizeof(alarm->signal.flags));
    hash = hash_more(hash, alarm->detail.data, alarm->detail.size);
    result->decisions[result->count++] = (struct decision_seen){
        .number = alarm->number,
        .at_us = alarm->signal.received_at_us,
        .explanation = hash,
        .meter = (int)strtol(alarm->signal.identity, NULL, 10),
        .kind = alarm->signal.kind,
    };
}

static void name_devices(struct year *year)
{
    int json = codec_find("meter_json"), cjt188 = codec_find("cjt188");

    for (int i = 0; i < year->meters; i++) {
        year->devices[i] =
            (struct device_entry){.protocol = (uint8_t)(i % JSON_ONE_IN ? cjt188 : json),
                                  .kind = DEVICE_METER,
                                  .device_id = i + 1,
                                  .household_id = i + 1};
        snprintf(year->devices[i].identity, sizeof(year->devices[i].identity), "%014d", i);
        snprintf(year->topics[i], TOPIC_SIZE, "onekey/v1/meter/%014d/up/cjt188", i);
    }
}

static void begin(struct year *year, uint64_t seed)
{
    random_init(&year->habits, seed);
    random_init(&year->fate, seed + 1);
    year->homes = calloc((size_t)year->meters, sizeof(*year->homes));
    year->devices = calloc((size_t)year->meters, sizeof(*year->devices));
    year->topics = calloc((size_t)year->meters, sizeof(*year->topics));
    year->reports = calloc((size_t)year->meters, sizeof(*year->reports));
    require(year->homes && year->devices && year->topics && year->reports, "no memory");
    year->said =
        (struct signal){.kind = SIGNAL_READING, .device = DEVICE_METER, .has = MEASURE_TOTAL};
    name_devices(year);
    for (int i = 0; i < year->meters; i++)
        home_init(&year->homes[i], &year->habits);
    year->gateway = (struct virtual_gateway){
        .limits = {.devices_max = (uint32_t)year->meters,
                   .sessions_max = 1,
                   .outbox_bytes = 4 << 20,
                   .pledge_bytes = 64 << 10,
                   .recent_sets = 64},
        .settings = {.clock_wrong_us = US_PER_DAY,
                     .partial_frame_us = US_PER_MINUTE,
                     .keep_round_us = US_PER_HOUR,
                     .batch_records = 64,
                     .in_flight = 2,
                     .care_call_us = 3 * US_PER_HOUR,
                     .silence = silence_settings_default()},
        .devices = year->devices,
        .device_count = (size_t)year->meters,
        .on_alarm = on_alarm,
        .context = year,
        .now = {.mono_us = US_PER_HOUR, .wall_us = START_US},
    };
    year->gateway.settings.silence.rules |= SILENCE_RUNNING;
    virtual_start(&year->gateway);
}

static void end(struct year *year)
{
    virtual_end(&year->gateway);
    free(year->homes);
    free(year->devices);
    free(year->topics);
    free(year->reports);
}

/* As the meter itself would say it. */
static void publish(struct year *year, int meter)
{
    const struct device_entry *device = &year->devices[meter];
    const struct codec *codec = codecs[device->protocol];
    const struct codec_environment environment = {.now_us = year->gateway.now.wall_us};
    uint8_t topic_memory[80], body_memory[120];
    struct writer topic = writer_into(topic_memory, sizeof(topic_memory));
    struct writer body = writer_into(body_memory, sizeof(body_memory));
    struct message message;

    year->said.total_ml = year->homes[meter].total_l * 1000;
    memcpy(year->said.identity, device->identity, sizeof(year->said.identity));
    year->session.serial = 0;
    require(codec->compose(&year->said, &year->session, &environment, &topic, &body),
            "not composed");
    message =
        (struct message){.topic = topic.size ? writer_view(&topic) : bytes_of(year->topics[meter]),
                         .body = writer_view(&body)};
    gateway_message(year->gateway.gateway, &message);
}

/* What the gateway decided and could not keep, it never said. */
static void crash(struct year *year)
{
    struct result *result = year->result;

    virtual_crash(&year->gateway);
    while (result->count > 0 && result->decisions[result->count - 1].number > year->gateway.number)
        result->count--;
    virtual_start(&year->gateway);
    result->crashes++;
}

/* Meter i reports in the minute i % 60. A broker delivers again what was not acknowledged, so that
 * all readings of the minute in which it crashed come once more. */
static void live_minute(struct year *year, int minute, bool crashes)
{
    int stop = crashes ? (int)random_below(&year->fate, (uint64_t)year->meters) : 0;

    for (int i = minute; i < stop; i += MINUTES)
        if (year->reports[i])
            publish(year, i);
    if (crashes)
        crash(year);
    for (int i = minute; i < year->meters; i += MINUTES)
        if (year->reports[i]) {
            publish(year, i);
            year->result->readings++;
        }
}

static void begin_day(struct year *year, int hour)
{
    int64_t now_us = START_US + hour * US_PER_HOUR;

    for (int i = 0; i < year->meters; i++) {
        if (!home_day(&year->homes[i], &year->habits, hour))
            continue;
        year->devices[i].absent = (struct stretch){
            .from_us = now_us, .until_us = START_US + year->homes[i].away_end * US_PER_HOUR};
        require(gateway_device(year->gateway.gateway, &year->devices[i]), "the registry is full");
    }
}

static void live(struct year *year)
{
    for (int hour = 0; hour < year->days * 24; hour++) {
        int crash_at = -1;

        if (year->crashes && random_below(&year->fate, DAYS_BETWEEN_CRASHES * 24) == 0)
            crash_at = (int)random_below(&year->fate, MINUTES);
        if (hour % 24 == 0)
            begin_day(year, hour);
        for (int i = 0; i < year->meters; i++)
            year->reports[i] = home_hour(&year->homes[i], &year->habits, hour);
        for (int minute = 0; minute < MINUTES; minute++) {
            virtual_advance(&year->gateway,
                            START_US + hour * US_PER_HOUR + (minute + 1) * US_PER_MINUTE);
            live_minute(year, minute, minute == crash_at);
        }
    }
}

static int by_meter(const void *left, const void *right)
{
    const struct decision_seen *a = left, *b = right;

    if (a->meter != b->meter)
        return a->meter < b->meter ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

/* In a process of its own; what comes of it stands in `result`, which both share. */
static pid_t spawn(struct year *year, uint64_t seed)
{
    struct result *result = year->result;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child != 0)
        return child;
    begin(year, seed);
    live(year);
    result->replayed = year->gateway.replayed;
    end(year);
    qsort(result->decisions, result->count, sizeof(result->decisions[0]), by_meter);
    result->seconds = (double)clock() / CLOCKS_PER_SEC;
    _exit(0);
}

static struct result *share_result(size_t room)
{
    struct result *result =
        mmap(NULL, sizeof(*result) + room * sizeof(result->decisions[0]), PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    require(result != MAP_FAILED, "no memory");
    result->room = room;
    return result;
}

static void free_result(struct result *result)
{
    munmap(result, sizeof(*result) + result->room * sizeof(result->decisions[0]));
}

static void show(const char *whose, const struct result *result, size_t i)
{
    const struct decision_seen *seen = &result->decisions[i];

    if (i >= result->count)
        printf("#   %s: nothing more\n", whose);
    else
        printf("#   %s: meter %d %s after %.2f h, explained as %016llx\n", whose, seen->meter,
               signal_kind_name((enum signal_kind)seen->kind),
               (double)(seen->at_us - START_US) / US_PER_HOUR,
               (unsigned long long)seen->explanation);
}

static bool same_decision(const struct decision_seen *a, const struct decision_seen *b)
{
    return a->at_us == b->at_us && a->explanation == b->explanation && a->meter == b->meter &&
           a->kind == b->kind;
}

static bool same(const struct result *calm, const struct result *crashing)
{
    size_t most = calm->count > crashing->count ? calm->count : crashing->count;
    int differences = 0;

    for (size_t i = 0; i < most && differences < DIFFERENCES_SHOWN; i++) {
        if (i < calm->count && i < crashing->count &&
            same_decision(&calm->decisions[i], &crashing->decisions[i]))
            continue;
        differences++;
        show("without crashes", calm, i);
        show("with crashes", crashing, i);
    }
    return differences == 0;
}

static void print(int meters, int days, const struct result *calm, const struct result *crashing)
{
    size_t kinds[SIGNAL_KIND_COUNT] = {0};

    printf("# %d meters, %d days: %zu readings, %zu decisions; %d crashes replayed %zu records; "
           "%.1f s of processor without, %.1f s with\n#",
           meters, days, calm->readings, calm->count, crashing->crashes, crashing->replayed,
           calm->seconds, crashing->seconds);
    for (size_t i = 0; i < calm->count; i++)
        kinds[calm->decisions[i].kind]++;
    for (int kind = 0; kind < SIGNAL_KIND_COUNT; kind++)
        if (kinds[kind])
            printf(" %s %zu", signal_kind_name((enum signal_kind)kind), kinds[kind]);
    putchar('\n');
}

bool year_survives_crashes(int meters, int days, uint64_t seed)
{
    size_t room = (size_t)meters * (size_t)days * DECISIONS_A_METER_DAY;
    struct year calm = {.meters = meters, .days = days}, crashing = calm;
    int status[2] = {0};
    pid_t children[2];
    bool ok;

    calm.result = share_result(room);
    crashing.result = share_result(room);
    crashing.crashes = true;
    children[0] = spawn(&calm, seed);
    children[1] = spawn(&crashing, seed);
    for (int i = 0; i < 2; i++)
        require(children[i] > 0 && waitpid(children[i], &status[i], 0) == children[i], "no child");
    ok = status[0] == 0 && status[1] == 0 && calm.result->count > 0 &&
         crashing.result->crashes > 0 && calm.result->readings == crashing.result->readings &&
         same(calm.result, crashing.result);
    print(meters, days, calm.result, crashing.result);
    free_result(calm.result);
    free_result(crashing.result);
    return ok;
}
