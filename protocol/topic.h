/* MQTT topic filters: which topics a subscription means. Source: MQTT 3.1.1, section 4.7. */
#ifndef ONEKEY_PROTOCOL_TOPIC_H
#define ONEKEY_PROTOCOL_TOPIC_H

#include "protocol/bytes.h"

/* Whether a topic is meant by a filter: `+` stands for one level, a last `#` for any number of them,
 * its parent too. */
bool topic_matches(const char *filter, struct bytes topic);

#endif
