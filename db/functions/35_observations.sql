-- What devices say beyond alarms: the latest of it, and its history. Gateways write both as soft state.

-- Soft state of known devices; unknown ones are ignored, and so is what is older than what is known. A null keeps the
-- old value. Each group of measures has the time at which it was so; a position without one is the last place that
-- the device knew, taken only where we know none.
create or replace function onekey.touch_devices(
    district text, protocols text[], identities text[], last_seens timestamptz[],
    batteries integer[] default null, gsms integer[] default null, longitudes double precision[] default null,
    latitudes double precision[] default null, accuracies integer[] default null, steps integer[] default null,
    heart_rates integer[] default null, systolics integer[] default null, diastolics integer[] default null,
    oxygens integer[] default null, temperatures numeric[] default null, position_ats timestamptz[] default null,
    vitals_ats timestamptz[] default null, condition_ats timestamptz[] default null)
returns bigint language plpgsql security definer set search_path = onekey, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_mergejoin = off
set enable_hashjoin = off set jit = off as $$
#variable_conflict use_column
declare
    touched bigint;
begin
    update onekey.device d
    set last_seen = greatest(d.last_seen, t.last_seen),
        battery_percent = case when t.has_condition then coalesce(t.battery, d.battery_percent) else d.battery_percent end,
        gsm_percent = case when t.has_condition then coalesce(t.gsm, d.gsm_percent) else d.gsm_percent end,
        steps = case when t.has_condition then coalesce(t.steps, d.steps) else d.steps end,
        condition_at = case when t.has_condition then t.condition_at else d.condition_at end,
        longitude = case when t.has_position then t.longitude else coalesce(d.longitude, t.longitude) end,
        latitude = case when t.has_position then t.latitude else coalesce(d.latitude, t.latitude) end,
        accuracy_m = case when t.has_position then t.accuracy else d.accuracy_m end,
        position_at = case when t.has_position then t.position_at else d.position_at end,
        heart_rate = case when t.has_vitals then coalesce(t.heart_rate, d.heart_rate) else d.heart_rate end,
        systolic = case when t.has_vitals then coalesce(t.systolic, d.systolic) else d.systolic end,
        diastolic = case when t.has_vitals then coalesce(t.diastolic, d.diastolic) else d.diastolic end,
        oxygen_percent = case when t.has_vitals then coalesce(t.oxygen, d.oxygen_percent) else d.oxygen_percent end,
        temperature_c = case when t.has_vitals then coalesce(t.temperature, d.temperature_c) else d.temperature_c end,
        vitals_at = case when t.has_vitals then t.vitals_at else d.vitals_at end
    from (select known.id, t.*,
                 coalesce(t.position_at >= coalesce(known.position_at, '-infinity'), false) as has_position,
                 coalesce(t.vitals_at >= coalesce(known.vitals_at, '-infinity'), false) as has_vitals,
                 coalesce(t.condition_at >= coalesce(known.condition_at, '-infinity'), false) as has_condition
          from (select distinct on (protocol, identity) *
                from unnest(protocols, identities, last_seens, batteries, gsms, longitudes, latitudes, accuracies,
                            touch_devices.steps, heart_rates, systolics, diastolics, oxygens, temperatures,
                            position_ats, vitals_ats, condition_ats)
                     as t(protocol, identity, last_seen, battery, gsm, longitude, latitude, accuracy, steps, heart_rate,
                          systolic, diastolic, oxygen, temperature, position_at, vitals_at, condition_at)
                order by protocol, identity, last_seen desc nulls last) t
          join onekey.device known on known.district = touch_devices.district and known.protocol = t.protocol
               and known.identity = t.identity) t
    where d.district = touch_devices.district and d.id = t.id
      and (d.last_seen is null or t.last_seen >= d.last_seen);
    get diagnostics touched = row_count;
    return touched;
end $$;
comment on function onekey.touch_devices(
    text, text[], text[], timestamptz[], integer[], integer[], double precision[], double precision[], integer[],
    integer[], integer[], integer[], integer[], integer[], numeric[], timestamptz[], timestamptz[], timestamptz[]) is
    'Writes when devices were last heard of and what they then said';

-- The history. A batch may come twice; what is of no device any more is left out. Returns how many were new.
create or replace function onekey.store_observations(
    district text, device_ids bigint[], ats timestamptz[], received_ats timestamptz[], occurred_ats timestamptz[],
    batteries integer[], gsms integer[], longitudes double precision[], latitudes double precision[],
    accuracies integer[], steps integer[], heart_rates integer[], systolics integer[], diastolics integer[],
    oxygens integer[], temperatures numeric[])
returns bigint language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_column
declare
    stored bigint;
begin
    insert into onekey.observation (
        district, device_id, at, received_at, occurred_at, battery_percent, gsm_percent, longitude, latitude,
        accuracy_m, steps, heart_rate, systolic, diastolic, oxygen_percent, temperature_c)
    select store_observations.district, o.*
    from unnest(device_ids, ats, received_ats, occurred_ats, batteries, gsms, longitudes, latitudes, accuracies,
                store_observations.steps, heart_rates, systolics, diastolics, oxygens, temperatures)
         as o(device_id, at, received_at, occurred_at, battery, gsm, longitude, latitude, accuracy, steps, heart_rate,
              systolic, diastolic, oxygen, temperature)
    where exists (select from onekey.device d where d.district = store_observations.district and d.id = o.device_id)
    on conflict do nothing;
    get diagnostics stored = row_count;
    return stored;
end $$;
comment on function onekey.store_observations(
    text, bigint[], timestamptz[], timestamptz[], timestamptz[], integer[], integer[], double precision[],
    double precision[], integer[], integer[], integer[], integer[], integer[], integer[], numeric[]) is
    'Stores a batch of what devices said beyond alarms';

-- What a device said, the newest first; nothing if it is not for whoever asks. Where a person was and how the heart
-- beat is read by those who may read the household, and the read is audited.
create or replace function onekey.read_observations(
    district text, device_id bigint, since timestamptz, until timestamptz default null, rows integer default 1000)
returns setof onekey.observation language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    object text := 'device:' || device_id;
    home bigint;
    found_one boolean;
begin
    if not onekey.may('read_household', district, object) then
        return;
    end if;
    select d.household_id, true into home, found_one from onekey.device d
    where d.district = read_observations.district and d.id = read_observations.device_id;
    if found_one is null or not onekey.sees(district, onekey.area_of_household(district, home)) then
        perform onekey.audit_entry(district, 'read_observations', object, false);
        return;
    end if;
    perform onekey.audit_entry(district, 'read_observations', object, true);
    return query select * from onekey.observation o
                 where o.district = read_observations.district and o.device_id = read_observations.device_id
                   and o.at >= since and (until is null or o.at < until)
                 order by o.at desc limit least(greatest(rows, 0), 10000);
end $$;
comment on function onekey.read_observations(text, bigint, timestamptz, timestamptz, integer) is
    'What a device said beyond alarms, the newest first; the read is audited';

select onekey.grant_execute('touch_devices', 'onekey_gateway');
select onekey.grant_execute('store_observations', 'onekey_gateway');
select onekey.grant_execute('read_observations', 'onekey_console');
