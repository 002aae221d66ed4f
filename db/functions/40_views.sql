-- What people and dashboards read.

drop view if exists onekey.v_ticket_sla, onekey.v_upcoming, onekey.v_on_duty, onekey.open_shifts, onekey.v_ticket_times,
    onekey.v_care_calls, onekey.v_open_tickets, onekey.v_tickets, onekey.v_area;

create view onekey.v_area as
select a.district, a.id, a.code, a.level, a.name_zh, a.name_en, p.path, p.path_zh, p.street_town_id
from onekey.area a join onekey.area_place p on p.district = a.district and p.area_id = a.id;
comment on view onekey.v_area is 'Areas with their path of codes, of Chinese names, and the street-town they belong to';

-- Whether whoever acts is shown whole telephone numbers in lists; who names nobody and is let in at all, is.
create or replace function onekey.reads_phones() returns boolean
language sql stable security definer set search_path = onekey, pg_temp as $$
    select coalesce(current_setting('onekey.user', true), '') = '' or exists (
        select from onekey.role_command c where c.role = (onekey.who()).role and c.command = 'read_phone')
$$;

-- 138****5678
create or replace function onekey.mask_phone(phone text) returns text
language sql immutable set search_path = onekey, pg_temp as $$
    select case when length(phone) > 7 then left(phone, 3) || repeat('*', length(phone) - 7) || right(phone, 4)
                else repeat('*', greatest(length(phone) - 2, 0)) || right(phone, 2) end
$$;

-- People see here what their areas hold: onekey.scope().
create view onekey.v_tickets as
select t.district, t.id, t.kind, t.service_kind, coalesce(k.class, c.class) as class, t.priority, t.state, t.flags,
       t.signal_count, t.claimed_by, h.code as household, h.address, r.name as resident,
       case when (select onekey.reads_phones()) then h.phone else onekey.mask_phone(h.phone) end as phone, a.path_zh as area,
       t.protocol, t.identity, t.household_id, t.device_id, t.area_id, t.pressed_at, t.received_at, t.raised_at,
       t.last_signal_at, t.presented_at, t.claimed_at, t.answered_at, t.dispatched_at, t.on_scene_at, t.verified_at,
       t.closed_at, t.outcome, t.episode, t.reopened_at, t.owned_at, t.claim_until, t.is_answered, t.is_test, t.held_until,
       t.held_by, t.hold_reason, t.return_priority, t.merged_into, t.ring_level, t.second_desk_at, t.detail,
       extract(epoch from coalesce(t.closed_at, clock_timestamp()) - t.received_at)::bigint as age_s
from onekey.ticket t
join onekey.scope() s on s.everything or s.district = t.district
     and (s.areas is null or t.area_id = any (s.areas) or t.area_id is null and s.unplaced)
join onekey.ticket_kind c on c.name = t.kind
left join onekey.service_kind k on k.name = t.service_kind
left join onekey.household h on h.district = t.district and h.id = t.household_id
left join onekey.resident r on r.district = t.district and r.household_id = t.household_id and r.position = 1
left join onekey.area_place a on a.district = t.district and a.area_id = t.area_id;
comment on view onekey.v_tickets is 'Tickets with the home they are about';

-- Lists all that is open, however old: nothing here is ever filtered by age.
create view onekey.v_open_tickets as
select * from onekey.v_tickets where state <> 'closed' and class <> 'care'
order by (held_until is not null), priority, received_at, id;
comment on view onekey.v_open_tickets is
    'The queue: open tickets by priority, then the oldest first, then those on hold; care calls have a list of their own';

create view onekey.v_care_calls as
select * from onekey.v_tickets where state <> 'closed' and class = 'care'
order by priority, received_at, id;
comment on view onekey.v_care_calls is 'Care calls to be made, the oldest first';

create view onekey.v_ticket_times as
select t.district, t.id, t.kind, t.service_kind, t.priority, t.state, t.outcome, t.flags, t.area_id,
       a.street_town_id, t.signal_count, t.pressed_at, t.received_at, t.raised_at, t.presented_at, t.claimed_at,
       t.answered_at, t.dispatched_at, t.on_scene_at, t.verified_at, t.closed_at,
       extract(epoch from t.raised_at - t.received_at) as raise_s,
       extract(epoch from t.presented_at - t.received_at) as present_s,
       extract(epoch from t.claimed_at - t.received_at) as claim_s,
       extract(epoch from t.answered_at - t.received_at) as answer_s,
       extract(epoch from t.dispatched_at - t.answered_at) as dispatch_s,
       extract(epoch from t.on_scene_at - t.dispatched_at) as travel_s,
       extract(epoch from t.verified_at - t.received_at) as verify_s,
       extract(epoch from t.closed_at - t.received_at) as close_s
