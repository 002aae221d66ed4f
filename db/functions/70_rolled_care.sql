-- What the measures count of care: contacts by the day on which their promise fell due, calls by that on which they were
-- made. Closed days are summarised once, as those of 70_episodes.sql.

-- Care of a time by day, task and area, as the contacts now say. In plpgsql and without nested loops for the reasons of
-- episodes_of().
create or replace function onekey.care_of(district text, from_at timestamptz, until_at timestamptz)
returns setof onekey.care_day language plpgsql stable set search_path = onekey, pg_temp set enable_nestloop = off as $$
begin
    return query execute $query$
    select $1, c.day, c.task, c.area_id, sum(c.due)::integer, sum(c.done)::integer, sum(c.in_time)::integer, sum(c.calls)::integer
    from (
        -- A promise is of one plan and time; several contacts may be about it.
        select (p.due_at at time zone $4)::date as day, p.task, p.area_id, count(*) as due, count(*) filter (where p.done) as done,
               count(*) filter (where p.in_time) as in_time, 0 as calls
        from (select c.due_at, c.task, c.area_id, bool_or(c.is_done) as done,
                     bool_or(c.is_done and c.at <= c.on_time_until) as in_time
              from onekey.care_contact c
              where c.district = $1 and c.due_at >= $2 and c.due_at < $3 and c.at >= $2 - interval '1 year'
              group by c.plan_id, c.due_at, c.task, c.area_id) p
        group by 1, 2, 3
        union all
        select (c.at at time zone $4)::date, c.task, c.area_id, 0, 0, 0, count(*)
        from onekey.care_contact c
        join onekey.care_task t on t.name = c.task and not t.is_visit
        where c.district = $1 and c.is_done and c.at >= $2 and c.at < $3
        group by 1, 2, 3) c
    group by c.day, c.task, c.area_id
    $query$ using care_of.district, from_at, until_at, onekey.zone(care_of.district);
end $$;

-- Summarised days with a contact since; as stale_days().
create or replace function onekey.stale_care(district text) returns setof date
language sql stable set search_path = onekey, pg_temp as $$
    with touched as (
        select d.day, max(c.at) as at
        from onekey.care_contact c
        cross join lateral (values ((c.at at time zone (select onekey.zone(stale_care.district)))::date),
                                   ((c.due_at at time zone (select onekey.zone(stale_care.district)))::date)) d(day)
        where c.district = stale_care.district and c.at >= coalesce(
            (select m.events_until from onekey.roll_up_mark m where m.district = stale_care.district), '-infinity')
            - interval '1 hour'
        group by d.day
    )
    select r.day from onekey.rolled_care r where r.district = stale_care.district and r.is_stale
    union
    select r.day from touched h
    join onekey.rolled_care r on r.district = stale_care.district and r.day = h.day and r.rolled_at - interval '1 hour' <= h.at
$$;

-- Summarises the care of days before today that was not yet, or has changed since; at most so many days. Called by
-- roll_up_days(), which looks that nobody else does.
create or replace function onekey.roll_up_care(district text, days integer, today date) returns void
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    began timestamptz := clock_timestamp();
    first_day date;
    wanted date[];
begin
    update onekey.rolled_care r set is_stale = true
    where r.district = roll_up_care.district and r.day in (select onekey.stale_care(district)) and not r.is_stale;
    select coalesce((select min(r.day) from onekey.rolled_care r where r.district = roll_up_care.district),
                    ((select min(c.due_at) from onekey.care_contact c where c.district = roll_up_care.district)
                     at time zone onekey.zone(district))::date) into first_day;
    select array_agg(d.day order by d.day) into wanted
    from (select d::date as day from generate_series(first_day, today - 1, interval '1 day') d
          where not exists (select from onekey.rolled_care r where r.district = roll_up_care.district
                            and r.day = d::date and not r.is_stale)
          order by d limit days) d;
    delete from onekey.care_day c where c.district = roll_up_care.district and c.day = any (wanted);
    insert into onekey.care_day
    select c.* from onekey.runs_of(district, wanted) r cross join lateral onekey.care_of(district, r.from_at, r.until_at) c;
    insert into onekey.rolled_care as r select district, w.day, began from unnest(wanted) w(day)
    on conflict on constraint rolled_care_pkey do update set rolled_at = excluded.rolled_at, is_stale = false;
end $$;

-- Care of the days [from_day, until_day) as far as whoever asks may see it: as episodes().
create or replace function onekey.care_days(district text, from_day date, until_day date, area_id bigint default null,
                                            is_raw boolean default false)
returns setof onekey.care_day language plpgsql stable set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    areas bigint[] := onekey.report_areas(district, area_id);
    open date[] := array(
        select d::date from generate_series(from_day, until_day - 1, interval '1 day') d
        where is_raw
           or not exists (select from onekey.rolled_care r where r.district = care_days.district and r.day = d::date)
           or d::date in (select onekey.stale_care(district)));
begin
    return query
    select c.* from onekey.care_day c
    where c.district = care_days.district and c.day >= from_day and c.day < until_day and c.day <> all (open)
      and (areas is null or c.area_id = any (areas))
    union all
    select c.* from onekey.runs_of(district, open) r cross join lateral onekey.care_of(district, r.from_at, r.until_at) c
    where areas is null or c.area_id = any (areas);
end $$;

select onekey.grant_execute(name) from unnest(array['care_of', 'stale_care', 'roll_up_care', 'care_days']) name;
