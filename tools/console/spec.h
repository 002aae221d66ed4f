/* The text of openapi.json, part of the program. */
#ifndef ONEKEY_CONSOLE_SPEC_H
#define ONEKEY_CONSOLE_SPEC_H

#include <stddef.h>

extern const char spec_text[];
size_t spec_size(void);

#endif
