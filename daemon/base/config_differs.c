/* What a reload would change that only a restart can: config_differs of config.h. */
#include "daemon/base/config.h"

#include "daemon/base/config_table.h"

#include <string.h>

#define TITLE_SIZE (CONFIG_NAME_SIZE + 16)

struct comparison {
    void *context;
    void (*on_key)(void *context, const char *key);
    int count;
};

static void differs(struct comparison *comparison, const char *name, const char *key)
{
    char text[2 * TITLE_SIZE];
    snprintf(text, sizeof(text), "%s%s%s", name, key[0] == '\0' ? "" : ".", key);
    comparison->count++;
    comparison->on_key(comparison->context, text);
}

/* Compares the keys of one kind of section; `title` NULL: of those that there are once. */
static void compare_members(struct comparison *comparison, const struct config_kind *kind,
                            const void *left, const void *right, const char *title)
{
    for (int i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (key->reloadable || config_table_kind(key->section) != kind)
            continue;
        if (memcmp((const char *)left + key->offset, (const char *)right + key->offset,
                   key->size) != 0)
            differs(comparison, title == NULL ? key->section : title, key->key);
    }
}

/* They are told apart by name and keep their places, which the running ones are found by. */
static void compare_kind(struct comparison *comparison, const struct config_kind *kind,
                         const struct config *running, const struct config *wanted)
{
    int left_count = config_table_count(kind, running),
        right_count = config_table_count(kind, wanted);
    for (int i = 0; i < left_count || i < right_count; i++) {
        char title[TITLE_SIZE];
        const char *left = i < left_count ? config_table_item(kind, running, i) : "";
        const char *right = i < right_count ? config_table_item(kind, wanted, i) : "";
        snprintf(title, sizeof(title), "%s %s", kind->section, left[0] == '\0' ? right : left);
        if (strcmp(left, right) != 0)
            differs(comparison, title, "");
        else
            compare_members(comparison, kind, left, right, title);
    }
}

int config_differs(const struct config *running, const struct config *wanted, void *context,
                   void (*on_key)(void *context, const char *key))
{
    struct comparison comparison = {.context = context, .on_key = on_key};
    compare_members(&comparison, NULL, running, wanted, NULL);
    for (int i = 0; i < config_kind_count; i++)
        compare_kind(&comparison, &config_kinds[i], running, wanted);
    return comparison.count;
}
