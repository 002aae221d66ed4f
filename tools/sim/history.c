/*
 * onekey-sim history: an invented year of services in the database, in the proportions of a real
 * district, for demonstrations, measurements and tests. It writes as the schema's owner, past the
 * functions: the past cannot be lived through again. The same seed writes the same rows.
 */
#include "daemon/base/attributes.h"
#include "tools/common/database.h"
#include "tools/sim/command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUSEHOLDS_MAX 200000

struct history {
    PGconn *connection;
    const char *seed, *households, *scale, *from;
    long months;
};

/* Parameters: $1 households. A district of 12 street-towns of 10 neighbourhoods. */
static const char *const homes_sql[] = {
    "insert into onekey.area (district, code, level, name_zh, name_en)"
    " values ('990200', '990200', 'district', '试用区', 'Trial District')",
    "insert into onekey.area (district, code, parent_id, level, name_zh, name_en)"
    " select '990200', '9902' || to_char(g, 'FM00'), (select id from onekey.area where district = "
    "'990200'"
    " and level = 'district'), 'street_town', '试用第' || g || '街道', 'Trial Street-town ' || g"
    " from generate_series(1, 12) g",
    "insert into onekey.area (district, code, parent_id, level, name_zh, name_en)"
    " select '990200', a.code || to_char(g, 'FM000'), a.id, 'neighbourhood', a.name_zh || '第' || "
    "g || '居委',"
    " a.name_en || ' Neighbourhood ' || g from onekey.area a, generate_series(1, 10) g"
    " where a.district = '990200' and a.level = 'street_town'",
    "insert into onekey.household (district, code, area_id, address, phone, living_alone, "
    "longitude,"
    " latitude) select '990200', 'T' || to_char(g, 'FM000000'), n.ids[1 + (g * 7) % 120],"
    " '试用路' || 1 + g / 40 || '弄' || 1 + g % 40 || '号', '000-' || to_char(g, 'FM00000000'), g "
    "% 3 > 0,"
    " 121 + g % 200 / 1000.0, 31 + g / 200 % 200 / 1000.0"
    " from (select array_agg(id order by id) as ids from onekey.area where district = '990200'"
    " and level = 'neighbourhood') n, generate_series(1, $1::int) g",
    "insert into onekey.resident (district, household_id, name, birth_year)"
    " select district, id, '试用老人' || substr(code, 2), 1930 + id % 25 from onekey.household"
    " where district = '990200'",
    "insert into onekey.device (district, protocol, identity, kind, household_id)"
    " select '990200', 'sia_dc09', 'T' || id, 'call_box', id from onekey.household where district "
    "= '990200'"
    " union all select '990200', 'watch', to_char(7200000000 + id, 'FM0000000000'), 'wristband', id"
    " from onekey.household where district = '990200' and id % 3 = 0"
    " union all select '990200', 'meter_json', 'T' || to_char(id, 'FM00000000'), 'meter', id"
    " from onekey.household where district = '990200' and id % 29 = 0",
    "select onekey.set_user('990200', 'op' || to_char(g, 'FM00'), 'operator') from "
    "generate_series(1, 40) g",
    "insert into onekey.care_plan (district, household_id, position, task, due_at, next_try_at)"
    " select district, id, 1, 'greeting', now() + random() * interval '2 days', now()"
    " from onekey.household where district = '990200' and id % 2 = 0"
    " union all select district, id, 1, 'visit', now() + random() * interval '7 days', now()"
    " from onekey.household where district = '990200' and id % 40 = 0",
    "analyze onekey.household, onekey.device, onekey.care_plan",
};

/*
 * $1: first day of the month, $2: scale. The proportions are those of the customer: of 1,246,600
 * services a year 91.69 % care calls, 3.473 % rescues, 0.026 % taxis, 0.0069 % registrations, 0.70 %
 * consultations, 0.437 % life care and 3.666 % others (docs/STATISTICS.md); 28 water tickets a metered
 * home and year; of devices what is usual. Times are log-normal.
 */
