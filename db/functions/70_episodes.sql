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

-- Whether an outage of the area, or of what it belongs to, was open then. Few tickets are outages.
create or replace function onekey.in_outage(district text, area_id bigint, at timestamptz) returns boolean
language sql stable set search_path = onekey, pg_temp as $$
    select exists (
        select from onekey.ticket o
        where o.district = in_outage.district and o.kind = 'outage' and o.received_at <= at
          and coalesce(o.closed_at, 'infinity') > at
          and (o.area_id is null
               or o.area_id in (select a.id from onekey.areas_above(in_outage.district, in_outage.area_id) a)))
$$;

-- The beginnings of episodes in a time, with what the next re-opening says of how each ended (none: it is the last).
create or replace function onekey.episode_beginnings(district text, from_at timestamptz, until_at timestamptz)
returns table (ticket_id bigint, episode smallint, begins_at timestamptz, ends_at timestamptz, ending jsonb)
language sql stable set search_path = onekey, pg_temp as $$
    with begun as (
        select t.id, 1::smallint as number, t.received_at as begins_at, 0::bigint as event_id, t.episode as episodes
        from onekey.ticket t
        where t.district = episode_beginnings.district and t.received_at >= from_at and t.received_at < until_at
        union all
        select e.ticket_id, (1 + (select count(*) from onekey.ticket_event p
                                  where p.district = e.district and p.ticket_id = e.ticket_id and p.kind = 'reopened'
                                    and p.id <= e.id))::smallint, e.at, e.id, t.episode
        from onekey.ticket_event e
        join onekey.ticket t on t.district = e.district and t.id = e.ticket_id
        where e.district = episode_beginnings.district and e.kind = 'reopened' and e.at >= from_at and e.at < until_at
    )
    select b.id, b.number, b.begins_at, n.at, n.detail
    from begun b
    left join lateral (
        select e.at, e.detail from onekey.ticket_event e
        where b.number < b.episodes and e.district = episode_beginnings.district and e.ticket_id = b.id
          and e.kind = 'reopened' and e.id > b.event_id
        order by e.id limit 1) n on true
$$;

