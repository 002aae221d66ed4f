-- The life of a ticket: who may do what to it, in which state, within what time, and who is told if not.
--
-- What a ticket can do stands in ticket_transition and nowhere else: the functions look every step up in it and
-- docs/TICKETS.md is made from it. Time limits and escalations are rows too, so a district changes them
-- without a new program. A row of district '*' holds wherever the district has none of its own.

alter domain onekey.event_word drop constraint event_word_check;
alter domain onekey.event_word add constraint event_word_check check (value in (
    'raised', 'pressed_again', 'cancelled_by_person', 'restored', 'presented', 'claimed', 'claim_expired',
    'released', 'answered', 'dispatched', 'helper_result', 'on_scene', 'verified', 'closed', 'reopened', 'held',
    'hold_ended', 'handed_over', 'merged', 'note', 'note_struck', 'marked_test', 'test_cleared', 'escalated',
    'notified'));

-- --- what a ticket can do ---

create table onekey.ticket_class (
    name text collate "C" primary key,
    name_zh text not null,
    name_en text not null,
    claim_s integer not null check (claim_s > 0),
    work_s integer not null check (work_s > 0),
    hold_max_s integer not null check (hold_max_s > 0)
);
comment on table onekey.ticket_class is 'Kinds of tickets that live alike';
comment on column onekey.ticket_class.name is 'The class';
comment on column onekey.ticket_class.name_zh is 'Name shown in Chinese';
comment on column onekey.ticket_class.name_en is 'Name shown in English';
comment on column onekey.ticket_class.claim_s is 'Seconds until a claim that nobody works on lapses';
comment on column onekey.ticket_class.work_s is 'Seconds without a sign of its owner until a ticket in work loses him';
comment on column onekey.ticket_class.hold_max_s is 'Seconds that it may be held at most';
insert into onekey.ticket_class values
    ('alarm', '报警', 'Alarm', 60, 900, 1800),
    ('water', '用水', 'Water', 120, 1800, 7200),
    ('technical', '设备', 'Technical', 600, 14400, 259200),
    ('service', '服务', 'Service', 120, 900, 3600),
    ('care', '关爱', 'Care', 600, 3600, 86400),
    ('test', '测试', 'Test', 600, 3600, 86400);

alter table onekey.ticket_kind add column class text collate "C" references onekey.ticket_class;
comment on column onekey.ticket_kind.class is 'How tickets of this kind live';
update onekey.ticket_kind set class = case
    when name in ('panic', 'fall', 'wander', 'unreadable') then 'alarm'
    when name in ('silence', 'running_water', 'leak') then 'water'
    when name = 'service' then 'service'
    when name = 'care_call' then 'care'
    when name = 'test' then 'test'
    else 'technical' end;
alter table onekey.ticket_kind alter column class set not null;
alter table onekey.service_kind add column class text collate "C" references onekey.ticket_class;
comment on column onekey.service_kind.class is 'How its ticket lives where that differs from kind service';
update onekey.service_kind set class = 'alarm' where name = 'rescue';
update onekey.service_kind set class = 'care' where name = 'care_call';

create table onekey.ticket_command (
    name text collate "C" primary key,
    event onekey.event_word,
    needs_owner boolean not null,
    name_zh text not null,
    name_en text not null
);
comment on table onekey.ticket_command is 'What can be done to a ticket';
comment on column onekey.ticket_command.name is 'The command';
comment on column onekey.ticket_command.event is 'The event that records it; none for a renewal, which is no step';
comment on column onekey.ticket_command.needs_owner is 'Only who owns the ticket may';
comment on column onekey.ticket_command.name_zh is 'Name shown in Chinese';
comment on column onekey.ticket_command.name_en is 'Name shown in English';
insert into onekey.ticket_command values
    ('present', 'presented', false, '呈现', 'show on a console'),
    ('claim', 'claimed', false, '接单', 'claim'),
    ('renew', null, true, '续时', 'renew the claim'),
    ('answer', 'answered', true, '接通', 'speak with the person'),
    ('dispatch', 'dispatched', true, '派出', 'send helpers'),
    ('result', 'helper_result', false, '反馈', 'record what a helper said'),
    ('scene', 'on_scene', true, '到场', 'a helper is there'),
    ('verify', 'verified', true, '核实', 'confirm the cause'),
    ('close', 'closed', true, '办结', 'close'),
    ('hold', 'held', true, '挂起', 'hold'),
    ('hand_over', 'handed_over', true, '转交', 'hand over'),
    ('release', 'released', true, '退回', 'give back to the queue'),
    ('merge', 'merged', true, '合并', 'merge into another'),
    ('reopen', 'reopened', false, '重开', 're-open'),
    ('note', 'note', false, '备注', 'add a note'),
    ('strike', 'note_struck', false, '划去备注', 'strike a note'),
    ('mark_test', 'marked_test', true, '标为测试', 'mark as a test'),
    ('expire', 'claim_expired', false, '超时退回', 'the claim lapses'),
    ('end_hold', 'hold_ended', false, '挂起结束', 'the hold ends'),
    ('restore', 'closed', false, '自行恢复', 'restored by itself');

