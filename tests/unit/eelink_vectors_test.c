/* Eelink against frames that others recorded. */
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                   size_t why_size)
{
    const char *key = vector_text(vector->expect, "key");
    bool is_removed = key && strcmp(key, "alarm") == 0;
    size_t positions = 0;

    for (size_t i = 0; i < outcome->signal_count; i++)
        positions += (outcome->signals[i].has & MEASURE_POSITION) != 0;
    snprintf(why, why_size, "%zu signals, %zu places, %zu alarms, %zu bad frames",
             outcome->signal_count, positions, drive_alarms(outcome), outcome->bad_frames);
    if (outcome->signal_count == 0 || outcome->bad_frames)
        return false;
    if (is_removed)
        return outcome->signals[0].kind == SIGNAL_TAMPER;
    if (vector->frame.data[0] == 'E' && outcome->signals[0].identity[0] == '\0')
        return false;
    /* Only the alarm frames among them (type 14) may ring. */
    return drive_alarms(outcome) == 0 || vector->frame.data[2] == 0x14;
}

static void test_eelink_vectors(void **state)
{
    const struct vector_file file = {.file = "eelink.jsonl", .codec = "eelink", .agrees = agrees};

    (void)state;
    vectors_check(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_eelink_vectors)};

    return cmocka_run_group_tests_name("eelink_vectors", tests, NULL, NULL);
}
