#include "daemon/core/silence_learned.h"

#include "daemon/base/instant.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Shape of the model; docs/DETECTOR.md says where each comes from. */
#define SATURATION 4.0 /* uses missed at which lambda's weight has halved */
#define SATURATION_HOURS 10.0
#define HOUR_FALL 0.9048374180359595 /* exp(-1 / SATURATION_HOURS) */
#define WEIGHT_UNIT 1800.0           /* of silence.weight: one hour */
#define WEIGHT_START 5.0             /* hours of the population's profile in a new home's */
#define WEIGHT_FULL 30.0             /* hours after which an old one counts no more */
#define CHANCE_LEAST 0.003
#define CHANCE_MOST 0.97
#define LIVELY_HOURS 24.0
#define FREEZE_HOURS 24.0   /* longer silences are absences: nothing is learned from them */
#define LEARN_HOURS 26.0    /* nor from reports that cover more than this */
#define CUT_HOURS 48.0      /* longer reports are not cut at clock hours */
#define OPEN_HOUR_LEAST 0.3 /* share of a clock hour that must be seen to learn from it */
#define TAIL_HOURS 15.0     /* silences beyond this shape the threshold */
#define TAIL_SCALE 3.0
#define TAIL_PRIOR 40.0 /* such silences a year in the population, worth one year */
#define TAIL_MEMORY_HOURS (90.0 * 24.0)
#define THETA_LEAST 9.0
#define THETA_MOST 36.0
#define BIAS_MEMORY_HOURS (180.0 * 24.0 / 0.6931471805599453)
#define LEAK_MARGIN 1.25
#define LEAK_RISE_HOURS 48.0
#define HOURS_PER_YEAR 8760.0
#define PIECES 50

/* The chance of a use by clock hour in the population (development homes). */
static const double population[24] = {
    .486, .330, .217, .152, .137, .177, .341, .571, .613, .615, .605, .580,
    .582, .580, .617, .630, .593, .607, .622, .626, .678, .720, .713, .625,
};

/* The part of a report that lies in one clock hour. */
struct piece {
    int32_t hour;
    double share;  /* hours */
    double hazard; /* an hour */
    double blame;  /* that the report's use was in this part */
};

static double hours_between(int64_t from_us, int64_t to_us)
{
    return (double)(to_us - from_us) * (1.0 / (double)US_PER_HOUR);
}

int32_t silence_learned_hour(const struct silence_settings *settings, int64_t at_us)
{
    return (int32_t)((at_us + settings->offset_s * US_PER_SECOND) / US_PER_HOUR);
}

static int64_t hour_end(const struct silence_settings *settings, int32_t hour)
{
    return (hour + 1) * US_PER_HOUR - settings->offset_s * US_PER_SECOND;
}

/* 1970 began on a Thursday. */
static int day_kind(int32_t hour)
{
    return (hour / 24 + 3) % 7 >= 5;
}

static double hazard(const struct silence *silence, int32_t hour)
{
    return (double)silence->hazard[day_kind(hour)][hour % 24];
}

float silence_learned_chance(const struct silence *silence, int32_t hour)
{
    return (float)(1 - exp(-hazard(silence, hour)));
}

static int64_t later(int64_t a_us, int64_t b_us)
{
    return a_us > b_us ? a_us : b_us;
}

static double least_of(double a, double b)
{
    return a < b ? a : b;
}

static double clamp(double value, double least, double most)
{
    return value < least ? least : value > most ? most : value;
}

/* Silences beyond TAIL_HOURS come as rate an hour of life and with exponential lengths: solve for the
 * length that `target_per_year` of them exceed. */
static float tail_threshold(const struct silence *silence, double target_per_year)
{
    double count = (double)silence->tail_count + TAIL_PRIOR;
    double scale = ((double)silence->tail_sum + TAIL_PRIOR * TAIL_SCALE) / count;
    double per_year = count / ((double)silence->tail_years + 1.0);
    return (float)clamp(TAIL_HOURS + scale * log(per_year / target_per_year), THETA_LEAST,
                        THETA_MOST);
}

void silence_learned_init(struct silence *silence, const struct silence_settings *settings)
{
    for (int kind = 0; kind < 2; kind++) {
        for (int hour = 0; hour < 24; hour++) {
            silence->hazard[kind][hour] = (float)-log(1 - population[hour]);
            silence->weight[kind][hour] = (uint16_t)(WEIGHT_START * WEIGHT_UNIT);
        }
    }
    silence->actual = silence->expected = 6.0F;
    silence->activity = 1.0F;
    silence->peak = -1.0F;
    silence->theta = tail_threshold(silence, (double)settings->target_per_year);
}

