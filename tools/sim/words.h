/* The words by which a played device is told what to say. */
#ifndef ONEKEY_SIM_WORDS_H
#define ONEKEY_SIM_WORDS_H

#include <stdint.h>

struct word {
    const char *text;
    uint8_t kind, service; /* enum signal_kind, enum service_kind */
    const char *help;
};

/* NULL if there is no such word; a signal's own name is one too. */
const struct word *words_find(const char *line);
void words_print_help(void);

#endif
