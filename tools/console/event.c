#include "tools/console/event.h"

#include <stdlib.h>
#include <string.h>

static void add(struct evbuffer *out, const char *text)
{
    if (evbuffer_add(out, text, strlen(text)) != 0)
        abort(); /* out of memory */
}

void event_write(struct evbuffer *out, const char *cursor, const char *name, const char *json)
{
    if (cursor[0] != '\0') {
        add(out, "id: ");
        add(out, cursor);
        add(out, "\n");
    }
    add(out, "event: ");
    add(out, name);
    add(out, "\ndata: ");
    add(out, json);
    add(out, "\n\n");
}

struct evbuffer *event_make(const char *cursor, const char *name, const char *json)
{
    struct evbuffer *out = evbuffer_new();
    if (out == NULL)
        abort(); /* out of memory */
    event_write(out, cursor, name, json);
    return out;
}
