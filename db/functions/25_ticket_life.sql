-- The life of a ticket: command_ticket() does every step of it, for the public functions in 26_ticket_commands.sql.
--
-- It looks who acts and whether he may, locks the ticket (and for a claim all that is open of the same home, in the
-- order in which raise_tickets() takes them), looks the step up in ticket_transition, and writes ticket
-- and event in the caller's transaction. What is refused changes nothing and is answered, with a code.
-- The stamps of a ticket never run backwards, whatever the clock does.

create or replace function onekey.command_ticket(command text, district text, ticket_id bigint, arguments jsonb,
                                                 key text default null)
returns onekey.command_reply language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    reply onekey.command_reply;
    code text;
    owner text;
begin
    for attempt in 1 .. 5 loop
        begin
            return onekey.try_command(command, district, ticket_id, jsonb_strip_nulls(arguments), key);
        exception
            when sqlstate 'OKREF' then
                get stacked diagnostics reply.message = message_text, code = pg_exception_detail,
                                        owner = pg_exception_hint;
                exit;
            when unique_violation then -- a new alarm of the same kind was stored while this one was re-opened
                reply.message := format('another ticket of this kind is open for the home of ticket %s', ticket_id);
                code := 'wrong_state';
                exit;
            when deadlock_detected then -- with a batch of alarms; it is over, so again
                reply.message := 'the ticket is busy';
                code := 'busy';
        end;
    end loop;
    if code = 'forbidden' then
        perform onekey.audit_entry(district, command, 'ticket:' || ticket_id, false);
    end if;
    reply.ok := false;
    reply.code := code;
    reply.ticket_id := ticket_id;
    reply.owner := nullif(owner, '');
    return reply;
end $$;

create or replace function onekey.try_command(command text, district text, ticket_id bigint, arguments jsonb, key text)
returns onekey.command_reply language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    me onekey.app_user := onekey.who();
    ticket onekey.ticket;
    step onekey.ticket_transition;
    done onekey.ticket_command;
    reply onekey.command_reply;
    after onekey.stepped;
begin
    if me.district is distinct from district
       or not exists (select from onekey.role_command c where c.role = me.role and c.command = try_command.command) then
        perform onekey.refuse('forbidden', case when me.name is null then 'nobody is logged in'
            else format('%s (%s) may not do this', me.name, me.role) end);
    end if;
    reply := onekey.reply_of_key(me, command, ticket_id, key);
    if reply.ok then
        return reply;
    end if;
    ticket := onekey.lock_for(command, district, ticket_id, arguments);
    done := onekey.command_of(command);
    step := onekey.step_of(ticket, command);
    if done.needs_owner and ticket.claimed_by is distinct from me.name and not (
        command in ('hand_over', 'release') and ticket.claimed_by is not null
        and exists (select from onekey.role_command c where c.role = me.role and c.command = 'override_owner')) then
        perform onekey.refuse('not_owner', case when ticket.claimed_by is null
            then format('ticket %s belongs to nobody: claim it first', ticket.id)
            else format('ticket %s belongs to %s', ticket.id, ticket.claimed_by) end, ticket.claimed_by);
    elsif step.needs = 'answered' and not ticket.is_answered
          and not (ticket.is_test and coalesce(arguments ->> 'outcome', '') = 'test') then
        perform onekey.refuse('not_answered', format('nobody has spoken with the person of ticket %s yet', ticket.id));
    end if;
    if command = 'claim' and ticket.claimed_by = me.name then
        return onekey.succeeded('already_yours', ticket, null);
    end if;
    after := onekey.apply_step(ticket, step, me, arguments);
    reply := onekey.record_step(after.ticket, step, me.name, after.detail);
    if command = 'claim' then
        reply.detail := onekey.claim_home(ticket, me);
    end if;
    if key is not null then
        update onekey.command_log l set reply = to_jsonb(reply)
        where l.district = me.district and l.actor = me.name and l.key = try_command.key;
    end if;
    return reply;
end $$;

