#include "daemon/base/config.h"

#include "daemon/base/config_check.h"
#include "daemon/base/config_value.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 1024 /* of one error */
#define DIRECTORY "conf.d"
#define SUFFIX ".conf"
#define KINDS_MAX 8
#define TITLE_SIZE (CONFIG_NAME_SIZE + 16)
#define PLACE_SIZE 64 /* enough of a file's name, and a line, to find it again */

/* One reading of one or several files. */
struct reader {
    struct config *config;
    void *context;
    void (*on_error)(void *context, const char *text);
    int errors;

    const char *main; /* what contradictions between sections are said of */
    const char *file;
    FILE *stream;
    int line;
    bool owes_key;                  /* the line before should have been `key = value` */
    char section[CONFIG_NAME_SIZE]; /* in which keys are looked up; empty: skip them */
    char title[TITLE_SIZE];         /* the section as errors name it */
    void *base;                     /* what its keys are members of */

    /* Where each named section stands, by kind and index. */
    char places[KINDS_MAX][CONFIG_LISTENERS_MAX][CONFIG_PATH_SIZE + PLACE_SIZE];
};

static void complain(struct reader *reader, const char *place, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* One error. Control characters of the file never reach a terminal. */
static void complain(struct reader *reader, const char *place, const char *format, ...)
{
    char text[TEXT_MAX];
    int used = snprintf(text, sizeof(text), "%s: ", place);
    va_list arguments;
    va_start(arguments, format);
    if (used >= 0 && (size_t)used < sizeof(text))
        vsnprintf(text + used, sizeof(text) - (size_t)used, format, arguments);
    va_end(arguments);
    for (char *at = text; *at != '\0'; at++)
        if (iscntrl((unsigned char)*at))
            *at = '?';
    reader->errors++;
    reader->on_error(reader->context, text);
}

/* "file:line" of the line being read. */
static const char *place_of(const struct reader *reader, char out[CONFIG_PATH_SIZE + PLACE_SIZE])
{
    snprintf(out, CONFIG_PATH_SIZE + PLACE_SIZE, "%.*s:%d", CONFIG_PATH_SIZE, reader->file,
             reader->line);
    return out;
}

#define COMPLAIN_HERE(reader, ...)                                                                 \
    complain(reader, place_of(reader, (char[CONFIG_PATH_SIZE + PLACE_SIZE]){0}), __VA_ARGS__)

static bool is_name(const char *name)
{
    size_t size = strlen(name);
    if (size == 0 || size >= CONFIG_NAME_SIZE)
        return false;
    for (; *name != '\0'; name++)
        if (!isalnum((unsigned char)*name) && strchr(".-_", *name) == NULL)
            return false;
    return true;
}

/* Sets every key of a kind of section, NULL: of those that there are once, to its initial value; one
 * without stays zero and must be given. */
static void set_initial(void *base, const struct config_kind *kind)
{
    for (int i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (config_table_kind(key->section) != kind || key->initial[0] == '\0')
            continue;
        const char *wrong = config_value_set(key, base, key->initial);
        assert(wrong == NULL);
        (void)wrong;
    }
}

void config_init(struct config *config)
{
    memset(config, 0, sizeof(*config));
    set_initial(config, NULL);
}

void *config_add(struct config *config, const char *section, const char *name)
{
    const struct config_kind *kind = config_table_kind(section);
    int count = config_table_count(kind, config);
    if (!is_name(name))
        return NULL;
    for (int i = 0; i < count; i++)
        if (strcmp(config_table_item(kind, config, i), name) == 0)
            return config_table_item(kind, config, i);
    if (count == kind->max)
        return NULL;
    char *item = config_table_item(kind, config, count);
    *(int32_t *)((char *)config + kind->count) = count + 1;
    memset(item, 0, kind->size);
    memcpy(item, name, strlen(name)); /* every kind begins with its name */
    set_initial(item, kind);
    return item;
}

static void open_named(struct reader *reader, const struct config_kind *kind, const char *name)
{
    char *item = config_add(reader->config, kind->section, name);
    if (item == NULL && is_name(name)) {
        COMPLAIN_HERE(reader, "[%s %s] is one too many; there can be %d", kind->section, name,
                      kind->max);
    } else if (item == NULL) {
        COMPLAIN_HERE(reader,
                      "[%s %s] needs a name; give up to %d letters, digits, '.', '-' or '_'",
                      kind->section, name, CONFIG_NAME_SIZE - 1);
    } else {
        char *first = config_table_item(kind, reader->config, 0);
        snprintf(reader->section, sizeof(reader->section), "%s", kind->section);
        reader->base = item;
        place_of(reader, reader->places[kind - config_kinds][(size_t)(item - first) / kind->size]);
    }
}

/* The names of all sections, or of all keys of one, separated by commas. */
static void list_words(const char *section, char out[CONFIG_TEXT_MAX])
{
    size_t used = 0;
    const char *last = "";
    out[0] = '\0';
    for (int i = 0; i < config_key_count && used < CONFIG_TEXT_MAX; i++) {
        const struct config_key *key = &config_keys[i];
        const char *word = section == NULL ? key->section : key->key;
        if ((section != NULL && strcmp(key->section, section) != 0) || strcmp(word, last) == 0)
            continue;
        last = word;
        used += (size_t)snprintf(out + used, CONFIG_TEXT_MAX - used, "%s%s", used > 0 ? ", " : "",
                                 word);
    }
}

static void open_section(struct reader *reader, const char *title)
{
    static const char blanks[] = " \t";
    size_t word = strcspn(title, blanks);
    const char *name = title + word + strspn(title + word, blanks);
    snprintf(reader->title, sizeof(reader->title), "%s", title);
    reader->section[0] = '\0';
    char first[TITLE_SIZE];
    snprintf(first, sizeof(first), "%.*s", (int)word, title);
    const struct config_kind *kind = config_table_kind(first);
    if (kind != NULL) {
        open_named(reader, kind, name);
    } else if (title[0] != '\0' && config_table_has_section(title)) {
        snprintf(reader->section, sizeof(reader->section), "%s", title);
        reader->base = reader->config;
    } else {
        char known[CONFIG_TEXT_MAX];
        list_words(NULL, known);
        COMPLAIN_HERE(reader, "section [%s] is not known; the sections are %s", title, known);
    }
}

/* Called by inih for `key = value`. */
static int take_key(void *user, const char *section, const char *name, const char *value)
{
    struct reader *reader = user;
    (void)section; /* sections are ours: next_line hides them from inih */
    reader->owes_key = false;
    if (reader->base == NULL)
        COMPLAIN_HERE(reader, "%s stands before any section; start with one, as [gateway]", name);
    if (reader->base == NULL || reader->section[0] == '\0')
        return 1;
    char help[CONFIG_TEXT_MAX];
    const struct config_key *key = config_table_find(reader->section, name);
    if (key == NULL) {
        list_words(reader->section, help);
        COMPLAIN_HERE(reader, "[%s] has no key %s; it has %s", reader->title, name, help);
        return 1;
    }
    const char *wrong = config_value_set(key, reader->base, value);
    if (wrong != NULL) {
        config_value_describe(key, help);
        /* What could be a password is not repeated. */
        COMPLAIN_HERE(reader, "[%s] %s = %s %s; give %s", reader->title, name,
                      key->type == CONFIG_CONNINFO ? "..." : value, wrong, help);
    }
    return 1;
}

/* Reads one line into `out`, without blanks at its start (inih would take it for a continuation).
 * False at the end of the file; a line that cannot be used is told and left empty. */
static bool read_line(struct reader *reader, char *out, int size)
{
    int used = 0, c;
    bool begun = false, too_long = false, has_nul = false;
    while ((c = getc(reader->stream)) != EOF) {
        begun = true;
        if (c == '\n')
            break;
        has_nul = has_nul || c == '\0';
        if (used == 0 && isblank(c))
            continue;
        if (used < size - 1)
            out[used++] = (char)c;
        else
            too_long = true;
    }
    if (!begun)
        return false;
    reader->line++;
    too_long = too_long && strchr("#;", out[0]) == NULL;
    if (too_long)
        COMPLAIN_HERE(reader, "the line is too long; at most %d characters", size - 1);
    if (has_nul)
        COMPLAIN_HERE(reader, "the line holds a NUL byte; is this a text file?");
    out[too_long || has_nul ? 0 : used] = '\0';
    return true;
}

static void check_owed_key(struct reader *reader)
{
    if (reader->owes_key)
        COMPLAIN_HERE(reader, "not understood; write key = value, [section] or # comment");
    reader->owes_key = false;
}

/* inih's reader: one line at a time, so that each key's line is known. */
static char *next_line(char *out, int size, void *stream)
{
    struct reader *reader = stream;
    check_owed_key(reader);
    if (!read_line(reader, out, size))
        return NULL;
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    if (reader->line == 1 && strncmp(out, byte_order_mark, 3) == 0)
        memmove(out, out + 3, strlen(out + 3) + 1);
    char *end = out[0] == '[' ? strchr(out, ']') : NULL;
    if (end != NULL) {
        *end = '\0';
        open_section(reader, out + 1);
        out[0] = '\0';
    }
    /* Keys below a heading that is broken belong to nothing known. */
    if (out[0] == '[') {
        reader->section[0] = '\0';
        reader->base = reader->config;
    }
    reader->owes_key = out[0] != '\0' && out[0] != '\r' && strchr("#;", out[0]) == NULL;
    return out;
}

static void read_stream(struct reader *reader, FILE *stream, const char *file)
{
    reader->stream = stream;
    reader->file = file;
    reader->line = 0;
    reader->base = NULL;
    reader->section[0] = '\0';
    int ignored = ini_parse_stream(next_line, reader, take_key, reader);
    (void)ignored; /* it names the first line that is wrong; next_line has told of all */
    check_owed_key(reader);
    if (ferror(stream))
        complain(reader, file, "cannot be read: %s", strerror(errno));
}

static bool read_file(struct reader *reader, const char *path)
{
    FILE *stream = fopen(path, "re");
    if (stream == NULL) {
        complain(reader, path, "cannot be opened: %s; check the path and its permissions",
                 strerror(errno));
        return false;
    }
    read_stream(reader, stream, path);
    fclose(stream);
    return true;
}

static int is_drop_in(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name), suffix = strlen(SUFFIX);
    return entry->d_name[0] != '.' && size > suffix &&
           strcmp(entry->d_name + size - suffix, SUFFIX) == 0;
}

