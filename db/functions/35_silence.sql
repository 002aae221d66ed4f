-- The database's part in telling whether a silent meter matters: absences and other explanations as people enter
-- them, what closed tickets teach the detector, the copies of what it has learned, and what people read of it.

-- --- explanations ---

-- The home whose silence whoever acts may explain or set; its id is null if that is refused.
create or replace function onekey.home_for(command text, district text, household_id bigint)
returns onekey.household language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    home onekey.household;
    object text := 'household:' || household_id;
begin
    select * into home from onekey.household h where h.district = home_for.district and h.id = household_id;
    if onekey.is_owner() then
        return home;
    elsif not onekey.may(command, district, object) then
        return null;
    elsif home.id is null or not onekey.sees(district, home.area_id) then
        perform onekey.audit_entry(district, command, object, false);
        return null;
    end if;
    return home;
end $$;

-- Away or in hospital, or (device_id) a meter of the home that is being worked on. Returns its number; null: refused.
create or replace function onekey.set_absence(
    district text, household_id bigint, reason text, from_at timestamptz, until_at timestamptz default null,
    note text default null, device_id bigint default null)
returns bigint language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    home onekey.household := onekey.home_for('set_absence', district, household_id);
    added bigint;
begin
    if home.id is null then
        return null;
    elsif device_id is not null and not exists (
        select from onekey.device d where d.district = home.district and d.id = set_absence.device_id
          and d.household_id = home.id and d.kind = 'meter') then
        raise exception 'household % has no meter %', home.code, device_id using errcode = 'invalid_parameter_value';
    end if;
    insert into onekey.absence (district, household_id, device_id, reason, from_at, until_at, entered_by, note)
    values (home.district, home.id, device_id, reason, from_at, until_at, coalesce((onekey.who()).name, session_user), note)
    returning id into added;
    perform onekey.audit_entry(district, 'set_absence', 'household:' || household_id, true, jsonb_strip_nulls(
        jsonb_build_object('absence', added, 'reason', reason, 'from', from_at, 'until', until_at, 'device', device_id)));
    return added;
end $$;
comment on function onekey.set_absence(text, bigint, text, timestamptz, timestamptz, text, bigint) is
    'Explains the silence of a home (away, hospital), or of one of its meters (maintenance), from then on';

-- It ends at that moment; one that had not begun by then never was. False: refused, or there is no such absence.
create or replace function onekey.end_absence(district text, absence_id bigint, at timestamptz default clock_timestamp())
returns boolean language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    absence onekey.absence;
begin
    select * into absence from onekey.absence a where a.district = end_absence.district and a.id = absence_id for update;
    if (onekey.home_for('set_absence', district, absence.household_id)).id is null then
        return false;
    elsif absence.from_at >= at then
        delete from onekey.absence a where a.district = end_absence.district and a.id = absence_id;
    else
        update onekey.absence a set until_at = at where a.district = end_absence.district and a.id = absence_id;
    end if;
    perform onekey.audit_entry(district, 'end_absence', 'household:' || absence.household_id, true,
                               jsonb_build_object('absence', absence_id, 'at', at));
    return true;
end $$;
comment on function onekey.end_absence(text, bigint, timestamptz) is 'Ends an absence or a maintenance';

-- A home's own scheme, litres and hours; null: those of the configuration. False: refused.
create or replace function onekey.set_silence(district text, household_id bigint, scheme text default null,
                                              litres numeric default null, hours numeric default null)
returns boolean language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
begin
    if (onekey.home_for('set_silence', district, household_id)).id is null then
        return false;
    elsif scheme !~ '^[A-Za-z0-9_.-]{1,47}$' or litres not between 1 and 655 or hours not between 1 and 168 then
        raise exception 'a scheme is a word of 47 characters at most, litres go from 1 to 655, hours from 1 to 168'
            using errcode = 'invalid_parameter_value';
    end if;
    update onekey.household h
    set silence_scheme = scheme, silence_litres = litres, silence_hours = hours
    where h.district = set_silence.district and h.id = household_id;
    perform onekey.audit_entry(district, 'set_silence', 'household:' || household_id, true, jsonb_strip_nulls(
        jsonb_build_object('scheme', scheme, 'litres', litres, 'hours', hours)));
    return true;
end $$;
comment on function onekey.set_silence(text, bigint, text, numeric, numeric) is
    'How the silence of this home is judged';

-- --- what people found out ---

-- A closed ticket teaches the meter that raised it how right it was, and tells all meters of the home when somebody was met.
create or replace function onekey.learn_from_ticket() returns trigger
language plpgsql security definer set search_path = onekey, pg_temp as $$
declare
    learned text;
