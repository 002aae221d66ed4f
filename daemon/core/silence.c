#include "daemon/core/silence.h"

#include "daemon/base/attributes.h"
#include "daemon/base/instant.h"
#include "daemon/core/silence_learned.h"
#include "daemon/core/silence_meter.h"
#include "daemon/core/silence_rules.h"

#include <math.h>
#include <string.h>

#define CACHE_LINE 64
#define COARSE_ML 10000
/* Hours that verified outcomes can move a threshold by, and by how much one does from the middle. */
#define BIAS_MOST 3.0F
#define BIAS_FALSE 0.25F
#define BIAS_TRUE 1.0F
#define GAP_INTERVALS 2.5 /* more than this between readings: some were lost */
/* A meter this slow is waited for past the guarantee. */
#define LONG_INTERVAL_S (12 * 3600)
/* What a meter kept while it could not send comes oldest first; the rest follows within this. */
#define BACKLOG_US (120 * US_PER_SECOND)

struct silence_settings silence_settings_default(void)
{
    return (struct silence_settings){
        .rules = SILENCE_LEARNED | SILENCE_GUARANTEE,
        .offset_s = 8 * 3600,
        .target_per_year = 6.5095F,
        .leak_floor = true,
        .use_ml = 1000,
        .fixed_ml = 10000,
        .fixed_window_us = 12 * US_PER_HOUR,
        .daily_ml = 2000000,
        .run_ml_per_hour = {1000, 60000},
        .run_window_us = {24 * US_PER_HOUR, 4 * US_PER_HOUR},
        .guarantee_us = 24 * US_PER_HOUR,
        .interval_us = US_PER_HOUR,
        .grace_us = 15 * US_PER_MINUTE,
    };
}

void silence_init(struct silence *silence, const struct silence_settings *settings)
{
    memset(silence, 0, sizeof(*silence));
    silence->interval_s = (uint32_t)(settings->interval_us / US_PER_SECOND);
    silence_learned_init(silence, settings);
}

static double hours_between(int64_t from_us, int64_t to_us)
{
    return (double)(to_us - from_us) * (1.0 / (double)US_PER_HOUR);
}

static int64_t later(int64_t a_us, int64_t b_us)
{
    return a_us > b_us ? a_us : b_us;
}

static int64_t sooner(int64_t a_us, int64_t b_us)
{
    return a_us < b_us ? a_us : b_us;
}

/* --- judging ---------------------------------------------------------------------------------- */

static int64_t mute_at(const struct silence *silence, const struct silence_settings *settings)
{
    return ((int64_t)silence->heard_s + silence->interval_s) * US_PER_SECOND + settings->grace_us;
}

/* Until when newer readings may follow one that was old when it was sent. A meter that sends old ones
 * all the time is waited for less than until it sends again. */
static int64_t backlog_until(const struct silence *silence)
{
    int64_t heard_us = silence->heard_s * US_PER_SECOND;
    int64_t interval_us = silence->interval_s * US_PER_SECOND;
    if (heard_us - silence->seen_us <= interval_us)
        return INT64_MIN;
    return heard_us + (interval_us / 2 < BACKLOG_US ? interval_us / 2 : BACKLOG_US);
}

static int64_t warm_at(const struct silence *silence, const struct silence_settings *settings)
{
    return silence->started_s * US_PER_SECOND + settings->warmup_us;
}

/* How it stands, nothing fired; leaves what is odd about the reading. */
static void stand(const struct silence *silence, const struct silence_settings *settings,
                  struct silence_verdict *verdict)
{
    verdict->reasons = silence->reasons & SILENCE_REASONS;
    verdict->flags = silence->coarse >= SILENCE_COARSE_USES ? SILENCE_COARSE : 0;
    verdict->since_us = silence->quiet_us;
    verdict->known_us = silence->seen_us;
    verdict->theta_hours = (float)silence_learned_threshold(silence, settings);
}

/* The rules of silence that hold at a moment not before counted_us. */
static uint32_t quiet_rules(const struct silence *silence, const struct silence_settings *settings,
                            int64_t at_us, double effective_hours)
{
    uint32_t rules = 0;
    if (effective_hours > silence_learned_threshold(silence, settings))
        rules |= SILENCE_LEARNED;
    if (silence_rules_dry_at(silence, settings) <= at_us)
        rules |= SILENCE_FIXED;
    rules &= settings->rules;
    if ((settings->rules & SILENCE_GUARANTEE) != 0 && rules == 0 &&
        at_us - silence->quiet_us >= settings->guarantee_us)
        rules |= SILENCE_GUARANTEE;
    return rules;
}

