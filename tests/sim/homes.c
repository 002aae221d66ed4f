#include "tests/sim/homes.h"

#include <string.h>

#define NEW_METER_L 3

static int between(struct random *random, int least, int most)
{
    return least + (int)random_below(random, (uint64_t)(most - least + 1));
}

/* Chances by hours since rising: meals and washing around the ends of the day, less between. */
static uint8_t awake_chance(struct random *random, int since, int until, int habit)
{
    int peak = since < 3 || until <= 3 || (since >= 5 && since <= 6) ? 200 : 110;
    int chance = peak * habit / 100 + between(random, -25, 25);

    return (uint8_t)(chance < 20 ? 20 : chance > 250 ? 250 : chance);
}

void home_init(struct home *home, struct random *random)
{
    int rises = between(random, 5, 8), sleeps = between(random, 20, 23);
    int habit = between(random, 50, 120), night = between(random, 4, 70);

    memset(home, 0, sizeof(*home));
    home->total_l = between(random, 0, 900000);
    home->use_l = (int16_t)between(random, 8, 40);
    for (int weekend = 0; weekend < 2; weekend++)
        for (int hour = 0; hour < 24; hour++) {
            int since = hour - rises - weekend, until = sleeps - hour;

            home->chance[weekend][hour] =
                since < 0 || until < 0 ? (uint8_t)night : awake_chance(random, since, until, habit);
        }
}

static bool one_in(struct random *random, uint64_t days)
{
    return random_below(random, days) == 0;
}

bool home_day(struct home *home, struct random *random, int hour)
{
    bool leaves = hour >= home->away_end && one_in(random, 45);

    if (leaves) {
        home->away_end = hour + between(random, 10, 24 * 9);
        home->announced = one_in(random, 3);
    }
    if (hour >= home->leak_end && one_in(random, 150)) {
        home->leak_end = hour + between(random, 20, 24 * 25);
        home->leak_ml = between(random, 200, 6000);
    }
    if (one_in(random, 120)) {
        home->tap_end = hour + between(random, 2, 12);
        home->tap_l = (int16_t)between(random, 50, 500);
    }
    if (one_in(random, 70))
        home->mute_end = hour + between(random, 2, 60);
    if (one_in(random, 900))
        home->total_l = NEW_METER_L;
    return leaves && home->announced;
}

/* One draw: whether there is a use, how large (small ones are the usual), whether the report is lost. */
bool home_hour(struct home *home, struct random *random, int hour)
{
    uint64_t draw = random_next(random);
    bool weekend = hour / 24 % 7 >= 5;

    if (hour >= home->away_end && (draw & 255) < home->chance[weekend][hour % 24])
        home->total_l +=
            1 + (int64_t)((draw >> 8 & 255) * (draw >> 16 & 255)) * home->use_l / 16384;
    if (hour < home->tap_end)
        home->total_l += home->tap_l;
    if (hour < home->leak_end)
        home->milli += home->leak_ml;
    home->total_l += home->milli / 1000;
    home->milli %= 1000;
    return hour >= home->mute_end && (draw >> 32) % 50 != 0;
}