static int by_bytes(const struct dirent **left, const struct dirent **right)
{
    return strcmp((*left)->d_name, (*right)->d_name);
}

static void read_drop_ins(struct reader *reader, const char *path)
{
    char directory[2 * CONFIG_PATH_SIZE], file[sizeof(directory) + NAME_MAX + 2];
    const char *slash = strrchr(path, '/');
    int parent = slash == NULL ? 0 : (int)(slash - path) + 1;
    int size = snprintf(directory, sizeof(directory), "%.*s" DIRECTORY, parent, path);
    struct dirent **entries;
    int count =
        size < (int)sizeof(directory) ? scandir(directory, &entries, is_drop_in, by_bytes) : -1;
    if (count < 0 && errno != ENOENT)
        complain(reader, directory, "cannot be read: %s; check its permissions", strerror(errno));
    for (int i = 0; i < count; i++) {
        snprintf(file, sizeof(file), "%s/%s", directory, entries[i]->d_name);
        read_file(reader, file);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

static void on_wrong(void *context, const struct config_kind *kind, int index, const char *text)
{
    struct reader *reader = context;
    complain(reader, kind == NULL ? reader->main : reader->places[kind - config_kinds][index], "%s",
             text);
}

/* Values that are made of others unless given. */
static void derive(struct reader *reader, const char *file)
{
    struct config *config = reader->config;
    if (config->mqtt.client_id[0] == '\0')
        memcpy(config->mqtt.client_id, config->gateway.name, CONFIG_NAME_SIZE);
    if (config->console.conninfo[0] == '\0')
        memcpy(config->console.conninfo, config->database.conninfo, CONFIG_PATH_SIZE);
    if (config->journal.directory[0] != '\0')
        return;
    int size = snprintf(config->journal.directory, CONFIG_PATH_SIZE, "%s/journal",
                        config->gateway.state_directory);
    if (size >= CONFIG_PATH_SIZE)
        complain(reader, file, "[gateway] state_directory is too long; give a shorter one");
}

int config_load(struct config *config, const char *path, void *context,
                void (*on_error)(void *context, const char *text))
{
    struct reader reader = {
        .config = config, .main = path, .context = context, .on_error = on_error};
    config_init(config);
    bool whole = read_file(&reader, path);
    read_drop_ins(&reader, path);
    if (whole)
        config_check(config, &reader, on_wrong);
    derive(&reader, path);
    return reader.errors;
}

int config_read(struct config *config, FILE *stream, const char *file, void *context,
                void (*on_error)(void *context, const char *text))
{
    struct reader reader = {
        .config = config, .main = file, .context = context, .on_error = on_error};
    config_init(config);
    read_stream(&reader, stream, file);
    config_check(config, &reader, on_wrong);
    derive(&reader, file);
    return reader.errors;
}
