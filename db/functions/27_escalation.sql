-- What happens to a ticket that nobody moves. A gateway's timers only say when to look; whether a step is due, and
-- that it is taken once, is decided here under the ticket's lock.

-- What is due now in the districts of that gateway.
create or replace function onekey.due_escalations(gateway text, at timestamptz)
returns table (district text, ticket_id bigint, step_id bigint, due_at timestamptz, action text, target text)
language plpgsql stable security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select u.district, u.ticket_id, u.step_id, u.due_at, u.action, u.target from onekey.v_upcoming u
    where u.step_id is not null and u.due_at <= due_escalations.at
      and u.district in (select g.district from onekey.gateway g where g.name = due_escalations.gateway)
    order by u.due_at, u.ticket_id, u.step_id;
end $$;
comment on function onekey.due_escalations(text, timestamptz) is 'Steps for fire_escalation()';

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
    select * into step from onekey.v_upcoming u
    where u.district = fire_escalation.district and u.ticket_id = fire_escalation.ticket_id
      and u.step_id = fire_escalation.step_id and u.due_at <= at;
    if not found then
        return false;
    end if;
    insert into onekey.escalation_fired (district, ticket_id, step_id, since, fired_by)
    values (district, ticket_id, step_id, step.since, gateway) on conflict do nothing;
    if not found then
        return false;
    end if;
    perform onekey.add_event(ticket, 'escalated', null, null, jsonb_strip_nulls(jsonb_build_object(
        'action', step.action, 'target', step.target, 'due_at', step.due_at, 'gateway', gateway)));
    perform onekey.notify_tickets(district, array[ticket_id]);
    perform pg_notify('onekey_escalation', concat_ws(' ', district, ticket_id, step.action, step.target));
    if step.action = 'notify_supervisor' then
        perform onekey.tell_supervisor(ticket, 'waiting', ticket.claimed_by);
    end if;
    return true;
end $$;
comment on function onekey.fire_escalation(text, bigint, bigint, text, timestamptz) is 'Takes a step that is due, once in all';

select onekey.grant_execute('due_escalations', 'onekey_gateway');
select onekey.grant_execute('fire_escalation', 'onekey_gateway');
