-- Disaster mode. Begun and ended by a supervisor. While it lasts tickets about devices (a meter that fell silent, a battery)
-- are less urgent by an offset; what a person pressed, fell or did not use is never touched. Every screen tells it, and the
-- statistics keep apart what began meanwhile.

-- How much less urgent a ticket of that kind and place is now.
create or replace function onekey.disaster_offset(district text, kind text, area_id bigint) returns integer
language sql stable set search_path = onekey, pg_temp as $$
    select coalesce(max(d.priority_offset), 0)::integer
    from onekey.disaster d
    where d.district = disaster_offset.district and d.ended_at is null
      and disaster_offset.kind in ('device_lost', 'low_battery', 'mains_lost', 'tamper')
      and (d.area_id is null or d.area_id in (select a.id from onekey.areas_above(disaster_offset.district, disaster_offset.area_id) a))
$$;

-- The batch with the priorities that disaster mode gives. Most of the time there is none, and nothing is done.
create or replace function onekey.lower_devices(district text, batch onekey.incoming[]) returns onekey.incoming[]
language plpgsql stable as $$
#variable_conflict use_variable
declare
    item onekey.incoming;
    lowered onekey.incoming[] := '{}';
begin
    if not exists (select from onekey.disaster d where d.district = lower_devices.district and d.ended_at is null) then
        return batch;
    end if;
    foreach item in array batch loop
        item.priority := least(5, item.priority + onekey.disaster_offset(district, item.ticket_kind, item.area_id));
        lowered := lowered || item;
    end loop;
    return lowered;
end $$;

-- What waits already and nobody has taken up is lowered too, each with an event.
create or replace function onekey.lower_waiting(district text) returns integer
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    lowered bigint[];
begin
    with wanted as (
        select t.id, least(5, k.priority + onekey.disaster_offset(t.district, t.kind, t.area_id))::smallint as priority
        from onekey.ticket t join onekey.ticket_kind k on k.name = t.kind
        where t.district = lower_waiting.district and t.state = 'open' and t.claimed_by is null
          and t.kind in ('device_lost', 'low_battery', 'mains_lost', 'tamper')
        order by t.subject, t.kind, t.service_kind for no key update of t
    ), changed as (
        update onekey.ticket t set priority = w.priority from wanted w
        where t.district = lower_waiting.district and t.id = w.id and t.priority < w.priority
        returning t.id, t.priority
    ), told as (
        insert into onekey.ticket_event (district, ticket_id, kind, actor, detail)
        select district, c.id, 'priority_lowered', (onekey.who()).name, jsonb_build_object('priority', c.priority)
        from changed c
    )
    select array_agg(c.id) into lowered from changed c;
    perform onekey.notify_tickets(district, lowered);
    return coalesce(cardinality(lowered), 0);
end $$;

-- Begins it: {reason, area or area_id, priority_offset}; with {id, remove} ends it.
create or replace function onekey.set_disaster(district text, wanted jsonb) returns bigint
language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    me text := (onekey.who()).name;
    known bigint := (wanted ->> 'id')::bigint;
    area bigint := coalesce((wanted ->> 'area_id')::bigint, (
        select a.id from onekey.area a where a.district = set_disaster.district and a.code = wanted ->> 'area'));
begin
    if not onekey.is_owner() and not onekey.may('set_disaster', district, concat('disaster:', known)) then
        return null;
    elsif known is null and area is null and wanted ->> 'area' is not null then
        raise exception 'the district has no such area' using errcode = 'invalid_parameter_value';
    end if;
    if known is not null then
        select d.area_id into area from onekey.disaster d where d.district = set_disaster.district and d.id = known;
    end if;
    -- Who answers for some areas only, answers for no other.
    if not onekey.is_owner() and not onekey.answers_for(district, area) then
        perform onekey.audit_entry(district, 'set_disaster', concat('disaster:', known), false);
        return null;
    elsif known is null then
        update onekey.disaster d
        set reason = coalesce(left(btrim(wanted ->> 'reason'), 200), d.reason),
            priority_offset = coalesce((wanted ->> 'priority_offset')::smallint, d.priority_offset)
        where d.district = set_disaster.district and d.area_id is not distinct from area and d.ended_at is null
        returning d.id into known;
        if known is null then
            insert into onekey.disaster as d (district, area_id, reason, priority_offset, started_by)
            values (district, area, left(btrim(wanted ->> 'reason'), 200),
                    coalesce((wanted ->> 'priority_offset')::smallint, 1), me)
            returning d.id into known;
        end if;
        perform onekey.lower_waiting(district);
    else
        update onekey.disaster d set ended_at = clock_timestamp(), ended_by = me
        where d.district = set_disaster.district and d.id = known and d.ended_at is null
          and coalesce((wanted ->> 'remove')::boolean, false)
        returning d.id into known;
    end if;
    if known is not null then
        perform onekey.audit_entry(district, 'set_disaster', 'disaster:' || known, true, wanted);
        perform pg_notify('onekey_people', district);
    end if;
    return known;
end $$;
comment on function onekey.set_disaster(text, jsonb) is
    'Begins disaster mode (reason, area or area_id, priority_offset) or ends it (id, remove). Its number; null: refused, or there is none such';

-- Whether all of that area, or with null all of the district, is within what whoever acts answers for.
create or replace function onekey.answers_for(district text, area_id bigint) returns boolean
language sql stable set search_path = onekey, pg_temp as $$
    select exists (select from onekey.scope() s
                   where s.everything or s.district = answers_for.district
                         and (s.areas is null or answers_for.area_id = any (s.areas)))
$$;

-- Those that go on, for every screen of the district.
create or replace function onekey.disasters_now(district text) returns jsonb
language sql stable security definer set search_path = onekey, pg_temp as $$
    select coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'reason', d.reason, 'area_id', d.area_id, 'area_zh', a.name_zh,
        'area_en', coalesce(a.name_en, a.name_zh), 'priority_offset', d.priority_offset, 'started_at', d.started_at,
        'started_by', d.started_by) order by d.started_at, d.id), '[]')
    from onekey.disaster d left join onekey.area a on a.district = d.district and a.id = d.area_id
    where d.district = disasters_now.district and d.ended_at is null
$$;

select onekey.grant_execute('set_disaster', 'onekey_console');
select onekey.grant_execute('disasters_now', 'onekey_console');
select onekey.grant_execute(name) from unnest(array['disaster_offset', 'lower_devices', 'lower_waiting', 'answers_for']) name;
