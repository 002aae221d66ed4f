#include "tools/sim/device.h"

#include "daemon/base/instant.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define LITRES_A_REPORT_MAX 20
/* Some answers hold the gateway's clock: what differs between these moments is that. The step moves
 * each digit of a time. */
#define CLOCKS 9
#define CLOCK_FIRST_US (INT64_C(1600000000) * US_PER_SECOND)
#define CLOCK_STEP_US (((INT64_C(397) * 24 + 7) * 3600 + 13 * 60 + 17) * US_PER_SECOND)

bool device_is_stream(const struct device *device)
{
    return device->codec->split != NULL && !device->is_on_broker;
}

/* The topic of a protocol that has one and leaves it to the gateway of its meters. */
static void fill_topic(const struct device *device, struct device_frame *frame)
{
    const char *pattern = device->codec->topics ? device->codec->topics[0] : "";
    size_t before = strcspn(pattern, "+");

    if (device->is_on_broker && frame->topic[0] == '\0' && pattern[before])
        snprintf(frame->topic, sizeof(frame->topic), "%.*s%s%s", (int)before, pattern,
                 device->identity, pattern + before + 1);
}

bool device_say(const struct device *device, const struct signal *signal, int64_t now_us,
                struct device_frame *frame)
{
    struct codec_session session = {0};
    const struct codec_environment environment = {.now_us = now_us};
    struct writer topic = writer_into(frame->topic, sizeof(frame->topic) - 1);
    struct writer out = writer_into(frame->bytes, DEVICE_FRAME_MAX);
    struct signal said = *signal;

    memcpy(said.identity, device->identity, sizeof(said.identity));
    if (!device->codec->compose(&said, &session, &environment, &topic, &out) || topic.overflow ||
        out.overflow)
        return false;
    frame->topic[topic.size] = '\0';
    frame->bytes[out.size] = '\0';
    frame->size = out.size;
    fill_topic(device, frame);
    return true;
}

static struct message message_of(const struct device_frame *frame)
{
    return (struct message){.topic = bytes_of(frame->topic),
                            .body = {.data = frame->bytes, .size = frame->size}};
}

/* What is to be answered of a frame: the last one of the protocol that it holds. */
static struct message last_message(const struct device *device, const struct device_frame *frame)
{
    struct message message = message_of(frame);
    struct bytes rest = message.body;
    size_t skip = 0, size = 0;

    if (!device_is_stream(device))
        return message;
    while (device->codec->split(rest, &skip, &size) == FRAME_READY) {
        message = (struct message){.body = bytes_part(rest, skip, size)};
        rest = bytes_part(rest, skip + size, rest.size);
    }
    return message;
}

static enum signal_kind choose_freely(const struct device *device, struct random *random,
                                      enum service_kind *service)
{
    uint64_t dice = random_below(random, 10);

    *service = SERVICE_NONE;
    if (dice < 7)
        return SIGNAL_PANIC;
    if (device->kind == DEVICE_WRISTBAND)
        return dice < 9 ? SIGNAL_FALL : SIGNAL_LOW_BATTERY;
    *service = (enum service_kind)(1 + random_below(random, SERVICE_KIND_COUNT - 1));
    return SIGNAL_SERVICE;
}

enum signal_kind device_choose(const struct device *device, struct random *random, bool panics_only,
                               enum service_kind *service)
{
    enum signal_kind kind = panics_only ? SIGNAL_PANIC : choose_freely(device, random, service);

    if (kind != SIGNAL_PANIC && device_can_say(device, kind, *service))
        return kind;
    *service = SERVICE_NONE;
    return SIGNAL_PANIC;
}

bool device_may_press(const struct device *device, int64_t mono_us)
{
    return device->kind != DEVICE_METER && !device->is_pending &&
           mono_us - device->pressed_at_us >= US_PER_SECOND;
}

void device_press(struct device *device, enum signal_kind kind, enum service_kind service,
                  int64_t now_us)
{
    int64_t second_us = now_us - now_us % US_PER_SECOND;
    int64_t next_us = device->alarm.occurred_at_us + US_PER_SECOND;

    assert(!device->is_pending);
    device->is_pending = true;
    device->is_sent = false;
    device->alarm = (struct signal){
        .kind = (uint8_t)kind,
        .service = (uint8_t)service,
        .device = device->kind,
        .occurred_at_us = second_us > next_us ? second_us : next_us,
    };
    snprintf(device->alarm.message_id, sizeof(device->alarm.message_id), "%llu",
             (unsigned long long)(device->alarm.occurred_at_us / US_PER_SECOND));
    if (device->kind == DEVICE_WRISTBAND) {
        device->alarm.has = MEASURE_POSITION | MEASURE_BATTERY;
        device->alarm.latitude_e7 = 310000000 + device->index * 1000;
        device->alarm.longitude_e7 = 1210000000 + device->index * 1000;
        device->alarm.battery_percent = device->alarm.kind == SIGNAL_LOW_BATTERY ? 10 : 80;
    }
}

