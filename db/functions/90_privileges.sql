-- Least privilege: a gateway may only call its functions, the console reads, reports read what names nobody.
-- Nobody but the owner writes a table. Functions and views say themselves who may use them.

select onekey.grant_to('usage on schema onekey', 'onekey_gateway', 'onekey_console', 'onekey_report');
select onekey.grant_to('select on onekey.ticket_kind, onekey.service_kind, onekey.outcome, onekey.ticket_class',
                       'onekey_console', 'onekey_report');
select onekey.grant_to('select on onekey.signal_kind, onekey.ticket_command, onekey.ticket_transition, onekey.helper_kind,
    onekey.sla_policy, onekey.escalation_step, onekey.escalation_policy, onekey.disaster, onekey.app_role, onekey.role_command, onekey.area, onekey.gateway',
    'onekey_console');
-- Rows of these only as far as whoever acts is responsible: the policies below.
select onekey.grant_to('select on onekey.ticket, onekey.ticket_event, onekey.ticket_helper, onekey.signal, onekey.rejected,
    onekey.shift', 'onekey_console');
-- All of a device but its secret, all of a person but the password.
select onekey.grant_to('select (district, id, protocol, identity, kind, household_id, report_interval_s, supervision_s, carrier, last_seen,
    battery_percent, gsm_percent, longitude, latitude, position_at, accuracy_m, steps, heart_rate, systolic, diastolic,
    oxygen_percent, temperature_c, vitals_at, condition_at) on onekey.device', 'onekey_console');
select onekey.grant_to('select (district, name, role, full_name, is_active, created_at) on onekey.app_user',
                       'onekey_console');
-- What is kept of residents is read by read_household(), which says so in the audit.
do $$
begin
    if exists (select from pg_roles where rolname = 'onekey_console') then
        revoke all on onekey.household, onekey.resident, onekey.contact, onekey.absence, onekey.meter_reading,
            onekey.observation
            from onekey_console;
    end if;
end $$;

-- --- rows ---

-- Area of a home; for the policy of devices, whose reader may not read homes.
create or replace function onekey.area_of_household(district text, household_id bigint) returns bigint
language sql stable security definer set search_path = onekey, pg_temp as $$
    select h.area_id from onekey.household h
    where h.district = area_of_household.district and h.id = area_of_household.household_id
$$;

create or replace function onekey.limit_rows(table_name text, condition text) returns void
language plpgsql set search_path = onekey, pg_temp as $$
begin
    execute format('alter table onekey.%I enable row level security', table_name);
    execute format('drop policy if exists responsible on onekey.%I', table_name);
    execute format('create policy responsible on onekey.%I for select using (%s)', table_name, condition);
end $$;

-- Asked once a statement, not once a row: such a sub-select depends on no row and is kept.
select onekey.limit_rows('ticket', '(select s.everything from onekey.scope() s) or district = (select s.district from onekey.scope() s)
    and ((select s.areas is null from onekey.scope() s) or area_id = any ((select s.areas from onekey.scope() s)::bigint[])
         or area_id is null and (select s.unplaced from onekey.scope() s))');
select onekey.limit_rows(name, format('exists (select from onekey.ticket t where t.district = %1$I.district
    and t.id = %1$I.ticket_id)', name))
from unnest(array['ticket_event', 'ticket_helper', 'call_audit']) name;
select onekey.limit_rows('signal', 'case when ticket_id is null
    then exists (select from onekey.scope() s where s.everything or s.district = signal.district and s.unplaced)
    else exists (select from onekey.ticket t where t.district = signal.district and t.id = signal.ticket_id) end');
select onekey.limit_rows('rejected', 'exists (select from onekey.scope() s
    where s.everything or s.district = rejected.district and s.unplaced)');
select onekey.limit_rows('device', 'onekey.sees(district, onekey.area_of_household(district, household_id))');
select onekey.limit_rows(name, format('exists (select from onekey.scope() s
    where s.everything or s.district = %I.district)', name))
from unnest(array['app_user', 'shift', 'disaster']) name;

select onekey.grant_execute('area_of_household', 'onekey_console');
select onekey.grant_execute('limit_rows');
