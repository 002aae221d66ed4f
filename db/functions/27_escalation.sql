-- What happens to a ticket that nobody moves. A gateway's timers only say when to look; whether a step is due, and
-- that it is taken once, is decided here under the ticket's lock.

drop view if exists onekey.v_upcoming;

-- Every step that is still to be taken at this ticket in its state, and when its claim or hold or a contact's time
-- to accept ends, or it is to be given to somebody (step_id null).
create or replace function onekey.upcoming(ticket onekey.ticket)
returns table (step_id bigint, since timestamptz, due_at timestamptz, action text, target text)
language plpgsql stable security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_column
declare
    class text;
    entered_at timestamptz := coalesce(ticket.state_at, ticket.received_at);
begin
    if ticket.state = 'closed' then
        return;
    end if;
    if ticket.claim_until is not null or ticket.held_until is not null then
        return query select null::bigint, coalesce(ticket.owned_at, ticket.received_at),
            least(ticket.claim_until, ticket.held_until),
            case when ticket.held_until is null then 'expire' else 'end_hold' end, null::text;
    end if;
    return query select null::bigint, a.asked_at, a.until_at, 'contact_lapsed', a.role from onekey.contact_attempt a
    where a.district = ticket.district and a.ticket_id = ticket.id and a.result is null;
    if ticket.held_until is not null or ticket.is_test then
        return;
    end if;
    if ticket.claimed_by is null -- the rest is dear, and asked of every ticket
       and exists (select from onekey.escalation_policy p where p.fair_assignment and p.district in (ticket.district, '*'))
       and onekey.wants_assignment(ticket) then
        return query select null::bigint, entered_at, entered_at, 'assign', null::text;
    end if;
    class := onekey.class_of(ticket.kind, ticket.service_kind);
    return query
    select e.id, entered_at, entered_at + e.after_s * interval '1 s', e.action, e.target
    from onekey.escalation_step e
    where e.kind_class = class and e.state = ticket.state
      and e.district = case when exists (
              select from onekey.escalation_step o
              where o.district = ticket.district and o.kind_class = class and o.state = ticket.state)
          then ticket.district else '*' end
      and (e.action <> 'contact_first' or onekey.wants_contact_first(ticket, e.id))
      and not exists (
              select from onekey.escalation_fired f
              where f.district = ticket.district and f.ticket_id = ticket.id and f.step_id = e.id and f.since = entered_at);
end $$;

-- --- what a gateway's timers ask ---
--
-- Many times a second, on a connection that keeps its plans: they must not be those of tables that were still short, which
-- read the whole table.

-- In how many microseconds, by this server's clock, something is next due at each of these tickets; null: not within so
-- many seconds.
create or replace function onekey.next_due(district text, ticket_ids bigint[], within_s integer)
returns table (ticket_id bigint, in_us bigint)
language plpgsql stable security definer set search_path = onekey, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_mergejoin = off
set enable_hashjoin = off set jit = off as $$
#variable_conflict use_column
begin
    return query
    select i.id, (extract(epoch from d.due_at - clock_timestamp()) * 1000000)::bigint
    from unnest(ticket_ids) i(id)
    left join onekey.ticket t on t.district = next_due.district and t.id = i.id
    left join lateral (
        select min(u.due_at) as due_at from onekey.upcoming(t) u
        where u.due_at <= clock_timestamp() + within_s * interval '1 s') d on true;
end $$;
comment on function onekey.next_due(text, bigint[], integer) is 'When to call take_due() for these tickets';

-- The same for a page of all open tickets, in the order of the index that holds nothing else. The next page begins
-- after the last row's place; the first after {"","",""}.
create or replace function onekey.page_of_due(district text, after text[], rows integer, within_s integer)
returns table (ticket_id bigint, in_us bigint, place text[])
language plpgsql stable security definer set search_path = onekey, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
#variable_conflict use_column
begin
    return query
    with page as materialized (
        select t.id, t.subject, t.kind::text as kind, t.service_kind::text as service_kind from onekey.ticket t
        where t.district = page_of_due.district and t.state <> 'closed'
          and (t.subject, t.kind, t.service_kind) > (page_of_due.after[1], page_of_due.after[2], page_of_due.after[3])
        order by t.subject, t.kind, t.service_kind limit page_of_due.rows
    )
    select d.ticket_id, d.in_us, array[p.subject, p.kind, p.service_kind]
    from page p
    join onekey.next_due(page_of_due.district, array(select q.id from page q), within_s) d on d.ticket_id = p.id
    order by p.subject, p.kind, p.service_kind;
end $$;
comment on function onekey.page_of_due(text, text[], integer, integer) is 'A page of what next_due() says of all open tickets';

-- Does all that is due at these tickets and says when each is to be looked at again. A ticket that somebody works on at this
-- moment is left alone and looked at again at once; one at which a step fails holds up no other.
create or replace function onekey.take_due(gateway text, district text, ticket_ids bigint[], within_s integer)
returns table (ticket_id bigint, in_us bigint)
language plpgsql security definer set search_path = onekey, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_mergejoin = off
set enable_hashjoin = off set jit = off as $$
#variable_conflict use_column
declare
    ticket onekey.ticket;
    failed bigint[] := '{}';
begin
    for ticket in
        select * from onekey.ticket t
        where t.district = take_due.district and t.id = any (ticket_ids)
        order by t.subject, t.kind, t.service_kind for no key update skip locked
    loop
        begin
            perform onekey.take_due_of(ticket, gateway);
        exception when others then
            raise warning 'what is due at ticket % of district % cannot be done: %', ticket.id, ticket.district, sqlerrm;
            failed := failed || ticket.id;
        end;
    end loop;
    return query
    select d.ticket_id, case when d.ticket_id = any (failed) then 5000000
                             when d.in_us is not null then greatest(d.in_us, 200000) end
    from onekey.next_due(take_due.district, ticket_ids, within_s) d;
