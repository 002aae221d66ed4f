/*
 * Notices to the broker: onekey/v1/notice/DISTRICT/TYPE at QoS 1, over the connection that there is.
 * Delivered is what the broker has acknowledged and somebody subscribes to.
 */
#ifndef ONEKEY_EDGE_NOTICE_MQTT_H
#define ONEKEY_EDGE_NOTICE_MQTT_H

#include "daemon/edge/notice.h"

struct event_base;
struct mqtt;
struct notice_mqtt;

#define NOTICE_MQTT_AT_ONCE 8
#define NOTICE_MQTT_TIMEOUT_S 15

extern const struct notice_transport mqtt_transport;

/* `mqtt` and `district` are lent. */
struct notice_mqtt *notice_mqtt_open(struct event_base *base, struct mqtt *mqtt,
                                     const char *district);

#endif
