-- The measures, one function each: measure_NAME(district, from_day, until_day, area_id, is_raw) for the days
-- [from_day, until_day). What each of them is stands in 72_measure_catalog.sql, in words. None drops what nobody answered.
-- Behind the first table of a FROM, a parameter is named with its function: a column of that name would be meant else.
-- What is the same for every row is asked for by (select ...), which is once.

-- Null for a share that was not reached: more of the calls than that were not answered at all.
create or replace function onekey.finite(value double precision) returns double precision
language sql immutable as $$ select case when value > '-infinity' and value < 'infinity' then value end $$;

create or replace function onekey.percent(part bigint, whole bigint) returns numeric
language sql immutable as $$ select round(100.0 * part / nullif(whole, 0), 2) $$;

-- The street-town that each area of a district stands in; an area of no street-town stands for itself.
create or replace function onekey.street_towns(district text)
returns table (area_id bigint, code text, name_zh text, name_en text)
language sql stable rows 200 set search_path = onekey, pg_temp as $$
    select v.id, s.code, s.name_zh, coalesce(s.name_en, s.code)
    from onekey.v_area v
    join onekey.area s on s.district = v.district and s.id = coalesce(v.street_town_id, v.id)
    where v.district = street_towns.district
$$;

-- --- how fast ---

create or replace function onekey.measure_answer(district text, from_day date, until_day date, area_id bigint default null,
                                                 is_raw boolean default false)
returns table (class text, mode text, received bigint, answered bigint, unanswered bigint, p50_s double precision,
               p90_s double precision, p95_s double precision, p99_s double precision, max_s double precision,
               within_15 numeric, within_30 numeric, within_60 numeric, within_180 numeric)
language sql stable as $$
    select g.class, g.mode, g.received, g.answered, g.received - g.answered, onekey.finite(g.at[1]),
           onekey.finite(g.at[2]), onekey.finite(g.at[3]), onekey.finite(g.at[4]), g.max_s,
           onekey.percent(g.in_15, g.received), onekey.percent(g.in_30, g.received),
           onekey.percent(g.in_60, g.received), onekey.percent(g.in_180, g.received)
    from (
        select e.class, e.mode, count(*) as received, count(e.answer_s) as answered, max(e.answer_s) as max_s,
               percentile_cont(array[0.5, 0.9, 0.95, 0.99]) within group (order by coalesce(e.answer_s, 'infinity')) as at,
               count(*) filter (where e.answer_s <= 15) as in_15, count(*) filter (where e.answer_s <= 30) as in_30,
               count(*) filter (where e.answer_s <= 60) as in_60, count(*) filter (where e.answer_s <= 180) as in_180
        from onekey.episodes(district, from_day, until_day, area_id, is_raw) e
        where e.class in ('alarm', 'water', 'service')
        group by e.class, e.mode) g
    order by array_position(array['alarm', 'water', 'service'], g.class),
             array_position(array['normal', 'test', 'disaster'], g.mode)
$$;

create or replace function onekey.measure_answer_by_day(district text, from_day date, until_day date,
                                                        area_id bigint default null, is_raw boolean default false)
returns table (day date, received bigint, answered bigint, p50_s double precision, p90_s double precision,
               p99_s double precision, within_60 numeric)
language sql stable as $$
    select e.day, count(*), count(e.answer_s),
           onekey.finite(percentile_cont(0.5) within group (order by coalesce(e.answer_s, 'infinity'))),
           onekey.finite(percentile_cont(0.9) within group (order by coalesce(e.answer_s, 'infinity'))),
           onekey.finite(percentile_cont(0.99) within group (order by coalesce(e.answer_s, 'infinity'))),
           onekey.percent(count(*) filter (where e.answer_s <= 60), count(*))
    from onekey.episodes(district, from_day, until_day, area_id, is_raw) e
    where e.class = 'alarm' and e.mode = 'normal'
    group by e.day order by e.day
$$;

-- The share answered within each time, over all that were received.
create or replace function onekey.measure_answer_curve(district text, from_day date, until_day date,
                                                       area_id bigint default null, is_raw boolean default false)
