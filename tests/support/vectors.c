#include "tests/support/vectors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#define LINE_MAX_BYTES (256 * 1024)

const char *vector_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

int64_t vector_integer(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *value = json_object_get(object, key);
    int64_t number;

    if (json_is_string(value))
        return bytes_parse_decimal(bytes_of(json_string_value(value)), &number) ? number : fallback;
    return json_is_number(value) ? (int64_t)json_number_value(value) : fallback;
}

bool vector_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

/* Text in which <xHH> stands for a byte. */
static size_t read_text(const char *text, uint8_t *out)
{
    size_t size = 0;

    while (*text) {
        unsigned byte;
        char end;

        if (sscanf(text, "<x%2x%c", &byte, &end) == 2 && end == '>') {
            out[size++] = (uint8_t)byte;
            text += strlen("<x00>");
        } else {
            out[size++] = (uint8_t)*text++;
        }
    }
    return size;
}

static bool read_vector(json_t *line, struct vector *vector, uint8_t *buffer)
{
    const char *frame = vector_text(line, "frame"), *topic = vector_text(line, "topic");
    const char *encoding = vector_text(line, "encoding");
    size_t size = 0;

    *vector = (struct vector){.line = line,
                              .number = vector->number,
                              .source = vector_text(line, "source"),
                              .expect = json_object_get(line, "expect"),
                              .derived = json_object_get(line, "derived")};
    if (!frame || !encoding || !vector->source)
        return false;
    if (strcmp(encoding, "hex") == 0) {
        if (!bytes_parse_hex_string(bytes_of(frame), buffer, LINE_MAX_BYTES, &size))
            return false;
    } else {
        size = read_text(frame, buffer);
    }
    vector->frame = (struct bytes){buffer, size};
    vector->topic = topic ? bytes_of(topic) : (struct bytes){NULL, 0};
    vector->wire_ok = vector_true(vector->derived, "wire_ok");
    return true;
}

static const char *find_reason(const struct vector_file *file, const char *source)
{
    for (const struct vector_difference *d = file->differences; d && d->source; d++)
        if (strstr(source, d->source))
            return d->reason;
    return NULL;
}

static bool check_line(const struct vector_file *file, const struct vector *vector, char *why,
                       size_t why_size)
{
    static struct outcome whole, dripped;
    const struct codec *codec = codecs[codec_find(file->codec)];
    struct codec_environment environment =
        file->environment ? file->environment(vector) : drive_environment();
    struct message message = {codec->split ? (struct bytes){NULL, 0} : vector->topic,
                              vector->frame};

    drive(codec, &message, 0, &environment, &whole);
    drive(codec, &message, 1, &environment, &dripped);
    if (!drive_same(&whole, &dripped)) {
        snprintf(why, why_size, "cut at every byte it is %zu frames, whole %zu", dripped.frames,
                 whole.frames);
        return false;
    }
    if (vector->wire_ok && codec->split &&
        (whole.frames != 1 || whole.first_size != vector->frame.size)) {
        snprintf(why, why_size, "cut into %zu frames, the first %zu of %zu bytes", whole.frames,
                 whole.first_size, vector->frame.size);
        return false;
    }
    return file->agrees(vector, &whole, why, why_size);
}

struct tally {
    size_t lines, agreeing, explained, failed;
};

static void count_line(const struct vector_file *file, const struct vector *vector,
                       struct tally *tally)
{
    char why[256] = "";
    bool agrees = check_line(file, vector, why, sizeof(why));
    const char *reason = find_reason(file, vector->source);

    tally->lines++;
    if (agrees && !reason) {
        tally->agreeing++;
        return;
    }
    if (!agrees && reason) {
        tally->explained++;
        return;
    }
    tally->failed++;
    print_message("# %s:%zu %s: %s\n", file->file, vector->number, vector->source,
                  agrees ? "agrees, though it is listed as different" : why);
}

static FILE *open_vectors(const char *name)
{
    const char *shared = getenv("ONEKEY_SHARED");
    char path[512];

    snprintf(path, sizeof(path), "%s/vectors/%s", shared ? shared : "../shared", name);
    return fopen(path, "r");
}

void vectors_check(const struct vector_file *file)
{
    FILE *input = open_vectors(file->file);
    char *text = malloc(LINE_MAX_BYTES);
    uint8_t *buffer = malloc(LINE_MAX_BYTES), *wired = malloc(LINE_MAX_BYTES);
    struct vector vector = {0};
    struct tally tally = {0};

    assert_true(text && buffer && wired && codec_find(file->codec) >= 0);
    while (input && fgets(text, LINE_MAX_BYTES, input)) {
        json_t *line = json_loads(text, 0, NULL);

        vector.number++;
        assert_non_null(line);
        assert_true(read_vector(line, &vector, buffer));
        if (file->wire)
            vector.frame = (struct bytes){wired, file->wire(&vector, wired, LINE_MAX_BYTES)};
        count_line(file, &vector, &tally);
        json_decref(line);
    }
    free(text);
    free(buffer);
    free(wired);
    if (!input)
        skip();
    fclose(input);
    print_message("# %s: %zu frames, %zu as expected, %zu different for a stated reason\n",
                  file->file, tally.lines, tally.agreeing, tally.explained);
    assert_int_equal(tally.failed, 0);
    assert_true(tally.lines > 0);
}
