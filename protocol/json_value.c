#include "protocol/json_value.h"

#include "protocol/calendar.h"

#include <string.h>

#define EXACT_MAX (INT64_C(1) << 53)
#define YEAR_2000_US (10957 * CALENDAR_DAY_US)
/* A number beyond this is milliseconds: as seconds it would be the year 5138. */
#define SECONDS_MAX INT64_C(100000000000)

/* The parser recurses, so the depth is known before it starts. */
static bool is_shallow(struct bytes text)
{
    int depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];

        if (quoted && byte == '\\')
            i++;
        else if (byte == '"')
            quoted = !quoted;
        else if (!quoted && (byte == '{' || byte == '['))
            depth++;
        else if (!quoted && (byte == '}' || byte == ']'))
            depth--;
        if (depth > JSON_DEPTH_MAX)
            return false;
    }
    return true;
}

json_t *json_value_parse(struct bytes text)
{
    if (text.size == 0 || text.size > JSON_SIZE_MAX || !is_shallow(text))
        return NULL;
    return json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
}

json_t *json_value_at(json_t *root, const char *path)
{
    struct bytes rest = bytes_of(path), key;

    while (root && rest.size && bytes_next_field(&rest, '.', &key)) {
        char name[64];

        if (!bytes_copy_text(key, name, sizeof(name)))
            return NULL;
        root = json_object_get(root, name);
    }

    json_t *inner = root && *path ? json_object_get(root, "value") : NULL;

    return inner ? inner : root;
}

struct bytes json_value_text(const json_t *value)
{
    return (struct bytes){(const uint8_t *)json_string_value(value), json_string_length(value)};
}

bool json_value_scaled(const json_t *value, int64_t scale, int64_t *out)
{
    double number;

    if (json_is_string(value)) {
        int64_t millionths;

        if (!bytes_parse_fixed(bytes_trim(json_value_text(value)), 6, &millionths))
            return false;
        number = (double)millionths / 1e6 * (double)scale;
    } else if (json_is_number(value)) {
        number = json_number_value(value) * (double)scale;
    } else {
        return false;
    }
    if (!(number > -(double)EXACT_MAX && number < (double)EXACT_MAX))
        return false;
    *out = (int64_t)(number < 0 ? number - 0.5 : number + 0.5);
    return true;
}

bool json_value_time(const json_t *value, int64_t *us)
{
    struct bytes text = json_value_text(value);
    int64_t parsed;

    if (json_is_number(value)) {
        if (!json_value_scaled(value, 1, &parsed) || parsed < 0)
            return false;
        if (parsed <= SECONDS_MAX)
            json_value_scaled(value, 1000, &parsed);
        parsed *= 1000;
    } else if (!calendar_parse_rfc3339(text, &parsed) && !calendar_parse_basic(text, &parsed)) {
        return false;
    }
    if (parsed < YEAR_2000_US)
        return false;
    *us = parsed;
    return true;
}

void json_value_write_text(struct writer *writer, const char *text)
{
    writer_u8(writer, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            writer_u8(writer, '\\');
        writer_u8(writer, (uint8_t)*text);
    }
    writer_u8(writer, '"');
}
