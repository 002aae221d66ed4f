-- The household's contacts are asked one after the other, and what an escalation leaves on its ticket.

do $$
declare
    words text := (select substring(pg_get_constraintdef(c.oid) from 'ARRAY\[(.*)\]') from pg_constraint c
                   where c.contypid = 'onekey.event_word'::regtype and c.conname = 'event_word_check');
begin
    alter domain onekey.event_word drop constraint event_word_check;
    execute format('alter domain onekey.event_word add constraint event_word_check check (value = any (array[%s,'
                   ' ''contact_asked''::text, ''contact_result''::text, ''contacts_exhausted''::text]))', words);
end $$;

alter table onekey.ticket
    add column ring_level smallint not null default 0,
    add column second_desk_at timestamptz;
comment on column onekey.ticket.ring_level is 'How often it was made to ring louder since it was last claimed';
comment on column onekey.ticket.second_desk_at is 'Since when a second desk is called too; none: it is not';

alter table onekey.contact
    add column available_from time,
    add column available_until time,
    add column available_days smallint[] check (available_days <@ '{1,2,3,4,5,6,7}'),
    add constraint contact_hours check ((available_from is null) = (available_until is null));
comment on column onekey.contact.available_from is 'From this time of day of the district''s zone; none: all day';
comment on column onekey.contact.available_until is 'Until this time; an earlier one is of the next day';
comment on column onekey.contact.available_days is 'On these days, 1 for Monday; none: every day. A night belongs to the day on which it begins';

alter table onekey.household add column contact_first boolean;
comment on column onekey.household.contact_first is
    'Whether its contacts are asked before silence is an alarm for the desk; none: as the district''s policy says';

create table onekey.escalation_policy (
    district text collate "C" primary key,
    accept_s integer not null default 60 check (accept_s between 1 and 3600),
    rounds smallint not null default 2 check (rounds between 1 and 10),
    look_s integer not null default 1800 check (look_s between 1 and 86400),
    contact_first boolean not null default false,
    contact_by text[] not null default '{}',
    supervisor_by text[] not null default '{}',
    check (array_to_string(contact_by || supervisor_by, ' ', '?') ~ '^((webhook|mqtt|mail|exec)(:[^ ]+)?( |$))*$')
);
comment on table onekey.escalation_policy is 'How contacts are asked and supervisors told';
comment on column onekey.escalation_policy.district is 'Code of the district, or * for those without a row';
comment on column onekey.escalation_policy.accept_s is 'Seconds that a contact has to accept before the next is asked';
comment on column onekey.escalation_policy.rounds is 'How often the contacts are gone through';
comment on column onekey.escalation_policy.look_s is 'Seconds that a contact who has accepted has to look before silence is an alarm all the same';
comment on column onekey.escalation_policy.contact_first is 'Whether contacts are asked first about silence, where the household does not say';
comment on column onekey.escalation_policy.contact_by is
    'By what contacts are told: TRANSPORT for all of its targets, or TRANSPORT:TARGET; empty: they are called by hand';
comment on column onekey.escalation_policy.supervisor_by is 'By what supervisors are told beside their consoles, in the same words';
insert into onekey.escalation_policy (district) values ('*');

create table onekey.contact_attempt (
    district text collate "C" not null,
    id bigint generated always as identity,
    ticket_id bigint not null,
    round smallint not null,
    position smallint not null,
    role text not null,
    name text not null,
    token_hash bytea not null,
    asked_at timestamptz not null,
    until_at timestamptz not null,
    result text check (result in ('no_answer', 'busy', 'refused', 'accepted', 'arrived', 'done', 'needs_help')),
    result_at timestamptz,
    result_by text,
    helper_id bigint,
    primary key (district, id),
    unique (district, token_hash),
    check ((result is null) = (result_at is null))
);
comment on table onekey.contact_attempt is 'Which contacts were asked about a ticket, and what they said';
comment on column onekey.contact_attempt.district is 'Code of the district';
comment on column onekey.contact_attempt.id is 'Number of the attempt';
comment on column onekey.contact_attempt.ticket_id is 'The ticket';
comment on column onekey.contact_attempt.round is 'The first time through the contacts is 1';
comment on column onekey.contact_attempt.position is 'Place of the contact among those of the household';
comment on column onekey.contact_attempt.role is 'What the contact is to the household';
comment on column onekey.contact_attempt.name is 'Name of the contact at that time';
comment on column onekey.contact_attempt.token_hash is 'SHA-256 of the token with which the contact answers';
comment on column onekey.contact_attempt.asked_at is 'When';
comment on column onekey.contact_attempt.until_at is 'Until when the contact may accept before the next one is asked';
comment on column onekey.contact_attempt.result is 'What came of it; none: nothing yet';
comment on column onekey.contact_attempt.result_at is 'When that was known';
comment on column onekey.contact_attempt.result_by is 'Which person recorded it; none: the contact, or the time ran out';
comment on column onekey.contact_attempt.helper_id is 'Entry of the ticket''s checklist, once accepted';
create unique index contact_attempt_running on onekey.contact_attempt (district, ticket_id) where result is null;
create index contact_attempt_ticket on onekey.contact_attempt (district, ticket_id);

alter table onekey.escalation_step drop constraint escalation_step_action_check;
alter table onekey.escalation_step add constraint escalation_step_action_check check (action in (
    'ring_louder', 'notify_supervisor', 'second_desk', 'contact_ladder', 'contact_first', 'webhook', 'mqtt'));
-- Only at silence of households that want it so: see onekey.wants_contact_first().
insert into onekey.escalation_step (district, kind_class, state, after_s, action)
values ('*', 'water', 'open', 0, 'contact_first');