create table onekey.ticket_transition (
    kind_class text collate "C" not null references onekey.ticket_class,
    from_state onekey.state_word not null,
    command text collate "C" not null references onekey.ticket_command,
    to_state onekey.state_word not null,
    needs text check (needs in ('answered')),
    primary key (kind_class, from_state, command)
);
comment on table onekey.ticket_transition is 'Every step that there is';
comment on column onekey.ticket_transition.kind_class is 'For tickets of this class';
comment on column onekey.ticket_transition.from_state is 'In this state';
comment on column onekey.ticket_transition.command is 'This can be done';
comment on column onekey.ticket_transition.to_state is 'And leads here';
comment on column onekey.ticket_transition.needs is
    'Only after this: answered: someone has spoken with the person in this episode';

-- The same for all: states 'claimed' and later have an owner, or had one whose claim lapsed.
insert into onekey.ticket_transition
select c.name, s.from_state, s.command, coalesce(s.to_state, s.from_state)
from onekey.ticket_class c
cross join (
    select unnest(string_to_array(from_states, ' '))::onekey.state_word, command, to_state::onekey.state_word
    from (values
        ('open dispatched on_scene verified', 'present', null),
        ('claimed', 'present', null),
        ('open', 'claim', 'claimed'),
        ('dispatched on_scene verified', 'claim', null),
        ('claimed dispatched on_scene verified', 'renew', null),
        ('claimed dispatched on_scene verified', 'hand_over', null),
        ('claimed', 'release', 'open'),
        ('dispatched on_scene verified', 'release', null),
        ('claimed', 'expire', 'open'),
        ('dispatched on_scene verified', 'expire', null),
        ('claimed', 'hold', 'open'),
        ('dispatched on_scene verified', 'hold', null),
        ('open dispatched on_scene verified', 'end_hold', null),
        ('claimed dispatched on_scene verified', 'merge', 'closed'),
        ('closed', 'reopen', 'open'),
        ('open claimed dispatched on_scene verified closed', 'note', null),
        ('open claimed dispatched on_scene verified closed', 'strike', null),
        ('open claimed dispatched on_scene verified closed', 'result', null),
        ('claimed', 'answer', null)) v(from_states, command, to_state)
    ) s(from_state, command, to_state)
where s.from_state in ('open', 'claimed', 'closed') or c.name in ('alarm', 'water', 'technical');
-- Where helpers are sent.
insert into onekey.ticket_transition
select c.name, s.from_state::onekey.state_word, s.command, s.to_state::onekey.state_word
from onekey.ticket_class c
cross join (values
    ('dispatched', 'answer', 'dispatched'), ('on_scene', 'answer', 'on_scene'), ('verified', 'answer', 'verified'),
    ('claimed', 'dispatch', 'dispatched'), ('dispatched', 'dispatch', 'dispatched'),
    ('on_scene', 'dispatch', 'on_scene'), ('verified', 'dispatch', 'dispatched'),
    ('dispatched', 'scene', 'on_scene'), ('on_scene', 'scene', 'on_scene'),
    ('claimed', 'verify', 'verified'), ('dispatched', 'verify', 'verified'), ('on_scene', 'verify', 'verified'),
    ('verified', 'close', 'closed')) s(from_state, command, to_state)