static const char tickets_sql[] =
    "with month as (select ($1::date)::timestamp at time zone 'Asia/Shanghai' as from_at,"
    "  (($1::date + interval '1 month')::date)::timestamp at time zone 'Asia/Shanghai' as until_at,"
    "  ($1::date + interval '1 month')::date - $1::date as days),"
    " homes as (select array_agg(id order by id) as ids,"
    "  array_agg(id order by id) filter (where id % 29 = 0) as metered from onekey.household"
    "  where district = '990200'),"
    " kinds as (select k.*, (k.yearly * $2::float8 * m.days / 365.0)::int as n from month m, "
    "(values"
    "  ('panic', 'none', 1, 33290.0), ('fall', 'none', 1, 4000.0), ('service', 'rescue', 1, "
    "6005.0),"
    "  ('service', 'taxi', 3, 325.0), ('service', 'registration', 3, 86.0),"
    "  ('service', 'consult', 3, 8734.0), ('service', 'life_care', 3, 5443.0),"
    "  ('service', 'other', 3, 45696.0), ('silence', 'none', 2, 25200.0),"
    "  ('device_lost', 'none', 4, 9000.0), ('low_battery', 'none', 4, 6000.0)) k(kind, service, "
    "priority, yearly)),"
    " drawn as (select k.kind, k.service, k.priority, m.from_at, m.until_at,"
    "  random() * m.days as day, random() as u1, random() as u2, random() as u3, random() as u4,"
    "  random() as u5, random() as u6, random() as home"
    "  from kinds k, month m, generate_series(1, k.n)),"
    " shaped as (select d.*, d.from_at + floor(d.day) * interval '1 day'"
    /* Two of three by day: the mean of two draws leans to the middle of the day. */
    "  + (case when d.u5 < 0.67 then 6 + 16 * (d.day - floor(d.day) + d.u6) / 2"
    "     else 24 * d.u6 end) * interval '1 hour' as at,"
    "  exp(ln(9) + 0.75 * sqrt(-2 * ln(1 - d.u1)) * cos(2 * pi() * d.u2)) as claim,"
    "  exp(ln(7) + 0.6 * sqrt(-2 * ln(1 - d.u1)) * sin(2 * pi() * d.u2)) as talk,"
    "  exp(ln(420) + 0.9 * sqrt(-2 * ln(1 - d.u3)) * cos(2 * pi() * d.u4)) as work,"
    "  case d.kind when 'silence' then h.metered[1 + floor(d.home * cardinality(h.metered))::int]"
    "   else h.ids[1 + floor(d.home * cardinality(h.ids))::int] end as household_id"
    "  from drawn d, homes h)"
    "insert into onekey.ticket (district, kind, service_kind, priority, state, subject, "
    "household_id,"
    " device_id, area_id, protocol, identity, last_signal_at, pressed_at, received_at, raised_at, "
    "presented_at,"
    " claimed_at, answered_at, dispatched_at, on_scene_at, verified_at, closed_at, claimed_by, "
    "outcome, is_answered, detail)"
    " select '990200', s.kind, s.service, s.priority, 'closed', 'history:' || s.household_id, "
    "s.household_id,"
    "  v.id, h.area_id, v.protocol, v.identity, s.at, s.at - interval '0.6 s', s.at, s.at + (0.004 "
    "+ s.u6 * 0.02) * interval '1 s',"
    "  s.at + (0.02 + s.u5 * 0.3) * interval '1 s', s.at + (0.4 + s.claim) * interval '1 s', "
    "t.answered_at,"
    "  case when t.goes then t.answered_at + (10 + s.talk * 3) * interval '1 s' end,"
    "  case when t.goes then t.answered_at + (10 + s.talk * 3 + 300 + s.work * 2) * interval '1 s' "
    "end,"
    "  case when s.kind in ('panic', 'fall', 'silence') and (s.kind <> 'silence' or s.u6 < 0.9995)"
    "   then t.closed_at - interval '2 s' end, t.closed_at, 'op' || to_char(1 + floor(s.u4 * 40), "
    "'FM00'),"
    "  case s.kind when 'silence' then case when s.u3 < 0.72 then 'person_well' when s.u3 < 0.9 "
    "then 'away'"
    "    when s.u3 < 0.95 then 'in_hospital' when s.u3 < 0.985 then 'meter_fault' when s.u3 < "
    "0.993 then 'helped_at_home'"
    "    else 'taken_to_hospital' end"
    "   when 'panic' then case when s.u3 < 0.55 then 'false_press' when s.u3 < 0.8 then "
    "'person_well'"
    "    when s.u3 < 0.95 then 'helped_at_home' else 'taken_to_hospital' end"
    "   when 'fall' then case when s.u3 < 0.4 then 'false_press' when s.u3 < 0.85 then "
    "'helped_at_home' else 'taken_to_hospital' end"
    "   when 'service' then case when s.service = 'rescue' then 'helped_at_home' else 'arranged' "
    "end"
    "   when 'device_lost' then 'restored' else 'repaired' end, true,"
    "  case s.kind when 'silence' then jsonb_build_object('rules', jsonb_build_array(case when "
    "s.u2 < 0.8 then 'learned' else 'fixed' end),"
    "   'quiet_hours', round((6 + 6 * s.u1)::numeric, 1)) end"
    " from shaped s join onekey.household h on h.district = '990200' and h.id = s.household_id"
    " cross join lateral (select d.id, d.protocol, d.identity from onekey.device d where "
    "d.district = '990200'"
    "  and d.household_id = h.id order by (d.kind = 'meter') <> (s.kind = 'silence'), d.id limit "
    "1) v"
    " cross join lateral (select case when s.kind in ('device_lost', 'low_battery') or s.u5 < "
    "0.004 then null"
    "   else s.at + (0.4 + s.claim + s.talk) * interval '1 s' end as answered_at) a"
    " cross join lateral (select a.answered_at, a.answered_at is not null and (s.kind = 'fall' or "
    "s.kind = 'panic' and s.u3 > 0.8) as goes,"
    "  s.at + (0.4 + s.claim + s.talk + 30 + s.work * case when s.kind = 'device_lost' then 20 "
    "else 1 end"
    "   + case when s.kind in ('fall', 'panic') then 400 + s.talk * 3 + s.work * 2 else 0 end) * "
    "interval '1 s' as closed_at) t"
    " order by s.at";

