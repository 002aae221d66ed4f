-- What a device says beyond alarms: the latest of it in device, all of it for a while in observation. Both are soft
-- state, written in batches whose commit waits for no disk.

alter table onekey.device
    add column accuracy_m integer,
    add column steps integer,
    add column heart_rate smallint,
    add column systolic smallint,
    add column diastolic smallint,
    add column oxygen_percent smallint,
    add column temperature_c numeric(4, 2),
    add column vitals_at timestamptz,
    add column condition_at timestamptz;
comment on column onekey.device.accuracy_m is 'How far off the last position may be, in metres';
comment on column onekey.device.steps is 'Its own counter of steps';
comment on column onekey.device.heart_rate is 'Last heart rate, beats a minute';
comment on column onekey.device.systolic is 'Last blood pressure, mmHg';
comment on column onekey.device.diastolic is 'Last blood pressure, mmHg';
comment on column onekey.device.oxygen_percent is 'Last blood oxygen';
comment on column onekey.device.temperature_c is 'Last temperature of the body, degrees Celsius';
comment on column onekey.device.vitals_at is 'When the vitals were measured';
comment on column onekey.device.condition_at is 'When battery, signal strength and steps were so';
comment on column onekey.device.position_at is 'When it was there; none: the last place it knew, without a fix';

create table onekey.observation (
    district text collate "C" not null,
    device_id bigint not null,
    at timestamptz not null,
    received_at timestamptz not null,
    occurred_at timestamptz,
    longitude double precision,
    latitude double precision,
    accuracy_m integer,
    battery_percent smallint,
    gsm_percent smallint,
    steps integer,
    heart_rate smallint,
    systolic smallint,
    diastolic smallint,
    oxygen_percent smallint,
    temperature_c numeric(4, 2),
    primary key (district, device_id, at, received_at)
) partition by range (received_at);
comment on table onekey.observation is 'What devices said of themselves and of who carries them, for as long as partition_policy says';
comment on column onekey.observation.district is 'Code of the district';
comment on column onekey.observation.device_id is 'The device';
comment on column onekey.observation.at is 'When it was so: by the device''s clock where that can be believed, else when it arrived';
comment on column onekey.observation.received_at is 'When the gateway took it';
comment on column onekey.observation.occurred_at is 'The device''s own time, however wrong; none if it gave none';
comment on column onekey.observation.longitude is 'WGS-84 degrees';
comment on column onekey.observation.latitude is 'WGS-84 degrees';
comment on column onekey.observation.accuracy_m is 'How far off that may be, in metres';
comment on column onekey.observation.battery_percent is 'Battery level';
comment on column onekey.observation.gsm_percent is 'Signal strength';
comment on column onekey.observation.steps is 'Its own counter of steps';
comment on column onekey.observation.heart_rate is 'Beats a minute';
comment on column onekey.observation.systolic is 'Blood pressure, mmHg';
comment on column onekey.observation.diastolic is 'Blood pressure, mmHg';
comment on column onekey.observation.oxygen_percent is 'Blood oxygen';
comment on column onekey.observation.temperature_c is 'Temperature of the body, degrees Celsius';
create table onekey.observation_default partition of onekey.observation default;
comment on table onekey.observation_default is 'Observations whose time lies outside every partition';
insert into onekey.partition_policy values ('observation', 'day', 3, '30 days');

-- It takes more than it did: functions/35_observations.sql.
drop function if exists onekey.touch_devices(text, text[], text[], timestamptz[], integer[], integer[], double precision[],
                                   double precision[]);
