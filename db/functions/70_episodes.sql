-- What the measures count: episodes of tickets. A ticket has one, and one more each time it is re-opened; the first
-- answer of each counts. Days are those of the district's zone, half-open: [00:00, next 00:00).

create or replace function onekey.zone(district text) returns text
language sql stable security definer set search_path = onekey, pg_temp as $$
    select s.zone from onekey.report_setting s where s.district in (zone.district, '*') order by s.district = '*' limit 1
$$;
comment on function onekey.zone(text) is 'The time zone in which a district''s days begin';

create or replace function onekey.day_begins(district text, day date) returns timestamptz
language sql stable set search_path = onekey, pg_temp as $$ select day::timestamp at time zone onekey.zone(district) $$;

create or replace function onekey.seconds_between(from_at timestamptz, until_at timestamptz) returns double precision
language sql immutable as $$ select extract(epoch from until_at - from_at)::double precision $$;

-- Functions of an earlier version.
drop function if exists onekey.in_outage(text, bigint, timestamptz);
drop function if exists onekey.episode_beginnings(text, timestamptz, timestamptz);
drop function if exists onekey.roll_up_day(text, date);

-- The episodes that began in a time, from the tickets and their events: in one pass over each. Planned for that time
-- alone, as a day and a year want different ways, and without nested loops: while tables have no statistics yet they look
-- cheap and take forever.
create or replace function onekey.episodes_of(district text, from_at timestamptz, until_at timestamptz)
returns setof onekey.episode language plpgsql stable set search_path = onekey, pg_temp set enable_nestloop = off as $$
begin
    return query execute $query$
    with reopened as materialized (
        select e.ticket_id, e.id, e.at, lead(e.at) over w as next_at, lead(e.detail) over w as next_detail,
               e.detail, row_number() over w as place
        from onekey.ticket_event e
        -- The database's clock may lag behind that of the gateway, which stamps what it received.
        where e.district = $1 and e.kind = 'reopened' and e.at >= $2 - interval '1 hour'
        window w as (partition by e.ticket_id order by e.id)
    ), begun as materialized (
        -- What the next re-opening says of how an episode ended; none: it is the last.
        select 1::smallint as nth, t.received_at as begins_at, n.at as ends_at, n.detail as ending, t.*
        from onekey.ticket t
        left join reopened n on n.ticket_id = t.id and n.place = 1 and t.episode > 1
        where t.district = $1 and t.received_at >= $2 and t.received_at < $3
        union all
        select (1 + (select count(*) from onekey.ticket_event p
                     where p.district = $1 and p.ticket_id = r.ticket_id and p.kind = 'reopened'
                       and p.id <= r.id))::smallint, r.at, r.next_at, r.next_detail, t.*
        from reopened r
        join onekey.ticket t on t.district = $1 and t.id = r.ticket_id
        where r.at >= $2 and r.at < $3
    ), span as (
        select t.id, t.nth, least(t.begins_at, case when t.nth = 1 then t.raised_at end) as from_at,
               coalesce(t.ends_at, t.closed_at + interval '1 s', 'infinity') as until_at
        from begun t
    ), step as (
        select t.id, t.nth, min(e.at) filter (where e.kind = 'presented') as presented_at,
               min(e.at) filter (where e.kind = 'claimed') as claimed_at,
               min(e.at) filter (where e.kind = 'answered') as answered_at,
               min(e.at) filter (where e.kind = 'dispatched') as dispatched_at,
               min(e.at) filter (where e.kind = 'on_scene') as on_scene_at,
               -- Who was first: the least number, with the name behind it.
               nullif(substr(min(lpad(e.id::text, 20, '0') || coalesce(e.actor, '')) filter (where e.kind = 'claimed'), 21), '') as claimed_by,
               nullif(substr(min(lpad(e.id::text, 20, '0') || coalesce(e.actor, '')) filter (where e.kind = 'answered'), 21), '') as answered_by,
               count(*) filter (where e.kind = 'held') as held, count(*) filter (where e.kind = 'handed_over') as handed_over
        from span t
        join onekey.ticket_event e on e.district = $1 and e.ticket_id = t.id and e.at >= t.from_at and e.at < t.until_at
        where e.kind in ('presented', 'claimed', 'answered', 'dispatched', 'on_scene', 'held', 'handed_over')
          and e.at >= (select min(b.from_at) from span b) and e.at < (select max(b.until_at) from span b)
        group by t.id, t.nth
    ), told as (
        select t.id as ticket_id, t.nth as episode, t.begins_at, t.ending, t.kind, t.service_kind, t.priority, t.area_id,
               t.household_id, t.device_id, t.signal_count, t.is_test, t.detail, w.claimed_by, w.answered_by,
               coalesce(w.held, 0) as held, coalesce(w.handed_over, 0) as handed_over,
               case when t.nth = 1 then t.pressed_at end as pressed_at, case when t.nth = 1 then t.raised_at end as raised_at,
               case when t.episode = 1 then t.presented_at else w.presented_at end as presented_at,
               case when t.episode = 1 then t.claimed_at else w.claimed_at end as claimed_at,
               case when t.episode = 1 then t.answered_at else w.answered_at end as answered_at,
               case when t.episode = 1 then t.dispatched_at else w.dispatched_at end as dispatched_at,
               case when t.episode = 1 then t.on_scene_at else w.on_scene_at end as on_scene_at,
               case when t.ends_at is null then t.verified_at else (t.ending ->> 'verified_at')::timestamptz end as verified_at,
               case when t.ends_at is null then t.closed_at else (t.ending ->> 'closed_at')::timestamptz end as closed_at,
               case when t.ends_at is null then t.outcome else t.ending ->> 'outcome' end as outcome,
               case when t.ends_at is null then case when t.state = 'closed' then t.claimed_by end
                    else t.ending ->> 'closed_by' end as closed_by
        from begun t
        left join step w on w.id = t.id and w.nth = t.nth
    ), outage as materialized (
        -- Outages and disasters are few: of an area, of what stands below it, or of all.
        select o.received_at, coalesce(o.closed_at, 'infinity') as closed_at, o.area_id from onekey.ticket o
        where o.district = $1 and o.kind = 'outage' and o.received_at < $3 and coalesce(o.closed_at, 'infinity') > $2
        union all
        select d.started_at, coalesce(d.ended_at, 'infinity'), d.area_id from onekey.disaster d
        where d.district = $1 and d.started_at < $3 and coalesce(d.ended_at, 'infinity') > $2
    )
    select $1, (o.begins_at at time zone $4)::date, o.ticket_id, o.episode,
           case when o.is_test and o.ending is null or o.kind = 'test' or o.outcome = 'test' then 'test'
                when o.kind <> 'outage' and exists (
                    select from outage u
                    where u.received_at <= o.begins_at and u.closed_at > o.begins_at
                      and (u.area_id is null or u.area_id in (select a.id from onekey.areas_above($1, o.area_id) a)))
                    then 'disaster'
                else 'normal' end,
           o.kind, o.service_kind, coalesce(s.class, k.class), o.priority, o.area_id, o.household_id, o.device_id,
           coalesce(d.kind, 'unknown')::onekey.device_word,
           case when jsonb_typeof(o.detail -> 'rules') = 'array' then (
                select string_agg(r.rule, '+' order by r.place)
                from jsonb_array_elements_text(o.detail -> 'rules') with ordinality r(rule, place)) end,
           o.begins_at, o.claimed_by, o.answered_by, o.closed_by, o.outcome, f.is_false,
           coalesce(o.verified_at <= o.closed_at, o.verified_at is not null), o.closed_at is not null,
           o.held::smallint, o.handed_over::smallint, o.signal_count,
           onekey.seconds_between(o.pressed_at, o.begins_at), onekey.seconds_between(o.begins_at, o.raised_at),
           onekey.seconds_between(o.begins_at, o.presented_at), onekey.seconds_between(o.begins_at, o.claimed_at),
           onekey.seconds_between(o.begins_at, o.answered_at), onekey.seconds_between(o.answered_at, o.dispatched_at),
           onekey.seconds_between(o.dispatched_at, o.on_scene_at), onekey.seconds_between(o.begins_at, o.verified_at),
           onekey.seconds_between(o.begins_at, o.closed_at)
    from told o
    join onekey.ticket_kind k on k.name = o.kind
    left join onekey.service_kind s on s.name = o.service_kind
    left join onekey.device d on d.district = $1 and d.id = o.device_id
    left join onekey.outcome f on f.ticket_kind = o.kind and f.name = o.outcome
    order by o.begins_at, o.ticket_id
    $query$ using episodes_of.district, from_at, until_at, onekey.zone(episodes_of.district);
