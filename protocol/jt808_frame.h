/*
 * Frames of JT/T 808: delimiters, escapes, checksum and the header in its three forms, both ways.
 *
 *     7E  id  attributes  [version]  phone  serial  [total number]  body  xor  7E
 *
 * Where a frame ends: at every 7E, which an escape keeps out of the content. What stands before the
 * first delimiter, or between two frames that share one, is a frame as well: a lost delimiter then
 * costs no neighbour.
 */
#ifndef ONEKEY_PROTOCOL_JT808_FRAME_H
#define ONEKEY_PROTOCOL_JT808_FRAME_H

#include "protocol/bytes.h"
#include "protocol/codec.h"

/* The standard allows 1023 bytes of body; escaped and with its header that is 2,100. */
#define JT808_FRAME_MAX 4096

enum jt808_id {
    JT808_TERMINAL_REPLY = 0x0001,
    JT808_HEARTBEAT = 0x0002,
    JT808_LOGOUT = 0x0003,
    JT808_SERVER_TIME = 0x0004,
    JT808_REGISTER = 0x0100,
    JT808_AUTHENTICATE = 0x0102,
    JT808_TIME_REQUEST = 0x0109,
    JT808_LOCATION = 0x0200,
    JT808_LOCATION_ANSWER = 0x0201,
    JT808_LOCATIONS_SHORT = 0x0210, /* a vendor's batch: a length of one byte before each */
    JT808_LOCATIONS = 0x0704,
    JT808_TRANSPARENT = 0x0900,
    JT808_PLATFORM_REPLY = 0x8001,
    JT808_SERVER_TIME_ANSWER = 0x8004,
    JT808_REGISTER_ANSWER = 0x8100,
    JT808_SET_PARAMETERS = 0x8103,
    JT808_TIME_ANSWER = 0x8109,
    JT808_LOCATE = 0x8201,
    JT808_CONFIRM_ALARM = 0x8203
};

/* Without its escapes. The views are lent from the memory that jt808_frame_read was given. */
struct jt808_frame {
    uint16_t id, serial;
    struct bytes phone, body; /* phone: 6 bytes of packed decimal, 10 in the form of 2019 */
    uint16_t total, part;     /* packages of the message, and which it is, 1..; 0, 0: in one */
    bool is_2019, encrypted;
    bool checksum_wrong, length_wrong;
};

enum frame jt808_frame_split(struct bytes input, size_t *skip, size_t *size);
/* Reads what jt808_frame_split cut off; `memory` of JT808_FRAME_MAX bytes holds it without its escapes.
 * False if it is too short for a header. */
bool jt808_frame_read(struct bytes input, uint8_t *memory, struct jt808_frame *frame);
/* The phone as people write it, without leading zeros; hex digits where it is not decimal. */
void jt808_frame_identity(struct bytes phone, char out[IDENTITY_LIMIT + 1]);
/* Appends a whole frame; id, serial, phone, body and is_2019 count. False if there is no room. */
bool jt808_frame_write(struct writer *out, const struct jt808_frame *frame);

#endif