begin
    select o.lesson into learned from onekey.outcome o where o.ticket_kind = new.kind and o.name = new.outcome;
    if learned is null or new.household_id is null then
        return null;
    end if;
    insert into onekey.silence_lesson (district, protocol, identity, ticket_id, lesson, at)
    select new.district, d.protocol, d.identity, new.id, case when d.id = new.device_id then learned else 'life' end,
           coalesce(new.verified_at, new.closed_at)
    from onekey.device d
    where d.district = new.district and d.household_id = new.household_id and d.kind = 'meter'
      and (d.id = new.device_id or learned in ('ok_at_home', 'life'));
    if found then
        perform pg_notify('onekey_lesson', new.district);
    end if;
    return null;
end $$;
create or replace trigger learn after update of state on onekey.ticket
    for each row when (new.state = 'closed' and old.state <> 'closed' and not new.is_test)
    execute function onekey.learn_from_ticket();

-- Lessons behind `after`, in their order. A gateway asks from 0 again and again: what a meter has taken is known to its state.
create or replace function onekey.lessons_due(district text, after bigint)
returns table (id bigint, protocol text, identity text, lesson text, at timestamptz)
language sql stable security definer set search_path = onekey, pg_temp as $$
    select l.id, l.protocol, l.identity, l.lesson, l.at from onekey.silence_lesson l
    where l.district = lessons_due.district and l.id > after order by l.id limit 100
$$;
comment on function onekey.lessons_due(text, bigint) is 'What meters have yet to learn, for the gateways';

-- --- what meters have learned ---

-- The newer of two copies stays. Lessons that a copy holds are done.
create or replace function onekey.store_profiles(
    gateway text, district text, protocols text[], identities text[], numbers bigint[], kept_ats timestamptz[],
    lesson_ids bigint[], states bytea[], details jsonb[])
returns void language sql security definer set search_path = onekey, pg_temp as $$
    insert into onekey.meter_profile as p (district, protocol, identity, gateway, number, kept_at, lesson_id, state, detail)
    select distinct on (n.protocol, n.identity) store_profiles.district, n.protocol, n.identity, store_profiles.gateway,
           n.number, n.kept_at, n.lesson_id, n.state, n.detail
    from unnest(protocols, identities, numbers, kept_ats, lesson_ids, states, details)
         as n(protocol, identity, number, kept_at, lesson_id, state, detail)
    order by n.protocol, n.identity, n.kept_at desc
    on conflict (district, protocol, identity) do update
    set gateway = excluded.gateway, number = excluded.number, kept_at = excluded.kept_at,
        lesson_id = excluded.lesson_id, state = excluded.state, detail = excluded.detail
    where excluded.kept_at >= p.kept_at;
    delete from onekey.silence_lesson l
    using unnest(protocols, identities, lesson_ids) as n(protocol, identity, lesson_id)
    where l.district = store_profiles.district and l.protocol = n.protocol and l.identity = n.identity
      and l.id <= n.lesson_id;
$$;
comment on function onekey.store_profiles(text, text, text[], text[], bigint[], timestamptz[], bigint[], bytea[], jsonb[]) is
    'Stores copies of what meters have learned';

create or replace function onekey.profiles_of(district text, protocols text[], identities text[])
returns table (protocol text, identity text, state bytea)
language sql stable security definer set search_path = onekey, pg_temp as $$
    select wanted.protocol, wanted.identity, p.state
    from unnest(protocols, identities) as wanted(protocol, identity)
    left join onekey.meter_profile p on p.district = profiles_of.district and p.protocol = wanted.protocol
                               and p.identity = wanted.identity
$$;
comment on function onekey.profiles_of(text, text[], text[]) is 'The copies for meters of which a gateway knows nothing; null where there is none';

-- To be called several times a minute: a gateway knows of one absence a home and of what follows it only when it reads the home again.
create or replace function onekey.tell_next_absences(district text) returns void
language sql security definer set search_path = onekey, pg_temp as $$
    select pg_notify('onekey_device', concat(d.district, ' ', d.id))
    from onekey.absence ended
    join onekey.device d on d.district = ended.district and d.household_id = ended.household_id
    where ended.district = tell_next_absences.district
      and ended.until_at between clock_timestamp() - interval '1 minute' and clock_timestamp()
      and exists (select from onekey.absence next where next.district = ended.district
                  and next.household_id = ended.household_id and next.from_at >= ended.until_at)
    limit 1000
$$;
comment on function onekey.tell_next_absences(text) is
    'Has gateways read homes again in which one absence has just ended and another will come';

-- --- what people read of it ---

-- Litres of a meter in each clock hour since `since`, from its readings; a total's rise counts in the hour it was read in.
create or replace function onekey.litres_by_hour(district text, protocol text, identity text, since timestamptz)
returns table (hour timestamptz, litres numeric) language sql stable set search_path = onekey, pg_temp as $$
    select date_trunc('hour', r.at), round(sum(greatest(r.ml, 0)) / 1000.0, 1)
    from (select coalesce(m.at, m.received_at) as at,
                 coalesce(m.interval_ml, m.total_ml - lag(m.total_ml) over (order by coalesce(m.at, m.received_at))) as ml
          from onekey.meter_reading m
          where m.district = litres_by_hour.district and m.protocol = litres_by_hour.protocol
            and m.identity = litres_by_hour.identity and m.received_at >= since - interval '1 day') r
    where r.at >= since and r.ml is not null
    group by 1
