#include "daemon/core/silence_learned.h"

#include "daemon/base/instant.h"
#include "daemon/core/silence_math.h"

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
#define RING 24

/* By clock hour in the population (development homes), -ln(1 - chance of a use) for the chances
 * .486 .330 .217 .152 .137 .177 .341 .571 .613 .615 .605 .580
 * .582 .580 .617 .630 .593 .607 .622 .626 .678 .720 .713 .625. */
static const float population[24] = {
    0.665532F,   0.40047756F, 0.24462259F, 0.16487464F, 0.14734058F, 0.19479908F,
    0.41703174F, 0.84629834F, 0.94933057F, 0.95451194F, 0.9288695F,  0.86750054F,
    0.87227386F, 0.86750054F, 0.9597203F,  0.99425226F, 0.8989421F,  0.93394566F,
    0.9728611F,  0.98349947F, 1.1332037F,  1.2729657F,  1.248273F,   0.98082924F,
};

/* The part of a report that lies in one clock hour. */
struct piece {
    int32_t hour;
    double share;  /* hours */
    double hazard; /* an hour */
    double miss;   /* the chance that the clock hour has no use */
    double blame;  /* that the report's use was in this part */
};

/* A clock hour and its place in the profile. */
struct clock {
    int32_t hour;
    int of_day;
    const float *day;
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

/* 1970 began on a Thursday, the week on Monday. */
static int hour_of_week(int32_t hour)
{
    return (hour + 3 * 24) % (7 * 24);
}

/* 0: Monday to Friday, 1: the weekend. */
static int day_kind(int of_week)
{
    return of_week >= 5 * 24;
}

static struct clock clock_at(const struct silence *silence, int32_t hour)
{
    int of_week = hour_of_week(hour);
    return (struct clock){hour, of_week % 24, silence->hazard[day_kind(of_week)]};
}

static void clock_next(const struct silence *silence, struct clock *clock)
{
    clock->hour++;
    if (++clock->of_day == 24)
        *clock = clock_at(silence, clock->hour);
}

static double hazard(const struct clock *clock)
{
    return (double)clock->day[clock->of_day];
}

float silence_learned_chance(const struct silence *silence, int32_t hour)
{
    struct clock clock = clock_at(silence, hour);
    return (float)(1 - exp(-hazard(&clock)));
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
    double excess = count / (((double)silence->tail_years + 1.0) * target_per_year);
    return (float)clamp(TAIL_HOURS + scale * silence_math_log(excess), THETA_LEAST, THETA_MOST);
}

void silence_learned_init(struct silence *silence, const struct silence_settings *settings)
{
    for (int kind = 0; kind < 2; kind++) {
        for (int hour = 0; hour < 24; hour++) {
            silence->hazard[kind][hour] = population[hour];
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
    struct clock clock = clock_at(silence, silence_learned_hour(settings, report->from_us));
    int64_t end = hour_end(settings, clock.hour);
    for (int64_t at = report->from_us; at < report->at_us; end += US_PER_HOUR) {
        struct piece *piece = &pieces[count++];
        int64_t until = end < report->at_us ? end : report->at_us;
        assert(count <= PIECES);
        piece->hour = clock.hour;
        piece->share = hours_between(at, until);
        piece->hazard = hazard(&clock);
        clock_next(silence, &clock);
        at = until;
    }
    return count;
}

/* Uses to be expected in (from, to], as lambda counts them. */
static double missed(const struct silence *silence, const struct silence_settings *settings,
                     int64_t from_us, int64_t to_us)
{
    double sum = 0;
    int64_t most_us = from_us + (int64_t)(CUT_HOURS * US_PER_HOUR); /* beyond, T alone decides */
    to_us = to_us < most_us ? to_us : most_us;
    if (from_us >= to_us)
        return 0;
    struct clock clock = clock_at(silence, silence_learned_hour(settings, from_us));
    int64_t end = hour_end(settings, clock.hour);
    for (int64_t at = from_us; at < to_us; end += US_PER_HOUR) {
        int64_t until = end < to_us ? end : to_us;
        sum += hours_between(at, until) * hazard(&clock);
        clock_next(silence, &clock);
        at = until;
    }
    return sum;
}

/* Books the report into the ring of clock hours. */
static void ring_turn(struct silence *silence, const struct silence_settings *settings,
                      const struct silence_report *report, double hours)
{
    int32_t hour = silence_learned_hour(settings, report->at_us - 1);
    if (hour == silence->ring_hour)
        return;
    silence->ring[silence->ring_hour % RING] = silence->ring_open;
    silence->ring_open = 0;
    double filler = report->litres * 1000 < settings->use_ml ? 0 : report->litres / hours;
    int32_t last = silence->ring_hour + RING;
    for (int32_t gap = silence->ring_hour + 1; gap < hour && gap <= last; gap++)
        silence->ring[gap % RING] = (float)filler;
    silence->ring_hour = hour;
}

/* The least that ran in any three hours of the ring that follow each other. In four lanes, as each
 * step of a single least would wait for the one before. */
static float least_of_three(const float ring[RING])
{
    const float joint[6] = {ring[20], ring[21], ring[22], ring[23], ring[0], ring[1]};
    float least[4];
    for (int lane = 0; lane < 4; lane++)
        least[lane] = joint[lane] + joint[lane + 1] + joint[lane + 2];
    for (int hour = 0; hour < 20; hour += 4) {
        for (int lane = 0; lane < 4; lane++) {
            const float *three = &ring[hour + lane];
            float sum = three[0] + three[1] + three[2];
            least[lane] = sum < least[lane] ? sum : least[lane];
        }
    }
    float even = least[0] < least[2] ? least[0] : least[2];
    float odd = least[1] < least[3] ? least[1] : least[3];
    return even < odd ? even : odd;
}

/* The leak floor in L/h: the least that ran in any three hours of the last 24, falling at once and
 * rising over two days. */
static void leak_follow(struct silence *silence, double hours)
{
    float least = least_of_three(silence->ring) / 3.0F;
    if (least < silence->leak)
        silence->leak = least;
    else
        silence->leak +=
            (float)((double)(least - silence->leak) * least_of(hours * (1 / LEAK_RISE_HOURS), 1));
}

static void open_hour(struct silence *silence, int32_t hour)
{
    silence->hour = hour;
    silence->observed = silence->used = 0;
}

/* A clock hour is over: moves its chance of a use towards what was seen. `hint` is a piece that
 * knows, likely, what the hour's hazard comes to. */
static void close_hour(struct silence *silence, const struct piece *hint)
{
    int of_week = hour_of_week(silence->hour), kind = day_kind(of_week), hour = of_week % 24;
    double observed = (double)silence->observed;
    if (observed <= OPEN_HOUR_LEAST)
        return;
    double weight = silence->weight[kind][hour] * (1 / WEIGHT_UNIT) + observed;
    weight = least_of(weight, WEIGHT_FULL);
    double hazard_here = (double)silence->hazard[kind][hour];
    double chance = 1 - (hint->hazard == hazard_here ? hint->miss : silence_math_exp(-hazard_here));
    chance += observed / weight * ((double)silence->used - chance);
    chance = clamp(chance, CHANCE_LEAST, CHANCE_MOST);
    silence->weight[kind][hour] = (uint16_t)(weight * WEIGHT_UNIT + 0.5);
    silence->hazard[kind][hour] = (float)-silence_math_log(1 - chance);
}

/* Somewhere in these pieces was a use, it could have been in any of them: each gets its part of the
 * blame, in proportion to its chance. Returns their sum. */
static double share_blame(struct piece *pieces, int count)
{
    double none = 1, blamed = 0;
    for (int i = 0; i < count; i++) {
        double miss = silence_math_exp(-pieces[i].share * pieces[i].hazard);
        pieces[i].blame = 1 - miss;
        none *= miss;
    }
    double part = 1 / clamp(1 - none, 1e-6, 1);
    for (int i = 0; i < count; i++) {
        pieces[i].blame = least_of(pieces[i].blame * part, 1);
        blamed += pieces[i].blame;
    }
    return blamed;
}

/* Learns how lively the home is from a report of `hours` in `count` pieces. */
static void learn_lively(struct silence *silence, struct piece *pieces, int count, double hours,
                         bool use)
{
    double usual = 0, blamed = 0, fade = silence_math_exp(-hours * (1 / LIVELY_HOURS));
    for (int i = 0; i < count; i++) {
        pieces[i].blame = 0;
        pieces[i].miss = silence_math_exp(-pieces[i].hazard);
        usual += pieces[i].share * (1 - pieces[i].miss);
    }
    if (use)
        blamed = share_blame(pieces, count);
    silence->actual = (float)((double)silence->actual * fade + blamed);
    silence->expected = (float)((double)silence->expected * fade + usual);
}

static void learn_hours(struct silence *silence, const struct piece *pieces, int count)
{
    for (int i = 0; i < count; i++) {
        if (pieces[i].hour != silence->hour) {
            close_hour(silence, &pieces[i > 0 ? i - 1 : 0]);
            open_hour(silence, pieces[i].hour);
        }
        silence->observed += (float)pieces[i].share;
        silence->used = (float)(1 - (1 - (double)silence->used) * (1 - pieces[i].blame));
    }
}

static void fade_memory(struct silence *silence, double hours)
{
    double aged = hours * (1 / TAIL_MEMORY_HOURS);
    double fade = aged <= 0.1 ? silence_math_exp_small(-aged) : silence_math_exp(-aged);
    silence->tail_count = (float)((double)silence->tail_count * fade);
    silence->tail_sum = (float)((double)silence->tail_sum * fade);
    silence->tail_years =
        (float)((double)silence->tail_years * fade + hours * (1 / HOURS_PER_YEAR));
    if (silence->bias != 0)
        silence->bias *= (float)silence_math_exp(-hours / BIAS_MEMORY_HOURS);
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

/* Nothing was used in the report: the silence is longer. Returns E. */
static double lengthen(struct silence *silence, const struct silence_settings *settings,
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
    double effective_hours = silence_learned_effective(silence, settings, silence->counted_us);
    silence->peak = (float)effective_hours;
    return effective_hours;
}

struct silence_learned silence_learned_report(struct silence *silence,
                                              const struct silence_settings *settings,
                                              const struct silence_report *report)
{
    struct piece pieces[PIECES];
    double hours = hours_between(silence->seen_us, report->at_us), litres = report->litres;
    double quiet_hours = hours_between(silence->quiet_us, report->at_us);
    ring_turn(silence, settings, report, hours);
    int count = hours <= CUT_HOURS ? cut(silence, settings, report, pieces) : 0;
    if (settings->leak_floor) {
        leak_follow(silence, hours);
        litres -= LEAK_MARGIN * (double)silence->leak * hours;
    }
    silence->ring_open += (float)report->litres;
    bool use = litres * 1000 >= settings->use_ml;
    double effective_hours = use ? 0 : lengthen(silence, settings, report, pieces, count);

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
    if (silence->counted_us != report->at_us) /* a sign of life came after it */
        effective_hours = silence_learned_effective(silence, settings, report->at_us);
    return (struct silence_learned){use, effective_hours};
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
           SATURATION_HOURS * silence_math_log(1 + (double)silence->activity * lambda / SATURATION);
}

double silence_learned_effective(const struct silence *silence,
                                 const struct silence_settings *settings, int64_t at_us)
{
    double lambda = (double)silence->lambda;
    if (at_us < silence->counted_us)
        lambda = missed(silence, settings, silence->quiet_us, at_us);
    else
        lambda += missed(silence, settings, silence->counted_us, at_us);
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

/* Where E passes theta: hours after a moment at which 1 + a * lambda / 4 is `sum` and grows by `slope`
 * an hour, and exp((theta - T) / 10) is `limit`; less than an hour. Their difference, expanded and turned
 * into a series of what is lacking (Lagrange), is good to 2e-5 hours after four terms; as it bends down,
 * a step of Newton's then ends below the root, by 2e-11. */
static double crossing(double sum, double slope, double limit)
{
    const double fall = 1 / SATURATION_HOURS;
    double steep = 1 / (limit + slope * SATURATION_HOURS);
    double lack = (limit - sum) * steep, k = limit * steep;
    double third = k * (k * (1.0 / 2) - 1.0 / 6);
    double fourth = k * ((k * (5.0 / 8) - 5.0 / 12) * k + 1.0 / 24);
    double terms = 1 + lack * (k * (1.0 / 2)) + lack * lack * (third + lack * fourth);
    double at = lack * terms * SATURATION_HOURS;
    double here = limit * silence_math_exp_small(-at * fall);
    return at - (sum + at * slope - here) / (slope + here * fall);
}

int64_t silence_learned_deadline(const struct silence *silence,
                                 const struct silence_settings *settings)
{
    /* E > theta where 1 + a * lambda / 4 > exp((theta - T) / 10): no logarithm an hour. */
    double theta = silence_learned_threshold(silence, settings);
    double scale = (double)silence->activity / SATURATION;
    double sum = 1 + scale * (double)silence->lambda;
    int64_t at = silence->counted_us;
    double quiet_hours = hours_between(silence->quiet_us, at);
    double limit = silence_math_exp((theta - quiet_hours) * (1 / SATURATION_HOURS));
    if (sum > limit)
        return at;
    struct clock clock = clock_at(silence, silence_learned_hour(settings, at));
    double share = hours_between(at, hour_end(settings, clock.hour));
    double fall = silence_math_exp_small(-share * (1 / SATURATION_HOURS));
    double slope = scale * hazard(&clock);
    while (sum + share * slope <= limit * fall) {
        sum += share * slope;
        limit *= fall;
        quiet_hours += share;
        clock_next(silence, &clock);
        share = 1;
        fall = HOUR_FALL;
        slope = scale * hazard(&clock);
    }
    quiet_hours += crossing(sum, slope, limit);
    return silence->quiet_us + (int64_t)(quiet_hours * (double)US_PER_HOUR) + 1;
}
