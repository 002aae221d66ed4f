/*
 * sim: runs the seeds given as arguments, or those of a file, or N new ones.
 *
 *     sim SEED …            sim --file seeds.txt           sim --new N
 *     sim --year METERS DAYS SEED        the water meters' year (year.h)
 *
 * TAP on standard output. Each seed is run twice; both runs must log the same lines.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sim/world.h"
#include "tests/sim/year.h"

#define TURNS 6000
#define TURNS_TO_FINISH 60000
#define AGAIN_MIN 20 /* so many tell whether repetitions are known */

struct totals {
    int tests, failed, presses, acknowledged, crashes, resets, parked, early, crashes_early;
    int again, twice; /* accepted once more during a replay; and stored so, too */
};

static void finish(struct world *world)
{
    int turns = 0;

    world->calm = true;
    for (;;) {
        struct gateway_figures figures = gateway_figures(world->gateway);

        if (!world->starting && players_done(world) && figures.alarms_waiting == 0 &&
            !figures.alarms_spilled && figures.replies_waiting == 0)
            return;
        world_require(world, ++turns < TURNS_TO_FINISH, "it does not come to rest");
        world_turn(world);
    }
}

static void check(struct world *world, struct totals *totals)
{
    for (int i = 0; i < world->press_count; i++) {
        const struct press *press = &world->presses[i];

        world_note(world, "press %d of %s: stored %d parked %d", i,
                   world->players[press->device].identity, press->stored, press->parked);
        world_require(world, press->acknowledged, "a press was never acknowledged");
        world_require(world, press->stored > 0 || press->parked, "an acknowledged press is lost");
        /* A record may be committed before it is durable; when a crash takes it, the device repeats
         * itself under a new number, and the database knows it by its message id. So it does where
         * the first of two is no longer replayed, or no longer remembered, and the other is: rarely. */
        world_require(world, press->stored <= 1 + press->lost + press->again,
                      "a press is stored under two numbers");
        totals->again += press->again;
        if (press->stored > 1 + press->lost)
            totals->twice += press->stored - 1 - press->lost;
        world_require(world, press->parked == press->poisoned, "parked is not what was poisoned");
        totals->acknowledged += press->acknowledged;
        totals->parked += press->parked;
    }
    totals->presses += world->press_count;
    totals->crashes += world->crashes;
    totals->resets += world->resets;
    totals->early += world->early;
    totals->crashes_early += world->crashes_early;
}

static uint64_t run(struct world *world, uint64_t seed, struct totals *totals)
{
    uint64_t hash;

    world_init(world, seed);
    for (int turn = 0; turn < TURNS; turn++) {
        world_turn(world);
        if (world_chance(world, world->starting ? 40 : 400))
            world_crash(world);
    }
    finish(world);
    check(world, totals);
    hash = world->log_hash;
    world_fini(world);
    return hash;
}

static void run_twice(uint64_t seed, struct totals *totals)
{
    struct world *world = malloc(sizeof(*world));
    uint64_t first = run(world, seed, totals), second = run(world, seed, totals);

    printf("%s %d - seed %llu\n", first == second ? "ok" : "not ok", ++totals->tests,
           (unsigned long long)seed);
    totals->failed += first != second;
    free(world);
}

static void run_file(const char *path, struct totals *totals)
{
    FILE *file = fopen(path, "r");
    char line[64];

    if (!file) {
        perror(path);
        exit(2);
    }
    while (fgets(line, sizeof(line), file))
        if (line[0] >= '0' && line[0] <= '9')
            run_twice(strtoull(line, NULL, 10), totals);
    fclose(file);
}

static void run_year(char **arguments, struct totals *totals)
{
    int meters = (int)strtol(arguments[0], NULL, 10), days = (int)strtol(arguments[1], NULL, 10);
    uint64_t seed = strtoull(arguments[2], NULL, 10);
    bool ok = year_survives_crashes(meters, days, seed);

    printf("%s %d - %d meters for %d days decide the same with crashes, seed %llu\n",
           ok ? "ok" : "not ok", ++totals->tests, meters, days, (unsigned long long)seed);
    totals->failed += !ok;
}

int main(int argc, char **argv)
{
    struct totals totals = {0};

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--file") == 0 && i + 1 < argc) {
            run_file(argv[++i], &totals);
        } else if (strcmp(argv[i], "--new") == 0 && i + 1 < argc) {
            uint64_t seed = (uint64_t)time(NULL) * 1000;

            for (long n = strtol(argv[++i], NULL, 10); n > 0; n--)
                run_twice(seed++, &totals);
        } else if (strcmp(argv[i], "--year") == 0 && i + 3 < argc) {
            run_year(argv + i + 1, &totals);
            i += 3;
        } else {
            run_twice(strtoull(argv[i], NULL, 10), &totals);
        }
    }
    printf("1..%d\n", totals.tests);
    if (totals.presses == 0) /* a year of meters alone */
        return totals.failed > 0;
    printf("# %d presses, %d acknowledged, %d parked, %d crashes, %d connections reset\n",
           totals.presses, totals.acknowledged, totals.parked, totals.crashes, totals.resets);
    printf("# while the journal was replayed: %d accepted, %d of them again, %d crashes\n",
           totals.early, totals.again, totals.crashes_early);
    if (totals.again >= AGAIN_MIN && 4 * totals.twice > totals.again) {
        printf("%d of these are stored twice: the replay does not know them\n", totals.twice);
        return 1;
    }
    return totals.failed > 0;
}
