#include "protocol/jt808_reports.h"

#include <assert.h>
#include <string.h>

#define HEAD_SIZE 28  /* alarms, status, place and time */
#define PLACE_SIZE 24 /* the same without the alarms */
#define REPORT_MAX 1023
#define ELEMENT_MAX 257
/* A length, a head and an element that is cut. */
#define HELD_MAX (2 + HEAD_SIZE + ELEMENT_MAX)

/* A message of which a package has come, in session->carry. */
struct pending {
    uint16_t id, total, first_serial;
    uint16_t next;      /* the package that goes on; 0: no message */
    uint16_t first_led; /* the first one that was read from where it begins */
    uint16_t size;      /* held */
    uint8_t is_kept;    /* of all its reports */
    uint8_t result;     /* of the last package, enum jt808_result */
    uint32_t shown;     /* by what came of the report that is held */
    uint8_t held[HELD_MAX];
};

static_assert(sizeof(struct pending) <= CODEC_CARRY_MAX, "a pending message fits the session");

/* A package on its way through: what is left of it, behind what was held. */
struct package {
    struct cursor cursor;
    int width; /* bytes of the length before each report; 0: one report without */
    bool is_last;
    struct pending *pending;
};

static int width_of(uint16_t id)
{
    if (id == JT808_LOCATIONS)
        return 2;
    return id == JT808_LOCATIONS_SHORT ? 1 : 0;
}

bool jt808_reports_has(uint16_t id)
{
    return id == JT808_LOCATION || id == JT808_LOCATION_ANSWER || id == JT808_LOCATIONS ||
           id == JT808_LOCATIONS_SHORT;
}

/* Where in the body of a report the first element stands that is not whole; its end if all are. */
static size_t first_cut_element(struct bytes body)
{
    size_t at = HEAD_SIZE;

    while (at + 2 <= body.size && at + 2 + body.data[at + 1] <= body.size)
        at += 2U + body.data[at + 1];
    return at < body.size ? at : body.size;
}

/* Holds what is not read of a report of `size` bytes in all, of which only `body` has come. */
static void hold(struct package *package, size_t size, struct bytes body)
{
    struct pending *pending = package->pending;
    struct writer held = writer_into(pending->held, HELD_MAX);
    size_t read = body.size < HEAD_SIZE ? body.size : HEAD_SIZE;
    size_t rest = body.size < HEAD_SIZE ? body.size : first_cut_element(body);

    size -= rest - read;
    if (package->width == 2)
        writer_u16_be(&held, (uint16_t)size);
    else if (package->width == 1)
        writer_u8(&held, (uint8_t)size);
    writer_bytes(&held, bytes_part(body, 0, read));
    writer_bytes(&held, bytes_part(body, rest, body.size));
    pending->size = (uint16_t)held.size;
}

/* One report, of which `size` bytes are announced. */
static void take_report(struct package *package, size_t size, struct jt808_report *report,
                        struct codec_session *session, struct batch *batch)
{
    uint32_t flags = report->model.flags;
    bool is_short = size > package->cursor.rest.size;

    report->is_cut = (is_short || package->width == 0) && !package->is_last;
    if (is_short && package->is_last)
        report->model.flags |= SIGNAL_FLAG_LENGTH_WRONG;
    report->body = cursor_take(&package->cursor, is_short ? package->cursor.rest.size : size);
    report->shown = package->pending->shown;
    package->pending->shown = 0;
    if (report->body.size >= 4 || !report->is_cut)
        report->shown = jt808_location_decode(report, session, batch);
    if (report->is_cut) {
        package->pending->shown = report->shown;
        hold(package, size, report->body);
    }
    report->model.flags = flags;
    report->is_cut = false;
    report->shown = 0;
}

/* All reports of the package. False where a length leads astray. */
static bool take_reports(struct package *package, struct jt808_report *report,
                         struct codec_session *session, struct batch *batch)
{
    struct cursor *cursor = &package->cursor;

