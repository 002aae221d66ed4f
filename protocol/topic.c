#include "protocol/topic.h"

bool topic_matches(const char *filter, struct bytes topic)
{
    struct bytes pattern = bytes_of(filter), wanted, level;

    /* Topics that begin with $ belong to the broker or a vendor: wildcards do not reach them. */
    if (topic.size && topic.data[0] == '$' && pattern.size && pattern.data[0] != '$')
        return false;
    while (bytes_next_field(&pattern, '/', &wanted)) {
        if (bytes_equal_text(wanted, "#"))
            return true;
        if (!bytes_next_field(&topic, '/', &level))
            return false;
        if (!bytes_equal_text(wanted, "+") && !bytes_equal(wanted, level))
            return false;
    }
    return !bytes_next_field(&topic, '/', &level);
}
