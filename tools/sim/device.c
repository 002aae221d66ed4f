#include "tools/sim/device.h"

#include "daemon/base/instant.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define LITRES_A_REPORT_MAX 20

bool device_is_stream(const struct device *device)
{
    return device->codec->split != NULL;
}

static bool compose(const struct device *device, const struct signal *signal, int64_t now_us,
                    struct device_frame *frame)
{
    struct codec_session session = {0};
    const struct codec_environment environment = {.now_us = now_us};
    struct writer topic = writer_into(frame->topic, sizeof(frame->topic) - 1);
    struct writer out = writer_into(frame->bytes, DEVICE_FRAME_MAX);

    if (!device->codec->compose(signal, &session, &environment, &topic, &out) || topic.overflow ||
        out.overflow)
        return false;
    frame->topic[topic.size] = '\0';
    frame->bytes[out.size] = '\0';
    frame->size = out.size;
    return true;
}

static struct message message_of(const struct device_frame *frame)
{
    return (struct message){.topic = bytes_of(frame->topic),
                            .body = {.data = frame->bytes, .size = frame->size}};
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
    memcpy(device->alarm.identity, device->identity, sizeof(device->identity));
    snprintf(device->alarm.message_id, sizeof(device->alarm.message_id), "%llu",
             (unsigned long long)(device->alarm.occurred_at_us / US_PER_SECOND));
    if (device->kind == DEVICE_WRISTBAND) {
        device->alarm.has = MEASURE_POSITION | MEASURE_BATTERY;
        device->alarm.latitude_e7 = 310000000 + device->index * 1000;
        device->alarm.longitude_e7 = 1210000000 + device->index * 1000;
        device->alarm.battery_percent = 80;
    }
}

bool device_say_alarm(const struct device *device, struct device_frame *frame)
{
    return compose(device, &device->alarm, device->alarm.occurred_at_us, frame);
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
    struct message message = message_of(&frame);
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

    memcpy(report.identity, device->identity, sizeof(device->identity));
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
    return compose(device, &report, now_us, frame);
}

bool device_is_acknowledged_by(const struct device *device, struct bytes reply)
{
    struct device_frame frame;
    uint8_t wanted[REPLY_MAX];
    struct codec_session session = {0};
    const struct codec_environment environment = {.now_us = device->alarm.occurred_at_us};
    struct writer topic = writer_into(NULL, 0), out = writer_into(wanted, sizeof(wanted));

    if (!device_say_alarm(device, &frame))
        return false;
    struct message message = message_of(&frame);
    device->codec->reply(&message, &session, &environment, VERDICT_ACCEPTED, &topic, &out);
    return bytes_equal(reply, writer_view(&out));
}
