/* What a [meter-json NAME] must be to be read by. */
#include "daemon/base/config_check.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define STEP_MAX 63 /* longest key, and longest path of an alternative */
#define STEPS_MAX 16
#define LEVELS_MAX 32

/* Levels of a topic whose wildcards are whole levels; 0 if it is none that may be given. */
static int count_levels(const char *topic)
{
    int levels = 1;
    for (const char *at = topic; *at != '\0'; at++) {
        bool alone = (at == topic || at[-1] == '/') && (at[1] == '/' || at[1] == '\0');
        if (!isgraph((unsigned char)*at) || *at == '#' || (*at == '+' && !alone))
            return 0;
        levels += *at == '/';
    }
    return topic[0] == '\0' || levels > LEVELS_MAX ? 0 : levels;
}

/* Steps, none of them empty or too long, between the alternatives that `separators` begin. */
static bool is_path(const char *path, bool has_alternatives)
{
    int steps = 0;
    size_t size = 0, whole = 0;
    for (const char *at = path; path[0] != '\0'; at++) {
        bool ends = *at == '\0' || *at == '.' || (*at == '|' && has_alternatives);
        if (ends && (size == 0 || size > STEP_MAX || ++steps > STEPS_MAX))
            return false;
        if (*at == '\0')
            break;
        if (!isprint((unsigned char)*at))
            return false;
        size = ends ? 0 : size + 1;
        whole = *at == '|' ? 0 : whole + 1;
        if (has_alternatives && whole > STEP_MAX)
            return false;
    }
    return true;
}

static const char *path_that_is_none(const struct config_mapping *mapping, const char **value)
{
    const struct {
        const char *key, *value;
    } paths[] = {
        {"identity", mapping->identity}, {"time", mapping->time},
        {"message", mapping->message},   {"total", mapping->total},
        {"interval", mapping->interval}, {"hourly", mapping->hourly},
        {"battery", mapping->battery},   {"alarm", mapping->alarm},
    };
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        *value = paths[i].value;
        if (!is_path(*value, true))
            return paths[i].key;
    }
    *value = mapping->values;
    return is_path(*value, false) ? NULL : "values";
}

void config_check_json_mapping(const struct config_mapping *mapping, bool has_broker, void *context,
                               void (*on_wrong)(void *context, const char *text))
{
    char text[2 * CONFIG_JSON_SIZE + 2 * CONFIG_NAME_SIZE];
    const char *value, *key = path_that_is_none(mapping, &value);
    int levels = count_levels(mapping->topic);
    size_t first = strcspn(mapping->topic, "/");

#define WRONG(format, ...)                                                                         \
    do {                                                                                           \
        snprintf(text, sizeof(text), "[meter-json %s] " format, mapping->name, __VA_ARGS__);       \
        on_wrong(context, text);                                                                   \
    } while (0)

    if (levels == 0)
        WRONG("topic = %s is no topic; give levels separated by /, + for any one", mapping->topic);
    else if (mapping->topic[0] == '+' || (first == 6 && strncmp(mapping->topic, "onekey", 6) == 0))
        WRONG("topic = %s takes in the topics of onekey; begin with the vendor's own level",
              mapping->topic);
    else if (mapping->identity_level >= levels)
        WRONG("identity_level = %d is behind the end of the topic; give 0 to %d",
              (int)mapping->identity_level, levels - 1);
    else if (mapping->alarm_level >= levels)
        WRONG("alarm_level = %d is behind the end of the topic; give 0 to %d",
              (int)mapping->alarm_level, levels - 1);
    if (mapping->identity_level < 0 && mapping->identity[0] == '\0' &&
        strchr(mapping->values, '*') == NULL)
        WRONG("%s", "names no device; give identity_level, identity, or * in values");
    if (key != NULL)
        WRONG("%s = %s is no path; give keys of up to %d characters separated by dots", key, value,
              STEP_MAX);
    if (!has_broker)
        WRONG("%s", "would hear nothing; enable [mqtt]");
#undef WRONG
}
