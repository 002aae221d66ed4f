#include "protocol/sia_dc09_events.h"

#include <string.h>

/* First match counts. */
static const struct contact_id_range {
    uint16_t first, last;
    uint8_t kind;
} contact_id_ranges[] = {
    {100, 102, SIGNAL_PANIC},       /* medical, personal emergency, failed to report in */
    {110, 112, SIGNAL_PANIC},       /* fire, smoke, combustion */
    {113, 113, SIGNAL_LEAK},        /* water flow */
    {114, 118, SIGNAL_PANIC},       /* heat, pull station, duct, flame, near alarm */
    {120, 126, SIGNAL_PANIC},       /* panic, duress, silent, audible */
    {130, 136, SIGNAL_PANIC},       /* burglary */
    {137, 137, SIGNAL_TAMPER},      /* box opened */
    {138, 143, SIGNAL_PANIC},       /* near alarm, verifier, general, loops */
    {144, 145, SIGNAL_TAMPER},      /* sensor, module */
    {146, 153, SIGNAL_PANIC},       /* silent burglary, 24 hour, gas, refrigeration, heat */
    {154, 154, SIGNAL_LEAK},        /* water leakage */
    {155, 163, SIGNAL_PANIC},       /* foil, low levels, temperature, carbon monoxide */
    {200, 206, SIGNAL_TAMPER},      /* supervision of the fire equipment */
    {301, 301, SIGNAL_MAINS_LOST},  /* AC loss */
    {302, 302, SIGNAL_LOW_BATTERY}, /* of the system */
    {309, 309, SIGNAL_LOW_BATTERY}, /* battery test failed */
    {311, 311, SIGNAL_LOW_BATTERY}, /* battery missing */
    {338, 338, SIGNAL_LOW_BATTERY}, /* of a module */
    {384, 384, SIGNAL_LOW_BATTERY}, /* of a radio transmitter */
    {300, 399, SIGNAL_TAMPER},      /* other troubles */
    {401, 401, SIGNAL_LIFE},        /* opened or closed by a person */
    {406, 406, SIGNAL_CANCEL},      /* the person took the alarm back */
    {408, 409, SIGNAL_LIFE},        /* quick arm, key switch */
    {441, 442, SIGNAL_LIFE},        /* armed to stay */
    {400, 599, SIGNAL_HEARTBEAT},   /* remote access, disables, bypasses */
    {601, 601, SIGNAL_TEST},        /* by hand */
    {607, 607, SIGNAL_TEST},        /* walk test */
    {654, 654, SIGNAL_PANIC},       /* inactivity */
    {600, 699, SIGNAL_HEARTBEAT},   /* periodic tests, log, clock */
};

/* First match counts; '?' is any letter. */
static const struct sia_code {
    char code[3];
    uint8_t kind;
} sia_codes[] = {
    {"WA", SIGNAL_LEAK},
    {"AT", SIGNAL_MAINS_LOST},
    {"AR", SIGNAL_MAINS_RESTORED},
    {"YT", SIGNAL_LOW_BATTERY},
    {"YM", SIGNAL_LOW_BATTERY},
    {"XT", SIGNAL_LOW_BATTERY},
    {"YR", SIGNAL_BATTERY_RESTORED},
    {"XR", SIGNAL_BATTERY_RESTORED},
    {"TA", SIGNAL_TAMPER},
    {"TR", SIGNAL_TAMPER_RESTORED},
    {"YC", SIGNAL_TAMPER},
    {"YS", SIGNAL_TAMPER},
    {"YK", SIGNAL_TAMPER_RESTORED},
    {"LR", SIGNAL_TAMPER_RESTORED},
    {"JA", SIGNAL_TAMPER},
    {"OP", SIGNAL_LIFE},
    {"CL", SIGNAL_LIFE},
    {"NS", SIGNAL_LIFE},
    {"OC", SIGNAL_CANCEL},
    {"BC", SIGNAL_CANCEL},
    {"RX", SIGNAL_TEST},
    {"TX", SIGNAL_TEST},
    {"C?", SIGNAL_HEARTBEAT},
    {"D?", SIGNAL_HEARTBEAT},
    {"J?", SIGNAL_HEARTBEAT},
    {"O?", SIGNAL_HEARTBEAT},
    {"R?", SIGNAL_HEARTBEAT},
    {"T?", SIGNAL_HEARTBEAT},
    {"?A", SIGNAL_PANIC},
    {"?T", SIGNAL_TAMPER},
    {"?S", SIGNAL_TAMPER},
    {"?J", SIGNAL_TAMPER_RESTORED},
    {"?B", SIGNAL_HEARTBEAT},
    {"?H", SIGNAL_HEARTBEAT},
    {"?R", SIGNAL_HEARTBEAT},
    {"?U", SIGNAL_HEARTBEAT},
    {"?X", SIGNAL_HEARTBEAT},
};

