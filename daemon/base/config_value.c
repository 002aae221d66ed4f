#include "daemon/base/config_value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GIB (1024.0 * 1024 * 1024)

/* The place of `value` among blank-separated words, -1 if it is not there. */
static int word_index(const char *words, const char *value)
{
    size_t size = strlen(value);
    for (int index = 0; *words != '\0'; index++) {
        size_t length = strcspn(words, " ");
        if (length == size && memcmp(words, value, size) == 0)
            return index;
        words += length;
        words += strspn(words, " ");
    }
    return -1;
}

static const char *set_integer(const struct config_key *key, void *member, const char *value)
{
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (end == value || *end != '\0')
        return "is not a whole number";
    if (errno != 0 || (double)number < key->min || (double)number > key->max)
        return "is out of range";
    *(int32_t *)member = (int32_t)number;
    return NULL;
}

static const char *set_size(const struct config_key *key, void *member, const char *value)
{
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (end == value)
        return "is not a number of bytes";
    const char *unit = strchr("KMG", *end);
    double bytes = (double)number;
    if (*end != '\0') {
        if (unit == NULL || end[1] != '\0')
            return "is not a number of bytes";
        bytes = ldexp(bytes, 10 * (int)(unit - "KMG" + 1));
    }
    if (errno != 0 || bytes < key->min || bytes > key->max)
        return "is out of range";
    *(int64_t *)member = (int64_t)bytes;
    return NULL;
}

static const char *set_real(const struct config_key *key, void *member, const char *value)
{
    char *end;
    double number = strtod(value, &end);
    if (end == value || *end != '\0')
        return "is not a number";
    if (!(number >= key->min && number <= key->max))
        return "is out of range";
    *(double *)member = number;
    return NULL;
}

static const char *set_yes_no(void *member, const char *value)
{
    int index = word_index("no yes", value);
    if (index < 0)
        return "is neither yes nor no";
    *(bool *)member = index == 1;
    return NULL;
}

static const char *set_choice(const struct config_key *key, void *member, const char *value)
{
    int index = word_index(key->words, value);
    if (index < 0)
        return "is not known";
    *(int32_t *)member = (int32_t)key->min + index;
    return NULL;
}

/* A password must not stand in the file, neither as keyword or parameter nor as user:password@. */
static bool has_password(const char *conninfo)
{
    for (const char *at = conninfo; (at = strstr(at, "password")) != NULL;) {
        at += strlen("password");
        if (at[strspn(at, " \t")] == '=')
            return true;
    }
    const char *authority = strstr(conninfo, "://");
    if (authority == NULL)
        return false;
    authority += 3;
    const char *host = strchr(authority, '@');
    return host != NULL && memchr(authority, ':', (size_t)(host - authority)) != NULL;
}

static bool is_word(const char *value)
{
    for (; *value != '\0'; value++)
        if (!isalnum((unsigned char)*value) && strchr(".-_", *value) == NULL)
            return false;
    return true;
}

static bool is_address(const char *value)
{
    struct in6_addr any;
    return inet_pton(AF_INET, value, &any) == 1 || inet_pton(AF_INET6, value, &any) == 1;
}

static size_t longest(const struct config_key *key)
{
    size_t limit = key->max > 0 ? (size_t)key->max : key->size - 1;
    return limit < CONFIG_VALUE_MAX ? limit : CONFIG_VALUE_MAX;
}

/* What is wrong with a text of this key, NULL if nothing is. */
static const char *judge_text(const struct config_key *key, const char *value)
{
    size_t size = strlen(value);
    if (size < (size_t)key->min)
        return "is empty";
    if (size > longest(key))
        return "is too long";
    if (key->type == CONFIG_PATH && size > 0 && value[0] != '/')
        return "is not an absolute path";
    if (key->type == CONFIG_WORD && !is_word(value))
        return "has a forbidden character";
    if (key->type == CONFIG_ADDRESS && !is_address(value))
        return "is not an address in numbers";
    if (key->type == CONFIG_CODEC && word_index(key->words, value) < 0)
        return "is not known";
    if (key->type == CONFIG_CONNINFO && has_password(value))
        return "holds a password";
    return NULL;
}

static const char *set_text(const struct config_key *key, char *member, const char *value)
{
    const char *wrong = judge_text(key, value);
    if (wrong == NULL) {
        memset(member, 0, key->size);
        memcpy(member, value, strlen(value));
    }
    return wrong;
}

