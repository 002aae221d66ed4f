/*
 * How long after an incident the alarm would have come: a distribution of hours in which every home
 * weighs the same. A home's silences are entered one by one; for each the incident is equally likely
 * at any of its moments, which needs no random numbers.
 */
#ifndef ONEKEY_SIM_DELAYS_H
#define ONEKEY_SIM_DELAYS_H

#define DELAY_BINS_PER_HOUR 60
#define DELAY_HOURS_MOST 96
#define DELAY_BINS (DELAY_HOURS_MOST * DELAY_BINS_PER_HOUR)

struct delays {
    double weight[DELAY_BINS + 1]; /* the last: never within DELAY_HOURS_MOST */
    double home[DELAY_BINS + 1];
    double home_weight, sum_home, sum, total;
};

/* An incident at any moment of a silence of `length` hours; the alarm comes `alarm` hours after the
 * silence began (0 or less: a ticket was open already). */
void delays_silence(struct delays *delays, double length, double alarm);
/* One incident whose delay is known. */
void delays_incident(struct delays *delays, double delay, double weight);
/* All silences of one home are entered. */
void delays_home_done(struct delays *delays);
/* The delay that a share of the incidents stays within; NaN without incidents. */
double delays_quantile(const struct delays *delays, double share);
double delays_mean(const struct delays *delays);

#endif
