-- Response-time statistics: what each measure is, and closed days summarised once.

alter table onekey.outcome add column is_false boolean not null default false;
comment on column onekey.outcome.is_false is 'Whether nobody needed anything: what counts as a false alarm';
update onekey.outcome o set is_false = true
from onekey.ticket_kind k
where k.name = o.ticket_kind
  and (o.name in ('false_press', 'called_back', 'test', 'meter_fault', 'away', 'in_hospital', 'no_fault_found')
       or k.class = 'water' and o.name = 'person_well' or k.name = 'silence' and o.name = 'water_fault');

create table onekey.report_setting (
    district text collate "C" primary key,
    zone text not null
);
comment on table onekey.report_setting is 'How a district counts; the row of district * holds for those without one';
comment on column onekey.report_setting.district is 'Code of the district, or *';
comment on column onekey.report_setting.zone is 'Time zone in which its days begin';
insert into onekey.report_setting values ('*', 'Asia/Shanghai');

create table onekey.report_target (
    district text collate "C" not null,
    measure text collate "C" not null,
    name text collate "C" not null,
    value double precision not null,
    source text not null,
    primary key (district, measure, name)
);
comment on table onekey.report_target is 'What the figures are held against; a row of the district goes before that of *';
comment on column onekey.report_target.district is 'Code of the district, or * for all';
comment on column onekey.report_target.measure is 'The measure';
comment on column onekey.report_target.name is 'Its column';
comment on column onekey.report_target.value is 'The target, in the unit of that column';
comment on column onekey.report_target.source is 'Who demands it';
insert into onekey.report_target values
    ('*', 'answer', 'within_15', 95, 'GB/T 33358-2016'),
    ('*', 'answer', 'within_60', 97.5, 'TSA Code of Practice'),
    ('*', 'answer', 'within_180', 99, 'TSA Code of Practice'),
    ('*', 'answer_by_day', 'within_60', 97.5, 'TSA Code of Practice'),
    ('*', 'machine', 'p99_s', 1, 'own'),
    ('*', 'verification', 'percent', 100, 'own'),
    ('*', 'audits', 'done', 2, 'TEC Quality');

create table onekey.episode (
    district text collate "C" not null,
    day date not null,
    ticket_id bigint not null,
    episode smallint not null,
    mode text not null check (mode in ('normal', 'test', 'disaster')),
    kind onekey.ticket_word not null,
    service_kind onekey.service_word not null,
    class text collate "C" not null,
    priority smallint not null,
    area_id bigint,
    household_id bigint,
    device_id bigint,
    device_kind onekey.device_word not null,
    rule text,
    begins_at timestamptz not null,
    claimed_by text,
    answered_by text,
    closed_by text,
    outcome text,
    is_false boolean,
    is_verified boolean not null,
    is_closed boolean not null,
    held smallint not null,
    handed_over smallint not null,
    signal_count integer not null,
    travel_in_s double precision,
    raise_s double precision,
    present_s double precision,
    claim_s double precision,
    answer_s double precision,
    dispatch_s double precision,
    on_scene_s double precision,
    verify_s double precision,
    close_s double precision,
    primary key (district, day, ticket_id, episode)
);
comment on table onekey.episode is
    'Tickets of closed days with the times between their steps, one row for each time they were opened: made by roll_up_days()';
comment on column onekey.episode.district is 'Code of the district';
comment on column onekey.episode.day is 'Day on which it began, in the zone of the district';
comment on column onekey.episode.ticket_id is 'The ticket';
comment on column onekey.episode.episode is '1, and one more each time it was re-opened';
comment on column onekey.episode.mode is 'test: only a test; disaster: began while an outage of its area was open; else normal';
comment on column onekey.episode.kind is 'Kind of ticket';
comment on column onekey.episode.service_kind is 'What a service ticket asks for';
comment on column onekey.episode.class is 'How it lives: ticket_class';
comment on column onekey.episode.priority is 'Priority at the end';
comment on column onekey.episode.area_id is 'Area of the home';
comment on column onekey.episode.household_id is 'The home';
comment on column onekey.episode.device_id is 'The device that raised it';
comment on column onekey.episode.device_kind is 'Its kind';
comment on column onekey.episode.rule is 'Rules of the detector that fired, joined by +; none: it was no detector';
comment on column onekey.episode.begins_at is 'When the signal was received, or the ticket re-opened: times count from here';
comment on column onekey.episode.claimed_by is 'Who claimed it first';
comment on column onekey.episode.answered_by is 'Who answered first';
comment on column onekey.episode.closed_by is 'Who closed it';
comment on column onekey.episode.outcome is 'With what it was closed';
comment on column onekey.episode.is_false is 'Whether that outcome means a false alarm; none: not closed';
comment on column onekey.episode.is_verified is 'Whether the cause was confirmed before it was closed';
comment on column onekey.episode.is_closed is 'Whether it was closed';
comment on column onekey.episode.held is 'How often it was put on hold';
comment on column onekey.episode.handed_over is 'How often it was handed over';
comment on column onekey.episode.signal_count is 'Signals of the whole ticket';
comment on column onekey.episode.travel_in_s is 'Seconds from the press, by the device''s clock, to the gateway';
comment on column onekey.episode.raise_s is 'Seconds from the beginning to the ticket';
comment on column onekey.episode.present_s is 'Seconds from the beginning to the first console that showed it';
comment on column onekey.episode.claim_s is 'Seconds from the beginning to the first claim';
comment on column onekey.episode.answer_s is 'Seconds from the beginning to the first answer';
comment on column onekey.episode.dispatch_s is 'Seconds from the answer to the first helper sent';
comment on column onekey.episode.on_scene_s is 'Seconds from the first helper sent to the first one there';
comment on column onekey.episode.verify_s is 'Seconds from the beginning to the confirmation';
comment on column onekey.episode.close_s is 'Seconds from the beginning to the end';

