-- The first schema: homes and their devices, the signals that come in, the tickets that people work on.
--
-- Every key begins with the district, and a function works inside one district, so that the tables can
-- be spread over several servers by it. What grows is partitioned by the time of arrival (never by a
-- device's clock) and has a default partition, so that no clock, however wrong, refuses a row.
--
-- Words that the programs know (kinds, states, events) are domains: one CHECK a vocabulary, no look-up
-- and no shared row lock while an alarm is stored. What is known about a word (priority, names) stands
-- in a table of the same name. Outcomes are the district's own list, so they are only a table.
--
-- Tickets and signals carry no foreign key to homes, devices and areas: they are the record of what
-- happened and outlive what they name.

create schema if not exists onekey;
comment on schema onekey is 'One-key-call alarm gateway: homes, devices, signals, tickets';

-- --- words ---

create domain onekey.signal_word as text collate "C" check (value in (
    'panic', 'fall', 'wander', 'service', 'cancel', 'leak', 'low_battery', 'mains_lost', 'tamper', 'test',
    'unreadable', 'wander_restored', 'battery_restored', 'mains_restored', 'tamper_restored', 'silence',
    'silence_ended', 'running_water', 'device_lost', 'device_returned', 'outage', 'outage_ended',
    'care_call'));
comment on domain onekey.signal_word is 'Kind of an alarm-class signal, the words of protocol/signal.h';

create domain onekey.ticket_word as text collate "C" check (value in (
    'panic', 'fall', 'wander', 'service', 'silence', 'running_water', 'leak', 'device_lost', 'low_battery',
    'mains_lost', 'tamper', 'outage', 'care_call', 'unreadable', 'test'));
comment on domain onekey.ticket_word is 'Kind of a ticket';

create domain onekey.service_word as text collate "C" check (value in (
    'none', 'care_call', 'rescue', 'taxi', 'registration', 'consult', 'life_care', 'other'));
comment on domain onekey.service_word is 'What a service ticket asks for; none with every other kind';

create domain onekey.state_word as text collate "C" check (value in (
    'open', 'claimed', 'dispatched', 'on_scene', 'verified', 'closed'));
comment on domain onekey.state_word is 'State of a ticket';

create domain onekey.event_word as text collate "C" check (value in (
    'raised', 'pressed_again', 'cancelled_by_person', 'restored', 'presented', 'claimed', 'claim_expired',
    'answered', 'dispatched', 'on_scene', 'verified', 'closed', 'reopened', 'held', 'hold_ended',
    'handed_over', 'merged', 'note', 'note_struck', 'marked_test', 'escalated', 'notified'));
comment on domain onekey.event_word is 'What happened to a ticket';

create domain onekey.device_word as text collate "C" check (value in ('unknown', 'call_box', 'wristband', 'meter'));
comment on domain onekey.device_word is 'Kind of a device';

create domain onekey.level_word as text collate "C" check (value in ('district', 'street_town', 'neighbourhood'));
comment on domain onekey.level_word is 'Level of an area: 区, 街镇, 居村';

create table onekey.ticket_kind (
    name onekey.ticket_word primary key,
    priority smallint not null check (priority between 1 and 5),
    name_zh text not null,
    name_en text not null
);
comment on table onekey.ticket_kind is 'What is known about each kind of ticket';
comment on column onekey.ticket_kind.name is 'The kind';
comment on column onekey.ticket_kind.priority is '1 (a life may be at stake) to 5 (when there is time)';
comment on column onekey.ticket_kind.name_zh is 'Name shown in Chinese';
comment on column onekey.ticket_kind.name_en is 'Name shown in English';
insert into onekey.ticket_kind values
    ('panic', 1, '紧急呼救', 'Panic'),
    ('fall', 1, '跌倒', 'Fall'),
    ('unreadable', 1, '无法识别的报警', 'Unreadable alarm'),
    ('wander', 2, '走失', 'Left home range'),
    ('silence', 2, '长时间未用水', 'No water used'),
    ('outage', 2, '大面积离线', 'Outage'),
    ('service', 3, '服务请求', 'Service request'),
    ('running_water', 3, '持续用水', 'Running water'),
    ('leak', 3, '漏水', 'Leak'),
    ('device_lost', 4, '设备离线', 'Device lost'),
    ('low_battery', 4, '电量低', 'Low battery'),
    ('mains_lost', 4, '断电', 'Mains lost'),
    ('tamper', 4, '设备被拆除或故障', 'Tamper'),
    ('care_call', 5, '主动关爱', 'Care call'),
    ('test', 5, '测试', 'Test');

create table onekey.service_kind (
    name onekey.service_word primary key,
    priority smallint check (priority between 1 and 5),
    name_zh text not null,
    name_en text not null
);
comment on table onekey.service_kind is 'What is known about each kind of service';
comment on column onekey.service_kind.name is 'The service';
comment on column onekey.service_kind.priority is 'Priority of its ticket where it differs from that of kind service';
comment on column onekey.service_kind.name_zh is 'Name shown in Chinese';
comment on column onekey.service_kind.name_en is 'Name shown in English';
insert into onekey.service_kind values
    ('none', null, '无', 'None'),
    ('care_call', null, '主动电话关爱', 'Care call'),
    ('rescue', 1, '一键救援', 'Rescue'),
    ('taxi', null, '一键打车', 'Taxi'),
    ('registration', null, '一键挂号', 'Hospital registration'),
    ('consult', null, '一键咨询', 'Consultation'),
    ('life_care', null, '生活照料', 'Life care'),
    ('other', null, '其他服务', 'Other service');

create table onekey.signal_kind (
    name onekey.signal_word primary key,
    action text not null check (action in ('raise', 'cancel', 'restore')),
    ticket_kind onekey.ticket_word not null references onekey.ticket_kind,
    closes boolean not null default false,
    priority smallint check (priority between 1 and 5),
    check (not closes or action = 'restore')
);
comment on table onekey.signal_kind is 'What each kind of signal does to tickets';
comment on column onekey.signal_kind.name is 'The kind of signal';
comment on column onekey.signal_kind.action is
    'raise: opens or bumps a ticket; restore: the condition is over; cancel: the person took the press back';
comment on column onekey.signal_kind.ticket_kind is 'The kind of ticket it is about';
comment on column onekey.signal_kind.closes is 'A restore that closes a ticket nobody has claimed yet';
comment on column onekey.signal_kind.priority is 'Priority of a ticket it raises where it differs from the kind''s';
insert into onekey.signal_kind values
    ('panic', 'raise', 'panic', false, null),
    ('fall', 'raise', 'fall', false, null),
    ('wander', 'raise', 'wander', false, null),
    ('service', 'raise', 'service', false, null),
    ('leak', 'raise', 'leak', false, null),
    ('low_battery', 'raise', 'low_battery', false, null),
    ('mains_lost', 'raise', 'mains_lost', false, null),
    ('tamper', 'raise', 'tamper', false, null),
    ('test', 'raise', 'test', false, null),
    ('unreadable', 'raise', 'unreadable', false, null),
    ('silence', 'raise', 'silence', false, null),
    ('running_water', 'raise', 'running_water', false, null),
    ('device_lost', 'raise', 'device_lost', false, null),
    ('outage', 'raise', 'outage', false, null),
    ('care_call', 'raise', 'care_call', false, null),
    ('cancel', 'cancel', 'panic', false, 3),
    ('wander_restored', 'restore', 'wander', false, null),
    ('silence_ended', 'restore', 'silence', false, null),
    ('battery_restored', 'restore', 'low_battery', true, null),
    ('mains_restored', 'restore', 'mains_lost', true, null),
    ('tamper_restored', 'restore', 'tamper', true, null),
    ('device_returned', 'restore', 'device_lost', true, null),
    ('outage_ended', 'restore', 'outage', true, null);

create table onekey.outcome (
    ticket_kind onekey.ticket_word not null references onekey.ticket_kind,
    name text not null check (name ~ '^[a-z][a-z0-9_]*$'),
    name_zh text not null,
    name_en text not null,
    primary key (ticket_kind, name)
);
comment on table onekey.outcome is 'With what a ticket of each kind may be closed';
comment on column onekey.outcome.ticket_kind is 'The kind of ticket';
comment on column onekey.outcome.name is 'The outcome';
comment on column onekey.outcome.name_zh is 'Name shown in Chinese';
comment on column onekey.outcome.name_en is 'Name shown in English';
insert into onekey.outcome
select ticket_kind, 'restored', '已自行恢复', 'Restored by itself' from onekey.signal_kind where closes;

-- --- places and people ---

create table onekey.area (
    district text collate "C" not null,
    id bigint generated always as identity,
    code text collate "C" not null,
    parent_id bigint,
    level onekey.level_word not null,
    name_zh text not null,
    name_en text,
    primary key (district, id),
    unique (district, code),
    foreign key (district, parent_id) references onekey.area (district, id),
    check ((level = 'district') = (parent_id is null)),
    check (level <> 'district' or code = district),
    check (district ~ '^[A-Za-z0-9_.-]{1,32}$')
);
comment on table onekey.area is 'District, its street-towns, their neighbourhoods';
comment on column onekey.area.district is 'Code of the district, which is also the code of its own row';
comment on column onekey.area.id is 'Number of the area';
comment on column onekey.area.code is 'Code by which files and people name it';
comment on column onekey.area.parent_id is 'The area it belongs to; none for the district';
comment on column onekey.area.level is 'Level in the tree';
comment on column onekey.area.name_zh is 'Chinese name';
comment on column onekey.area.name_en is 'English name';

create table onekey.household (
    district text collate "C" not null,
    id bigint generated always as identity,
    code text collate "C" not null,
    area_id bigint not null,
    address text not null,
    phone text,
    living_alone boolean,
    notes text,
    longitude double precision check (longitude between -180 and 180),
    latitude double precision check (latitude between -90 and 90),
    silence_scheme text,
    silence_litres numeric check (silence_litres >= 0),
    silence_hours numeric check (silence_hours > 0),
    primary key (district, id),
    unique (district, code),
    foreign key (district, area_id) references onekey.area (district, id),
    check ((longitude is null) = (latitude is null))
);
comment on table onekey.household is 'A home: where help goes to';
comment on column onekey.household.district is 'Code of the district';
comment on column onekey.household.id is 'Number of the household';
comment on column onekey.household.code is 'Code by which files and people name it';
comment on column onekey.household.area_id is 'The area it stands in';
comment on column onekey.household.address is 'Address with entrance, as read to a crew';
comment on column onekey.household.phone is 'Number that reaches the home';
comment on column onekey.household.living_alone is 'Whether one person lives here alone';
comment on column onekey.household.notes is 'What whoever goes there must read first';
comment on column onekey.household.longitude is 'WGS-84 degrees';
comment on column onekey.household.latitude is 'WGS-84 degrees';
comment on column onekey.household.silence_scheme is 'Silence scheme of this home; none: that of the configuration';
comment on column onekey.household.silence_litres is 'Less than this many litres is silence; none: that of the scheme';
comment on column onekey.household.silence_hours is 'Hours over which silence is judged; none: that of the scheme';
create index household_area on onekey.household (district, area_id);

create table onekey.resident (
    district text collate "C" not null,
    household_id bigint not null,
    position smallint not null default 1,
    name text not null,
    birth_year smallint check (birth_year between 1850 and 2200),
    conditions text,
    primary key (district, household_id, position),
    foreign key (district, household_id) references onekey.household (district, id) on delete cascade
);
comment on table onekey.resident is 'Who lives in a household';
comment on column onekey.resident.district is 'Code of the district';
comment on column onekey.resident.household_id is 'The household';
comment on column onekey.resident.position is '1 for the person the household is registered for';
comment on column onekey.resident.name is 'Name';
comment on column onekey.resident.birth_year is 'Year of birth';
comment on column onekey.resident.conditions is 'Medical conditions and disabilities a crew must know';

create table onekey.contact (
    district text collate "C" not null,
    household_id bigint not null,
    position smallint not null check (position > 0),
    role text not null,
    name text not null,
    phone text not null,
    primary key (district, household_id, position),
    foreign key (district, household_id) references onekey.household (district, id) on delete cascade
);
comment on table onekey.contact is 'Who is called for a household, in order';
comment on column onekey.contact.district is 'Code of the district';
comment on column onekey.contact.household_id is 'The household';
comment on column onekey.contact.position is 'Order in which contacts are called';
comment on column onekey.contact.role is 'Such as family, key_holder, neighbourhood, volunteer';
comment on column onekey.contact.name is 'Name';
comment on column onekey.contact.phone is 'Telephone number';

create table onekey.absence (
    district text collate "C" not null,
    id bigint generated always as identity,
    household_id bigint not null,
    reason text not null check (reason in ('away', 'hospital')),
    from_at timestamptz not null,
    until_at timestamptz,
    entered_by text not null,
    entered_at timestamptz not null default clock_timestamp(),
    note text,
    primary key (district, id),
    foreign key (district, household_id) references onekey.household (district, id) on delete cascade,
    check (until_at > from_at)
);
comment on table onekey.absence is 'When nobody is at home, so that silence is no alarm';
comment on column onekey.absence.district is 'Code of the district';
comment on column onekey.absence.id is 'Number of the absence';
comment on column onekey.absence.household_id is 'The household';
comment on column onekey.absence.reason is 'Away or in hospital';
comment on column onekey.absence.from_at is 'When it begins';
comment on column onekey.absence.until_at is 'When it ends; none: not known yet';
comment on column onekey.absence.entered_by is 'Who entered it';
comment on column onekey.absence.entered_at is 'When it was entered';
comment on column onekey.absence.note is 'Free text';
create index absence_household on onekey.absence (district, household_id, until_at);

create table onekey.device (
    district text collate "C" not null,
    id bigint generated always as identity,
    protocol text collate "C" not null check (protocol <> ''),
    identity text collate "C" not null check (identity <> ''),
    kind onekey.device_word not null,
    household_id bigint,
    report_interval_s integer check (report_interval_s > 0),
    secret text,
    last_seen timestamptz,
    battery_percent smallint,
    gsm_percent smallint,
    longitude double precision,
    latitude double precision,
    position_at timestamptz,
    primary key (district, id),
    unique (district, protocol, identity),
    foreign key (district, household_id) references onekey.household (district, id)
) with (fillfactor = 80);
comment on table onekey.device is 'Call boxes, wristbands, meters: what they are and what they last said';
comment on column onekey.device.district is 'Code of the district';
comment on column onekey.device.id is 'Number of the device';
comment on column onekey.device.protocol is 'Name of the codec it speaks';
comment on column onekey.device.identity is 'Who it says it is, in that protocol';
comment on column onekey.device.kind is 'Kind of device';
comment on column onekey.device.household_id is 'The home it serves; none while it is in store';
comment on column onekey.device.report_interval_s is 'Seconds between its reports; none: that of its kind';
comment on column onekey.device.secret is 'Key or authentication code, where its protocol has one';
comment on column onekey.device.last_seen is 'When it was last heard of (soft state, written in batches)';
comment on column onekey.device.battery_percent is 'Last battery level';
comment on column onekey.device.gsm_percent is 'Last signal strength';
comment on column onekey.device.longitude is 'Last position, WGS-84 degrees';
comment on column onekey.device.latitude is 'Last position, WGS-84 degrees';
comment on column onekey.device.position_at is 'When it was there';
create index device_household on onekey.device (district, household_id);

create table onekey.gateway (
    district text collate "C" not null,
    name text not null,
    version text,
    first_started_at timestamptz not null default clock_timestamp(),
    started_at timestamptz not null default clock_timestamp(),
    primary key (district, name)
);
comment on table onekey.gateway is 'The gateways that have ever stored a signal here';
comment on column onekey.gateway.district is 'Code of the district';
comment on column onekey.gateway.name is 'Name of the gateway';
comment on column onekey.gateway.version is 'Version it runs';
comment on column onekey.gateway.first_started_at is 'When it was first heard of';
comment on column onekey.gateway.started_at is 'When it last connected';

-- --- what comes in ---

create table onekey.signal (
    district text collate "C" not null,
    gateway text collate "C" not null,
    number bigint not null,
    received_at timestamptz not null,
    protocol text collate "C" not null,
    identity text collate "C" not null,
    kind onekey.signal_word not null,
    service_kind onekey.service_word not null default 'none',
    flags text[] not null default '{}',
    ticket_id bigint,
    occurred_at timestamptz,
    raw bytea,
    detail jsonb,
    primary key (district, gateway, number, received_at)
) partition by range (received_at);
-- Finds a retransmission by the name that the device gave its message.
create index signal_message on onekey.signal (district, identity, (detail ->> 'message_id'))
    where detail ->> 'message_id' is not null;
comment on table onekey.signal is 'Every alarm-class signal, those of unknown devices too';
comment on column onekey.signal.district is 'Code of the district';
comment on column onekey.signal.gateway is 'The gateway that took it';
comment on column onekey.signal.number is 'Its number in that gateway''s journal';
comment on column onekey.signal.received_at is
    'When the gateway took it. Part of the record, so a replay brings the same; a number that is given again because its record was lost in a crash brings another';
comment on column onekey.signal.protocol is 'Protocol in which it came';
comment on column onekey.signal.identity is 'Who the device said it is';
comment on column onekey.signal.kind is 'What it says';
comment on column onekey.signal.service_kind is 'What a service signal asks for';
comment on column onekey.signal.flags is 'What is odd about it';
comment on column onekey.signal.ticket_id is 'The ticket it raised, bumped or changed; none for a restore with nothing open';
comment on column onekey.signal.occurred_at is 'When it happened by the device''s clock; none if it did not say';
comment on column onekey.signal.raw is 'The bytes as they came';
comment on column onekey.signal.detail is 'What else the signal said';

create table onekey.meter_reading (
    district text collate "C" not null,
    gateway text collate "C" not null,
    number bigint not null,
    received_at timestamptz not null,
    protocol text collate "C" not null,
    identity text collate "C" not null,
    at timestamptz,
    total_ml bigint,
    interval_ml bigint,
    interval_s integer,
    battery_percent smallint,
    flags text[] not null default '{}',
    primary key (district, gateway, number, received_at)
) partition by range (received_at);
comment on table onekey.meter_reading is 'Readings of water meters as they came';
comment on column onekey.meter_reading.district is 'Code of the district';
comment on column onekey.meter_reading.gateway is 'The gateway that took it';
comment on column onekey.meter_reading.number is 'Its number in that gateway''s journal';
comment on column onekey.meter_reading.received_at is 'When the gateway took it; the same in a replay';
comment on column onekey.meter_reading.protocol is 'Protocol in which it came';
comment on column onekey.meter_reading.identity is 'Who the meter said it is';
comment on column onekey.meter_reading.at is 'When it was read by the meter''s clock';
comment on column onekey.meter_reading.total_ml is 'Cumulative volume in millilitres';
comment on column onekey.meter_reading.interval_ml is 'Volume in the interval that ends at `at`, in millilitres';
comment on column onekey.meter_reading.interval_s is 'Length of that interval in seconds';
comment on column onekey.meter_reading.battery_percent is 'Battery level';
comment on column onekey.meter_reading.flags is 'What is odd about it';
create index meter_reading_meter on onekey.meter_reading (district, protocol, identity, at);

create table onekey.rejected (
    district text collate "C" not null,
    gateway text collate "C" not null,
    number bigint not null,
    received_at timestamptz not null,
    protocol text,
    identity text,
    kind text,
    error text not null,
    raw bytea,
    rejected_at timestamptz not null default clock_timestamp(),
    ticket_id bigint,
    primary key (district, gateway, number, received_at)
);
comment on table onekey.rejected is 'Records that could not be stored, kept for people to look at';
comment on column onekey.rejected.district is 'Code of the district';
comment on column onekey.rejected.gateway is 'The gateway that took it';
comment on column onekey.rejected.number is 'Its number in that gateway''s journal';
comment on column onekey.rejected.received_at is 'When the gateway took it';
comment on column onekey.rejected.protocol is 'Protocol in which it came, if known';
comment on column onekey.rejected.identity is 'Who the device said it is, if known';
comment on column onekey.rejected.kind is 'What it claimed to be; any word';
comment on column onekey.rejected.error is 'Why it was refused';
comment on column onekey.rejected.raw is 'The bytes as they came';
comment on column onekey.rejected.rejected_at is 'When it was parked here';
comment on column onekey.rejected.ticket_id is 'The ticket that tells people of it';

-- --- what people work on ---

create sequence onekey.ticket_id_seq;
create table onekey.ticket (
    district text collate "C" not null,
    id bigint not null default nextval('onekey.ticket_id_seq'),
    kind onekey.ticket_word not null,
    service_kind onekey.service_word not null default 'none',
    priority smallint not null check (priority between 1 and 5),
    state onekey.state_word not null default 'open',
    flags text[] not null default '{}',
    subject text collate "C" not null,
    household_id bigint,
    device_id bigint,
    area_id bigint,
    protocol text collate "C" not null,
    identity text collate "C" not null,
    signal_count integer not null default 1,
    last_signal_at timestamptz not null,
    pressed_at timestamptz,
    received_at timestamptz not null,
    raised_at timestamptz not null default clock_timestamp(),
    presented_at timestamptz,
    claimed_at timestamptz,
    answered_at timestamptz,
    dispatched_at timestamptz,
    on_scene_at timestamptz,
    verified_at timestamptz,
    closed_at timestamptz,
    claimed_by text,
    outcome text,
    detail jsonb,
    primary key (district, id),
    check ((state = 'closed') = (closed_at is not null)),
    check ((state = 'closed') = (outcome is not null)),
    check ((kind = 'service') = (service_kind <> 'none'))
) with (fillfactor = 70);
comment on table onekey.ticket is 'What an operator works on: one for one emergency';
comment on column onekey.ticket.district is 'Code of the district';
comment on column onekey.ticket.id is 'Number of the ticket';
comment on column onekey.ticket.kind is 'Kind of emergency';
comment on column onekey.ticket.service_kind is 'What a service ticket asks for';
comment on column onekey.ticket.priority is '1 (a life may be at stake) to 5 (when there is time)';
comment on column onekey.ticket.state is 'How far it is';
comment on column onekey.ticket.flags is 'What is odd about its signals, all of them together';
comment on column onekey.ticket.subject is
    'Whose emergency it is: household:ID, or PROTOCOL:IDENTITY where no household is known';
comment on column onekey.ticket.household_id is 'The home; none if the device is unknown or in store';
comment on column onekey.ticket.device_id is 'The device that raised it; none if unknown';
comment on column onekey.ticket.area_id is 'The area of the home';
comment on column onekey.ticket.protocol is 'Protocol of the device that raised it';
comment on column onekey.ticket.identity is 'Identity of the device that raised it';
comment on column onekey.ticket.signal_count is 'Signals that say so: 1, and one more each time it is pressed again';
comment on column onekey.ticket.last_signal_at is 'When the last of them was received';
comment on column onekey.ticket.pressed_at is 'By the device''s clock, where that can be believed';
comment on column onekey.ticket.received_at is 'When the gateway had the first signal: times count from here';
comment on column onekey.ticket.raised_at is 'When it was stored here';
comment on column onekey.ticket.presented_at is 'When a console first showed it';
comment on column onekey.ticket.claimed_at is 'When an operator first owned it';
comment on column onekey.ticket.answered_at is 'When someone first spoke with the person';
comment on column onekey.ticket.dispatched_at is 'When the first helper was sent';
comment on column onekey.ticket.on_scene_at is 'When the first helper arrived';
comment on column onekey.ticket.verified_at is 'When the cause was confirmed';
comment on column onekey.ticket.closed_at is 'When it was closed';
comment on column onekey.ticket.claimed_by is 'Who owns it now';
comment on column onekey.ticket.outcome is 'What it turned out to be';
comment on column onekey.ticket.detail is 'What the first signal said, such as the rule that fired and its reading';
create unique index ticket_one_open on onekey.ticket (district, subject, kind, service_kind)
    where state <> 'closed';
-- Tickets lie nearly in the order of their arrival, so a summary a block range finds a month of them, at next to no
-- cost while an alarm is stored. The open ones are few and are found by ticket_one_open.
create index ticket_received on onekey.ticket using brin (received_at) with (autosummarize = on);
create index ticket_household on onekey.ticket (district, household_id) where household_id is not null;

create sequence onekey.ticket_event_id_seq;
create table onekey.ticket_event (
    district text collate "C" not null,
    ticket_id bigint not null,
    id bigint not null default nextval('onekey.ticket_event_id_seq'),
    at timestamptz not null default clock_timestamp(),
    kind onekey.event_word not null,
    actor text,
    origin text,
    number bigint,
    detail jsonb,
    primary key (district, ticket_id, id, at)
) partition by range (at);
comment on table onekey.ticket_event is 'All that happened to a ticket; rows are added, never changed';
comment on column onekey.ticket_event.district is 'Code of the district';
comment on column onekey.ticket_event.ticket_id is 'The ticket';
comment on column onekey.ticket_event.id is 'Order of events';
comment on column onekey.ticket_event.at is 'When, by the database''s clock';
comment on column onekey.ticket_event.kind is 'What happened';
comment on column onekey.ticket_event.actor is 'Which person did it; none for the machine';
comment on column onekey.ticket_event.origin is 'From where: the gateway, or the person''s client';
comment on column onekey.ticket_event.number is 'The signal of gateway `origin` that did it';
comment on column onekey.ticket_event.detail is 'What else is to be said';

create function onekey.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'onekey.ticket_event is append-only: % refused', lower(tg_op)
        using errcode = 'insufficient_privilege',
              hint = 'Add a further event that corrects it.';
end $$;
comment on function onekey.refuse_change() is 'Keeps a table append-only';
create trigger append_only before update or delete on onekey.ticket_event
    for each row execute function onekey.refuse_change();
create trigger append_only_truncate before truncate on onekey.ticket_event
    for each statement execute function onekey.refuse_change();

-- --- partitions ---

create table onekey.partition_policy (
    table_name name primary key,
    step text not null check (step in ('day', 'week', 'month')),
    ahead smallint not null check (ahead between 1 and 60),
    keep interval
);
comment on table onekey.partition_policy is 'How the tables that grow are cut: see onekey.maintain_partitions()';
comment on column onekey.partition_policy.table_name is 'The table';
comment on column onekey.partition_policy.step is 'Length of a partition; boundaries are UTC';
comment on column onekey.partition_policy.ahead is 'Partitions made ahead of the present one';
comment on column onekey.partition_policy.keep is 'A partition wholly older than this is dropped; none: kept for ever';
insert into onekey.partition_policy values
    ('signal', 'month', 3, null),
    ('meter_reading', 'month', 3, '400 days'),
    ('ticket_event', 'month', 3, null);

create table onekey.signal_default partition of onekey.signal default;
create table onekey.meter_reading_default partition of onekey.meter_reading default;
create table onekey.ticket_event_default partition of onekey.ticket_event default;
comment on table onekey.signal_default is 'Signals whose time lies outside every partition';
comment on table onekey.meter_reading_default is 'Readings whose time lies outside every partition';
comment on table onekey.ticket_event_default is 'Events whose time lies outside every partition';

-- --- what the functions hand to each other ---

create type onekey.incoming as (
    number bigint,
    protocol text,
    identity text,
    kind text,
    service_kind text,
    flags text,
    occurred_at timestamptz,
    received_at timestamptz,
    raw bytea,
    detail jsonb,
    device_id bigint,
    household_id bigint,
    area_id bigint,
    subject text,
    action text,
    ticket_kind text,
    closes boolean,
    priority smallint
);
comment on type onekey.incoming is 'A signal on its way in, with what is known about its device and kind';

create type onekey.raised as (number bigint, ticket_id bigint, state text, is_new boolean);
comment on type onekey.raised is 'What became of a signal';

-- --- roles ---

-- Group roles without log-in. Where the migrating user may not create them, an administrator does and
-- then runs `onekeyctl db migrate --again`, which repeats the grants.
do $$
declare
    wanted text;
begin
    foreach wanted in array array['onekey_gateway', 'onekey_console', 'onekey_report'] loop
        begin
            if not exists (select from pg_roles where rolname = wanted) then
                execute format('create role %I nologin', wanted);
            end if;
        exception
            when insufficient_privilege then
                raise warning 'role % is missing and % may not create it', wanted, current_user;
            when duplicate_object or unique_violation then
                null; -- another migration of the same cluster was quicker
        end;
    end loop;
end $$;

-- grant_execute('raise_tickets', 'onekey_gateway'): every function of that name for that role alone.
create function onekey.grant_execute(function_name text, variadic roles text[] default array[]::text[])
returns void language plpgsql as $$
declare
    callable regprocedure;
begin
    for callable in
        select p.oid from pg_proc p where p.pronamespace = 'onekey'::regnamespace and p.proname = function_name
    loop
        execute format('revoke all on function %s from public', callable);
        perform onekey.grant_to(format('execute on function %s', callable), variadic roles);
    end loop;
end $$;
-- grant_to('select on onekey.v_area', 'onekey_console'): to those of the roles that there are.
create function onekey.grant_to(rights text, variadic roles text[]) returns void language plpgsql as $$
declare
    role_name text;
begin
    foreach role_name in array roles loop
        if exists (select from pg_roles where rolname = role_name) then
            execute format('grant %s to %I', rights, role_name);
        end if;
    end loop;
end $$;
comment on function onekey.grant_to(text, text[]) is 'Grants rights to those of the roles that there are';
revoke all on function onekey.grant_to(text, text[]) from public;
comment on function onekey.grant_execute(text, text[]) is 'Lets these roles, and nobody else, call a function';
revoke all on function onekey.grant_execute(text, text[]) from public;
revoke all on function onekey.refuse_change() from public;
