/*
 * Reading JSON that a stranger sent: bounded, strict, and without surprises of type. The only place
 * that parses; values are jansson's and borrowed unless said.
 */
#ifndef ONEKEY_PROTOCOL_JSON_VALUE_H
#define ONEKEY_PROTOCOL_JSON_VALUE_H

#include "protocol/bytes.h"

#include <jansson.h>

#define JSON_SIZE_MAX 65536
#define JSON_DEPTH_MAX 16

/* One object or array that fills the whole text; NULL if it is invalid, too long, too deep, not
 * UTF-8 or says a key twice. The caller releases it with json_decref. */
json_t *json_value_parse(struct bytes text);
/* The value at a dotted path of object keys; "" is `root` itself. NULL if there is none. A value that
 * a platform wrapped as {"value": …, "time": …} comes out of its wrap. */
json_t *json_value_at(json_t *root, const char *path);
/* The bytes of a string; an empty view of anything else. */
struct bytes json_value_text(const json_t *value);
/* A number, or a string that holds one, times `scale`, rounded. False if it is none or the result
 * is beyond 2^53. */
bool json_value_scaled(const json_t *value, int64_t scale, int64_t *out);
/* A time: a string in RFC 3339 or ISO 8601 basic form, or a number of milliseconds or seconds since
 * 1970. False if it is none of these or before 2000: nothing this gateway serves is older. */
bool json_value_time(const json_t *value, int64_t *us);
/* A quoted and escaped JSON string of printable ASCII text. */
void json_value_write_text(struct writer *writer, const char *text);

#endif
