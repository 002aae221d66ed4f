-- Least privilege: a gateway may only call its functions, the console reads, reports read what names nobody.
-- Nobody but the owner writes a table. Functions and views say themselves who may use them.

select onekey.grant_to('usage on schema onekey', 'onekey_gateway', 'onekey_console', 'onekey_report');
select onekey.grant_to('select on onekey.ticket_kind, onekey.service_kind, onekey.outcome',
                       'onekey_console', 'onekey_report');
select onekey.grant_to('select on onekey.area, onekey.household, onekey.resident, onekey.contact, onekey.absence,
    onekey.signal, onekey.signal_kind, onekey.meter_reading, onekey.rejected, onekey.gateway, onekey.ticket,
    onekey.ticket_event', 'onekey_console');
-- All of a device but its secret.
select onekey.grant_to('select (district, id, protocol, identity, kind, household_id, report_interval_s, last_seen,
    battery_percent, gsm_percent, longitude, latitude, position_at) on onekey.device', 'onekey_console');
