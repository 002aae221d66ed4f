-- Notices: what is told to people and programs outside, and how each stands.
--
-- A notice is written in the transaction that decides on it (enqueue_notice()), so that it is sent if and only if
-- that stands, and a gateway carries it out (db/functions/45_notices.sql).

create table onekey.outbox (
    district text collate "C" not null,
    id bigint generated always as identity,
    ticket_id bigint,
    event_type text not null check (event_type ~ '^[a-z0-9_]+(\.[a-z0-9_]+)*$' and length(event_type) <= 64),
    transport text not null check (transport in ('webhook', 'mqtt', 'mail', 'exec')),
    destination text,
    payload jsonb not null check (jsonb_typeof(payload) = 'object'),
    idempotency_key text not null check (length(idempotency_key) between 1 and 400),
    created_at timestamptz not null default clock_timestamp(),
    queued_at timestamptz not null default clock_timestamp(),
    next_try_at timestamptz not null default clock_timestamp(),
    attempts integer not null default 0,
    last_error text,
    delivered_at timestamptz,
    given_up_at timestamptz,
    leased_by text,
    leased_until timestamptz,
    primary key (district, id),
    unique (district, idempotency_key),
    check (delivered_at is null or given_up_at is null)
);
comment on table onekey.outbox is 'Notices to be sent and sent: each to one target, or until a gateway takes it to all of its transport';
comment on column onekey.outbox.district is 'Code of the district';
comment on column onekey.outbox.id is 'Number of the notice';
comment on column onekey.outbox.ticket_id is 'The ticket it is about';
comment on column onekey.outbox.event_type is 'What it tells, such as ticket.escalated';
comment on column onekey.outbox.transport is 'How it is sent';
comment on column onekey.outbox.destination is 'Name of a target in the gateways'' configuration; none: to all of the transport';
comment on column onekey.outbox.payload is
    'What is told. Below `person` stands what names or reaches somebody: only targets that ask for it are sent that';
comment on column onekey.outbox.idempotency_key is 'The same key is one notice; the receiver sees the same id however often it is sent';
comment on column onekey.outbox.created_at is 'When it was written';
comment on column onekey.outbox.queued_at is 'From when its time counts until it is given up: when it was written, or last sent again by hand';
comment on column onekey.outbox.next_try_at is 'When it is sent next';
comment on column onekey.outbox.attempts is 'How often a gateway has taken it';
comment on column onekey.outbox.last_error is 'Why it could not be delivered';
comment on column onekey.outbox.delivered_at is 'When the target took it';
comment on column onekey.outbox.given_up_at is 'When it was given up';
comment on column onekey.outbox.leased_by is 'The gateway that sends it now';
comment on column onekey.outbox.leased_until is 'Until when no other gateway takes it';
create index outbox_waiting on onekey.outbox (district, transport, destination, next_try_at)
    where delivered_at is null and given_up_at is null;
create index outbox_ticket on onekey.outbox (district, ticket_id);

create table onekey.notice_target (
    district text collate "C" not null,
    transport text collate "C" not null,
    name text collate "C" not null,
    delivered_at timestamptz,
    failing_since timestamptz,
    last_error text,
    ticket_id bigint,
    primary key (district, transport, name)
);
comment on table onekey.notice_target is 'How the targets of notices stand';
comment on column onekey.notice_target.district is 'Code of the district';
comment on column onekey.notice_target.transport is 'The transport';
comment on column onekey.notice_target.name is 'Name of the target in the gateways'' configuration';
comment on column onekey.notice_target.delivered_at is 'When it last took a notice';
comment on column onekey.notice_target.failing_since is 'Since when it has taken none; none: it works';
comment on column onekey.notice_target.last_error is 'Why it took the last one not';
comment on column onekey.notice_target.ticket_id is 'The ticket about this failure: one an episode';

-- A kind of its own for a target that takes nothing for long: an operator must not read "large-scale outage" then. The
-- word is added to whatever the vocabulary holds.
do $$
declare
    words text := (select substring(pg_get_constraintdef(c.oid) from 'ARRAY\[(.*)\]') from pg_constraint c
                   where c.contypid = 'onekey.ticket_word'::regtype and c.conname = 'ticket_word_check');
begin
    alter domain onekey.ticket_word drop constraint ticket_word_check;
    execute format('alter domain onekey.ticket_word add constraint ticket_word_check'
                   ' check (value = any (array[%s, ''notice_lost''::text]))', words);
end $$;
insert into onekey.ticket_kind (name, priority, name_zh, name_en, class)
values ('notice_lost', 2, '通知无法送达', 'Notices not delivered', 'technical');
insert into onekey.outcome (ticket_kind, name, name_zh, name_en, by_hand)
select 'notice_lost', o.name, o.name_zh, o.name_en, o.by_hand from onekey.outcome o where o.ticket_kind = 'mains_lost';
insert into onekey.sla_policy (district, kind, measure, warn_s, breach_s)
select p.district, 'notice_lost', p.measure, p.warn_s, p.breach_s from onekey.sla_policy p
where p.district = '*' and p.kind = 'mains_lost';
