#include "tools/console/http/message.h"

#include <string.h>
#include <strings.h>

#define BAD_REQUEST 400
#define TOO_MANY_FIELDS 431
#define NOT_IMPLEMENTED 501
#define VERSION_NOT_SUPPORTED 505
#define LENGTH_DIGITS_MAX 15

static bool is_token(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* Ends the line that begins at `line` with NUL. NULL if there is no CRLF or a control character
 * before it; else where the next line begins. */
static char *cut_line(char *line, const char *end)
{
    for (char *at = line; at + 1 < end; at++) {
        if (at[0] == '\r' && at[1] == '\n') {
            *at = '\0';
            return at + 2;
        }
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7f)
            return NULL;
    }
    return NULL;
}

static enum message_method method_of(const char *word)
{
    static const char *const words[] = {"GET", "HEAD", "POST", "PUT", "DELETE"};
    for (int i = 0; i < (int)ARRAY_SIZE(words); i++)
        if (strcmp(words[i], word) == 0)
            return (enum message_method)i;
    return MESSAGE_OTHER;
}

static bool is_target(const char *text)
{
    if (*text != '/')
        return false;
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~' || *text == '#')
            return false;
    return true;
}

/* "GET /path?query HTTP/1.1" */
static int parse_request_line(struct message *message, char *line)
{
    char *target = strchr(line, ' ');
    char *version = target == NULL ? NULL : strchr(target + 1, ' ');
    if (target == line || version == NULL)
        return BAD_REQUEST;
    *target++ = *version++ = '\0';
    for (const char *at = line; *at != '\0'; at++)
        if (!is_token(*at))
            return BAD_REQUEST;
    if (strncmp(version, "HTTP/", 5) != 0 || !is_target(target))
        return BAD_REQUEST;
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
        return VERSION_NOT_SUPPORTED;
    message->method = method_of(line);
    message->is_keep_alive = version[7] == '1';
    message->path = target;
    char *query = strchr(target, '?');
    message->query = "";
    if (query != NULL) {
        *query = '\0';
        message->query = query + 1;
    }
    return 0;
}

static int parse_field(struct message *message, char *line)
{
    char *colon = strchr(line, ':');
    if (colon == NULL || colon == line)
        return BAD_REQUEST;
    for (char *at = line; at < colon; at++) {
        if (!is_token(*at))
            return BAD_REQUEST;
        if (*at >= 'A' && *at <= 'Z')
            *at |= 0x20;
    }
    if (message->count == MESSAGE_FIELDS_MAX)
        return TOO_MANY_FIELDS;
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t"), *end = value + strlen(value);
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = '\0';
    message->fields[message->count++] = (struct message_field){line, value};
    return 0;
}

static int count_of(const struct message *message, const char *name)
{
    int count = 0;
    for (int i = 0; i < message->count; i++)
        count += strcmp(message->fields[i].name, name) == 0;
    return count;
}

/* What the fields say about the connection and the body. */
static int judge(struct message *message)
{
    const char *length = message_value(message, "content-length");
    const char *connection = message_value(message, "connection");
    const char *expect = message_value(message, "expect");
    if (message_value(message, "transfer-encoding") != NULL)
        return NOT_IMPLEMENTED;
    if (count_of(message, "host") != 1 || count_of(message, "content-length") > 1)
        return BAD_REQUEST;
    if (length != NULL) {
        size_t digits = strspn(length, "0123456789");
        if (digits == 0 || digits > LENGTH_DIGITS_MAX || length[digits] != '\0')
            return BAD_REQUEST;
        for (; *length != '\0'; length++)
            message->content_length = message->content_length * 10 + (*length - '0');
    }
    if (connection != NULL && strcasecmp(connection, "close") == 0)
        message->is_keep_alive = false;
    message->expects_continue = expect != NULL && strcasecmp(expect, "100-continue") == 0;
    return 0;
}

int message_parse(struct message *message, char *head, size_t size)
{
    const char *end = head + size;
    char *line = head;
    *message = (struct message){.path = NULL};
    char *next = cut_line(line, end);
    if (next == NULL)
        return BAD_REQUEST;
    int status = parse_request_line(message, line);
    while (status == 0) {
        line = next;
        next = cut_line(line, end);
        if (next == NULL)
            return BAD_REQUEST;
        if (*line == '\0')
            break;
        status = parse_field(message, line);
    }
    return status != 0 ? status : judge(message);
}

const char *message_value(const struct message *message, const char *name)
{
    for (int i = 0; i < message->count; i++)
        if (strcmp(message->fields[i].name, name) == 0)
            return message->fields[i].value;
    return NULL;
}

bool message_cookie(const struct message *message, const char *name, char *out, size_t size)
{
    const char *at = message_value(message, "cookie");
    size_t name_size = strlen(name);
    while (at != NULL && *at != '\0') {
        at += strspn(at, " ;");
        size_t length = strcspn(at, ";");
        if (length > name_size && at[name_size] == '=' && strncmp(at, name, name_size) == 0) {
            size_t value_size = length - name_size - 1;
            if (value_size >= size)
                return false;
            memcpy(out, at + name_size + 1, value_size);
            out[value_size] = '\0';
            return true;
        }
        at += length;
    }
    return false;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Length of the UTF-8 character that begins at `at`, NUL-terminated text; 0 if it is none. */
static size_t utf8_length(const unsigned char *at)
{
    size_t length = at[0] < 0x80 ? 1 : at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (at[0] > 0xf4 || (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

static bool is_clean(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at != '\0') {
        size_t length = *at < ' ' || *at == 0x7f ? 0 : utf8_length(at);
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}

/* Decodes %XX, and + as a blank if `plus`. False if it is badly encoded, does not fit or is not clean. */
static bool decode(const char *text, size_t text_size, bool plus, char *out, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < text_size; i++) {
        char c = text[i] == '+' && plus ? ' ' : text[i];
        if (c == '%') {
            if (text_size - i < 3)
                return false;
            int high = hex_value(text[i + 1]), low = hex_value(text[i + 2]);
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0' || used + 1 >= size)
            return false;
        out[used++] = c;
    }
    out[used] = '\0';
    return is_clean(out);
}

bool message_argument(const char *query, const char *name, char *out, size_t size)
{
    size_t name_size = strlen(name);
    while (*query != '\0') {
        size_t length = strcspn(query, "&");
        if (length > name_size && query[name_size] == '=' && strncmp(query, name, name_size) == 0)
            return decode(query + name_size + 1, length - name_size - 1, true, out, size);
        query += length + (query[length] == '&');
    }
    return false;
}

bool message_decode_path(const char *path, size_t path_size, char *out, size_t size)
{
    size_t slashes = 0, found = 0;
    for (size_t i = 0; i < path_size; i++)
        slashes += path[i] == '/';
    if (!decode(path, path_size, false, out, size))
        return false;
    for (const char *at = out; *at != '\0'; at++) {
        found += *at == '/';
        if (*at == '\\')
            return false;
    }
    return found == slashes;
}