create or replace function onekey.command_of(command text) returns onekey.ticket_command
language sql stable set search_path = onekey, pg_temp as $$
    select c from onekey.ticket_command c where c.name = command
$$;

-- What was answered to this key before; not ok: it is new, and now reserved.
create or replace function onekey.reply_of_key(me onekey.app_user, command text, ticket_id bigint, key text)
returns onekey.command_reply language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    known onekey.command_log;
    reply onekey.command_reply;
begin
    if key is null then
        return reply;
    end if;
    insert into onekey.command_log (district, actor, key, command, ticket_id)
    values (me.district, me.name, key, command, ticket_id) on conflict do nothing;
    if found then
        return reply;
    end if;
    select * into known from onekey.command_log l
    where l.district = me.district and l.actor = me.name and l.key = reply_of_key.key;
    if known.command <> command or known.ticket_id <> ticket_id then
        perform onekey.refuse('invalid', format('key "%s" was given to %s of ticket %s', key, known.command,
                                                known.ticket_id));
    end if;
    return jsonb_populate_record(reply, known.reply);
end $$;

-- The ticket, locked, with all else that the command changes. Refuses what whoever acts may not see.
create or replace function onekey.lock_for(command text, district text, ticket_id bigint, arguments jsonb)
returns onekey.ticket language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    ticket onekey.ticket;
begin
    select * into ticket from onekey.ticket t where t.district = lock_for.district and t.id = ticket_id;
    if not found then
        perform onekey.refuse('not_found', format('district %s has no ticket %s', district, ticket_id));
    elsif not onekey.sees(district, ticket.area_id) then
        perform onekey.refuse('forbidden', format('ticket %s is not in your area', ticket_id));
    end if;
    if command = 'claim' then
        perform from onekey.ticket t
        where t.district = lock_for.district and t.subject = ticket.subject and t.state <> 'closed'
        order by t.kind, t.service_kind for no key update;
    elsif command = 'merge' then
        perform from onekey.ticket t
        where t.district = lock_for.district and t.id in (ticket_id, (arguments ->> 'into')::bigint)
        order by t.subject, t.kind, t.service_kind for no key update;
    end if;
    select * into ticket from onekey.ticket t
    where t.district = lock_for.district and t.id = ticket_id for no key update;
    return ticket;
end $$;

-- In PL/pgSQL, as all that timers call for each ticket: a function in SQL is planned anew at each call.
create or replace function onekey.class_of(kind text, service_kind text) returns text
language plpgsql stable set search_path = onekey, pg_temp as $$
begin
    return coalesce((select s.class from onekey.service_kind s where s.name = class_of.service_kind),
                    (select k.class from onekey.ticket_kind k where k.name = class_of.kind));
end $$;

-- The row of ticket_transition; refuses what is not in it, and says to the loser of a claim who won.
create or replace function onekey.step_of(ticket onekey.ticket, command text) returns onekey.ticket_transition
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    class text := onekey.class_of(ticket.kind, ticket.service_kind);
    step onekey.ticket_transition;
begin
    if command = 'claim' and ticket.claimed_by is not null and ticket.state <> 'closed' then
        if ticket.claimed_by = (onekey.who()).name then
            return step;
        end if;
        perform onekey.refuse('taken', format('ticket %s belongs to %s since %s', ticket.id, ticket.claimed_by,
            to_char(ticket.owned_at, 'HH24:MI:SS')), ticket.claimed_by);
    end if;
    select * into step from onekey.ticket_transition r
    where r.kind_class = class and r.from_state = ticket.state and r.command = step_of.command;
    if not found then
        perform onekey.refuse('wrong_state', concat(
            format('ticket %s is %s', ticket.id, ticket.state),
            case when ticket.state = 'closed' and ticket.claimed_by is not null
                 then format(' by %s (%s)', ticket.claimed_by, ticket.outcome) end,
            coalesce('; it must be ' || (
                select string_agg(r.from_state, ', ' order by r.from_state) from onekey.ticket_transition r
                where r.kind_class = class and r.command = step_of.command),
                format('; a ticket of class %s has no %s', class, command))),
            ticket.claimed_by);
    end if;
    return step;
