-- What a console's browser changes: api_NAME(arguments), called by console_request().

-- --- tickets: the life of a ticket answers, this only hands over ---

create or replace function onekey.console_command(district text, command text, ticket_id bigint, a jsonb, key text)
returns onekey.command_reply language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
begin
    return case command
        when 'claim' then onekey.ticket_claim(district, ticket_id, key)
        when 'renew' then onekey.ticket_renew(district, ticket_id)
        when 'answer' then onekey.ticket_answer(district, ticket_id, a ->> 'spoke_with', key)
        when 'dispatch' then onekey.ticket_dispatch(district, ticket_id,
            array(select jsonb_array_elements_text(a -> 'helpers')), a ->> 'name', key)
        when 'result' then onekey.ticket_result(district, ticket_id, (a ->> 'helper_id')::bigint, a ->> 'result', key)
        when 'scene' then onekey.ticket_scene(district, ticket_id, (a ->> 'helper_id')::bigint, key)
        when 'verify' then onekey.ticket_verify(district, ticket_id, a ->> 'how', key)
        when 'close' then onekey.ticket_close(district, ticket_id, a ->> 'outcome', a ->> 'note', (a ->> 'signals')::integer, key)
        when 'hold' then onekey.ticket_hold(district, ticket_id, a ->> 'reason', (a ->> 'seconds')::integer,
            (a ->> 'return_priority')::integer, key)
        when 'hand_over' then onekey.ticket_hand_over(district, ticket_id, a ->> 'to', key)
        when 'release' then onekey.ticket_release(district, ticket_id, key)
        when 'merge' then onekey.ticket_merge(district, ticket_id, (a ->> 'into')::bigint, key)
        when 'reopen' then onekey.ticket_reopen(district, ticket_id, a ->> 'reason', key)
        when 'note' then onekey.ticket_note(district, ticket_id, a ->> 'text', key)
        when 'strike' then onekey.ticket_strike(district, ticket_id, (a ->> 'event_id')::bigint, key)
        when 'mark_test' then onekey.ticket_mark_test(district, ticket_id, key)
    end;
end $$;

