/* Heads of HTTP requests: the parser stays within them, and what it points to is text. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tools/console/http/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *head = malloc(size + 1), value[64], path[256];
    struct message message;
    memcpy(head, data, size);
    if (message_parse(&message, head, size) == 0) {
        assert(message.path[0] == '/' && message.content_length >= 0);
        assert(message_value(&message, "host") != NULL);
        for (int i = 0; i < message.count; i++)
            assert(message.fields[i].name >= head && message.fields[i].value <= head + size);
        if (message_argument(message.query, "q", value, sizeof(value)))
            assert(strlen(value) < sizeof(value));
        if (message_decode_path(message.path, strlen(message.path), path, sizeof(path)))
            assert(strstr(path, "\\") == NULL);
        (void)message_cookie(&message, "onekey_session", value, sizeof(value));
    }
    free(head);
    return 0;
}
