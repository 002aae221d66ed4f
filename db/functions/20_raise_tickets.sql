-- The way of an alarm, its last step: from a batch of journaled signals to tickets.
--
-- Idempotent by (gateway, number, received_at): all three stand in the journal, so a replay brings the same
-- and changes nothing, and a number that was given again after a crash had lost its unsynced record
-- is not taken for a replay. The whole batch succeeds or fails; an error names the number at fault
-- where one is. Deadlocks and serialization failures (SQLSTATE class 40) are no fault of the batch: send it again.
--
-- A signal raises, restores or cancels (table signal_kind). Subjects that only raise, nearly all,
-- are stored by one statement for the whole batch; those with a restore or a cancel one signal
-- after the other, in the order of their numbers, because there the order decides.
--
-- Plans are made once and look rows up by index, whatever the statistics say: a batch is small beside the tables,
-- and a plan made while a partition was empty must do when it is full. For the same reason the look-ups
-- in large tables are lateral with a limit, which the planner cannot turn into a join of the whole table.
--
-- A test press is a ticket of its own kind and lowest priority: it is recorded and must be closed, and can
-- never be mixed up with an alarm, since another kind never bumps it. A cancel leaves the panic or fall open,
-- for the person is called back all the same.

create or replace function onekey.raise_tickets(
    gateway text, district text, numbers bigint[], protocols text[], identities text[], kinds text[],
    service_kinds text[], flag_lists text[], occurred_ats timestamptz[], received_ats timestamptz[],
    raws bytea[], details jsonb[])
returns table (number bigint, ticket_id bigint, state text, is_new boolean)
language plpgsql security definer set search_path = onekey, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    batch onekey.incoming[];
    ordered text[];
    item onekey.incoming;
begin
    -- One batch of a gateway at a time: a replay on a new connection waits for what the old one still does.
    perform pg_advisory_xact_lock(hashtext('onekey.gateway'), hashtext(raise_tickets.district || ' ' || gateway));
    batch := onekey.lower_devices(raise_tickets.district, onekey.resolve_signals(
        gateway, raise_tickets.district, numbers, protocols, identities, kinds, service_kinds, flag_lists, occurred_ats,
        received_ats, raws, details));
    select array_agg(distinct i.subject) into ordered from unnest(batch) i where i.action <> 'raise';
    if ordered is null then
        return query select * from onekey.open_or_bump(gateway, raise_tickets.district, batch);
        return;
    end if;
    return query select * from onekey.open_or_bump(gateway, raise_tickets.district, array(
        select i from unnest(batch) i where i.subject <> all (ordered)));
    for item in select * from unnest(batch) i where i.subject = any (ordered) order by i.number loop
        if item.action = 'raise' then
            return query select * from onekey.open_or_bump(gateway, raise_tickets.district, array[item]);
        else
            return query select * from onekey.settle(gateway, raise_tickets.district, item);
        end if;
    end loop;
end $$;
comment on function onekey.raise_tickets(text, text, bigint[], text[], text[], text[], text[], text[],
                                         timestamptz[], timestamptz[], bytea[], jsonb[]) is
    'Stores a batch of alarm-class signals and raises, bumps, restores or cancels their tickets; flag_lists are space-separated names';

-- The batch as records with what is known about device and kind. Refuses what cannot be stored, by number.
create or replace function onekey.resolve_signals(
    gateway text, district text, numbers bigint[], protocols text[], identities text[], kinds text[],
    service_kinds text[], flag_lists text[], occurred_ats timestamptz[], received_ats timestamptz[],
    raws bytea[], details jsonb[])
returns onekey.incoming[] language plpgsql stable as $$
#variable_conflict use_column
declare
    batch onekey.incoming[];
    has_fault boolean;
    item onekey.incoming;
