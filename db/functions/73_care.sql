-- Care that is promised: the due list, what came of each try, and what moves the next one forward. And audits of calls.

-- How often and how long a plan's task takes: the plan's own interval, else the task's.
create or replace function onekey.set_care_plan(district text, household_id bigint, task text, resident integer default 1,
                                                every interval default null, due_at timestamptz default null,
                                                is_active boolean default true)
returns bigint language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    plan_id bigint;
    kind onekey.care_task;
    first_at timestamptz;
begin
    if not onekey.is_owner() and (not onekey.may('set_care_plan', district, 'household:' || household_id)
       or not onekey.sees(district, onekey.area_of_household(district, household_id))) then
        return null;
    end if;
    select * into kind from onekey.care_task c where c.name = task;
    if kind.name is null then
        raise exception 'there is no care task %', task using errcode = 'invalid_parameter_value';
    end if;
    first_at := coalesce(due_at, clock_timestamp() + coalesce(every, kind.every));
    insert into onekey.care_plan as p (district, household_id, position, task, every, due_at, next_try_at, is_active)
    values (district, household_id, resident, task, every, first_at, first_at, is_active)
    on conflict on constraint care_plan_district_household_id_position_task_key do update
    set every = excluded.every, is_active = excluded.is_active,
        due_at = coalesce(set_care_plan.due_at, p.due_at, excluded.due_at),
        next_try_at = coalesce(set_care_plan.due_at, p.next_try_at, excluded.next_try_at)
    returning id into plan_id;
    perform onekey.audit_entry(district, 'set_care_plan', 'household:' || household_id, true,
                               jsonb_build_object('task', task, 'plan', plan_id, 'active', is_active));
    return plan_id;
end $$;
comment on function onekey.set_care_plan(text, bigint, text, integer, interval, timestamptz, boolean) is
    'Promises a task to a resident, or changes the promise; the first is due at due_at, else one interval from now';

-- What is due, the longest overdue first; keyset: the last row's next_try_at and id.
create or replace function onekey.due_care(district text, at timestamptz default clock_timestamp(), rows integer default 50,
                                           after_at timestamptz default '-infinity', after_id bigint default 0)
returns table (plan_id bigint, task text, is_visit boolean, household_id bigint, resident text, age integer, phone text,
               address text, area text, due_at timestamptz, next_try_at timestamptz, overdue_s bigint, attempts integer,
               last_done_at timestamptz, last_result text)
language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_column
begin
    if not onekey.is_owner() and not onekey.may('care', due_care.district, 'due') then
        return;
    end if;
    perform onekey.audit_entry(due_care.district, 'care', 'due', true);
    return query
    select p.id, p.task, k.is_visit, p.household_id, r.name,
           (extract(year from due_care.at) - r.birth_year)::integer, h.phone, h.address, a.path_zh, p.due_at, p.next_try_at,
           greatest(0, extract(epoch from due_care.at - p.due_at))::bigint, p.attempts::integer, p.last_done_at, c.result
    from onekey.care_plan p
    join onekey.care_task k on k.name = p.task
    join onekey.household h on h.district = p.district and h.id = p.household_id
    join onekey.resident r on r.district = p.district and r.household_id = p.household_id and r.position = p.position
    join onekey.scope() s on s.everything or s.district = p.district
         and (s.areas is null or h.area_id = any (s.areas))
    left join onekey.v_area a on a.district = p.district and a.id = h.area_id
    left join lateral (select c.result from onekey.care_contact c where c.district = p.district and c.plan_id = p.id
                       order by c.id desc limit 1) c on true
    where p.district = due_care.district and p.is_active and p.due_at is not null and p.next_try_at <= due_care.at
      and (p.next_try_at, p.id) > (due_care.after_at, due_care.after_id)
      and not exists (select from onekey.absence b where b.district = p.district and b.household_id = p.household_id
                      and due_care.at >= b.from_at and (b.until_at is null or due_care.at < b.until_at))
    order by p.next_try_at, p.id limit due_care.rows;
end $$;
comment on function onekey.due_care(text, timestamptz, integer, timestamptz, bigint) is
    'Care that is due for whoever asks, homes that are away left out; the read is audited';