end $$;

-- The ticket as it is after the step, and what its event tells. Writes what hangs on the ticket, not the ticket.
create or replace function onekey.apply_step(ticket onekey.ticket, step onekey.ticket_transition, me onekey.app_user,
                                             arguments jsonb)
returns onekey.stepped language plpgsql set search_path = onekey, pg_temp as $$
declare
    detail jsonb := arguments;
    at timestamptz := onekey.stamp(ticket);
    lease onekey.ticket_class := (select c from onekey.ticket_class c where c.name = step.kind_class);
begin
    case step.command
    when 'present' then
        if ticket.presented_at is not null then
            perform onekey.refuse('invalid', 'it has been shown before');
        end if;
        ticket.presented_at := at;
    when 'claim' then
        ticket := onekey.take(ticket, me.name, at);
        ticket.claimed_at := coalesce(ticket.claimed_at, at);
    when 'renew' then
        ticket.claim_until := case
            when ticket.state = 'claimed' and not ticket.is_answered
            then least(at + lease.claim_s * interval '1 s', ticket.owned_at + 5 * lease.claim_s * interval '1 s')
            else at + lease.work_s * interval '1 s' end;
    when 'answer' then
        ticket.answered_at := coalesce(ticket.answered_at, at);
        ticket.is_answered := true;
    when 'dispatch' then
        detail := detail || onekey.send_helpers(ticket, me.name, at, arguments);
        ticket.dispatched_at := coalesce(ticket.dispatched_at, at);
        ticket.verified_at := null; -- to be confirmed again once the helpers have looked
    when 'result' then
        perform onekey.note_result(ticket, me.name, at, arguments);
    when 'scene' then
        perform onekey.note_arrival(ticket, at, arguments);
        ticket.on_scene_at := coalesce(ticket.on_scene_at, at);
    when 'verify' then
        ticket.verified_at := at;
    when 'close' then
        perform onekey.check_closing(ticket, arguments);
        ticket.outcome := arguments ->> 'outcome';
        ticket.closed_at := at;
    when 'hold' then
        ticket := onekey.put_aside(ticket, me.name, at, lease.hold_max_s, arguments);
    when 'hand_over' then
        perform onekey.check_receiver(ticket, arguments ->> 'to');
        detail := detail || jsonb_build_object('from', ticket.claimed_by);
        ticket.claimed_by := arguments ->> 'to';
        ticket.owned_at := at;
    when 'release' then
        detail := detail || jsonb_build_object('from', ticket.claimed_by);
        ticket.claimed_by := null;
    when 'merge' then
        perform onekey.check_merge(ticket, me, arguments);
        ticket.outcome := 'merged';
        ticket.merged_into := (arguments ->> 'into')::bigint;
        ticket.closed_at := at;
    when 'reopen' then
        perform onekey.check_reopening(ticket);
        detail := detail || jsonb_build_object('outcome', ticket.outcome, 'closed_at', ticket.closed_at,
            'verified_at', ticket.verified_at, 'closed_by', ticket.claimed_by);
        ticket.episode := ticket.episode + 1;
        ticket.reopened_at := at;
        ticket.outcome := null;
        ticket.closed_at := null;
        ticket.verified_at := null;
        ticket.merged_into := null;
        ticket.is_answered := false;
        ticket.is_test := false;
    when 'note' then
        if coalesce(btrim(arguments ->> 'text'), '') = '' or length(arguments ->> 'text') > 4000 then
            perform onekey.refuse('invalid', 'a note has 1 to 4000 characters');
        end if;
    when 'strike' then
        perform onekey.check_strike(ticket, me, (arguments ->> 'event')::bigint);
    when 'mark_test' then
        ticket.is_test := true;
        ticket.priority := 5;
    end case;
    return (onekey.settle_state(ticket, step, lease, at), detail);
end $$;

-- What follows from the new state alone: its time, the owner, the claim's lease.
create or replace function onekey.settle_state(ticket onekey.ticket, step onekey.ticket_transition,
                                               lease onekey.ticket_class, at timestamptz)