/* Raises, or under an explanation notes, what holds at at_us and did not before; E is known. */
static void judge_effective(struct silence *silence, const struct silence_settings *settings,
                            int64_t at_us, double effective_hours, struct silence_verdict *verdict)
{
    verdict->effective_hours = (float)effective_hours;
    if (at_us < warm_at(silence, settings))
        return;
    uint32_t rules = quiet_rules(silence, settings, at_us, effective_hours);
    if (silence->reasons != 0) {
        verdict->explained = rules & ~(uint32_t)(silence->noted | silence->open);
        silence->noted |= (uint8_t)rules;
    } else {
        verdict->raised |= rules & ~(uint32_t)silence->open;
        silence->open |= (uint8_t)rules;
    }
}

static void judge(struct silence *silence, const struct silence_settings *settings, int64_t at_us,
                  struct silence_verdict *verdict)
{
    double effective_hours = silence_learned_effective(silence, settings, at_us);
    judge_effective(silence, settings, at_us, effective_hours, verdict);
}

/* A use or a life sign ended the silence. */
static void end_quiet(struct silence *silence, struct silence_verdict *verdict)
{
    uint32_t ended = silence->open & (SILENCE_LEARNED | SILENCE_GUARANTEE);
    verdict->ended |= ended;
    silence->open &= (uint8_t)~ended;
    silence->noted &= (uint8_t) ~(SILENCE_LEARNED | SILENCE_GUARANTEE);
}

static void end_fixed(struct silence *silence, const struct silence_settings *settings,
                      int64_t at_us, struct silence_verdict *verdict)
{
    if (silence_rules_dry_at(silence, settings) <= at_us)
        return;
    verdict->ended |= silence->open & SILENCE_FIXED;
    silence->open &= (uint8_t)~SILENCE_FIXED;
    silence->noted &= (uint8_t)~SILENCE_FIXED;
}

/* --- readings --------------------------------------------------------------------------------- */

/* The meter was heard from: learns how often it transmits. A long gap counts for no more than twice
 * the usual, so that lost reports do not make it patient for long. */
static void hear(struct silence *silence, int64_t heard_us)
{
    uint32_t heard_s = (uint32_t)(heard_us / US_PER_SECOND), interval_s = silence->interval_s;
    if (heard_s < silence->heard_s + 60)
        return; /* the same transmission */
    uint32_t gap_s = heard_s - silence->heard_s;
    if (gap_s < interval_s)
        interval_s -= (interval_s - gap_s) / 4;
    else
        interval_s += (gap_s < 2 * interval_s ? gap_s - interval_s : interval_s) / 2;
    silence->interval_s = interval_s < 48 * 3600 ? interval_s : 48 * 3600;
    silence->heard_s = heard_s;
}

static void start(struct silence *silence, const struct silence_settings *settings,
                  const struct silence_reading *reading, int64_t at_us)
{
    silence->seen_us = silence->quiet_us = silence->counted_us = at_us;
    silence->total_ml = reading->cumulative ? reading->volume_ml : 0;
    silence->started_s = (uint32_t)(at_us / US_PER_SECOND);
    silence->heard_s = (uint32_t)(reading->heard_us / US_PER_SECOND);
    silence_learned_start(silence, settings, at_us);
    silence_rules_restart(silence, at_us);
}

static void count_coarse(struct silence *silence, int64_t volume_ml, uint32_t *odd)
{
    if (volume_ml == 0)
        return;
    if (volume_ml % COARSE_ML != 0)
        silence->coarse = 0;
    else if (silence->coarse < UINT8_MAX && ++silence->coarse == SILENCE_COARSE_USES)
        *odd |= SILENCE_ODD_COARSE;
}

