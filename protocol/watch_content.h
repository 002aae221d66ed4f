/*
 * What stands between the brackets of the watch protocol: position blocks with their alarm bits,
 * keep-alives and vitals, both ways.
 *
 * Which alarms are the same. A device repeats an AL until it is answered, with the content it had;
 * a second press has a new time. So the message id is the device's date and time, the alarm and a
 * checksum of the content. A device whose clock was never set gets no id: two of its presses must
 * not look like one, and a repetition that rings twice does no harm. The index NNNN is no part of
 * it, as it starts again when the device does.
 */
#ifndef ONEKEY_PROTOCOL_WATCH_CONTENT_H
#define ONEKEY_PROTOCOL_WATCH_CONTENT_H

#include "protocol/bytes.h"
#include "protocol/signal.h"

/* Longest content that watch_content_compose writes. */
#define WATCH_CONTENT_MAX 160

/* Types that begin with AL: the device waits for an answer. */
bool watch_content_is_alarm(struct bytes type);
/* What `content` says, 1..limit signals. *out comes as a heartbeat with its identity set and is the
 * model of each. An alarm frame without a readable status is one SIGNAL_UNREADABLE. */
int watch_content_decode(struct bytes content, struct signal *out, int limit);
/* The content by which a watch says `signal`, dated `now_us` if the signal has no time. False if it
 * has no words for it. */
bool watch_content_compose(const struct signal *signal, int64_t now_us, struct writer *out);

#endif