begin
    select array_agg(row(
        i.number, case when k.ticket_kind = 'outage' then '' else coalesce(i.protocol, '') end,
        coalesce(i.identity, ''), i.kind,
        case when i.kind <> 'service' then 'none'
             when coalesce(i.service_kind, '') in ('', 'none') then 'other' else i.service_kind end,
        concat_ws(' ', nullif(i.flags, ''),
                  case when d.id is null and k.ticket_kind is distinct from 'outage' then 'unknown_device' end,
                  case when i.occurred_at not between i.received_at - interval '7 days'
                                              and i.received_at + interval '5 minutes'
                       then 'clock_wrong' end),
        i.occurred_at, i.received_at, i.raw, i.detail, d.id, d.household_id,
        case when k.ticket_kind = 'outage' then onekey.area_of_outage(resolve_signals.district, i.identity)
             else d.area_id end,
        case when k.ticket_kind = 'outage' then 'outage:' || i.identity
             else coalesce('household:' || d.household_id, concat(i.protocol, ':', i.identity)) end,
        k.action, k.ticket_kind, k.closes,
        coalesce(k.priority, s.priority, t.priority))::onekey.incoming),
        bool_or(i.number is null or i.received_at is null or not isfinite(i.received_at) or k.action is null
                or i.kind = 'service' and s.name is null)
    into batch, has_fault
    from unnest(numbers, protocols, identities, kinds, service_kinds, flag_lists, occurred_ats,
                received_ats, raws, details)
         as i(number, protocol, identity, kind, service_kind, flags, occurred_at, received_at, raw, detail)
    left join onekey.signal_kind k on k.name = i.kind
    left join onekey.ticket_kind t on t.name = k.ticket_kind
    left join onekey.service_kind s on i.kind = 'service' and s.name = coalesce(nullif(i.service_kind, ''), 'none')
    left join lateral (
        select d.id, d.household_id,
               (select h.area_id from onekey.household h where h.district = d.district and h.id = d.household_id)
        from onekey.device d
        where d.district = resolve_signals.district and d.protocol = i.protocol and d.identity = i.identity
        limit 1) d on k.ticket_kind is distinct from 'outage';

    if has_fault then
        select * into item from unnest(batch) i
        where i.number is null or i.received_at is null or not isfinite(i.received_at) or i.action is null
              or not exists (select from onekey.service_kind s where s.name = i.service_kind)
        limit 1;
        raise exception 'signal % of gateway %: %', item.number, gateway,
            case when item.number is null then 'has no number'
                 when item.received_at is null or not isfinite(item.received_at) then 'has no received_at'
                 when item.action is null then format('kind "%s" is not known', item.kind)
                 else format('service kind "%s" is not known', item.service_kind) end
            using errcode = 'invalid_parameter_value';
    end if;
    return batch;
end $$;

-- The area that an outage is of: 'area:17' -> 17. None where its cause is another.
create or replace function onekey.area_of_outage(district text, identity text) returns bigint
language sql stable as $$
    select a.id from onekey.area a
    where a.district = area_of_outage.district
      and a.id = case when identity ~ '^area:[0-9]{1,18}$' then substr(identity, 6)::bigint end
$$;

-- Signals that raise: one statement opens or bumps their tickets and records signals and events.
-- The unique index ticket_one_open decides between gateways; a ticket that closes in between is not bumped,
-- a new one is opened. Rows go in in one order, so that two batches do not wait for each other.
create or replace function onekey.open_or_bump(gateway text, district text, alarms onekey.incoming[])
returns table (number bigint, ticket_id bigint, state text, is_new boolean)
language plpgsql set enable_nestloop = off as $$
#variable_conflict use_column
declare
    done onekey.raised[];
