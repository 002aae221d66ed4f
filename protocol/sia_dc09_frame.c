#include "protocol/sia_dc09_frame.h"

#include "protocol/checksum.h"

#define LF 0x0A
#define CR 0x0D
/* From the checksum to the quote: four digits of it, or two bytes, and four of the length. */
#define HEAD_DIGITS 8
#define HEAD_RAW 6

static bool is_hex(struct bytes text)
{
    uint64_t value;

    return text.size <= 16 && bytes_parse_hex(text, &value);
}

/* Bytes of head before the quote at `quote`, 0 if no frame begins there. Two raw bytes can be
 * anything, so only an LF before them makes them a checksum. */
static size_t head_before(struct bytes input, size_t quote)
{
    if (quote >= HEAD_DIGITS && is_hex(bytes_part(input, quote - HEAD_DIGITS, HEAD_DIGITS)))
        return HEAD_DIGITS;
    if (quote > HEAD_RAW && input.data[quote - HEAD_RAW - 1] == LF &&
        is_hex(bytes_part(input, quote - 4, 4)))
        return HEAD_RAW;
    return 0;
}

/* Of a frame: where its quote stands, 0 if it has no head. */
static size_t find_quote(struct bytes frame)
{
    if (frame.size > HEAD_DIGITS && frame.data[HEAD_DIGITS] == '"' &&
        is_hex(bytes_part(frame, 0, HEAD_DIGITS)))
        return HEAD_DIGITS;
    if (frame.size > HEAD_RAW && frame.data[HEAD_RAW] == '"' && is_hex(bytes_part(frame, 2, 4)))
        return HEAD_RAW;
    return 0;
}

/* Size of the whole frame as its length states it, which some devices write in decimal. */
static size_t declared_size(struct bytes frame, size_t quote, bool decimal)
{
    struct bytes text = bytes_part(frame, quote - 4, 4);
    uint64_t value = 0;
    int64_t digits;

    if (decimal)
        value = bytes_parse_decimal(text, &digits) ? (uint64_t)digits : 0;
    else
        bytes_parse_hex(text, &value);
    return quote + (size_t)value;
}

static bool is_sound(struct bytes frame, size_t quote)
{
    uint16_t checksum = checksum_crc16_arc(bytes_part(frame, quote, frame.size));
    uint64_t stated;

    if (quote == HEAD_RAW)
        return (frame.data[0] << 8 | frame.data[1]) == checksum;
    return bytes_parse_hex(bytes_part(frame, 0, 4), &stated) && stated == checksum;
}

/* Size of the frame that begins `input`, 0 if its end is not there yet. */
static size_t find_end(struct bytes input, size_t quote)
{
    size_t in_decimal = declared_size(input, quote, true);
    size_t in_hex = declared_size(input, quote, false);

    for (size_t i = quote + 1; i < input.size && i < SIA_DC09_FRAME_MAX - 1; i++) {
        if (input.data[i] == CR || input.data[i] == LF)
            return i;
        if ((i + 1 == in_decimal || i + 1 == in_hex) &&
            is_sound(bytes_part(input, 0, i + 1), quote))
            return i + 1;
    }
    return 0;
}

/* Of input without a head: what none can begin with, as a head begins with a digit or behind an LF.
 * The rest must stay, lest the same bytes cut otherwise were another frame. */
static size_t droppable(struct bytes input)
{
    size_t dropped = input.size > HEAD_DIGITS ? input.size - HEAD_DIGITS : 0;

    while (dropped < input.size && input.data[dropped] != LF &&
           !is_hex(bytes_part(input, dropped, 1)))
        dropped++;
    return dropped;
}

enum frame sia_dc09_frame_split(struct bytes input, size_t *skip, size_t *size)
{
    for (size_t quote = 0; quote < input.size; quote++) {
        quote += bytes_find(bytes_part(input, quote, input.size), '"');

        size_t head = quote < input.size ? head_before(input, quote) : 0;

        if (head == 0)
            continue;
        *skip = quote - head;
        *size = find_end(bytes_part(input, *skip, input.size), head);
        if (*size)
            return FRAME_READY;
        if (input.size - *skip < SIA_DC09_FRAME_MAX - 1) {
            *skip -= head == HEAD_RAW; /* its LF must stay */
            return FRAME_MORE;
        }
        *skip += SIA_DC09_FRAME_MAX - 1;
        return FRAME_BAD;
    }
    *skip = droppable(input);
    return FRAME_MORE;
}