where c.name in ('alarm', 'water', 'technical');
insert into onekey.ticket_transition values
    ('alarm', 'claimed', 'close', 'closed', 'answered'), -- it is over once the person has said so
    ('technical', 'claimed', 'close', 'closed', null),
    ('technical', 'dispatched', 'close', 'closed', null),
    ('technical', 'on_scene', 'close', 'closed', null),
    ('technical', 'open', 'restore', 'closed', null),
    ('service', 'claimed', 'close', 'closed', null),
    ('care', 'claimed', 'close', 'closed', null),
    ('test', 'claimed', 'close', 'closed', null),
    ('alarm', 'claimed', 'mark_test', 'claimed', null),
    ('technical', 'claimed', 'mark_test', 'claimed', null),
    ('service', 'claimed', 'mark_test', 'claimed', null);
-- An alarm nobody has looked into is not put aside.
update onekey.ticket_transition set needs = 'answered'
where kind_class = 'alarm' and from_state = 'claimed' and command = 'hold';

alter table onekey.outcome add column by_hand boolean not null default true;
comment on column onekey.outcome.by_hand is 'Whether a person may choose it';
insert into onekey.outcome
select k.name, o.name, o.name_zh, o.name_en, o.by_hand
from onekey.ticket_kind k
join (values
    ('alarm', 'taken_to_hospital', '送医', 'Taken to hospital', true),
    ('alarm', 'helped_at_home', '上门处置', 'Helped at home', true),
    ('alarm', 'person_well', '人员平安', 'Person is well', true),
    ('alarm', 'false_press', '误按', 'Pressed by mistake', true),
    ('alarm', 'called_back', '已回拨', 'Called back after a cancelled press', true),
    ('alarm', 'no_access', '无法进入', 'No access', true),
    ('alarm', 'deceased', '已故', 'Deceased', true),
    ('water', 'taken_to_hospital', '送医', 'Taken to hospital', true),
    ('water', 'helped_at_home', '上门处置', 'Helped at home', true),
    ('water', 'person_well', '人员平安', 'Person is well', true),
    ('water', 'away', '外出', 'Away', true),
    ('water', 'in_hospital', '住院', 'In hospital', true),
    ('water', 'water_fault', '用水设施故障', 'Fault of pipes or taps', true),
    ('water', 'meter_fault', '水表故障', 'Fault of the meter', true),
    ('water', 'deceased', '已故', 'Deceased', true),
    ('technical', 'repaired', '已修复', 'Repaired', true),
    ('technical', 'replaced', '已更换', 'Replaced', true),
    ('technical', 'taken_out', '已拆除', 'Taken out of use', true),
    ('technical', 'no_fault_found', '未发现故障', 'No fault found', true),
    ('service', 'arranged', '已安排', 'Arranged', true),
    ('service', 'answered', '已答复', 'Answered', true),
    ('service', 'not_available', '无法提供', 'Not available', true),
    ('service', 'taken_back', '已撤回', 'Taken back by the person', true),
    ('care', 'well', '平安', 'Well', true),
    ('care', 'needs_help', '需要帮助', 'Needs help', true),
    ('care', 'no_answer', '无人接听', 'No answer', true),
    ('test', 'passed', '测试通过', 'Passed', true),
    ('test', 'failed', '测试失败', 'Failed', true)
) o(class, name, name_zh, name_en, by_hand) on o.class = k.class or o.class = 'alarm' and k.name = 'service'
on conflict do nothing;
insert into onekey.outcome
select k.name, 'test', '测试', 'A test', true from onekey.ticket_kind k where k.class not in ('water', 'care', 'test')
union all
select k.name, 'merged', '已合并', 'Merged into another ticket', false from onekey.ticket_kind k;

-- --- the ticket ---

alter table onekey.ticket
    add column episode smallint not null default 1,
    add column reopened_at timestamptz,
    add column state_at timestamptz,
    add column owned_at timestamptz,
    add column claim_until timestamptz,
    add column is_answered boolean not null default false,
    add column is_test boolean not null default false,
    add column held_until timestamptz,
    add column held_by text,
    add column hold_reason text,
    add column return_priority smallint check (return_priority between 1 and 5),
    add column merged_into bigint,
    add constraint ticket_owner check (case state when 'open' then claimed_by is null
                                                  when 'claimed' then claimed_by is not null else true end),
    add constraint ticket_claim check (claim_until is null or claimed_by is not null and state <> 'closed'),
    add constraint ticket_hold check (held_until is null or claimed_by is null and state <> 'closed');
