-- Who is asking. An application (role onekey_console) logs people in and says for each transaction whom it
-- acts for: onekey.act_as(), which sets onekey.user to DISTRICT/NAME. Everything that a person does or
-- sees is judged by that person's role and areas. An application that names nobody sees and may do nothing.
--
-- The setting's name holds a key word: in SQL it is written onekey."user". Whoever may set it is trusted to log people in.
--
-- A refusal is an answer, not an exception: an exception would roll back the audit's entry of it.

-- Functions that can refuse raise this inside; the outermost one turns it into an answer. `code` is for programs.
create or replace function onekey.refuse(code text, message text, owner text default null) returns void
language plpgsql set search_path = onekey, pg_temp as $$
begin
    raise exception using errcode = 'OKREF', message = refuse.message, detail = refuse.code,
                          hint = coalesce(refuse.owner, '');
end $$;

create or replace function onekey.act_as(district text, name text, origin text default null,
                                         lasting boolean default false)
returns text language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    found_role text;
begin
    perform set_config('onekey.user', '', not lasting);
    perform set_config('onekey.origin', coalesce(origin, ''), not lasting);
    select u.role into found_role from onekey.app_user u
    where u.district = act_as.district and u.name = act_as.name and u.is_active;
    if found_role is null then
        perform onekey.audit_entry(district, 'act_as', 'user:' || coalesce(name, ''), false);
    else
        perform set_config('onekey.user', concat(district, '/', name), not lasting);
    end if;
    return found_role;
end $$;
comment on function onekey.act_as(text, text, text, boolean) is
    'From here to the end of the transaction (lasting: of the session) this person acts. Returns the role; null: there is no such active person, and nobody acts';

-- The person who acts; an empty record if there is none.
create or replace function onekey.who() returns onekey.app_user
language sql stable security definer set search_path = onekey, pg_temp as $$
    select u from onekey.app_user u
    where u.district = split_part(current_setting('onekey.user', true), '/', 1)
      and u.name = split_part(current_setting('onekey.user', true), '/', 2) and u.is_active
$$;

create or replace function onekey.audit_entry(district text, action text, object text, is_allowed boolean,
                                              detail jsonb default null)
returns void language sql set search_path = onekey, pg_temp as $$
    insert into onekey.audit (district, actor, origin, action, object, is_allowed, detail)
    select coalesce(audit_entry.district, (onekey.who()).district, ''),
           nullif(split_part(current_setting('onekey.user', true), '/', 2), ''),
           nullif(current_setting('onekey.origin', true), ''), audit_entry.action, audit_entry.object,
           audit_entry.is_allowed, audit_entry.detail
$$;

-- Whether whoever acts may do this in that district; if not, the audit says so.
create or replace function onekey.may(command text, district text, object text) returns boolean
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    me onekey.app_user := onekey.who();
begin
    if me.district = district
       and exists (select from onekey.role_command c where c.role = me.role and c.command = may.command) then
        return true;
    end if;
    perform onekey.audit_entry(district, command, object, false);
    return false;
end $$;

-- Keeps onekey.area_place as onekey.area says. Areas change seldom and all at once.
create or replace function onekey.place_areas() returns trigger
language plpgsql security definer set search_path = onekey, pg_temp as $$
begin
    with recursive tree as (
        select a.district, a.id, a.code as path, a.name_zh as path_zh, array[a.id] as above,
               case a.level when 'street_town' then a.id end as street_town_id
        from onekey.area a where a.parent_id is null
        union all
        select a.district, a.id, t.path || '/' || a.code, t.path_zh || ' ' || a.name_zh, a.id || t.above,
               case a.level when 'street_town' then a.id else t.street_town_id end
        from tree t join onekey.area a on a.district = t.district and a.parent_id = t.id
    )
    insert into onekey.area_place as p (district, area_id, path, path_zh, street_town_id, above)
    select t.district, t.id, t.path, t.path_zh, t.street_town_id, t.above from tree t
    on conflict on constraint area_place_pkey do update
    set path = excluded.path, path_zh = excluded.path_zh, street_town_id = excluded.street_town_id, above = excluded.above
    where (p.path, p.path_zh, p.street_town_id, p.above)
          is distinct from (excluded.path, excluded.path_zh, excluded.street_town_id, excluded.above);
    return null;
