/*
 * The one large piece of memory that the core lives in, more than a gigabyte for a million devices.
 * From 512 MiB on it is asked for in pages of 2 MiB, where the kernel has them: a device's state then
 * lies one look-up of an address away, and a start touches hundreds of pages instead of hundreds of
 * thousands. Smaller ones stay with small pages, so that few devices take little. Zeroed; what is
 * never touched costs nothing.
 */
#ifndef ONEKEY_EDGE_MEMORY_H
#define ONEKEY_EDGE_MEMORY_H

#include <stddef.h>

/* Aborts when there is no memory. */
void *memory_take(size_t size);
/* The same for what will be written from end to end: large pages whatever its size. */
void *memory_take_full(size_t size);
/* What memory_take() gave, with the size asked for; NULL is no error. */
void memory_give_back(void *memory, size_t size);

#endif
