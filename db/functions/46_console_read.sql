-- What a console's browser reads: api_NAME(arguments), called by console_request().

-- --- rows of the queue ---

-- Without a search_path of its own, so that a query takes it in as an expression: it looks nothing up.
create or replace function onekey.console_lane(class text, held_until timestamptz) returns text
language sql immutable as $$
    select case when held_until is not null then 'held'
           else case class when 'alarm' then 'alarms' when 'water' then 'silence' when 'service' then 'services'
                           when 'care' then 'care' else 'devices' end end
$$;
comment on function onekey.console_lane(text, timestamptz) is 'The lane of the queue in which a console shows a ticket';

-- What a ticket can be, and its lane while it is not on hold.
create or replace view onekey.v_lane_kind as
select k.name as kind, s.name as service_kind, k.class as kind_class, onekey.console_lane(coalesce(s.class, k.class), null) as lane
from onekey.ticket_kind k join onekey.service_kind s on (k.name = 'service') = (s.name <> 'none');
comment on view onekey.v_lane_kind is 'Kinds of tickets with the lane in which a console shows them';

-- Those of these tickets that whoever acts may see, as a console shows them; nth: their place in ids. In plpgsql and by
-- a generic plan, as are its neighbours: so it is planned once a session, and planning takes longer than reading. That plan
-- may have been made while the tables were empty: tickets and limits are each read once and kept, so that no plan reads
-- the limits of all for each of them.
create or replace function onekey.console_rows(district text, ids bigint[])
returns table (id bigint, nth bigint, body jsonb, unshown boolean)
language plpgsql stable set search_path = onekey, pg_temp
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
    return query
    with ticket as materialized (
        select v.* from onekey.v_tickets v where v.district = console_rows.district and v.id = any (console_rows.ids)
    ), limits as materialized (
        select s.ticket_id, jsonb_agg(jsonb_build_object('measure', s.measure, 'warn_at', s.warn_at, 'breach_at', s.breach_at)
                                      order by s.breach_at, s.measure) as list
        from onekey.v_ticket_sla s
        where s.district = console_rows.district and s.ticket_id = any (console_rows.ids) group by s.ticket_id
    )
    select t.id, i.nth,
           to_jsonb(t) || jsonb_build_object('lane', onekey.console_lane(t.class, t.held_until), 'sla', coalesce(l.list, '[]')),
           t.state <> 'closed' and t.presented_at is null
    from unnest(console_rows.ids) with ordinality i(id, nth)
    join ticket t on t.id = i.id
    left join limits l on l.ticket_id = i.id;
end $$;
comment on function onekey.console_rows(text, bigint[]) is 'Tickets as rows of the queue, with their time limits';

-- Numbers of one page, and where the next begins: the best of each kind, and of those the best. Each kind is a walk along
-- an index that stops at the end of the page. Those on hold are few and come last.
create or replace function onekey.console_queue(district text, lane text, owner text, after text, most integer)
returns table (id bigint, place text) language plpgsql stable set search_path = onekey, pg_temp
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    place text[] := string_to_array(after, '_');
    from_at timestamptz;
begin
    if cardinality(place) <> 4 then
        raise exception '"%" is no place in the queue', after using errcode = 'invalid_parameter_value';
    end if;
    from_at := coalesce('epoch'::timestamptz + place[3]::bigint * interval '1 us', '-infinity');
    return query
    select q.id, concat_ws('_', q.is_held::integer, q.priority, (extract(epoch from q.received_at) * 1000000)::bigint, q.id)
    from (
        select t.*
        from onekey.v_lane_kind k
        cross join lateral (
            select t.id, t.priority, t.received_at, false as is_held from onekey.ticket t
            where t.district = console_queue.district and t.kind = k.kind and t.service_kind = k.service_kind
              and t.state <> 'closed' and t.held_until is null
              and (console_queue.owner is null or t.claimed_by = console_queue.owner)
              and (t.priority, t.received_at, t.id) > (coalesce(place[2]::smallint, 0), from_at, coalesce(place[4]::bigint, 0))
            order by t.priority, t.received_at, t.id limit console_queue.most) t
        where coalesce(console_queue.lane, k.lane) = k.lane and (console_queue.lane is not null or coalesce(place[1], '0') = '0')
        union all
        select t.id, t.priority, t.received_at, true from onekey.ticket t
        where t.district = console_queue.district and t.state <> 'closed' and t.held_until is not null
          and coalesce(console_queue.lane, 'held') = 'held'
          and (console_queue.owner is null or t.claimed_by = console_queue.owner)
          and (console_queue.lane is null and coalesce(place[1], '0') = '0' or (t.priority, t.received_at, t.id)
               > (coalesce(place[2]::smallint, 0), from_at, coalesce(place[4]::bigint, 0)))) q
    order by q.is_held, q.priority, q.received_at, q.id
    limit console_queue.most;
