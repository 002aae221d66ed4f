-- What people read of residents and tickets. Each such read is in the audit.

-- All that is kept of a home; null: there is none, or it is not for whoever asks.
create or replace function onekey.read_household(district text, household_id bigint, reason text default null)
returns jsonb language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    home onekey.household;
    object text := 'household:' || household_id;
begin
    select * into home from onekey.household h where h.district = read_household.district and h.id = household_id;
    if not onekey.may('read_household', district, object) then
        return null;
    elsif home.id is null or not onekey.sees(district, home.area_id) then
        perform onekey.audit_entry(district, 'read_household', object, false);
        return null;
    end if;
    perform onekey.audit_entry(district, 'read_household', object, true,
                               jsonb_strip_nulls(jsonb_build_object('reason', reason)));
    return jsonb_build_object(
        'household', to_jsonb(home),
        'area', (select a.path_zh from onekey.v_area a where a.district = home.district and a.id = home.area_id),
        'residents', (select coalesce(jsonb_agg(to_jsonb(r) - 'district' - 'household_id' order by r.position), '[]')
                      from onekey.resident r where r.district = home.district and r.household_id = home.id),
        'contacts', (select coalesce(jsonb_agg(to_jsonb(c) - 'district' - 'household_id' order by c.position), '[]')
                     from onekey.contact c where c.district = home.district and c.household_id = home.id),
        'absences', (select coalesce(jsonb_agg(to_jsonb(a) - 'district' - 'household_id' order by a.from_at), '[]')
                     from onekey.absence a where a.district = home.district and a.household_id = home.id
                       and (a.until_at is null or a.until_at > clock_timestamp())),
        'devices', (select coalesce(jsonb_agg(to_jsonb(d) - 'district' - 'household_id' - 'secret' order by d.id), '[]')
                    from onekey.device d where d.district = home.district and d.household_id = home.id),
        'tickets', (select coalesce(jsonb_agg(to_jsonb(t) order by t.received_at desc), '[]')
                    from (select t.id, t.kind, t.service_kind, t.state, t.outcome, t.received_at, t.closed_at, t.claimed_by
                          from onekey.ticket t where t.district = home.district and t.household_id = home.id
                          order by t.received_at desc limit 20) t));
end $$;
comment on function onekey.read_household(text, bigint, text) is
    'A home with residents, contacts, absences, devices and its last 20 tickets; the read is audited';

-- A ticket with its checklist, the contacts that were asked, events, notes and what may be done next; null: there is none, or not for whoever asks.
create or replace function onekey.read_ticket(district text, ticket_id bigint)
returns jsonb language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    ticket onekey.v_tickets;
    object text := 'ticket:' || ticket_id;
begin
    if not onekey.may('read_ticket', district, object) then
        return null;
    end if;
    select * into ticket from onekey.v_tickets t where t.district = read_ticket.district and t.id = ticket_id;
    perform onekey.audit_entry(district, 'read_ticket', object, ticket.id is not null);
    if ticket.id is null then
        return null;
    end if;
    return jsonb_build_object(
        'ticket', to_jsonb(ticket),
        'helpers', (select coalesce(jsonb_agg(to_jsonb(h) - 'district' - 'ticket_id' order by h.id), '[]')
                    from onekey.ticket_helper h where h.district = read_ticket.district and h.ticket_id = read_ticket.ticket_id),
        'contacts', (select coalesce(jsonb_agg(to_jsonb(c) - 'district' - 'ticket_id' - 'token_hash' order by c.id), '[]')
                     from onekey.contact_attempt c
                     where c.district = read_ticket.district and c.ticket_id = read_ticket.ticket_id),
        'events', (select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                       'id', e.id, 'at', e.at, 'kind', e.kind, 'actor', e.actor, 'origin', e.origin,
                       'number', e.number, 'detail', e.detail, 'struck', exists (
                           select from onekey.ticket_event n where n.district = e.district and n.ticket_id = e.ticket_id
                             and n.kind = 'note_struck' and (n.detail ->> 'event')::bigint = e.id))) order by e.id), '[]')
                   from onekey.ticket_event e where e.district = read_ticket.district and e.ticket_id = read_ticket.ticket_id),
        'commands', (select coalesce(jsonb_agg(r.command order by r.command), '[]') from onekey.ticket_transition r
                     join onekey.ticket_command c on c.name = r.command
                     join onekey.role_command p on p.command = r.command and p.role = (onekey.who()).role
                     where r.kind_class = ticket.class and r.from_state = ticket.state
                       and (not c.needs_owner or ticket.claimed_by = (onekey.who()).name)),
        'outcomes', (select jsonb_agg(to_jsonb(o) - 'ticket_kind' - 'by_hand' order by o.name) from onekey.outcome o
                     where o.ticket_kind = ticket.kind and o.by_hand));
end $$;
comment on function onekey.read_ticket(text, bigint) is
    'A ticket with checklist, events, the commands that its reader may give now, and outcomes; the read is audited';

-- A client reports what the database refused it outright (42501), which leaves no trace in a table by itself.
create or replace function onekey.report_refusal(action text, object text) returns void
language plpgsql security definer set search_path = onekey, pg_temp as $$
begin
    perform onekey.audit_entry(null, left(action, 200), left(object, 200), false, '{"by": "client"}');
end $$;
comment on function onekey.report_refusal(text, text) is 'Puts into the audit what the database refused outright';

-- The audit for those who may read it: the newest first.
create or replace function onekey.read_audit(district text, since timestamptz, rows integer default 1000)
returns setof onekey.audit language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
begin
    if onekey.may('read_audit', district, 'audit') then
        perform onekey.audit_entry(district, 'read_audit', 'audit', true);
        return query select * from onekey.audit a where a.district = read_audit.district and a.at >= since
                     order by a.id desc limit rows;
    end if;
end $$;
comment on function onekey.read_audit(text, timestamptz, integer) is 'The audit of a district, the newest first; audited itself';

select onekey.grant_execute(name, 'onekey_console')
from unnest(array['read_household', 'read_ticket', 'report_refusal', 'read_audit']) name;
