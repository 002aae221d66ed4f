#include "tools/sim/words.h"

#include "daemon/base/attributes.h"
#include "protocol/signal.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct word words[] = {
    {"press", SIGNAL_PANIC, 0, "the button"},
    {"fall", SIGNAL_FALL, 0, "a fall is detected"},
    {"cancel", SIGNAL_CANCEL, 0, "the person takes the press back"},
    {"low battery", SIGNAL_LOW_BATTERY, 0, NULL},
    {"restore", SIGNAL_BATTERY_RESTORED, 0, "the battery is full again"},
    {"mains lost", SIGNAL_MAINS_LOST, 0, NULL},
    {"mains restored", SIGNAL_MAINS_RESTORED, 0, NULL},
    {"tamper", SIGNAL_TAMPER, 0, "taken off, opened"},
    {"wander", SIGNAL_WANDER, 0, "left its fence"},
    {"leak", SIGNAL_LEAK, 0, NULL},
    {"test", SIGNAL_TEST, 0, NULL},
    {"care call", SIGNAL_SERVICE, SERVICE_CARE_CALL, "and: rescue, taxi, registration, consult"},
    {"rescue", SIGNAL_SERVICE, SERVICE_RESCUE, NULL},
    {"taxi", SIGNAL_SERVICE, SERVICE_TAXI, NULL},
    {"registration", SIGNAL_SERVICE, SERVICE_REGISTRATION, NULL},
    {"consult", SIGNAL_SERVICE, SERVICE_CONSULT, NULL},
    {"heartbeat", SIGNAL_HEARTBEAT, 0, NULL},
    {"position", SIGNAL_POSITION, 0, NULL},
    {"vitals", SIGNAL_VITALS, 0, "heart rate and oxygen"},
    {"reading", SIGNAL_READING, 0, "of a meter, a little more than the last"},
};

void words_print_help(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        printf("  %-16s%s\n", words[i].text, words[i].help ? words[i].help : "");
    printf("  %-16s\n", "quit");
}

static bool is_word(const struct word *word, const char *line)
{
    if (strcmp(word->text, line) == 0 || strcmp(signal_kind_name(word->kind), line) == 0)
        return true;
    return word->kind == SIGNAL_SERVICE && strcmp(service_kind_name(word->service), line) == 0;
}

const struct word *words_find(const char *line)
{
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (is_word(&words[i], line))
            return &words[i];
    return NULL;
}