returns onekey.ticket language plpgsql set search_path = onekey, pg_temp as $$
begin
    if step.to_state <> step.from_state then
        -- Back on the queue it waits since it came, unless it was held: then since it returned.
        ticket.state_at := case when step.to_state = 'open' and step.command <> 'end_hold'
                                then ticket.reopened_at else at end;
    end if;
    ticket.state := step.to_state;
    if step.to_state in ('open', 'closed') then
        ticket.claim_until := null;
    end if;
    if step.to_state = 'open' or ticket.claimed_by is null then
        ticket.claimed_by := null;
        ticket.owned_at := null;
        ticket.claim_until := null;
    elsif step.command in ('claim', 'hand_over') and ticket.state = 'claimed' then
        ticket.claim_until := at + lease.claim_s * interval '1 s';
    elsif ticket.claim_until is not null and step.command not in ('renew', 'present', 'result', 'note', 'strike')
          or step.command in ('claim', 'hand_over') then
        ticket.claim_until := at + lease.work_s * interval '1 s';
    end if;
    return ticket;
end $$;

-- Now, but never before a stamp that the ticket has.
create or replace function onekey.stamp(ticket onekey.ticket) returns timestamptz
language sql volatile set search_path = onekey, pg_temp as $$
    select greatest(clock_timestamp(), ticket.presented_at, ticket.claimed_at, ticket.answered_at, ticket.dispatched_at,
                    ticket.on_scene_at, ticket.verified_at, ticket.closed_at, ticket.reopened_at, ticket.state_at)
$$;

-- Writes ticket and event and tells listeners.
create or replace function onekey.record_step(ticket onekey.ticket, step onekey.ticket_transition, actor text,
                                              detail jsonb)
returns onekey.command_reply language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    done onekey.ticket_command := onekey.command_of(step.command);
    event_id bigint;
begin
    update onekey.ticket t
    set state = ticket.state, priority = ticket.priority, episode = ticket.episode, reopened_at = ticket.reopened_at,
        state_at = ticket.state_at, owned_at = ticket.owned_at, claim_until = ticket.claim_until,
        is_answered = ticket.is_answered, is_test = ticket.is_test, held_until = ticket.held_until,
        held_by = ticket.held_by, hold_reason = ticket.hold_reason, return_priority = ticket.return_priority,
        ring_level = case when ticket.claimed_by is null then t.ring_level else 0 end,
        second_desk_at = case when ticket.claimed_by is null then t.second_desk_at end,
        merged_into = ticket.merged_into, claimed_by = ticket.claimed_by, outcome = ticket.outcome,
        presented_at = ticket.presented_at, claimed_at = ticket.claimed_at, answered_at = ticket.answered_at,
        dispatched_at = ticket.dispatched_at, on_scene_at = ticket.on_scene_at, verified_at = ticket.verified_at,
        closed_at = ticket.closed_at
    where t.district = ticket.district and t.id = ticket.id;
    if done.event is not null then
        event_id := onekey.add_event(ticket, done.event, actor, step.from_state || '>' || step.to_state, detail);
        perform onekey.notify_tickets(ticket.district, array[ticket.id]);
    end if;
    return onekey.succeeded('done', ticket, event_id);
end $$;

create or replace function onekey.succeeded(code text, ticket onekey.ticket, event_id bigint)
returns onekey.command_reply language sql set search_path = onekey, pg_temp as $$
    select row(true, succeeded.code, null::text, ticket.id, ticket.state::text, ticket.claimed_by, succeeded.event_id,
               null::jsonb)::onekey.command_reply
$$;

create or replace function onekey.add_event(ticket onekey.ticket, kind text, actor text, step text, detail jsonb)
returns bigint language plpgsql set search_path = onekey, pg_temp as $$
declare
    event_id bigint;