static const struct said_as {
    uint8_t kind;
    char contact_id[5], sia[3];
} said_as[] = {
    {SIGNAL_PANIC, "1101", "QA"},       {SIGNAL_LEAK, "1154", "WA"},
    {SIGNAL_LOW_BATTERY, "1302", "YT"}, {SIGNAL_BATTERY_RESTORED, "3302", "YR"},
    {SIGNAL_MAINS_LOST, "1301", "AT"},  {SIGNAL_MAINS_RESTORED, "3301", "AR"},
    {SIGNAL_TAMPER, "1137", "TA"},      {SIGNAL_TAMPER_RESTORED, "3137", "TR"},
    {SIGNAL_CANCEL, "1406", "OC"},      {SIGNAL_TEST, "1601", "RX"},
    {SIGNAL_LIFE, "1401", "OP"},
};

/* What it is that the end of `kind` is reported. The end of an alarm proper is no news: boxes send
 * it by themselves when the button springs back. */
static enum signal_kind restored(enum signal_kind kind)
{
    if (kind == SIGNAL_MAINS_LOST)
        return SIGNAL_MAINS_RESTORED;
    if (kind == SIGNAL_LOW_BATTERY)
        return SIGNAL_BATTERY_RESTORED;
    if (kind == SIGNAL_TAMPER)
        return SIGNAL_TAMPER_RESTORED;
    return kind == SIGNAL_LIFE || kind == SIGNAL_CANCEL ? kind : SIGNAL_HEARTBEAT;
}

static void add_event(const struct signal *event, int index, struct batch *batch)
{
    struct signal signal = *event;
    size_t size = strlen(signal.message_id);
    struct writer writer = writer_into(signal.message_id + size, MESSAGE_ID_LIMIT - size);

    if (index > 0 && size > 0) {
        writer_u8(&writer, '.');
        writer_decimal(&writer, index);
        signal.message_id[size + writer.size] = '\0';
    }
    batch_add(batch, &signal);
}

int sia_dc09_events_contact_id(struct bytes data, const struct signal *model, struct batch *batch)
{
    struct signal signal = *model;
    int64_t number;

    data = bytes_trim(data);
    if (!bytes_parse_decimal(bytes_part(data, 0, 4), &number) || number < 1000)
        return 0;
    bytes_copy_text(data, signal.code, sizeof(signal.code));
    signal.kind = SIGNAL_NONE;
    for (size_t i = 0; i < sizeof(contact_id_ranges) / sizeof(contact_id_ranges[0]); i++) {
        const struct contact_id_range *range = &contact_id_ranges[i];

        if (!signal.kind && number % 1000 >= range->first && number % 1000 <= range->last)
            signal.kind = range->kind;
    }
    if (!signal.kind) {
        signal.kind = SIGNAL_PANIC;
        signal.flags |= SIGNAL_FLAG_UNKNOWN_CODE;
    }
    if (number / 1000 == 3)
        signal.kind = (uint8_t)restored(signal.kind);
    add_event(&signal, 0, batch);
    return 1;
}

static bool is_upper(struct bytes text, size_t at)
{
    return at < text.size && text.data[at] >= 'A' && text.data[at] <= 'Z';
}

static bool is_lower(struct bytes text, size_t at)
{
    return at < text.size && text.data[at] >= 'a' && text.data[at] <= 'z';
}

