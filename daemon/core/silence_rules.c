#include "daemon/core/silence_rules.h"

#include "daemon/base/instant.h"

#include <string.h>

#define ML_PER_CL 10
#define FULL_CL UINT16_MAX /* the most a limit can be */
/* Of reports: farther apart they do not tell whether water stopped between them. */
#define APART_MAX_US (3 * US_PER_HOUR)

static uint32_t limit_cl(const struct silence_settings *settings)
{
    uint32_t cl = (uint32_t)(settings->fixed_ml + ML_PER_CL - 1) / ML_PER_CL;
    return cl < FULL_CL ? cl : FULL_CL;
}

static void recent_drop(struct silence *silence, int index)
{
    int rest = --silence->recent_count - index;
    memmove(&silence->recent_s[index], &silence->recent_s[index + 1],
            (size_t)rest * sizeof(silence->recent_s[0]));
    memmove(&silence->recent_cl[index], &silence->recent_cl[index + 1],
            (size_t)rest * sizeof(silence->recent_cl[0]));
}

/* Room for one more: joins the two that lie closest, at the earlier one's time, so that the rule can
 * only fire early by their distance, never late. */
static void recent_join(struct silence *silence)
{
    int at = 0;
    uint32_t least = UINT32_MAX;
    for (int i = 0; i + 1 < silence->recent_count; i++) {
        uint32_t distance = silence->recent_s[i + 1] - silence->recent_s[i];
        if (distance < least) {
            least = distance;
            at = i;
        }
    }
    uint32_t sum = (uint32_t)silence->recent_cl[at] + silence->recent_cl[at + 1];
    silence->recent_cl[at] = (uint16_t)(sum < FULL_CL ? sum : FULL_CL);
    recent_drop(silence, at + 1);
}

void silence_rules_report(struct silence *silence, const struct silence_settings *settings,
                          int64_t at_us, int64_t volume_ml)
{
    int64_t volume_cl = volume_ml / ML_PER_CL;
    uint32_t at_s = (uint32_t)(at_us / US_PER_SECOND);
    int newest = silence->recent_count - 1;
    if (volume_cl == 0 || silence->recent_s[newest] > at_s)
        return; /* nothing, or before a sign of life */
    if (volume_cl > FULL_CL)
        volume_cl = FULL_CL;
    uint32_t sum = (uint32_t)volume_cl;
    int keep = silence->recent_count;
    while (keep > 0 && sum < limit_cl(settings))
        sum += silence->recent_cl[--keep];
    while (keep-- > 0)
        recent_drop(silence, 0);
    if (silence->recent_count == SILENCE_RECENT)
        recent_join(silence);
    silence->recent_s[silence->recent_count] = at_s;
    silence->recent_cl[silence->recent_count] = (uint16_t)volume_cl;
    silence->recent_count++;
}

void silence_rules_restart(struct silence *silence, int64_t at_us)
{
    uint32_t at_s = (uint32_t)(at_us / US_PER_SECOND);
    if (silence->recent_count > 0 && silence->recent_s[0] > at_s)
        return; /* the limit has run since */
    while (silence->recent_count > 1 && silence->recent_s[1] <= at_s)
        recent_drop(silence, 0);
    if (silence->recent_count == 0)
        silence->recent_count = 1;
    silence->recent_s[0] = at_s;
    silence->recent_cl[0] = FULL_CL;
}

void silence_rules_pause(struct silence *silence, int64_t from_us, int64_t to_us)
{
    uint32_t from_s = (uint32_t)(from_us / US_PER_SECOND);
    uint32_t to_s = (uint32_t)(to_us / US_PER_SECOND);
    for (int i = 0; i < silence->recent_count; i++) {
        if (silence->recent_s[i] <= from_s)
            silence->recent_s[i] += to_s - from_s;
        else if (silence->recent_s[i] < to_s)
            silence->recent_s[i] = to_s;
    }
}

int64_t silence_rules_dry_at(const struct silence *silence, const struct silence_settings *settings)
{
    return silence->recent_s[0] * US_PER_SECOND + settings->fixed_window_us;
}

/* Raises or ends one rule of running water. */
static void running_set(struct silence *silence, const struct silence_settings *settings,
                        uint32_t rule, bool runs, struct silence_verdict *verdict)
{
    uint32_t was = silence->open & rule, is = runs ? rule & settings->rules : 0;
    verdict->raised |= is & ~was;
    verdict->ended |= was & ~is;
    silence->open = (uint8_t)((silence->open & ~rule) | is);
}

/* Volume since local midnight; a report that spans it brings the share that came after. */
static int64_t running_daily(struct silence *silence, const struct silence_settings *settings,
                             const struct silence_report *report, int64_t volume_ml)
{
    int64_t local_us = report->at_us + settings->offset_s * US_PER_SECOND;
    int64_t midnight_us = report->at_us - 1 - (local_us - 1) % US_PER_DAY;
    double volume_cl = (double)volume_ml / ML_PER_CL;
    if (report->from_us < midnight_us) {
        silence->day_cl = 0;
        volume_cl *=
            (double)(report->at_us - midnight_us) / (double)(report->at_us - report->from_us);
    }
    silence->day_cl += (uint32_t)(volume_cl + 0.5);
    return (int64_t)silence->day_cl * ML_PER_CL;
}

void silence_rules_running(struct silence *silence, const struct silence_settings *settings,
                           const struct silence_report *report, int64_t apart_us, int64_t volume_ml,
                           struct silence_verdict *verdict)
{
    static const uint32_t rules[2] = {SILENCE_CONTINUOUS, SILENCE_TAP};
    int64_t day_ml = running_daily(silence, settings, report, volume_ml);
    running_set(silence, settings, SILENCE_DAILY, day_ml > settings->daily_ml, verdict);

    double span_us = (double)(report->at_us - report->from_us);
    for (int i = 0; i < 2; i++) {
        bool may_have_stopped = apart_us > APART_MAX_US && !(silence->open & rules[i]);

        if (may_have_stopped ||
            (double)volume_ml * US_PER_HOUR < settings->run_ml_per_hour[i] * span_us)
            silence->run_s[i] = 0;
        else if (silence->run_s[i] == 0)
            silence->run_s[i] = (uint32_t)(report->from_us / US_PER_SECOND);
        bool runs = silence->run_s[i] != 0 &&
                    report->at_us - silence->run_s[i] * US_PER_SECOND >= settings->run_window_us[i];
        running_set(silence, settings, rules[i], runs, verdict);
    }
}
