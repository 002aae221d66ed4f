-- The contact ladder. The contacts of the household that are available now are asked in order, each has some time to accept
-- explicitly, and they are gone through again as often as the policy says; then the desk is told. A gateway's timers drive
-- it as they do the escalation steps (upcoming(), take_due()). Who asks a contact is a notice, or a person by telephone.
--
-- Silence of a household that wants its contacts first is put aside while they are asked. Whatever goes wrong with that, the
-- ticket returns to the queue: without a gateway it was never put aside, and a hold has an end of its own. It is a timer's
-- step and not part of raising the ticket, because the alarm that raises it ends all holds of its home.

create or replace function onekey.escalation_policy_of(district text) returns onekey.escalation_policy
language sql stable set search_path = onekey, pg_temp as $$
    select p from onekey.escalation_policy p where p.district in (escalation_policy_of.district, '*')
    order by p.district = '*' limit 1
$$;

-- Whether the contact may be asked at that time; hours that end before they begin end on the next day.
create or replace function onekey.is_available(person onekey.contact, moment timestamptz) returns boolean
language plpgsql stable set search_path = onekey, pg_temp as $$
declare
    here timestamp := moment at time zone onekey.zone(person.district);
    is_night boolean := coalesce(person.available_until <= person.available_from, false);
    began_yesterday boolean := is_night and here::time < person.available_until;
begin
    if person.available_from is not null and not (case when is_night
        then here::time >= person.available_from or began_yesterday
        else here::time >= person.available_from and here::time < person.available_until end) then
        return false;
    end if;
    return person.available_days is null or extract(isodow from case when began_yesterday
        then here - interval '1 day' else here end)::smallint = any (person.available_days);
end $$;

-- Whether silence is put to the contacts first. Once a ticket.
create or replace function onekey.wants_contact_first(ticket onekey.ticket, step_id bigint) returns boolean
language sql stable set search_path = onekey, pg_temp as $$
    select ticket.kind = 'silence'
       and coalesce((select h.contact_first from onekey.household h
                     where h.district = ticket.district and h.id = ticket.household_id),
                    (onekey.escalation_policy_of(ticket.district)).contact_first)
       and not exists (select from onekey.escalation_fired f where f.district = ticket.district and f.ticket_id = ticket.id
                       and f.step_id = wants_contact_first.step_id)
$$;

-- Writes the notice to each of `ways`, TRANSPORT or TRANSPORT:TARGET. `key` names the occasion, once.
create or replace function onekey.tell(ticket onekey.ticket, event_type text, ways text[], payload jsonb, key text) returns void
language plpgsql set search_path = onekey, pg_temp as $$
begin
    perform onekey.enqueue_notice(ticket.district, ticket.id, event_type, split_part(w.way, ':', 1),
        nullif(substr(w.way, strpos(w.way || ':', ':') + 1), ''), payload, concat(key, '-', w.nth))
    from unnest(ways) with ordinality w(way, nth);
end $$;

-- --- asking ---

-- Asks the first contact of a locked ticket, unless one is being asked.
create or replace function onekey.start_contacts(ticket onekey.ticket) returns void
language plpgsql set search_path = onekey, pg_temp as $$
begin
    if not exists (select from onekey.contact_attempt a where a.district = ticket.district and a.ticket_id = ticket.id
                   and a.result is null) then
        perform onekey.ask_contact(ticket, 1, 0);
    end if;
end $$;

-- The locked ticket is put aside for as long as the contacts may take, and they are asked. One that has waited on the queue
-- already, because no gateway ran, stays there.
create or replace function onekey.ask_contacts_first(ticket onekey.ticket) returns void
language plpgsql set search_path = onekey, pg_temp as $$
declare
    policy onekey.escalation_policy := onekey.escalation_policy_of(ticket.district);
    most_s integer;
begin
    select count(*) * policy.rounds * policy.accept_s into most_s from onekey.contact c
    where c.district = ticket.district and c.household_id = ticket.household_id and onekey.is_available(c, clock_timestamp());
    if most_s > 0 and clock_timestamp() < coalesce(ticket.state_at, ticket.received_at) + policy.accept_s * interval '1 s' then
        ticket.held_until := onekey.stamp(ticket) + (most_s + 60) * interval '1 s';
        ticket.hold_reason := 'contact_first';
        update onekey.ticket t set held_until = ticket.held_until, hold_reason = ticket.hold_reason
        where t.district = ticket.district and t.id = ticket.id;
        perform onekey.add_event(ticket, 'held', null, null, '{"reason": "contact_first"}');
    end if;
    perform onekey.start_contacts(ticket);
end $$;

-- Asks whoever is next after that place, or tells the desk that nobody is.
create or replace function onekey.ask_contact(ticket onekey.ticket, after_round integer, after_position integer) returns void
language plpgsql set search_path = onekey, pg_temp as $$
declare
    policy onekey.escalation_policy := onekey.escalation_policy_of(ticket.district);
    person onekey.contact;
    turn integer;