end $$;
comment on function onekey.take_due(text, text, bigint[], integer) is
    'Takes the steps that are due, ends claims and holds that have lapsed; safe to call from several gateways';

-- Of one locked ticket. What it does may make more due, which the caller is then told.
create or replace function onekey.take_due_of(ticket onekey.ticket, gateway text) returns void
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    due record;
begin
    for due in select * from onekey.upcoming(ticket) u where u.due_at <= clock_timestamp() order by u.due_at, u.step_id loop
        if due.step_id is not null then
            perform onekey.fire_step(ticket, due.step_id, due.since, due.due_at, due.action, due.target, gateway);
        elsif due.action = 'contact_lapsed' then
            perform onekey.contact_lapsed(ticket);
        elsif due.action = 'assign' then
            perform onekey.assign(ticket);
        else
            perform onekey.lapse(ticket);
        end if;
        exit when due.step_id is null or due.action = 'contact_first'; -- it has moved on
    end loop;
end $$;

-- --- a step ---

-- True: the step was taken, now, by this call. False: it was taken before, is not due, or the ticket has moved on.
create or replace function onekey.fire_escalation(district text, ticket_id bigint, step_id bigint, gateway text,
                                                  at timestamptz default clock_timestamp())
returns boolean language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    ticket onekey.ticket;
    step record;
begin
    select * into ticket from onekey.ticket t
    where t.district = fire_escalation.district and t.id = ticket_id for no key update;
    select * into step from onekey.upcoming(ticket) u where u.step_id = fire_escalation.step_id and u.due_at <= at;
    return found and onekey.fire_step(ticket, step_id, step.since, step.due_at, step.action, step.target, gateway);
end $$;
comment on function onekey.fire_escalation(text, bigint, bigint, text, timestamptz) is 'Takes a step that is due, once in all';

-- Of a locked ticket; false: it was taken before.
create or replace function onekey.fire_step(ticket onekey.ticket, step_id bigint, since timestamptz, due_at timestamptz,
                                            action text, target text, gateway text)
returns boolean language plpgsql set search_path = onekey, pg_temp as $$
begin
    insert into onekey.escalation_fired (district, ticket_id, step_id, since, fired_by)
    values (ticket.district, ticket.id, fire_step.step_id, fire_step.since, gateway) on conflict do nothing;
    if not found then
        return false;
    end if;
    perform onekey.add_event(ticket, 'escalated', null, null, jsonb_strip_nulls(jsonb_build_object(
        'action', action, 'target', target, 'due_at', due_at, 'gateway', gateway)));
    perform onekey.notify_tickets(ticket.district, array[ticket.id]);
    perform pg_notify('onekey_escalation', concat_ws(' ', ticket.district, ticket.id, action, target));
    perform onekey.act_on(ticket, action, target, due_at, concat_ws('-', 'step', ticket.id, step_id,
                                                                  (extract(epoch from since) * 1000000)::bigint));
    return true;
end $$;

-- What a step does beside its event. `key` names the occasion.
create or replace function onekey.act_on(ticket onekey.ticket, action text, target text, due_at timestamptz, key text)
returns void language plpgsql set search_path = onekey, pg_temp as $$
declare
    payload jsonb := jsonb_build_object('action', action, 'due_at', due_at);
begin
    case action
    when 'ring_louder' then
        perform onekey.ring_louder(ticket);
    when 'second_desk' then
        update onekey.ticket t set second_desk_at = coalesce(t.second_desk_at, clock_timestamp())
        where t.district = ticket.district and t.id = ticket.id;
    when 'notify_supervisor' then
        perform onekey.tell_supervisor(ticket, 'waiting', ticket.claimed_by);
        perform onekey.tell(ticket, 'ticket.escalated', (onekey.escalation_policy_of(ticket.district)).supervisor_by,
                            payload, key);
    when 'contact_ladder' then
        perform onekey.start_contacts(ticket);
    when 'contact_first' then
        perform onekey.ask_contacts_first(ticket);
    when 'webhook', 'mqtt' then
        perform onekey.enqueue_notice(ticket.district, ticket.id, 'ticket.escalated', action, target, payload, key);
    end case;
end $$;

-- Whoever claims the ticket silences it: record_step().
create or replace function onekey.ring_louder(ticket onekey.ticket) returns void
language plpgsql set search_path = onekey, pg_temp as $$
begin
    update onekey.ticket t set ring_level = t.ring_level + 1 where t.district = ticket.district and t.id = ticket.id;
end $$;

-- Gateways read the deadlines again when somebody has changed what they are made of.
create or replace function onekey.notify_limits() returns trigger language plpgsql as $$
begin
    perform pg_notify('onekey_limits', '');
    return null;
end $$;
comment on function onekey.notify_limits() is 'Tells gateways, by channel onekey_limits, to read all deadlines again';
create or replace trigger limits_changed after insert or update or delete on onekey.escalation_step
    for each statement execute function onekey.notify_limits();
create or replace trigger limits_changed after insert or update or delete on onekey.escalation_policy
    for each statement execute function onekey.notify_limits();

drop function if exists onekey.due_escalations(text, timestamptz);
select onekey.grant_execute(name, 'onekey_gateway') from unnest(array['next_due', 'page_of_due', 'take_due', 'fire_escalation']) name;
select onekey.grant_execute('upcoming', 'onekey_gateway', 'onekey_console');
select onekey.grant_execute(name) from unnest(array['take_due_of', 'fire_step', 'act_on', 'ring_louder', 'notify_limits']) name;
