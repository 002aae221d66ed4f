/* How the silence of the homes that name it is judged. */
#ifndef ONEKEY_CORE_SILENCE_SCHEME_H
#define ONEKEY_CORE_SILENCE_SCHEME_H

#include "daemon/core/silence.h"
#include "daemon/core/store.h"

#define SCHEMES_MAX 16

struct silence_scheme {
    char name[SCHEME_LIMIT + 1];
    struct silence_settings silence;
};

#endif
