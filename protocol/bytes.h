/*
 * Views over the caller's memory. A `struct bytes` lends a range and owns nothing; a `struct cursor`
 * consumes one whole or not at all; a `struct writer` fills a fixed buffer and remembers overflow.
 * Nothing here allocates, and no function reads or writes outside the range it was given: after the
 * first failure a cursor or writer stays failed, so a decoder checks once at the end.
 */
#ifndef ONEKEY_PROTOCOL_BYTES_H
#define ONEKEY_PROTOCOL_BYTES_H

#include "protocol/cursor.h"
#include "protocol/writer.h"

bool bytes_equal(struct bytes a, struct bytes b);
bool bytes_equal_text(struct bytes a, const char *text);
/* ASCII letters compare case-blind. */
bool bytes_equal_nocase(struct bytes a, const char *text);
bool bytes_starts_with(struct bytes whole, const char *prefix);
/* Offset of the first `byte`, or the view's size if it is not there. */
size_t bytes_find(struct bytes whole, uint8_t byte);
/* Splits off what stands before the first `separator` and leaves what follows it in *rest. False at
 * the end: when *rest was exhausted before the call (an empty view with NULL data). A trailing
 * separator yields one last empty field. */
bool bytes_next_field(struct bytes *rest, uint8_t separator, struct bytes *field);
struct bytes bytes_trim(struct bytes text);
/* Copies into a NUL-terminated buffer, cut to fit; bytes outside printable ASCII become '?'.
 * Returns whether the whole text fitted unchanged. */
bool bytes_copy_text(struct bytes text, char *out, size_t out_size);

/* The whole view must be a number; no sign, blank or overflow is forgiven unless said. */
bool bytes_parse_decimal(struct bytes text, int64_t *out); /* optional leading - or + */
bool bytes_parse_hex(struct bytes text, uint64_t *out);
/* Decimal fraction times 10^digits, truncated: "36.5", 2 -> 3650. Optional sign. */
bool bytes_parse_fixed(struct bytes text, int digits, int64_t *out);
/* Two hex digits a byte into out; false on a bad digit, an odd count or too little room. */
bool bytes_parse_hex_string(struct bytes text, uint8_t *out, size_t out_limit, size_t *out_size);

/* `size` bytes of packed decimal, two digits a byte, as digits into out (2*size+1 chars). A nibble
 * above 9 fails the cursor. */
void cursor_bcd(struct cursor *cursor, size_t size, char *out);

void writer_decimal(struct writer *writer, int64_t value);
/* Exactly `width` digits, zero-padded, cut to the low digits. */
void writer_decimal_padded(struct writer *writer, uint64_t value, int width);
void writer_hex(struct writer *writer, uint64_t value, int width); /* upper case, zero-padded */
/* value / 10^digits with all its digits: -3650, 2 -> "-36.50" */
void writer_fixed(struct writer *writer, int64_t value, int digits);
/* Decimal digits as packed decimal, `size` bytes, left-padded with zeros. */
void writer_bcd(struct writer *writer, const char *digits, size_t size);

#endif