comment on column onekey.ticket.claimed_by is 'Who owns it now; once closed: who owned it then';
comment on column onekey.ticket.episode is '1, and one more each time it is re-opened';
comment on column onekey.ticket.reopened_at is 'When it was last re-opened';
comment on column onekey.ticket.state_at is 'Since when it is in its state; none: since it was received';
comment on column onekey.ticket.owned_at is 'Since when its owner owns it';
comment on column onekey.ticket.claim_until is 'When its owner loses it unless he works on it';
comment on column onekey.ticket.is_answered is 'Whether someone has spoken with the person in this episode';
comment on column onekey.ticket.is_test is 'Whether it was marked as a test; a new press takes the mark away';
comment on column onekey.ticket.held_until is 'When it returns to the queue; none: it is not held';
comment on column onekey.ticket.held_by is 'Who holds it';
comment on column onekey.ticket.hold_reason is 'Why it is held';
comment on column onekey.ticket.return_priority is 'Priority with which it returns from a hold';
comment on column onekey.ticket.merged_into is 'The ticket that stands for it';

create table onekey.helper_kind (
    name text collate "C" primary key,
    name_zh text not null,
    name_en text not null
);
comment on table onekey.helper_kind is 'Who can be sent or told; several at the same time';
comment on column onekey.helper_kind.name is 'The helper';
comment on column onekey.helper_kind.name_zh is 'Name shown in Chinese';
comment on column onekey.helper_kind.name_en is 'Name shown in English';
insert into onekey.helper_kind values
    ('120', '急救 120', 'Ambulance 120'),
    ('110', '公安 110', 'Police 110'),
    ('119', '消防 119', 'Fire service 119'),
    ('family', '家属', 'Family'),
    ('neighbourhood', '居委会', 'Neighbourhood committee'),
    ('volunteer', '志愿者', 'Volunteer'),
    ('key_holder', '钥匙保管人', 'Key holder'),
    ('technician', '维修人员', 'Technician');

create table onekey.ticket_helper (
    district text collate "C" not null,
    id bigint generated always as identity,
    ticket_id bigint not null,
    episode smallint not null,
    helper text collate "C" not null references onekey.helper_kind,
    name text,
    sent_at timestamptz not null,
    sent_by text not null,
    result text check (result in ('no_answer', 'busy', 'refused', 'accepted', 'arrived', 'done')),
    result_at timestamptz,
    result_by text,
    arrived_at timestamptz,
    primary key (district, id),
    check ((result is null) = (result_at is null))
);
comment on table onekey.ticket_helper is 'The checklist of a ticket: who was sent or told, all in parallel, and what came of it';
comment on column onekey.ticket_helper.district is 'Code of the district';
comment on column onekey.ticket_helper.id is 'Number of the entry';
comment on column onekey.ticket_helper.ticket_id is 'The ticket';
comment on column onekey.ticket_helper.episode is 'Episode of the ticket';
comment on column onekey.ticket_helper.helper is 'Who was sent or told';
comment on column onekey.ticket_helper.name is 'Which one, where there are several';
comment on column onekey.ticket_helper.sent_at is 'When';
comment on column onekey.ticket_helper.sent_by is 'By whom';
comment on column onekey.ticket_helper.result is 'What came of it so far; none: nothing is known yet';
comment on column onekey.ticket_helper.result_at is 'When that was recorded';
comment on column onekey.ticket_helper.result_by is 'By whom';
comment on column onekey.ticket_helper.arrived_at is 'When this helper was there';
create index ticket_helper_ticket on onekey.ticket_helper (district, ticket_id);

-- --- time limits ---

create table onekey.sla_policy (
    district text collate "C" not null,
    id bigint generated always as identity,
    kind onekey.ticket_word not null references onekey.ticket_kind,
    service_kind onekey.service_word,
    priority smallint check (priority between 1 and 5),
    area_id bigint,
    measure text not null check (measure in ('present', 'answer', 'dispatch', 'on_scene', 'close')),
    warn_s integer not null check (warn_s > 0),
    breach_s integer not null,
    primary key (district, id),
    unique nulls not distinct (district, kind, service_kind, priority, area_id, measure),
    check (breach_s >= warn_s)
);
comment on table onekey.sla_policy is
    'Time limits. The row that says most holds: area (the smaller first), priority, service, own district before *';
