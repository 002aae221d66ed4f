/*
 * Connections: from bytes to frames. The edge keeps the bytes; a session only says how many are done
 * with. One that sends what can never be a frame, too much, or a frame too slowly, is hung up on,
 * and it alone.
 */
#include <string.h>

#include "daemon/core/gateway_state.h"

#define BAD_FRAMES_MAX 16      /* in a row, then the peer is not what it should be */
#define SKIPPED_MAX 65536      /* bytes between two frames; then the same */
#define RECOGNISE_BYTES_MAX 64 /* no protocol needs more to be told from the others */

struct session *session_find(const struct gateway *gateway, uint64_t handle)
{
    return pool_get(&gateway->sessions, handle);
}

uint64_t gateway_connected(struct gateway *gateway, int codec, uint64_t connection)
{
    uint64_t handle = pool_add(&gateway->sessions);
    struct session *session = pool_get(&gateway->sessions, handle);

    if (!session) {
        gateway->counters.sessions_refused++;
        return 0;
    }
    session->codec = (int16_t)codec;
    session->connection = connection;
    session->device = NO_DEVICE;
    return handle;
}

void gateway_introduce(struct gateway *gateway, uint64_t handle,
                       const struct introduction *introduction)
{
    struct session *session = session_find(gateway, handle);

    if (!session)
        return;
    session->options = introduction->options;
    session->listener = introduction->listener;
    session->is_datagram = introduction->is_datagram;
    session->is_proven = introduction->identity != NULL;
    /* A name too long to be an identity is left empty, which no identity is: it proves nothing. */
    if (introduction->identity && !bytes_copy_text(bytes_of(introduction->identity),
                                                   session->proven, sizeof(session->proven)))
        session->proven[0] = '\0';
}

static uint32_t timer_of(const struct gateway *gateway, uint64_t handle)
{
    return gateway_timer(gateway, TIMER_SESSION, handle_index(handle));
}

void gateway_closed(struct gateway *gateway, uint64_t handle)
{
    struct session *session = session_find(gateway, handle);

    if (!session)
        return;
    wheel_disarm(&gateway->wheel, timer_of(gateway, handle));
    if (session->device != NO_DEVICE) {
        struct device *device = &gateway->registry.devices[session->device];

        if (device->session == handle)
            device->session = 0;
    }
    pool_remove(&gateway->sessions, handle);
}

static void hang_up(struct gateway *gateway, uint64_t handle, const char *reason)
{
    struct session *session = session_find(gateway, handle);

    log_event(gateway->ports.log, LOG_INFO, "session.closed", field_text("reason", reason),
              field_text("identity", session->memory.identity));
    gateway->ports.hang_up(gateway->ports.context, session->connection, reason);
    gateway_closed(gateway, handle);
}

/* A frame has been arriving for too long. */
void session_expired(struct gateway *gateway, uint32_t slot)
{
    /* The timer is disarmed when the session goes, so the slot is alive. */
    uint64_t handle = pool_handle(&gateway->sessions,
                                  gateway->sessions.objects + slot * gateway->sessions.object_size);

    gateway->counters.frames_slow++;
    hang_up(gateway, handle, "slow_frame");
}

/* The codec whose first bytes these are; -1 while that cannot be told; -2 if no codec's. */
static int recognise(struct bytes data)
{
    bool undecided = false;

    for (int i = 0; i < codec_count; i++) {
        enum frame answer = codecs[i]->recognise ? codecs[i]->recognise(data) : FRAME_BAD;

        if (answer == FRAME_READY)
            return i;
        undecided = undecided || answer == FRAME_MORE;
    }
    return undecided && data.size < RECOGNISE_BYTES_MAX ? -1 : -2;
}

static bool is_recognised(struct gateway *gateway, uint64_t handle, struct bytes data)
{
    struct session *session = session_find(gateway, handle);

    if (session->codec >= 0)
        return true;

    int codec = recognise(data);

    if (codec == -2) {
        gateway->counters.unrecognised++;
        log_event(gateway->ports.log, LOG_WARNING, "session.unrecognised",
                  field_hex("first_bytes", data.data, data.size < 16 ? data.size : 16));
        hang_up(gateway, handle, "unrecognised");
        return false;
    }
    session->codec = (int16_t)codec;
    return codec >= 0;
}

static void take_frame(struct gateway *gateway, uint64_t handle, struct bytes frame)
{
    struct session *session = session_find(gateway, handle);
    struct message message = {.body = frame};
    struct origin origin = {.codec = session->codec,
                            .message = &message,
                            .memory = &session->memory,
                            .session = handle};

    if (admit_frame(gateway, &origin) == ADMIT_BAD) {
        session->bad_frames++;
    } else {
        session->bad_frames = 0;
        session->skipped = 0;
    }
}

static void skip_bytes(struct gateway *gateway, uint64_t handle, size_t count, bool bad)
{
    struct session *session = session_find(gateway, handle);

    gateway->counters.bytes_skipped += count;
    session->skipped += (uint32_t)count;
    if (bad)
        session->bad_frames++;
}

static bool is_unreadable(const struct session *session)
{
    return session->bad_frames >= BAD_FRAMES_MAX || session->skipped > SKIPPED_MAX;
}

/* Takes frame after frame; returns the bytes consumed. Stops when there is no room for what another
 * frame could need: the rest comes again. */
static size_t take_frames(struct gateway *gateway, uint64_t handle, struct bytes data)
{
    const struct codec *codec = codecs[session_find(gateway, handle)->codec];
    size_t done = 0;

    while (done < data.size && gateway_has_room(gateway)) {
        struct bytes rest = bytes_part(data, done, data.size);
        size_t skip = 0, size = 0;
        enum frame frame = codec->split(rest, &skip, &size);

        if (skip > 0)
            skip_bytes(gateway, handle, skip, frame == FRAME_BAD);
        done += skip;
        if (frame == FRAME_MORE)
            break;
        if (frame == FRAME_READY) {
            take_frame(gateway, handle, bytes_part(data, done, size));
            done += size;
        }
        if (is_unreadable(session_find(gateway, handle)))
            break;
    }
    return done;
}

size_t gateway_input(struct gateway *gateway, uint64_t handle, struct bytes data)
{
    size_t done;

    if (!session_find(gateway, handle) || !is_recognised(gateway, handle, data))
        return 0;
    done = take_frames(gateway, handle, data);

    struct session *session = session_find(gateway, handle);

    if (is_unreadable(session)) {
        hang_up(gateway, handle, "unreadable");
    } else if (done < data.size && !gateway_has_room(gateway)) {
        /* The rest waits for us, not for the peer: it is neither too long nor too slow. */
        wheel_disarm(&gateway->wheel, timer_of(gateway, handle));
    } else if (data.size - done > codecs[session->codec]->frame_max) {
        hang_up(gateway, handle, "oversized");
    } else if (data.size - done <= 1) {
        /* One byte is no frame begun: some panels end theirs with CR LF, and LF opens the next. */
        wheel_disarm(&gateway->wheel, timer_of(gateway, handle));
    } else if (done > 0 || !wheel_is_armed(&gateway->wheel, timer_of(gateway, handle))) {
        wheel_arm(&gateway->wheel, timer_of(gateway, handle),
                  gateway->now.mono_us + gateway->settings.partial_frame_us);
    }
    return done;
}