create table onekey.rolled_day (
    district text collate "C" not null,
    day date not null,
    rolled_at timestamptz not null,
    episodes integer not null,
    is_stale boolean not null default false,
    primary key (district, day)
);
comment on table onekey.rolled_day is 'Closed days that onekey.episode holds';
comment on column onekey.rolled_day.district is 'Code of the district';
comment on column onekey.rolled_day.day is 'The day, in the zone of the district';
comment on column onekey.rolled_day.rolled_at is 'When it was last summarised';
comment on column onekey.rolled_day.episodes is 'Rows of the day';
comment on column onekey.rolled_day.is_stale is 'Whether one of its tickets has changed since';

create table onekey.roll_up_mark (
    district text collate "C" primary key,
    events_until timestamptz not null
);
comment on table onekey.roll_up_mark is 'How far the events of tickets were looked through for changes of closed days';
comment on column onekey.roll_up_mark.district is 'Code of the district';
comment on column onekey.roll_up_mark.events_until is 'Events before this were';
-- Events lie in the order of their time.
create index ticket_event_at on onekey.ticket_event using brin (at) with (autosummarize = on);

-- Asked for each ticket of a report: was there an outage then?
create index ticket_outage on onekey.ticket (district, received_at) where kind = 'outage';

create table onekey.measure (
    name text collate "C" primary key,
    position smallint not null unique,
    chart text not null check (chart in ('none', 'line', 'bars', 'heat_map', 'steps')),
    needs_command text collate "C" not null,
    title_zh text not null,
    title_en text not null,
    definition_zh text not null,
    definition_en text not null,
    source text not null
);
comment on table onekey.measure is 'The measures of the service: function onekey.measure_NAME() gives the rows of each';
comment on column onekey.measure.name is 'The measure';
comment on column onekey.measure.position is 'Place in a report';
comment on column onekey.measure.chart is 'How it is best drawn';
comment on column onekey.measure.needs_command is 'What a person must be allowed to do in order to read it: role_command';
comment on column onekey.measure.title_zh is 'Title in Chinese';
comment on column onekey.measure.title_en is 'Title in English';
comment on column onekey.measure.definition_zh is 'Exact rule, in Chinese';
comment on column onekey.measure.definition_en is 'Exact rule, in English';
comment on column onekey.measure.source is 'Where the definition or its target comes from';

create table onekey.measure_column (
    measure text collate "C" not null references onekey.measure,
    position smallint not null,
    name text collate "C" not null,
    unit text not null check (unit in ('text', 'number', 'percent', 'seconds', 'hours', 'day', 'time', 'ticket')),
    is_label boolean not null,
    title_zh text not null,
    title_en text not null,
    primary key (measure, position),
    unique (measure, name)
);
comment on table onekey.measure_column is 'Columns of the rows of a measure';
comment on column onekey.measure_column.measure is 'The measure';
comment on column onekey.measure_column.position is 'Order of the columns';
comment on column onekey.measure_column.name is 'Name in the rows';
comment on column onekey.measure_column.unit is 'What its values are';
comment on column onekey.measure_column.is_label is 'Whether it says what the row is about';
comment on column onekey.measure_column.title_zh is 'Heading in Chinese';
comment on column onekey.measure_column.title_en is 'Heading in English';

insert into onekey.role_command
select role, command
from (values ('supervisor', 'read_report'), ('administrator', 'read_report'), ('read_only', 'read_report'),
             ('street_town', 'read_report'), ('supervisor', 'read_operators')) r(role, command);