returns table (within_s integer, alarm numeric, water numeric, service numeric)
language sql stable as $$
    -- Limits are whole seconds, so answers count by the second that is full after them.
    with e as materialized (
        select e.class, ceil(e.answer_s) as answer_s, count(*) as n
        from onekey.episodes(district, from_day, until_day, area_id, is_raw) e
        where e.class in ('alarm', 'water', 'service') and e.mode = 'normal'
        group by 1, 2)
    select s.within_s,
           onekey.percent(coalesce(sum(e.n) filter (where e.class = 'alarm' and e.answer_s <= s.within_s), 0)::bigint,
                          (sum(e.n) filter (where e.class = 'alarm'))::bigint),
           onekey.percent(coalesce(sum(e.n) filter (where e.class = 'water' and e.answer_s <= s.within_s), 0)::bigint,
                          (sum(e.n) filter (where e.class = 'water'))::bigint),
           onekey.percent(coalesce(sum(e.n) filter (where e.class = 'service' and e.answer_s <= s.within_s), 0)::bigint,
                          (sum(e.n) filter (where e.class = 'service'))::bigint)
    from unnest(array[1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1800, 3600]) s(within_s)
    left join e on true
    group by s.within_s order by s.within_s
$$;

-- What the machine takes of the time, in the order of the way.
create or replace function onekey.measure_machine(district text, from_day date, until_day date, area_id bigint default null,
                                                  is_raw boolean default false)
returns table (stage text, n bigint, p50_s double precision, p90_s double precision, p99_s double precision,
               max_s double precision)
language sql stable as $$
    select s.stage, s.n, s.at[1], s.at[2], s.at[3], s.max_s
    from (
        select count(*) as n,
               count(e.travel_in_s) as n1, percentile_cont(array[0.5, 0.9, 0.99]) within group (order by e.travel_in_s) as at1,
               max(e.travel_in_s) as max1,
               count(e.raise_s) as n2, percentile_cont(array[0.5, 0.9, 0.99]) within group (order by e.raise_s) as at2,
               max(e.raise_s) as max2,
               count(e.present_s - e.raise_s) as n3,
               percentile_cont(array[0.5, 0.9, 0.99]) within group (order by e.present_s - e.raise_s) as at3,
               max(e.present_s - e.raise_s) as max3,
               count(e.present_s) as n4, percentile_cont(array[0.5, 0.9, 0.99]) within group (order by e.present_s) as at4,
               max(e.present_s) as max4
        from onekey.episodes(district, from_day, until_day, area_id, is_raw) e
        where e.mode <> 'test' and e.class in ('alarm', 'water', 'service') and e.episode = 1) g
    cross join lateral (values (1, 'pressed_received', g.n1, g.at1, g.max1), (2, 'received_raised', g.n2, g.at2, g.max2),
                               (3, 'raised_presented', g.n3, g.at3, g.max3),
                               (4, 'received_presented', g.n4, g.at4, g.max4)) s(place, stage, n, at, max_s)
    where g.n > 0 order by s.place
$$;

-- Each step by street-town; the row without one is all of them.
create or replace function onekey.measure_stages(district text, from_day date, until_day date, area_id bigint default null,
                                                 is_raw boolean default false)
returns table (stage text, street_town text, due bigint, taken bigint, p50_s double precision, p90_s double precision,
               within_target numeric)
language sql stable as $$
    select s.stage, g.street_town, s.due, s.taken, s.at[1], s.at[2], onekey.percent(s.in_time, s.due)
    from (
        select case when grouping(a.name_zh) = 0 then coalesce(a.name_zh, '-') end as street_town, grouping(a.name_zh) as is_sum,
               count(*) as due, count(e.dispatch_s) as sent,
               count(e.claim_s) as n1, count(*) filter (where e.claim_s <= 30) as in1,
               percentile_cont(array[0.5, 0.9]) within group (order by e.claim_s) as at1,
               count(e.answer_s) as n2, count(*) filter (where e.answer_s <= 60) as in2,
               percentile_cont(array[0.5, 0.9]) within group (order by e.answer_s) as at2,
               count(*) filter (where e.dispatch_s <= 60) as in3,
               percentile_cont(array[0.5, 0.9]) within group (order by e.dispatch_s) as at3,
               count(e.on_scene_s) filter (where e.dispatch_s is not null) as n4,
               count(*) filter (where e.dispatch_s is not null and e.on_scene_s <= 2700) as in4,
               percentile_cont(array[0.5, 0.9]) within group (order by e.on_scene_s)
                   filter (where e.dispatch_s is not null) as at4,
               count(e.verify_s) as n5, count(*) filter (where e.verify_s <= 3600) as in5,
               percentile_cont(array[0.5, 0.9]) within group (order by e.verify_s) as at5,
               count(e.close_s) as n6, count(*) filter (where e.close_s <= 14400) as in6,
               percentile_cont(array[0.5, 0.9]) within group (order by e.close_s) as at6
        from onekey.episodes(district, from_day, until_day, area_id, is_raw) e
        left join onekey.street_towns(measure_stages.district) a on a.area_id = e.area_id
        where e.mode = 'normal' and e.class in ('alarm', 'water')
        group by grouping sets ((), (a.name_zh))) g
    cross join lateral (values
        (1, 'claim', g.due, g.n1, g.in1, g.at1), (2, 'answer', g.due, g.n2, g.in2, g.at2),
        (3, 'dispatch', g.sent, g.sent, g.in3, g.at3), (4, 'on_scene', g.sent, g.n4, g.in4, g.at4),
        (5, 'verify', g.due, g.n5, g.in5, g.at5), (6, 'close', g.due, g.n6, g.in6, g.at6)) s(place, stage, due, taken, in_time, at)
    where s.due > 0
    order by s.place, g.is_sum desc, g.street_town