    if (package->width == 0) {
        if (cursor->rest.size >= 4 || !package->is_last)
            take_report(package, cursor->rest.size, report, session, batch);
        return true;
    }
    while (cursor->rest.size > (size_t)package->width) {
        size_t size = package->width == 1 ? cursor_u8(cursor) : cursor_u16_be(cursor);

        if (size > REPORT_MAX && !package->is_last)
            return false;
        take_report(package, size, report, session, batch);
    }
    if (!package->is_last && cursor->rest.size) { /* half a length */
        memcpy(package->pending->held, cursor->rest.data, cursor->rest.size);
        package->pending->size = (uint16_t)cursor->rest.size;
    }
    return true;
}

/* Could the status, place and time of a report stand here? */
static bool is_place(struct bytes rest)
{
    static const uint8_t least[] = {0, 1, 1, 0, 0, 0},
                         most[] = {0x99, 0x12, 0x31, 0x24, 0x60, 0x60};
    static const uint8_t unset[sizeof(most)];
    struct cursor cursor = cursor_over(bytes_part(rest, 0, PLACE_SIZE));
    struct bytes time;
    char digits[13];

    cursor_u32_be(&cursor);
    if (cursor_u32_be(&cursor) > 90000000 || cursor_u32_be(&cursor) > 180000000)
        return false;
    cursor_u32_be(&cursor); /* height, speed */
    if (cursor_u16_be(&cursor) > 360)
        return false;
    time = cursor.rest;
    cursor_bcd(&cursor, sizeof(most), digits);
    if (cursor.failed || bytes_equal(time, (struct bytes){unset, sizeof(unset)}))
        return !cursor.failed;
    for (size_t i = 0; i < sizeof(most); i++)
        if (time.data[i] < least[i] || time.data[i] > most[i])
            return false;
    return true;
}

/* Where the first whole head behind its length stands; the end if none does. */
static size_t find_report(struct bytes body, int width)
{
    for (size_t at = 0; width && at + (size_t)width + HEAD_SIZE <= body.size; at++) {
        size_t size = width == 1 ? body.data[at] : (size_t)body.data[at] << 8 | body.data[at + 1];

        if (size >= HEAD_SIZE && size <= REPORT_MAX &&
            is_place(bytes_part(body, at + (size_t)width + 4, PLACE_SIZE)))
            return at;
    }
    return body.size;
}

/* A report whose alarm bits are cut by the beginning of its package: the emergency's is in the last
 * byte of them. */
static void take_beheaded(struct bytes lead, int width, struct jt808_report *report,
                          struct codec_session *session, struct batch *batch)
{
    uint8_t memory[4 + JT808_FRAME_MAX] = {0};
    struct writer body = writer_into(memory, sizeof(memory));
    size_t place = 1;
    uint32_t flags = report->model.flags;

    while (place < 4U + (size_t)width && !is_place(bytes_part(lead, place, PLACE_SIZE)))
        place++;
    if (place >= 4U + (size_t)width)
        return;
    for (size_t i = place; i < 4; i++)
        writer_u8(&body, 0);
    lead = bytes_part(lead, place > 4 ? place - 4 : 0, lead.size);
    writer_bytes(&body, lead);
    report->body = writer_view(&body);
    report->model.flags |= SIGNAL_FLAG_LENGTH_WRONG;
    jt808_location_decode(report, session, batch);
    report->model.flags = flags;
}

/* The reports of a package of which nobody knows where the first one begins. */
static void search_reports(struct package *package, struct jt808_report *report,
                           struct codec_session *session, struct batch *batch)
{
    struct bytes body = package->cursor.rest;
    size_t start;

    session->state[JT808_STATE_KEPT] = 0;
    report->is_kept = true;
    package->pending->result = JT808_RESULT_FAILED;
    do {
        start = find_report(body, package->width);
        take_beheaded(bytes_part(body, 0, start), package->width, report, session, batch);
        body = bytes_part(body, start, body.size);
        package->cursor = cursor_over(body);
        package->pending->shown = 0;
        package->pending->size = 0;
        /* Where a length leads astray, the rest is looked through again. */
        if (body.size == 0 || take_reports(package, report, session, batch))
            break;
        body = package->cursor.rest;
    } while (body.size > 0);
}