-- A ticket about a home that no device raised.
create or replace function onekey.raise_for_household(district text, household_id bigint, kind text, number bigint, detail jsonb)
returns bigint language sql set search_path = onekey, pg_temp as $$
    select b.ticket_id
    from onekey.household h
    join onekey.signal_kind s on s.name = raise_for_household.kind
    join onekey.ticket_kind t on t.name = s.ticket_kind
    cross join lateral onekey.open_or_bump('care', h.district, array[row(
        number, 'care', 'household:' || h.id, s.name, 'none', '', null, clock_timestamp(), null, detail, null, h.id,
        h.area_id, 'household:' || h.id, s.action, s.ticket_kind, s.closes, t.priority)::onekey.incoming]) b
    where h.district = raise_for_household.district and h.id = raise_for_household.household_id
$$;

-- What came of a try. Nobody answered: again in two hours, and after the third time a care call is raised, whose contacts
-- are called in turn. Help is needed: an alarm, as if a button had been pressed. Else the next one is due.
create or replace function onekey.care_done(district text, plan_id bigint, result text, note text default null,
                                            key text default null)
returns onekey.command_reply language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    plan onekey.care_plan;
    task onekey.care_task;
    outcome onekey.care_result;
    before onekey.command_log;
    contact bigint := nextval('onekey.care_contact_id_seq');
    at timestamptz := clock_timestamp();
    ticket bigint;
    last onekey.care_contact;
    reply onekey.command_reply;
begin
    if not onekey.may('care', district, 'plan:' || plan_id) then
        return row(false, 'forbidden', 'this is not for your role', null, null, null, null, null)::onekey.command_reply;
    end if;
    select * into plan from onekey.care_plan p where p.district = care_done.district and p.id = plan_id for update;
    if plan.id is null or not onekey.sees(district, onekey.area_of_household(district, plan.household_id)) then
        return row(false, 'not_found', format('there is no plan %s', plan_id), null, null, null, null, null)::onekey.command_reply;
    end if;
    select * into before from onekey.command_log l
    where l.district = care_done.district and l.actor = (onekey.who()).name and l.key = care_done.key;
    if before.reply is not null then
        return jsonb_populate_record(null::onekey.command_reply, before.reply);
    end if;
    select * into outcome from onekey.care_result r where r.name = result;
    if outcome.name is null or plan.due_at is null then
        return row(false, 'invalid', case when outcome.name is null then format('there is no result %s', result)
                                          else 'nothing is due' end, null, null, null, null, null)::onekey.command_reply;
    end if;
    -- Two who work through the same list: the second is told, and the person is not called twice. Help is never refused.
    select * into last from onekey.care_contact c where c.district = care_done.district and c.plan_id = plan.id
    order by c.id desc limit 1;
    if result <> 'needs_help' and plan.next_try_at > at and last.actor <> (onekey.who()).name
       and last.at > at - interval '2 hours' then
        return row(false, 'called', format('%s has called already, %s ago: %s', last.actor,
                   date_trunc('second', at - last.at), last.result), null, null, last.actor, last.id,
                   jsonb_build_object('at', last.at, 'result', last.result))::onekey.command_reply;
    end if;
    select * into task from onekey.care_task t where t.name = plan.task;
    if result = 'needs_help' then
        ticket := onekey.raise_for_household(district, plan.household_id, 'panic', contact,
                                             jsonb_build_object('care', plan.task, 'by', (onekey.who()).name, 'note', note));
    elsif result = 'no_answer' and plan.attempts >= 2 then
        ticket := onekey.raise_for_household(district, plan.household_id, 'care_call', contact,
                                             jsonb_build_object('care', plan.task, 'attempts', plan.attempts + 1));
    end if;
    insert into onekey.care_contact
    values (district, contact, at, plan_id, plan.task, plan.household_id, onekey.area_of_household(district, plan.household_id),
            plan.due_at, coalesce(plan.last_done_at, plan.due_at) + task.within, plan.attempts + 1, result, outcome.is_done,
            (onekey.who()).name, note, ticket);
    update onekey.care_plan p
    set attempts = case when outcome.is_done then 0 else p.attempts + 1 end,
        last_done_at = case when outcome.is_done then at else p.last_done_at end,
        due_at = case when outcome.is_done then at + coalesce(p.every, task.every) else p.due_at end,
        next_try_at = case when outcome.is_done then at + coalesce(p.every, task.every) else at + interval '2 hours' end
    where p.district = care_done.district and p.id = plan_id;
    reply := row(true, 'done', null, ticket, null, null, contact, null)::onekey.command_reply;
    if key is not null then
        insert into onekey.command_log (district, actor, key, command, ticket_id, reply)
        values (district, (onekey.who()).name, key, 'care', coalesce(ticket, 0), to_jsonb(reply));
    end if;
    return reply;