$$;

-- --- how true ---

create or replace function onekey.measure_false_alarms(district text, from_day date, until_day date,
                                                       area_id bigint default null, is_raw boolean default false)
returns table (kind text, device_kind text, rule text, closed bigint, false_alarms bigint, percent numeric)
language sql stable as $$
    select e.kind, e.device_kind, coalesce(e.rule, '-'), count(*), count(*) filter (where e.is_false),
           onekey.percent(count(*) filter (where e.is_false), count(*))
    from onekey.episodes(district, from_day, until_day, area_id, is_raw) e
    where e.is_closed and e.mode = 'normal' and e.class in ('alarm', 'water') and e.outcome <> 'merged'
    group by e.kind, e.device_kind, coalesce(e.rule, '-') order by count(*) desc, 1, 2, 3
$$;

create or replace function onekey.measure_outcomes(district text, from_day date, until_day date, area_id bigint default null,
                                                   is_raw boolean default false)
returns table (kind text, outcome text, closed bigint, percent numeric, is_false boolean)
language sql stable as $$
    select e.kind, e.outcome, count(*), round(100.0 * count(*) / sum(count(*)) over (partition by e.kind), 2), e.is_false
    from onekey.episodes(district, from_day, until_day, area_id, is_raw) e
    where e.is_closed
    group by e.kind, e.outcome, e.is_false order by e.kind, count(*) desc, e.outcome
$$;

create or replace function onekey.measure_verification(district text, from_day date, until_day date,
                                                       area_id bigint default null, is_raw boolean default false)
returns table (street_town text, closed bigint, verified bigint, percent numeric)
language sql stable as $$
    select case when grouping(a.name_zh) = 0 then coalesce(a.name_zh, '-') end, count(*),
           count(*) filter (where e.is_verified), onekey.percent(count(*) filter (where e.is_verified), count(*))
    from onekey.episodes(district, from_day, until_day, area_id, is_raw) e
    left join onekey.street_towns(measure_verification.district) a on a.area_id = e.area_id
    where e.is_closed and e.class = 'water' and e.outcome <> 'merged'
    group by grouping sets ((), (a.name_zh)) order by grouping(a.name_zh) desc, 1
$$;

create or replace function onekey.measure_unverified(district text, from_day date, until_day date,
                                                     area_id bigint default null, is_raw boolean default false)
returns table (ticket_id bigint, episode smallint, begins_at timestamptz, kind text, street_town text, outcome text,
               closed_by text)
language sql stable as $$
    select e.ticket_id, e.episode, e.begins_at, e.kind, coalesce(a.name_zh, '-'), e.outcome, e.closed_by
    from onekey.episodes(district, from_day, until_day, area_id, is_raw) e
    left join onekey.street_towns(measure_unverified.district) a on a.area_id = e.area_id
    where e.is_closed and e.class = 'water' and e.outcome <> 'merged' and not e.is_verified
    order by e.begins_at, e.ticket_id
$$;

-- --- how many ---

create or replace function onekey.measure_tickets(district text, from_day date, until_day date, area_id bigint default null,
                                                  is_raw boolean default false)
returns table (kind text, service_kind text, street_town text, device_kind text, tickets bigint)
language sql stable as $$
    select e.kind, e.service_kind, coalesce(a.name_zh, '-'), e.device_kind, count(*)
    from onekey.episodes(district, from_day, until_day, area_id, is_raw) e
    left join onekey.street_towns(measure_tickets.district) a on a.area_id = e.area_id
    where e.episode = 1
    group by 1, 2, 3, 4 order by count(*) desc, 1, 2, 3, 4
$$;

create or replace function onekey.measure_tickets_by_hour(district text, from_day date, until_day date,
                                                          area_id bigint default null, is_raw boolean default false)