end $$;
comment on function onekey.episodes_of(text, timestamptz, timestamptz) is
    'The episodes that began in [from_at, until_at), as the tickets and events now say';

-- --- closed days, summarised once ---

-- Days in a row as one time.
create or replace function onekey.runs_of(district text, days date[])
returns table (from_at timestamptz, until_at timestamptz) language sql stable set search_path = onekey, pg_temp as $$
    select onekey.day_begins(runs_of.district, min(g.day)), onekey.day_begins(runs_of.district, max(g.day) + 1)
    from (select d.day, d.day - row_number() over (order by d.day)::integer as run from unnest(days) d(day)) g
    group by g.run order by g.run
$$;

-- Summarised days with a ticket that has changed since. Events were looked through up to the mark; a change is
-- committed some time after its stamp, and the hour is more than any transaction here takes.
create or replace function onekey.stale_days(district text) returns setof date
language plpgsql stable set search_path = onekey, pg_temp as $$
begin
    return query
    with touched as (
        select e.ticket_id, max(e.at) as at from onekey.ticket_event e
        where e.district = stale_days.district and e.at >= coalesce(
            (select m.events_until from onekey.roll_up_mark m where m.district = stale_days.district), '-infinity')
            - interval '1 hour'
        group by e.ticket_id
    )
    select r.day from onekey.rolled_day r where r.district = stale_days.district and r.is_stale
    union
    select r.day
    from touched h
    join onekey.ticket t on t.district = stale_days.district and t.id = h.ticket_id
    cross join lateral (
        select t.received_at as begins_at
        union all
        select e.at from onekey.ticket_event e
        where t.episode > 1 and e.district = t.district and e.ticket_id = t.id and e.kind = 'reopened') b
    join onekey.rolled_day r on r.district = t.district and r.rolled_at - interval '1 hour' <= h.at
         and r.day = (b.begins_at at time zone (select onekey.zone(stale_days.district)))::date;