from onekey.ticket t
join onekey.scope() s on s.everything or s.district = t.district
     and (s.areas is null or t.area_id = any (s.areas) or t.area_id is null and s.unplaced)
left join onekey.area_place a on a.district = t.district and a.area_id = t.area_id;
comment on view onekey.v_ticket_times is
    'All tickets with their times and the seconds between them; a step that nobody took is null, not left out';

comment on column onekey.v_ticket_times.answer_s is 'From the durable arrival of the signal to the first answer';
comment on column onekey.v_ticket_times.dispatch_s is 'From the answer to the first helper sent';
comment on column onekey.v_ticket_times.travel_s is 'From the first helper sent to the first one there';

-- The time limits that now run. A ticket on hold or marked as a test has none.
create view onekey.v_ticket_sla as
select t.district, t.id as ticket_id, p.measure, f.from_at, f.from_at + p.warn_s * interval '1 s' as warn_at,
       f.from_at + p.breach_s * interval '1 s' as breach_at
from onekey.ticket t
join onekey.scope() s on s.everything or s.district = t.district
     and (s.areas is null or t.area_id = any (s.areas) or t.area_id is null and s.unplaced)
left join onekey.area_place a on a.district = t.district and a.area_id = t.area_id
cross join lateral (
    select distinct on (p.measure) p.measure, p.warn_s, p.breach_s
    from onekey.sla_policy p
    where p.kind = t.kind and p.district in (t.district, '*') and (p.area_id is null or p.area_id = any (a.above))
      and coalesce(p.service_kind, t.service_kind) = t.service_kind and coalesce(p.priority, t.priority) = t.priority
    order by p.measure, array_position(a.above, p.area_id), p.priority, p.service_kind, p.district = '*') p
cross join lateral (
    select case p.measure
        when 'present' then case when t.presented_at is null then greatest(t.received_at, t.reopened_at) end
        when 'answer' then case when not t.is_answered then greatest(t.received_at, t.reopened_at) end
        when 'dispatch' then case when t.is_answered and t.state = 'claimed'
                                  then greatest(t.answered_at, t.reopened_at) end
        when 'on_scene' then case when t.state = 'dispatched' then greatest(t.dispatched_at, t.reopened_at) end
        when 'close' then greatest(t.received_at, t.reopened_at) end as from_at) f
where t.state <> 'closed' and t.held_until is null and not t.is_test and f.from_at is not null;
comment on view onekey.v_ticket_sla is 'Until when each open ticket is to be shown, answered, helped, closed';

-- What a gateway's timers wait for. step_id null: the claim or hold or a contact's time ends.
create view onekey.v_upcoming as
select t.district, t.id as ticket_id, u.step_id, u.since, u.due_at, u.action, u.target
from onekey.ticket t
cross join lateral onekey.upcoming(t) u
where t.state <> 'closed';
comment on view onekey.v_upcoming is 'Every escalation step that is still to be taken, every claim, hold and time of a contact that will end, and when';

-- For functions only: it is granted to nobody.
create view onekey.open_shifts as
select u.district, u.name, u.full_name, u.role, h.on_at, h.paused_at, h.pause_reason,
       (select count(*) from onekey.ticket t where t.district = u.district and t.claimed_by = u.name
        and t.state <> 'closed') as tickets
from onekey.shift h
join onekey.app_user u on u.district = h.district and u.name = h.user_name
where h.off_at is null;
comment on view onekey.open_shifts is 'Who is on duty, whoever asks';

create view onekey.v_on_duty as
select h.* from onekey.open_shifts h join onekey.scope() s on s.everything or s.district = h.district;
comment on view onekey.v_on_duty is 'Who is on duty, since when, and with how many tickets';

select onekey.grant_to('select on onekey.v_area, onekey.v_ticket_times', 'onekey_console', 'onekey_report');
select onekey.grant_to('select on onekey.v_tickets, onekey.v_open_tickets, onekey.v_care_calls, onekey.v_ticket_sla,
    onekey.v_on_duty', 'onekey_console');
select onekey.grant_execute('reads_phones', 'onekey_console');
select onekey.grant_execute('mask_phone', 'onekey_console');
select onekey.grant_to('select on onekey.v_upcoming', 'onekey_gateway', 'onekey_console');