returns table (weekday integer, hour integer, alarm bigint, water bigint, service bigint, technical bigint, care bigint)
language sql stable as $$
    with e as materialized (
        select l.class, extract(isodow from l.local_hour)::integer as weekday, extract(hour from l.local_hour)::integer as hour, l.n
        from (select e.class, date_trunc('hour', e.begins_at at time zone (select onekey.zone(measure_tickets_by_hour.district)))
                     as local_hour, count(*) as n
              from onekey.episodes(district, from_day, until_day, area_id, is_raw) e where e.episode = 1 group by 1, 2) l)
    select d.weekday, h.hour, coalesce(sum(e.n) filter (where e.class = 'alarm'), 0)::bigint,
           coalesce(sum(e.n) filter (where e.class = 'water'), 0)::bigint,
           coalesce(sum(e.n) filter (where e.class = 'service'), 0)::bigint,
           coalesce(sum(e.n) filter (where e.class = 'technical'), 0)::bigint,
           coalesce(sum(e.n) filter (where e.class = 'care'), 0)::bigint
    from generate_series(1, 7) d(weekday)
    cross join generate_series(0, 23) h(hour)
    left join e on e.weekday = d.weekday and e.hour = h.hour
    group by d.weekday, h.hour order by d.weekday, h.hour
$$;

create or replace function onekey.measure_repeats(district text, from_day date, until_day date, area_id bigint default null,
                                                  is_raw boolean default false)
returns table (tickets bigint, pressed_again bigint, reopened bigint, again_24h bigint, again_48h bigint,
               again_24h_percent numeric)
language sql stable as $$
    select count(*) filter (where r.episode = 1), count(*) filter (where r.episode = 1 and r.signal_count > 1),
           count(*) filter (where r.episode > 1),
           count(*) filter (where r.episode = 1 and r.begins_at - r.before_at <= interval '24 hours'),
           count(*) filter (where r.episode = 1 and r.begins_at - r.before_at <= interval '48 hours'),
           onekey.percent(count(*) filter (where r.episode = 1 and r.begins_at - r.before_at <= interval '24 hours'),
                          count(*) filter (where r.episode = 1))
    from (
        select e.day, e.episode, e.signal_count, e.begins_at, lag(e.begins_at) over (partition by e.household_id order by e.begins_at) as before_at
        from onekey.episodes(district, from_day - 2, until_day, area_id, is_raw) e
        where e.class in ('alarm', 'service') and e.mode <> 'test' and e.household_id is not null) r
    where r.day >= from_day
$$;

-- --- what was late ---

-- The limits of such a ticket: the row that says most holds, as in v_ticket_sla.
create or replace function onekey.limits_of(district text, kind text, service_kind text, priority smallint, area_id bigint)
returns table (measure text, breach_s integer)
language sql stable rows 4 security definer set search_path = onekey, pg_temp as $$
    select distinct on (p.measure) p.measure, p.breach_s
    from onekey.sla_policy p
    left join onekey.areas_above(limits_of.district, limits_of.area_id) a on a.id = p.area_id
    where p.district in (limits_of.district, '*') and p.kind = limits_of.kind and (p.area_id is null or a.id is not null)
      and coalesce(p.service_kind, limits_of.service_kind) = limits_of.service_kind
      and coalesce(p.priority, limits_of.priority) = limits_of.priority
    order by p.measure, a.steps, p.priority, p.service_kind, p.district = '*'
$$;

-- Each limit that was passed, with the stage that took most of the time.
create or replace function onekey.measure_breaches(district text, from_day date, until_day date, area_id bigint default null,
                                                   is_raw boolean default false)
returns table (ticket_id bigint, episode smallint, begins_at timestamptz, kind text, street_town text, measure text,
               limit_s integer, taken_s double precision, stage text, answered_by text)
