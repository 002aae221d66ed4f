-- Least privilege: a gateway may only call its functions, the console reads, reports read what names nobody.
-- Nobody but the owner writes a table.

do $$
declare
    rights text[] := array[
        'onekey_gateway', 'usage on schema onekey',
        'onekey_console', 'usage on schema onekey',
        'onekey_console', 'select on onekey.area, onekey.household, onekey.resident, onekey.contact, onekey.absence,
            onekey.signal, onekey.meter_reading, onekey.rejected, onekey.gateway, onekey.ticket, onekey.ticket_event,
            onekey.ticket_kind, onekey.service_kind, onekey.signal_kind, onekey.outcome, onekey.v_area,
            onekey.v_open_tickets, onekey.v_ticket_times',
        'onekey_console', 'select (district, id, protocol, identity, kind, household_id, report_interval_s, last_seen,
            battery_percent, gsm_percent, longitude, latitude, position_at) on onekey.device',
        'onekey_report', 'usage on schema onekey',
        'onekey_report', 'select on onekey.ticket_kind, onekey.service_kind, onekey.outcome, onekey.v_area,
            onekey.v_ticket_times'];
begin
    for i in 1 .. cardinality(rights) by 2 loop
        if exists (select from pg_roles where rolname = rights[i]) then
            execute format('grant %s to %I', rights[i + 1], rights[i]);
        end if;
    end loop;
end $$;
