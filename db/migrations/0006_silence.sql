-- Why a meter may be silent, what its detector has learned, and what people found out about its alarms.

-- A silence that is explained is recorded and raises nothing.
alter domain onekey.signal_word drop constraint signal_word_check;
alter domain onekey.signal_word add constraint signal_word_check check (value in (
    'panic', 'fall', 'wander', 'service', 'cancel', 'leak', 'low_battery', 'mains_lost', 'tamper', 'test',
    'unreadable', 'wander_restored', 'battery_restored', 'mains_restored', 'tamper_restored', 'silence',
    'silence_ended', 'running_water', 'device_lost', 'device_returned', 'outage', 'outage_ended',
    'care_call', 'silence_explained'));
alter table onekey.signal_kind drop constraint signal_kind_action_check;
alter table onekey.signal_kind add constraint signal_kind_action_check
    check (action in ('raise', 'cancel', 'restore', 'record'));
comment on column onekey.signal_kind.action is
    'raise: opens or bumps a ticket; restore: the condition is over; cancel: the person took the press back; record: is kept and changes no ticket';
insert into onekey.signal_kind values ('silence_explained', 'record', 'silence', false, null);

-- --- explanations ---

alter table onekey.absence add column device_id bigint;
comment on table onekey.absence is 'When silence is no alarm: nobody is at home, or a meter is being worked on';
comment on column onekey.absence.device_id is 'The meter that is being worked on; none: the household is away';
alter table onekey.absence drop constraint absence_reason_check;
alter table onekey.absence add constraint absence_reason_check check (reason in ('away', 'hospital', 'maintenance'));
alter table onekey.absence add constraint absence_device check ((reason = 'maintenance') = (device_id is not null));
alter table onekey.absence add constraint absence_finite check (isfinite(from_at) and isfinite(until_at));
comment on column onekey.absence.reason is 'Away, in hospital, or maintenance of a meter';

-- --- what people found out ---

-- What an outcome teaches the meters of the home; see docs/DETECTOR.md.
alter table onekey.outcome add column lesson text
    check (lesson in ('ok_at_home', 'away', 'needed_help', 'meter_fault', 'other', 'life'));
comment on column onekey.outcome.lesson is
    'What a ticket closed so tells the silence detector: how its alarm was, or only (life) that somebody was met; none: nothing';
update onekey.outcome set lesson = case name
    when 'person_well' then 'ok_at_home' when 'away' then 'away' when 'in_hospital' then 'away'
    when 'taken_to_hospital' then 'needed_help' when 'helped_at_home' then 'needed_help'
    when 'deceased' then 'needed_help' when 'meter_fault' then 'meter_fault' when 'water_fault' then 'other' end
where ticket_kind = 'silence';
update onekey.outcome set lesson = 'life'
where ticket_kind <> 'silence'
  and name in ('person_well', 'helped_at_home', 'false_press', 'called_back', 'arranged', 'answered', 'taken_back', 'well');

create table onekey.silence_lesson (
    district text collate "C" not null,
    id bigint generated always as identity,
    protocol text collate "C" not null,
    identity text collate "C" not null,
    ticket_id bigint not null,
    lesson text not null,
    at timestamptz not null,
    primary key (district, id)
);
comment on table onekey.silence_lesson is
    'What meters have yet to learn from closed tickets; a row goes when the copy of the meter''s profile holds it';
comment on column onekey.silence_lesson.district is 'Code of the district';
comment on column onekey.silence_lesson.id is 'Order of lessons: a meter takes each once, for its state remembers the last';
comment on column onekey.silence_lesson.protocol is 'Protocol of the meter';
comment on column onekey.silence_lesson.identity is 'Identity of the meter';
comment on column onekey.silence_lesson.ticket_id is 'The ticket that was closed';
comment on column onekey.silence_lesson.lesson is 'As in onekey.outcome';
comment on column onekey.silence_lesson.at is 'When the cause was confirmed';
create index silence_lesson_meter on onekey.silence_lesson (district, protocol, identity, id);

-- --- what meters have learned ---

create table onekey.meter_profile (
    district text collate "C" not null,
    protocol text collate "C" not null,
    identity text collate "C" not null,
    gateway text collate "C" not null,
    number bigint not null,
    kept_at timestamptz not null,
    lesson_id bigint not null,
    state bytea not null,
    detail jsonb not null,
    primary key (district, protocol, identity)
) with (fillfactor = 70);
comment on table onekey.meter_profile is
    'Copies of the detector''s states: for people, and for a gateway that has lost its journal';
comment on column onekey.meter_profile.district is 'Code of the district';
comment on column onekey.meter_profile.protocol is 'Protocol of the meter';
comment on column onekey.meter_profile.identity is 'Identity of the meter';
comment on column onekey.meter_profile.gateway is 'The gateway that keeps it';
comment on column onekey.meter_profile.number is 'Number in that gateway''s journal up to which it includes all';
comment on column onekey.meter_profile.kept_at is 'When it was so';
comment on column onekey.meter_profile.lesson_id is 'The last lesson in it';
comment on column onekey.meter_profile.state is 'The state as the journal keeps it';
comment on column onekey.meter_profile.detail is 'The same for people';

insert into onekey.role_command
select r.role, c.command from (values ('operator', 'set_absence'), ('supervisor', 'set_absence set_silence'),
    ('administrator', 'set_absence set_silence'), ('street_town', 'set_absence')) r(role, commands)
cross join string_to_table(r.commands, ' ') c(command);
