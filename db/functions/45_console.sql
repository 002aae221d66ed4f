-- The dispatch console (tools/console). It knows who is logged in by the hash of a token, and each request is one call
-- of console_request(), one transaction: session, person, rights, work and audit stand or fall together.
--
-- What a request does are the functions api_NAME(arguments jsonb) of 46_console_read.sql and 47_console_change.sql. They run
-- with the rights of the console's own role; only what that role may not read at all is behind a function of the owner,
-- which then asks may() and sees() itself.

-- --- log-in: the password is compared by the console, since crypt(3) takes long and would hold a connection ---

-- Before a password is looked at: counts the try, so that many at once are all counted, and says whether it may be
-- looked at. Five mistakes of a name within a quarter of an hour shut it for half a minute, each further one twice as
-- long; an address has twenty. password_hash null: no such person, or no log-in; the console compares all the same.
create or replace function onekey.console_login_begin(district text, name text, address text)
returns table (retry_s integer, password_hash text)
language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    now_at timestamptz := clock_timestamp();
    wanted record;
    locked timestamptz;
begin
    password_hash := null;
    for wanted in select * from (values ('address:' || address, 20), ('user:' || name, 5)) v(subject, free) loop
        insert into onekey.login_failure as f (district, subject, failures, first_at, last_at)
        values (district, wanted.subject, 1, now_at, now_at)
        on conflict on constraint login_failure_pkey do update
        set failures = case when f.last_at < now_at - interval '15 min' then 1
                            when f.locked_until > now_at then f.failures else f.failures + 1 end,
            first_at = case when f.last_at < now_at - interval '15 min' then now_at else f.first_at end,
            last_at = case when f.locked_until > now_at then f.last_at else now_at end,
            locked_until = case
                when f.locked_until > now_at then f.locked_until
                when f.last_at < now_at - interval '15 min' then null
                when f.failures >= wanted.free
                then now_at + least(30 * 2 ^ least(f.failures - wanted.free, 10), 900) * interval '1 s' end
        returning f.locked_until into locked;
        if locked > now_at then
            retry_s := ceil(extract(epoch from locked - now_at));
            return next;
            return;
        end if;
    end loop;
    select u.password_hash into password_hash from onekey.app_user u
    where u.district = console_login_begin.district and u.name = console_login_begin.name and u.is_active;
    return next;
end $$;
comment on function onekey.console_login_begin(text, text, text) is
    'Whether a password may be looked at now (retry_s null: yes), and the hash it is to match';

-- The password was right: a session, of which only the hash of its token is kept.
create or replace function onekey.console_login_end(district text, name text, address text, token_hash bytea,
                                                    idle_s integer, absolute_s integer)
returns onekey.console_answer language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    now_at timestamptz := clock_timestamp();
begin
    if onekey.act_as(district, name, address) is null then
        return (401, null, null)::onekey.console_answer;
    end if;
    delete from onekey.login_failure f
    where f.district = console_login_end.district
      and (f.subject = 'user:' || name or f.last_at < now_at - interval '1 day');
    update onekey.login_failure f set failures = greatest(f.failures - 1, 0)
    where f.district = console_login_end.district and f.subject = 'address:' || address;
    delete from onekey.console_session s
    where s.district = console_login_end.district and least(s.idle_until, s.ends_at) < now_at;
    insert into onekey.console_session (token_hash, district, user_name, origin, idle_until, ends_at)
    values (token_hash, district, name, address, now_at + idle_s * interval '1 s', now_at + absolute_s * interval '1 s');
    perform onekey.audit_entry(district, 'log_in', 'user:' || name, true);
    return (200, onekey.console_session_body(district, token_hash), null)::onekey.console_answer;
end $$;
comment on function onekey.console_login_end(text, text, text, bytea, integer, integer) is
    'Begins a session for somebody whose password was right';

-- The password was wrong, or there is no such person. Guessing is braked, so this cannot fill the audit.
create or replace function onekey.console_login_failed(district text, name text, address text) returns void
language plpgsql security definer set search_path = onekey, pg_temp as $$
begin
    perform set_config('onekey.origin', coalesce(address, ''), true);
    perform onekey.audit_entry(district, 'log_in', 'user:' || left(name, 64), false);
end $$;
comment on function onekey.console_login_failed(text, text, text) is 'Puts a log-in that failed into the audit';

-- --- sessions ---

-- Who acts, without his password's hash.
create or replace function onekey.console_me() returns onekey.app_user
language plpgsql stable security definer set search_path = onekey, pg_temp as $$
declare
    person onekey.app_user := onekey.who();
begin
    person.password_hash := null;
    return person;
end $$;