-- The episodes that began in a time, from the tickets and their events.
create or replace function onekey.episodes_of(district text, from_at timestamptz, until_at timestamptz)
returns setof onekey.episode language sql stable set search_path = onekey, pg_temp as $$
    with told as (
        select b.*, t.kind, t.service_kind, coalesce(s.class, k.class) as class, t.priority, t.area_id, t.household_id,
               t.device_id, t.signal_count, t.is_test, t.detail,
               case when b.episode = 1 then t.pressed_at end as pressed_at,
               case when b.episode = 1 then t.raised_at end as raised_at,
               case when t.episode = 1 then t.presented_at else w.presented_at end as presented_at,
               case when t.episode = 1 then t.claimed_at else w.claimed_at end as claimed_at,
               case when t.episode = 1 then t.answered_at else w.answered_at end as answered_at,
               case when t.episode = 1 then t.dispatched_at else w.dispatched_at end as dispatched_at,
               case when t.episode = 1 then t.on_scene_at else w.on_scene_at end as on_scene_at,
               case when b.ends_at is null then t.verified_at else (b.ending ->> 'verified_at')::timestamptz end as verified_at,
               case when b.ends_at is null then t.closed_at else (b.ending ->> 'closed_at')::timestamptz end as closed_at,
               case when b.ends_at is null then t.outcome else b.ending ->> 'outcome' end as outcome,
               case when b.ends_at is null then case when t.state = 'closed' then t.claimed_by end
                    else b.ending ->> 'closed_by' end as closed_by,
               w.claimed_by, w.answered_by, w.held, w.handed_over
        from onekey.episode_beginnings(episodes_of.district, from_at, until_at) b
        join onekey.ticket t on t.district = episodes_of.district and t.id = b.ticket_id
        join onekey.ticket_kind k on k.name = t.kind
        left join onekey.service_kind s on s.name = t.service_kind
        cross join lateral (
            select min(e.at) filter (where e.kind = 'presented') as presented_at,
                   min(e.at) filter (where e.kind = 'claimed') as claimed_at,
                   min(e.at) filter (where e.kind = 'answered') as answered_at,
                   min(e.at) filter (where e.kind = 'dispatched') as dispatched_at,
                   min(e.at) filter (where e.kind = 'on_scene') as on_scene_at,
                   (array_agg(e.actor order by e.id) filter (where e.kind = 'claimed'))[1] as claimed_by,
                   (array_agg(e.actor order by e.id) filter (where e.kind = 'answered'))[1] as answered_by,
                   count(*) filter (where e.kind = 'held') as held,
                   count(*) filter (where e.kind = 'handed_over') as handed_over
            from onekey.ticket_event e
            -- The database's clock may lag behind that of the gateway, which stamps what it received.
            where e.district = t.district and e.ticket_id = t.id
              and e.at >= least(b.begins_at, case when b.episode = 1 then t.raised_at end)
              and e.at < coalesce(b.ends_at, t.closed_at + interval '1 s', 'infinity')) w
    )
    select episodes_of.district, (o.begins_at at time zone z.zone)::date, o.ticket_id, o.episode,
           case when o.is_test and o.ending is null or o.kind = 'test' or o.outcome = 'test' then 'test'
                when o.kind <> 'outage' and onekey.in_outage(episodes_of.district, o.area_id, o.begins_at) then 'disaster'
                else 'normal' end,
           o.kind, o.service_kind, o.class, o.priority, o.area_id, o.household_id, o.device_id,
           coalesce(d.kind, 'unknown'),
           (select string_agg(r.rule, '+' order by r.place)
            from jsonb_array_elements_text(case when jsonb_typeof(o.detail -> 'rules') = 'array'
                                                then o.detail -> 'rules' end) with ordinality r(rule, place)),
           o.begins_at, o.claimed_by, o.answered_by, o.closed_by, o.outcome, f.is_false,
           coalesce(o.verified_at <= o.closed_at, o.verified_at is not null), o.closed_at is not null,
           o.held, o.handed_over, o.signal_count,
           onekey.seconds_between(o.pressed_at, o.begins_at), onekey.seconds_between(o.begins_at, o.raised_at),
           onekey.seconds_between(o.begins_at, o.presented_at), onekey.seconds_between(o.begins_at, o.claimed_at),
           onekey.seconds_between(o.begins_at, o.answered_at), onekey.seconds_between(o.answered_at, o.dispatched_at),
           onekey.seconds_between(o.dispatched_at, o.on_scene_at), onekey.seconds_between(o.begins_at, o.verified_at),
           onekey.seconds_between(o.begins_at, o.closed_at)
    from told o
    cross join (select onekey.zone(episodes_of.district) as zone) z
    left join onekey.device d on d.district = episodes_of.district and d.id = o.device_id
    left join onekey.outcome f on f.ticket_kind = o.kind and f.name = o.outcome
$$;
comment on function onekey.episodes_of(text, timestamptz, timestamptz) is
    'The episodes that began in [from_at, until_at), as the tickets and events now say';

-- --- closed days, summarised once ---

create or replace function onekey.roll_up_day(district text, day date) returns integer
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    began timestamptz := clock_timestamp();
    episodes integer;
begin
    delete from onekey.episode e where e.district = roll_up_day.district and e.day = roll_up_day.day;
    insert into onekey.episode
    select * from onekey.episodes_of(district, onekey.day_begins(district, day), onekey.day_begins(district, day + 1));
    get diagnostics episodes = row_count;
    insert into onekey.rolled_day values (district, day, began, episodes)
    on conflict on constraint rolled_day_pkey do update
    set rolled_at = excluded.rolled_at, episodes = excluded.episodes, is_stale = false;
    return episodes;
end $$;

