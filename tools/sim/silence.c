/*
 * onekey-sim silence: runs the gateway's own detector over recorded readings and says how often it
 * would have cried wolf and how long a real incident would have gone unnoticed. The protocol of the
 * evaluation is in docs/DETECTOR.md.
 */
#include "daemon/core/silence.h"

#include "daemon/base/attributes.h"
#include "daemon/base/instant.h"
#include "daemon/base/random.h"
#include "tools/sim/command.h"
#include "tools/sim/delays.h"
#include "tools/sim/homes.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GAP_US (6 * US_PER_HOUR)       /* a silence with a longer gap between reports */
#define CALM_US (48 * US_PER_HOUR)     /* in it or so long after its start is not judged */
#define SILENCE_US (24 * US_PER_HOUR)  /* a longer silence is an absence */
#define OBSERVED_US (48 * US_PER_HOUR) /* a report that covers more adds no time observed */

struct options {
    const char *readings, *homes, *mode, *alarms;
    double rate, theta, warmup_days;
    long incidents;
    uint64_t seed;
    bool json;
};

/* A silence that is judged: from a use at rows[start] to the next. */
struct silent_span {
    size_t start;
    int64_t length_us;
    int64_t alarm_us; /* after its start; 0 or less if a ticket was open */
};

struct incident {
    size_t start; /* the row that began its silence */
    int64_t at_us;
};

struct score {
    long alarms, alarms_short;
    int64_t observed_us;
    struct delays *delays;
    long odd[SILENCE_ODD_COUNT];
};

/* One home while its readings go by. */
struct walk {
    const struct options *options;
    const struct silence_settings *settings;
    const struct home *home;
    struct score *score;
    FILE *alarms;
    struct silent_span *spans; /* room for one a row */
    size_t span_count;
    long pending; /* alarms in the silence that is going on */
    size_t use;   /* the row of its start */
    size_t gap;   /* the first row from `use` on that a long gap follows */
    uint32_t open;
};

static bool is_judged(const struct home *home)
{
    return home->wanted && home->count > 1;
}

static struct silence_reading reading_of(const struct reading_row *row)
{
    return (struct silence_reading){
        .at_us = row->at_us, .heard_us = row->at_us, .volume_ml = row->volume_ml};
}

/* When the first report at or after `moment` would come, if the meter goes on as it did: at the rows'
 * times, and hourly after the last. */
static int64_t report_at(const struct home *home, size_t row, int64_t moment_us)
{
    while (row < home->count && home->rows[row].at_us < moment_us)
        row++;
    if (row < home->count)
        return home->rows[row].at_us;
    int64_t last_us = home->rows[home->count - 1].at_us;
    int64_t hours = moment_us <= last_us ? 0 : (moment_us - last_us - 1) / US_PER_HOUR + 1;
    return last_us + hours * US_PER_HOUR;
}

/* Whether a report is missing for long in the two days after rows[use]: then nobody knows when the
 * alarm would have come. */
static bool has_gap(struct walk *walk, size_t use)
{
    const struct reading_row *rows = walk->home->rows;
    if (walk->gap < use)
        walk->gap = use;
    while (walk->gap + 1 < walk->home->count &&
           rows[walk->gap + 1].at_us - rows[walk->gap].at_us <= GAP_US)
        walk->gap++;
    return walk->gap + 1 < walk->home->count && rows[walk->gap].at_us - rows[use].at_us < CALM_US;
}

/* The silence that began at walk->use has ended at `row`. */
static void end_span(struct walk *walk, size_t row)
{
    const struct reading_row *rows = walk->home->rows;
    int64_t length_us = rows[row].at_us - rows[walk->use].at_us;
    if (length_us < SILENCE_US)
        walk->score->alarms_short += walk->pending;
    walk->pending = 0;
    if (walk->span_count == 0 || walk->spans[walk->span_count - 1].start != walk->use)
        return;
    struct silent_span *span = &walk->spans[walk->span_count - 1];
    span->length_us = length_us;
    if (length_us <= 0 || length_us >= SILENCE_US || has_gap(walk, walk->use))
        walk->span_count--;
}

/* A use at `row` begins a silence; the deadline tells when its alarm would be due. */
static void begin_span(struct walk *walk, const struct silence *silence, size_t row)
{
    const struct home *home = walk->home;
    int64_t start_us = home->rows[row].at_us, alarm_us = 0;
    walk->use = row;
    if (start_us - home->rows[0].at_us < walk->settings->warmup_us)
        return;
    if ((walk->open & SILENCE_QUIET) == 0)
        alarm_us = report_at(home, row, silence_deadline(silence, walk->settings)) - start_us;
    walk->spans[walk->span_count++] = (struct silent_span){.start = row, .alarm_us = alarm_us};
}

