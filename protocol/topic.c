#include "protocol/topic.h"

#include <string.h>

/* `rest`, from the beginning of a level, begins with one that is only this wildcard. */
static bool is_level(const char *rest, char wildcard)
{
    return rest[0] == wildcard && (rest[1] == '\0' || rest[1] == '/');
}

/* Most filters that begin as the topic does end otherwise. Neither is empty. */
static bool ends_differ(const char *filter, struct bytes topic)
{
    return topic_differs(filter[strlen(filter) - 1], topic.data[topic.size - 1]);
}

/* One pass over both. */
bool topic_matches_all(const char *filter, struct bytes topic)
{
    bool level_begins = true;
    size_t at = 0;

    if (filter[0] && topic.size && ends_differ(filter, topic))
        return false;
    /* Topics that begin with $ belong to the broker or a vendor: wildcards do not reach them. */
    if (topic.size && topic.data[0] == '$' && filter[0] != '$')
        return false;
    for (; *filter; level_begins = *filter++ == '/') {
        if (level_begins && is_level(filter, '#'))
            return true;
        if (level_begins && is_level(filter, '+')) {
            while (at < topic.size && topic.data[at] != '/')
                at++;
        } else if (at == topic.size) {
            return *filter == '/' && is_level(filter + 1, '#'); /* a/# is a, too */
        } else if (topic.data[at++] != (uint8_t)*filter) {
            return false;
        }
    }
    return at == topic.size;
}
