-- Care: what is promised to each resident, when it is next due, what came of it; and audits of calls.

create table onekey.care_task (
    name text collate "C" primary key,
    is_visit boolean not null,
    every interval,
    within interval not null,
    name_zh text not null,
    name_en text not null
);
comment on table onekey.care_task is 'What can be promised';
comment on column onekey.care_task.name is 'The task';
comment on column onekey.care_task.is_visit is 'Whether someone goes there; else it is a call';
comment on column onekey.care_task.every is 'From one to the next, unless the plan says otherwise; none: only when it is called for';
comment on column onekey.care_task.within is 'It is on time if done so long after the last one was, at most';
comment on column onekey.care_task.name_zh is 'Name shown in Chinese';
comment on column onekey.care_task.name_en is 'Name shown in English';
insert into onekey.care_task values
    ('greeting', false, '2 days', '48 hours', '两天一问候', 'Greeting every two days'),
    ('visit', true, '7 days', '7 days', '一周一上门', 'Visit every week'),
    ('medication', false, '1 day', '4 hours', '用药提醒', 'Medication'),
    ('weather', false, null, '12 hours', '天气关怀', 'Weather'),
    ('birthday', false, '1 year', '24 hours', '生日问候', 'Birthday');

create table onekey.care_result (
    name text collate "C" primary key,
    is_done boolean not null,
    key text not null unique,
    name_zh text not null,
    name_en text not null
);
comment on table onekey.care_result is 'What can come of it';
comment on column onekey.care_result.name is 'The result';
comment on column onekey.care_result.is_done is 'Whether the promise is kept by it; else it is tried again';
comment on column onekey.care_result.key is 'The key that gives it on a console';
comment on column onekey.care_result.name_zh is 'Name shown in Chinese';
comment on column onekey.care_result.name_en is 'Name shown in English';
insert into onekey.care_result values
    ('well', true, '1', '平安', 'Well'), ('no_answer', false, '2', '无人接听', 'No answer'),
    ('needs_help', true, '3', '需要帮助', 'Needs help'), ('away', true, '4', '外出', 'Away'),
    ('declined', true, '5', '不愿交谈', 'Does not want to talk');

create table onekey.care_plan (
    district text collate "C" not null,
    id bigint generated always as identity,
    household_id bigint not null,
    position smallint not null default 1,
    task text collate "C" not null references onekey.care_task,
    every interval,
    due_at timestamptz,
    next_try_at timestamptz,
    attempts smallint not null default 0,
    last_done_at timestamptz,
    is_active boolean not null default true,
    primary key (district, id),
    unique (district, household_id, position, task),
    foreign key (district, household_id, position) references onekey.resident (district, household_id, position)
        on delete cascade,
    check (every > interval '0')
);
comment on table onekey.care_plan is 'What is promised to a resident, and when it is next due';
comment on column onekey.care_plan.district is 'Code of the district';
comment on column onekey.care_plan.id is 'Number of the plan';
comment on column onekey.care_plan.household_id is 'The home';
comment on column onekey.care_plan.position is 'The resident';
comment on column onekey.care_plan.task is 'What is promised';
comment on column onekey.care_plan.every is 'How often; none: as the task says';
comment on column onekey.care_plan.due_at is 'When it is to be done; none: not called for';
comment on column onekey.care_plan.next_try_at is 'When it may be tried next; before that nobody answered';
comment on column onekey.care_plan.attempts is 'Tries of the one that is due';
comment on column onekey.care_plan.last_done_at is 'When it was last done';
comment on column onekey.care_plan.is_active is 'Whether the promise still holds';
create index care_plan_due on onekey.care_plan (district, next_try_at, id) where is_active and due_at is not null;

create sequence onekey.care_contact_id_seq;
create table onekey.care_contact (
    district text collate "C" not null,
    id bigint not null default nextval('onekey.care_contact_id_seq'),
    at timestamptz not null default clock_timestamp(),
    plan_id bigint not null,
    task text collate "C" not null,
    household_id bigint not null,
    area_id bigint,
    due_at timestamptz not null,
    on_time_until timestamptz not null,
    attempt smallint not null,
    result text collate "C" not null,
    is_done boolean not null,
    actor text,
    note text,
    ticket_id bigint,
    primary key (district, id, at)
) partition by range (at);
comment on table onekey.care_contact is 'Each try and what came of it; rows are added, never changed';
comment on column onekey.care_contact.district is 'Code of the district';
comment on column onekey.care_contact.id is 'Order of tries';
comment on column onekey.care_contact.at is 'When';
comment on column onekey.care_contact.plan_id is 'The plan';
comment on column onekey.care_contact.task is 'What was promised';
comment on column onekey.care_contact.household_id is 'The home';
comment on column onekey.care_contact.area_id is 'The area of the home then';
comment on column onekey.care_contact.due_at is 'When it was due';
comment on column onekey.care_contact.on_time_until is 'Until when it was on time';
comment on column onekey.care_contact.attempt is '1 for the first try of what was due';
comment on column onekey.care_contact.result is 'What came of it: care_result';
comment on column onekey.care_contact.is_done is 'Whether the promise was kept by it';
comment on column onekey.care_contact.actor is 'Who';
comment on column onekey.care_contact.note is 'What was said';
comment on column onekey.care_contact.ticket_id is 'The ticket that it raised';
create table onekey.care_contact_default partition of onekey.care_contact default;
comment on table onekey.care_contact_default is 'Tries whose time lies outside every partition';
create index care_contact_at on onekey.care_contact using brin (at) with (autosummarize = on);
create index care_contact_plan on onekey.care_contact (district, plan_id, id);
insert into onekey.partition_policy values ('care_contact', 'month', 3, null);

create table onekey.call_audit (
    district text collate "C" not null,
    id bigint generated always as identity,
    month date not null,
    operator text collate "C" not null,
    ticket_id bigint not null,
    episode smallint not null,
    is_emergency boolean not null,
    drawn_at timestamptz not null default clock_timestamp(),
    audited_at timestamptz,
    audited_by text,
    score smallint check (score between 0 and 100),
    note text,
    primary key (district, id),
    unique (district, month, operator, ticket_id, episode),
    check ((audited_at is null) = (score is null))
);
comment on table onekey.call_audit is 'Calls drawn at random for a supervisor to listen to and judge';
comment on column onekey.call_audit.district is 'Code of the district';
comment on column onekey.call_audit.id is 'Number of the audit';
comment on column onekey.call_audit.month is 'First day of the month';
comment on column onekey.call_audit.operator is 'Who took the call';
comment on column onekey.call_audit.ticket_id is 'The ticket';
comment on column onekey.call_audit.episode is 'Its episode';
comment on column onekey.call_audit.is_emergency is 'Whether it was an alarm from end to end';
comment on column onekey.call_audit.drawn_at is 'When it was drawn';
comment on column onekey.call_audit.audited_at is 'When it was judged; none: not yet';
comment on column onekey.call_audit.audited_by is 'By whom';
comment on column onekey.call_audit.score is 'How well it went, 0 to 100';
comment on column onekey.call_audit.note is 'What was found';

insert into onekey.role_command
select role, command
from (values ('operator', 'care'), ('supervisor', 'care'), ('street_town', 'care'), ('supervisor', 'set_care_plan'),
             ('administrator', 'set_care_plan'), ('supervisor', 'audit_calls')) r(role, command);
insert into onekey.report_target values
    ('*', 'care', 'percent', 100, 'customer');