static void note_alarm(struct walk *walk, int64_t at_us)
{
    struct tm when;
    time_t seconds = at_us / US_PER_SECOND;
    walk->score->alarms++;
    walk->pending++;
    if (walk->alarms == NULL)
        return;
    gmtime_r(&seconds, &when);
    fprintf(walk->alarms, "%s,%s,%04d-%02d-%02dT%02d:%02d\n", walk->home->id, walk->options->mode,
            when.tm_year + 1900, when.tm_mon + 1, when.tm_mday, when.tm_hour, when.tm_min);
}

static void walk_row(struct walk *walk, struct silence *silence, size_t row)
{
    const struct reading_row *rows = walk->home->rows;
    struct silence_reading reading = reading_of(&rows[row]);
    struct silence_verdict verdict = silence_reading(silence, walk->settings, &reading);
    bool use = rows[row].volume_ml >= walk->settings->use_ml;
    walk->open = (walk->open & ~verdict.ended) | verdict.raised;
    for (int i = 0; i < SILENCE_ODD_COUNT; i++)
        walk->score->odd[i] += (verdict.odd >> i) & 1;
    if (row > 0 && rows[row].at_us - rows[0].at_us >= walk->settings->warmup_us &&
        rows[row].at_us - rows[row - 1].at_us <= OBSERVED_US)
        walk->score->observed_us += rows[row].at_us - rows[row - 1].at_us;
    if (use)
        end_span(walk, row);
    if (verdict.raised & SILENCE_QUIET)
        note_alarm(walk, rows[row].at_us);
    if (verdict.flags & SILENCE_USE) /* a drip from a leak is none */
        begin_span(walk, silence, row);
}

static void walk_home(struct walk *walk)
{
    struct silence silence;
    silence_init(&silence, walk->settings);
    for (size_t row = 0; row < walk->home->count; row++)
        walk_row(walk, &silence, row);
    if (walk->span_count > 0 && walk->spans[walk->span_count - 1].length_us == 0)
        walk->span_count--; /* its end is not known */
}

static double hours(int64_t us)
{
    return (double)us / (double)US_PER_HOUR;
}

/* From a real state on, 0 L at the real times: the delay of the alarm after the incident. */
static double inject(const struct walk *walk, const struct silence *start, size_t row,
                     int64_t incident_us, bool open)
{
    struct silence silence = *start;
    const struct home *home = walk->home;
    int64_t at_us = home->rows[row].at_us;
    int64_t end_us = at_us + DELAY_HOURS_MOST * US_PER_HOUR;
    while (!open && at_us < end_us) {
        at_us = ++row < home->count ? home->rows[row].at_us : at_us + US_PER_HOUR;
        struct silence_reading reading = {.at_us = at_us, .heard_us = at_us};
        struct silence_verdict verdict = silence_reading(&silence, walk->settings, &reading);
        open = (verdict.raised & SILENCE_QUIET) != 0;
    }
    return open ? fmax(hours(at_us - incident_us), 0) : DELAY_HOURS_MOST;
}

/* Plays the incidents of one home (in the order of their rows) in a second run through its readings. */
static void inject_home(struct walk *walk, const struct incident *incidents, size_t count)
{
    struct silence silence;
    uint32_t open = 0;
    silence_init(&silence, walk->settings);
    for (size_t row = 0; count > 0; row++) {
        struct silence_reading reading = reading_of(&walk->home->rows[row]);
        struct silence_verdict verdict = silence_reading(&silence, walk->settings, &reading);
        open = (open & ~verdict.ended) | verdict.raised;
        for (; count > 0 && incidents->start == row; incidents++, count--) {
            double delay =
                inject(walk, &silence, row, incidents->at_us, (open & SILENCE_QUIET) != 0);
            delays_incident(walk->score->delays, delay, 1);
            delays_home_done(walk->score->delays); /* homes were drawn evenly: each weighs one */
        }
    }
}

static int by_row(const void *left, const void *right)
{
    const struct incident *a = left, *b = right;
    return (a->start > b->start) - (a->start < b->start);
}