end $$;
create or replace trigger areas_placed after insert or update on onekey.area
    for each statement execute function onekey.place_areas();
update onekey.area set code = code where false; -- those that stand there already

-- What whoever asks may see: one row, or none for nothing. areas null: the whole district; unplaced: also what
-- stands in no area, such as the alarm of an unknown device. The owner, gateways and reports are held
-- by their grants, not by people's areas.
create or replace function onekey.scope()
returns table (everything boolean, district text, areas bigint[], unplaced boolean) rows 1
language plpgsql stable security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_column
declare
    me onekey.app_user := onekey.who();
    own bigint[];
begin
    if me.name is null then
        if coalesce(current_setting('onekey.user', true), '') = '' then
            return query select true, null::text, null::bigint[], true
            where onekey.is_owner() or not exists (
                select from pg_roles r where r.rolname = 'onekey_console' and pg_has_role(session_user, r.oid, 'member'));
        end if;
        return;
    end if;
    own := array(select a.area_id from onekey.app_user_area a where a.district = me.district and a.user_name = me.name);
    own := case when own <> '{}' then array(select p.area_id from onekey.area_place p
                                            where p.district = me.district and p.above && own) end;
    if own is null and me.role = 'street_town' then
        own := '{}';
    end if;
    return query select false, me.district, own, own is null or me.role in ('operator', 'supervisor');
end $$;
comment on function onekey.scope() is 'What whoever asks may see; the views and the row-level security ask it';

create or replace function onekey.sees(district text, area_id bigint) returns boolean
language sql stable set search_path = onekey, pg_temp as $$
    select exists (
        select from onekey.scope() s
        where s.everything or s.district = sees.district
              and (s.areas is null or sees.area_id = any (s.areas) or sees.area_id is null and s.unplaced))
$$;
comment on function onekey.sees(text, bigint) is 'Whether whoever asks may see what stands in that area';

-- An area and all that it belongs to; steps: 0 for itself, 1 for what it stands in, and so on.
create or replace function onekey.areas_above(district text, area_id bigint)
returns table (id bigint, steps integer) language sql stable security definer set search_path = onekey, pg_temp as $$
    select b.id, b.n::integer - 1
    from onekey.area_place p cross join unnest(p.above) with ordinality b(id, n)
    where p.district = areas_above.district and p.area_id = areas_above.area_id
$$;

-- --- users ---

-- An administrator, or the schema's owner (for the first of them), adds or changes a person. Null keeps the old value.
create or replace function onekey.set_user(district text, name text, role text, full_name text default null,
                                           area_codes text[] default null, password_hash text default null,
                                           is_active boolean default null)
returns boolean language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    strange text;
    was text := (select u.role from onekey.app_user u where u.district = set_user.district and u.name = set_user.name);
