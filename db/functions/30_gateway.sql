-- What else a gateway does with the database: it says that it runs, stores readings, parks what
-- cannot be stored, and reads which devices there are.

create or replace function onekey.gateway_started(gateway text, district text, version text)
returns void language sql security definer set search_path = onekey, pg_temp as $$
    insert into onekey.gateway as g (district, name, version)
    values (gateway_started.district, gateway_started.gateway, gateway_started.version)
    on conflict (district, name) do update set version = excluded.version, started_at = excluded.started_at
$$;
comment on function onekey.gateway_started(text, text, text) is 'Called once a connection: the gateway runs';

-- Idempotent by (gateway, number, received_at), as raise_tickets() is. Returns how many were new.
create or replace function onekey.store_readings(
    gateway text, district text, numbers bigint[], protocols text[], identities text[], ats timestamptz[],
    received_ats timestamptz[], totals_ml bigint[], intervals_ml bigint[], intervals_s integer[],
    batteries integer[], flag_lists text[])
returns bigint language plpgsql security definer set search_path = onekey, pg_temp as $$
declare
    stored bigint;
begin
    insert into onekey.meter_reading (district, gateway, number, received_at, protocol, identity, at, total_ml,
                                      interval_ml, interval_s, battery_percent, flags)
    select store_readings.district, store_readings.gateway, r.number, r.received_at, r.protocol, r.identity, r.at,
           r.total_ml, r.interval_ml, r.interval_s, r.battery, onekey.flag_set(r.flags)
    from unnest(numbers, protocols, identities, ats, received_ats, totals_ml, intervals_ml, intervals_s,
                batteries, flag_lists)
         as r(number, protocol, identity, at, received_at, total_ml, interval_ml, interval_s, battery, flags)
    on conflict do nothing;
    get diagnostics stored = row_count;
    return stored;
end $$;
comment on function onekey.store_readings(text, text, bigint[], text[], text[], timestamptz[], timestamptz[],
                                          bigint[], bigint[], integer[], integer[], text[]) is
    'Stores a batch of meter readings; flag_lists are space-separated names';

-- A record that the database refuses: kept as it is, and told to people by a ticket `unreadable` flagged `rejected`,
-- of low priority if it is only a reading. Idempotent. Takes any word for protocol, identity and kind. Returns the ticket.
create or replace function onekey.reject(gateway text, district text, number bigint, received_at timestamptz,
                                         protocol text, identity text, kind text, error text, raw bytea)
returns bigint language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    taken_at timestamptz := case when isfinite(received_at) then received_at else clock_timestamp() end;
    batch onekey.incoming[];
    known bigint;
begin
    perform pg_advisory_xact_lock(hashtext('onekey.gateway'), hashtext(district || ' ' || gateway));
    select r.ticket_id into known from onekey.rejected r
    where r.district = reject.district and r.gateway = reject.gateway and r.number = reject.number
      and r.received_at = taken_at;
    if found then
        return known;
    end if;
    batch := onekey.resolve_signals(
        gateway, district, array[number], array[protocol], array[identity], array['unreadable'],
        array[null::text], array['rejected'], array[null::timestamptz], array[taken_at], array[raw],
        array[jsonb_strip_nulls(jsonb_build_object('error', error, 'kind', kind))]);
    if kind = 'reading' then
        batch[1].priority := 4;
    end if;
    select t.ticket_id into known from onekey.open_or_bump(gateway, district, batch) t;
    insert into onekey.rejected (district, gateway, number, received_at, protocol, identity, kind, error, raw, ticket_id)
    values (district, gateway, number, taken_at, protocol, identity, kind, error, raw, known);
    return known;
end $$;
comment on function onekey.reject(text, text, bigint, timestamptz, text, text, text, text, bytea) is
    'Parks a record that cannot be stored and raises a ticket for it';

