#include "tools/sim/obey.h"

#include "protocol/jt808_frame.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *const watch_words[] = {"CR", "UPLOAD", "SOS1", "SOS2", "SOS3", "SOS"};

/* [SG*identity*LLLL*CR] is answered [3G*identity*LLLL*CR]. */
static bool obey_watch(const struct device *device, struct bytes frame, struct device_frame *answer)
{
    struct bytes field = {NULL, 0}, word;

    if (frame.size < 2)
        return false;
    for (struct bytes rest = bytes_part(frame, 1, frame.size - 2);
         bytes_next_field(&rest, '*', &field);)
        ;
    word = bytes_part(field, 0, bytes_find(field, ','));
    for (size_t i = 0; i < sizeof(watch_words) / sizeof(watch_words[0]); i++)
        if (bytes_equal_text(word, watch_words[i])) {
            answer->size =
                (size_t)snprintf((char *)answer->bytes, sizeof(answer->bytes), "[3G*%s*%04zx*%s]",
                                 device->identity, word.size, watch_words[i]);
            return true;
        }
    return false;
}

/* 0x8201 is answered by 0x0201 with a location, the others by 0x0001. */
static bool obey_jt808(const struct device *device, struct bytes frame, int64_t now_us,
                       struct device_frame *answer)
{
    const struct signal report = {.kind = SIGNAL_POSITION,
                                  .has = MEASURE_POSITION,
                                  .latitude_e7 = 310000000,
                                  .longitude_e7 = 1210000000};
    uint8_t memory[JT808_FRAME_MAX], other[JT808_FRAME_MAX], body[DEVICE_FRAME_MAX];
    struct writer writer = writer_into(body, sizeof(body));
    struct writer out = writer_into(answer->bytes, DEVICE_FRAME_MAX);
    struct jt808_frame asked, location;

    if (!jt808_frame_read(frame, memory, &asked))
        return false;
    writer_u16_be(&writer, asked.serial);
    if (asked.id == JT808_LOCATE) {
        if (!device_say(device, &report, now_us, answer) ||
            !jt808_frame_read((struct bytes){answer->bytes, answer->size}, other, &location))
            return false;
        writer_bytes(&writer, location.body);
        asked.id = JT808_LOCATION_ANSWER;
    } else if (asked.id == JT808_SET_PARAMETERS || asked.id == JT808_CONFIRM_ALARM) {
        writer_u16_be(&writer, asked.id);
        writer_u8(&writer, 0);
        asked.id = JT808_TERMINAL_REPLY;
    } else {
        return false;
    }
    asked.body = writer_view(&writer);
    if (writer.overflow || !jt808_frame_write(&out, &asked))
        return false;
    answer->size = out.size;
    return true;
}

static bool obey_json(const char *topic, struct bytes body, struct device_frame *answer)
{
    static const char down[] = "/down/command";
    size_t size = strlen(topic), head = size - strlen(down);
    json_t *root, *result;
    const json_t *id;

    if (size <= strlen(down) || strcmp(topic + head, down) != 0)
        return false;
    root = json_loadb((const char *)body.data, body.size, 0, NULL);
    id = json_object_get(root, "id");
    result = json_pack("{s:I, s:b}", "id", json_integer_value(id), "done", 1);
    answer->size = json_dumpb(result, (char *)answer->bytes, DEVICE_FRAME_MAX, 0);
    snprintf(answer->topic, sizeof(answer->topic), "%.*s/up/result", (int)head, topic);
    json_decref(result);
    json_decref(root);
    return id != NULL && answer->size <= DEVICE_FRAME_MAX;
}

bool obey_command(const struct device *device, const char *topic, struct bytes frame,
                  int64_t now_us, struct device_frame *answer)
{
    *answer = (struct device_frame){.size = 0};
    if (strcmp(device->codec->name, "watch") == 0)
        return obey_watch(device, frame, answer);
    if (strcmp(device->codec->name, "jt808") == 0)
        return obey_jt808(device, frame, now_us, answer);
    return strcmp(device->codec->name, "meter_json") == 0 && obey_json(topic, frame, answer);
}
