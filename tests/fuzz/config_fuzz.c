/* The configuration against arbitrary bytes: what is read without an error, printed and read again
 * is the same. */
#include "daemon/base/config.h"
#include "daemon/base/config_print.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require_text(void *context, const char *text)
{
    (void)context;
    if (strstr(text, "fuzz.conf") != text || strchr(text, '\n') != NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config first, second;
    char *text = NULL;
    size_t text_size;
    FILE *stream = size == 0 ? NULL : fmemopen((void *)data, size, "r");
    if (stream == NULL)
        return 0;
    int errors = config_read(&first, stream, "fuzz.conf", NULL, require_text);
    fclose(stream);
    if (errors > 0)
        return 0;
    stream = open_memstream(&text, &text_size);
    config_print(&first, stream);
    fclose(stream);
    stream = fmemopen(text, strlen(text), "r");
    if (config_read(&second, stream, "fuzz.conf", NULL, require_text) != 0 ||
        memcmp(&first, &second, sizeof(first)) != 0)
        abort();
    fclose(stream);
    free(text);
    return 0;
}