language sql stable as $$
    with e as materialized (
        select e.ticket_id, e.episode, e.begins_at, e.kind, e.service_kind, e.priority, e.area_id, e.present_s, e.claim_s,
               e.answer_s, e.dispatch_s, e.on_scene_s, e.close_s, e.answered_by
        from onekey.episodes(district, from_day, until_day, area_id, is_raw) e where e.mode = 'normal'
    ), limited as materialized (
        -- Where no area has limits of its own, it does not matter where a ticket is.
        select count(*) > 0 as by_area from onekey.sla_policy p
        where p.district in (measure_breaches.district, '*') and p.area_id is not null
    ), limits as materialized (
        select c.kind, c.service_kind, c.priority, coalesce(c.area_id, 0) as area_id,
               min(l.breach_s) filter (where l.measure = 'present') as present_s,
               min(l.breach_s) filter (where l.measure = 'answer') as answer_s,
               min(l.breach_s) filter (where l.measure = 'dispatch') as dispatch_s,
               min(l.breach_s) filter (where l.measure = 'on_scene') as on_scene_s,
               min(l.breach_s) filter (where l.measure = 'close') as close_s
        from (select distinct e.kind, e.service_kind, e.priority, case when by_area then e.area_id end as area_id
              from e cross join limited) c
        cross join lateral onekey.limits_of(measure_breaches.district, c.kind, c.service_kind, c.priority, c.area_id) l
        group by 1, 2, 3, 4
    )
    select e.ticket_id, e.episode, e.begins_at, e.kind, coalesce(a.name_zh, '-'), p.measure, p.breach_s, p.taken_s,
           g.stage, e.answered_by
    from e cross join limited
    join limits l on (l.kind, l.service_kind, l.priority) = (e.kind, e.service_kind, e.priority)
                     and l.area_id = case when by_area then coalesce(e.area_id, 0) else 0 end
    left join onekey.street_towns(measure_breaches.district) a on a.area_id = e.area_id
    cross join lateral (select coalesce(e.close_s, onekey.seconds_between(e.begins_at, now())) as waited_s) w
    cross join lateral (values ('present', l.present_s, coalesce(e.present_s, e.claim_s, w.waited_s)),
                               ('answer', l.answer_s, coalesce(e.answer_s, w.waited_s)), ('dispatch', l.dispatch_s, e.dispatch_s),
                               ('on_scene', l.on_scene_s, e.on_scene_s),
                               ('close', l.close_s, coalesce(e.close_s, w.waited_s))) p(measure, breach_s, taken_s)
    cross join lateral (
        select s.stage from (values
            ('present', e.present_s),
            ('claim', coalesce(e.claim_s, p.taken_s) - coalesce(e.present_s, 0)),
            ('answer', coalesce(e.answer_s, p.taken_s) - coalesce(e.claim_s, p.taken_s)),
            ('dispatch', case when p.measure in ('dispatch', 'close') then e.dispatch_s end),
            ('on_scene', case when p.measure in ('on_scene', 'close') then e.on_scene_s end),
            ('close', case when p.measure = 'close' then p.taken_s - coalesce(e.answer_s + coalesce(e.dispatch_s, 0)
                                                                  + coalesce(e.on_scene_s, 0), p.taken_s) end)) s(stage, part_s)
        where s.part_s is not null order by s.part_s desc limit 1) g
    where p.taken_s > p.breach_s
      -- Most are in time: they are not to be looked at limit by limit.
      and (coalesce(e.present_s, e.claim_s, w.waited_s) > l.present_s or coalesce(e.answer_s, w.waited_s) > l.answer_s
           or e.dispatch_s > l.dispatch_s or e.on_scene_s > l.on_scene_s or coalesce(e.close_s, w.waited_s) > l.close_s)
    order by e.begins_at, e.ticket_id, p.measure
$$;

-- --- load ---

-- Claims of each operator in periods of ten minutes in which there was one.
create or replace function onekey.measure_load(district text, from_day date, until_day date, area_id bigint default null,
                                               is_raw boolean default false)
returns table (operator text, periods bigint, mean numeric, most bigint, floods bigint, flood_percent numeric)
language sql stable as $$
    select l.claimed_by, count(*), round(avg(l.n), 2), max(l.n), count(*) filter (where l.n >= 10),
           onekey.percent(count(*) filter (where l.n >= 10), count(*))
    from (
        select e.claimed_by, date_bin('10 minutes', e.begins_at + e.claim_s * interval '1 s', 'epoch') as period, count(*) as n
        from onekey.episodes(district, from_day, until_day, area_id, is_raw) e
        where e.claimed_by is not null and e.class <> 'care' group by 1, 2) l
    group by l.claimed_by order by max(l.n) desc, l.claimed_by
$$;

create or replace function onekey.device_name(district text, device_id bigint) returns text
language sql stable security definer set search_path = onekey, pg_temp as $$
    select d.protocol || ':' || d.identity from onekey.device d
    where d.district = device_name.district and d.id = device_name.device_id
$$;

-- The devices that give most of the tickets, with their share and that of all before them.
create or replace function onekey.measure_sources(district text, from_day date, until_day date, area_id bigint default null,
                                                  is_raw boolean default false)
returns table (device text, device_kind text, tickets bigint, signals bigint, percent numeric, percent_so_far numeric)
language sql stable as $$
    with d as (
        select e.device_id, e.device_kind, count(*) as tickets, sum(e.signal_count)::bigint as signals,
               sum(count(*)) over () as whole
        from onekey.episodes(district, from_day, until_day, area_id, is_raw) e
        where e.episode = 1 and e.device_id is not null and e.class in ('alarm', 'water', 'technical') group by 1, 2
    ), ranked as (
        select d.*, row_number() over w as place, sum(d.tickets) over w as so_far from d
        window w as (order by d.tickets desc, d.device_id)
    )
    select onekey.device_name(measure_sources.district, r.device_id), r.device_kind, r.tickets, r.signals,
           round(100 * r.tickets / r.whole, 2), round(100 * r.so_far / r.whole, 2)
    from ranked r where r.place <= 20 order by r.place
