#include "protocol/batch.h"

#include <stddef.h>
#include <string.h>

#define ANSWER_TEXT_MAX 100 /* of what a device says to a command */

/* Index of the oldest signal that is no alarm, `count` if there is none. */
static int oldest_other(const struct batch *batch)
{
    int i = 0;

    while (i < batch->count && signal_is_alarm(batch->out[i].kind))
        i++;
    return i;
}

void batch_add(struct batch *batch, const struct signal *signal)
{
    if (batch->count == batch->limit) {
        int victim = oldest_other(batch);

        if (victim == batch->count)
            return;
        memmove(&batch->out[victim], &batch->out[victim + 1],
                (size_t)(batch->count - victim - 1) * sizeof(*signal));
        batch->count--;
    }
    batch->out[batch->count++] = *signal;
}

struct bytes batch_next_frame(enum frame (*split)(struct bytes input, size_t *skip, size_t *size),
                              struct bytes *rest)
{
    struct bytes frame = *rest;
    size_t skip, size;

    if (split(*rest, &skip, &size) == FRAME_READY)
        frame = bytes_part(*rest, skip, size);
    else
        skip = 0, size = rest->size;
    *rest = bytes_part(*rest, skip + size, rest->size);
    return frame;
}

enum command_answer
batch_text_answer(struct bytes message,
                  enum frame (*split)(struct bytes input, size_t *skip, size_t *size),
                  bool (*find_text)(struct bytes frame, struct bytes *text), struct writer *out)
{
    struct bytes text;

    while (message.size > 0)
        if (find_text(batch_next_frame(split, &message), &text)) {
            writer_bytes(out, bytes_part(text, 0, ANSWER_TEXT_MAX));
            return COMMAND_DONE;
        }
    return COMMAND_UNANSWERED;
}