enum frame sia_dc09_frame_recognise(struct bytes first)
{
    bool has_feed = first.size > 0 && first.data[0] == LF;
    struct bytes head = bytes_part(first, has_feed, first.size);
    bool digits = is_hex(bytes_part(head, 0, HEAD_DIGITS));
    bool raw = has_feed && (head.size <= 2 || is_hex(bytes_part(head, 2, 4)));
    size_t quote = find_quote(head);

    if (quote == HEAD_DIGITS || (quote == HEAD_RAW && raw))
        return FRAME_READY;
    if (head.size == 0 || (digits && head.size <= HEAD_DIGITS) || (raw && head.size <= HEAD_RAW))
        return FRAME_MORE;
    return FRAME_BAD;
}

struct bytes sia_dc09_frame_take_word(struct bytes *rest)
{
    size_t size = 0;

    while (size < rest->size) {
        uint8_t upper = rest->data[size] & 0xDF;
        bool is_digit = rest->data[size] >= '0' && rest->data[size] <= '9';

        if (!is_digit && (upper < 'A' || upper > 'Z'))
            break;
        size++;
    }

    struct bytes word = bytes_part(*rest, 0, size);

    *rest = bytes_part(*rest, size, rest->size);
    return word;
}

/* `letter` and the hex digits after it, if the rest begins so. */
static struct bytes take_lettered(struct bytes *rest, uint8_t letter)
{
    size_t size = rest->size && rest->data[0] == letter ? 1 : 0;

    while (size && is_hex(bytes_part(*rest, size, 1)))
        size++;

    struct bytes taken = bytes_part(*rest, 0, size);

    *rest = bytes_part(*rest, size, rest->size);
    return taken;
}

static void parse_head(struct bytes rest, struct sia_dc09_frame *frame)
{
    size_t digits = 0;

    while (digits < rest.size && digits < 4 && is_hex(bytes_part(rest, digits, 1)))
        digits++;
    frame->sequence = bytes_part(rest, 0, digits);
    rest = bytes_part(rest, digits, rest.size);
    frame->receiver = take_lettered(&rest, 'R');
    frame->line = take_lettered(&rest, 'L');
    if (rest.size && rest.data[0] == '#') {
        rest = bytes_part(rest, 1, rest.size);
        frame->account = sia_dc09_frame_take_word(&rest);
    }
    frame->content = bytes_part(rest, bytes_find(rest, '[') + 1, rest.size);
}

/* Galaxy panels write 0101 for a checksum, and behind the last bracket an identity in hex digits, a
 * bar and the account. */
static bool is_galaxy(struct bytes whole)
{
    size_t from = whole.size, bar;
    struct bytes tail;

    while (from > 0 && whole.data[from - 1] != ']')
        from--;
    tail = bytes_part(whole, from, whole.size);
    bar = bytes_find(tail, '|');
    return from > 0 && bytes_starts_with(whole, "0101") && bar > 0 && bar < tail.size &&
           is_hex(bytes_part(tail, 0, bar)) && bytes_starts_with(bytes_part(tail, bar, 2), "|#");
}

struct sia_dc09_frame sia_dc09_frame_parse(struct bytes whole)
{
    struct sia_dc09_frame frame = {.is_sound = false};
    size_t quote = find_quote(whole), end;
    struct bytes rest = bytes_part(whole, quote + 1, whole.size);

    if (quote == 0)
        return frame;
    frame.is_raw = quote == HEAD_RAW;
    frame.is_galaxy = !frame.is_raw && !is_sound(whole, quote) && is_galaxy(whole);
    frame.is_sound = frame.is_galaxy || is_sound(whole, quote);
    frame.length_right = whole.size == declared_size(whole, quote, false) ||
                         whole.size == declared_size(whole, quote, true);
    end = bytes_find(rest, '"');
    frame.id = bytes_part(rest, 0, end);
    frame.is_encrypted = frame.id.size && frame.id.data[0] == '*';
    if (frame.is_encrypted)
        frame.id = bytes_part(frame.id, 1, frame.id.size);
    parse_head(bytes_part(rest, end + 1, rest.size), &frame);
    return frame;
}

void sia_dc09_frame_write(struct writer *out, struct bytes body, bool is_raw)
{
    uint16_t checksum = checksum_crc16_arc(body);

    writer_u8(out, LF);
    if (is_raw)
        writer_u16_be(out, checksum);
    else
        writer_hex(out, checksum, 4);
    writer_hex(out, body.size, 4);
    writer_bytes(out, body);
    writer_u8(out, CR);
}