const char *config_value_set(const struct config_key *key, void *base, const char *value)
{
    void *member = (char *)base + key->offset;
    switch (key->type) {
    case CONFIG_INTEGER:
        return set_integer(key, member, value);
    case CONFIG_SIZE:
        return set_size(key, member, value);
    case CONFIG_REAL:
        return set_real(key, member, value);
    case CONFIG_YES_NO:
        return set_yes_no(member, value);
    case CONFIG_CHOICE:
        return set_choice(key, member, value);
    case CONFIG_TEXT:
    case CONFIG_WORD:
    case CONFIG_PATH:
    case CONFIG_ADDRESS:
    case CONFIG_CONNINFO:
    case CONFIG_CODEC:
        return set_text(key, member, value);
    }
    abort(); /* no such type: the table is broken */
}

static void show_size(int64_t bytes, char out[CONFIG_TEXT_MAX])
{
    static const char units[] = "KMG";
    const char *unit = "";
    int count = 0;
    for (; bytes != 0 && bytes % 1024 == 0 && count < 3; count++, bytes /= 1024)
        unit = units + count;
    snprintf(out, CONFIG_TEXT_MAX, "%" PRId64 "%.1s", bytes, unit);
}

static void show_choice(const char *words, int index, char out[CONFIG_TEXT_MAX])
{
    for (; index > 0; index--) {
        words += strcspn(words, " ");
        words += strspn(words, " ");
    }
    snprintf(out, CONFIG_TEXT_MAX, "%.*s", (int)strcspn(words, " "), words);
}

void config_value_show(const struct config_key *key, const void *base, char out[CONFIG_TEXT_MAX])
{
    const void *member = (const char *)base + key->offset;
    if (key->type == CONFIG_INTEGER)
        snprintf(out, CONFIG_TEXT_MAX, "%" PRId32, *(const int32_t *)member);
    else if (key->type == CONFIG_SIZE)
        show_size(*(const int64_t *)member, out);
    else if (key->type == CONFIG_REAL)
        snprintf(out, CONFIG_TEXT_MAX, "%.10g", *(const double *)member);
    else if (key->type == CONFIG_YES_NO)
        snprintf(out, CONFIG_TEXT_MAX, "%s", *(const bool *)member ? "yes" : "no");
    else if (key->type == CONFIG_CHOICE)
        show_choice(key->words, *(const int32_t *)member - (int)key->min, out);
    else
        snprintf(out, CONFIG_TEXT_MAX, "%s", (const char *)member);
}

static void describe_words(const char *words, char out[CONFIG_TEXT_MAX])
{
    int used = snprintf(out, CONFIG_TEXT_MAX, "one of");
    for (const char *comma = " "; *words != '\0'; comma = ", ") {
        int length = (int)strcspn(words, " ");
        used +=
            snprintf(out + used, CONFIG_TEXT_MAX - (size_t)used, "%s%.*s", comma, length, words);
        words += length;
        words += strspn(words, " ");
    }
}

void config_value_describe(const struct config_key *key, char out[CONFIG_TEXT_MAX])
{
    static const char *const kinds[] = {
        [CONFIG_TEXT] = "text",
        [CONFIG_WORD] = "letters, digits, '.', '-' and '_'",
        [CONFIG_PATH] = "an absolute path",
        [CONFIG_ADDRESS] = "an IPv4 or IPv6 address in numbers",
        [CONFIG_CONNINFO] = "a connection string without password (name a passfile)",
        [CONFIG_YES_NO] = "yes or no",
    };
    char low[CONFIG_TEXT_MAX], high[32];
    if (key->words != NULL) {
        describe_words(key->words, out);
    } else if (key->type == CONFIG_INTEGER || key->type == CONFIG_REAL) {
        snprintf(out, CONFIG_TEXT_MAX, "%.10g to %.10g", key->min, key->max);
    } else if (key->type == CONFIG_SIZE) {
        show_size((int64_t)key->min, low);
        snprintf(high, sizeof(high), "%.0fG", key->max / GIB);
        snprintf(out, CONFIG_TEXT_MAX, "%.31s to %s", low, high);
    } else if (key->type == CONFIG_PATH || key->type == CONFIG_ADDRESS ||
               key->type == CONFIG_YES_NO) {
        snprintf(out, CONFIG_TEXT_MAX, "%s", kinds[key->type]);
    } else {
        snprintf(out, CONFIG_TEXT_MAX, "%s, at most %zu characters", kinds[key->type],
                 longest(key));
    }
}
