-- What the console's browser asks of figures, care rounds and audits of calls: api_NAME(arguments), called by
-- console_request(). The rules are those of 71_measures.sql and 73_care.sql; here they are only handed over.

-- --- figures ---

-- The days that are asked about, and those before them to compare with: a month and the month before, or from and until
-- (until is the day after the last) and as many days before. At most three years.
create or replace function onekey.console_window(arguments jsonb, out from_day date, out until_day date, out previous_day date)
language plpgsql stable set search_path = onekey, pg_temp as $$
begin
    if arguments ->> 'month' ~ '^\d{4}-\d\d$' then
        from_day := (arguments ->> 'month' || '-01')::date;
        until_day := from_day + interval '1 month';
        previous_day := from_day - interval '1 month';
    else
        from_day := (arguments ->> 'from')::date;
        until_day := (arguments ->> 'until')::date;
        previous_day := from_day - (until_day - from_day);
    end if;
    if coalesce(until_day - from_day, 0) not between 1 and 1100 then
        raise exception 'ask for a month, or for days from and until' using errcode = 'invalid_parameter_value';
    end if;
end $$;

-- From here to the end of the request times are told as the district's clocks show them.
create or replace function onekey.console_use_zone() returns void
language sql set search_path = onekey, pg_temp as $$
    select set_config('TimeZone', onekey.zone((onekey.console_me()).district), true)
$$;

-- The area of that code; null for none given.
create or replace function onekey.console_area(district text, code text) returns bigint
language plpgsql stable security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    found_id bigint := (select a.id from onekey.area a where a.district = console_area.district and a.code = console_area.code);
begin
    if found_id is null and code is not null then
        raise exception 'there is no area %', code using errcode = 'invalid_parameter_value';
    end if;
    return found_id;
end $$;

-- What whoever asks may read of the catalog, with the words of that language.
create or replace function onekey.console_catalog(language text) returns jsonb
language sql stable set search_path = onekey, pg_temp as $$
    select coalesce(jsonb_agg(m order by place), '[]')
    from jsonb_array_elements(onekey.report_catalog((onekey.console_me()).district, language)::jsonb)
         with ordinality as c(m, place)
    where onekey.console_role_may((onekey.console_me()).role, m ->> 'needs')
$$;

create or replace function onekey.console_measure_rows(measure text, from_day date, until_day date, area_id bigint)
returns jsonb language sql stable set search_path = onekey, pg_temp as $$
    select coalesce(jsonb_agg(to_jsonb(m)), '[]')
    from onekey.read_measure(measure, (onekey.console_me()).district, from_day, until_day, area_id) m
$$;

