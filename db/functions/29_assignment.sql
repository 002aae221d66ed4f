-- Fair assignment, where a district wants it: an alarm, silence or service that nobody owns is given to the operator on duty
-- who has the fewest tickets. A gateway's timers do it as they take the steps of an escalation (upcoming(), take_due()),
-- so a ticket that comes, lapses, or is given back when somebody pauses or goes, finds its next owner the same way. The claim
-- is like any other: who does not work on it loses it, and it goes to somebody else.

-- Who gets this ticket; null: nobody on duty. Not who had it and let it go. The home's other tickets stay in one hand.
create or replace function onekey.assignee_of(ticket onekey.ticket) returns text
language sql stable set search_path = onekey, pg_temp as $$
    select u.name
    from onekey.shift s
    join onekey.app_user u on u.district = s.district and u.name = s.user_name and u.is_active and u.role = 'operator'
    cross join lateral (
        select count(*) as tickets, count(*) filter (where t.subject = ticket.subject) as of_home, max(t.owned_at) as latest
        from onekey.ticket t
        where t.district = u.district and t.claimed_by = u.name and t.state <> 'closed') has
    where s.district = ticket.district and s.off_at is null and s.paused_at is null
      and onekey.user_sees(u, ticket.area_id)
      and not exists (
          select from onekey.ticket_event e
          where e.district = ticket.district and e.ticket_id = ticket.id and e.kind in ('claim_expired', 'released', 'handed_over')
            and e.detail ->> 'from' = u.name and e.at >= coalesce(ticket.reopened_at, '-infinity'))
    order by has.of_home > 0 desc, has.tickets, has.latest nulls first, u.name limit 1
$$;

-- Whether a timer has to give this ticket to somebody.
create or replace function onekey.wants_assignment(ticket onekey.ticket) returns boolean
language sql stable set search_path = onekey, pg_temp as $$
    select ticket.claimed_by is null and ticket.state <> 'closed' and ticket.held_until is null
       and onekey.class_of(ticket.kind, ticket.service_kind) in ('alarm', 'water', 'service')
       and (onekey.escalation_policy_of(ticket.district)).fair_assignment
       and onekey.assignee_of(ticket) is not null
$$;

-- Gives this locked ticket to somebody, if there is anybody.
create or replace function onekey.assign(ticket onekey.ticket) returns void
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    receiver onekey.app_user;
    step onekey.ticket_transition := onekey.step_of(ticket, 'claim');
    after onekey.stepped;
begin
    select * into receiver from onekey.app_user u where u.district = ticket.district and u.name = onekey.assignee_of(ticket);
    if found then
        after := onekey.apply_step(ticket, step, receiver, '{"assigned": true}');
        perform onekey.record_step(after.ticket, step, receiver.name, after.detail);
    end if;
end $$;

-- Somebody has come, paused or gone: what he has not begun with goes back when he pauses, and gateways look at what nobody owns.
create or replace function onekey.redistribute(district text, who text, is_pause boolean) returns integer
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    ticket onekey.ticket;
    given integer := 0;
begin
    if not (onekey.escalation_policy_of(district)).fair_assignment then
        return 0;
    end if;
    for ticket in
        select * from onekey.ticket t
        where t.district = redistribute.district and t.claimed_by = who and t.state = 'claimed' and not t.is_answered and is_pause
        order by t.subject, t.kind, t.service_kind for no key update
    loop
        perform onekey.machine_step(ticket, 'release', who, jsonb_build_object('from', who, 'why', 'pause'));
        given := given + 1;
    end loop;
    perform onekey.notify_tickets(district, array(select t.id from onekey.ticket t
        where t.district = redistribute.district and t.claimed_by is null and t.state <> 'closed'));
    return given;
end $$;

select onekey.grant_execute(name)
from unnest(array['assignee_of', 'wants_assignment', 'assign', 'redistribute']) name;
