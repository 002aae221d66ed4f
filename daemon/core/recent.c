#include "daemon/core/recent.h"

#include <string.h>

void recent_init(struct recent *recent, struct recent_alarm *alarms, uint32_t sets)
{
    recent->alarms = alarms;
    recent->sets = sets;
}

/* FNV-1a, 64 bits. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001B3);
    return hash * UINT64_C(0x100000001B3);
}

static struct recent_alarm *set_of(const struct recent *recent, const struct signal *signal)
{
    uint64_t hash = hash_text(UINT64_C(0xCBF29CE484222325), signal->identity);

    hash = hash_text(hash, signal->message_id);
    return recent->alarms + (hash >> 20) % recent->sets * RECENT_WAYS;
}

static bool is_within_span(int64_t left_us, int64_t right_us)
{
    return left_us < right_us + RECENT_SPAN_US && right_us < left_us + RECENT_SPAN_US;
}

static bool is_same(const struct recent_alarm *alarm, const struct signal *signal)
{
    bool is_proven = !(signal->flags & SIGNAL_FLAG_UNAUTHENTICATED);

    return alarm->number != 0 && is_within_span(alarm->received_at_us, signal->received_at_us) &&
           alarm->kind == signal->kind && alarm->is_proven == is_proven &&
           alarm->protocol == signal->protocol && strcmp(alarm->identity, signal->identity) == 0 &&
           strcmp(alarm->message_id, signal->message_id) == 0;
}

uint64_t recent_find(const struct recent *recent, const struct signal *signal)
{
    const struct recent_alarm *set = set_of(recent, signal);

    if (signal->message_id[0] == '\0')
        return 0;
    for (int i = 0; i < RECENT_WAYS; i++)
        if (is_same(&set[i], signal))
            return set[i].number;
    return 0;
}

void recent_add(struct recent *recent, const struct signal *signal, uint64_t number)
{
    struct recent_alarm *set = set_of(recent, signal);

    if (signal->message_id[0] == '\0')
        return;
    memmove(set + 1, set, (RECENT_WAYS - 1) * sizeof(*set));
    set[0] = (struct recent_alarm){.number = number,
                                   .received_at_us = signal->received_at_us,
                                   .kind = signal->kind,
                                   .protocol = signal->protocol,
                                   .is_proven = !(signal->flags & SIGNAL_FLAG_UNAUTHENTICATED)};
    memcpy(set[0].identity, signal->identity, sizeof(set[0].identity));
    memcpy(set[0].message_id, signal->message_id, sizeof(set[0].message_id));
}