/* A believed report: what it teaches, ends and raises. */
static void accept(struct silence *silence, const struct silence_settings *settings,
                   const struct silence_report *report, int64_t volume_ml,
                   struct silence_verdict *verdict)
{
    int64_t at_us = report->at_us, since_us = silence->quiet_us, before_us = silence->seen_us;
    struct silence_learned learned = silence_learned_report(silence, settings, report);
    silence->seen_us = at_us;
    silence_rules_report(silence, settings, at_us, volume_ml);
    stand(silence, settings, verdict);
    if (learned.use) {
        verdict->flags |= SILENCE_USE;
        silence->last_use_s = (uint32_t)(at_us / US_PER_SECOND);
        silence->last_use_ml = (uint32_t)(volume_ml < UINT32_MAX ? volume_ml : UINT32_MAX);
        end_quiet(silence, verdict);
    }
    end_fixed(silence, settings, at_us, verdict);
    if (verdict->ended != 0)
        verdict->since_us = since_us;
    judge_effective(silence, settings, at_us, learned.effective_hours, verdict);
    silence_rules_running(silence, settings, report, at_us - before_us, volume_ml, verdict);
}

static void next_reading(struct silence *silence, const struct silence_settings *settings,
                         const struct silence_reading *reading, int64_t at_us,
                         struct silence_verdict *verdict)
{
    uint32_t *odd = &verdict->odd;
    int64_t from_us = silence->seen_us, volume_ml;
    if (!reading->cumulative && reading->interval_s > 0)
        from_us = later(from_us, at_us - reading->interval_s * US_PER_SECOND);
    if (!silence_meter_take(silence, reading, hours_between(from_us, at_us), odd, &volume_ml)) {
        stand(silence, settings, verdict);
        return;
    }
    if (hours_between(silence->seen_us, at_us) * 3600 > GAP_INTERVALS * silence->interval_s)
        *odd |= SILENCE_ODD_GAP;
    count_coarse(silence, volume_ml, odd);
    hear(silence, reading->heard_us);
    struct silence_report report = {from_us, at_us, (double)volume_ml / 1000};
    accept(silence, settings, &report, volume_ml, verdict);
}

/* A reading not after the last one. Its volume is in later totals already; an interval's is news only
 * as a sign of life. */
static void late_reading(struct silence *silence, const struct silence_settings *settings,
                         const struct silence_reading *reading, int64_t at_us,
                         struct silence_verdict *verdict)
{
    uint32_t odd = at_us == silence->seen_us ? SILENCE_ODD_DOUBLED : SILENCE_ODD_LATE;
    odd |= verdict->odd;
    if (!reading->cumulative && reading->volume_ml >= settings->use_ml)
        *verdict = silence_life(silence, settings, at_us);
    else
        stand(silence, settings, verdict);
    verdict->odd = odd;
}

void silence_expect(const struct silence *silence)
{
    for (size_t line = 0; line < sizeof(*silence); line += CACHE_LINE)
        __builtin_prefetch((const char *)silence + line, 1);
}

struct silence_verdict silence_reading(struct silence *silence,
                                       const struct silence_settings *settings,
                                       const struct silence_reading *reading)
{
    silence_expect(silence);
    struct silence_verdict verdict = {.odd = 0};
    int64_t at_us = silence_meter_time(reading, &verdict.odd);
    if (silence->seen_us == 0) {
        if (silence_meter_counts(reading))
            start(silence, settings, reading, at_us);
        else
            verdict.odd |= SILENCE_ODD_IMPLAUSIBLE;
        stand(silence, settings, &verdict);
    } else if (at_us <= silence->seen_us) {
        late_reading(silence, settings, reading, at_us, &verdict);
    } else {
        next_reading(silence, settings, reading, at_us, &verdict);
    }
    return verdict;
}

/* --- life signs and explanations -------------------------------------------------------------- */

struct silence_verdict silence_life(struct silence *silence,
                                    const struct silence_settings *settings, int64_t at_us)
{
    struct silence_verdict verdict = {.odd = 0};
    stand(silence, settings, &verdict);
    if (silence->seen_us == 0 || at_us <= silence->quiet_us)
        return verdict;
    silence_learned_restart(silence, settings, at_us);
    silence_rules_restart(silence, at_us);
    end_quiet(silence, &verdict);
    end_fixed(silence, settings, silence->counted_us, &verdict);
    judge(silence, settings, silence->counted_us, &verdict);
    return verdict;
}