$$;

-- What is expected of a meter in the 24 hours up to now, as its profile says, beside what ran.
create or replace function onekey.silence_curve(profile onekey.meter_profile, now timestamptz) returns jsonb
language sql stable set search_path = onekey, pg_temp as $$
    select jsonb_agg(jsonb_build_object('hour', h.hour, 'expected',
               profile.detail -> case when extract(isodow from h.local) >= 6 then 'weekend' else 'weekday' end
                              -> extract(hour from h.local)::integer,
               'litres', l.litres) order by h.hour)
    from (select s.hour, s.hour at time zone 'UTC' + make_interval(secs => (profile.detail ->> 'offset_s')::integer) as local
          from generate_series(date_trunc('hour', now) - interval '23 hours', date_trunc('hour', now),
                               interval '1 hour') s(hour)) h
    left join onekey.litres_by_hour(profile.district, profile.protocol, profile.identity,
                                    date_trunc('hour', now) - interval '23 hours') l on l.hour = h.hour
$$;

-- All that is known of the silence of a home; null: there is no such home, or it is not for whoever asks.
create or replace function onekey.read_silence(district text, household_id bigint)
returns jsonb language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    home onekey.household := onekey.home_for('read_household', district, household_id);
begin
    if home.id is null then
        return null;
    end if;
    perform onekey.audit_entry(district, 'read_silence', 'household:' || home.id, true);
    return jsonb_build_object(
        'household', home.code,
        'settings', jsonb_build_object('scheme', home.silence_scheme, 'litres', home.silence_litres,
                                       'hours', home.silence_hours),
        'meters', (
            select coalesce(jsonb_agg(jsonb_build_object('protocol', d.protocol, 'identity', d.identity,
                       'kept_at', p.kept_at, 'profile', p.detail,
                       'curve', case when p.district is not null then onekey.silence_curve(p, clock_timestamp()) end)
                       order by d.id), '[]')
            from onekey.device d
            left join onekey.meter_profile p on p.district = d.district and p.protocol = d.protocol and p.identity = d.identity
            where d.district = home.district and d.household_id = home.id and d.kind = 'meter'),
        'absences', (
            select coalesce(jsonb_agg(to_jsonb(a) - 'district' - 'household_id' order by a.from_at), '[]')
            from onekey.absence a where a.district = home.district and a.household_id = home.id
              and (a.until_at is null or a.until_at > clock_timestamp() - interval '30 days')),
        'tickets', (
            select coalesce(jsonb_agg(to_jsonb(t) order by t.received_at desc), '[]')
            from (select t.id, t.received_at, t.state, t.outcome, o.lesson, t.closed_at, t.detail -> 'rules' as rules
                  from onekey.ticket t
                  left join onekey.outcome o on o.ticket_kind = t.kind and o.name = t.outcome
                  where t.district = home.district and t.household_id = home.id and t.kind = 'silence'
                  order by t.received_at desc limit 20) t),
        'explained', (
            select coalesce(jsonb_agg(to_jsonb(s) order by s.received_at desc), '[]')
            from (select s.received_at, s.identity, s.detail -> 'rules' as rules, s.detail -> 'reasons' as reasons
                  from onekey.device d join onekey.signal s on s.district = d.district and s.protocol = d.protocol
                       and s.identity = d.identity and s.kind = 'silence_explained'
                       and s.received_at > clock_timestamp() - interval '90 days'
                  where d.district = home.district and d.household_id = home.id and d.kind = 'meter'
                  order by s.received_at desc limit 20) s));
end $$;
comment on function onekey.read_silence(text, bigint) is
    'What the detector has learned of a home, what it expects and what ran, and what its alarms turned out to be; audited';

-- The same by the home's code, for who knows no number; of the only district that has one of it.
create or replace function onekey.read_silence(household text)
returns jsonb language plpgsql security definer set search_path = onekey, pg_temp as $$
declare
    home onekey.household;
begin
    select h.* into strict home from onekey.household h
    where h.code = household and ((onekey.who()).district is null or h.district = (onekey.who()).district);
    return onekey.read_silence(home.district, home.id);
exception
    when no_data_found then return null;
    when too_many_rows then
        raise exception 'several districts have a household %', household using errcode = 'invalid_parameter_value';
end $$;
comment on function onekey.read_silence(text) is 'The same of the household of that code';

select onekey.grant_execute(name, 'onekey_console')
from unnest(array['set_absence', 'end_absence', 'set_silence', 'read_silence']) name;
select onekey.grant_execute(name, 'onekey_gateway')
from unnest(array['lessons_due', 'store_profiles', 'profiles_of', 'tell_next_absences']) name;
select onekey.grant_execute(name)
from unnest(array['home_for', 'learn_from_ticket', 'litres_by_hour', 'silence_curve']) name;