create or replace function onekey.api_command(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    reply onekey.command_reply;
begin
    reply := onekey.console_command((onekey.console_me()).district, arguments ->> 'command', (arguments ->> 'id')::bigint,
                                coalesce(arguments -> 'body', '{}'), arguments ->> 'key');
    if reply is null then
        return onekey.console_error(404, 'not_found', 'there is no such command');
    end if;
    return (case when reply.ok then 200 when reply.code = 'forbidden' then 403
                 when reply.code = 'not_found' then 404 else 409 end, to_jsonb(reply), null)::onekey.console_answer;
end $$;

create or replace function onekey.api_shift(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    me onekey.app_user := onekey.console_me();
    whose text := coalesce(arguments #>> '{body,user}', me.name);
    given integer := onekey.set_shift(arguments #>> '{body,action}', whose, left(arguments #>> '{body,reason}', 200));
begin
    if given is null then
        return onekey.console_error(403, 'forbidden', 'you may not do that');
    end if;
    return onekey.console_ok(jsonb_build_object('given_back', given, 'shift', onekey.console_shift_of(me.district, whose)));
end $$;

-- --- people ---

create or replace function onekey.console_set_user(name text, body jsonb, is_new boolean) returns onekey.console_answer
language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    me onekey.app_user := onekey.console_me();
    known onekey.app_user;
    areas text[] := case when jsonb_typeof(body -> 'areas') = 'array'
                         then array(select jsonb_array_elements_text(body -> 'areas')) end;
begin
    select * into known from onekey.app_user u where u.district = me.district and u.name = console_set_user.name;
    if not onekey.may('set_user', me.district, 'user:' || name) then
        return onekey.console_error(403, 'forbidden', 'you may not do that');
    elsif is_new and known.name is not null then
        return onekey.console_error(409, 'exists', 'there is a user of that name');
    elsif not is_new and known.name is null then
        return onekey.console_error(404, 'not_found', 'there is no such user');
    elsif name = me.name and ((body ->> 'is_active')::boolean is false or body ->> 'role' <> me.role) then
        return onekey.console_error(400, 'invalid', 'nobody takes his own rights away');
    end if;
    perform onekey.set_user(me.district, name, coalesce(body ->> 'role', known.role), left(body ->> 'full_name', 100), areas,
                            body ->> 'password_hash', (body ->> 'is_active')::boolean);
    if (body ->> 'unlock')::boolean then
        delete from onekey.login_failure f where f.district = me.district and f.subject = 'user:' || name;
    end if;
    return onekey.console_ok('{"done": true}');
end $$;

create or replace function onekey.api_user_add(arguments jsonb) returns onekey.console_answer
language sql set search_path = onekey, pg_temp as $$
    select onekey.console_set_user(arguments #>> '{body,name}', arguments -> 'body', true)
$$;

create or replace function onekey.api_user_change(arguments jsonb) returns onekey.console_answer
language sql set search_path = onekey, pg_temp as $$
    select onekey.console_set_user(arguments ->> 'name', arguments -> 'body', false)
$$;

-- --- homes ---

create or replace function onekey.api_absence_add(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    body jsonb := arguments -> 'body';
    added bigint := onekey.set_absence((onekey.console_me()).district, (body ->> 'household_id')::bigint, body ->> 'reason',
        coalesce((body ->> 'from_at')::timestamptz, clock_timestamp()), (body ->> 'until_at')::timestamptz,
        left(body ->> 'note', 1000), (body ->> 'device_id')::bigint);
begin
    return case when added is null then onekey.console_refused('set_absence')
                else onekey.console_ok(jsonb_build_object('id', added)) end;
end $$;

create or replace function onekey.api_absence_end(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
begin
    return case when onekey.end_absence((onekey.console_me()).district, (arguments ->> 'id')::bigint,
                         coalesce((arguments #>> '{body,until_at}')::timestamptz, clock_timestamp()))
                then onekey.console_ok('{"done": true}') else onekey.console_refused('set_absence') end;
end $$;

-- Whether a contact's hours can be taken as they are, each null or missing where there are none.
create or replace function onekey.are_hours(contact jsonb) returns boolean
language sql immutable set search_path = onekey, pg_temp as $$
    select coalesce(contact ->> 'available_from' ~ '^([01][0-9]|2[0-3]):[0-5][0-9](:00)?$', true)
       and coalesce(contact ->> 'available_until' ~ '^([01][0-9]|2[0-3]):[0-5][0-9](:00)?$', true)
       and contact ->> 'available_from' is null = (contact ->> 'available_until' is null)
       and (coalesce(jsonb_typeof(contact -> 'available_days'), 'null') = 'null'
            or jsonb_typeof(contact -> 'available_days') = 'array' and jsonb_array_length(contact -> 'available_days') between 1 and 7
               and contact -> 'available_days' <@ '[1, 2, 3, 4, 5, 6, 7]')
$$;

create or replace function onekey.api_contacts_set(arguments jsonb) returns onekey.console_answer
language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    me onekey.app_user := onekey.console_me();
    home bigint := (arguments ->> 'id')::bigint;
    wanted jsonb := arguments #> '{body,contacts}';
    before jsonb;
begin
    if (onekey.home_for('set_contacts', me.district, home)).id is null then
        return onekey.console_refused('set_contacts');
    elsif jsonb_typeof(wanted) is distinct from 'array' or jsonb_array_length(wanted) > 20
          or exists (select from jsonb_array_elements(wanted) c
                     where coalesce(btrim(c ->> 'name'), '') = '' or coalesce(btrim(c ->> 'role'), '') = ''
                        or not coalesce(c ->> 'phone' ~ '^[0-9+() -]{3,32}$', false)
                        or length(c ->> 'name') > 100 or length(c ->> 'role') > 100) then
        return onekey.console_error(400, 'invalid', 'up to 20 contacts, each with role, name and phone');
    elsif exists (select from jsonb_array_elements(wanted) c where not onekey.are_hours(c)) then
        return onekey.console_error(400, 'invalid', 'hours are two times of day, HH:MM, or none; days are numbers, 1 for Monday');
    end if;
    perform from onekey.household h where h.district = me.district and h.id = home for no key update;
    select jsonb_agg(to_jsonb(c) - 'district' - 'household_id' order by c.position) into before
    from onekey.contact c where c.district = me.district and c.household_id = home;
    delete from onekey.contact c where c.district = me.district and c.household_id = home;
    -- Whoever says nothing of the hours of a contact leaves them as they were.
    insert into onekey.contact (district, household_id, position, role, name, phone, available_from, available_until, available_days)
    select me.district, home, c.nth, btrim(v.person ->> 'role'), btrim(v.person ->> 'name'), btrim(v.person ->> 'phone'),
           (v.person ->> 'available_from')::time, (v.person ->> 'available_until')::time,
           case when jsonb_typeof(v.person -> 'available_days') = 'array'
                then array(select jsonb_array_elements_text(v.person -> 'available_days')::smallint) end
    from jsonb_array_elements(wanted) with ordinality c(value, nth)
    cross join lateral (select coalesce((
        select b from jsonb_array_elements(before) b
        where b ->> 'name' = btrim(c.value ->> 'name') and b ->> 'phone' = btrim(c.value ->> 'phone') limit 1), '{}') || c.value) v(person);
    if arguments -> 'body' ? 'contact_first' then
        update onekey.household h set contact_first = (arguments #>> '{body,contact_first}')::boolean
        where h.district = me.district and h.id = home;
    end if;
    perform onekey.audit_entry(me.district, 'set_contacts', 'household:' || home, true, jsonb_build_object('before', before));
    return onekey.console_ok(jsonb_build_object('contacts', (
        select coalesce(jsonb_agg(to_jsonb(c) - 'district' - 'household_id' order by c.position), '[]')
        from onekey.contact c where c.district = me.district and c.household_id = home)));
end $$;

-- --- limits ---

create or replace function onekey.api_policy_set(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    known bigint := onekey.set_limit((onekey.console_me()).district, arguments -> 'body');
begin
    return case when known is null then onekey.console_refused('set_limits')
                else onekey.console_ok(jsonb_build_object('id', known)) end;
end $$;

create or replace function onekey.api_escalation_set(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    known bigint := onekey.set_escalation((onekey.console_me()).district, arguments -> 'body');
begin
    return case when known is null then onekey.console_refused('set_limits')
                else onekey.console_ok(jsonb_build_object('id', known)) end;
end $$;

create or replace function onekey.api_escalation_policy_set(arguments jsonb) returns onekey.console_answer
language sql set search_path = onekey, pg_temp as $$
    select case when onekey.set_escalation_policy((onekey.console_me()).district, arguments -> 'body')
                then onekey.console_ok('{"done": true}') else onekey.console_refused('set_limits') end
$$;

create or replace function onekey.api_disaster_set(arguments jsonb) returns onekey.console_answer
language plpgsql set search_path = onekey, pg_temp as $$
declare
    -- By its path it is told whether one begins or ends.
    known bigint := onekey.set_disaster((onekey.console_me()).district, case when arguments ? 'id'
        then jsonb_build_object('id', arguments -> 'id', 'remove', true) else (arguments -> 'body') - '{id,remove}'::text[] end);
begin
    return case when known is null then onekey.console_refused('set_disaster')
                else onekey.console_ok(jsonb_build_object('id', known)) end;
end $$;

-- --- contacts that were asked ---

create or replace function onekey.api_contact_result(arguments jsonb) returns onekey.console_answer
language sql set search_path = onekey, pg_temp as $$
    select case when onekey.contact_result((onekey.console_me()).district, (arguments ->> 'id')::bigint, arguments #>> '{body,result}')
                then onekey.console_ok('{"done": true}') else onekey.console_refused('result') end
$$;

-- A contact answers by the token of the notice that asked him: nobody is logged in.
create or replace function onekey.console_contact_reply(district text, token text, result text) returns onekey.console_answer
language sql set search_path = onekey, pg_temp as $$
    select case when onekey.contact_reply(console_contact_reply.district, console_contact_reply.token, console_contact_reply.result)
                then onekey.console_ok('{"done": true}')
                else onekey.console_error(404, 'not_found', 'nothing such is asked, or it is over') end
$$;
comment on function onekey.console_contact_reply(text, text, text) is 'The answer of a contact, who holds the token of its notice';

select onekey.grant_execute(name, 'onekey_console')
from unnest(array['console_command', 'api_command', 'api_shift', 'console_set_user', 'api_user_add', 'api_user_change',
    'api_absence_add', 'api_absence_end', 'api_contacts_set', 'api_policy_set', 'api_escalation_set',
    'api_escalation_policy_set', 'api_disaster_set', 'api_contact_result', 'console_contact_reply']) name;
select onekey.grant_execute('are_hours');