begin
    if not onekey.is_owner() and not onekey.may('set_user', district, 'user:' || name) then
        return false;
    end if;
    select c.code into strange from unnest(area_codes) c(code)
    where not exists (select from onekey.area a where a.district = set_user.district and a.code = c.code);
    if strange is not null then
        raise exception 'district % has no area %', district, strange using errcode = 'invalid_parameter_value';
    end if;
    insert into onekey.app_user as u (district, name, role, full_name, password_hash, is_active)
    values (district, name, role, coalesce(full_name, name), password_hash, coalesce(is_active, true))
    on conflict on constraint app_user_pkey do update
    set role = excluded.role, full_name = coalesce(set_user.full_name, u.full_name),
        password_hash = coalesce(excluded.password_hash, u.password_hash),
        is_active = coalesce(set_user.is_active, u.is_active);
    if password_hash is not null or is_active is false or role <> was then
        delete from onekey.console_session s where s.district = set_user.district and s.user_name = set_user.name;
        delete from onekey.login_failure f where f.district = set_user.district and f.subject = 'user:' || name;
    end if;
    if area_codes is not null then
        delete from onekey.app_user_area a where a.district = set_user.district and a.user_name = set_user.name;
        insert into onekey.app_user_area
        select distinct a.district, set_user.name, a.id from onekey.area a
        where a.district = set_user.district and a.code = any (area_codes);
    end if;
    perform onekey.audit_entry(district, 'set_user', 'user:' || name, true, jsonb_strip_nulls(jsonb_build_object(
        'role', role, 'areas', area_codes, 'is_active', is_active,
        'password', case when password_hash is not null then 'changed' end)));
    perform pg_notify('onekey_people', district);
    return true;
end $$;
comment on function onekey.set_user(text, text, text, text, text[], text, boolean) is
    'Adds or changes a person; false: refused. Another password or role, or none any more, ends his sessions';

-- Nobody is named, and the connection is that of the schema's owner or a superuser.
create or replace function onekey.is_owner() returns boolean
language sql stable set search_path = onekey, pg_temp as $$
    select coalesce(current_setting('onekey.user', true), '') = '' and (
        select pg_has_role(session_user, n.nspowner, 'member') from pg_namespace n where n.nspname = 'onekey')
$$;

-- --- shifts ---

-- what: on, pause, resume, off. Who goes off duty gives all that he owns back to the queue. A supervisor
-- may do it for others. Returns how many tickets went back; null: refused.
create or replace function onekey.set_shift(what text, user_name text default null, reason text default null)
returns integer language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    me onekey.app_user := onekey.who();
    whose text := coalesce(user_name, me.name);
    given integer := 0;
    owned bigint;
begin
    if not onekey.may(case when whose = me.name then 'shift' else 'shift_others' end, me.district,
                      'user:' || whose) then
        return null;
    elsif what = 'on' then
        insert into onekey.shift (district, user_name) values (me.district, whose) on conflict do nothing;
    elsif what in ('pause', 'resume') then
        update onekey.shift s set paused_at = case what when 'pause' then coalesce(s.paused_at, clock_timestamp()) end,
                                  pause_reason = case what when 'pause' then reason end
        where s.district = me.district and s.user_name = whose and s.off_at is null;
    elsif what = 'off' then
        update onekey.shift s set off_at = clock_timestamp(), paused_at = null, pause_reason = null
        where s.district = me.district and s.user_name = whose and s.off_at is null;
        for owned in select t.id from onekey.ticket t
                     where t.district = me.district and t.claimed_by = whose and t.state <> 'closed'
                     order by t.subject, t.kind, t.service_kind loop
            if onekey.give_back(me.district, owned, whose, me.name) then
                given := given + 1;
            end if;
        end loop;
    else
        raise exception 'a shift knows on, pause, resume and off, not "%"', what
            using errcode = 'invalid_parameter_value';
    end if;
    given := given + onekey.redistribute(me.district, whose, what = 'pause');
    perform onekey.audit_entry(me.district, 'shift_' || what, 'user:' || whose, true);
    perform pg_notify('onekey_people', me.district);
    return given;
end $$;
comment on function onekey.set_shift(text, text, text) is 'Goes on duty, pauses, resumes, goes off duty';

select onekey.grant_execute('act_as', 'onekey_console');
select onekey.grant_execute('scope', 'onekey_console', 'onekey_report');
select onekey.grant_execute('sees', 'onekey_console', 'onekey_report');
select onekey.grant_execute('areas_above', 'onekey_console');
select onekey.grant_execute('set_user', 'onekey_console');
select onekey.grant_execute('set_shift', 'onekey_console');
select onekey.grant_execute(name)
from unnest(array['refuse', 'who', 'audit_entry', 'may', 'is_owner', 'place_areas']) name;