/* $1, $2: ids of tickets (from it, up to it) that have no events yet. */
static const char events_sql[] =
    "insert into onekey.ticket_event (district, ticket_id, kind, actor, at)"
    " select t.district, t.id, e.kind, e.actor, e.at from onekey.ticket t"
    " cross join lateral (values (1, 'raised', null, t.raised_at), (2, 'presented', null, "
    "t.presented_at),"
    "  (3, 'claimed', t.claimed_by, t.claimed_at), (4, 'answered', t.claimed_by, t.answered_at),"
    "  (5, 'dispatched', t.claimed_by, t.dispatched_at), (6, 'on_scene', t.claimed_by, "
    "t.on_scene_at),"
    "  (7, 'verified', t.claimed_by, t.verified_at), (8, 'closed', t.claimed_by, t.closed_at)) "
    "e(place, kind, actor, at)"
    " where t.district = '990200' and t.subject like 'history:%' and t.received_at >= "
    "($1::date)::timestamp at time zone 'Asia/Shanghai'"
    "  and t.received_at < (($1::date + interval '1 month')::date)::timestamp at time zone "
    "'Asia/Shanghai'"
    "  and e.at is not null order by e.at";

/* $1: first day of the month, $2: scale: calls and visits that were made. */
static const char care_sql[] =
    "with month as (select ($1::date)::timestamp at time zone 'Asia/Shanghai' as from_at,"
    "  ($1::date + interval '1 month')::date - $1::date as days),"
    " plans as materialized (select p.id, p.task, p.household_id, h.area_id,"
    "  row_number() over (partition by p.task order by p.id) - 1 as place"
    "  from onekey.care_plan p join onekey.household h on h.district = p.district and h.id = "
    "p.household_id"
    "  where p.district = '990200'),"
    " work as materialized (select k.task, (select count(*) from plans p where p.task = k.task) as "
    "plans,"
    "  (k.yearly * $2::float8 * m.days / 365.0)::int as n, m.from_at, m.days"
    "  from month m, (values ('greeting', 1143020.0), ('visit', 31400.0)) k(task, yearly)),"
    " calls as materialized (select w.task, g % w.plans as place,"
    "  w.from_at + random() * w.days * interval '1 day' as due_at, 24 * random() * random() as "
    "late,"
    "  random() as u, floor(random() * 40) as who from work w, generate_series(1, w.n) g)"
    "insert into onekey.care_contact (district, at, plan_id, task, household_id, area_id, due_at, "
    "on_time_until,"
    " attempt, result, is_done, actor)"
    " select '990200', c.due_at + c.late * interval '1 hour', p.id, p.task, p.household_id, "
    "p.area_id, c.due_at,"
    "  c.due_at + interval '12 hours', 1, case when c.u < 0.97 then 'well' else 'away' end, true,"
    "  'op' || to_char(1 + c.who, 'FM00')"
    " from calls c join plans p using (task, place) order by c.due_at";

/* The alarms of the past have moved greetings forward, to days that are over: what is promised is
 * promised for the days to come. */
static const char promises_sql[] =
    "update onekey.care_plan p set due_at = d.at, next_try_at = d.at"
    " from (select c.id, now() + (random() - 0.05) * k.every as at from onekey.care_plan c"
    "  join onekey.care_task k on k.name = c.task where c.district = '990200') d"
    " where p.district = '990200' and p.id = d.id";

static bool run(const struct history *history, const char *sql, int count,
                const char *const *parameters)
{
    PGresult *result = database_query(history->connection, sql, count, parameters);
    PQclear(result);
    return result != NULL;
}