-- Whose session that is; an empty record if it is none or has ended. Asking keeps it alive.
create or replace function onekey.console_user(district text, token_hash bytea, is_activity boolean default true)
returns onekey.app_user language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    now_at timestamptz := clock_timestamp();
    session onekey.console_session;
    person onekey.app_user;
begin
    select * into session from onekey.console_session s
    where s.district = console_user.district and s.token_hash = console_user.token_hash
      and least(s.idle_until, s.ends_at) > now_at;
    if not found then
        return null;
    end if;
    if is_activity and session.seen_at < now_at - interval '1 min' then
        update onekey.console_session s set seen_at = now_at, idle_until = now_at + (s.idle_until - s.seen_at)
        where s.district = console_user.district and s.token_hash = console_user.token_hash;
    end if;
    select * into person from onekey.app_user u
    where u.district = session.district and u.name = session.user_name and u.is_active;
    person.password_hash := null;
    return person;
end $$;
comment on function onekey.console_user(text, bytea, boolean) is 'Who is logged in with the token of that hash';

create or replace function onekey.console_shift_of(district text, name text) returns jsonb
language sql stable set search_path = onekey, pg_temp as $$
    select to_jsonb(d) from onekey.v_on_duty d where d.district = console_shift_of.district and d.name = console_shift_of.name
$$;

create or replace function onekey.console_session_body(district text, token_hash bytea) returns jsonb
language sql stable security definer set search_path = onekey, pg_temp as $$
    select jsonb_build_object(
        'user', jsonb_build_object('district', u.district, 'name', u.name, 'full_name', u.full_name, 'role', u.role,
            'areas', (select coalesce(jsonb_agg(a.code order by a.code), '[]') from onekey.app_user_area m
                      join onekey.area a on a.district = m.district and a.id = m.area_id
                      where m.district = u.district and m.user_name = u.name)),
        'may', (select coalesce(jsonb_agg(c.command order by c.command), '[]') from onekey.role_command c where c.role = u.role),
        'shift', onekey.console_shift_of(u.district, u.name), 'now', clock_timestamp(), 'expires_at', s.ends_at)
    from onekey.console_session s
    join onekey.app_user u on u.district = s.district and u.name = s.user_name
    where s.district = console_session_body.district and s.token_hash = console_session_body.token_hash
$$;

create or replace function onekey.console_logout(district text, token_hash bytea) returns void
language plpgsql security definer set search_path = onekey, pg_temp as $$
declare
    person onekey.app_user := onekey.console_user(district, token_hash, false);
begin
    delete from onekey.console_session s
    where s.district = console_logout.district and s.token_hash = console_logout.token_hash;
    if person.name is not null then
        perform onekey.audit_entry(person.district, 'log_out', 'user:' || person.name, true);
    end if;
end $$;
comment on function onekey.console_logout(text, bytea) is 'Ends a session';

-- --- one request ---

create or replace function onekey.console_role_may(role text, command text) returns boolean
language sql stable set search_path = onekey, pg_temp as $$
    select exists (select from onekey.role_command c where c.role = console_role_may.role and c.command = console_role_may.command)
$$;

create or replace function onekey.console_error(status integer, code text, message text) returns onekey.console_answer
language sql immutable set search_path = onekey, pg_temp as $$
    select (console_error.status, jsonb_build_object('error', jsonb_build_object('code', console_error.code,
            'message', console_error.message)), null::bigint[])::onekey.console_answer
$$;

create or replace function onekey.console_ok(body jsonb, shown bigint[] default null) returns onekey.console_answer
language sql immutable set search_path = onekey, pg_temp as $$
    select (200, console_ok.body, console_ok.shown)::onekey.console_answer
$$;

create or replace function onekey.console_request(district text, token_hash bytea, origin text, request text,
                                                  arguments jsonb)
returns onekey.console_answer language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    me onekey.app_user := onekey.console_user(district, token_hash);
    answer onekey.console_answer;
begin
    if me.name is null then
        return onekey.console_error(401, 'log_in', 'nobody is logged in');
    end if;
    perform onekey.act_as(me.district, me.name, origin);
    begin
        if request = 'session' then
            return onekey.console_ok(onekey.console_session_body(district, token_hash));
        elsif request = 'events' then
            return onekey.console_ok((select onekey.console_session_body(district, token_hash) || to_jsonb(s)
                                      from onekey.console_streams(district, array[token_hash]) s));
        elsif request = 'log_out' then
            perform onekey.console_logout(district, token_hash);
            return onekey.console_ok('{"done": true}');
        end if;
        execute format('select * from onekey.%I($1)', 'api_' || request) into answer using arguments;
    exception
        when insufficient_privilege then
            perform onekey.report_refusal(request, sqlerrm);
            return onekey.console_error(403, 'forbidden', 'you may not do that');
        when data_exception or integrity_constraint_violation then
            return onekey.console_error(400, 'invalid', sqlerrm);
        when deadlock_detected or lock_not_available then
            return onekey.console_error(503, 'busy', 'try again');
    end;
    return answer;