void silence_explain_begin(struct silence *silence, enum silence_reason reason, int64_t at_us)
{
    if (silence->reasons == 0)
        silence->explained_s = (uint32_t)(at_us / US_PER_SECOND);
    silence->reasons |= (uint8_t)reason;
    if ((reason & (SILENCE_ABSENCE | SILENCE_OUTSIDE)) != 0)
        silence->reasons |= (uint8_t)~SILENCE_REASONS;
}

void silence_explain_end(struct silence *silence, const struct silence_settings *settings,
                         enum silence_reason reason, int64_t at_us)
{
    uint8_t left = (uint8_t)(silence->reasons & ~(uint32_t)reason);
    int64_t from_us = silence->explained_s * US_PER_SECOND;
    bool restart = (left & ~SILENCE_REASONS) != 0;
    if ((left & SILENCE_REASONS) != 0 || left == silence->reasons) {
        silence->reasons = left;
        return;
    }
    if (silence->seen_us != 0 && at_us > silence->quiet_us) {
        if (restart) {
            silence_learned_restart(silence, settings, at_us);
            silence_rules_restart(silence, at_us);
            silence->open &= (uint8_t)~SILENCE_QUIET;
        } else if (at_us > from_us) {
            silence_learned_pause(silence, settings, from_us, at_us);
            silence_rules_pause(silence, from_us, at_us);
        }
    }
    silence->reasons = 0;
    silence->noted = 0;
}

/* --- deadlines -------------------------------------------------------------------------------- */

static int64_t rules_deadline(const struct silence *silence,
                              const struct silence_settings *settings)
{
    uint32_t rules = settings->rules & ~(uint32_t)silence->open;
    int64_t at_us = INT64_MAX;
    if ((rules & SILENCE_LEARNED) != 0)
        at_us = silence_learned_deadline(silence, settings);
    if ((rules & SILENCE_FIXED) != 0)
        at_us = sooner(at_us, silence_rules_dry_at(silence, settings));
    return later(at_us, warm_at(silence, settings));
}

static int64_t guarantee_deadline(const struct silence *silence,
                                  const struct silence_settings *settings)
{
    if ((settings->rules & SILENCE_GUARANTEE) == 0 || (silence->open & SILENCE_QUIET) != 0)
        return INT64_MAX;
    return later(silence->quiet_us + settings->guarantee_us, warm_at(silence, settings));
}

int64_t silence_deadline(const struct silence *silence, const struct silence_settings *settings)
{
    if (silence->seen_us == 0 || silence->reasons != 0)
        return INT64_MAX;
    return sooner(rules_deadline(silence, settings), guarantee_deadline(silence, settings));
}

int64_t silence_due_at(const struct silence *silence, const struct silence_settings *settings)
{
    if (silence->seen_us == 0 || silence->reasons != 0)
        return INT64_MAX;
    int64_t rules_us = rules_deadline(silence, settings);
    int64_t guarantee_us = guarantee_deadline(silence, settings);
    int64_t patience_us = silence->interval_s * US_PER_SECOND + settings->grace_us;
    if (rules_us != INT64_MAX)
        rules_us = later(rules_us, silence->heard_s * US_PER_SECOND) + patience_us;
    if (guarantee_us != INT64_MAX)
        guarantee_us = later(guarantee_us, backlog_until(silence));
    if (guarantee_us != INT64_MAX && silence->interval_s > LONG_INTERVAL_S)
        guarantee_us = later(guarantee_us, mute_at(silence, settings));
    return sooner(rules_us, guarantee_us);
}

struct silence_verdict silence_due(struct silence *silence, const struct silence_settings *settings,
                                   int64_t now_us)
{
    struct silence_verdict verdict = {.odd = 0};
    stand(silence, settings, &verdict);
    if (now_us < silence_due_at(silence, settings))
        return verdict;
    if (mute_at(silence, settings) <= now_us)
        verdict.flags |= SILENCE_NOT_REPORTING;
    judge(silence, settings, now_us, &verdict);
    return verdict;
}

/* --- names ------------------------------------------------------------------------------------ */

static const char *const rule_names[SILENCE_RULE_COUNT] = {"learned", "fixed",      "guarantee",
                                                           "daily",   "continuous", "tap"};
static const char *const odd_names[SILENCE_ODD_COUNT] = {
    "doubled",     "late",    "clock_wrong", "reset", "replaced",
    "rolled_over", "reverse", "implausible", "gap",   "coarse"};
