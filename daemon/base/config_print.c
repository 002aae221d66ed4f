#include "daemon/base/config_print.h"

#include "daemon/base/config_value.h"

#include <string.h>

#define HELP_COLUMNS 98

struct visitor {
    const struct config *config;
    void *context;
    void (*on_item)(void *context, const struct config_item *item);
};

static void visit(const struct visitor *visitor, const struct config_key *key, const void *base,
                  const char *name)
{
    char value[CONFIG_TEXT_MAX], accepts[CONFIG_TEXT_MAX];
    config_value_show(key, base, value);
    config_value_describe(key, accepts);
    const struct config_item item = {
        .section = key->section,
        .key = key->key,
        .name = name,
        .value = value,
        .initial = key->initial,
        .accepts = accepts,
        .help = key->help,
        .reloadable = key->reloadable,
    };
    visitor->on_item(visitor->context, &item);
}

/* The rows of a kind stand together and are walked once for each section of it. Returns the row after. */
static int visit_kind(const struct visitor *visitor, const struct config_kind *kind, int first)
{
    int end = first;
    while (end < config_key_count && config_table_kind(config_keys[end].section) == kind)
        end++;
    for (int i = 0; i < config_table_count(kind, visitor->config); i++) {
        const char *item = config_table_item(kind, visitor->config, i); /* begins with its name */
        for (int row = first; row < end; row++)
            visit(visitor, &config_keys[row], item, item);
    }
    return end;
}

void config_print_each(const struct config *config, void *context,
                       void (*on_item)(void *context, const struct config_item *item))
{
    const struct visitor visitor = {config, context, on_item};
    for (int row = 0; row < config_key_count;) {
        const struct config_kind *kind = config_table_kind(config_keys[row].section);
        if (kind != NULL) {
            row = visit_kind(&visitor, kind, row);
        } else {
            visit(&visitor, &config_keys[row], config, "");
            row++;
        }
    }
}

struct ini_writer {
    FILE *out;
    char section[CONFIG_NAME_SIZE], name[CONFIG_NAME_SIZE];
    bool has_help; /* of this section kind, given at its first listener */
};

/* Help as comments, broken between words. */
static void write_comment(FILE *out, const char *text)
{
    int column = 0;
    while (*text != '\0') {
        int length = (int)strcspn(text, " ");
        if (column == 0 || column + 1 + length > HELP_COLUMNS)
            column = fprintf(out, "%s# %.*s", column == 0 ? "" : "\n", length, text);
        else
            column += fprintf(out, " %.*s", length, text);
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

static void write_item(void *context, const struct config_item *item)
{
    struct ini_writer *writer = context;
    if (strcmp(writer->section, item->section) != 0 || strcmp(writer->name, item->name) != 0) {
        bool named = item->name[0] != '\0';
        writer->has_help = strcmp(writer->section, item->section) == 0;
        fprintf(writer->out, "%s[%s%s%s]\n", writer->section[0] == '\0' ? "" : "\n", item->section,
                named ? " " : "", item->name);
        snprintf(writer->section, sizeof(writer->section), "%s", item->section);
        snprintf(writer->name, sizeof(writer->name), "%s", item->name);
    }
    if (!writer->has_help) {
        char comment[2 * CONFIG_TEXT_MAX];
        snprintf(comment, sizeof(comment), "%s (%s%s)", item->help, item->accepts,
                 item->reloadable ? "; reload" : "");
        write_comment(writer->out, comment);
    }
    fprintf(writer->out, "%s =%s%s\n", item->key, item->value[0] == '\0' ? "" : " ", item->value);
}

void config_print(const struct config *config, FILE *out)
{
    struct ini_writer writer = {.out = out};
    config_print_each(config, &writer, write_item);
}
