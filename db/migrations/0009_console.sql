-- What the dispatch console needs: sessions of people, the brake on guessing passwords, a cursor over all that
-- happens to tickets, and the queue in its order.

create table onekey.console_session (
    district text collate "C" not null,
    token_hash bytea not null check (length(token_hash) = 32),
    user_name text collate "C" not null,
    origin text,
    created_at timestamptz not null default clock_timestamp(),
    seen_at timestamptz not null default clock_timestamp(),
    idle_until timestamptz not null,
    ends_at timestamptz not null,
    primary key (district, token_hash),
    foreign key (district, user_name) references onekey.app_user (district, name)
);
comment on table onekey.console_session is 'Who is logged in at a console';
comment on column onekey.console_session.token_hash is 'SHA-256 of the token that the browser holds; the token itself is nowhere';
comment on column onekey.console_session.district is 'Code of the district';
comment on column onekey.console_session.user_name is 'Who';
comment on column onekey.console_session.origin is 'From where the log-in came';
comment on column onekey.console_session.created_at is 'Since when';
comment on column onekey.console_session.seen_at is 'When it last asked for something, to the minute';
comment on column onekey.console_session.idle_until is 'When it ends unless it asks for something before';
comment on column onekey.console_session.ends_at is 'When it ends whatever it does';
create index console_session_user on onekey.console_session (district, user_name);
create index console_session_end on onekey.console_session (district, least(idle_until, ends_at));

create table onekey.login_failure (
    district text collate "C" not null,
    subject text collate "C" not null,
    failures integer not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    locked_until timestamptz,
    primary key (district, subject)
);
comment on table onekey.login_failure is 'Log-ins that failed or are being tried: the brake on guessing';
comment on column onekey.login_failure.district is 'Code of the district';
comment on column onekey.login_failure.subject is 'user:NAME, whether there is such a user or not, or address:ADDRESS';
comment on column onekey.login_failure.failures is 'How many since first_at';
comment on column onekey.login_failure.first_at is 'When the first of them was';
comment on column onekey.login_failure.last_at is 'When the last of them was';
comment on column onekey.login_failure.locked_until is 'Until then no password is looked at';

-- A console asks what has changed since it last looked. Identities and clocks are given before the commit and become
-- visible out of their order; the transaction's number together with a snapshot does not miss any.
alter table onekey.ticket_event add column xid bigint;
alter table onekey.ticket_event alter column xid set default pg_current_xact_id()::text::bigint;
comment on column onekey.ticket_event.xid is 'The transaction that wrote it: by it and a snapshot a console finds all that is new';
create index ticket_event_xid on onekey.ticket_event (xid);

-- The queue: one lane is read in this order and stops at its page.
create index ticket_queue on onekey.ticket (district, priority, received_at, id) where state <> 'closed';

-- What can be searched by people: names and addresses are matched from anywhere within.
create index household_phone on onekey.household (district, phone text_pattern_ops) where phone is not null;
create index contact_phone on onekey.contact (district, phone text_pattern_ops);
create index device_identity on onekey.device (district, identity text_pattern_ops);

insert into onekey.role_command
select r.role, c.command
from (values
    ('operator', 'search read_queue read_summary set_absence set_contacts read_phone'),
    ('supervisor', 'search read_queue read_summary set_absence set_contacts read_phone read_users read_limits read_wall'),
    ('administrator', 'search read_queue read_summary set_absence set_contacts read_users read_limits read_wall'),
    ('read_only', 'read_queue read_summary read_wall'),
    ('street_town', 'search read_queue read_summary set_absence read_phone')
) r(role, commands)
cross join string_to_table(r.commands, ' ') c(command)
on conflict do nothing;

create type onekey.console_answer as (status integer, body jsonb, shown bigint[]);
comment on type onekey.console_answer is
    'What a console answers its browser. status: of HTTP; shown: open tickets in it that no console had shown before';
