/*
 * The text inside a SIA DC-09 frame, in clear or encrypted:
 *
 *     data] [extension]… _HH:MM:SS,MM-DD-YYYY
 *
 * Encrypted it is the hex of AES-CBC (initial vector zero) over padding, `|` and the text, with the
 * time always there: that it can be read is what tells the right key, as there is nothing else.
 *
 * A device's secret is a text: 16, 24 or 32 characters are the key itself, 32, 48 or 64 hex digits
 * spell it. 32 hex digits can be either, so both are tried, spelled first.
 */
#ifndef ONEKEY_PROTOCOL_SIA_DC09_TEXT_H
#define ONEKEY_PROTOCOL_SIA_DC09_TEXT_H

#include "protocol/sia_dc09_frame.h"

#define SIA_DC09_TEXT_MAX (SIA_DC09_FRAME_MAX / 2)

struct sia_dc09_key {
    uint8_t bytes[32];
    size_t size; /* 0 if there is none */
};

struct sia_dc09_text {
    bool is_lost;            /* encrypted, and no key opens it */
    struct sia_dc09_key key; /* that opened it */
    struct bytes data;       /* account and events */
    struct bytes extensions; /* [X…][Y…], with their brackets */
    bool has_stamp;
    int64_t stamped_us; /* 0 if the stamp is no time */
    uint8_t memory[SIA_DC09_TEXT_MAX];
};

/* Reads the content of a frame of the device `identity`. What it lends lives as long as the frame
 * and *text. */
void sia_dc09_text_open(const struct sia_dc09_frame *frame, const char *identity,
                        const struct codec_environment *environment, struct sia_dc09_text *text);
/* The key to encrypt with for this device. */
struct sia_dc09_key sia_dc09_text_find_key(const char *identity,
                                           const struct codec_environment *environment);
/* Encrypts `plain` (data, `]` and what follows) to hex. False without a cipher or room. */
bool sia_dc09_text_encrypt(struct bytes plain, const struct sia_dc09_key *key,
                           const struct cipher *cipher, struct writer *out);
/* HH:MM:SS,MM-DD-YYYY, both ways; false if it is no such time. */
bool sia_dc09_text_parse_time(struct bytes text, int64_t *us);
void sia_dc09_text_write_time(struct writer *out, int64_t us);

#endif
