#include "daemon/edge/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define LARGE ((size_t)512 << 20)

static void *take(size_t size, bool in_large_pages)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        fprintf(stderr, "onekeyd: no memory for %zu bytes\n", size);
        abort();
    }
    if (in_large_pages)
        (void)madvise(memory, size, MADV_HUGEPAGE); /* a kernel without them does without */
    return memory;
}

void *memory_take(size_t size)
{
    return take(size, size >= LARGE);
}

void *memory_take_full(size_t size)
{
    return take(size, true);
}

void memory_give_back(void *memory, size_t size)
{
    if (memory)
        munmap(memory, size);
}