begin
    for turn in after_round .. policy.rounds loop
        select * into person from onekey.contact c
        where c.district = ticket.district and c.household_id = ticket.household_id
          and c.position > case turn when after_round then after_position else 0 end
          and onekey.is_available(c, clock_timestamp())
        order by c.position limit 1;
        if found then
            perform onekey.ask_this_contact(ticket, policy, person, turn);
            return;
        end if;
    end loop;
    perform onekey.contacts_exhausted(ticket);
end $$;

create or replace function onekey.ask_this_contact(ticket onekey.ticket, policy onekey.escalation_policy,
                                                   person onekey.contact, turn integer)
returns void language plpgsql set search_path = onekey, pg_temp as $$
declare
    token text := replace(gen_random_uuid()::text, '-', '');
    asked onekey.contact_attempt;
    until_time text;
begin
    insert into onekey.contact_attempt (district, ticket_id, round, position, role, name, token_hash, asked_at, until_at)
    values (ticket.district, ticket.id, turn, person.position, person.role, person.name, sha256(convert_to(token, 'UTF8')),
            clock_timestamp(), clock_timestamp() + policy.accept_s * interval '1 s')
    returning * into asked;
    perform onekey.add_event(ticket, 'contact_asked', null, null, jsonb_build_object(
        'attempt', asked.id, 'round', turn, 'position', person.position, 'role', person.role, 'until', asked.until_at));
    perform onekey.notify_tickets(ticket.district, array[ticket.id]);
    until_time := to_char(asked.until_at at time zone onekey.zone(ticket.district), 'HH24:MI:SS');
    perform onekey.tell(ticket, 'ticket.contact', policy.contact_by, jsonb_build_object(
        'attempt', asked.id, 'round', turn, 'role', person.role, 'until', asked.until_at,
        'text_zh', format('请在 %s 前回复能否前往', until_time), 'text_en', format('Please say before %s whether you can go', until_time),
        'person', jsonb_build_object('contact', jsonb_build_object(
            'name', person.name, 'phone', person.phone, 'token', token))), 'contact-' || asked.id);
end $$;

-- Nobody has accepted: the ticket is the desk's, and rings.
create or replace function onekey.contacts_exhausted(ticket onekey.ticket) returns void
language plpgsql set search_path = onekey, pg_temp as $$
begin
    perform onekey.add_event(ticket, 'contacts_exhausted', null, null, null);
    if ticket.hold_reason = 'contact_first' then
        perform onekey.machine_step(ticket, 'end_hold', null, '{"why": "contacts_exhausted"}');
    end if;
    perform onekey.ring_louder(ticket);
    perform onekey.notify_tickets(ticket.district, array[ticket.id]);
    perform onekey.tell_supervisor(ticket, 'contacts_exhausted', ticket.claimed_by);
end $$;

-- --- what comes of it ---

-- The time of the contact who is being asked has run out.
create or replace function onekey.contact_lapsed(ticket onekey.ticket) returns void
language plpgsql set search_path = onekey, pg_temp as $$
declare
    asked onekey.contact_attempt;
begin
    select * into asked from onekey.contact_attempt a
    where a.district = ticket.district and a.ticket_id = ticket.id and a.result is null and a.until_at <= clock_timestamp();
    if found then
        perform onekey.settle_contact(ticket, asked, 'no_answer', null);
    end if;
end $$;

-- What came of an attempt, of a locked ticket that is not closed. Once somebody has the ticket, no other is asked.
create or replace function onekey.settle_contact(ticket onekey.ticket, asked onekey.contact_attempt, result text, actor text)
returns void language plpgsql set search_path = onekey, pg_temp as $$
declare
    goes_on boolean := asked.result is null and ticket.state = 'open' and not ticket.is_test
                       and asked.asked_at >= coalesce(ticket.reopened_at, '-infinity');
begin
    if result in ('accepted', 'arrived', 'done', 'needs_help') then
        asked.helper_id := onekey.note_contact(ticket, asked, result, actor);
    end if;
    update onekey.contact_attempt a set result = settle_contact.result, result_at = clock_timestamp(),
        result_by = actor, helper_id = asked.helper_id
    where a.district = asked.district and a.id = asked.id;
    perform onekey.add_event(ticket, 'contact_result', actor, null, jsonb_build_object(
        'attempt', asked.id, 'round', asked.round, 'position', asked.position, 'role', asked.role, 'result', result));
    perform onekey.notify_tickets(ticket.district, array[ticket.id]);
    if result in ('no_answer', 'busy', 'refused') then
        if goes_on then
            perform onekey.ask_contact(ticket, asked.round, asked.position);
        end if;
    elsif ticket.hold_reason = 'contact_first' then
        perform onekey.contact_goes(ticket, result);
    end if;
end $$;