-- Summarised days with a ticket that has changed since. Events were looked through up to the mark; a change is
-- committed some time after its stamp, and the hour is more than any transaction here takes.
create or replace function onekey.stale_days(district text) returns setof date
language sql stable set search_path = onekey, pg_temp as $$
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
         and r.day = (b.begins_at at time zone onekey.zone(stale_days.district))::date
$$;

-- Summarises the days that are over and were not yet, and those whose tickets have changed since; at most so many a
-- call, so that a caller can tell how far it is.
create or replace function onekey.roll_up_days(district text, days integer default 31,
                                               at timestamptz default clock_timestamp())
returns table (day date, episodes integer)
language plpgsql security definer set search_path = onekey, pg_temp set jit = off as $$
#variable_conflict use_variable
declare
    today date := (at - interval '1 hour') at time zone onekey.zone(district);
    first_day date;
    next_day date;
    wanted date[];
    busy date[];
begin
    perform pg_advisory_xact_lock(hashtext('onekey.roll_up_days'), hashtext(district));
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
    -- A day on which nothing began is quickly summarised.
    select array_agg(distinct (b.begins_at at time zone onekey.zone(district))::date) into busy
    from onekey.episode_beginnings(district, onekey.day_begins(district, wanted[1]),
                                   onekey.day_begins(district, wanted[cardinality(wanted)] + 1)) b;
    foreach next_day in array coalesce(wanted, '{}') loop
        day := next_day;
        if next_day = any (busy) then
            episodes := onekey.roll_up_day(district, next_day);
        else
            episodes := 0;
            insert into onekey.rolled_day values (district, next_day, clock_timestamp(), 0)
            on conflict on constraint rolled_day_pkey do update set rolled_at = excluded.rolled_at, is_stale = false;
        end if;
        return next;
    end loop;
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

-- The episodes of the days [from_day, until_day), as far as whoever asks may see them: summarised days from
-- onekey.episode, the others (and with is_raw all) from the tickets.
create or replace function onekey.episodes(district text, from_day date, until_day date, area_id bigint default null,
                                           is_raw boolean default false)
returns setof onekey.episode language plpgsql stable security definer rows 50000 set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    areas bigint[] := onekey.report_areas(district, area_id);
    unplaced boolean := area_id is null
        and coalesce((select s.unplaced from onekey.scope() s where s.everything or s.district = episodes.district), false);
    raw_from date := from_day;
    raw_until date := until_day;
begin
    if not is_raw then
        with open as (
            select d::date as day from generate_series(from_day, until_day - 1, interval '1 day') d
            where not exists (select from onekey.rolled_day r where r.district = episodes.district and r.day = d::date)
            union
            select * from onekey.stale_days(district)
        )
        select min(o.day), max(o.day) + 1 into raw_from, raw_until from open o
        where o.day >= from_day and o.day < until_day;
    end if;
    return query
        select e.* from onekey.episode e
        where e.district = episodes.district and e.day >= from_day and e.day < until_day
          and (raw_from is null or e.day < raw_from or e.day >= raw_until)
          and (areas is null or e.area_id = any (areas) or e.area_id is null and unplaced);
    if raw_from is not null then
        return query
            select e.* from onekey.episodes_of(district, onekey.day_begins(district, raw_from),
                                               onekey.day_begins(district, raw_until)) e
            where areas is null or e.area_id = any (areas) or e.area_id is null and unplaced;
    end if;
end $$;
comment on function onekey.episodes(text, date, date, bigint, boolean) is
    'Episodes that began on the days [from_day, until_day) in an area, as far as whoever asks may see';

select onekey.grant_execute(name)
from unnest(array['day_begins', 'seconds_between', 'episode_beginnings', 'episodes_of', 'in_outage', 'roll_up_day',
                  'stale_days', 'report_areas', 'episodes']) name;
select onekey.grant_execute('zone', 'onekey_report', 'onekey_console');
select onekey.grant_execute('roll_up_days', 'onekey_report', 'onekey_gateway');
