/*
 * What networks, bad memory and attackers do to a codec's input, from one printed seed. drive()
 * aborts where a promise of codec.h breaks; what must still come out is the caller's to check.
 */
#ifndef ONEKEY_TESTS_SUPPORT_MUTATE_H
#define ONEKEY_TESTS_SUPPORT_MUTATE_H

#include "daemon/base/random.h"
#include "tests/support/drive.h"

/* Seeds from $ONEKEY_SEED, or anew, and prints the seed. */
void mutate_seed(struct random *random);
/* Every prefix of the input, and what follows it. */
void mutate_cut(const struct codec *codec, const struct message *input);
/* `rounds` copies with one to four bits flipped, for a stream also one byte at a time: both the
 * same. */
void mutate_flip(const struct codec *codec, const struct message *input, struct random *random,
                 int rounds);

#endif
