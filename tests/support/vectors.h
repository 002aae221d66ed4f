/*
 * Reference frames that others made (../shared/vectors, or $ONEKEY_SHARED/vectors), one JSON object
 * a line. A test names the file, the codec and a function that compares what the codec made of a
 * line with what the line expects. Where that differs on purpose, the test's data says why; a reason
 * that no longer applies fails too.
 */
#ifndef ONEKEY_TESTS_SUPPORT_VECTORS_H
#define ONEKEY_TESTS_SUPPORT_VECTORS_H

#include "tests/support/drive.h"

#include <jansson.h>

struct vector {
    size_t number; /* of the line */
    const char *source;
    struct bytes topic, frame;
    json_t *line, *expect, *derived; /* expect and derived may be NULL */
    bool wire_ok;
};

struct vector_difference {
    const char *source; /* part of the line's source */
    const char *reason;
};

struct vector_file {
    const char *file, *codec;
    /* Do the two agree? If not, says in `why` what differs. */
    bool (*agrees)(const struct vector *vector, const struct outcome *outcome, char *why,
                   size_t why_size);
    const struct vector_difference *differences; /* ends with a NULL source */
    /* What decode and reply are given for this line; NULL: drive_environment(). */
    struct codec_environment (*environment)(const struct vector *vector);
    /* The line's frame as it stands between others, where the file writes it otherwise: into `out`,
     * its size returned. NULL: as written. */
    size_t (*wire)(const struct vector *vector, uint8_t *out, size_t out_size);
};

/* Runs every line of the file, also one byte at a time, and fails the cmocka test if one differs
 * without a reason. Skips the test where the file is not there. */
void vectors_check(const struct vector_file *file);

/* Members of expect or derived: NULL, or the value of the fallback, where there is none. */
const char *vector_text(const json_t *object, const char *key);
int64_t vector_integer(const json_t *object, const char *key, int64_t fallback);
bool vector_true(const json_t *object, const char *key);

#endif