comment on column onekey.sla_policy.district is 'Code of the district, or * for all';
comment on column onekey.sla_policy.id is 'Number of the limit';
comment on column onekey.sla_policy.kind is 'For tickets of this kind';
comment on column onekey.sla_policy.service_kind is 'Of this service; none: any';
comment on column onekey.sla_policy.priority is 'Of this priority; none: any';
comment on column onekey.sla_policy.area_id is 'In this area and all that belong to it; none: any';
comment on column onekey.sla_policy.measure is
    'present, answer, close: from the arrival or the re-opening; dispatch: from the answer; on_scene: from the dispatch';
comment on column onekey.sla_policy.warn_s is 'Seconds until it is nearly late';
comment on column onekey.sla_policy.breach_s is 'Seconds until it is late';
insert into onekey.sla_policy (district, kind, service_kind, measure, warn_s, breach_s)
select '*', k.name, l.service_kind, l.measure, l.warn_s, l.breach_s
from onekey.ticket_kind k
join (values
    ('alarm', null, 'present', 5, 15), ('alarm', null, 'answer', 30, 60), ('alarm', null, 'dispatch', 45, 60),
    ('alarm', null, 'on_scene', 2700, 3600), ('alarm', null, 'close', 7200, 14400),
    ('water', null, 'present', 15, 60), ('water', null, 'answer', 600, 1800), ('water', null, 'dispatch', 600, 1800),
    ('water', null, 'on_scene', 2700, 3600), ('water', null, 'close', 14400, 28800),
    ('technical', null, 'close', 72000, 86400),
    ('service', null, 'present', 15, 60), ('service', null, 'answer', 480, 600), ('service', null, 'close', 3600, 7200),
    ('service', 'rescue', 'present', 5, 15), ('service', 'rescue', 'answer', 30, 60),
    ('service', 'rescue', 'dispatch', 45, 60), ('service', 'rescue', 'on_scene', 2700, 3600),
    ('service', 'rescue', 'close', 7200, 14400),
    ('care', null, 'close', 72000, 86400), ('test', null, 'close', 72000, 86400)
) l(class, service_kind, measure, warn_s, breach_s) on l.class = k.class;

create table onekey.escalation_step (
    district text collate "C" not null,
    id bigint generated always as identity,
    kind_class text collate "C" not null references onekey.ticket_class,
    state onekey.state_word not null check (state <> 'closed'),
    after_s integer not null check (after_s >= 0),
    action text not null check (action in ('ring_louder', 'notify_supervisor', 'second_desk', 'contact_ladder',
                                           'webhook', 'mqtt')),
    target text,
    primary key (district, id),
    unique nulls not distinct (district, kind_class, state, after_s, action, target)
);
comment on table onekey.escalation_step is
    'What happens to a ticket that stays in one state; a district with steps of its own for a class and state has none of those of *';
comment on column onekey.escalation_step.district is 'Code of the district, or * for all';
comment on column onekey.escalation_step.id is 'Number of the step';
comment on column onekey.escalation_step.kind_class is 'For tickets of this class';
comment on column onekey.escalation_step.state is 'That are in this state';
comment on column onekey.escalation_step.after_s is 'For so many seconds';
comment on column onekey.escalation_step.action is 'What is then done';
comment on column onekey.escalation_step.target is 'Whom or what it is about: a desk, an address, a topic';
insert into onekey.escalation_step (district, kind_class, state, after_s, action) values
    ('*', 'alarm', 'open', 20, 'ring_louder'), ('*', 'alarm', 'open', 60, 'notify_supervisor'),
    ('*', 'alarm', 'open', 120, 'second_desk'), ('*', 'alarm', 'open', 180, 'contact_ladder'),
    ('*', 'alarm', 'claimed', 180, 'notify_supervisor'), ('*', 'alarm', 'dispatched', 2700, 'notify_supervisor'),
    ('*', 'alarm', 'on_scene', 7200, 'notify_supervisor'), ('*', 'alarm', 'verified', 7200, 'notify_supervisor'),
    ('*', 'water', 'open', 300, 'ring_louder'), ('*', 'water', 'open', 900, 'notify_supervisor'),
    ('*', 'water', 'claimed', 1800, 'notify_supervisor'), ('*', 'water', 'dispatched', 2700, 'notify_supervisor'),
    ('*', 'service', 'open', 300, 'ring_louder'), ('*', 'service', 'open', 540, 'notify_supervisor'),
    ('*', 'service', 'claimed', 600, 'notify_supervisor'), ('*', 'technical', 'open', 72000, 'notify_supervisor');