begin
    with fresh as materialized (
        select i.*, row_number() over subject_kind as nth, count(*) over whole as signal_count,
               max(i.received_at) over whole as last_signal_at, min(i.priority) over whole as priority_now,
               string_agg(nullif(i.flags, ''), ' ') over whole as all_flags
        from unnest(alarms) i
        where (select s.number from onekey.signal s
               where s.district = open_or_bump.district and s.gateway = open_or_bump.gateway
                 and s.number = i.number and s.received_at = i.received_at limit 1) is null
          and (select m.number from onekey.same_message(open_or_bump.district, i) m) is null
        window subject_kind as (partition by i.subject, i.ticket_kind, i.service_kind order by i.number),
               whole as (partition by i.subject, i.ticket_kind, i.service_kind)
    ), candidate as materialized (
        select f.*, nextval('onekey.ticket_id_seq') as ticket_id from fresh f where f.nth = 1
        order by f.number
    ), ticket as (
        insert into onekey.ticket as t (
            district, id, kind, service_kind, priority, flags, subject, household_id, device_id, area_id,
            protocol, identity, signal_count, last_signal_at, pressed_at, received_at, detail)
        select open_or_bump.district, c.ticket_id, c.ticket_kind, c.service_kind, c.priority_now,
               onekey.flag_set(c.all_flags), c.subject, c.household_id, c.device_id, c.area_id, c.protocol,
               c.identity, c.signal_count, c.last_signal_at,
               case when strpos(c.flags, 'clock_wrong') = 0 then c.occurred_at end, c.received_at, c.detail
        from candidate c
        order by c.subject, c.ticket_kind, c.service_kind
        on conflict (district, subject, kind, service_kind) where state <> 'closed' do update
        set signal_count = t.signal_count + excluded.signal_count,
            last_signal_at = greatest(t.last_signal_at, excluded.last_signal_at),
            priority = least(t.priority, excluded.priority),
            -- An outage that grew says how many it is now.
            detail = case when t.kind = 'outage' then excluded.detail else t.detail end,
            flags = case when excluded.flags <@ t.flags then t.flags
                         else onekey.flag_set(array_to_string(t.flags || excluded.flags, ' ')) end
        returning id, subject, kind, service_kind, state
    ), outcome as materialized (
        select f.*, t.id as ticket_id, t.state as ticket_state, f.nth = 1 and t.id = c.ticket_id as is_new
        from fresh f
        join ticket t on t.subject = f.subject and t.kind = f.ticket_kind and t.service_kind = f.service_kind
        join candidate c on c.subject = f.subject and c.ticket_kind = f.ticket_kind
             and c.service_kind = f.service_kind
    ), signal as (
        insert into onekey.signal (district, gateway, number, received_at, protocol, identity, kind,
                                   service_kind, flags, ticket_id, occurred_at, raw, detail)
        select open_or_bump.district, open_or_bump.gateway, o.number, o.received_at, o.protocol, o.identity,
               o.kind, o.service_kind, onekey.flag_set(o.flags), o.ticket_id, o.occurred_at, o.raw, o.detail
        from outcome o
    ), event as (
        insert into onekey.ticket_event (district, ticket_id, kind, origin, number)
        select open_or_bump.district, o.ticket_id, case when o.is_new then 'raised' else 'pressed_again' end,
               open_or_bump.gateway, o.number
        from outcome o order by o.number
    )
    select array_agg(row(o.number, o.ticket_id, o.ticket_state, o.is_new)::onekey.raised) into done
    from outcome o;

    perform onekey.notify_tickets(open_or_bump.district, array(select d.ticket_id from unnest(done) d));
    if exists (select from onekey.ticket t
               where t.district = open_or_bump.district and t.state <> 'closed'
                 and t.subject = any (array(select i.subject from unnest(alarms) i))
                 and (t.held_until is not null or t.is_test)) then
        perform onekey.wake_tickets(open_or_bump.district, open_or_bump.gateway, array(
            select distinct i.subject from unnest(alarms) i join onekey.ticket_kind k on k.name = i.ticket_kind
            where k.class in ('alarm', 'water', 'service') and i.number in (select d.number from unnest(done) d)));
    end if;
    return query select d.number, d.ticket_id, d.state, d.is_new from unnest(done) d;
    if coalesce(cardinality(done), 0) < cardinality(alarms) then
        return query select * from onekey.replayed(gateway, open_or_bump.district, alarms, done);
    end if;