drop function if exists onekey.registry(text);
drop function if exists onekey.registry_of(text, bigint[]);
drop view if exists onekey.v_registry;
create view onekey.v_registry as
    with recursive path as (
        select a.district, a.id, a.parent_id, a.code as path from onekey.area a where a.parent_id is null
        union all
        select a.district, a.id, a.parent_id, p.path || '/' || a.code
        from path p join onekey.area a on a.district = p.district and a.parent_id = p.id
    ), stretch as ( -- absences of a home, or of one meter, that touch or overlap are one
        select a.*, sum(a.starts) over (partition by a.district, a.household_id, a.device_id order by a.from_at) as place
        from (select district, household_id, device_id, from_at, until_at,
                     case when from_at <= max(coalesce(until_at, 'infinity')) over (
                         partition by district, household_id, device_id order by from_at
                         rows between unbounded preceding and 1 preceding) then 0 else 1 end as starts
              from onekey.absence where until_at is null or until_at > clock_timestamp()) a
    ), absent as (
        select s.district, s.household_id, s.device_id, min(s.from_at) as from_at,
               nullif(max(coalesce(s.until_at, 'infinity')), 'infinity') as until_at
        from stretch s where s.place = 1 group by s.district, s.household_id, s.device_id
    )
    select d.district, d.protocol, d.identity, d.kind::text, d.id as device_id, h.id as household_id,
           h.code as household, h.area_id, path.parent_id as parent_area_id, path.path as area_path,
           d.report_interval_s, d.supervision_s, d.carrier, d.secret,
           h.silence_scheme, h.silence_litres, h.silence_hours, absent.from_at as absent_from,
           absent.until_at as absent_until, worked_on.from_at as worked_on_from,
           worked_on.until_at as worked_on_until, h.longitude, h.latitude
    from onekey.device d
    left join onekey.household h on h.district = d.district and h.id = d.household_id
    left join path on path.district = h.district and path.id = h.area_id
    left join absent on absent.district = h.district and absent.household_id = h.id and absent.device_id is null
    left join absent worked_on on worked_on.district = d.district and worked_on.household_id = d.household_id
                              and worked_on.device_id = d.id;
comment on view onekey.v_registry is
    'Devices with what a gateway must know about each; absent_*: the absence of now, or the next; worked_on_*: the same of this meter''s maintenance. Holds secrets: for registry() alone';

create function onekey.registry(district text) returns setof onekey.v_registry
language sql stable security definer set search_path = onekey, pg_temp as $$
    select * from onekey.v_registry r where r.district = registry.district
$$;
comment on function onekey.registry(text) is 'All devices of a district, for its gateways';

create function onekey.registry_of(district text, device_ids bigint[]) returns setof onekey.v_registry
language sql stable security definer set search_path = onekey, pg_temp set enable_seqscan = off set jit = off as $$
    select * from onekey.v_registry r where r.district = registry_of.district and r.device_id = any (device_ids)
$$;
comment on function onekey.registry_of(text, bigint[]) is 'The same for these devices; those that are gone are not among the rows';

-- Gateways read the changed parts of the registry again: "DISTRICT ID ID ..." names the devices, "DISTRICT"
-- alone says that any may have changed, as after an import (set onekey.bulk) or where the ids would not
-- fit into a notice. Equal notices of one transaction are sent once. Soft state (last_seen and so on) is no part of it.
create or replace function onekey.notify_registry() returns trigger language plpgsql as $$
declare
    changed record;
    home bigint;
    notice text;
begin
    if tg_op = 'DELETE' then changed := old; else changed := new; end if;
    notice := changed.district;
    if current_setting('onekey.bulk', true) = 'on' or tg_table_name = 'area' then
        null;
    elsif tg_table_name = 'device' then
        notice := concat(changed.district, ' ', changed.id);
    else
        if tg_table_name = 'household' then home := changed.id; else home := changed.household_id; end if;
        select concat(changed.district, ' ', string_agg(d.id::text, ' ' order by d.id)) into notice
        from onekey.device d where d.district = changed.district and d.household_id = home
        having count(*) > 0;
        if length(notice) > 7000 then
            notice := changed.district;
        end if;
    end if;
    if notice is not null then
        perform pg_notify('onekey_device', notice);
    end if;
    return null;
end $$;
comment on function onekey.notify_registry() is 'Tells gateways, by channel onekey_device, which devices to read again';
create or replace trigger registry_changed after insert or delete
    or update of district, protocol, identity, kind, household_id, report_interval_s, supervision_s, carrier, secret
    on onekey.device
    for each row execute function onekey.notify_registry();
create or replace trigger registry_changed after insert or delete
    or update of district, code, area_id, silence_scheme, silence_litres, silence_hours, longitude, latitude
    on onekey.household
    for each row execute function onekey.notify_registry();
create or replace trigger registry_changed after insert or update or delete on onekey.area
    for each row execute function onekey.notify_registry();
create or replace trigger registry_changed after insert or update or delete on onekey.absence
    for each row execute function onekey.notify_registry();

select onekey.grant_execute('gateway_started', 'onekey_gateway');
select onekey.grant_execute('store_readings', 'onekey_gateway');
select onekey.grant_execute('reject', 'onekey_gateway');
select onekey.grant_execute('registry', 'onekey_gateway');
select onekey.grant_execute('registry_of', 'onekey_gateway');
select onekey.grant_execute('notify_registry');
