/* EV-07B against frames that real pendants, and pet collars of their family, sent. */
#include "protocol/checksum.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct vector_difference differences[] = {
    {"Minifinder2ProtocolDecoderTest.java:51", "that a dog barks is nothing we keep"},
    {"Minifinder2ProtocolDecoderTest.java:39", "how often it barks neither"},
    {"Minifinder2ProtocolDecoderTest.java:47",
     "the text result of a command is not kept, as we send no such command"},
    {NULL, NULL},
};

static bool differ(char *why, size_t why_size, const char *what, int64_t expected, int64_t actual)
{
    snprintf(why, why_size, "%s is %lld, expected %lld", what, (long long)actual,
             (long long)expected);
    return false;
}

static size_t count_kind(const struct outcome *outcome, enum signal_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < outcome->signal_count; i++)
        count += outcome->signals[i].kind == kind;
    return count;
}

/* Records as the keys divide them. */
static size_t count_records(const json_t *keys)
{
    size_t records = 1, first = 0;

    for (size_t i = 0; i < json_array_size(keys); i++) {
        const char *key = json_string_value(json_array_get(keys, i));

        if (strcmp(key, "0x28") == 0 || strcmp(key, "0x2c") == 0)
            continue;
        for (size_t j = first; j < i; j++) {
            if (strcmp(key, json_string_value(json_array_get(keys, j))) == 0) {
                records++;
                first = i;
                break;
            }
        }
    }
    return records;
}

static bool data_agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                        size_t why_size)
{
    const json_t *alarms = json_object_get(vector->derived, "alarms");
    const json_t *keys = json_object_get(vector->derived, "keys");
    size_t presses = 0;

    for (size_t i = 0; i < json_array_size(alarms); i++) {
        const json_t *bits = json_object_get(json_array_get(alarms, i), "bits");

        for (size_t j = 0; j < json_array_size(bits); j++)
            presses += json_integer_value(json_array_get(bits, j)) == 12;
    }
    if (count_kind(outcome, SIGNAL_PANIC) != presses || drive_alarms(outcome) != presses)
        return differ(why, why_size, "alarms", (int64_t)presses, (int64_t)drive_alarms(outcome));
    /* The derivation lists the first forty keys only. */
    if (json_array_size(keys) < 40 && outcome->signal_count != count_records(keys))
        return differ(why, why_size, "records", (int64_t)count_records(keys),
                      (int64_t)outcome->signal_count);
    if (outcome->signals[0].flags & SIGNAL_FLAG_LENGTH_WRONG)
        return differ(why, why_size, "length wrong", 0, 1);
    return true;
}

static bool reply_agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                         size_t why_size)
{
    bool services = strcmp(vector_text(vector->derived, "cmd"), "0x03") == 0;
    const uint8_t *reply = outcome->reply;

    if (!vector_true(vector->derived, "ack_required"))
        return outcome->reply_size == 0 || differ(why, why_size, "reply", 0, 1);
    if (outcome->reply_size < 9 || reply[0] != 0xAB || reply[8] != (services ? 0x03 : 0x7F))
        return differ(why, why_size, "reply of", 0, (int64_t)outcome->reply_size);
    if (!services && (outcome->reply_size != 11 || reply[9] != 1 || reply[10] != 0))
        return differ(why, why_size, "success", 0, 1);
    if ((reply[6] | reply[7] << 8) != vector_integer(vector->derived, "seq", -1))
        return differ(why, why_size, "sequence", vector_integer(vector->derived, "seq", -1),
                      reply[6] | reply[7] << 8);
    return (reply[4] | reply[5] << 8) ==
               checksum_crc16_xmodem((struct bytes){reply + 8, outcome->reply_size - 8}) ||
           differ(why, why_size, "checksum", 1, 0);
}

static bool agrees(const struct vector *vector, const struct outcome *outcome, char *why,
                   size_t why_size)
{
    const char *imei = vector_text(vector->derived, "imei");

    if (outcome->signal_count == 0 || outcome->bad_frames)
        return differ(why, why_size, "unreadable frames", 0, (int64_t)outcome->bad_frames);
    if (imei && strcmp(outcome->signals[0].identity, imei) != 0)
        return differ(why, why_size, "identity", atoll(imei), atoll(outcome->signals[0].identity));
    if (strcmp(vector_text(vector->derived, "cmd"), "0x01") == 0 &&
        !data_agrees(vector, outcome, why, why_size))
        return false;
    if (!reply_agrees(vector, outcome, why, why_size))
        return false;
    return !vector_text(vector->expect, "key") || differ(why, why_size, "attribute", 1, 0);
}

static void test_ev07b_vectors(void **state)
{
    const struct vector_file file = {
        .file = "ev07b.jsonl", .codec = "ev07b", .agrees = agrees, .differences = differences};

    (void)state;
    vectors_check(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ev07b_vectors)};

    return cmocka_run_group_tests_name("ev07b_vectors", tests, NULL, NULL);
}