$$;

-- Devices that gave three signals or more within a minute.
create or replace function onekey.measure_chattering(district text, from_day date, until_day date,
                                                     area_id bigint default null, is_raw boolean default false)
returns table (device text, minutes bigint, most_in_minute bigint, signals bigint)
language sql stable security definer set search_path = onekey, pg_temp as $$
    select c.protocol || ':' || c.identity, count(*), max(c.n), sum(c.n)::bigint
    from (
        select s.protocol, s.identity, date_bin('1 minute', s.received_at, 'epoch') as minute, count(*) as n
        from onekey.signal s
        left join onekey.device d on d.district = s.district and d.protocol = s.protocol and d.identity = s.identity
        left join onekey.household h on h.district = d.district and h.id = d.household_id
        cross join onekey.report_areas(measure_chattering.district, measure_chattering.area_id) a(ids)
        where s.district = measure_chattering.district
          and s.received_at >= (select onekey.day_begins(measure_chattering.district, from_day))
          and s.received_at < (select onekey.day_begins(measure_chattering.district, until_day))
          and (a.ids is null or h.area_id = any (a.ids))
        group by 1, 2, 3 having count(*) >= 3) c
    group by 1 order by sum(c.n) desc, 1 limit 100
$$;

-- Per operator; hidden below 20, where a figure says more of chance than of a person.
create or replace function onekey.measure_operators(district text, from_day date, until_day date,
                                                    area_id bigint default null, is_raw boolean default false)
returns table (operator text, handled bigint, p50_s double precision, p90_s double precision, held bigint,
               handed_over bigint, reopened bigint)
language sql stable as $$
    select e.answered_by, count(*), percentile_cont(0.5) within group (order by e.answer_s),
           percentile_cont(0.9) within group (order by e.answer_s), sum(e.held)::bigint, sum(e.handed_over)::bigint,
           count(*) filter (where e.episode > 1)
    from onekey.episodes(district, from_day, until_day, area_id, is_raw) e
    where e.answered_by is not null and e.mode = 'normal' and e.class in ('alarm', 'water', 'service')
    group by e.answered_by having count(*) >= 20 order by count(*) desc, e.answered_by
$$;

-- --- devices ---

-- Minutes in which a device was known lost, of all its minutes. A loss that began before the days counts from their start.
create or replace function onekey.measure_devices(district text, from_day date, until_day date, area_id bigint default null,
                                                  is_raw boolean default false)
returns table (device_kind text, street_town text, devices bigint, losses bigint, lost_over_24h bigint,
               lost_now bigint, available numeric)
language sql stable security definer set search_path = onekey, pg_temp set enable_nestloop = off as $$
    with bounds as materialized (
        select onekey.day_begins(measure_devices.district, from_day) as from_at,
               least(onekey.day_begins(measure_devices.district, until_day), now()) as until_at,
               onekey.report_areas(measure_devices.district, measure_devices.area_id) as areas
    ), one as materialized (
        select onekey.seconds_between(b.from_at, b.until_at) as window_s from bounds b
    ), losses as materialized (
        select t.device_id, count(*) as losses, count(*) filter (where t.state <> 'closed') as lost_now,
               sum(onekey.seconds_between(greatest(t.received_at, b.from_at), least(t.closed_at, b.until_at))) as lost_s,
               count(*) filter (where least(t.closed_at, b.until_at) - t.received_at > interval '24 hours') as over_24h
        from onekey.ticket t cross join bounds b
        where t.district = measure_devices.district and t.kind = 'device_lost' and t.received_at < b.until_at
          and coalesce(t.closed_at, 'infinity') > b.from_at
        group by t.device_id
    )
    select d.kind, coalesce(a.name_zh, '-'), count(*), coalesce(sum(l.losses), 0)::bigint,
           coalesce(sum(l.over_24h), 0)::bigint, count(*) filter (where l.lost_now > 0),
           round((100 * (1 - sum(least(coalesce(l.lost_s, 0), o.window_s)) / nullif(sum(o.window_s), 0)))::numeric, 3)
    from onekey.device d
    join onekey.household h on h.district = d.district and h.id = d.household_id
    cross join bounds b
    cross join one o
    left join losses l on l.device_id = d.id
    left join onekey.street_towns(measure_devices.district) a on a.area_id = h.area_id
    where d.district = measure_devices.district and (b.areas is null or h.area_id = any (b.areas))
    group by 1, 2 order by 1, 2