/* Draws `count` incidents in the home, each at a random moment of its silences, and plays them. */
static void draw_and_inject(struct walk *walk, struct random *random, size_t count)
{
    double whole = 0;
    struct incident *incidents = calloc(count + 1, sizeof(*incidents));
    for (size_t i = 0; i < walk->span_count; i++)
        whole += hours(walk->spans[i].length_us);
    for (size_t i = 0; i < count; i++) {
        double moment = random_fraction(random) * whole;
        size_t pick = 0;
        while (pick + 1 < walk->span_count && moment >= hours(walk->spans[pick].length_us))
            moment -= hours(walk->spans[pick++].length_us);
        size_t start = walk->spans[pick].start;
        incidents[i] = (struct incident){start, walk->home->rows[start].at_us +
                                                    (int64_t)(moment * (double)US_PER_HOUR)};
    }
    qsort(incidents, count, sizeof(*incidents), by_row);
    inject_home(walk, incidents, count);
    free(incidents);
}

/* How many incidents each home gets, drawn evenly among those that count. */
static size_t *share_out(const struct homes *homes, const struct options *options,
                         struct random *random)
{
    size_t *counts = calloc(homes->count + 1, sizeof(*counts)), wanted = 0;
    for (size_t i = 0; i < homes->count; i++)
        wanted += is_judged(&homes->list[i]);
    for (long n = 0; n < options->incidents && wanted > 0; n++) {
        size_t pick = random_below(random, wanted), i = 0;
        while (!is_judged(&homes->list[i]) || pick-- > 0)
            i++;
        counts[i]++;
    }
    return counts;
}

static void judge_homes(const struct homes *homes, const struct options *options,
                        const struct silence_settings *settings, struct score *score, FILE *alarms)
{
    struct random random;
    random_init(&random, options->seed);
    size_t *incidents = share_out(homes, options, &random);
    for (size_t i = 0; i < homes->count; i++) {
        struct walk walk = {.options = options,
                            .settings = settings,
                            .home = &homes->list[i],
                            .score = score,
                            .alarms = alarms};
        if (!is_judged(walk.home))
            continue;
        walk.spans = calloc(walk.home->count, sizeof(*walk.spans));
        walk_home(&walk);
        if (options->incidents > 0 && walk.span_count > 0)
            draw_and_inject(&walk, &random, incidents[i]);
        for (size_t k = 0; options->incidents == 0 && k < walk.span_count; k++)
            delays_silence(score->delays, hours(walk.spans[k].length_us),
                           hours(walk.spans[k].alarm_us));
        if (options->incidents == 0)
            delays_home_done(score->delays);
        free(walk.spans);
    }
    free(incidents);
}

/* --- options and answers ---------------------------------------------------------------------- */

static void print_score(const struct score *score, const struct options *options)
{
    double years = hours(score->observed_us) / 8760;
    double median = delays_quantile(score->delays, 0.5), p95 = delays_quantile(score->delays, 0.95);
    const char *form =
        options->json
            ? "{\"mode\": \"%s\", \"alarms\": %ld, \"home_years\": %.3f, "
              "\"alarms_per_home_year\": %.2f, \"alarms_under_24h_per_home_year\": %.2f, "
              "\"delay_hours\": {\"median\": %.2f, \"p95\": %.2f, \"mean\": %.2f}}\n"
            : "mode %s: %ld alarms in %.3f home-years, %.2f a home-year, %.2f of them in silences "
              "under 24 h; delay median %.2f h, p95 %.2f h, mean %.2f h\n";
    printf(form, options->mode, score->alarms, years, (double)score->alarms / years,
           (double)score->alarms_short / years, median, p95, delays_mean(score->delays));
    for (int i = 0; i < SILENCE_ODD_COUNT; i++)
        if (score->odd[i] > 0)
            fprintf(stderr, "onekey-sim: %ld readings %s\n", score->odd[i],
                    silence_odd_name((enum silence_odd)(1 << i)));
}

static struct silence_settings settings_of(const struct options *options)
{
    struct silence_settings settings = silence_settings_default();
    bool fixed = strcmp(options->mode, "fixed") == 0, global = strcmp(options->mode, "global") == 0;
    settings.rules = fixed ? SILENCE_FIXED : SILENCE_LEARNED; /* the model alone: no guarantee */
    settings.offset_s = 0;                                    /* the files have wall-clock times */
    settings.leak_floor = strcmp(options->mode, "cal_leak") == 0;
    settings.target_per_year = (float)options->rate;
    settings.theta_hours = global ? (float)options->theta : 0;
    settings.warmup_us = (int64_t)(options->warmup_days * (double)US_PER_DAY);
    return settings;
}