-- Silence that was put to the contacts: whoever has accepted has some time to look; what he then says ends the hold, for
-- a person of the desk closes the ticket.
create or replace function onekey.contact_goes(ticket onekey.ticket, result text) returns void
language plpgsql set search_path = onekey, pg_temp as $$
begin
    if result in ('needs_help', 'done') then
        perform onekey.machine_step(ticket, 'end_hold', null, jsonb_build_object('why', 'contact_' || result));
    else
        update onekey.ticket t set held_until = onekey.stamp(ticket)
            + (onekey.escalation_policy_of(ticket.district)).look_s * interval '1 s'
        where t.district = ticket.district and t.id = ticket.id;
    end if;
end $$;

-- Whoever accepts is a helper of the ticket; what the checklist knows of him. Returns the entry.
create or replace function onekey.note_contact(ticket onekey.ticket, asked onekey.contact_attempt, result text, actor text)
returns bigint language plpgsql set search_path = onekey, pg_temp as $$
declare
    entry bigint := asked.helper_id;
begin
    if entry is null then
        insert into onekey.ticket_helper (district, ticket_id, episode, helper, name, sent_at, sent_by)
        values (ticket.district, ticket.id, ticket.episode,
                coalesce((select k.name from onekey.helper_kind k where k.name = asked.role), 'family'), asked.name,
                asked.asked_at, coalesce(actor, 'contact ladder'))
        returning id into entry;
    end if;
    update onekey.ticket_helper h
    set result = case note_contact.result when 'needs_help' then 'arrived' else note_contact.result end,
        result_at = clock_timestamp(), result_by = actor,
        arrived_at = case when note_contact.result <> 'accepted' then coalesce(h.arrived_at, clock_timestamp()) else h.arrived_at end
    where h.district = ticket.district and h.id = entry;
    return entry;
end $$;

-- False: there is no such attempt or result, or the ticket is closed.
create or replace function onekey.take_contact_result(district text, result text, actor text, attempt_id bigint)
returns boolean language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    ticket onekey.ticket;
    asked onekey.contact_attempt;
begin
    if not coalesce(result in ('no_answer', 'busy', 'refused', 'accepted', 'arrived', 'done', 'needs_help'), false) then
        return false;
    end if;
    select t.* into ticket from onekey.ticket t
    where t.district = take_contact_result.district and t.id = (
        select a.ticket_id from onekey.contact_attempt a where a.district = take_contact_result.district and a.id = attempt_id)
    for no key update;
    if ticket.id is null or ticket.state = 'closed' then
        return false;
    end if;
    select * into asked from onekey.contact_attempt a where a.district = take_contact_result.district and a.id = attempt_id;
    if asked.result in ('done', 'needs_help') or asked.result is not distinct from result then
        return asked.result = result; -- said before
    end if;
    perform onekey.settle_contact(ticket, asked, result, actor);
    return true;
end $$;

-- --- what clients call ---

-- A contact answers with the token of the notice.
create or replace function onekey.contact_reply(district text, token text, result text) returns boolean
language sql security definer set search_path = onekey, pg_temp as $$
    select onekey.take_contact_result(contact_reply.district, contact_reply.result, null, (
        select a.id from onekey.contact_attempt a
        where a.district = contact_reply.district and a.token_hash = sha256(convert_to(contact_reply.token, 'UTF8'))))
$$;
comment on function onekey.contact_reply(text, text, text) is
    'A contact answers: accepted, refused, busy, arrived, done, needs_help; token: of the notice that asked. False: nothing such is asked';

-- A person of the desk has called the contact and says what came of it.
create or replace function onekey.contact_result(district text, attempt_id bigint, result text) returns boolean
language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    ticket onekey.ticket;
begin
    select t.* into ticket from onekey.contact_attempt a
    join onekey.ticket t on t.district = a.district and t.id = a.ticket_id
    where a.district = contact_result.district and a.id = attempt_id;
    if not onekey.may('result', district, 'contact_attempt:' || attempt_id) then
        return false;
    elsif ticket.id is null or not onekey.sees(district, ticket.area_id) then
        perform onekey.audit_entry(district, 'result', 'contact_attempt:' || attempt_id, false);
        return false;
    end if;
    return onekey.take_contact_result(district, result, (onekey.who()).name, attempt_id);
end $$;
comment on function onekey.contact_result(text, bigint, text) is
    'What came of calling a contact: no_answer, busy, refused, accepted, arrived, done, needs_help; false: refused, or the ticket is closed';

select onekey.grant_execute('contact_reply', 'onekey_gateway', 'onekey_console');
select onekey.grant_execute('contact_result', 'onekey_console');
select onekey.grant_execute(name)
from unnest(array['escalation_policy_of', 'is_available', 'wants_contact_first', 'tell', 'start_contacts', 'ask_contacts_first',
    'ask_contact', 'ask_this_contact', 'contacts_exhausted', 'contact_lapsed', 'settle_contact', 'contact_goes', 'note_contact',
    'take_contact_result']) name;