end $$;
comment on function onekey.care_done(text, bigint, text, text, text) is
    'Records what came of a try, unless somebody else has just made it (called); ticket_id: the ticket that it raised. A key is remembered for a day';

-- After a silence, a fall or an alarm the person is called sooner: within four hours of its end.
create or replace function onekey.care_after_ticket() returns trigger
language plpgsql security definer set search_path = onekey, pg_temp as $$
begin
    update onekey.care_plan p
    set due_at = new.at + interval '4 hours', next_try_at = new.at + interval '4 hours'
    from onekey.ticket t
    where t.district = new.district and t.id = new.ticket_id and t.kind in ('silence', 'fall', 'panic', 'care_call')
      and not t.is_test and coalesce(t.outcome, '') not in ('merged', 'test', 'deceased', 'taken_to_hospital')
      and p.district = t.district and p.household_id = t.household_id and p.is_active
      and p.task = 'greeting' and p.due_at > new.at + interval '4 hours';
    return null;
end $$;
comment on function onekey.care_after_ticket() is 'Moves the next greeting forward when an alarm of the home has been closed';
revoke all on function onekey.care_after_ticket() from public;
drop trigger if exists care_after_ticket on onekey.ticket_event;
create trigger care_after_ticket after insert on onekey.ticket_event for each row when (new.kind = 'closed')
    execute function onekey.care_after_ticket();

-- Heat, frost, typhoon: everyone of an area with a weather plan is due now.
create or replace function onekey.call_for_weather(district text, area_id bigint default null) returns integer
language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    count integer;
begin
    if not onekey.is_owner() and not onekey.may('set_care_plan', district, 'weather') then
        return 0;
    end if;
    update onekey.care_plan p set due_at = clock_timestamp(), next_try_at = clock_timestamp(), attempts = 0
    from onekey.household h
    cross join onekey.report_areas(call_for_weather.district, call_for_weather.area_id) a(ids)
    where p.district = call_for_weather.district and p.task = 'weather' and p.is_active
      and h.district = p.district and h.id = p.household_id and (a.ids is null or h.area_id = any (a.ids));
    get diagnostics count = row_count;
    perform onekey.audit_entry(district, 'set_care_plan', 'weather', true, jsonb_build_object('plans', count));
    return count;
end $$;
comment on function onekey.call_for_weather(text, bigint) is 'Makes the weather calls of an area due; says how many';

-- --- audits of calls ---

-- Draws so many calls of each operator's month, an emergency from end to end among them if there was one; what was
-- drawn stays drawn.
create or replace function onekey.draw_audits(district text, month date, each integer default 2)
returns integer language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    drawn integer;
    first_day date := date_trunc('month', month);
begin
    if not onekey.is_owner() and not onekey.may('audit_calls', district, 'month:' || first_day) then
        return 0;
    end if;
    with mine as (
        select e.answered_by, e.ticket_id, e.episode, e.class = 'alarm' and e.is_closed as is_emergency,
               row_number() over (partition by e.answered_by, e.class = 'alarm' and e.is_closed order by random()) as nth
        from onekey.episodes(district, first_day, (first_day + interval '1 month')::date) e
        where e.answered_by is not null and e.mode = 'normal'
    ), ranked as (
        select m.*, row_number() over (partition by m.answered_by order by not (m.is_emergency and m.nth = 1), random())
                    + (select count(*) from onekey.call_audit a where a.district = draw_audits.district
                       and a.month = first_day and a.operator = m.answered_by) as place
        from mine m
        where not exists (select from onekey.call_audit a where a.district = draw_audits.district and a.month = first_day
                          and (a.ticket_id, a.episode) = (m.ticket_id, m.episode))
    )
    -- episodes() shows what lies in one's own areas, and of nothing else is drawn.
    insert into onekey.call_audit (district, month, operator, ticket_id, episode, is_emergency)
    select district, first_day, r.answered_by, r.ticket_id, r.episode, r.is_emergency from ranked r where r.place <= each;
    get diagnostics drawn = row_count;
    return drawn;