bool device_can_say(const struct device *device, enum signal_kind kind, enum service_kind service)
{
    struct device_frame frame;
    const struct signal signal = {.kind = (uint8_t)kind,
                                  .service = (uint8_t)service,
                                  .device = device->kind,
                                  .occurred_at_us = CLOCK_FIRST_US};

    return device_say(device, &signal, CLOCK_FIRST_US, &frame);
}

bool device_say_alarm(const struct device *device, struct device_frame *frame)
{
    return device_say(device, &device->alarm, device->alarm.occurred_at_us, frame);
}

void device_name_alarm(const struct device *device, char name[MESSAGE_ID_LIMIT + 1])
{
    struct device_frame frame;
    struct signal said[4];
    struct codec_session session = {0};
    const struct codec_environment environment = {.now_us = device->alarm.occurred_at_us};

    name[0] = '\0';
    if (!device_say_alarm(device, &frame))
        return;
    struct message message = last_message(device, &frame);
    if (device->codec->decode(&message, &session, &environment, said, 4) > 0)
        memcpy(name, said[0].message_id, MESSAGE_ID_LIMIT + 1);
}

bool device_say_report(struct device *device, struct random *random, int64_t now_us,
                       struct device_frame *frame)
{
    struct signal report = {
        .kind = SIGNAL_HEARTBEAT,
        .device = device->kind,
        .has = MEASURE_BATTERY,
        .battery_percent = 80,
        .occurred_at_us = now_us - now_us % US_PER_SECOND,
    };

    if (device->kind == DEVICE_METER) {
        device->total_ml += (int64_t)random_below(random, LITRES_A_REPORT_MAX) * 1000;
        report.kind = SIGNAL_READING;
        report.has |= MEASURE_TOTAL;
        report.total_ml = device->total_ml;
    } else if (device->kind == DEVICE_WRISTBAND) {
        device->steps += (int32_t)random_below(random, 50);
        report.has |= MEASURE_STEPS;
        report.steps = device->steps;
    }
    return device_say(device, &report, now_us, frame);
}

/* What the gateway owes for `frame` if its clock says `now_us`, as a stream's reader cuts it off; its
 * size, 0 if nothing. */
static size_t answer_at(const struct device *device, const struct device_frame *frame,
                        int64_t now_us, uint8_t answer[REPLY_MAX])
{
    struct codec_session session = {0};
    const struct codec_environment environment = {.now_us = now_us};
    struct message message = last_message(device, frame);
    char topic[sizeof(frame->topic)];
    struct writer topic_writer = writer_into(topic, sizeof(topic));
    struct writer out = writer_into(answer, REPLY_MAX);
    size_t skip = 0, size = out.size;

    device->codec->reply(&message, &session, &environment, VERDICT_ACCEPTED, &topic_writer, &out);
    if (out.overflow)
        return 0;
    if (!device->codec->split ||
        device->codec->split(writer_view(&out), &skip, &size) != FRAME_READY)
        return out.size;
    memmove(answer, answer + skip, size);
    return size;
}

bool device_is_owed_answer(const struct device *device, const struct device_frame *frame)
{
    uint8_t answer[REPLY_MAX];

    return answer_at(device, frame, CLOCK_FIRST_US, answer) > 0;
}

bool device_is_answer(const struct device *device, const struct device_frame *frame,
                      struct bytes reply)
{
    uint8_t answer[REPLY_MAX], another[REPLY_MAX];
    bool is_time[REPLY_MAX] = {false};
    size_t size = answer_at(device, frame, CLOCK_FIRST_US, answer);

    if (size == 0 || size != reply.size)
        return false;
    for (int i = 1; i < CLOCKS; i++) {
        if (answer_at(device, frame, CLOCK_FIRST_US + i * CLOCK_STEP_US, another) != size)
            return false;
        for (size_t at = 0; at < size; at++)
            is_time[at] = is_time[at] || answer[at] != another[at];
    }
    for (size_t at = 0; at < size; at++)
        if (!is_time[at] && answer[at] != reply.data[at])
            return false;
    return true;
}

bool device_is_acknowledged_by(const struct device *device, struct bytes reply)
{
    struct device_frame frame;

    return device_say_alarm(device, &frame) && device_is_answer(device, &frame, reply);
}

int64_t device_next_pause_us(struct device *device)
{
    return US_PER_MS +
           (int64_t)(-log(1 - random_fraction(&device->random)) * (double)device->press_every_us);
}