$$;

-- --- the silence detector ---

drop function if exists onekey.quiet_hours(text, bigint); -- of an earlier version

create or replace function onekey.metered_homes(district text, area_id bigint) returns numeric
language sql stable security definer set search_path = onekey, pg_temp as $$
    select count(distinct d.household_id) from onekey.device d
    join onekey.household h on h.district = d.district and h.id = d.household_id
    cross join onekey.report_areas(metered_homes.district, metered_homes.area_id) a(ids)
    where d.district = metered_homes.district and d.kind = 'meter' and (a.ids is null or h.area_id = any (a.ids))
$$;

create or replace function onekey.measure_silence(district text, from_day date, until_day date, area_id bigint default null,
                                                  is_raw boolean default false)
returns table (rule text, alarms bigint, open bigint, true_alarms bigint, false_alarms bigint, false_percent numeric,
               home_years numeric, alarms_per_home_year numeric, quiet_hours_p50 double precision)
language sql stable as $$
    with homes as materialized (
        select onekey.metered_homes(measure_silence.district, measure_silence.area_id)
               * (least(until_day, (now() at time zone onekey.zone(measure_silence.district))::date + 1) - from_day) / 365.25 as years
    )
    select coalesce(e.rule, '-'), count(*), count(*) filter (where not e.is_closed), count(*) filter (where not e.is_false),
           count(*) filter (where e.is_false),
           onekey.percent(count(*) filter (where e.is_false), count(*) filter (where e.is_closed)),
           round(m.years, 2), round(count(*) / nullif(m.years, 0), 2),
           -- How long no water had run when it was told, by the detector's own account; null where it gave none.
           percentile_cont(0.5) within group (
               order by case when jsonb_typeof(t.detail -> 'quiet_hours') = 'number' then (t.detail ->> 'quiet_hours')::double precision end)
    from onekey.episodes(district, from_day, until_day, area_id, is_raw) e
    join onekey.ticket t on t.district = measure_silence.district and t.id = e.ticket_id
    cross join homes m
    where e.kind = 'silence' and e.episode = 1
    group by coalesce(e.rule, '-'), m.years order by count(*) desc, 1
$$;

-- --- the customer's own table ---

drop function if exists onekey.care_calls(text, date, date, bigint); -- of an earlier version

create or replace function onekey.measure_services(district text, from_day date, until_day date, area_id bigint default null,
                                                   is_raw boolean default false)
returns table (service text, services bigint, percent numeric)
language sql stable as $$
    with tickets as materialized (
        select case when e.kind in ('panic', 'fall', 'unreadable') then 'rescue' when e.kind = 'care_call' then 'care_call'
                    else e.service_kind end as service, count(*) as n
        from onekey.episodes(district, from_day, until_day, area_id, is_raw) e
        where e.episode = 1 and e.mode <> 'test' and (e.class in ('alarm', 'service', 'care') and e.kind <> 'wander')
        group by 1
        union all
        select 'care_call', sum(c.calls) from onekey.care_days(measure_services.district, from_day, until_day, measure_services.area_id, is_raw) c
    ), served as materialized (
        select k.name::text, coalesce((select sum(t.n) from tickets t where t.service = k.name), 0)::bigint as n
        from onekey.service_kind k where k.name <> 'none'
    )
    select d.name, d.n, onekey.percent(d.n, (sum(d.n) over ())::bigint)
    from served d
    order by array_position(array['care_call', 'rescue', 'taxi', 'registration', 'consult', 'life_care', 'other'], d.name)
$$;

-- --- the tickets themselves ---

create or replace function onekey.measure_list(district text, from_day date, until_day date, area_id bigint default null,
                                               is_raw boolean default false)
returns table (ticket_id bigint, episode smallint, begins_at timestamptz, kind text, service_kind text, street_town text,
               device_kind text, mode text, present_s double precision, claim_s double precision,
               answer_s double precision, dispatch_s double precision, on_scene_s double precision,
               close_s double precision, outcome text, answered_by text)
language sql stable as $$
    select e.ticket_id, e.episode, e.begins_at, e.kind, e.service_kind, coalesce(a.name_zh, '-'), e.device_kind, e.mode,
           e.present_s, e.claim_s, e.answer_s, e.dispatch_s, e.on_scene_s, e.close_s, e.outcome, e.answered_by
    from onekey.episodes(district, from_day, until_day, area_id, is_raw) e
    left join onekey.street_towns(measure_list.district) a on a.area_id = e.area_id
    order by e.begins_at, e.ticket_id