end $$;

-- Summarises the days that are over and were not yet, and those whose tickets have changed since; at most so many a
-- call, so that a caller can tell how far it is.
create or replace function onekey.roll_up_days(district text, days integer default 31,
                                               at timestamptz default clock_timestamp())
returns table (day date, episodes integer)
language plpgsql security definer set search_path = onekey, pg_temp set jit = off set work_mem = '64MB' as $$
#variable_conflict use_variable
declare
    today date := (at - interval '1 hour') at time zone onekey.zone(district);
    began timestamptz := clock_timestamp();
    first_day date;
    wanted date[];
begin
    perform pg_advisory_xact_lock(hashtext('onekey.roll_up_days'), hashtext(district));
    perform onekey.roll_up_care(district, days, today);
    update onekey.rolled_day r set is_stale = true
    where r.district = roll_up_days.district and r.day in (select onekey.stale_days(district)) and not r.is_stale;
    insert into onekey.roll_up_mark values (district, at)
    on conflict on constraint roll_up_mark_pkey do update set events_until = excluded.events_until;
    select coalesce((select min(r.day) from onekey.rolled_day r where r.district = roll_up_days.district),
                    (select min(t.received_at) at time zone onekey.zone(district) from onekey.ticket t
                     where t.district = roll_up_days.district)::date) into first_day;
    select array_agg(d.day order by d.day) into wanted
    from (select d::date as day from generate_series(first_day, today - 1, interval '1 day') d
          where not exists (select from onekey.rolled_day r where r.district = roll_up_days.district
                            and r.day = d::date and not r.is_stale)
          order by d limit days) d;
    delete from onekey.episode e where e.district = roll_up_days.district and e.day = any (wanted);
    insert into onekey.episode
    select e.* from onekey.runs_of(district, wanted) r cross join lateral onekey.episodes_of(district, r.from_at, r.until_at) e;
    return query
    insert into onekey.rolled_day as r
    select district, w.day, began, count(e.day) from unnest(wanted) w(day)
    left join onekey.episode e on e.district = roll_up_days.district and e.day = w.day
    group by w.day order by w.day
    on conflict on constraint rolled_day_pkey do update
    set rolled_at = excluded.rolled_at, episodes = excluded.episodes, is_stale = false
    returning r.day, r.episodes;
