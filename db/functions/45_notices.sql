-- Notices. Whoever decides that somebody is to be told calls enqueue_notice() in that transaction. A gateway takes what is
-- due on a lease, sends it, and says what came of it. A lease that runs out (the gateway died) is taken again,
-- so a notice may arrive twice, but always under the same id.
--
-- How a target fares stands in notice_target. One that has taken nothing for long is a ticket of kind
-- notice_lost, one an episode, which closes by itself like every technical ticket when the target works again.

-- What a notice tells of its ticket: nothing that names or reaches a person.
create or replace function onekey.notice_facts(district text, ticket_id bigint) returns jsonb
language sql stable set search_path = onekey, pg_temp as $$
    select jsonb_strip_nulls(jsonb_build_object(
        'id', t.id, 'kind', t.kind, 'kind_zh', k.name_zh, 'kind_en', k.name_en,
        'service', nullif(t.service_kind, 'none'), 'priority', t.priority, 'state', t.state, 'flags', t.flags,
        'signals', t.signal_count, 'household', h.code, 'area', a.path, 'area_zh', a.path_zh,
        'received_at', t.received_at, 'is_test', t.is_test))
    from onekey.ticket t
    join onekey.ticket_kind k on k.name = t.kind
    left join onekey.household h on h.district = t.district and h.id = t.household_id
    left join onekey.v_area a on a.district = t.district and a.id = t.area_id
    where t.district = notice_facts.district and t.id = notice_facts.ticket_id
$$;

-- For targets that ask for persons: who lives where, as whoever goes there needs it.
create or replace function onekey.notice_person(district text, ticket_id bigint) returns jsonb
language sql stable set search_path = onekey, pg_temp as $$
    select jsonb_strip_nulls(jsonb_build_object('resident', r.name, 'address', h.address, 'phone', h.phone))
    from onekey.ticket t
    join onekey.household h on h.district = t.district and h.id = t.household_id
    left join onekey.resident r on r.district = h.district and r.household_id = h.id and r.position = 1
    where t.district = notice_person.district and t.id = notice_person.ticket_id
$$;

-- --- what people read ---

-- The first line of a notice by what it tells; what is not listed is just a notice.
create or replace function onekey.notice_heading(event_type text, out zh text, out en text)
language sql immutable set search_path = onekey, pg_temp as $$
    select v.zh, v.en
    from (values ('ticket.raised', '新报警', 'New alarm'),
                 ('ticket.escalated', '仍未处理，请关注', 'Still waiting, please look'),
                 ('ticket.contact', '请联系老人或上门查看', 'Please call or look in'),
                 ('ticket.closed', '已办结', 'Closed')) v(event_type, zh, en)
    where v.event_type = notice_heading.event_type
    union all select '一键通通知', 'Notice'
    limit 1
$$;