static bool belongs(const struct pending *pending, const struct jt808_frame *frame)
{
    /* Packages have serials in a row; some terminals give all of them one. */
    return pending->next && pending->id == frame->id && pending->total == frame->total &&
           (pending->first_serial == (uint16_t)(frame->serial - frame->part + 1) ||
            pending->first_serial == frame->serial);
}

/* The package that begins a message, or goes on where the last one ended. */
static void take_led(const struct jt808_frame *frame, struct package *package,
                     struct jt808_report *report, struct codec_session *session,
                     struct batch *batch)
{
    struct pending *pending = package->pending;
    uint8_t memory[HELD_MAX + JT808_FRAME_MAX];
    struct writer joined = writer_into(memory, sizeof(memory));
    struct cursor body = cursor_over(frame->body);

    if (frame->part <= 1) {
        *pending =
            (struct pending){.id = frame->id, .total = frame->total, .first_serial = frame->serial};
        if (frame->id == JT808_LOCATION_ANSWER)
            cursor_u16_be(&body);
        if (frame->id == JT808_LOCATIONS) {
            cursor_u16_be(&body);
            pending->is_kept = cursor_u8(&body) == 1;
        }
    }
    writer_bytes(&joined, (struct bytes){pending->held, pending->size});
    writer_bytes(&joined, body.rest);
    pending->size = 0;
    pending->result = JT808_RESULT_OK;
    report->is_kept = pending->is_kept;
    package->cursor = cursor_over(writer_view(&joined));
    if (package->width == 0 && jt808_location_alarms(package->cursor.rest) & JT808_ALARM_EMERGENCY)
        pending->result = JT808_RESULT_ALARM_CONFIRMED;
    if (!take_reports(package, report, session, batch))
        search_reports(package, report, session, batch);
    pending->next = (uint16_t)(frame->part + 1);
}

/* A package whose predecessor has not come. */
static void take_unled(const struct jt808_frame *frame, struct package *package,
                       struct jt808_report *report, struct codec_session *session,
                       struct batch *batch)
{
    *package->pending =
        (struct pending){.id = frame->id,
                         .total = frame->total,
                         .first_serial = (uint16_t)(frame->serial - frame->part + 1),
                         .first_led = (uint16_t)(frame->part + 1),
                         .is_kept = true};
    search_reports(package, report, session, batch);
    package->pending->next = (uint16_t)(frame->part + 1);
}

/* A package that was read before, and comes again because its answer was lost. */
static enum jt808_result result_of_doubled(const struct pending *pending)
{
    return pending->result == JT808_RESULT_ALARM_CONFIRMED ? JT808_RESULT_ALARM_CONFIRMED
                                                           : JT808_RESULT_OK;
}

void jt808_reports_decode(const struct jt808_frame *frame, struct jt808_report *report,
                          struct codec_session *session, struct batch *batch)
{
    uint32_t kept = session->state[JT808_STATE_KEPT];
    struct pending pending, before;
    struct package package = {.cursor = cursor_over(frame->body),
                              .width = width_of(frame->id),
                              .is_last = frame->part >= frame->total,
                              .pending = &pending};
    bool is_ours, is_next;

    memcpy(&before, session->carry, sizeof(before));
    /* The first package leads the others, also those that were read without it. */
    is_ours = belongs(&before, frame) && (frame->part > 1 || before.first_led == 0);
    is_next = !is_ours || frame->part == before.next;
    pending = before;
    if (frame->part <= 1 || (is_ours && is_next))
        take_led(frame, &package, report, session, batch);
    else
        take_unled(frame, &package, report, session, batch);
    if (!is_next) { /* the message still waits for another one */
        pending = before;
        pending.result = JT808_RESULT_FAILED;
        if (frame->part < before.next && frame->part >= before.first_led)
            pending.result = (uint8_t)result_of_doubled(&before);
        session->state[JT808_STATE_KEPT] = kept;
    }
    if (frame->total > 1)
        memcpy(session->carry, &pending, sizeof(pending));
}

enum jt808_result jt808_reports_result(const struct jt808_frame *frame,
                                       const struct codec_session *session)
{
    struct pending pending;

    memcpy(&pending, session->carry, sizeof(pending));
    return frame->checksum_wrong ? JT808_RESULT_FAILED : (enum jt808_result)pending.result;
}
