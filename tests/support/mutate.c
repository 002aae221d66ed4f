#include "tests/support/mutate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <setjmp.h>

#include <cmocka.h>

#define INPUT_MAX 8192

static struct outcome whole, dripped;

void mutate_seed(struct random *random)
{
    const char *given = getenv("ONEKEY_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

    print_message("# ONEKEY_SEED=%llu\n", (unsigned long long)seed);
    random_init(random, seed);
}

void mutate_cut(const struct codec *codec, const struct message *input)
{
    struct codec_environment environment = drive_environment();

    for (size_t i = 0; i <= input->body.size; i++) {
        struct message head = {input->topic, bytes_part(input->body, 0, i)};
        struct message tail = {input->topic, bytes_part(input->body, i, input->body.size)};

        drive(codec, &head, 0, &environment, &whole);
        drive(codec, &tail, 0, &environment, &whole);
    }
}

void mutate_flip(const struct codec *codec, const struct message *input, struct random *random,
                 int rounds)
{
    struct codec_environment environment = drive_environment();
    uint8_t damaged[INPUT_MAX];
    struct message message = {input->topic, {damaged, input->body.size}};

    assert_true(input->body.size > 0 && input->body.size <= sizeof(damaged));
    for (int round = 0; round < rounds; round++) {
        memcpy(damaged, input->body.data, input->body.size);
        for (uint64_t flips = 1 + random_below(random, 4); flips > 0; flips--)
            damaged[random_below(random, input->body.size)] ^=
                (uint8_t)(1U << random_below(random, 8));
        drive(codec, &message, 0, &environment, &whole);
        drive(codec, &message, 1, &environment, &dripped);
        assert_true(drive_same(&whole, &dripped));
    }
}
