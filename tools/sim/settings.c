#include "tools/sim/settings.h"

#include "daemon/base/attributes.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum type { ENDPOINT, TEXT, COUNT, REAL, PER_MINUTE, REPORTS_PER_SECOND, SEED, FLAG, FAULTS };

static const struct {
    const char *name;
    enum type type;
    size_t offset;
    const char *help;
} options[] = {
    {"watch", ENDPOINT, offsetof(struct settings, watch), "HOST:PORT of the wristbands' listener"},
    {"mqtt", ENDPOINT, offsetof(struct settings, mqtt), "HOST:PORT of the broker"},
    {"devices", TEXT, offsetof(struct settings, devices_path), "FILE.csv of registered devices"},
    {"mix", TEXT, offsetof(struct settings, mix_path), "FILE.csv of groups to invent"},
    {"faults", FAULTS, offsetof(struct settings, faults),
     "shares, as \"cut=0.01 delay=0.1 duplicate=0.1 garbage=0.1 clock=0.1\""},
    {"wristbands", COUNT, offsetof(struct settings, wristbands), "invented ones, over TCP"},
    {"call-boxes", COUNT, offsetof(struct settings, call_boxes), "invented ones, over MQTT"},
    {"meters", COUNT, offsetof(struct settings, meters), "invented ones, over MQTT"},
    {"alarms-per-second", REAL, offsetof(struct settings, alarms_per_second), "of all together"},
    {"panics-per-minute", PER_MINUTE, offsetof(struct settings, alarms_per_second), "the same"},
    {"report-every", REAL, offsetof(struct settings, report_every_s), "seconds, of one device"},
    {"reports-per-second", REPORTS_PER_SECOND, offsetof(struct settings, report_every_s),
     "of all invented devices together"},
    {"retransmit", REAL, offsetof(struct settings, retransmit_s), "seconds without an answer"},
    {"seconds", REAL, offsetof(struct settings, seconds), "of pressing; 0: until interrupted"},
    {"drain", REAL, offsetof(struct settings, drain_s), "seconds for the last acknowledgements"},
    {"record", TEXT, offsetof(struct settings, record_path), "FILE for the acknowledged alarms"},
    {"prefix", TEXT, offsetof(struct settings, prefix),
     "two digits that invented names begin with"},
    {"seed", SEED, offsetof(struct settings, seed), "of what is random"},
    {"panics-only", FLAG, offsetof(struct settings, panics_only), "no falls, no services"},
};

static void print_usage(const char *command)
{
    fprintf(stderr, "usage: onekey-sim %s [OPTION]...\n\n", command);
    for (size_t i = 0; i < ARRAY_SIZE(options); i++)
        fprintf(stderr, "  --%-20s %s\n", options[i].name, options[i].help);
}

static bool parse_real(const char *text, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= 0;
}

/* Puts one option's text into its place. */
static bool put(struct settings *settings, size_t option, const char *text)
{
    void *place = (char *)settings + options[option].offset;
    double number = 0;
    bool is_number = text && parse_real(text, &number);

    switch (options[option].type) {
    case ENDPOINT:
        return endpoint_parse(place, text);
    case TEXT:
        *(const char **)place = text;
        return true;
    case FAULTS:
        return faults_parse(place, text);
    case FLAG:
        *(bool *)place = true;
        return true;
    case COUNT:
        *(int *)place = (int)number;
        break;
    case SEED:
        *(uint64_t *)place = (uint64_t)number;
        break;
    case REAL:
        *(double *)place = number;
        break;
    case PER_MINUTE:
        *(double *)place = number / 60;
        break;
    case REPORTS_PER_SECOND: /* a rate, until all counts are known */
        *(double *)place = -number;
        break;
    }
    if (!is_number)
        fprintf(stderr, "onekey-sim: --%s %s: a number from 0 is wanted\n", options[option].name,
                text);
    return is_number;
}

/* What must hold between options. */
static bool check(struct settings *settings)
{
    const char *problem = NULL;
    int invented = settings->wristbands + settings->call_boxes + settings->meters;

    if (settings->report_every_s < 0)
        settings->report_every_s = invented / -settings->report_every_s;
    if (settings->report_every_s == 0)
        problem = "--report-every must be above 0";
    else if (!settings->devices_path && !settings->mix_path && invented == 0)
        problem = "no devices: give --devices, --mix, --wristbands, --call-boxes or --meters";
    else if (settings->wristbands && !settings->watch.port)
        problem = "--wristbands need --watch HOST:PORT";
    else if (settings->call_boxes + settings->meters && !settings->mqtt.port)
        problem = "--call-boxes and --meters need --mqtt HOST:PORT";
    else if (strspn(settings->prefix, "0123456789") != 2 || strlen(settings->prefix) != 2)
        problem = "--prefix must be two digits";
    if (problem)
        fprintf(stderr, "onekey-sim: %s\n", problem);
    return !problem;
}

bool settings_parse(struct settings *settings, int argc, char **argv)
{
    struct option table[ARRAY_SIZE(options) + 1] = {0};
    int index;

    for (size_t i = 0; i < ARRAY_SIZE(options); i++)
        table[i] =
            (struct option){.name = options[i].name,
                            .has_arg = options[i].type == FLAG ? no_argument : required_argument};
    for (int found; (found = getopt_long(argc, argv, "", table, &index)) != -1;)
        if (found == '?') {
            print_usage(argv[0]);
            return false;
        } else if (!put(settings, (size_t)index, optarg)) {
            return false;
        }
    return check(settings);
}