static bool seed(const struct history *history, long month)
{
    char text[32];
    const char *parameters[] = {text};

    snprintf(text, sizeof(text), "%.9f",
             (double)(strtol(history->seed, NULL, 10) % 9999991 + month) / 1e7);
    return run(history, "select setseed($1::float8)", 1, parameters);
}

static bool make_homes(const struct history *history)
{
    const char *parameters[] = {history->households};

    for (size_t i = 0; i < ARRAY_SIZE(homes_sql); i++)
        if (!run(history, homes_sql[i], strstr(homes_sql[i], "$1") != NULL, parameters))
            return false;
    return true;
}

/* The first day of the month that is so many after the first one. */
static bool month_after(const struct history *history, long month, char day[11])
{
    char offset[24];
    const char *parameters[] = {history->from, offset};

    snprintf(offset, sizeof(offset), "%ld", month);
    PGresult *result = database_query(
        history->connection,
        "select (date_trunc('month', coalesce($1::date, now()::date - interval '1 year'))"
        " + $2::int * interval '1 month')::date",
        ARRAY_SIZE(parameters), parameters);
    if (result != NULL)
        snprintf(day, 11, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return result != NULL;
}

/* Partitions are made ahead of the present only. */
static bool make_partitions(const struct history *history, const char *day)
{
    const char *parameters[] = {day};
    return run(history, "select count(*) from onekey.maintain_partitions($1::timestamptz)", 1,
               parameters);
}

static bool make_month(const struct history *history, long month)
{
    char day[11];
    const char *parameters[] = {day, history->scale};

    if (!month_after(history, month, day))
        return false;
    fprintf(stderr, "onekey-sim: %s, month %ld of %ld\n", day, month + 1, history->months);
    return seed(history, month) && make_partitions(history, day) &&
           run(history, tickets_sql, 2, parameters) && run(history, events_sql, 1, parameters) &&
           run(history, care_sql, 2, parameters);
}

/* All of it or nothing. */
static bool make_history(const struct history *history)
{
    bool good = run(history, "begin", 0, NULL) &&
                run(history, "set local max_parallel_workers_per_gather = 0", 0, NULL) &&
                run(history, "set local jit = off", 0, NULL) && seed(history, 0) &&
                make_homes(history);

    for (long month = 0; good && month < history->months; month++)
        good = make_month(history, month);
    return good && run(history, promises_sql, 0, NULL) && run(history, "commit", 0, NULL) &&
           run(history, "analyze", 0, NULL);
}

static int usage(void)
{
    fprintf(stderr,
            "usage: onekey-sim history [--seed S] [--households N] [--year | --months N]\n"
            "                          [--from YYYY-MM-DD] [--scale F] [--conninfo CONNINFO]\n"
            "\n"
            "Invents district 990200 and what happened there: 1.25 million services a year at "
            "scale 1,\n"
            "from the month of --from on (12 months before this one unless told). The database "
            "must be\n"
            "migrated, and hold no such district yet.\n");
    return EXIT_USAGE;
}

static bool is_number(const char *text, double least, double most)
{
    char *end;
    double value = strtod(text, &end);
    if (*text != '\0' && *end == '\0' && value >= least && value <= most)
        return true;
    fprintf(stderr, "onekey-sim: %s: must be a number from %g to %g\n", text, least, most);
    return false;
}

int history_command(int argc, char **argv)
{
    static const struct option options[] = {
        {"seed", required_argument, NULL, 's'},     {"households", required_argument, NULL, 'h'},
        {"year", no_argument, NULL, 'y'},           {"months", required_argument, NULL, 'm'},
        {"from", required_argument, NULL, 'f'},     {"scale", required_argument, NULL, 'x'},
        {"conninfo", required_argument, NULL, 'c'}, {NULL, 0, NULL, 0}};
    struct invocation invocation = {.conninfo = ""};
    struct history history = {.seed = "1", .households = "26000", .scale = "1", .months = 12};
    const char *months = "12";

    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        const char **places[] = {
            ['s'] = &history.seed, ['h'] = &history.households, ['m'] = &months,
            ['f'] = &history.from, ['x'] = &history.scale,      ['c'] = &invocation.conninfo};
        if (option == '?')
            return usage();
        if (option != 'y')
            *places[option] = optarg;
    }
    if (optind < argc || !is_number(history.seed, 0, 1e9) || !is_number(months, 1, 120) ||
        !is_number(history.households, 40, HOUSEHOLDS_MAX) || !is_number(history.scale, 1e-4, 100))
        return usage();
    history.months = strtol(months, NULL, 10);
    history.connection = database_connect(&invocation);
    if (history.connection == NULL)
        return EXIT_FAILED;
    bool good = make_history(&history);
    PQfinish(history.connection);
    return good ? EXIT_OK : EXIT_FAILED;
}