create table onekey.escalation_fired (
    district text collate "C" not null,
    ticket_id bigint not null,
    step_id bigint not null,
    since timestamptz not null,
    fired_at timestamptz not null default clock_timestamp(),
    fired_by text,
    primary key (district, ticket_id, step_id, since)
);
comment on table onekey.escalation_fired is 'Which steps were taken: the guard that each is taken once';
comment on column onekey.escalation_fired.district is 'Code of the district';
comment on column onekey.escalation_fired.ticket_id is 'The ticket';
comment on column onekey.escalation_fired.step_id is 'The step';
comment on column onekey.escalation_fired.since is 'Since when the ticket was in that state: it may enter it again';
comment on column onekey.escalation_fired.fired_at is 'When the step was taken';
comment on column onekey.escalation_fired.fired_by is 'By which gateway';

-- --- people ---

create table onekey.app_role (
    name text collate "C" primary key,
    name_zh text not null,
    name_en text not null
);
comment on table onekey.app_role is 'What people are here for';
comment on column onekey.app_role.name is 'The role';
comment on column onekey.app_role.name_zh is 'Name shown in Chinese';
comment on column onekey.app_role.name_en is 'Name shown in English';
insert into onekey.app_role values
    ('operator', '坐席', 'Operator'), ('supervisor', '班长', 'Supervisor'),
    ('administrator', '管理员', 'Administrator'), ('read_only', '只读', 'Read only'),
    ('street_town', '街镇', 'Street-town');

create table onekey.role_command (
    role text collate "C" not null references onekey.app_role,
    command text collate "C" not null,
    primary key (role, command)
);
comment on table onekey.role_command is 'Who may do what; what is not here is refused and audited';
comment on column onekey.role_command.role is 'People of this role';
comment on column onekey.role_command.command is 'May do this: a ticket_command, or one of the others listed here';
insert into onekey.role_command
select r.role, c.command
from (values
    ('operator', 'present claim renew answer dispatch result scene verify close hold hand_over release merge reopen'
                 ' note strike mark_test read_ticket read_household shift'),
    ('supervisor', 'present claim renew answer dispatch result scene verify close hold hand_over release merge reopen'
                   ' note strike mark_test read_ticket read_household shift'
                   ' override_owner override_note shift_others set_limits read_audit'),
    ('administrator', 'read_ticket read_household set_user set_limits read_audit'),
    ('read_only', 'read_ticket'),
    ('street_town', 'result note strike read_ticket read_household')
) r(role, commands)
cross join string_to_table(r.commands, ' ') c(command);

create table onekey.app_user (
    district text collate "C" not null,
    name text collate "C" not null check (name ~ '^[a-z0-9_.-]{1,64}$'),
    role text collate "C" not null references onekey.app_role,
    full_name text not null,
    password_hash text,
    is_active boolean not null default true,
    created_at timestamptz not null default clock_timestamp(),
    primary key (district, name)
);
comment on table onekey.app_user is 'People who use the system; never deleted, for the record names them';
comment on column onekey.app_user.district is 'District they work for';
comment on column onekey.app_user.name is 'Log-in name';
comment on column onekey.app_user.role is 'What they may do';
comment on column onekey.app_user.full_name is 'Name shown';
comment on column onekey.app_user.password_hash is 'As crypt(3) makes it; none: no log-in by password';
comment on column onekey.app_user.is_active is 'Whether they may still do anything';
comment on column onekey.app_user.created_at is 'Since when they are known';

create table onekey.app_user_area (
    district text collate "C" not null,
    user_name text collate "C" not null,
    area_id bigint not null,
    primary key (district, user_name, area_id),
    foreign key (district, user_name) references onekey.app_user (district, name),
    foreign key (district, area_id) references onekey.area (district, id)
);
comment on table onekey.app_user_area is
    'Areas of responsibility, with all that belongs to them; who has none sees the district, a street-town user nothing';
comment on column onekey.app_user_area.district is 'Code of the district';
comment on column onekey.app_user_area.user_name is 'Who';
comment on column onekey.app_user_area.area_id is 'Is responsible for this area';