void silence_learned_start(struct silence *silence, const struct silence_settings *settings,
                           int64_t at_us)
{
    silence->hour = silence->ring_hour = silence_learned_hour(settings, at_us);
}

/* Cuts (from, at] at the clock hours; at most CUT_HOURS long. Returns the number of pieces. */
static int cut(const struct silence *silence, const struct silence_settings *settings,
               const struct silence_report *report, struct piece *pieces)
{
    int count = 0;
    int32_t hour = silence_learned_hour(settings, report->from_us);
    for (int64_t at = report->from_us; at < report->at_us; hour++) {
        int64_t end = hour_end(settings, hour);
        end = end < report->at_us ? end : report->at_us;
        assert(count < PIECES);
        pieces[count++] = (struct piece){
            .hour = hour, .share = hours_between(at, end), .hazard = hazard(silence, hour)};
        at = end;
    }
    return count;
}

/* Uses to be expected in (from, to], as lambda counts them. */
static double missed(const struct silence *silence, const struct silence_settings *settings,
                     int64_t from_us, int64_t to_us)
{
    double sum = 0;
    int32_t hour = silence_learned_hour(settings, from_us);
    int64_t most_us = from_us + (int64_t)(CUT_HOURS * US_PER_HOUR); /* beyond, T alone decides */
    to_us = to_us < most_us ? to_us : most_us;
    for (int64_t at = from_us; at < to_us; hour++) {
        int64_t end = hour_end(settings, hour);
        end = end < to_us ? end : to_us;
        sum += hours_between(at, end) * hazard(silence, hour);
        at = end;
    }
    return sum;
}

/* Books the report into the ring of clock hours. */
static void ring_turn(struct silence *silence, const struct silence_settings *settings,
                      const struct silence_report *report, double hours)
{
    int32_t hour = silence_learned_hour(settings, report->at_us - 1);
    double filler = report->litres * 1000 < settings->use_ml ? 0 : report->litres / hours;
    if (hour == silence->ring_hour)
        return;
    silence->ring[silence->ring_hour % 24] = silence->ring_open;
    silence->ring_open = 0;
    for (int32_t gap = silence->ring_hour + 1; gap < hour && gap <= silence->ring_hour + 24; gap++)
        silence->ring[gap % 24] = (float)filler;
    silence->ring_hour = hour;
}

/* The leak floor in L/h: the least that ran in any three hours of the last 24, falling at once and
 * rising over two days. */
static void leak_follow(struct silence *silence, double hours)
{
    const float *ring = silence->ring;
    float least = INFINITY;
    for (int hour = 2; hour < 24; hour++) {
        float three = ring[hour - 2] + ring[hour - 1] + ring[hour];
        least = three < least ? three : least;
    }
    float over_end[2] = {ring[22] + ring[23] + ring[0], ring[23] + ring[0] + ring[1]};
    for (int i = 0; i < 2; i++)
        least = over_end[i] < least ? over_end[i] : least;
    least /= 3.0F;
    if (least < silence->leak)
        silence->leak = least;
    else
        silence->leak +=
            (float)((double)(least - silence->leak) * least_of(hours / LEAK_RISE_HOURS, 1));
}

static void open_hour(struct silence *silence, int32_t hour)
{
    silence->hour = hour;
    silence->observed = silence->used = 0;
}

/* A clock hour is over: moves its chance of a use towards what was seen. */
static void close_hour(struct silence *silence)
{
    int kind = day_kind(silence->hour), hour = silence->hour % 24;
    double observed = (double)silence->observed;
    if (observed <= OPEN_HOUR_LEAST)
        return;
    double weight = least_of(silence->weight[kind][hour] / WEIGHT_UNIT + observed, WEIGHT_FULL);
    double chance = 1 - exp(-(double)silence->hazard[kind][hour]);
    chance += observed / weight * ((double)silence->used - chance);
    silence->weight[kind][hour] = (uint16_t)(weight * WEIGHT_UNIT + 0.5);
    silence->hazard[kind][hour] = (float)-log(1 - clamp(chance, CHANCE_LEAST, CHANCE_MOST));
}

