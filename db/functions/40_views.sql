-- What people and dashboards read.

drop view if exists onekey.v_ticket_times, onekey.v_open_tickets, onekey.v_area;

create view onekey.v_area as
with recursive tree as (
    select district, id, code, level, name_zh, name_en, code as path, name_zh as path_zh,
           null::bigint as street_town_id
    from onekey.area where parent_id is null
    union all
    select a.district, a.id, a.code, a.level, a.name_zh, a.name_en, t.path || '/' || a.code,
           t.path_zh || ' ' || a.name_zh,
           case a.level when 'street_town' then a.id else t.street_town_id end
    from tree t join onekey.area a on a.district = t.district and a.parent_id = t.id
)
select * from tree;
comment on view onekey.v_area is 'Areas with their path of codes, of Chinese names, and the street-town they belong to';

-- Lists all that is open, however old: nothing here is ever filtered by age.
create view onekey.v_open_tickets as
select t.district, t.id, t.kind, t.service_kind, t.priority, t.state, t.flags, t.signal_count, t.claimed_by,
       h.code as household, h.address, r.name as resident, h.phone, a.path_zh as area, t.protocol, t.identity,
       t.household_id, t.device_id, t.area_id, t.pressed_at, t.received_at, t.raised_at, t.last_signal_at,
       t.presented_at, t.claimed_at, extract(epoch from clock_timestamp() - t.received_at)::bigint as age_s
from onekey.ticket t
left join onekey.household h on h.district = t.district and h.id = t.household_id
left join onekey.resident r on r.district = t.district and r.household_id = t.household_id and r.position = 1
left join onekey.v_area a on a.district = t.district and a.id = t.area_id
where t.state <> 'closed'
order by t.priority, t.received_at, t.id;
comment on view onekey.v_open_tickets is 'The queue: open tickets by priority, then the oldest first';

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
left join onekey.v_area a on a.district = t.district and a.id = t.area_id;
comment on view onekey.v_ticket_times is
    'All tickets with their times and the seconds between them; a step that nobody took is null, not left out';

comment on column onekey.v_ticket_times.answer_s is 'From the durable arrival of the signal to the first answer';
comment on column onekey.v_ticket_times.dispatch_s is 'From the answer to the first helper sent';
comment on column onekey.v_ticket_times.travel_s is 'From the first helper sent to the first one there';

select onekey.grant_to('select on onekey.v_area, onekey.v_ticket_times', 'onekey_console', 'onekey_report');
select onekey.grant_to('select on onekey.v_open_tickets', 'onekey_console');