end $$;

-- A restore or a cancel: changes an open ticket of the same subject, if there is one. A record changes none.
create or replace function onekey.settle(gateway text, district text, item onekey.incoming)
returns table (number bigint, ticket_id bigint, state text, is_new boolean)
language plpgsql as $$
#variable_conflict use_column
declare
    is_proven boolean := strpos(coalesce(item.flags, ''), 'unauthenticated') = 0;
    event text := case when not is_proven then 'note' when item.action = 'cancel' then 'cancelled_by_person'
                       else 'restored' end;
    open_ids bigint[];
    into_id bigint;
    result text;
    ticket onekey.ticket;
begin
    if exists (select from onekey.signal s where s.district = settle.district and s.gateway = settle.gateway
               and s.number = item.number and s.received_at = item.received_at)
       or exists (select from onekey.same_message(settle.district, item)) then
        return query select * from onekey.replayed(gateway, settle.district, array[item], null);
        return;
    end if;
    -- The rows are locked, in the order in which all lock them, so that nobody claims or closes them meanwhile.
    -- The newest comes first.
    open_ids := array(select l.id from (
        select t.id from onekey.ticket t
        where t.district = settle.district and t.subject = item.subject and t.state <> 'closed' and item.action <> 'record'
          and (t.kind = item.ticket_kind or item.action = 'cancel' and t.kind = 'fall')
        order by t.kind, t.service_kind for no key update) l order by l.id desc);
    if item.action = 'cancel' and open_ids = '{}' then
        item.flags := concat_ws(' ', nullif(item.flags, ''), 'cancelled');
        return query select * from onekey.open_or_bump(gateway, settle.district, array[item]);
        return;
    end if;
    insert into onekey.signal (district, gateway, number, received_at, protocol, identity, kind, flags,
                               ticket_id, occurred_at, raw, detail)
    values (settle.district, settle.gateway, item.number, item.received_at, item.protocol, item.identity,
            item.kind, onekey.flag_set(item.flags), open_ids[1], item.occurred_at, item.raw, item.detail);
    insert into onekey.ticket_event (district, ticket_id, kind, origin, number, detail)
    select settle.district, id, event, settle.gateway, item.number,
           case when not is_proven then jsonb_build_object('unauthenticated', item.kind) end
    from unnest(open_ids) id;
    if is_proven and item.closes and onekey.all_restored(settle.district, open_ids[1]) then
        into_id := (select t.id from onekey.ticket t
                    where t.district = settle.district and t.kind = 'outage' and item.ticket_kind <> 'outage'
                      and t.subject = 'outage:' || (item.detail ->> 'outage') and t.state <> 'closed' limit 1);
        result := case when into_id is null then 'restored' else 'merged' end;
        update onekey.ticket t set state = 'closed', outcome = result, merged_into = into_id,
            closed_at = clock_timestamp(),
            held_until = null, held_by = null, hold_reason = null, return_priority = null
        where t.district = settle.district and t.id = open_ids[1] and t.state = 'open';
        insert into onekey.ticket_event (district, ticket_id, kind, origin, detail)
        select settle.district, open_ids[1], 'closed', settle.gateway,
               jsonb_strip_nulls(jsonb_build_object('outcome', result, 'merged_into', into_id)) where found;
    end if;
    perform onekey.notify_tickets(settle.district, open_ids);
    if item.action = 'cancel' then -- the person is called back, and at once
        perform onekey.wake_tickets(settle.district, settle.gateway, array[item.subject]);
    end if;
    select * into ticket from onekey.ticket t where t.district = settle.district and t.id = open_ids[1];
    return query select item.number, ticket.id, ticket.state::text, false;
end $$;