begin
    insert into onekey.ticket_event (district, ticket_id, kind, actor, origin, detail)
    values (ticket.district, ticket.id, add_event.kind, add_event.actor,
            nullif(current_setting('onekey.origin', true), ''),
            nullif(coalesce(add_event.detail, '{}') || jsonb_strip_nulls(jsonb_build_object('step', add_event.step)), '{}'))
    returning id into event_id;
    return event_id;
end $$;

create or replace function onekey.take(ticket onekey.ticket, owner text, at timestamptz) returns onekey.ticket
language plpgsql set search_path = onekey, pg_temp as $$
begin
    if ticket.held_until is not null then
        perform onekey.add_event(ticket, 'hold_ended', owner, null, '{"why": "claimed"}');
        ticket := onekey.off_hold(ticket);
    end if;
    ticket.claimed_by := take.owner;
    ticket.owned_at := take.at;
    return ticket;
end $$;

create or replace function onekey.off_hold(ticket onekey.ticket) returns onekey.ticket
language plpgsql set search_path = onekey, pg_temp as $$
begin
    ticket.held_until := null;
    ticket.held_by := null;
    ticket.hold_reason := null;
    ticket.return_priority := null;
    return ticket;
end $$;

-- Who claims one ticket of a home takes all of its others that nobody owns. They are locked already.
create or replace function onekey.claim_home(ticket onekey.ticket, me onekey.app_user) returns jsonb
language plpgsql set search_path = onekey, pg_temp as $$
declare
    other onekey.ticket;
    step onekey.ticket_transition;
    after onekey.stepped;
    taken jsonb := '[]';
begin
    for other in
        select * from onekey.ticket t
        where t.district = ticket.district and t.subject = ticket.subject and t.state <> 'closed'
          and t.id <> ticket.id and t.claimed_by is null
        order by t.kind, t.service_kind
    loop
        step := onekey.step_of(other, 'claim');
        after := onekey.apply_step(other, step, me, jsonb_build_object('with', ticket.id));
        perform onekey.record_step(after.ticket, step, me.name, after.detail);
        taken := taken || to_jsonb(other.id);
    end loop;
    return case when taken <> '[]' then jsonb_build_object('also', taken) end;
end $$;

-- --- what steps check and write beside the ticket ---

create or replace function onekey.send_helpers(ticket onekey.ticket, actor text, at timestamptz, arguments jsonb)
returns jsonb language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    strange text;
    sent jsonb;
begin
    select h into strange from jsonb_array_elements_text(arguments -> 'helpers') h
    where not exists (select from onekey.helper_kind k where k.name = h) limit 1;
    if strange is not null then
        perform onekey.refuse('invalid', format('there is no helper "%s"; there are %s', strange,
            (select string_agg(k.name, ', ' order by k.name) from onekey.helper_kind k)));
    elsif coalesce(jsonb_array_length(arguments -> 'helpers'), 0) = 0 then
        perform onekey.refuse('invalid', 'say who is sent');
    end if;
    with added as (
        insert into onekey.ticket_helper (district, ticket_id, episode, helper, name, sent_at, sent_by)
        select ticket.district, ticket.id, ticket.episode, h.helper, arguments ->> 'name', at, actor
        from jsonb_array_elements_text(arguments -> 'helpers') with ordinality h(helper, nth)
        order by h.nth
        returning id)
    select jsonb_build_object('ids', jsonb_agg(a.id order by a.id)) into sent from added a;
    return sent;
end $$;

create or replace function onekey.note_result(ticket onekey.ticket, actor text, at timestamptz, arguments jsonb)
returns void language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
begin
    if not coalesce(arguments ->> 'result' in ('no_answer', 'busy', 'refused', 'accepted', 'arrived', 'done'), false) then
        perform onekey.refuse('invalid', 'a result is no_answer, busy, refused, accepted, arrived or done');
    end if;
    update onekey.ticket_helper h
    set result = arguments ->> 'result', result_at = at, result_by = actor,
        arrived_at = case when arguments ->> 'result' = 'arrived' then coalesce(h.arrived_at, at) else h.arrived_at end
    where h.district = ticket.district and h.ticket_id = ticket.id and h.id = (arguments ->> 'helper')::bigint;
    if not found then
        perform onekey.refuse('invalid', format('ticket %s has no helper %s', ticket.id, arguments ->> 'helper'));
    end if;