end $$;
comment on function onekey.console_request(text, bytea, text, text, jsonb) is
    'One request of a browser by the function api_REQUEST, done as the person of that session';

-- Refuses, with an entry in the audit, unless whoever acts may do that; null: he may.
create or replace function onekey.console_forbidden(command text, object text default null)
returns onekey.console_answer language plpgsql security definer set search_path = onekey, pg_temp as $$
begin
    if onekey.may(command, (onekey.who()).district, object) then
        return null;
    end if;
    return onekey.console_error(403, 'forbidden', 'you may not do that');
end $$;

-- Of what a function has refused, and put into the audit: whether he may not at all, or there is no such thing for him.
create or replace function onekey.console_refused(command text) returns onekey.console_answer
language sql stable set search_path = onekey, pg_temp as $$
    select case when onekey.console_role_may((onekey.console_me()).role, command)
                then onekey.console_error(404, 'not_found', 'there is no such thing')
                else onekey.console_error(403, 'forbidden', 'you may not do that') end
$$;

-- Tickets of an answer have reached the screen of somebody on duty.
create or replace function onekey.console_presented(district text, token_hash bytea, origin text, tickets bigint[]) returns integer
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    me onekey.app_user := onekey.console_user(district, token_hash, false);
begin
    if me.name is null
       or not exists (select from onekey.role_command c where c.role = me.role and c.command = 'present') then
        return 0;
    end if;
    perform onekey.act_as(me.district, me.name, origin);
    if not exists (select from onekey.v_on_duty d where d.name = me.name and d.paused_at is null) then
        return 0;
    end if;
    return (select count(*) from onekey.tickets_presented(me.district, tickets));
end $$;
comment on function onekey.console_presented(text, bytea, text, bigint[]) is
    'Marks tickets as shown if the person of that session is on duty; returns how many were not before';

-- --- the stream of events ---

-- What everybody who shares a scope sees alike; by it the console encodes a change once for all of them.
create or replace function onekey.console_streams(district text, token_hashes bytea[])
returns table (place integer, user_name text, scope text, is_on_duty boolean, gets_notices boolean, sees_unstored boolean)
language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_column
begin
    -- Who is on duty watches his screen, so that he is not logged out for not clicking.
    update onekey.console_session s set seen_at = clock_timestamp(), idle_until = clock_timestamp() + (s.idle_until - s.seen_at)
    where s.district = console_streams.district and s.token_hash = any (token_hashes) and least(s.idle_until, s.ends_at) > clock_timestamp()
      and s.seen_at < clock_timestamp() - interval '1 min'
      and exists (select from onekey.shift h where h.district = s.district and h.user_name = s.user_name and h.off_at is null);
    return query
    with asked as (
        select s.district, s.user_name, t.n from unnest(token_hashes) with ordinality t(token_hash, n)
        join onekey.console_session s on s.district = console_streams.district and s.token_hash = t.token_hash and least(s.idle_until, s.ends_at) > clock_timestamp()
    ), people as (
        select u.district, u.name, u.role,
               (select string_agg(m.area_id::text, ',' order by m.area_id) from onekey.app_user_area m
                where m.district = u.district and m.user_name = u.name) as areas,
               exists (select from onekey.shift h where h.district = u.district and h.user_name = u.name
                       and h.off_at is null and h.paused_at is null) as is_on_duty
        from onekey.app_user u
        where u.is_active and (u.district, u.name) in (select a.district, a.user_name from asked a)
    )
    select a.n::integer, p.name,
           concat_ws(' ', p.district, case when p.role in ('operator', 'supervisor') then 'unplaced' end,
                     case when onekey.console_role_may(p.role, 'read_phone') then 'phones' end,
                     case when p.areas is null and p.role = 'street_town' then 'nothing' else coalesce(p.areas, 'all') end),
           p.is_on_duty, p.role = 'supervisor', p.role in ('operator', 'supervisor')
    from asked a join people p on p.district = a.district and p.name = a.user_name;
end $$;
comment on function onekey.console_streams(text, bytea[]) is
    'Of these sessions those that live, with what their streams may carry; scope: who shares it sees the same rows';

-- The tickets of which something was committed that snapshot `since` did not see yet, with what it was. Both ends of the
-- walk along the index are given, and nothing else is allowed: read as a whole, a month's events take seconds.
create or replace function onekey.console_changed(district text, since pg_snapshot, most integer)
returns table (ticket_id bigint, changes jsonb)
language plpgsql stable security definer set search_path = onekey, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
#variable_conflict use_column
declare
    first_xid bigint := pg_snapshot_xmin(since)::text::bigint;
    behind_xid bigint := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
