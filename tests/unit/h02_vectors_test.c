/* H02 against frames that others recorded. */
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool differ(char *why, size_t why_size, const char *what, int64_t expected, int64_t actual)
{
    snprintf(why, why_size, "%s is %lld, expected %lld", what, (long long)actual,
             (long long)expected);
    return false;
}

/* The status by its place in binary frames, in texts by its looks: eight digits with an F. */
static uint64_t status_of(struct bytes frame)
{
    struct bytes rest = frame, field;
    uint64_t status = UINT32_MAX, value;

    if (frame.data[0] == '$') {
        struct cursor cursor = cursor_over(bytes_part(frame, 25, 4));

        return cursor_u32_be(&cursor);
    }
    while (bytes_next_field(&rest, ',', &field)) {
        field = bytes_part(field, 0, bytes_find(field, '#'));
        if (field.size == 8 && bytes_parse_hex(field, &value) &&
            (bytes_find(field, 'F') < 8 || bytes_find(field, 'f') < 8))
            status = value;
    }
    return status;
}

static bool agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                   size_t why_size)
{
    const char *assertion = vector_text(vector->expect, "assert");
    const json_t *position = json_object_get(vector->expect, "position");
    const struct signal *signal = &outcome->signals[0];
    bool sos = (~status_of(vector->frame) & (1U << 1 | 1U << 18)) != 0;

    if (outcome->signal_count != 1 || outcome->bad_frames)
        return differ(why, why_size, "signals", 1, (int64_t)outcome->signal_count);
    if (sos != (signal->kind == SIGNAL_PANIC))
        return differ(why, why_size, "panic", sos, signal->kind == SIGNAL_PANIC);
    if (assertion && strcmp(assertion, "decodes to a location") == 0 &&
        !(signal->has & MEASURE_POSITION))
        return differ(why, why_size, "position", 1, 0);
    if (position) {
        int latitude = (int)(json_number_value(json_object_get(position, "lat")) * 1e7);
        int longitude = (int)(json_number_value(json_object_get(position, "lon")) * 1e7);

        if (abs(latitude - signal->latitude_e7) > 60 || abs(longitude - signal->longitude_e7) > 60)
            return differ(why, why_size, "longitude", longitude, signal->longitude_e7);
    }
    return true;
}

static void test_h02_vectors(void **state)
{
    const struct vector_file file = {.file = "h02.jsonl", .codec = "h02", .agrees = agrees};

    (void)state;
    vectors_check(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_h02_vectors)};

    return cmocka_run_group_tests_name("h02_vectors", tests, NULL, NULL);
}