end $$;

create or replace function onekey.note_arrival(ticket onekey.ticket, at timestamptz, arguments jsonb)
returns void language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
begin
    if arguments ? 'helper' then
        update onekey.ticket_helper h set arrived_at = coalesce(h.arrived_at, at)
        where h.district = ticket.district and h.ticket_id = ticket.id and h.id = (arguments ->> 'helper')::bigint;
        if not found then
            perform onekey.refuse('invalid', format('ticket %s has no helper %s', ticket.id, arguments ->> 'helper'));
        end if;
    end if;
end $$;

create or replace function onekey.check_closing(ticket onekey.ticket, arguments jsonb)
returns void language plpgsql set search_path = onekey, pg_temp as $$
begin
    if not exists (select from onekey.outcome o where o.ticket_kind = ticket.kind
                   and o.name = arguments ->> 'outcome' and o.by_hand) then
        perform onekey.refuse('invalid', format('a %s ticket has no outcome "%s"; it has %s', ticket.kind,
            arguments ->> 'outcome', (select string_agg(o.name, ', ' order by o.name) from onekey.outcome o
                                      where o.ticket_kind = ticket.kind and o.by_hand)));
    elsif arguments ->> 'outcome' = 'test' and not ticket.is_test then
        perform onekey.refuse('invalid', format('ticket %s is not marked as a test', ticket.id));
    elsif (arguments ->> 'signals')::integer < ticket.signal_count then
        perform onekey.refuse('pressed_again', format('ticket %s was pressed again: look at it once more', ticket.id));
    end if;
end $$;

create or replace function onekey.put_aside(ticket onekey.ticket, actor text, at timestamptz, cap_s integer,
                                            arguments jsonb)
returns onekey.ticket language plpgsql set search_path = onekey, pg_temp as $$
declare
    seconds integer := (arguments ->> 'seconds')::integer;
begin
    if coalesce(btrim(arguments ->> 'reason'), '') = '' then
        perform onekey.refuse('invalid', 'say why it is held');
    elsif not coalesce(seconds between 1 and cap_s, false) then
        perform onekey.refuse('invalid', format('it may be held for 1 to %s seconds', cap_s));
    elsif not coalesce((arguments ->> 'return_priority')::integer between 1 and 5, true) then
        perform onekey.refuse('invalid', 'a priority is 1 to 5');
    end if;
    ticket.held_until := put_aside.at + seconds * interval '1 s';
    ticket.held_by := actor;
    ticket.hold_reason := arguments ->> 'reason';
    ticket.return_priority := (arguments ->> 'return_priority')::smallint;
    ticket.claimed_by := null;
    return ticket;
end $$;

create or replace function onekey.check_receiver(ticket onekey.ticket, receiver text)
returns void language plpgsql set search_path = onekey, pg_temp as $$
begin
    if receiver = ticket.claimed_by then
        perform onekey.refuse('invalid', format('ticket %s belongs to %s already', ticket.id, receiver));
    elsif not exists (
        select from onekey.app_user u join onekey.role_command c on c.role = u.role and c.command = 'claim'
        where u.district = ticket.district and u.name = receiver and u.is_active
          and onekey.user_sees(u, ticket.area_id)) then
        perform onekey.refuse('invalid', format('"%s" is nobody who can work on ticket %s', receiver, ticket.id));
    end if;
end $$;

-- Whether that area is within the person's responsibility, as scope() says for whoever acts.
create or replace function onekey.user_sees(person onekey.app_user, area_id bigint) returns boolean
language sql stable set search_path = onekey, pg_temp as $$
    select user_sees.area_id is null
        or not exists (select from onekey.app_user_area u where u.district = person.district and u.user_name = person.name)
        or exists (select from onekey.app_user_area u join onekey.areas_above(person.district, user_sees.area_id) b on b.id = u.area_id
                   where u.district = person.district and u.user_name = person.name)
$$;