-- Subject and text in both languages, of what the target may know: a line that says nothing is left out.
create or replace function onekey.notice_text(event_type text, payload jsonb) returns jsonb
language sql stable set search_path = onekey, pg_temp as $$
    select jsonb_build_object(
        'subject', jsonb_build_object(
            'zh', concat_ws(' ', concat('【一键通】', h.zh), k.kind_zh, '工单 ' || k.id),
            'en', concat_ws(' ', h.en || ':', k.kind_en, 'ticket ' || k.id)),
        'text', jsonb_build_object(
            'zh', concat_ws(E'\n', h.zh, '事件：' || k.kind_zh, '工单：' || k.id, '优先级：' || k.priority, '时间：' || k.at,
                '区域：' || k.area_zh, '住户编号：' || k.household, '姓名：' || p.resident, '地址：' || p.address,
                '电话：' || p.phone, '说明：' || (payload ->> 'text_zh')),
            'en', concat_ws(E'\n', h.en, 'Event: ' || k.kind_en, 'Ticket: ' || k.id, 'Priority: ' || k.priority,
                'Time: ' || k.at, 'Area: ' || k.area, 'Household: ' || k.household, 'Name: ' || p.resident,
                'Address: ' || p.address, 'Phone: ' || p.phone, 'Remark: ' || (payload ->> 'text_en'))))
    from onekey.notice_heading(event_type) h
    cross join lateral (
        select x.*, to_char(x.received_at at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS') as at
        from jsonb_to_record(coalesce(payload -> 'ticket', '{}'))
             as x(id bigint, kind_zh text, kind_en text, priority integer, area text, area_zh text, household text,
                  received_at timestamptz)) k
    cross join lateral jsonb_to_record(coalesce(payload -> 'person', '{}')) as p(resident text, address text, phone text)
$$;

-- A notice as it is sent. The id is the key, or its hash where that would not fit into a header.
create or replace function onekey.notice_message_id(notice onekey.outbox) returns text
language sql stable set search_path = onekey, pg_temp as $$
    select case when notice.idempotency_key ~ '^[A-Za-z0-9_-]{1,100}$' then notice.idempotency_key
                else encode(sha256(convert_to(notice.idempotency_key, 'UTF8')), 'hex') end
$$;

create or replace function onekey.notice_body(notice onekey.outbox, told jsonb) returns jsonb
language sql stable set search_path = onekey, pg_temp as $$
    select jsonb_build_object(
        'id', onekey.notice_message_id(notice), 'type', notice.event_type,
        'timestamp', to_char(notice.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'data', jsonb_build_object('district', notice.district) || told)
        || case when notice.transport in ('mail', 'exec') then onekey.notice_text(notice.event_type, told) else '{}' end
$$;

-- What this notice tells a target that may (not) know persons.
create or replace function onekey.notice_told(notice onekey.outbox, person boolean) returns jsonb
language sql stable set search_path = onekey, pg_temp as $$
    select case when person then notice.payload || jsonb_strip_nulls(jsonb_build_object('person',
                    nullif(coalesce(onekey.notice_person(notice.district, notice.ticket_id), '{}')
                           || coalesce(notice.payload -> 'person', '{}'), '{}')))
                else notice.payload - 'person' end
$$;

-- --- writing, taking ---

create or replace function onekey.enqueue_notice(district text, ticket_id bigint, event_type text, transport text,
                                                 destination text, payload jsonb, idempotency_key text)
returns bigint language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    notice_id bigint;
begin
    insert into onekey.outbox as o (district, ticket_id, event_type, transport, destination, payload, idempotency_key)
    values (district, ticket_id, event_type, transport, destination,
            jsonb_strip_nulls(jsonb_build_object('ticket', onekey.notice_facts(district, ticket_id)))
            || coalesce(payload, '{}'), idempotency_key)
    on conflict on constraint outbox_district_idempotency_key_key do nothing
    returning o.id into notice_id;
    if notice_id is null then
        select o.id into notice_id from onekey.outbox o
        where o.district = enqueue_notice.district and o.idempotency_key = enqueue_notice.idempotency_key;
    else
        perform pg_notify('onekey_notice', district);
    end if;
    return notice_id;
end $$;
comment on function onekey.enqueue_notice(text, bigint, text, text, text, jsonb, text) is
    'Writes a notice to be sent; the same key again writes nothing. Returns its number. What names or reaches a person belongs below `person` of the payload';

-- A notice to all targets becomes one to each that the gateway has: itself to the first, copies to the others.
create or replace function onekey.spread_notices(district text, transports text[], names text[]) returns void
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    notice onekey.outbox;
begin
    for notice in
        select * from onekey.outbox o
        where o.district = spread_notices.district and o.destination is null and o.delivered_at is null
          and o.given_up_at is null and o.transport = any (transports)
        order by o.id limit 1000 for update skip locked
    loop
        insert into onekey.outbox (district, ticket_id, event_type, transport, destination, payload, idempotency_key,
                                   created_at, next_try_at)
        select notice.district, notice.ticket_id, notice.event_type, notice.transport, t.name, notice.payload,
               notice.idempotency_key || '/' || t.name, notice.created_at, notice.next_try_at
        from unnest(transports, names) with ordinality t(transport, name, nth)
        where t.transport = notice.transport
        order by t.nth offset 1
        on conflict do nothing;
        update onekey.outbox o
        set destination = (select t.name from unnest(transports, names) with ordinality t(transport, name, nth)
                           where t.transport = notice.transport order by t.nth limit 1)
        where o.district = notice.district and o.id = notice.id;
    end loop;
end $$;

-- What is due for these targets, at most `rooms` to each, now leased to the gateway. `persons`: which targets are
-- told who it is about. Texts only where people read them.
drop function if exists onekey.take_notices(text, text, text[], text[], integer[], boolean[], integer);
create function onekey.take_notices(gateway text, district text, transports text[], names text[],
                                    rooms integer[], persons boolean[], lease_s integer)
returns table (id bigint, target integer, event_type text, message_id text, created_at timestamptz, attempts integer,
               body text, subject_zh text, subject_en text, text_zh text, text_en text)
language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_column
begin
    perform onekey.spread_notices(take_notices.district, transports, names);
    return query
    with due as materialized (
        select d.id, t.nth, t.person
        from unnest(transports, names, rooms, persons) with ordinality t(transport, name, room, person, nth)
        cross join lateral (
            select o.id from onekey.outbox o
            where o.district = take_notices.district and o.transport = t.transport and o.destination = t.name
              and o.delivered_at is null and o.given_up_at is null and o.next_try_at <= clock_timestamp()
              and (o.leased_until is null or o.leased_until <= clock_timestamp())
            order by o.next_try_at limit t.room for update skip locked) d
    ), taken as (
        update onekey.outbox o
        set leased_by = take_notices.gateway, leased_until = clock_timestamp() + lease_s * interval '1 s',
            attempts = o.attempts + 1
        from due
        where o.district = take_notices.district and o.id = due.id
        returning o as notice, due.nth, onekey.notice_body(o, onekey.notice_told(o, due.person)) as body
    )
    select (t.notice).id, t.nth::integer - 1, (t.notice).event_type, t.body ->> 'id', (t.notice).created_at,
           (t.notice).attempts, t.body::text, t.body #>> '{subject,zh}', t.body #>> '{subject,en}', t.body #>> '{text,zh}',
           t.body #>> '{text,en}'
    from taken t;
end $$;
comment on function onekey.take_notices(text, text, text[], text[], integer[], boolean[], integer) is
    'Notices for a gateway to send now; target counts its targets from 0. No other gateway takes them before the lease ends';

-- A gateway that has just started sends nothing yet: what it had leased before may be taken at once.
create or replace function onekey.release_notices(gateway text, district text) returns integer
language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    released integer;
begin
    update onekey.outbox o set leased_by = null, leased_until = null
    where o.district = release_notices.district and o.leased_by = gateway and o.delivered_at is null
      and o.given_up_at is null;
    get diagnostics released = row_count;
    return released;
end $$;
comment on function onekey.release_notices(text, text) is 'Gives up the leases of a gateway: called once when it starts';

-- The event that says how the notice fares; notices of no ticket have none.
create or replace function onekey.notice_event(notice onekey.outbox, gateway text, result text) returns void
language plpgsql set search_path = onekey, pg_temp as $$
begin
    if notice.ticket_id is null then
        return;
    end if;
    insert into onekey.ticket_event (district, ticket_id, kind, origin, detail)
    values (notice.district, notice.ticket_id, 'notified', gateway, jsonb_strip_nulls(jsonb_build_object(
        'notice', notice.id, 'event_type', notice.event_type, 'transport', notice.transport,
        'destination', notice.destination, 'result', result, 'attempts', notice.attempts,
        'error', case when result <> 'delivered' then notice.last_error end)));
    perform onekey.notify_tickets(notice.district, array[notice.ticket_id]);
end $$;

-- True: it was not known to be delivered before.
create or replace function onekey.notice_delivered(gateway text, district text, notice_id bigint) returns boolean
language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    notice onekey.outbox;
begin
    update onekey.outbox o
    set delivered_at = clock_timestamp(), given_up_at = null, leased_by = null, leased_until = null
    where o.district = notice_delivered.district and o.id = notice_id and o.delivered_at is null
    returning * into notice;
    if not found then
        return false;
    end if;
    perform onekey.notice_event(notice, gateway, 'delivered');
    perform onekey.target_works(notice, gateway);
    return true;
end $$;
comment on function onekey.notice_delivered(text, text, bigint) is 'The target has taken the notice';

-- `retry_s` null: to be given up at once, else the least seconds until the next try. The pause doubles from first_s to most_s, each
-- shortened at random by up to a half. Returns the seconds until the next try; null: there is none.
create or replace function onekey.notice_failed(
    gateway text, district text, notice_id bigint, error text, retry_s double precision, first_s double precision,
    most_s double precision, give_up_s double precision, ticket_s double precision)
returns double precision language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    notice onekey.outbox;
    pause_s double precision;
begin
    select * into notice from onekey.outbox o
    where o.district = notice_failed.district and o.id = notice_id and o.leased_by = gateway
      and o.delivered_at is null and o.given_up_at is null for update;
    if not found then
        return null; -- its lease ran out: whoever has it now says what comes of it
    end if;
    pause_s := case when retry_s is not null then
        greatest(retry_s, least(most_s, first_s * 2 ^ least(notice.attempts - 1, 30)) * (1 - random() / 2)) end;
    if notice.queued_at + (give_up_s - pause_s) * interval '1 s' < clock_timestamp() then
        pause_s := null;
    end if;
    update onekey.outbox o
    set last_error = left(error, 500), leased_by = null, leased_until = null,
        next_try_at = clock_timestamp() + coalesce(pause_s, 0) * interval '1 s',
        given_up_at = case when pause_s is null then clock_timestamp() end
    where o.district = notice_failed.district and o.id = notice_id
    returning * into notice;
    perform onekey.notice_event(notice, gateway, case when pause_s is null then 'given_up' else 'failed' end);
    perform onekey.target_fails(notice, gateway, ticket_s);
    return pause_s;
end $$;
comment on function onekey.notice_failed(text, text, bigint, text, double precision, double precision, double precision,
                                         double precision, double precision) is
    'The notice could not be delivered: sets the next try, or gives it up';

-- --- how the targets fare ---

create or replace function onekey.target_fails(notice onekey.outbox, gateway text, ticket_s double precision) returns void
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    target onekey.notice_target;
begin
    insert into onekey.notice_target as t (district, transport, name, failing_since, last_error)
    values (notice.district, notice.transport, notice.destination, clock_timestamp(), notice.last_error)
    on conflict (district, transport, name) do update
    set failing_since = coalesce(t.failing_since, excluded.failing_since), last_error = excluded.last_error
    returning * into target;
    if target.ticket_id is null and target.failing_since <= clock_timestamp() - ticket_s * interval '1 s' then
        update onekey.notice_target t set ticket_id = onekey.raise_target_ticket(target, gateway)
        where t.district = target.district and t.transport = target.transport and t.name = target.name;
    end if;
end $$;

create or replace function onekey.raise_target_ticket(target onekey.notice_target, gateway text) returns bigint
language plpgsql set search_path = onekey, pg_temp as $$
declare
    ticket onekey.ticket;
    place text := concat('notice:', target.transport, ':', target.name);
begin
    insert into onekey.ticket as t (district, kind, priority, subject, protocol, identity, last_signal_at, received_at, detail)
    select target.district, k.name, k.priority, place, 'notice', target.transport || ':' || target.name, clock_timestamp(),
           clock_timestamp(), jsonb_build_object('transport', target.transport, 'target', target.name,
                                                 'failing_since', target.failing_since, 'error', target.last_error)
    from onekey.ticket_kind k where k.name = 'notice_lost'
    on conflict (district, subject, kind, service_kind) where state <> 'closed' do update
    set signal_count = t.signal_count + 1, last_signal_at = excluded.last_signal_at
    returning * into ticket;
    insert into onekey.ticket_event (district, ticket_id, kind, origin)
    values (ticket.district, ticket.id, case when ticket.signal_count = 1 then 'raised' else 'pressed_again' end, gateway);
    perform onekey.notify_tickets(ticket.district, array[ticket.id]);
    return ticket.id;
end $$;

-- What waited for the target is due at once, and its ticket is over unless somebody has it.
create or replace function onekey.target_works(notice onekey.outbox, gateway text) returns void
language plpgsql set search_path = onekey, pg_temp as $$
declare
    target onekey.notice_target;
begin
    select * into target from onekey.notice_target t
    where t.district = notice.district and t.transport = notice.transport and t.name = notice.destination for update;
    if target.failing_since is not null then
        update onekey.outbox o set next_try_at = clock_timestamp()
        where o.district = notice.district and o.transport = notice.transport and o.destination = notice.destination
          and o.delivered_at is null and o.given_up_at is null and o.next_try_at > clock_timestamp();
        perform pg_notify('onekey_notice', notice.district);
    end if;
    if target.ticket_id is not null then
        perform onekey.close_target_ticket(notice.district, target.ticket_id, gateway);
    end if;
    insert into onekey.notice_target as t (district, transport, name, delivered_at)
    values (notice.district, notice.transport, notice.destination, notice.delivered_at)
    on conflict (district, transport, name) do update
    set delivered_at = excluded.delivered_at, failing_since = null, last_error = null, ticket_id = null;
end $$;

create or replace function onekey.close_target_ticket(district text, ticket_id bigint, gateway text) returns void
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
begin
    perform from onekey.ticket t
    where t.district = close_target_ticket.district and t.id = ticket_id and t.state <> 'closed' for no key update;
    if not found then
        return;
    end if;
    insert into onekey.ticket_event (district, ticket_id, kind, origin) values (district, ticket_id, 'restored', gateway);
    update onekey.ticket t set state = 'closed', outcome = 'restored', closed_at = clock_timestamp(), held_until = null,
        held_by = null, hold_reason = null, return_priority = null
    where t.district = close_target_ticket.district and t.id = ticket_id and t.state = 'open';
    insert into onekey.ticket_event (district, ticket_id, kind, origin, detail)
    select close_target_ticket.district, close_target_ticket.ticket_id, 'closed', gateway, '{"outcome": "restored"}' where found;
    perform onekey.notify_tickets(district, array[ticket_id]);
end $$;

-- --- for people, and once a day ---

-- A notice that was given up, or waits, is due at once and has its whole time again.
create or replace function onekey.retry_notice(district text, notice_id bigint) returns boolean
language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
begin
    update onekey.outbox o set next_try_at = clock_timestamp(), queued_at = clock_timestamp(), given_up_at = null
    where o.district = retry_notice.district and o.id = notice_id and o.delivered_at is null;
    if found then
        perform pg_notify('onekey_notice', district);
    end if;
    return found;
end $$;
comment on function onekey.retry_notice(text, bigint) is 'A notice that is not delivered is sent again; false: there is none such';

-- Gives up what no gateway has a target for, forgets what is long over.
create or replace function onekey.settle_notices(district text, give_up_s double precision, keep interval default '90 days')
returns integer language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    notice onekey.outbox;
    given_up integer := 0;
begin
    for notice in
        update onekey.outbox o set given_up_at = clock_timestamp(), last_error = 'no gateway has such a target'
        where o.district = settle_notices.district and o.delivered_at is null and o.given_up_at is null and o.attempts = 0
          and o.queued_at < clock_timestamp() - give_up_s * interval '1 s'
        returning *
    loop
        perform onekey.notice_event(notice, null, 'given_up');
        given_up := given_up + 1;
    end loop;
    delete from onekey.outbox o
    where o.district = settle_notices.district and greatest(o.delivered_at, o.given_up_at) < clock_timestamp() - keep;
    return given_up;
end $$;
comment on function onekey.settle_notices(text, double precision, interval) is
    'Gives up notices that no gateway could ever send and forgets old ones; returns how many were given up';

drop view if exists onekey.v_notices;
create view onekey.v_notices as
select o.district, o.id, o.ticket_id, o.event_type, o.transport, o.destination, o.idempotency_key, o.created_at, o.next_try_at,
       o.attempts, o.last_error, o.delivered_at, o.given_up_at, o.leased_by,
       case when o.delivered_at is not null then 'delivered' when o.given_up_at is not null then 'given_up'
            when o.attempts > 0 then 'failing' else 'waiting' end as state
from onekey.outbox o
join onekey.scope() s on s.everything or s.district = o.district;
comment on view onekey.v_notices is 'Notices without what they say';

select onekey.grant_execute(name, 'onekey_gateway')
from unnest(array['enqueue_notice', 'take_notices', 'release_notices', 'notice_delivered', 'notice_failed',
                  'settle_notices']) name;
select onekey.grant_execute(name)
from unnest(array['notice_facts', 'notice_person', 'notice_heading', 'notice_text', 'notice_message_id', 'notice_body',
                  'notice_told', 'spread_notices', 'notice_event', 'target_fails', 'raise_target_ticket',
                  'target_works', 'close_target_ticket', 'retry_notice']) name;
select onekey.grant_to('select on onekey.v_notices', 'onekey_console');
