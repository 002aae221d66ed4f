/*
 * A codec turns the bytes of one protocol into signals and back, both directions: the gateway uses
 * split, decode, reply and command; a device, or the simulator that plays one, uses split and
 * compose. One file a protocol, one exported const struct codec; codecs[] lists them all.
 *
 * A codec is pure: no I/O, clock, heap, log or static state. What it must remember between two
 * frames of one connection stands in the caller's struct codec_session; what it needs from outside
 * (the time for a reply, a cipher, a device's key) comes in struct codec_environment.
 */
#ifndef ONEKEY_PROTOCOL_CODEC_H
#define ONEKEY_PROTOCOL_CODEC_H

#include "protocol/bytes.h"
#include "protocol/signal.h"

enum frame {
    FRAME_READY, /* one whole frame stands at [skip, skip+size) */
    FRAME_MORE,  /* not yet: `skip` bytes of junk may be dropped, the rest waits for more */
    FRAME_BAD    /* the first `skip` (> 0) bytes can never become a frame */
};

/* One frame of a stream or datagram, or one MQTT message (topic.size > 0). Lent for the call. */
struct message {
    struct bytes topic;
    struct bytes body;
};

/* Most bytes that a codec holds of a message that goes on in another frame. */
#define CODEC_CARRY_MAX 312

/* What one connection remembers. Zeroed by the caller when the connection starts. */
struct codec_session {
    char identity[IDENTITY_LIMIT + 1]; /* of the device, once a frame has said it */
    uint8_t variant;                   /* dialect or version, the codec's own meaning */
    bool authenticated;                /* the protocol's own proof succeeded */
    uint16_t serial;                   /* next serial of frames that we send */
    uint32_t state[4];                 /* the codec's own */
    uint8_t carry[CODEC_CARRY_MAX];    /* the codec's own, of a message in several frames */
};

/* AES-CBC without padding, as an argument so that this folder needs no cipher library.
 * key_size 16, 24 or 32; size a multiple of 16; in and out may be the same. False on failure. */
struct cipher {
    bool (*aes_cbc)(bool encrypt, struct bytes key, const uint8_t iv[16], struct bytes in,
                    uint8_t *out);
};

struct json_mapping;

struct codec_environment {
    int64_t now_us;              /* wall clock of this turn */
    const struct cipher *cipher; /* NULL: encrypted frames cannot be read */
    /* The device's secret into out (at most 64 bytes), its size returned, 0 if there is none.
     * NULL: no secrets. */
    size_t (*find_secret)(const void *secrets, const char *identity, uint8_t out[64]);
    const void *secrets;
    int32_t time_window_before_s, time_window_after_s; /* accepted clock error, 0,0 = any */
    uint32_t options;                                  /* enum codec_option */
    const struct json_mapping *mappings;               /* conventions of the configuration */
    int mapping_count;
    uint64_t number; /* of the journal record, for replies that name it; 0 = not journaled */
};

enum codec_option {
    CODEC_OPTION_METER_STATUS_VENDOR =
        1 << 0 /* CJ/T 188 status masks C0/20 instead of the standard */
};

/* What the gateway made of the frame, so that the reply says so. */
enum verdict {
    VERDICT_ACCEPTED,       /* durable, or nothing in it needed to be */
    VERDICT_WRONG_TIME,     /* accepted, and the device's clock is outside the window */
    VERDICT_UNKNOWN_DEVICE, /* accepted and flagged */
    VERDICT_CANNOT_PROCESS  /* understood as a frame, nothing we can do with it */
};

#define DECODE_BAD (-1)       /* not readable, and does not claim to be an alarm */
#define DECODE_SIGNALS_MAX 64 /* a batch with more keeps its alarms and its last others */
#define REPLY_MAX 512         /* longest reply or command frame */

enum command_kind {
    COMMAND_LOCATE,
    COMMAND_REPORT_INTERVAL, /* value = seconds */
    COMMAND_SOS_NUMBER,      /* value = slot 1.., text = phone */
    COMMAND_ACKNOWLEDGE      /* confirm an alarm that the device still shows */
};

struct command {
    enum command_kind kind;
    int32_t value;
    char text[32];
    uint8_t device; /* enum device_kind, where it is part of an address */
    int64_t id;     /* ours, where the protocol has room for a name */
};

/* What a frame is to a command. */
enum command_answer { COMMAND_UNANSWERED, COMMAND_DONE, COMMAND_REFUSED };
#define COMMAND_BIT(kind) (1U << (kind))

struct codec {
    const char *name;          /* as in configuration, CSV and tickets: "watch", "sia_dc09" */
    const char *const *topics; /* MQTT subscriptions it wants, NULL-terminated; NULL if none */
    size_t frame_max;          /* longest frame; a stream that exceeds it is closed */

    /* Whose bytes are these? READY: certainly ours; MORE: cannot tell yet; BAD: not ours.
     * Used where one listener serves several protocols. NULL for MQTT-only codecs. */
    enum frame (*recognise)(struct bytes first);
    /* Finds the first frame in what has arrived. Sets *skip and, when READY, *size. NULL for
     * MQTT-only codecs. Linear in the input, and never waits for more than frame_max. */
    enum frame (*split)(struct bytes input, size_t *skip, size_t *size);
    /* What the frame says: 1..limit signals with identity set, or DECODE_BAD. A frame that says
     * nothing but "I live" is one SIGNAL_HEARTBEAT. A frame that claims to be an alarm and cannot
     * be read is one SIGNAL_UNREADABLE with the identity as far as it can be guessed. */
    int (*decode)(const struct message *message, struct codec_session *session,
                  const struct codec_environment *environment, struct signal *out, int limit);
    /* What the protocol owes the sender of this frame (just decoded), appended to `out` (a stream's
     * bytes or an MQTT payload) and, for MQTT, its topic. Nothing is written where nothing is owed. */
    void (*reply)(const struct message *message, struct codec_session *session,
                  const struct codec_environment *environment, enum verdict verdict,
                  struct writer *topic, struct writer *out);
    /* The device's side: the frame by which this protocol says `signal`. False if it cannot. */
    bool (*compose)(const struct signal *signal, struct codec_session *session,
                    const struct codec_environment *environment, struct writer *topic,
                    struct writer *out);
    /* A command to the device session->identity. False if it cannot be said. NULL: no commands. */
    bool (*command)(const struct command *command, struct codec_session *session,
                    const struct codec_environment *environment, struct writer *topic,
                    struct writer *out);
    uint32_t commands; /* COMMAND_BIT of those that the protocol has */
    /* Whether this frame of the device is its answer to the command, which was written when the next
     * serial of the session was `serial`; what the device said, for people, is added to `text`.
     * NULL: devices do not answer, and a command that was sent is done. */
    enum command_answer (*command_answer)(const struct message *message,
                                          const struct command *command, uint16_t serial,
                                          struct writer *text);
};

/* All codecs, in the order of codecs.c; an index here is signal.protocol. */
extern const struct codec *const codecs[];
extern const int codec_count;
/* Index of the codec of that name, -1 if there is none. */
int codec_find(const char *name);

#endif