create table onekey.shift (
    district text collate "C" not null,
    id bigint generated always as identity,
    user_name text collate "C" not null,
    on_at timestamptz not null default clock_timestamp(),
    paused_at timestamptz,
    pause_reason text,
    off_at timestamptz,
    primary key (district, id),
    foreign key (district, user_name) references onekey.app_user (district, name),
    check (off_at is null or paused_at is null)
);
comment on table onekey.shift is 'Who is or was on duty';
comment on column onekey.shift.district is 'Code of the district';
comment on column onekey.shift.id is 'Number of the shift';
comment on column onekey.shift.user_name is 'Who';
comment on column onekey.shift.on_at is 'From when';
comment on column onekey.shift.paused_at is 'Since when there is a pause; none: there is none';
comment on column onekey.shift.pause_reason is 'What the pause is for';
comment on column onekey.shift.off_at is 'Until when; none: still on duty';
create unique index shift_one_open on onekey.shift (district, user_name) where off_at is null;

create table onekey.command_log (
    district text collate "C" not null,
    actor text collate "C" not null,
    key text not null,
    command text not null,
    ticket_id bigint not null,
    at timestamptz not null default clock_timestamp(),
    reply jsonb,
    primary key (district, actor, key)
);
comment on table onekey.command_log is 'Commands that carried a key, for a day: the same again changes nothing and is answered as before';
comment on column onekey.command_log.district is 'Code of the district';
comment on column onekey.command_log.actor is 'Who';
comment on column onekey.command_log.key is 'Key that the client gave the command';
comment on column onekey.command_log.command is 'The command';
comment on column onekey.command_log.ticket_id is 'The ticket';
comment on column onekey.command_log.at is 'When';
comment on column onekey.command_log.reply is 'What was answered';

create sequence onekey.audit_id_seq;
create table onekey.audit (
    district text collate "C" not null,
    id bigint not null default nextval('onekey.audit_id_seq'),
    at timestamptz not null default clock_timestamp(),
    actor text,
    login text not null default session_user,
    origin text,
    action text not null,
    object text,
    is_allowed boolean not null,
    detail jsonb,
    primary key (district, id, at)
) partition by range (at);
comment on table onekey.audit is 'Who read a resident''s record, changed people or limits, or tried what they may not; rows are added, never changed';
comment on column onekey.audit.district is 'Code of the district; empty where it is not known';
comment on column onekey.audit.id is 'Order of entries';
comment on column onekey.audit.at is 'When';
comment on column onekey.audit.actor is 'Who; none if nobody was named';
comment on column onekey.audit.login is 'Database role of the connection';
comment on column onekey.audit.origin is 'From where';
comment on column onekey.audit.action is 'What';
comment on column onekey.audit.object is 'To what: ticket:ID, household:ID, user:NAME';
comment on column onekey.audit.is_allowed is 'False: it was refused';
comment on column onekey.audit.detail is 'What else is to be said';
create table onekey.audit_default partition of onekey.audit default;
comment on table onekey.audit_default is 'Entries whose time lies outside every partition';
insert into onekey.partition_policy values ('audit', 'month', 3, null);

create function onekey.refuse_change_of_audit() returns trigger language plpgsql as $$
begin
    raise exception 'onekey.audit is append-only: % refused', lower(tg_op) using errcode = 'insufficient_privilege';
end $$;
comment on function onekey.refuse_change_of_audit() is 'Keeps the audit append-only';
revoke all on function onekey.refuse_change_of_audit() from public;
create trigger append_only before update or delete on onekey.audit
    for each row execute function onekey.refuse_change_of_audit();
create trigger append_only_truncate before truncate on onekey.audit
    for each statement execute function onekey.refuse_change_of_audit();

-- --- what the functions answer ---

create type onekey.command_reply as (
    ok boolean,
    code text,
    message text,
    ticket_id bigint,
    state text,
    owner text,
    event_id bigint,
    detail jsonb
);
comment on type onekey.command_reply is
    'What became of a command. ok: it stands. Otherwise nothing was changed and code says why: forbidden, not_found, taken, not_owner, wrong_state, not_answered, invalid';

create type onekey.stepped as (ticket onekey.ticket, detail jsonb);
comment on type onekey.stepped is 'A ticket after a step, and what the event of the step tells';