-- Within a class only, so that merging is no way around what a class demands before it closes.
create or replace function onekey.check_merge(ticket onekey.ticket, me onekey.app_user, arguments jsonb)
returns void language plpgsql set search_path = onekey, pg_temp as $$
declare
    target onekey.ticket;
begin
    select * into target from onekey.ticket t
    where t.district = ticket.district and t.id = (arguments ->> 'into')::bigint;
    if target.id is null or target.id = ticket.id or target.state = 'closed'
       or not onekey.sees(target.district, target.area_id) then
        perform onekey.refuse('invalid', 'merge it into another ticket that is open');
    elsif onekey.class_of(target.kind, target.service_kind) <> onekey.class_of(ticket.kind, ticket.service_kind) then
        perform onekey.refuse('invalid', format('a %s ticket cannot stand for a %s ticket', target.kind, ticket.kind));
    end if;
    perform onekey.add_event(target, 'merged', me.name, null, jsonb_build_object('from', ticket.id));
    perform onekey.notify_tickets(target.district, array[target.id]);
end $$;

create or replace function onekey.check_reopening(ticket onekey.ticket)
returns void language plpgsql set search_path = onekey, pg_temp as $$
declare
    successor bigint;
begin
    select t.id into successor from onekey.ticket t
    where t.district = ticket.district and t.subject = ticket.subject and t.kind = ticket.kind
      and t.service_kind = ticket.service_kind and t.state <> 'closed';
    if successor is not null then
        perform onekey.refuse('wrong_state', format('ticket %s of the same kind is open for this home', successor));
    end if;
end $$;

create or replace function onekey.check_strike(ticket onekey.ticket, me onekey.app_user, event bigint)
returns void language plpgsql set search_path = onekey, pg_temp as $$
declare
    note onekey.ticket_event;
begin
    select * into note from onekey.ticket_event e
    where e.district = ticket.district and e.ticket_id = ticket.id and e.id = check_strike.event and e.kind = 'note';
    if not found then
        perform onekey.refuse('invalid', format('ticket %s has no note %s', ticket.id, event));
    elsif note.actor is distinct from me.name and not exists (
        select from onekey.role_command c where c.role = me.role and c.command = 'override_note') then
        perform onekey.refuse('not_owner', format('note %s is of %s', event, note.actor), note.actor);
    elsif exists (select from onekey.ticket_event e where e.district = ticket.district and e.ticket_id = ticket.id
                  and e.kind = 'note_struck' and (e.detail ->> 'event')::bigint = check_strike.event) then
        perform onekey.refuse('invalid', format('note %s is struck already', event));
    end if;
end $$;

-- --- without a person ---

-- Takes a ticket from its owner when he goes off duty; false if it is no longer his.
create or replace function onekey.give_back(district text, ticket_id bigint, owner text, actor text) returns boolean
language plpgsql set search_path = onekey, pg_temp as $$
declare
    ticket onekey.ticket;
begin
    select * into ticket from onekey.ticket t
    where t.district = give_back.district and t.id = give_back.ticket_id and t.claimed_by = owner
      and t.state <> 'closed' for no key update;
    if found then
        perform onekey.machine_step(ticket, 'release', actor, jsonb_build_object('from', owner, 'why', 'off_duty'));
    end if;
    return found;
end $$;

-- A step of a locked ticket that no person asks for: release, expire, end_hold.
create or replace function onekey.machine_step(ticket onekey.ticket, command text, actor text, detail jsonb)
returns void language plpgsql set search_path = onekey, pg_temp as $$
declare
    step onekey.ticket_transition := onekey.step_of(ticket, command);
begin
    if command = 'end_hold' then
        ticket.priority := coalesce(ticket.return_priority, ticket.priority);
        ticket := onekey.off_hold(ticket);
        ticket.state_at := onekey.stamp(ticket);
    else
        ticket.claimed_by := null;
    end if;
    ticket := onekey.settle_state(ticket, step, null, onekey.stamp(ticket));
    perform onekey.record_step(ticket, step, actor, detail);
end $$;