static enum signal_kind sia_kind(struct bytes code)
{
    for (size_t i = 0; i < sizeof(sia_codes) / sizeof(sia_codes[0]); i++) {
        const char *known = sia_codes[i].code;

        if ((known[0] == '?' || code.data[0] == known[0]) &&
            (known[1] == '?' || code.data[1] == known[1]))
            return sia_codes[i].kind;
    }
    return SIGNAL_NONE;
}

/* `code` is two letters and the address behind them, `area` what stood before it ("ri1"). */
static void add_sia(struct bytes code, struct bytes area, const struct signal *model, int index,
                    struct batch *batch)
{
    struct signal signal = *model;
    char text[2 * CODE_LIMIT];
    struct writer writer = writer_into(text, sizeof(text));

    signal.kind = (uint8_t)sia_kind(code);
    if (!signal.kind) {
        signal.kind = SIGNAL_PANIC;
        signal.flags |= SIGNAL_FLAG_UNKNOWN_CODE;
    }
    writer_bytes(&writer, bytes_part(bytes_trim(code), 0, 20));
    if (area.size) {
        writer_u8(&writer, ' ');
        writer_bytes(&writer, bytes_part(area, 0, 10));
    }
    bytes_copy_text(writer_view(&writer), signal.code, sizeof(signal.code));
    add_event(&signal, index, batch);
}

static size_t find_any(struct bytes text, size_t from, const char *stops)
{
    while (from < text.size && (text.data[from] == '\0' || !strchr(stops, text.data[from])))
        from++;
    return from;
}

/* Where a description that begins at `at` ends: ^…^, or *'…'NM with quotes of any make. */
static size_t skip_description(struct bytes block, size_t at)
{
    if (block.data[at] == '^')
        return find_any(block, at + 1, "^") + 1;
    for (at++; at + 2 < block.size; at++) {
        bool is_quote = block.data[at] == '\'' || block.data[at] >= 0x80;

        if (is_quote && block.data[at + 1] == 'N' && block.data[at + 2] == 'M')
            return at + 3;
    }
    return block.size;
}

/* One block, behind its N or O: modifiers, events and descriptions, divided by slashes or by
 * nothing. */
static int read_block(struct bytes block, const struct signal *model, int count,
                      struct batch *batch)
{
    struct bytes area = {NULL, 0};

    for (size_t at = 0, end; at < block.size; at = end) {
        if (is_lower(block, at) && is_lower(block, at + 1)) {
            end = find_any(block, at + 2, "/^*ABCDEFGHIJKLMNOPQRSTUVWXYZ");
            if (block.data[at] == 'r' && block.data[at + 1] == 'i')
                area = bytes_part(block, at, end - at);
        } else if (is_upper(block, at) && is_upper(block, at + 1)) {
            end = find_any(block, at + 2, "/^*");
            add_sia(bytes_part(block, at, end - at), area, model, count++, batch);
        } else if (block.data[at] == '^' || block.data[at] == '*') {
            end = skip_description(block, at);
        } else {
            end = at + 1;
        }
    }
    return count;
}

int sia_dc09_events_sia(struct bytes data, const struct signal *model, struct batch *batch)
{
    struct bytes block;
    int count = 0;

    while (bytes_next_field(&data, '|', &block)) {
        struct signal event = *model;

        if (block.size == 0 || (block.data[0] != 'N' && block.data[0] != 'O'))
            continue;
        if (block.data[0] == 'O')
            event.flags |= SIGNAL_FLAG_STORED;
        count = read_block(bytes_part(block, 1, block.size), &event, count, batch);
    }
    return count;
}

bool sia_dc09_events_write(enum signal_kind kind, bool as_sia, struct writer *out)
{
    for (size_t i = 0; i < sizeof(said_as) / sizeof(said_as[0]); i++) {
        if (said_as[i].kind != kind)
            continue;
        writer_text(out, as_sia ? "Nri1/" : said_as[i].contact_id);
        writer_text(out, as_sia ? said_as[i].sia : " 01 001");
        if (as_sia)
            writer_text(out, "001");
        return true;
    }
    return false;
}