static const char *const reason_names[SILENCE_REASON_COUNT] = {"absence", "outside", "maintenance",
                                                               "mains_outage"};

/* The name of the one bit set in `bits`, of `count` names. */
static const char *bit_name(const char *const *names, int count, unsigned bits)
{
    for (int i = 0; i < count; i++)
        if (bits == 1U << i)
            return names[i];
    return "";
}

const char *silence_rule_name(enum silence_rule rule)
{
    return bit_name(rule_names, SILENCE_RULE_COUNT, (unsigned)rule);
}

const char *silence_odd_name(enum silence_odd odd)
{
    return bit_name(odd_names, SILENCE_ODD_COUNT, (unsigned)odd);
}

const char *silence_reason_name(enum silence_reason reason)
{
    return bit_name(reason_names, SILENCE_REASON_COUNT, (unsigned)reason);
}

/* --- outcomes and the ticket's detail ----------------------------------------------------------- */

void silence_outcome(struct silence *silence, enum silence_outcome outcome)
{
    bool is_false = outcome == SILENCE_OUTCOME_OK_AT_HOME || outcome == SILENCE_OUTCOME_AWAY;
    if (is_false && silence->false_count < UINT16_MAX)
        silence->false_count++;
    if (outcome == SILENCE_OUTCOME_NEEDED_HELP && silence->true_count < UINT16_MAX)
        silence->true_count++;
    if (outcome == SILENCE_OUTCOME_OK_AT_HOME)
        silence->bias += BIAS_FALSE * (BIAS_MOST - silence->bias) / BIAS_MOST;
    if (outcome == SILENCE_OUTCOME_NEEDED_HELP)
        silence->bias -= BIAS_TRUE * (BIAS_MOST + silence->bias) / BIAS_MOST;
}

uint32_t silence_reasons(const struct silence *silence)
{
    return silence->reasons & SILENCE_REASONS;
}

void silence_habits(const struct silence *silence, float weekday[24], float weekend[24])
{
    const int32_t saturday = 2 * 24; /* 1970 began on a Thursday */
    for (int32_t hour = 0; hour < 24; hour++) {
        weekday[hour] = silence_learned_chance(silence, hour);
        weekend[hour] = silence_learned_chance(silence, saturday + hour);
    }
}

static float actual_litres(const struct silence *silence, const struct silence_settings *settings,
                           int32_t hour)
{
    int64_t started_us = silence->started_s * US_PER_SECOND;
    if (silence->seen_us == 0 || hour > silence->ring_hour ||
        hour < silence_learned_hour(settings, started_us) || hour <= silence->ring_hour - 24)
        return -1;
    return hour == silence->ring_hour ? silence->ring_open : silence->ring[hour % 24];
}

void silence_describe(const struct silence *silence, const struct silence_settings *settings,
                      int64_t now_us, struct silence_detail *detail)
{
    int32_t hour = silence_learned_hour(settings, now_us);
    int64_t mute_us = ((int64_t)silence->heard_s + silence->interval_s) * US_PER_SECOND;
    memset(detail, 0, sizeof(*detail));
    detail->rules = silence->open;
    detail->reasons = silence->reasons & SILENCE_REASONS;
    detail->flags = (mute_us + settings->grace_us <= now_us ? SILENCE_NOT_REPORTING : 0) |
                    (silence->coarse >= SILENCE_COARSE_USES ? SILENCE_COARSE : 0);
    detail->since_us = silence->quiet_us;
    detail->known_us = silence->seen_us;
    detail->last_use_us = silence->last_use_s * US_PER_SECOND;
    detail->last_use_ml = silence->last_use_ml;
    detail->usual_chance = silence_learned_chance(silence, hour);
    detail->quiet_hours = (float)(now_us - silence->quiet_us) / (float)US_PER_HOUR;
    detail->effective_hours = (float)silence_learned_effective(silence, settings, now_us);
    detail->theta_hours = (float)silence_learned_threshold(silence, settings);
    detail->bias_hours = silence->bias;
    for (int32_t i = 0; i < 24; i++) {
        detail->expected[i] = silence_learned_chance(silence, hour - 23 + i);
        detail->actual_l[i] = actual_litres(silence, settings, hour - 23 + i);
    }
    detail->false_count = silence->false_count;
    detail->true_count = silence->true_count;
}
