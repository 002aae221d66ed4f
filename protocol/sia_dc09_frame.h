/*
 * The outside of a SIA DC-09 frame, both ways:
 *
 *     LF crc length "id" sequence [Rreceiver] Lline [#account] [ content CR
 *
 * A frame as cut here begins with its checksum and ends before its CR; what stands between two
 * frames is junk. Checksum and length are over the first quote up to the end.
 *
 * Where a frame ends: at the first of a CR, an LF (the end of this one was lost), or the byte where
 * the length, hex or decimal, puts the end if the checksum agrees there. Each is decided by what
 * stands before it, so it does not matter how the network cuts.
 */
#ifndef ONEKEY_PROTOCOL_SIA_DC09_FRAME_H
#define ONEKEY_PROTOCOL_SIA_DC09_FRAME_H

#include "protocol/codec.h"

/* The length has three hex digits; an LF may wait before the head. */
#define SIA_DC09_FRAME_MAX 4112

struct sia_dc09_frame {
    bool is_raw;       /* the checksum is two bytes instead of four digits */
    bool is_sound;     /* the checksum agrees, or is the constant of a Galaxy */
    bool is_galaxy;    /* of that dialect: it is answered otherwise */
    bool length_right; /* in hex or in decimal */
    bool is_encrypted;
    struct bytes id; /* without the star */
    struct bytes sequence;
    struct bytes receiver, line; /* with their letters; empty if there is none */
    struct bytes account; /* of the head, without #; empty if it stands in the content only */
    struct bytes content; /* after the first [ */
};

enum frame sia_dc09_frame_recognise(struct bytes first);
enum frame sia_dc09_frame_split(struct bytes input, size_t *skip, size_t *size);
/* What can be read of `whole`, lent; what cannot is empty. */
struct sia_dc09_frame sia_dc09_frame_parse(struct bytes whole);
/* LF, checksum, length, body, CR. */
void sia_dc09_frame_write(struct writer *out, struct bytes body, bool is_raw);
/* The leading hex digits and letters of *rest, which it loses. */
struct bytes sia_dc09_frame_take_word(struct bytes *rest);

#endif