$$;

-- --- one way in for people ---

drop view if exists onekey.v_word;
create view onekey.v_word as
select list, name, name_zh, name_en from onekey.report_word
union all select 'kind', name, name_zh, name_en from onekey.ticket_kind
union all select 'service', name, name_zh, name_en from onekey.service_kind
union all select 'class', name, name_zh, name_en from onekey.ticket_class
union all select 'task', name, name_zh, name_en from onekey.care_task
union all select distinct on (name) 'outcome', name, name_zh, name_en from onekey.outcome;
comment on view onekey.v_word is 'Words that stand in the rows of measures, as people read them';

-- All that a reader needs to show measures: in its language, with targets and the words of their values.
create or replace function onekey.report_catalog(district text, language text) returns json
language sql stable security definer set search_path = onekey, pg_temp as $$
    select json_agg(json_build_object(
        'name', m.name, 'chart', m.chart, 'on_demand', m.on_demand, 'needs', m.needs_command,
        'title', case language when 'zh' then m.title_zh else m.title_en end,
        'definition', case language when 'zh' then m.definition_zh else m.definition_en end, 'source', m.source,
        'columns', (
            select json_agg(json_build_object(
                'name', c.name, 'unit', c.unit, 'is_label', c.is_label,
                'title', case language when 'zh' then c.title_zh else c.title_en end,
                'words', (select json_object_agg(w.name, case language when 'zh' then w.name_zh else w.name_en end)
                          from onekey.v_word w where w.list = c.words),
                'target', (select json_build_object('value', t.value, 'source', t.source) from onekey.report_target t
                           where t.measure = m.name and t.name = c.name and t.district in (report_catalog.district, '*')
                           order by t.district = '*' limit 1)) order by c.position)
            from onekey.measure_column c where c.measure = m.name)) order by m.position)
    from onekey.measure m
$$;
comment on function onekey.report_catalog(text, text) is 'The measures with titles, columns, targets and words, in zh or en';


create or replace function onekey.definitions_version() returns text
language sql stable security definer set search_path = onekey, pg_temp as $$
    select left(md5(string_agg(p.prosrc, '' order by p.proname)), 8) from pg_proc p
    where p.pronamespace = 'onekey'::regnamespace
      and (p.proname like 'measure\_%' or p.proname in ('episodes', 'episodes_of', 'open_episodes', 'care_days', 'care_of'))
$$;
comment on function onekey.definitions_version() is
    'Changes whenever a definition of a measure does: two reports with the same one mean the same by their figures';

-- The rows of a measure, each as JSON in the order of its columns; none, and an entry in the audit, for whom it is not.
create or replace function onekey.read_measure(measure text, district text, from_day date, until_day date,
                                               area_id bigint default null, is_raw boolean default false)
-- Compiling such statements takes longer than running them.
returns setof json language plpgsql security definer set search_path = onekey, pg_temp set jit = off set work_mem = '64MB' as $$
#variable_conflict use_variable
declare
    known onekey.measure;
begin
    select * into known from onekey.measure m where m.name = measure;
    if known.name is null then
        raise exception 'there is no measure %', measure using errcode = 'invalid_parameter_value';
    elsif until_day <= from_day then
        raise exception 'the days end (%) before they begin (%)', until_day, from_day
            using errcode = 'invalid_parameter_value';
    end if;
    if (onekey.who()).name is not null and not onekey.may(known.needs_command, district, 'measure:' || measure)
       or not exists (select from onekey.scope() s where s.everything or s.district = read_measure.district) then
        return;
    end if;
    return query execute format('select row_to_json(m) from onekey.%I($1, $2, $3, $4, $5) m', 'measure_' || known.name)
        using district, from_day, until_day, area_id, is_raw;
end $$;
comment on function onekey.read_measure(text, text, date, date, bigint, boolean) is
    'The rows of a measure for the days [from_day, until_day), as far as whoever asks may see';

select onekey.grant_execute(p.proname::text)
from pg_proc p where p.pronamespace = 'onekey'::regnamespace and p.proname like 'measure\_%';
select onekey.grant_execute(name)
from unnest(array['finite', 'percent', 'street_towns', 'limits_of', 'device_name', 'metered_homes']) name;
select onekey.grant_execute('read_measure', 'onekey_report', 'onekey_console');
select onekey.grant_execute('report_catalog', 'onekey_report', 'onekey_console');
select onekey.grant_execute('definitions_version', 'onekey_report', 'onekey_console');
select onekey.grant_to('select on onekey.measure, onekey.measure_column, onekey.report_target, onekey.v_word', 'onekey_report', 'onekey_console');