end $$;
comment on function onekey.roll_up_days(text, integer, timestamptz) is
    'Summarises closed days that were not yet, or whose tickets have changed since; says which';

-- --- what measures read ---

-- Areas that a report about `area_id` (none: all) holds for whoever asks; null: no limit at all.
create or replace function onekey.report_areas(district text, area_id bigint) returns bigint[]
language plpgsql stable set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    mine record;
    below bigint[];
begin
    select * into mine from onekey.scope() s where s.everything or s.district = report_areas.district;
    if not found then
        return '{}';
    end if;
    if area_id is null then
        return mine.areas;
    end if;
    with recursive tree as (
        select report_areas.area_id as id
        union
        select a.id from tree t join onekey.area a on a.district = report_areas.district and a.parent_id = t.id
    )
    select array_agg(t.id) into below from tree t where mine.areas is null or t.id = any (mine.areas);
    return coalesce(below, '{}');
end $$;

-- Of the days [from_day, until_day) those that onekey.episode does not hold as they are.
create or replace function onekey.open_days(district text, from_day date, until_day date) returns date[]
language plpgsql stable set search_path = onekey, pg_temp as $$
begin
    return array(
        select d::date from generate_series(from_day, until_day - 1, interval '1 day') d
        except select r.day from onekey.rolled_day r where r.district = open_days.district
        union select s.day from onekey.stale_days(open_days.district) s(day) where s.day >= from_day and s.day < until_day
        order by 1);
end $$;

-- Of the days [from_day, until_day) the episodes that must be read from the tickets.
create or replace function onekey.open_episodes(district text, from_day date, until_day date, is_raw boolean)
returns setof onekey.episode language plpgsql stable rows 1000 set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    days date[] := case when is_raw then (select array_agg(d::date) from generate_series(from_day, until_day - 1, interval '1 day') d)
                        else onekey.open_days(district, from_day, until_day) end;
begin
    return query
    select e.* from onekey.runs_of(district, days) r cross join lateral onekey.episodes_of(district, r.from_at, r.until_at) e;
end $$;

-- Whether whoever asks sees also what stands in no area.
create or replace function onekey.sees_unplaced(district text, area_id bigint) returns boolean
language sql stable security definer set search_path = onekey, pg_temp as $$
    select sees_unplaced.area_id is null and exists (
        select from onekey.scope() s where (s.everything or s.district = sees_unplaced.district) and s.unplaced)
$$;

-- The episodes of the days [from_day, until_day), as far as whoever asks may see them: summarised days from
-- onekey.episode, the others (and with is_raw all) from the tickets. It holds no settings, so that it becomes a part of
-- the statement that asks and only what that needs is read.
create or replace function onekey.episodes(district text, from_day date, until_day date, area_id bigint default null,
                                           is_raw boolean default false)
returns setof onekey.episode language sql stable as $$
    select e.* from (
        select r.* from onekey.episode r
        where not is_raw and r.district = episodes.district and r.day >= from_day and r.day < until_day
          and r.day <> all ((select onekey.open_days(episodes.district, from_day, until_day))::date[])
        union all
        select o.* from onekey.open_episodes(episodes.district, from_day, until_day, is_raw) o) e
    where (select onekey.report_areas(episodes.district, episodes.area_id)) is null
       or e.area_id = any ((select onekey.report_areas(episodes.district, episodes.area_id))::bigint[])
       or e.area_id is null and (select onekey.sees_unplaced(episodes.district, episodes.area_id))
$$;
comment on function onekey.episodes(text, date, date, bigint, boolean) is
    'Episodes that began on the days [from_day, until_day) in an area, as far as whoever asks may see';

select onekey.grant_execute(name)
from unnest(array['day_begins', 'seconds_between', 'episodes_of', 'runs_of', 'stale_days', 'report_areas', 'open_days',
                  'open_episodes', 'sees_unplaced', 'episodes']) name;
select onekey.grant_execute('zone', 'onekey_report', 'onekey_console');
select onekey.grant_execute('roll_up_days', 'onekey_report', 'onekey_gateway');