end $$;
comment on function onekey.draw_audits(text, date, integer) is 'Draws calls to be audited, at random; says how many were drawn now';

create or replace function onekey.audit_call(district text, audit_id bigint, score integer, note text default null)
returns boolean language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
begin
    if not onekey.may('audit_calls', district, 'audit:' || audit_id) then
        return false;
    elsif not exists (select from onekey.call_audit a join onekey.ticket t on t.district = a.district and t.id = a.ticket_id
                      where a.district = audit_call.district and a.id = audit_id and onekey.sees(t.district, t.area_id)) then
        perform onekey.audit_entry(district, 'audit_calls', 'audit:' || audit_id, false);
        return false;
    end if;
    update onekey.call_audit a
    set score = audit_call.score, note = audit_call.note, audited_at = clock_timestamp(), audited_by = (onekey.who()).name
    where a.district = audit_call.district and a.id = audit_id and a.operator <> (onekey.who()).name;
    return found;
end $$;
comment on function onekey.audit_call(text, bigint, integer, text) is 'Records how well a call went; nobody judges his own';

-- --- measures ---

-- Promises that fell due in the window: kept, kept in time, open. A promise that is not kept yet counts as due.
create or replace function onekey.measure_care(district text, from_day date, until_day date, area_id bigint default null,
                                               is_raw boolean default false)
returns table (task text, area text, due bigint, done bigint, in_time bigint, percent numeric, overdue_now bigint)
language sql stable security definer set search_path = onekey, pg_temp as $$
    with bounds as materialized (
        select onekey.day_begins(measure_care.district, from_day) as from_at,
               onekey.day_begins(measure_care.district, until_day) as until_at,
               onekey.report_areas(measure_care.district, measure_care.area_id) as areas
    ), promises as (
        select c.task, c.area_id, c.due, c.done, c.in_time, 0 as overdue
        from onekey.care_days(measure_care.district, from_day, until_day, measure_care.area_id, is_raw) c where c.due > 0
        union all
        select p.task, h.area_id, 1, 0, 0, (p.due_at < now())::int
        from onekey.care_plan p
        join onekey.household h on h.district = p.district and h.id = p.household_id
        cross join bounds b
        where p.district = measure_care.district and p.is_active and p.due_at >= b.from_at
          and p.due_at < least(b.until_at, now()) and (b.areas is null or h.area_id = any (b.areas))
          and not exists (select from onekey.care_contact c where c.district = p.district and c.plan_id = p.id
                          and c.due_at = p.due_at)
    )
    select p.task, case when grouping(a.name_zh) = 0 then coalesce(a.name_zh, '-') end, sum(p.due)::bigint,
           sum(p.done)::bigint, sum(p.in_time)::bigint, onekey.percent(sum(p.in_time)::bigint, sum(p.due)::bigint),
           sum(p.overdue)::bigint
    from promises p
    left join onekey.street_towns(measure_care.district) a on a.area_id = p.area_id
    group by p.task, grouping sets ((), (a.name_zh))
    order by p.task, grouping(a.name_zh) desc, 2
$$;

create or replace function onekey.measure_audits(district text, from_day date, until_day date, area_id bigint default null,
                                                 is_raw boolean default false)
returns table (month date, operator text, drawn bigint, done bigint, emergencies bigint, mean_score numeric)
language sql stable security definer set search_path = onekey, pg_temp as $$
    select a.month, a.operator, count(*), count(a.audited_at), count(*) filter (where a.is_emergency), round(avg(a.score), 1)
    from onekey.call_audit a
    join onekey.ticket t on t.district = a.district and t.id = a.ticket_id
    cross join (select onekey.report_areas(measure_audits.district, measure_audits.area_id) as ids) s
    where a.district = measure_audits.district and a.month >= date_trunc('month', from_day) and a.month < until_day
      and (s.ids is null or t.area_id = any (s.ids))
    group by a.month, a.operator order by a.month, a.operator
$$;

select onekey.grant_execute(name) from unnest(array['raise_for_household', 'measure_care', 'measure_audits']) name;
select onekey.grant_execute(name, 'onekey_console')
from unnest(array['set_care_plan', 'due_care', 'care_done', 'call_for_weather', 'draw_audits', 'audit_call']) name;
select onekey.grant_to('select on onekey.care_task, onekey.care_result, onekey.call_audit', 'onekey_console');
