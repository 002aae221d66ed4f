/* A month of tickets of the sample district, all of it over, so that two reports of it are the same. */
export const SAMPLE_MONTH = `
select setseed(0.4711);
with homes as (
    select h.id as home, h.area_id, d.id as device, d.kind as device_kind, d.protocol, d.identity, row_number() over (order by h.id, d.id) as n
    from onekey.household h join onekey.device d on d.district = h.district and d.household_id = h.id where h.district = 'DISTRICT'
), made as (
    select i, h.*, date_trunc('month', now() at time zone 'Asia/Shanghai') - interval '1 month'
               + random() * interval '27 days' + (random() + random()) * interval '8 hours' as local_at,
           case when random() < 0.02 then 20 + random() * 300 else 1 + random() * 22 end as claim
    from generate_series(1, 320) i join homes h on h.n = 1 + i * 7 % (select count(*) from homes)
), kinds as (
    select m.*, m.local_at at time zone 'Asia/Shanghai' as at,
           case when m.device_kind = 'meter' then 'silence' when random() < 0.55 then 'panic' when random() < 0.7 then 'service' else 'fall' end as kind,
           random() < 0.03 as is_missed
    from made m
)
insert into onekey.ticket (district, kind, service_kind, priority, state, subject, household_id, device_id, area_id, protocol, identity,
    signal_count, last_signal_at, received_at, raised_at, presented_at, claimed_at, answered_at, verified_at, closed_at, claimed_by, outcome, is_test)
select 'DISTRICT', k.kind, case when k.kind = 'service' then 'taxi' else 'none' end, 1, 'closed', 'month:' || k.i, k.home, k.device, k.area_id,
    k.protocol, k.identity, 1 + (random() * 2)::int, k.at, k.at, k.at + interval '0.2 s', k.at + interval '0.9 s', k.at + k.claim * interval '1 s',
    case when not k.is_missed then k.at + k.claim * 1.5 * interval '1 s' end, k.at + k.claim * 9 * interval '1 s', k.at + k.claim * 20 * interval '1 s',
    case when random() < 0.5 then 'operator' else 'supervisor' end,
    case k.kind when 'service' then 'arranged' else case when random() < 0.6 then 'person_well' else 'helped_at_home' end end, random() < 0.03
from kinds k;
insert into onekey.ticket_event (district, ticket_id, kind, actor, at)
select t.district, t.id, e.kind, e.actor, e.at
from onekey.ticket t
cross join lateral (values (1, 'raised', null, t.raised_at), (2, 'presented', null, t.presented_at), (3, 'claimed', t.claimed_by, t.claimed_at),
    (4, 'answered', t.claimed_by, t.answered_at), (5, 'verified', t.claimed_by, t.verified_at),
    (6, 'closed', t.claimed_by, t.closed_at)) e(place, kind, actor, at)
where t.district = 'DISTRICT' and t.subject like 'month:%' and e.at is not null order by t.id, e.place;
`;