-- The claim or the hold of this locked ticket is over: it returns to the queue; of a claim, supervisors are told.
create or replace function onekey.lapse(ticket onekey.ticket) returns void
language plpgsql set search_path = onekey, pg_temp as $$
begin
    if ticket.held_until is not null then
        perform onekey.machine_step(ticket, 'end_hold', null, '{"why": "time"}');
    else
        perform onekey.machine_step(ticket, 'expire', null, jsonb_build_object('from', ticket.claimed_by));
        perform onekey.tell_supervisor(ticket, 'claim_expired', ticket.claimed_by);
    end if;
end $$;

-- Returns to the queue what was claimed and not worked on, or held long enough.
create or replace function onekey.expire_tickets(district text, at timestamptz default clock_timestamp())
returns integer language plpgsql security definer set search_path = onekey, pg_temp as $$
declare
    ticket onekey.ticket;
    returned integer := 0;
begin
    for ticket in
        select * from onekey.ticket t
        where t.district = expire_tickets.district and t.state <> 'closed'
          and least(t.claim_until, t.held_until) <= expire_tickets.at
        order by t.subject, t.kind, t.service_kind for no key update skip locked
    loop
        perform onekey.lapse(ticket);
        returned := returned + 1;
    end loop;
    delete from onekey.command_log l
    where l.district = expire_tickets.district and l.at < clock_timestamp() - interval '1 day';
    return returned;
end $$;
comment on function onekey.expire_tickets(text, timestamptz) is
    'Takes back claims that nobody works on, ends holds, forgets old keys; returns how many tickets returned to the queue';

-- To every supervisor's console: "DISTRICT ID WHAT [WHO]".
create or replace function onekey.tell_supervisor(ticket onekey.ticket, what text, about text) returns void
language sql set search_path = onekey, pg_temp as $$
    select pg_notify('onekey_supervisor', concat_ws(' ', ticket.district, ticket.id, what, about))
$$;

-- A new alarm from a home breaks every hold of its tickets, and takes back that one of them was only a test.
-- `subjects`: of alarms that were new. Called by raise_tickets().
create or replace function onekey.wake_tickets(district text, gateway text, subjects text[]) returns void
language plpgsql set search_path = onekey, pg_temp as $$
declare
    ticket onekey.ticket;
    was_held boolean;
begin
    for ticket in
        select * from onekey.ticket t
        where t.district = wake_tickets.district and t.subject = any (subjects) and t.state <> 'closed'
          and (t.held_until is not null or t.is_test)
        order by t.subject, t.kind, t.service_kind for no key update
    loop
        was_held := ticket.held_until is not null;
        if was_held then
            ticket.return_priority := null;
            perform onekey.machine_step(ticket, 'end_hold', null,
                                        jsonb_build_object('why', 'alarm', 'gateway', gateway));
        end if;
        if ticket.is_test then
            update onekey.ticket t set is_test = false, priority = coalesce(
                (select s.priority from onekey.service_kind s where s.name = ticket.service_kind),
                (select k.priority from onekey.ticket_kind k where k.name = ticket.kind))
            where t.district = ticket.district and t.id = ticket.id;
            perform onekey.add_event(ticket, 'test_cleared', null, null, jsonb_build_object('gateway', gateway));
            perform onekey.notify_tickets(ticket.district, array[ticket.id]);
        end if;
    end loop;
end $$;

select onekey.grant_execute('expire_tickets', 'onekey_gateway');
select onekey.grant_execute(name)
from unnest(array['command_ticket', 'try_command', 'command_of', 'reply_of_key', 'lock_for', 'class_of', 'step_of', 'apply_step',
    'settle_state', 'stamp', 'record_step', 'succeeded', 'add_event', 'take', 'off_hold', 'claim_home', 'send_helpers', 'note_result',
    'note_arrival', 'check_closing', 'put_aside', 'check_receiver', 'user_sees', 'check_merge', 'check_reopening',
    'check_strike', 'give_back', 'machine_step', 'lapse', 'tell_supervisor', 'wake_tickets']) name;