/* Learns how lively the home is from a report of `hours` in `count` pieces. A use could have been in
 * any of them: each gets its part of the blame, in proportion to its chance. */
static void learn_lively(struct silence *silence, struct piece *pieces, int count, double hours,
                         bool use)
{
    double none = 1, usual = 0, blamed = 0, fade = exp(-hours / LIVELY_HOURS);
    for (int i = 0; i < count; i++) {
        double miss = use ? exp(-pieces[i].share * pieces[i].hazard) : 1;
        pieces[i].blame = 1 - miss;
        none *= miss;
        usual += pieces[i].share * (1 - exp(-pieces[i].hazard));
    }
    double any = clamp(1 - none, 1e-6, 1);
    for (int i = 0; i < count; i++) {
        pieces[i].blame = least_of(pieces[i].blame / any, 1);
        blamed += pieces[i].blame;
    }
    silence->actual = (float)((double)silence->actual * fade + blamed);
    silence->expected = (float)((double)silence->expected * fade + usual);
}

static void learn_hours(struct silence *silence, const struct piece *pieces, int count)
{
    for (int i = 0; i < count; i++) {
        if (pieces[i].hour != silence->hour) {
            close_hour(silence);
            open_hour(silence, pieces[i].hour);
        }
        silence->observed += (float)pieces[i].share;
        silence->used = (float)(1 - (1 - (double)silence->used) * (1 - pieces[i].blame));
    }
}

static void fade_memory(struct silence *silence, double hours)
{
    double fade = exp(-hours / TAIL_MEMORY_HOURS);
    silence->tail_count = (float)((double)silence->tail_count * fade);
    silence->tail_sum = (float)((double)silence->tail_sum * fade);
    silence->tail_years = (float)((double)silence->tail_years * fade + hours / HOURS_PER_YEAR);
    if (silence->bias != 0)
        silence->bias *= (float)exp(-hours / BIAS_MEMORY_HOURS);
}

/* A silence has ended: what it tells of the home's long silences, and a new one. */
static void end_silence(struct silence *silence, const struct silence_settings *settings,
                        int64_t at_us)
{
    double peak = (double)silence->peak;
    if (at_us <= silence->quiet_us)
        return; /* a sign of life came after this use */
    if (peak > TAIL_HOURS && hours_between(silence->quiet_us, at_us) < FREEZE_HOURS) {
        silence->tail_count += 1;
        silence->tail_sum += (float)(peak - TAIL_HOURS);
    }
    silence->theta = tail_threshold(silence, (double)settings->target_per_year);
    silence->activity = (silence->actual + 1) / (silence->expected + 1);
    silence->quiet_us = at_us;
    silence->counted_us = at_us;
    silence->lambda = 0;
    silence->peak = -1;
}

/* Nothing was used in the report: the silence is longer. */
static void lengthen(struct silence *silence, const struct silence_settings *settings,
                     const struct silence_report *report, const struct piece *pieces, int count)
{
    double lambda = (double)silence->lambda;
    if (silence->counted_us == report->from_us)
        for (int i = 0; i < count; i++)
            lambda += pieces[i].share * pieces[i].hazard;
    else
        lambda += missed(silence, settings, silence->counted_us, report->at_us);
    silence->lambda = (float)lambda;
    silence->counted_us = later(silence->counted_us, report->at_us);
    silence->peak = (float)silence_learned_effective(silence, settings, silence->counted_us);
}

bool silence_learned_report(struct silence *silence, const struct silence_settings *settings,
                            const struct silence_report *report)
{
    struct piece pieces[PIECES];
    double hours = hours_between(silence->seen_us, report->at_us), litres = report->litres;
    double quiet_hours = hours_between(silence->quiet_us, report->at_us);
    int count = hours <= CUT_HOURS ? cut(silence, settings, report, pieces) : 0;
    ring_turn(silence, settings, report, hours);
    if (settings->leak_floor) {
        leak_follow(silence, hours);
        litres -= LEAK_MARGIN * (double)silence->leak * hours;
    }
    silence->ring_open += (float)report->litres;
    bool use = litres * 1000 >= settings->use_ml;
    if (!use)
        lengthen(silence, settings, report, pieces, count);

    bool away = quiet_hours > FREEZE_HOURS + (use ? hours : 0);
    bool learns = hours <= LEARN_HOURS && (use || !away) && silence->reasons == 0;
    if (learns)
        learn_lively(silence, pieces, count, hours, use);
    if (learns && !away)
        learn_hours(silence, pieces, count);
    else
        open_hour(silence, silence_learned_hour(settings, report->at_us));
    if (silence->reasons == 0)
        fade_memory(silence, hours);
    else if (use)
        silence->peak = -1; /* an explained silence says nothing of this home's habits */
    if (use)
        end_silence(silence, settings, report->at_us);
    return use;
}

