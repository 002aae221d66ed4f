#include "tools/console/spec.h"

/* The assembler reads the file; the path is from the root, where the compiler runs. */
__asm__(".section .rodata\n"
        ".global spec_text\n"
        "spec_text:\n"
        ".incbin \"tools/console/openapi.json\"\n"
        "spec_end:\n"
        ".byte 0\n"
        ".previous\n");

extern const char spec_end[] __asm__("spec_end");

size_t spec_size(void)
{
    return (size_t)(spec_end - spec_text);
}
