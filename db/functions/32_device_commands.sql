-- Commands to devices. A person asks (ask_device), every gateway of the district reads what waits
-- (waiting_device_commands), the one that has the device at hand takes it (take_device_commands) and only then sends it,
-- and says what came of it (device_command_result). Taking is one guarded update, so two gateways never send the same.
--
-- A command is sent twice at most: again by the same gateway when the device did not answer, or after its restart; by
-- another one when the first has been silent for twice as long as it waits for an answer.

create or replace function onekey.device_command_reply(ok boolean, code text, message text, id bigint default null)
returns onekey.command_reply language sql immutable set search_path = onekey, pg_temp as $$
    select row(ok, code, message, null, case when ok then 'waiting' end, null, null,
               case when ok then jsonb_build_object('command', id) end)::onekey.command_reply
$$;

-- What is wrong with the arguments of a command; null: nothing.
create or replace function onekey.device_command_fault(kind text, arguments jsonb) returns text
language sql immutable set search_path = onekey, pg_temp as $$
    select case
        when kind in ('locate', 'acknowledge') and arguments = '{}' then null
        when kind = 'interval' then case
            when arguments - 'seconds' = '{}' and jsonb_typeof(arguments -> 'seconds') = 'number'
                 and (arguments ->> 'seconds')::numeric between 10 and 86400
                 and (arguments ->> 'seconds')::numeric % 1 = 0 then null
            else 'an interval has 10 to 86400 whole seconds' end
        when kind = 'sos_numbers' then case
            when arguments - 'numbers' = '{}' and jsonb_typeof(arguments -> 'numbers') = 'array'
                 and jsonb_array_length(arguments -> 'numbers') between 1 and 3
                 and not exists (select from jsonb_array_elements(arguments -> 'numbers') n
                                 where jsonb_typeof(n) <> 'string' or n #>> '{}' !~ '^\+?[0-9]{3,20}$') then null
            else 'SOS numbers are one to three, each of 3 to 20 digits, with + in front or not' end
        when kind in ('locate', 'acknowledge') then format('%s takes no arguments', kind)
        else format('there is no command %s of a device', kind)
    end
$$;

create or replace function onekey.ask_device(district text, device_id bigint, kind text, arguments jsonb default '{}',
                                             expires_s integer default 86400)
returns onekey.command_reply language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    object text := 'device:' || device_id;
    device onekey.device;
    fault text := onekey.device_command_fault(kind, coalesce(arguments, '{}'));
    asked bigint;
begin
    if not onekey.may(case when kind in ('locate', 'acknowledge') then 'ask_device' else 'command_device' end,
                      district, object) then
        return onekey.device_command_reply(false, 'forbidden', 'this is not for your role');
    end if;
    select * into device from onekey.device d where d.district = ask_device.district and d.id = device_id for share;
    if device.id is null or not onekey.sees(district, onekey.area_of_household(district, device.household_id)) then
        return onekey.device_command_reply(false, 'not_found', format('there is no device %s', device_id));
    elsif fault is not null then
        return onekey.device_command_reply(false, 'invalid', fault);
    elsif expires_s not between 5 and 604800 then
        return onekey.device_command_reply(false, 'invalid', 'a command expires within 5 seconds to 7 days');
    elsif (select count(*) from onekey.device_command c where c.district = ask_device.district
           and c.device_id = ask_device.device_id and c.state = 'waiting' and c.expires_at > clock_timestamp()) >= 8 then
        return onekey.device_command_reply(false, 'too_many', 'eight commands wait for this device already');
    end if;
    insert into onekey.device_command (district, device_id, kind, arguments, asked_by, expires_at)
    values (district, device_id, kind, coalesce(arguments, '{}'), (onekey.who()).name,
            clock_timestamp() + expires_s * interval '1 second')
    returning id into asked;
    perform onekey.audit_entry(district, 'ask_device', object, true,
                               jsonb_build_object('command', asked, 'kind', kind));
    perform pg_notify('onekey_device_command', concat(district, ' ', device_id));
    return onekey.device_command_reply(true, 'ok', null, asked);
end $$;
comment on function onekey.ask_device(text, bigint, text, jsonb, integer) is
    'Asks something of a device: locate, interval, sos_numbers, acknowledge; detail.command is its number. Codes: forbidden, not_found, invalid, too_many';

-- A command whose time has passed is shown as expired, whether or not a gateway has noticed. SOS numbers are shown only to
-- who may set them.
create or replace function onekey.read_device_commands(district text, device bigint default null, rows integer default 100)
returns table (id bigint, device_id bigint, protocol text, identity text, kind text, arguments jsonb, asked_by text,
               asked_at timestamptz, expires_at timestamptz, state text, attempts integer, gateway text,
               sent_at timestamptz, finished_at timestamptz, answer text)
language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_column
declare
    sees_all boolean;
begin
    if not onekey.is_owner() and not onekey.may('ask_device', read_device_commands.district,
            coalesce('device:' || read_device_commands.device, 'devices')) then
        return;
    end if;
    sees_all := onekey.is_owner() or exists (
        select from onekey.role_command c where c.role = (onekey.who()).role and c.command = 'command_device');
    return query
    select c.id, c.device_id, d.protocol, d.identity, c.kind,
           case when sees_all then c.arguments else c.arguments - 'numbers' end, c.asked_by, c.asked_at, c.expires_at,
           case when c.state = 'waiting' and c.expires_at <= clock_timestamp() then 'expired' else c.state end,
           c.attempts, c.gateway, c.sent_at, c.finished_at, case when sees_all or c.kind <> 'sos_numbers' then c.answer end
    from onekey.device_command c
    join onekey.device d on d.district = c.district and d.id = c.device_id
    where c.district = read_device_commands.district
      and (read_device_commands.device is null or c.device_id = read_device_commands.device)
      and onekey.sees(c.district, onekey.area_of_household(c.district, d.household_id))
    order by c.id desc limit least(read_device_commands.rows, 1000);
end $$;
comment on function onekey.read_device_commands(text, bigint, integer) is
    'The last commands to one device, or to all that whoever asks may see';

-- --- for gateways ---

-- What may be sent: of these devices, or of all. left_us: microseconds until it expires. What has run out is ended first.
create or replace function onekey.waiting_device_commands(gateway text, district text, device_ids bigint[],
                                                          answer_s integer, rows integer)
returns table (id bigint, device_id bigint, protocol text, identity text, kind text, seconds integer, numbers text,
               left_us bigint)
language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_column
declare
    stale timestamptz := clock_timestamp() - 2 * answer_s * interval '1 second';
begin
    update onekey.device_command c
    set state = case c.state when 'waiting' then 'expired' else 'failed' end, finished_at = clock_timestamp(),
        answer = case c.state when 'waiting' then 'the device was not heard of in time' else 'no answer' end
    where c.district = waiting_device_commands.district
      and (c.state = 'waiting' and c.expires_at <= stale
           or c.state = 'sent' and c.sent_at <= stale and (c.attempts >= 2 or c.expires_at <= clock_timestamp()));
    return query
    select c.id, c.device_id, d.protocol, d.identity, c.kind, (c.arguments ->> 'seconds')::integer,
           (select string_agg(n, ',' order by place)
            from jsonb_array_elements_text(c.arguments -> 'numbers') with ordinality a(n, place)),
           (extract(epoch from c.expires_at - clock_timestamp()) * 1e6)::bigint
    from onekey.device_command c
    join onekey.device d on d.district = c.district and d.id = c.device_id
    where c.district = waiting_device_commands.district
      and (device_ids is null or c.device_id = any (device_ids))
      and (c.state = 'waiting'
           or c.state = 'sent' and c.attempts < 2 and (c.gateway = waiting_device_commands.gateway or c.sent_at <= stale))
    order by c.id limit waiting_device_commands.rows;
end $$;
comment on function onekey.waiting_device_commands(text, text, bigint[], integer, integer) is
    'Commands that this gateway may take; answer_s: how long gateways wait for an answer';

create or replace function onekey.take_device_commands(gateway text, district text, ids bigint[], answer_s integer)
returns setof bigint language sql security definer set search_path = onekey, pg_temp as $$
    update onekey.device_command c
    set state = 'sent', attempts = c.attempts + 1, sent_at = clock_timestamp(), gateway = take_device_commands.gateway
    where c.district = take_device_commands.district and c.id = any (ids) and c.expires_at > clock_timestamp()
      and (c.state = 'waiting'
           or c.state = 'sent' and c.attempts < 2 and (
               c.gateway = take_device_commands.gateway
               or c.sent_at <= clock_timestamp() - 2 * answer_s * interval '1 second'))
    returning c.id
$$;
comment on function onekey.take_device_commands(text, text, bigint[], integer) is
    'Those of them that this gateway is now to send; it may send no other';

-- An unsent one may be ended by any gateway (refused, expired), one that was sent by the gateway that took it.
create or replace function onekey.device_command_result(gateway text, district text, id bigint, state text, answer text)
returns boolean language sql security definer set search_path = onekey, pg_temp as $$
    with ended as (
        update onekey.device_command c
        set state = device_command_result.state, answer = left(device_command_result.answer, 200),
            finished_at = clock_timestamp()
        where c.district = device_command_result.district and c.id = device_command_result.id
          and (c.state = 'waiting' and device_command_result.state in ('refused', 'expired')
               or c.state = 'sent' and c.gateway = device_command_result.gateway)
        returning true
    )
    select exists (select from ended)
$$;
comment on function onekey.device_command_result(text, text, bigint, text, text) is
    'What came of a command: done, refused, failed or expired';

select onekey.grant_execute('ask_device', 'onekey_console');
select onekey.grant_execute('read_device_commands', 'onekey_console');
select onekey.grant_execute(name, 'onekey_gateway')
from unnest(array['waiting_device_commands', 'take_device_commands', 'device_command_result']) name;
select onekey.grant_execute(name) from unnest(array['device_command_reply', 'device_command_fault']) name;