void silence_learned_restart(struct silence *silence, const struct silence_settings *settings,
                             int64_t at_us)
{
    if (silence->reasons == 0)
        silence->peak = (float)silence_learned_effective(silence, settings, at_us);
    else
        silence->peak = -1;
    end_silence(silence, settings, at_us);
    silence->lambda = (float)missed(silence, settings, at_us, silence->seen_us);
    silence->counted_us = later(at_us, silence->seen_us);
}

void silence_learned_pause(struct silence *silence, const struct silence_settings *settings,
                           int64_t from_us, int64_t to_us)
{
    double lambda = missed(silence, settings, silence->quiet_us, from_us);
    lambda += missed(silence, settings, to_us, silence->seen_us);
    silence->quiet_us = to_us - later(from_us - silence->quiet_us, 0);
    silence->lambda = (float)lambda;
    silence->counted_us = later(to_us, silence->seen_us);
}

static double effective(const struct silence *silence, double quiet_hours, double lambda)
{
    if (lambda == 0)
        return quiet_hours;
    return quiet_hours +
           SATURATION_HOURS * log(1 + (double)silence->activity * lambda / SATURATION);
}

double silence_learned_effective(const struct silence *silence,
                                 const struct silence_settings *settings, int64_t at_us)
{
    double lambda =
        at_us < silence->counted_us
            ? missed(silence, settings, silence->quiet_us, at_us)
            : (double)silence->lambda + missed(silence, settings, silence->counted_us, at_us);
    return effective(silence, hours_between(silence->quiet_us, at_us), lambda);
}

double silence_learned_threshold(const struct silence *silence,
                                 const struct silence_settings *settings)
{
    double bias = (double)silence->bias;
    if (settings->theta_hours > 0)
        return (double)settings->theta_hours + bias;
    return clamp((double)silence->theta + bias, THETA_LEAST, THETA_MOST);
}

/* Where in a clock hour E passes theta: E is continuous, rises and bends down in it, so that Newton's
 * steps from its start approach the root from below. */
static double crossing(const struct silence *silence, double quiet_hours, double lambda,
                       double hazard_here, double theta)
{
    double activity = (double)silence->activity, share = 0;
    for (int step = 0; step < 12; step++) {
        double sum = lambda + share * hazard_here;
        double slope =
            1 + SATURATION_HOURS * activity * hazard_here / (SATURATION + activity * sum);
        double move = (theta - effective(silence, quiet_hours + share, sum)) / slope;
        share += move;
        if (fabs(move) < 1e-8)
            break;
    }
    return share;
}

int64_t silence_learned_deadline(const struct silence *silence,
                                 const struct silence_settings *settings)
{
    /* E > theta where 1 + a * lambda / 4 > exp((theta - T) / 10): no logarithm an hour. */
    double theta = silence_learned_threshold(silence, settings);
    double lambda = (double)silence->lambda, scale = (double)silence->activity / SATURATION;
    int64_t at = silence->counted_us;
    int32_t hour = silence_learned_hour(settings, at);
    double quiet_hours = hours_between(silence->quiet_us, at);
    double limit = exp((theta - quiet_hours) / SATURATION_HOURS);
    if (1 + scale * lambda > limit)
        return at;
    double share = hours_between(at, hour_end(settings, hour));
    double fall = exp(-share / SATURATION_HOURS), rate = hazard(silence, hour);
    const float *day = silence->hazard[day_kind(hour)];
    for (int clock = hour % 24; 1 + scale * (lambda + share * rate) <= limit * fall;) {
        limit *= fall;
        lambda += share * rate;
        quiet_hours += share;
        hour++;
        if (++clock == 24) {
            clock = 0;
            day = silence->hazard[day_kind(hour)];
        }
        share = 1;
        fall = HOUR_FALL;
        rate = (double)day[clock];
    }
    quiet_hours += crossing(silence, quiet_hours, lambda, rate, theta);
    return silence->quiet_us + (int64_t)(quiet_hours * (double)US_PER_HOUR) + 1;
}
