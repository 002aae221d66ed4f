/* The time, for a program of the outside world. */
#ifndef ONEKEY_CONSOLE_CLOCK_H
#define ONEKEY_CONSOLE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define CLOCK_TEXT_SIZE 32

int64_t clock_mono_us(void);
/* "2026-11-22T05:08:00.123Z" of now. */
void clock_print(char out[CLOCK_TEXT_SIZE]);

#endif
