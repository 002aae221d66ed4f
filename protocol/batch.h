/*
 * Many in one: the signals of a frame that may hold more than there is room for (alarms stay, of the
 * others the last ones), and the frames of a message that may hold several. In the caller's memory.
 */
#ifndef ONEKEY_PROTOCOL_BATCH_H
#define ONEKEY_PROTOCOL_BATCH_H

#include "protocol/codec.h"

struct batch {
    struct signal *out;
    int count, limit;
};

/* Adds a copy. A full batch makes room by dropping its oldest signal that is no alarm; if all are
 * alarms, the new one is dropped. */
void batch_add(struct batch *batch, const struct signal *signal);
/* The next frame of a message that may hold several, taken off *rest; where `split` finds none, all
 * that is left is the last one, whole or not. */
struct bytes batch_next_frame(enum frame (*split)(struct bytes input, size_t *skip, size_t *size),
                              struct bytes *rest);
/* For protocols whose devices answer a command with a text, which does not say to which: done with the
 * first frame of the message for which `find_text` finds one. What is for people goes to `out`. */
enum command_answer
batch_text_answer(struct bytes message,
                  enum frame (*split)(struct bytes input, size_t *skip, size_t *size),
                  bool (*find_text)(struct bytes frame, struct bytes *text), struct writer *out);

#endif