create or replace function onekey.api_measures(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    me onekey.app_user := onekey.console_me();
    catalog jsonb := onekey.console_catalog(arguments ->> 'language');
    refused onekey.console_answer;
begin
    if catalog = '[]' then
        refused := onekey.console_forbidden('read_report', 'measures');
        return refused;
    end if;
    return onekey.console_ok(jsonb_build_object('measures', catalog, 'zone', onekey.zone(me.district),
        'today', (now() at time zone onekey.zone(me.district))::date, 'definitions', onekey.definitions_version()));
end $$;

-- The tickets that a figure is a figure of: rows of the list that hold all of `filter`, which may also name their class,
-- day, weekday and hour; answer_over: only those that were not answered within so many seconds.
create or replace function onekey.console_tickets(from_day date, until_day date, area_id bigint, filter jsonb,
                                                  answer_over double precision)
returns jsonb language sql stable set search_path = onekey, pg_temp as $$
    with told as materialized (
        select l.at, l.line::jsonb as line
        from onekey.read_measure('list', (onekey.console_me()).district, from_day, until_day, area_id) with ordinality l(line, at)
    ), found as materialized (
        select t.at, t.line
        from told t
        cross join lateral (select (t.line ->> 'begins_at')::timestamptz at time zone (select onekey.zone(m.district) from onekey.console_me() m)
                            as local_at) b
        left join onekey.ticket_kind k on k.name = t.line ->> 'kind'
        left join onekey.service_kind s on s.name = t.line ->> 'service_kind'
        where (filter is null
               -- What the list itself says is asked first, so that the rest is worked out for few.
               or case when t.line @> (filter - array['class', 'day', 'weekday', 'hour'])
                       then jsonb_build_object('class', coalesce(s.class, k.class), 'day', b.local_at::date,
                                'weekday', extract(isodow from b.local_at)::integer, 'hour', extract(hour from b.local_at)::integer)
                            @> (filter - (select array_agg(name) from jsonb_object_keys(t.line) name)) end)
          and (answer_over is null or t.line ->> 'answer_s' is null or (t.line ->> 'answer_s')::double precision > answer_over)
    )
    select jsonb_build_object('total', (select count(*) from found),
        'rows', (select coalesce(jsonb_agg(f.line order by f.at), '[]')
                 from (select * from found order by at limit 500) f))
$$;

create or replace function onekey.api_measure(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    me onekey.app_user := onekey.console_me();
    days record := onekey.console_window(arguments);
    area_id bigint := onekey.console_area(me.district, arguments ->> 'area');
    asked text := arguments ->> 'name';
    known onekey.measure;
    body jsonb;
begin
    select * into known from onekey.measure m where m.name = asked;
    if known.name is null then
        return onekey.console_error(404, 'not_found', 'there is no such measure');
    elsif not onekey.console_role_may(me.role, known.needs_command) then
        return onekey.console_forbidden(known.needs_command, 'measure:' || asked);
    end if;
    perform onekey.console_use_zone();
    body := jsonb_build_object('name', asked, 'from', days.from_day, 'until', days.until_day);
    if asked = 'list' then
        return onekey.console_ok(body || onekey.console_tickets(days.from_day, days.until_day, area_id,
            (arguments ->> 'filter')::jsonb, (arguments ->> 'answer_over')::double precision));
    end if;
    body := body || jsonb_build_object('rows', onekey.console_measure_rows(asked, days.from_day, days.until_day, area_id));
    if arguments ->> 'compare' = 'previous' then
        body := body || jsonb_build_object('previous_from', days.previous_day, 'previous',
            onekey.console_measure_rows(asked, days.previous_day, days.from_day, area_id));
    end if;
    return onekey.console_ok(body);
end $$;

-- The whole report in one object, as tools/report/report.h tells; who took it with him stands in the audit.
create or replace function onekey.api_report(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    me onekey.app_user := onekey.console_me();
    refused onekey.console_answer := onekey.console_forbidden('read_report', 'report');
    days record := onekey.console_window(arguments);
    compares boolean := coalesce(arguments ->> 'compare' = 'previous', false);
    area_id bigint := onekey.console_area(me.district, arguments ->> 'area');
    measures jsonb;
begin
    if refused.status is not null then
        return refused;
    end if;
    perform onekey.console_use_zone();
    select jsonb_agg(m || jsonb_build_object('rows', onekey.console_measure_rows(m ->> 'name', days.from_day, days.until_day, area_id))
                     || case when compares then jsonb_build_object('previous',
                            onekey.console_measure_rows(m ->> 'name', days.previous_day, days.from_day, area_id)) else '{}' end
                     order by place)
    into measures
    from jsonb_array_elements(onekey.console_catalog(arguments ->> 'language')) with ordinality as c(m, place)
    where not (m ->> 'on_demand')::boolean;
    perform onekey.console_note_report(days.from_day, days.until_day, arguments);
    return onekey.console_ok(jsonb_build_object('district', me.district, 'zone', onekey.zone(me.district),
        'from', days.from_day, 'until', days.until_day, 'previous_from', days.previous_day,
        'area', (select a.name_zh from onekey.v_area a where a.district = me.district and a.id = area_id),
        'made_at', to_char(now(), 'YYYY-MM-DD HH24:MI:SS'),
        'definitions', onekey.definitions_version(), 'measures', measures,
        'tickets', (select sum((m ->> 'tickets')::bigint)
                    from onekey.read_measure('tickets', me.district, days.from_day, days.until_day, area_id) m)));
end $$;

create or replace function onekey.console_note_report(from_day date, until_day date, arguments jsonb) returns void
language sql security definer set search_path = onekey, pg_temp as $$
    select onekey.audit_entry((onekey.who()).district, 'read_report', 'report', true, jsonb_strip_nulls(jsonb_build_object(
        'from', from_day, 'until', until_day, 'area', arguments ->> 'area', 'format', arguments ->> 'format')))
$$;

-- --- care rounds ---

-- How much is due for whoever asks, and how much of it was done today.
create or replace function onekey.console_care_counts() returns jsonb
language sql stable security definer set search_path = onekey, pg_temp as $$
    with mine as (
        select p.task, p.due_at, p.attempts
        from onekey.care_plan p
        join onekey.household h on h.district = p.district and h.id = p.household_id
        where p.district = (onekey.who()).district and p.is_active and p.due_at is not null and p.next_try_at <= now()
          and onekey.sees(h.district, h.area_id)
          and not exists (select from onekey.absence b where b.district = p.district and b.household_id = p.household_id
                          and now() >= b.from_at and (b.until_at is null or now() < b.until_at))
    )
    select jsonb_build_object('due', (select count(*) from mine),
        'over_24h', (select count(*) from mine m where m.due_at < now() - interval '24 hours'),
        'tried', (select count(*) from mine m where m.attempts > 0),
        'tasks', (select coalesce(jsonb_object_agg(t.task, t.due), '{}') from (select m.task, count(*) as due from mine m group by 1) t),
        'done_today', (select count(*) from onekey.care_contact c
                       where c.district = (onekey.who()).district and c.is_done and onekey.sees(c.district, c.area_id)
                         and c.at >= (select onekey.day_begins(w.district, (now() at time zone onekey.zone(w.district))::date)
                                      from onekey.who() w)))
$$;

create or replace function onekey.api_care_due(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    me onekey.app_user := onekey.console_me();
    most integer := least(greatest(coalesce((arguments ->> 'limit')::integer, 50), 1), 200);
    after text := coalesce(arguments ->> 'after', '-infinity_0');
    refused onekey.console_answer := onekey.console_forbidden('care', 'due');
    rows jsonb;
begin
    if refused.status is not null then
        return refused;
    end if;
    select coalesce(jsonb_agg(to_jsonb(d) order by d.next_try_at, d.plan_id), '[]') into rows
    from onekey.due_care(me.district, clock_timestamp(), most, split_part(after, '_', 1)::timestamptz,
                         split_part(after, '_', 2)::bigint) d;
    return onekey.console_ok(jsonb_build_object('rows', rows,
        'next', case when jsonb_array_length(rows) = most then concat(rows -> -1 ->> 'next_try_at', '_', rows -> -1 ->> 'plan_id') end,
        'counts', onekey.console_care_counts(), 'now', clock_timestamp(),
        'results', (select jsonb_agg(to_jsonb(r) order by r.key) from onekey.care_result r),
        'tasks', onekey.console_care_tasks()));
end $$;

create or replace function onekey.console_care_tasks() returns jsonb
language sql stable set search_path = onekey, pg_temp as $$
    select jsonb_agg(jsonb_build_object('name', k.name, 'is_visit', k.is_visit, 'name_zh', k.name_zh, 'name_en', k.name_en,
        'every_s', extract(epoch from k.every)::bigint, 'within_s', extract(epoch from k.within)::bigint) order by k.name)
    from onekey.care_task k
$$;

create or replace function onekey.api_care_done(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    reply onekey.command_reply := onekey.care_done((onekey.console_me()).district, (arguments ->> 'id')::bigint,
        arguments #>> '{body,result}', left(arguments #>> '{body,note}', 4000), arguments ->> 'key');
begin
    return (case when reply.ok then 200 when reply.code = 'forbidden' then 403
                 when reply.code = 'not_found' then 404 else 409 end, to_jsonb(reply), null)::onekey.console_answer;
end $$;

-- The promises to the people of a home; null: no such home for whoever asks.
create or replace function onekey.console_care_plans(household_id bigint) returns jsonb
language sql stable security definer set search_path = onekey, pg_temp as $$
    select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'position', p.position, 'resident', r.name, 'task', p.task,
        'every_s', extract(epoch from p.every)::bigint, 'due_at', p.due_at, 'next_try_at', p.next_try_at, 'attempts', p.attempts,
        'last_done_at', p.last_done_at, 'last_result', c.result, 'last_note', c.note, 'is_active', p.is_active)
        order by p.position, p.task) filter (where p.id is not null), '[]')
    from onekey.household h
    left join onekey.care_plan p on p.district = h.district and p.household_id = h.id
    left join onekey.resident r on r.district = p.district and r.household_id = p.household_id and r.position = p.position
    left join lateral (select c.result, c.note from onekey.care_contact c where c.district = p.district and c.plan_id = p.id
                       order by c.id desc limit 1) c on true
    where h.district = (onekey.who()).district and h.id = console_care_plans.household_id and onekey.sees(h.district, h.area_id)
    group by h.id
$$;

create or replace function onekey.api_care_plans(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    me onekey.app_user := onekey.console_me();
    home bigint := (arguments ->> 'household_id')::bigint;
    refused onekey.console_answer;
    rows jsonb;
begin
    if not onekey.console_role_may(me.role, 'set_care_plan') then
        refused := onekey.console_forbidden('care', 'household:' || home);
    end if;
    if refused.status is not null then
        return refused;
    end if;
    rows := onekey.console_care_plans(home);
    return case when rows is null then onekey.console_error(404, 'not_found', 'there is no such home')
                else onekey.console_ok(jsonb_build_object('rows', rows, 'tasks', onekey.console_care_tasks())) end;
end $$;

create or replace function onekey.api_care_plan_set(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    body jsonb := arguments -> 'body';
    plan bigint := onekey.set_care_plan((onekey.console_me()).district, (body ->> 'household_id')::bigint, body ->> 'task',
        coalesce((body ->> 'position')::integer, 1), justify_hours(make_interval(secs => (body ->> 'every_s')::integer)),
        (body ->> 'due_at')::timestamptz, coalesce((body ->> 'is_active')::boolean, true));
begin
    return case when plan is null then onekey.console_refused('set_care_plan')
                else onekey.console_ok(jsonb_build_object('id', plan)) end;
end $$;

create or replace function onekey.api_care_weather(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    me onekey.app_user := onekey.console_me();
    refused onekey.console_answer := onekey.console_forbidden('set_care_plan', 'weather');
begin
    if refused.status is not null then
        return refused;
    end if;
    return onekey.console_ok(jsonb_build_object('plans', onekey.call_for_weather(me.district,
        onekey.console_area(me.district, arguments #>> '{body,area}'))));
end $$;

-- --- audits of calls ---

create or replace function onekey.api_audits(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    me onekey.app_user := onekey.console_me();
    days record := onekey.console_window(arguments);
    refused onekey.console_answer := onekey.console_forbidden('audit_calls', 'audits');
begin
    if refused.status is not null then
        return refused;
    end if;
    return onekey.console_ok(jsonb_build_object('rows', (
        select coalesce(jsonb_agg(to_jsonb(a) - 'district' || jsonb_build_object('kind', t.kind, 'received_at', t.received_at,
                   'answered_at', t.answered_at, 'closed_at', t.closed_at, 'outcome', t.outcome, 'full_name', u.full_name)
                   order by a.operator, a.id), '[]')
        from onekey.call_audit a
        left join onekey.ticket t on t.district = a.district and t.id = a.ticket_id
        left join onekey.app_user u on u.district = a.district and u.name = a.operator
        where a.district = me.district and a.month >= days.from_day and a.month < days.until_day)));
end $$;

create or replace function onekey.api_audits_draw(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    me onekey.app_user := onekey.console_me();
    days record := onekey.console_window(arguments -> 'body');
    refused onekey.console_answer := onekey.console_forbidden('audit_calls', 'month:' || days.from_day);
begin
    if refused.status is not null then
        return refused;
    end if;
    return onekey.console_ok(jsonb_build_object('drawn', onekey.draw_audits(me.district, days.from_day,
        least(greatest(coalesce((arguments #>> '{body,each}')::integer, 2), 1), 20))));
end $$;

create or replace function onekey.api_audit_done(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    me onekey.app_user := onekey.console_me();
begin
    if (arguments #>> '{body,score}')::integer is null then
        return onekey.console_error(400, 'invalid', 'a score is needed');
    end if;
    return case when onekey.audit_call(me.district, (arguments ->> 'id')::bigint, (arguments #>> '{body,score}')::integer,
                                       left(arguments #>> '{body,note}', 4000))
                then onekey.console_ok('{"done": true}') else onekey.console_refused('audit_calls') end;
end $$;

select onekey.grant_execute(name, 'onekey_console')
from unnest(array['console_window', 'console_use_zone', 'console_area', 'console_catalog', 'console_measure_rows', 'console_tickets',
    'console_note_report', 'console_care_counts', 'console_care_tasks', 'console_care_plans', 'api_measures', 'api_measure',
    'api_report', 'api_care_due', 'api_care_done', 'api_care_plans', 'api_care_plan_set', 'api_care_weather', 'api_audits',
    'api_audits_draw', 'api_audit_done', 'roll_up_days']) name;
