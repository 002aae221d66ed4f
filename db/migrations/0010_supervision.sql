-- How soon it must be known that a device is lost, and by whose network it speaks.
alter table onekey.device
    add column supervision_s integer check (supervision_s in (90000, 18000, 180, 90)),
    add column carrier text collate "C" check (octet_length(carrier) between 1 and 15);
comment on column onekey.device.supervision_s is
    'Supervision level: its loss is known within so many seconds; none: that of its kind in the configuration';
comment on column onekey.device.carrier is 'Network of its SIM, so that an outage of it is told as one';
