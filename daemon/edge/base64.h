/*
 * Base64 (RFC 4648, section 4) of any bytes, with padding and without line breaks.
 */
#ifndef ONEKEY_EDGE_BASE64_H
#define ONEKEY_EDGE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BASE64_SIZE(size) (((size) + 2) / 3 * 4 + 1) /* of the text, with its NUL */

/* Writes BASE64_SIZE(size) characters, the last of them NUL. */
void base64_write(const void *data, size_t size, char *out);
/* The bytes of a text without blanks; false if it is no base64 or needs more than `limit`. */
bool base64_read(const char *text, uint8_t *out, size_t limit, size_t *size);

#endif
