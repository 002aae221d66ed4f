/*
 * The head of one HTTP/1.x request, parsed in place: no heap, no state, nothing outside the bytes given.
 * What RFC 9112 allows and no browser sends (folded lines, bare LF, absolute targets, chunked bodies) is
 * refused, so that no two programs on the way can read a request differently.
 */
#ifndef ONEKEY_CONSOLE_HTTP_MESSAGE_H
#define ONEKEY_CONSOLE_HTTP_MESSAGE_H

#include "daemon/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MESSAGE_FIELDS_MAX 64

enum message_method {
    MESSAGE_GET,
    MESSAGE_HEAD,
    MESSAGE_POST,
    MESSAGE_PUT,
    MESSAGE_DELETE,
    MESSAGE_OTHER
};

struct message_field {
    const char *name, *value; /* the name in lower case */
};

struct message {
    enum message_method method;
    char *path;        /* begins with '/'; as sent, without the query; printable ASCII only */
    const char *query; /* behind the '?', "" if there is none; as sent */
    bool is_keep_alive, expects_continue;
    int64_t content_length; /* 0 if not said */
    int count;
    struct message_field fields[MESSAGE_FIELDS_MAX];
};

/* Reads `size` bytes that end with an empty line, and writes NULs into them; the message points into
 * them. 0, or the HTTP status with which to refuse it. */
int message_parse(struct message *message, char *head, size_t size) MUST_USE;
/* The value of a field, name in lower case; NULL if it is not there, the first if it is there twice. */
const char *message_value(const struct message *message, const char *name);
/* The value of a cookie. False if it is not there or longer than size - 1. */
bool message_cookie(const struct message *message, const char *name, char *out, size_t size);
/* The decoded value of `name` in a query (a=b&c=d). False if it is not there, is badly encoded, holds
 * a control character, is no UTF-8 or is longer than size - 1. */
bool message_argument(const char *query, const char *name, char *out, size_t size);
/* Decodes %XX; the same refusals, and also for a '/' or '\' that was hidden by it. */
bool message_decode_path(const char *path, size_t path_size, char *out, size_t size);

#endif