-- Whether the last that each device of this ticket said is that all is well again: two devices of one
-- home share a ticket, and the first that returns must not close it over the other.
create or replace function onekey.all_restored(home text, ticket bigint) returns boolean
language plpgsql stable as $$
begin
    return coalesce(bool_and(last.action = 'restore'), false) from (
        select distinct on (s.protocol, s.identity) k.action
        from onekey.ticket_event e
        cross join lateral (
            select s.* from onekey.signal s
            where s.district = home and s.gateway = e.origin and s.number = e.number and s.ticket_id = ticket
            limit 1) s
        join onekey.signal_kind k on k.name = s.kind
        where e.district = home and e.ticket_id = ticket
          and (k.action = 'raise' or not s.flags @> '{unauthenticated}')
        order by s.protocol, s.identity, s.received_at desc, s.number desc) last;
end $$;

-- The stored signals of which this one is a retransmission: the device gave it the same name. The gateway
-- recognises these itself; what reaches this far was stored before a crash took its record, or came by
-- another gateway. Names are unique to a device for a day, not for ever: some count in four digits. What was not
-- proven to be of the device never stands for what is.
create or replace function onekey.same_message(district text, item onekey.incoming)
returns setof onekey.signal language sql stable as $$ -- no SET, so that it is inlined
    select s.* from onekey.signal s
    where s.district = same_message.district and s.identity = item.identity
      and s.detail ->> 'message_id' = item.detail ->> 'message_id'
      and s.protocol = item.protocol and s.kind = item.kind
      and s.flags @> '{unauthenticated}' = (strpos(coalesce(item.flags, ''), 'unauthenticated') > 0)
      and s.received_at between item.received_at - interval '1 day' and item.received_at + interval '1 day'
    limit 1
$$;

-- What was answered for those of these signals that had been stored before and are not in `done`. The ticket is asked for,
-- and not joined: open_or_bump() allows no nested loop, and any other join reads all tickets of the district.
create or replace function onekey.replayed(gateway text, district text, alarms onekey.incoming[],
                                           done onekey.raised[])
returns table (number bigint, ticket_id bigint, state text, is_new boolean)
language sql stable as $$
    select i.number, s.ticket_id,
           (select t.state::text from onekey.ticket t where t.district = replayed.district and t.id = s.ticket_id), false
    from unnest(alarms) i
    cross join lateral (
        select s.ticket_id from onekey.signal s
        where s.district = replayed.district and s.gateway = replayed.gateway
          and s.number = i.number and s.received_at = i.received_at
        union
        select m.ticket_id from onekey.same_message(replayed.district, i) m) s
    where i.number not in (select d.number from unnest(done) d)
$$;

-- 'no_position stored no_position' -> {no_position,stored}
create or replace function onekey.flag_set(flags text) returns text[]
language plpgsql immutable parallel safe as $$
begin
    if coalesce(flags, '') = '' then
        return '{}';
    elsif strpos(flags, ' ') = 0 then
        return array[flags];
    end if;
    return array(select distinct f from string_to_table(flags, ' ') f where f <> '' order by f);
end $$;

-- Tells listeners, at commit, which tickets to read again: "DISTRICT ID ID ...", 300 ids a notice at most so that
-- it stays below the 8,000 bytes that a notice may have.
create or replace function onekey.notify_tickets(district text, ids bigint[]) returns void
language plpgsql as $$
declare
    named bigint[] := ids;
begin
    if cardinality(ids) > 1 then
        named := array(select distinct id from unnest(ids) id order by id);
    end if;
    for start in 1 .. coalesce(cardinality(named), 0) by 300 loop
        perform pg_notify('onekey_ticket', concat(district, ' ', array_to_string(named[start:start + 299], ' ')));
    end loop;
end $$;

select onekey.grant_execute('raise_tickets', 'onekey_gateway');
select onekey.grant_execute('resolve_signals');
select onekey.grant_execute('area_of_outage');
select onekey.grant_execute('open_or_bump');
select onekey.grant_execute('settle');
select onekey.grant_execute('all_restored');
select onekey.grant_execute('replayed');
select onekey.grant_execute('same_message');
select onekey.grant_execute('flag_set');
select onekey.grant_execute('notify_tickets');
