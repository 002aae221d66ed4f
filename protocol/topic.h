/* MQTT topic filters: which topics a subscription means. Source: MQTT 3.1.1, section 4.7. */
#ifndef ONEKEY_PROTOCOL_TOPIC_H
#define ONEKEY_PROTOCOL_TOPIC_H

#include "protocol/bytes.h"

/* Whether a byte of a filter, its first or last, means another than the topic's at that end. */
static inline bool topic_differs(char wanted, uint8_t byte)
{
    return wanted != '+' && wanted != '#' && (uint8_t)wanted != byte;
}

bool topic_matches_all(const char *filter, struct bytes topic);

/* Whether a topic is meant by a filter: `+` stands for one level, a last `#` for any number of them,
 * its parent too. Every message is held against every filter of every protocol: most begin otherwise. */
static inline bool topic_matches(const char *filter, struct bytes topic)
{
    return !(topic.size && topic_differs(filter[0], topic.data[0])) &&
           topic_matches_all(filter, topic);
}

#endif
