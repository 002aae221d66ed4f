/*
 * What stands in the frames of GT06: positions, status and alarms, both ways.
 *
 * Which alarms are the same. A device repeats an alarm frame until it is answered, with the time and
 * the serial it had: they are its name. A device whose clock is not set names nothing. A status
 * frame shows an alarm as a state, in each frame again: that rings when it rises, within one
 * connection, and not if the alarm frame rang before.
 */
#ifndef ONEKEY_PROTOCOL_GT06_CONTENT_H
#define ONEKEY_PROTOCOL_GT06_CONTENT_H

#include "protocol/codec.h"

/* Longest content that gt06_content_compose writes. */
#define GT06_CONTENT_MAX 48

enum gt06_type {
    GT06_LOGIN = 0x01,
    GT06_LBS_GPS = 0x10,
    GT06_POSITION = 0x12,
    GT06_STATUS = 0x13,
    GT06_TEXT = 0x15,
    GT06_ALARM = 0x16,
    GT06_LBS_ALARM = 0x19,
    GT06_GPS_MULTI = 0x1E,
    GT06_TEXT_ENCODED = 0x21,
    GT06_POSITION_LBS = 0x22,
    GT06_HEARTBEAT = 0x23,
    GT06_ALARM_LBS = 0x26,
    GT06_ALARM_FENCE = 0x27,
    GT06_COMMAND = 0x80,
    GT06_TIME = 0x8A,
    GT06_CAMERA_ALARM = 0x95,
    GT06_POSITION_4G = 0xA0,
    GT06_ALARM_4G = 0xA4,
    GT06_LBS_ALARM_4G = 0xA5
};

/* session->state[]: the alarm that the last status showed; minutes that the clock is east of UTC. */
enum gt06_state { GT06_STATE_ALARM, GT06_STATE_ZONE };

struct gt06_frame {
    uint8_t type;
    bool is_long; /* 79 79 */
    uint16_t serial;
    struct bytes content;
    bool checksum_wrong;
};

/* Completes *out, which comes as a heartbeat with its identity and flags set. Always one signal. */
void gt06_content_decode(const struct gt06_frame *frame, struct codec_session *session,
                         struct signal *out);
/* The content by which a device says `signal`, and its type; 0 if it has no words for it. */
uint8_t gt06_content_compose(const struct signal *signal, int64_t now_us, struct writer *out);

#endif