begin
    return query
    select e.ticket_id, jsonb_agg(jsonb_build_object('id', e.id, 'at', e.at, 'kind', e.kind, 'actor', e.actor,
                                                     'detail', e.detail) order by e.id)
    from onekey.ticket_event e
    where e.xid >= first_xid and e.xid < behind_xid
      and not pg_visible_in_snapshot(e.xid::text::xid8, console_changed.since)
      and e.at > now() - interval '1 day' and e.district = console_changed.district
    group by e.ticket_id limit console_changed.most + 1;
end $$;

-- What has changed since a cursor, once for each of these people: rows with place 0 (row: the next cursor), and 1, 2 ...
-- as people stand in the array. place -1: it is too much, or that is no cursor; read the queue anew. ticket_id null: that
-- person is nobody any more.
create or replace function onekey.console_changes(district text, since text, people text[], most integer)
returns table (place integer, ticket_id bigint, ticket_row text, is_unshown boolean)
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    seen pg_snapshot := pg_current_snapshot(); -- before anything is read: what comes later is told again
    before pg_snapshot;
    ids bigint[];
    changes jsonb;
    one record;
begin
    place := 0;
    ticket_row := case when length(seen::text) < 400 then seen::text -- the same and more, in few words
                       else concat(pg_snapshot_xmin(seen), ':', pg_snapshot_xmin(seen), ':') end;
    return next;
    if cardinality(people) = 0 then
        return;
    end if;
    begin
        before := since;
    exception when data_exception then
        before := null;
    end;
    if before is null or pg_snapshot_xmax(before) > pg_snapshot_xmax(seen) then
        place := -1;
        return next;
        return;
    end if;
    select array_agg(c.ticket_id), jsonb_object_agg(c.ticket_id, c.changes) into ids, changes
    from onekey.console_changed(district, before, most) c;
    if cardinality(ids) > most then
        place := -1;
        return next;
        return;
    end if;
    if ids is null then
        return;
    end if;
    for nth in 1 .. cardinality(people) loop
        place := nth;
        if onekey.act_as(district, people[place], 'console') is null then
            ticket_id := null;
            return next;
            continue;
        end if;
        for one in
            select r.id, r.body, r.unshown from onekey.console_rows(district, ids) r order by r.nth
        loop
            ticket_id := one.id;
            ticket_row := one.body || jsonb_build_object('changes', changes -> one.id::text);
            is_unshown := one.unshown;
            return next;
        end loop;
    end loop;
end $$;
comment on function onekey.console_changes(text, text, text[], integer) is
    'What happened to tickets since a cursor, as each of these people may see it';

-- The summary for each of these people.
create or replace function onekey.console_summaries(district text, people text[])
returns table (place integer, body text) language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
begin
    for nth in 1 .. cardinality(people) loop
        continue when onekey.act_as(district, people[nth], 'console') is null;
        place := nth;
        body := onekey.console_summary(district);
        return next;
    end loop;
end $$;
comment on function onekey.console_summaries(text, text[]) is 'The counts of the queue as each of these people may see it';

create or replace function onekey.console_duty(district text) returns jsonb
language sql stable security definer set search_path = onekey, pg_temp as $$
    -- Not from v_on_duty, which shows nothing while nobody is named.
    select jsonb_build_object('on_duty', coalesce(jsonb_agg(to_jsonb(d) order by d.on_at, d.name), '[]'))
    from onekey.open_shifts d where d.district = console_duty.district
$$;
comment on function onekey.console_duty(text) is 'Who is on duty, for every console of the district';

-- Which of these people may see that ticket.
create or replace function onekey.console_readers(district text, ticket_id bigint, people text[]) returns setof integer
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
begin
    for nth in 1 .. cardinality(people) loop
        continue when onekey.act_as(district, people[nth], 'console') is null;
        if exists (select from onekey.v_tickets t where t.district = console_readers.district and t.id = ticket_id) then
            return next nth;
        end if;
    end loop;
end $$;
comment on function onekey.console_readers(text, bigint, text[]) is 'Which of these people, by their place, may see a ticket';

select onekey.grant_execute(name, 'onekey_console')
from unnest(array['console_me', 'console_login_begin', 'console_login_end', 'console_login_failed', 'console_user', 'console_logout',
    'console_session_body', 'console_shift_of', 'console_error', 'console_ok', 'console_request', 'console_forbidden', 'console_refused', 'console_presented', 'console_role_may',
    'console_streams', 'console_changed', 'console_changes', 'console_summaries', 'console_duty', 'console_readers']) name;
