#include "tools/sim/homes.h"

#include "protocol/bytes.h"
#include "protocol/calendar.h"
#include "tools/sim/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool complain(const struct table *table, const char *what, const char *value,
                     const char *remedy)
{
    fprintf(stderr, "onekey-sim: %s:%ld: %s \"%.60s\": %s\n", table->path, table->line, what, value,
            remedy);
    return false;
}

static void *grow(void *list, size_t *limit, size_t size)
{
    *limit = *limit == 0 ? 64 : *limit * 2;
    void *grown = realloc(list, *limit * size);
    if (grown == NULL) {
        fprintf(stderr, "onekey-sim: out of memory\n");
        abort();
    }
    return grown;
}

/* YYYY-MM-DDTHH:MM[:SS], a wall clock without time zone. */
static bool parse_time(const char *text, int64_t *at_us)
{
    char whole[24];
    size_t size = strlen(text);
    if (size != 16 && size != 19)
        return false;
    snprintf(whole, sizeof(whole), "%s%sZ", text, size == 16 ? ":00" : "");
    return calendar_parse_rfc3339(bytes_of(whole), at_us) && *at_us > 0;
}

/* The home of this identity, made if need be; `near` is tried first, since files are sorted. */
static struct home *home_of(struct homes *homes, const char *id, size_t *near)
{
    for (size_t i = 0; i < homes->count; i++) {
        size_t index = (*near + i) % homes->count;
        if (strcmp(homes->list[index].id, id) == 0) {
            *near = index;
            return &homes->list[index];
        }
    }
    if (homes->count == homes->limit)
        homes->list = grow(homes->list, &homes->limit, sizeof(homes->list[0]));
    *near = homes->count++;
    struct home *home = &homes->list[*near];
    *home = (struct home){.rows = NULL};
    snprintf(home->id, sizeof(home->id), "%s", id);
    return home;
}

static bool is_id(const struct table *table, const char *id)
{
    size_t size = strlen(id);
    if (size >= 1 && size <= HOME_ID_LIMIT)
        return true;
    return complain(table, "household_id", id, "give 1 to 31 characters");
}

static bool read_row(struct homes *homes, const struct table *table, bool all_wanted, size_t *near)
{
    const char *id = table->fields[0], *at = table->fields[1], *litres = table->fields[2];
    struct reading_row row;
    if (*id == '\0' && *at == '\0')
        return true; /* an empty line */
    if (!is_id(table, id))
        return false;
    if (!parse_time(at, &row.at_us))
        return complain(table, "timestamp", at, "give local time as 2026-03-01T01:35");
    if (!bytes_parse_fixed(bytes_of(litres), 3, &row.volume_ml) || row.volume_ml < 0)
        return complain(table, "litres_in_interval", litres, "give litres as 12 or 0.5");
    struct home *home = home_of(homes, id, near);
    home->wanted = home->wanted || all_wanted;
    if (!home->wanted)
        return true;
    if (home->count == home->limit)
        home->rows = grow(home->rows, &home->limit, sizeof(home->rows[0]));
    home->rows[home->count++] = row;
    return true;
}

/* Makes the homes known beforehand. */
static bool read_home(struct homes *homes, const struct table *table, size_t *near)
{
    const char *id = table->fields[0], *lived_in = table->fields[1];
    if (*id == '\0' && *lived_in == '\0')
        return true;
    if (strcmp(lived_in, "1") != 0 && strcmp(lived_in, "0") != 0)
        return complain(table, "lived_in", lived_in, "give 1 or 0");
    if (!is_id(table, id))
        return false;
    home_of(homes, id, near)->wanted = *lived_in == '1';
    return true;
}

bool homes_load(struct homes *homes, const char *readings_path, const char *homes_path)
{
    static const char *const home_columns[] = {"household_id", "lived_in", NULL};
    static const char *const row_columns[] = {"household_id", "timestamp", "litres_in_interval",
                                              NULL};
    struct table table;
    size_t near = 0;
    bool good = true;
    *homes = (struct homes){.list = NULL};
    if (homes_path != NULL) {
        if (!table_open(&table, homes_path, home_columns))
            return false;
        while (good && table_next(&table))
            good = read_home(homes, &table, &near);
        good = table_close(&table) && good;
    }
    if (!good || !table_open(&table, readings_path, row_columns))
        return false;
    while (good && table_next(&table))
        good = read_row(homes, &table, homes_path == NULL, &near);
    return table_close(&table) && good;
}

void homes_free(struct homes *homes)
{
    for (size_t i = 0; i < homes->count; i++)
        free(homes->list[i].rows);
    free(homes->list);
}