end $$;

create or replace function onekey.api_queue(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    me onekey.app_user := onekey.console_me();
    refused onekey.console_answer := onekey.console_forbidden('read_queue', 'queue');
    lane text := arguments ->> 'lane';
    most integer := least(greatest(coalesce((arguments ->> 'limit')::integer, 50), 1), 200);
    ids bigint[];
    places text[];
    rows jsonb;
    shown bigint[];
begin
    if refused.status is not null then
        return refused;
    elsif lane is not null and not lane in ('alarms', 'silence', 'services', 'devices', 'care', 'held') then
        return onekey.console_error(400, 'invalid', format('there is no lane "%s"', lane));
    end if;
    select array_agg(p.id), array_agg(p.place) into ids, places from onekey.console_queue(me.district, lane,
        case when (arguments ->> 'mine')::boolean then me.name end, arguments ->> 'after', most + 1) p;
    select coalesce(jsonb_agg(r.body order by r.nth), '[]'), array_agg(r.id) filter (where r.unshown) into rows, shown
    from onekey.console_rows(me.district, ids[:most]) r;
    return onekey.console_ok(jsonb_build_object('rows', rows, 'now', clock_timestamp(),
        'next', case when cardinality(ids) > most then places[most] end), shown);
end $$;

-- --- counts ---

create or replace function onekey.console_summary(district text) returns jsonb
language plpgsql stable set search_path = onekey, pg_temp
set plan_cache_mode = force_generic_plan as $$
begin
    return (
    with grouped as ( -- thousands of tickets; what comes after has a few dozen rows
        select t.kind, t.service_kind, t.held_until is not null as is_held, t.priority, t.state, count(*) as total,
               count(*) filter (where t.claimed_by is null) as unowned,
               min(t.received_at) filter (where not t.is_answered) as oldest,
               min(t.received_at) filter (where not t.is_answered and not t.is_test) as oldest_real
        from onekey.ticket t where t.district = console_summary.district and t.state <> 'closed'
        group by t.kind, t.service_kind, 3, t.priority, t.state
    ), counted as materialized (
        select g.*, case when g.is_held then 'held' else k.lane end as lane
        from grouped g join onekey.v_lane_kind k on k.kind = g.kind and k.service_kind = g.service_kind
    ), oldest as (
        select jsonb_build_object('id', o.id, 'kind', o.kind, 'priority', o.priority, 'received_at', o.received_at) as ticket
        from (select * from counted c where c.lane = 'alarms' order by c.oldest_real limit 1) c
        join onekey.ticket o on o.district = console_summary.district and o.kind = c.kind and o.service_kind = c.service_kind
             and o.state <> 'closed' and o.held_until is null and o.priority = c.priority and o.received_at = c.oldest_real
             and not o.is_answered and not o.is_test
        order by o.id limit 1
    ), duty as (
        select count(*) filter (where d.paused_at is null and d.role in ('operator', 'supervisor')) as operators
        from onekey.v_on_duty d
    ), lately as (
        select count(*) as tickets from onekey.ticket t
        where t.district = console_summary.district and t.received_at > now() - interval '10 min'
          and t.kind in ('panic', 'fall', 'wander', 'unreadable', 'silence', 'running_water', 'leak', 'service')
    )
    select jsonb_build_object(
        'now', clock_timestamp(),
        'lanes', (select jsonb_object_agg(l.name, jsonb_build_object('total', coalesce(c.total, 0),
                      'unowned', coalesce(c.unowned, 0), 'oldest_unanswered_at', c.oldest))
                  from unnest('{alarms,silence,services,devices,care,held}'::text[]) l(name)
                  left join (select o.lane, sum(o.total) as total, sum(o.unowned) as unowned, min(o.oldest) as oldest
                             from counted o group by o.lane) c on c.lane = l.name),
        'priorities', (select jsonb_object_agg(p.n, (select coalesce(sum(o.total), 0) from counted o where o.priority = p.n))
                       from generate_series(1, 5) p(n)),
        'states', (select jsonb_object_agg(w.name, (select coalesce(sum(o.total), 0) from counted o where o.state = w.name))
                   from unnest('{open,claimed,dispatched,on_scene,verified}'::text[]) w(name)),
        'held', (select coalesce(sum(o.total), 0) from counted o where o.lane = 'held'),
        'oldest_unanswered', (select o.ticket from oldest o),
        'load', (select jsonb_build_object('tickets_10min', l.tickets, 'operators', d.operators,
                     'per_operator', round(l.tickets / nullif(d.operators, 0)::numeric, 2)) from lately l, duty d),
        'outage', exists (select from counted o where o.kind = 'outage'),
        'disasters', onekey.disasters_now(console_summary.district)));
end $$;
comment on function onekey.console_summary(text) is 'Counts of the queue as whoever acts may see it';

create or replace function onekey.api_summary(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    refused onekey.console_answer := onekey.console_forbidden('read_summary', 'summary');
begin
    return case when refused.status is not null then refused
                else onekey.console_ok(onekey.console_summary((onekey.console_me()).district)) end;
end $$;

create or replace function onekey.console_on_duty() returns jsonb
language sql stable set search_path = onekey, pg_temp as $$
    select coalesce(jsonb_agg(to_jsonb(d) order by d.on_at, d.name), '[]') from onekey.v_on_duty d
$$;

create or replace function onekey.api_on_duty(arguments jsonb) returns onekey.console_answer
language sql set search_path = onekey, pg_temp as $$
    select onekey.console_ok(jsonb_build_object('on_duty', onekey.console_on_duty(), 'now', clock_timestamp()))
$$;

create or replace function onekey.api_wall(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    me onekey.app_user := onekey.console_me();
    refused onekey.console_answer := onekey.console_forbidden('read_wall', 'wall');
    counts jsonb;
    oldest bigint;
    ids bigint[];
begin
    if refused.status is not null then
        return refused;
    end if;
    counts := onekey.console_summary(me.district);
    oldest := (counts #>> '{oldest_unanswered,id}')::bigint;
    ids := array(select p.id from onekey.console_queue(me.district, 'alarms', null, null, 12) p)
        || array(select p.id from onekey.console_queue(me.district, 'silence', null, null, 12) p);
    return onekey.console_ok(jsonb_build_object(
        'now', clock_timestamp(), 'figures', onekey.console_wall_figures(counts),
        'oldest_unanswered', (select r.body from onekey.console_rows(me.district, array[oldest]) r),
        'list', (select coalesce(jsonb_agg(r.body order by r.nth), '[]') from onekey.console_rows(me.district, ids[:12]) r),
        'areas', (select coalesce(jsonb_agg(to_jsonb(a) order by a.alarms desc, a.open desc, a.area_id), '[]') from (
            select o.area_id, s.name_zh, s.name_en, o.open, o.alarms, o.oldest_at
            from (select v.street_town_id as area_id, count(*) as open,
                         count(*) filter (where k.class = 'alarm') as alarms, min(t.received_at) as oldest_at
                  from onekey.ticket t
                  join onekey.ticket_kind k on k.name = t.kind
                  left join onekey.v_area v on v.district = t.district and v.id = t.area_id
                  where t.district = me.district and t.state <> 'closed' and k.class <> 'care'
                  group by v.street_town_id) o
            left join onekey.area s on s.district = me.district and s.id = o.area_id) a),
        'operators', onekey.console_on_duty()));
end $$;

-- At most seven: more is not read from eight metres.
create or replace function onekey.console_wall_figures(counts jsonb) returns jsonb
language sql stable set search_path = onekey, pg_temp as $$
    select jsonb_agg(jsonb_build_object('name', f.name, 'name_zh', f.name_zh, 'name_en', f.name_en, 'value', f.value,
                                        'level', case when f.value >= f.danger then 'danger'
                                                      when f.value >= f.warning then 'warning' else 'calm' end) order by f.n)
    from (values
        (1, 'alarms_unowned', '待接报警', 'Alarms waiting', (counts #>> '{lanes,alarms,unowned}')::numeric, 1, 3),
        (2, 'oldest_s', '最久未接（秒）', 'Longest unanswered (s)', coalesce(round(extract(epoch from clock_timestamp()
            - (counts #>> '{oldest_unanswered,received_at}')::timestamptz)), 0), 30, 60),
        (3, 'alarms', '处理中报警', 'Open alarms', (counts #>> '{lanes,alarms,total}')::numeric, 10, 20),
        (4, 'silence', '用水异常', 'Water tickets', (counts #>> '{lanes,silence,total}')::numeric, 20, 50),
        (5, 'services', '服务请求', 'Service requests', (counts #>> '{lanes,services,total}')::numeric, 20, 50),
        (6, 'load', '人均十分钟报警', 'Alarms per operator, 10 min', (counts #>> '{load,per_operator}')::numeric, 2, 10),
        (7, 'operators', '在岗坐席', 'Operators on duty', (counts #>> '{load,operators}')::numeric, null, null)
    ) f(n, name, name_zh, name_en, value, warning, danger)
$$;

-- --- one ticket, one home ---

create or replace function onekey.api_ticket(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    me onekey.app_user := onekey.console_me();
    asked bigint := (arguments ->> 'id')::bigint;
    found jsonb := onekey.read_ticket(me.district, asked);
begin
    if found is null then
        return onekey.console_refused('read_ticket');
    end if;
    return onekey.console_ok(found || jsonb_build_object(
        'lane', onekey.console_lane(found #>> '{ticket,class}', (found #>> '{ticket,held_until}')::timestamptz),
        'sla', (select coalesce(jsonb_agg(jsonb_build_object('measure', s.measure, 'warn_at', s.warn_at,
                    'breach_at', s.breach_at) order by s.breach_at), '[]')
                from onekey.v_ticket_sla s where s.district = me.district and s.ticket_id = asked),
        'upcoming', (select coalesce(jsonb_agg(jsonb_build_object('step_id', u.step_id, 'due_at', u.due_at,
                         'action', u.action, 'target', u.target) order by u.due_at), '[]')
                     from onekey.v_upcoming u where u.district = me.district and u.ticket_id = asked),
        'now', clock_timestamp()),
        case when found #>> '{ticket,presented_at}' is null and found #>> '{ticket,state}' <> 'closed' then array[asked] end);
end $$;

create or replace function onekey.api_household(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    me onekey.app_user := onekey.console_me();
    found jsonb := onekey.read_household(me.district, (arguments ->> 'id')::bigint, left(arguments ->> 'reason', 200));
begin
    return case when found is not null then onekey.console_ok(found) else onekey.console_refused('read_household') end;
end $$;

-- --- words ---

create or replace function onekey.api_dictionary(arguments jsonb) returns onekey.console_answer
language sql stable set search_path = onekey, pg_temp as $$
    select onekey.console_ok(jsonb_build_object(
        'kinds', (select jsonb_agg(to_jsonb(k) order by k.priority, k.name) from onekey.ticket_kind k),
        'services', (select jsonb_agg(to_jsonb(s) order by s.name) from onekey.service_kind s),
        'classes', (select jsonb_agg(to_jsonb(c) order by c.name) from onekey.ticket_class c),
        'outcomes', (select jsonb_agg(to_jsonb(o) order by o.ticket_kind, o.name) from onekey.outcome o),
        'roles', (select jsonb_agg(to_jsonb(r) order by r.name) from onekey.app_role r),
        'helpers', (select jsonb_agg(to_jsonb(h) order by h.name) from onekey.helper_kind h),
        'commands', (select jsonb_agg(to_jsonb(c) order by c.name) from onekey.ticket_command c),
        'areas', (select coalesce(jsonb_agg(to_jsonb(a) - 'district' order by a.code), '[]') from onekey.area a
                  where a.district = (onekey.console_me()).district and onekey.sees(a.district, a.id)),
        'states', (select jsonb_agg(jsonb_build_object('name', w.name, 'name_zh', w.zh, 'name_en', w.en) order by w.n)
                   from (values (1, 'open', '待接', 'Open'), (2, 'claimed', '已接单', 'Claimed'),
                                (3, 'dispatched', '已派出', 'Dispatched'), (4, 'on_scene', '已到场', 'On scene'),
                                (5, 'verified', '已核实', 'Verified'), (6, 'closed', '已办结', 'Closed')) w(n, name, zh, en)),
        'lanes', (select jsonb_agg(jsonb_build_object('name', w.name, 'name_zh', w.zh, 'name_en', w.en) order by w.n)
                  from (values (1, 'alarms', '报警', 'Alarms'), (2, 'silence', '用水', 'Water'), (3, 'services', '服务', 'Services'),
                               (4, 'devices', '设备', 'Devices'), (5, 'care', '关爱', 'Care calls'),
                               (6, 'held', '挂起', 'On hold')) w(n, name, zh, en)),
        'priorities', (select jsonb_agg(jsonb_build_object('priority', w.n, 'name_zh', w.zh, 'name_en', w.en) order by w.n)
                       from (values (1, '特急', 'Emergency'), (2, '紧急', 'Urgent'), (3, '一般', 'Normal'), (4, '较低', 'Low'),
                                    (5, '最低', 'Lowest')) w(n, zh, en)),
        'results', (select jsonb_agg(jsonb_build_object('name', w.name, 'name_zh', w.zh, 'name_en', w.en) order by w.n)
                    from (values (1, 'no_answer', '无人接听', 'No answer'), (2, 'busy', '占线', 'Busy'),
                                 (3, 'refused', '拒绝', 'Refused'), (4, 'accepted', '已接受', 'Accepted'),
                                 (5, 'arrived', '已到达', 'Arrived'), (6, 'done', '已完成', 'Done')) w(n, name, zh, en))))
$$;

-- --- search ---

-- Homes, people, telephones, devices and tickets of that text, within what whoever acts may see. `after`: RANK_ID of the
-- last one shown. The rank says how well it fits; a home may be found by several of its parts.
create or replace function onekey.find_anything(district text, words text, after text, most integer)
returns table (rank integer, id bigint, matched text, household_id bigint, ticket_id bigint)
language plpgsql stable security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_column
declare
    s record;
    digits text := regexp_replace(words, '[^0-9]', '', 'g');
    number bigint := case when words ~ '^#?[0-9]{1,18}$' then ltrim(words, '#')::bigint end;
    within_text text := '%' || replace(replace(replace(words, '\', '\\'), '%', '\%'), '_', '\_') || '%';
    begins text := substr(within_text, 2);
    telephone text := case when length(digits) >= 4 and words ~ '^[0-9 +()-]+$' then digits || '%' end;
    last_rank integer := coalesce(split_part(after, '_', 1)::integer, -1);
    last_id bigint := coalesce(nullif(split_part(after, '_', 2), '')::bigint, 0);
begin
    select * into s from onekey.scope();
    if not found or not s.everything and s.district is distinct from find_anything.district then
        return;
    end if;
    return query
    select f.rank, f.id, f.matched, f.household_id, f.ticket_id from (
        (select 0 as rank, t.id, 'number' as matched, t.household_id, t.id as ticket_id from onekey.ticket t
         where t.district = find_anything.district and t.id = number
           and (s.everything or s.areas is null or t.area_id = any (s.areas) or t.area_id is null and s.unplaced))
        union all
        (select 1, d.id, 'identity', d.household_id, null from onekey.device d
         left join onekey.household h on h.district = d.district and h.id = d.household_id
         where d.district = find_anything.district and d.identity like begins and (1, d.id) > (last_rank, last_id)
           and (s.everything or s.areas is null or h.area_id = any (s.areas) or h.area_id is null and s.unplaced)
         order by d.id limit most)
        union all
        (select 2, h.id, 'code', h.id, null from onekey.household h
         where h.district = find_anything.district and h.code = words and (2, h.id) > (last_rank, last_id)
           and (s.everything or s.areas is null or h.area_id = any (s.areas)) order by h.id limit most)
        union all
        (select 3, h.id, 'phone', h.id, null from onekey.household h
         where h.district = find_anything.district and h.phone like telephone and (3, h.id) > (last_rank, last_id)
           and (s.everything or s.areas is null or h.area_id = any (s.areas)) order by h.id limit most)
        union all
        (select 4, h.id, 'resident', h.id, null from onekey.household h
         where h.district = find_anything.district and (4, h.id) > (last_rank, last_id)
           and (s.everything or s.areas is null or h.area_id = any (s.areas))
           and exists (select from onekey.resident r where r.district = h.district and r.household_id = h.id and r.name ilike within_text)
         order by h.id limit most)
        union all
        (select 5, h.id, 'contact', h.id, null from onekey.household h
         where h.district = find_anything.district and (5, h.id) > (last_rank, last_id)
           and (s.everything or s.areas is null or h.area_id = any (s.areas))
           and h.id in (select c.household_id from onekey.contact c where c.district = find_anything.district
                        and (c.phone like telephone or c.name = words))
         order by h.id limit most)
        union all
        (select 6, h.id, 'address', h.id, null from onekey.household h
         where h.district = find_anything.district and h.address ilike within_text and (6, h.id) > (last_rank, last_id)
           and (s.everything or s.areas is null or h.area_id = any (s.areas)) order by h.id limit most)) f
    where (f.rank, f.id) > (last_rank, last_id)
    order by f.rank, f.id limit most;
end $$;

create or replace function onekey.api_search(arguments jsonb) returns onekey.console_answer
language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    me onekey.app_user := onekey.console_me();
    refused onekey.console_answer := onekey.console_forbidden('search', 'search');
    words text := btrim(coalesce(arguments ->> 'q', ''));
    most integer := least(greatest(coalesce((arguments ->> 'limit')::integer, 20), 1), 100);
    rows jsonb;
    places text[];
begin
    if refused.status is not null then
        return refused;
    elsif length(words) not between 1 and 100 then
        return onekey.console_error(400, 'invalid', 'search for 1 to 100 characters');
    end if;
    select coalesce(jsonb_agg(jsonb_build_object(
               'type', case when f.rank = 0 then 'ticket' when f.rank = 1 then 'device' else 'household' end, 'id', f.id,
               'household_id', f.household_id, 'ticket_id', f.ticket_id, 'matched', f.matched,
               'title', coalesce(case f.rank when 0 then t.kind when 1 then d.identity end, r.name, h.code, '#' || f.id),
               'address', h.address, 'area', a.path_zh, 'state', t.state, 'at', coalesce(t.received_at, d.last_seen))
               order by f.rank, f.id) filter (where f.nth <= most), '[]'),
           array_agg(f.rank || '_' || f.id order by f.rank, f.id)
    into rows, places
    from (select *, row_number() over (order by x.rank, x.id) as nth
          from onekey.find_anything(me.district, words, arguments ->> 'after', most + 1) x) f
    left join onekey.household h on h.district = me.district and h.id = f.household_id
    left join onekey.resident r on r.district = me.district and r.household_id = h.id and r.position = 1
    left join onekey.v_area a on a.district = me.district and a.id = h.area_id
    left join onekey.ticket t on t.district = me.district and t.id = f.ticket_id
    left join onekey.device d on d.district = me.district and f.rank = 1 and d.id = f.id;
    perform onekey.audit_entry(me.district, 'search', 'search', true,
                               jsonb_build_object('q', words, 'found', jsonb_array_length(rows)));
    return onekey.console_ok(jsonb_build_object('rows', rows,
        'next', case when cardinality(places) > most then places[most] end));
end $$;

-- --- what supervisors and administrators read ---

create or replace function onekey.api_users(arguments jsonb) returns onekey.console_answer
language plpgsql security definer set search_path = onekey, pg_temp as $$
declare
    me onekey.app_user := onekey.console_me();
    refused onekey.console_answer := onekey.console_forbidden('read_users', 'users');
begin
    if refused.status is not null then
        return refused;
    end if;
    return onekey.console_ok(jsonb_build_object('rows', (
        select coalesce(jsonb_agg(jsonb_build_object('name', u.name, 'role', u.role, 'full_name', u.full_name,
            'is_active', u.is_active, 'created_at', u.created_at, 'has_password', u.password_hash is not null,
            'locked_until', f.locked_until, 'areas', (
                select coalesce(jsonb_agg(a.code order by a.code), '[]') from onekey.app_user_area m
                join onekey.area a on a.district = m.district and a.id = m.area_id
                where m.district = u.district and m.user_name = u.name)) order by u.name), '[]')
        from onekey.app_user u
        left join onekey.login_failure f on f.district = u.district and f.subject = 'user:' || u.name
                                        and f.locked_until > clock_timestamp()
        where u.district = me.district)));
end $$;

create or replace function onekey.api_absences(arguments jsonb) returns onekey.console_answer
language plpgsql security definer set search_path = onekey, pg_temp as $$
declare
    me onekey.app_user := onekey.console_me();
    home bigint := (arguments ->> 'household_id')::bigint;
    refused onekey.console_answer := onekey.console_forbidden('set_absence', 'absences');
begin
    if refused.status is not null then
        return refused;
    end if;
    perform onekey.audit_entry(me.district, 'read_absences', case when home is null then 'absences' else 'household:' || home end, true);
    return onekey.console_ok(jsonb_build_object('rows', (
        select coalesce(jsonb_agg(to_jsonb(x) order by x.from_at desc, x.id), '[]') from (
            select a.id, a.household_id, h.code as household, h.address, a.reason, a.from_at, a.until_at, a.entered_by,
                   a.entered_at, a.note
            from onekey.absence a
            join onekey.household h on h.district = a.district and h.id = a.household_id
            where a.district = me.district and onekey.sees(h.district, h.area_id)
              and case when home is null then a.until_at is null or a.until_at > clock_timestamp() else a.household_id = home end
            order by a.from_at desc, a.id limit 1000) x)));
end $$;

create or replace function onekey.api_policy(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    me onekey.app_user := onekey.console_me();
    refused onekey.console_answer := onekey.console_forbidden('read_limits', 'policy');
begin
    if refused.status is not null then
        return refused;
    end if;
    return onekey.console_ok(jsonb_build_object('rows', (
        select coalesce(jsonb_agg(to_jsonb(p) order by p.district, p.kind, p.measure, p.id), '[]')
        from onekey.sla_policy p where p.district in ('*', me.district))));
end $$;

create or replace function onekey.api_escalation(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    me onekey.app_user := onekey.console_me();
    refused onekey.console_answer := onekey.console_forbidden('read_limits', 'escalation');
begin
    if refused.status is not null then
        return refused;
    end if;
    return onekey.console_ok(jsonb_build_object('rows', (
        select coalesce(jsonb_agg(to_jsonb(e) order by e.district, e.kind_class, e.state, e.after_s, e.id), '[]')
        from onekey.escalation_step e where e.district in ('*', me.district))));
end $$;

create or replace function onekey.api_escalation_policy(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    me onekey.app_user := onekey.console_me();
    refused onekey.console_answer := onekey.console_forbidden('read_limits', 'escalation_policy');
begin
    if refused.status is not null then
        return refused;
    end if;
    return onekey.console_ok((select to_jsonb(p) from onekey.escalation_policy p where p.district in (me.district, '*')
                              order by p.district = '*' limit 1));
end $$;

-- The last disasters, those that go on first.
create or replace function onekey.api_disasters(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    me onekey.app_user := onekey.console_me();
    refused onekey.console_answer := onekey.console_forbidden('read_summary', 'disasters');
begin
    if refused.status is not null then
        return refused;
    end if;
    return onekey.console_ok(jsonb_build_object('rows', (
        select coalesce(jsonb_agg(to_jsonb(x) - 'district' order by x.ended_at is not null, x.id desc), '[]') from (
            select * from onekey.disaster d where d.district = me.district
            order by d.ended_at is not null, d.id desc limit 50) x)));
end $$;

create or replace function onekey.api_audit(arguments jsonb) returns onekey.console_answer
language plpgsql security definer set search_path = onekey, pg_temp as $$
declare
    me onekey.app_user := onekey.console_me();
    refused onekey.console_answer := onekey.console_forbidden('read_audit', 'audit');
begin
    if refused.status is not null then
        return refused;
    end if;
    perform onekey.audit_entry(me.district, 'read_audit', 'audit', true, arguments);
    return onekey.console_ok(jsonb_build_object('rows', (
        select coalesce(jsonb_agg(to_jsonb(x) - 'district' order by x.id desc), '[]') from (
            select * from onekey.audit a
            where a.district = me.district
              and a.at >= coalesce((arguments ->> 'since')::timestamptz, now() - interval '1 day')
              and (arguments ->> 'actor' is null or a.actor = arguments ->> 'actor')
              and (arguments ->> 'object' is null or a.object = arguments ->> 'object')
            order by a.id desc limit least(greatest(coalesce((arguments ->> 'limit')::integer, 200), 1), 1000)) x)));
end $$;

select onekey.grant_to('select on onekey.v_lane_kind', 'onekey_console');
select onekey.grant_execute(name, 'onekey_console')
from unnest(array['console_lane', 'console_rows', 'console_queue', 'api_queue', 'console_summary', 'api_summary', 'console_on_duty', 'api_on_duty',
    'api_wall', 'console_wall_figures', 'api_ticket', 'api_household', 'api_dictionary', 'api_search', 'api_users', 'api_absences',
    'api_policy', 'api_escalation', 'api_escalation_policy', 'api_disasters', 'api_audit']) name;
select onekey.grant_execute('find_anything');