static int run(const struct options *options)
{
    static struct delays delays;
    struct homes homes;
    struct score score = {.delays = &delays};
    struct silence_settings settings = settings_of(options);
    FILE *alarms = NULL;
    if (!homes_load(&homes, options->readings, options->homes)) {
        homes_free(&homes);
        return 1;
    }
    if (options->alarms != NULL && (alarms = fopen(options->alarms, "w")) == NULL) {
        fprintf(stderr, "onekey-sim: cannot write %s: %s\n", options->alarms, strerror(errno));
        homes_free(&homes);
        return 1;
    }
    if (alarms != NULL)
        fprintf(alarms, "household_id,mode,alarm_time\n");
    judge_homes(&homes, options, &settings, &score, alarms);
    bool written = alarms == NULL || fclose(alarms) == 0;
    homes_free(&homes);
    if (!written)
        fprintf(stderr, "onekey-sim: cannot write %s: %s\n", options->alarms, strerror(errno));
    if (score.observed_us == 0) {
        fprintf(stderr,
                "onekey-sim: %s has no home with lived_in 1 and readings beyond the warm-up\n",
                options->readings);
        return 1;
    }
    print_score(&score, options);
    return written ? 0 : 1;
}

static int usage(FILE *out, int status)
{
    fprintf(
        out,
        "usage: onekey-sim silence --readings FILE.csv[.gz] [--homes FILE.csv]\n"
        "         --mode fixed|global|cal|cal_leak [OPTION …]\n"
        "  --readings FILE     household_id,timestamp,litres_in_interval\n"
        "  --homes FILE        only homes whose column lived_in is 1\n"
        "  --mode MODE         fixed: less than 10 L in 12 h; global: one threshold for all;\n"
        "                      cal: threshold per home; cal_leak: the same beside a dripping leak\n"
        "  --r RATE            cal, cal_leak: false alarms a year aimed at (6.5095)\n"
        "  --theta HOURS       global: the threshold (21.312)\n"
        "  --warmup-days DAYS  no alarm earlier in a home's readings (14)\n"
        "  --incidents N       delay of N random incidents played through the detector, instead\n"
        "                      of the expectation over all moments\n"
        "  --seed S            of the random incidents (1)\n"
        "  --alarms FILE.csv   write every alarm: household_id,mode,alarm_time\n"
        "  --json              the result as JSON\n");
    return status;
}

/* A number within [least, most], or a complaint and false. */
static bool parse_number(const char *option, const char *text, double least, double most,
                         double *out)
{
    char *end;
    *out = strtod(text, &end);
    if (end != text && *end == '\0' && *out >= least && *out <= most)
        return true;
    fprintf(stderr, "onekey-sim: --%s %s: give a number from %g to %g\n", option, text, least,
            most);
    return false;
}

static bool parse_option(struct options *options, int option, const char *text)
{
    double number;
    switch (option) {
    case 'R':
        options->readings = text;
        return true;
    case 'H':
        options->homes = text;
        return true;
    case 'm':
        options->mode = text;
        return true;
    case 'a':
        options->alarms = text;
        return true;
    case 'j':
        options->json = true;
        return true;
    case 'r':
        return parse_number("r", text, 0.01, 1000, &options->rate);
    case 't':
        return parse_number("theta", text, 0.1, 96, &options->theta);
    case 'w':
        return parse_number("warmup-days", text, 0, 3660, &options->warmup_days);
    case 'i':
        if (!parse_number("incidents", text, 1, 10000000, &number))
            return false;
        options->incidents = (long)number;
        return true;
    case 's':
        if (!parse_number("seed", text, 0, 9007199254740992, &number))
            return false;
        options->seed = (uint64_t)number;
        return true;
    default:
        return false;
    }
}

int silence_command(int argc, char **argv)
{
    static const struct option names[] = {{"readings", required_argument, NULL, 'R'},
                                          {"homes", required_argument, NULL, 'H'},
                                          {"mode", required_argument, NULL, 'm'},
                                          {"r", required_argument, NULL, 'r'},
                                          {"theta", required_argument, NULL, 't'},
                                          {"warmup-days", required_argument, NULL, 'w'},
                                          {"incidents", required_argument, NULL, 'i'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"alarms", required_argument, NULL, 'a'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    static const char *const modes[] = {"fixed", "global", "cal", "cal_leak"};
    struct options options = {.rate = 6.5095, .theta = 21.312, .warmup_days = 14, .seed = 1};
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'h')
            return usage(stdout, 0);
        if (!parse_option(&options, option, optarg))
            return option == '?' ? usage(stderr, 2) : 2;
    }
    if (optind < argc || options.readings == NULL || options.mode == NULL)
        return usage(stderr, 2);
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
        if (strcmp(options.mode, modes[i]) == 0)
            return run(&options);
    fprintf(stderr, "onekey-sim: --mode %s: give fixed, global, cal or cal_leak\n", options.mode);
    return 2;
}
