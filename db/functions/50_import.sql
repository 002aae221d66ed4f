-- What onekeyctl import may store. The rows of a file stand in the temporary table import_row(line, one text
-- column for each of the file's, null where empty). import_errors() says all that is wrong with them;
-- import_apply() stores them. Both run as whoever imports, who must own the tables or may write them.

create or replace function onekey.import_errors(kind text, district text, protocols text[], most integer)
returns table (line bigint, column_name text, value text, problem text, remedy text, total bigint)
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_column
declare
    home text := onekey.import_district(kind, district);
begin
    return query execute format(
        'select e.*, count(*) over () from onekey.check_%s($1, $2) e order by e.line, e.column_name limit $3',
        kind) using home, protocols, most;
end $$;
comment on function onekey.import_errors(text, text, text[], integer) is
    'What is wrong with the rows of import_row, the first so many in the order of lines, and how many in all';

create or replace function onekey.import_apply(kind text, district text)
returns table (added bigint, changed bigint) language plpgsql set search_path = onekey, pg_temp as $$
begin
    perform set_config('onekey.bulk', 'on', true); -- one notice to gateways, not one a row
    return query execute format('select * from onekey.apply_%s($1)', kind)
        using onekey.import_district(kind, district);
end $$;
comment on function onekey.import_apply(text, text) is 'Stores the rows of import_row, new or changed';

-- The district that rows belong to: the one told, else that of the file's own district row, else the only one.
create or replace function onekey.import_district(kind text, told text) returns text
language plpgsql set search_path = onekey, pg_temp as $$
declare
    known text[];
begin
    if told is null and kind = 'areas' then
        known := array(select distinct code from pg_temp.import_row where level = 'district' and code is not null);
    end if;
    if told is null and coalesce(known, '{}') = '{}' then
        known := array(select code from onekey.area where level = 'district');
    end if;
    if told is not null or cardinality(known) = 1 then
        return coalesce(told, known[1]);
    elsif cardinality(known) = 0 then
        raise exception 'there is no district yet' using hint =
            'Import areas first; they must hold one row of level district.';
    end if;
    raise exception 'there are several districts: %', array_to_string(known, ', ')
        using hint = 'Say which by --district CODE.';
end $$;

-- --- areas ---

create or replace function onekey.check_areas(home text, protocols text[])
returns table (line bigint, column_name text, value text, problem text, remedy text)
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_column
begin
    return query
    with known as (
        select r.code, r.level from pg_temp.import_row r
        union all
        select a.code, a.level from onekey.area a where a.district = home
            and not exists (select from pg_temp.import_row r where r.code = a.code)
    ), rank (level, depth) as (values ('district', 1), ('street_town', 2), ('neighbourhood', 3))
    select r.line, c.column_name, c.value, c.problem, c.remedy
    from (select r.*, lag(r.line) over (partition by r.code order by r.line) as before from pg_temp.import_row r) r
    left join rank on rank.level = r.level
    left join lateral (select k.level from known k where k.code = r.parent limit 1) p on true
    left join rank parent_rank on parent_rank.level = p.level
    left join onekey.area a on a.district = home and a.code = r.code
    cross join lateral (values
        ('code', r.code, 'is empty', 'give the code of the area', r.code is null),
        ('code', r.code, 'stands in line ' || r.before || ' already', 'remove one of them',
         r.code is not null and r.before is not null),
        ('code', r.code, 'is not the district ' || home, 'import one district at a time',
         r.level = 'district' and r.code <> home),
        ('code', r.code, 'may hold letters, digits, ".", "-" and "_", 32 at most', 'change it',
         r.level = 'district' and r.code !~ '^[A-Za-z0-9_.-]{1,32}$'),
        ('level', r.level, 'is no level', 'use district, street_town or neighbourhood', rank.depth is null),
        ('level', r.level, 'differs from the level it had, ' || a.level, 'give another area another code',
         rank.depth is not null and a.level <> r.level),
        ('parent', r.parent, 'is empty', 'give the code of the area it belongs to',
         rank.depth > 1 and r.parent is null),
        ('parent', r.parent, 'is given for a district', 'leave it empty', rank.depth = 1 and r.parent is not null),
        ('parent', r.parent, 'is no area', 'add a row for it, or correct the code',
         rank.depth > 1 and r.parent is not null and p.level is null),
        ('parent', r.parent, 'is not of a higher level', 'name the area above',
         rank.depth > 1 and parent_rank.depth >= rank.depth),
        ('name_zh', r.name_zh, 'is empty', 'give the Chinese name', r.name_zh is null)
    ) c(column_name, value, problem, remedy, wrong)
    where c.wrong;
end $$;

create or replace function onekey.apply_areas(home text)
returns table (added bigint, changed bigint) language plpgsql set search_path = onekey, pg_temp as $$
declare
    wanted text;
    new_count bigint;
    changed_count bigint;
begin
    added := 0;
    changed := 0;
    foreach wanted in array array['district', 'street_town', 'neighbourhood'] loop
        with stored as (
            insert into onekey.area as a (district, code, parent_id, level, name_zh, name_en)
            select home, r.code, p.id, r.level, r.name_zh, r.name_en
            from pg_temp.import_row r left join onekey.area p on p.district = home and p.code = r.parent
            where r.level = wanted
            on conflict (district, code) do update
            set parent_id = excluded.parent_id, name_zh = excluded.name_zh, name_en = excluded.name_en
            where (a.parent_id, a.name_zh, a.name_en)
                  is distinct from (excluded.parent_id, excluded.name_zh, excluded.name_en)
            returning xmax = 0 as is_new
        )
        select count(*) filter (where is_new), count(*) filter (where not is_new)
        into new_count, changed_count from stored;
        added := added + new_count;
        changed := changed + changed_count;
    end loop;
    return next;
end $$;

-- --- households ---

-- A number if the text is one, else null.
create or replace function onekey.number_of(value text) returns numeric language sql immutable as $$
    select case when value ~ '^[+-]?[0-9]{1,12}([.][0-9]{1,12})?$' then value::numeric end
$$;

create or replace function onekey.is_phone(value text) returns boolean language sql immutable as $$
    select value ~ '^[-+0-9 ()/,;*#x.]{3,64}$' and value ~ '[0-9]{3}'
$$;

create or replace function onekey.yes_no(value text) returns boolean language sql immutable as $$
    select case when lower(value) in ('yes', 'true', '1', 'y', 't', '是') then true
                when lower(value) in ('no', 'false', '0', 'n', 'f', '否') then false end
$$;

create or replace function onekey.check_households(home text, protocols text[])
returns table (line bigint, column_name text, value text, problem text, remedy text)
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select r.line, c.column_name, c.value, c.problem, c.remedy
    from (select r.*, lag(r.line) over (partition by r.code order by r.line) as before from pg_temp.import_row r) r
    left join onekey.area a on a.district = home and a.code = r.area
    cross join lateral (values
        ('code', r.code, 'is empty', 'give the code of the household', r.code is null),
        ('code', r.code, 'stands in line ' || r.before || ' already', 'remove one of them',
         r.code is not null and r.before is not null),
        ('area', r.area, 'is empty', 'give the code of its area', r.area is null),
        ('area', r.area, 'is no area of district ' || home, 'import the areas first, or correct the code',
         r.area is not null and a.id is null),
        ('address', r.address, 'is empty', 'give the address', r.address is null),
        ('resident', r.resident, 'is empty', 'give the name of who lives there', r.resident is null),
        ('birth_year', r.birth_year, 'is no year from 1880 to now', 'give four digits, or leave it empty',
         r.birth_year is not null and not coalesce(r.birth_year ~ '^[0-9]{4}$' and onekey.number_of(r.birth_year)
             between 1880 and extract(year from clock_timestamp()), false)),
        ('living_alone', r.living_alone, 'is neither yes nor no', 'use yes or no, or leave it empty',
         r.living_alone is not null and onekey.yes_no(r.living_alone) is null),
        ('phone', r.phone, 'is no telephone number', 'use digits, or leave it empty',
         r.phone is not null and not onekey.is_phone(r.phone)),
        ('lon', r.lon, 'is no longitude', 'use WGS-84 degrees from -180 to 180',
         r.lon is not null and not coalesce(onekey.number_of(r.lon) between -180 and 180, false)),
        ('lat', r.lat, 'is no latitude', 'use WGS-84 degrees from -90 to 90',
         r.lat is not null and not coalesce(onekey.number_of(r.lat) between -90 and 90, false)),
        ('lon', r.lon, 'is empty, and lat is not', 'give both or none', r.lon is null and r.lat is not null),
        ('lat', r.lat, 'is empty, and lon is not', 'give both or none', r.lat is null and r.lon is not null),
        ('silence_scheme', r.silence_scheme, 'is no name of a scheme',
         'use letters, digits, ".", "-" and "_", 47 at most, - for that of the configuration, or leave it empty',
         r.silence_scheme !~ '^[A-Za-z0-9_.-]{1,47}$'),
        ('silence_litres', r.silence_litres, 'is no number of litres from 1 to 655',
         'correct it, use - for that of the scheme, or leave it empty',
         r.silence_litres <> '-' and not coalesce(onekey.number_of(r.silence_litres) between 1 and 655, false)),
        ('silence_hours', r.silence_hours, 'is no number of hours from 1 to 168',
         'correct it, use - for that of the scheme, or leave it empty',
         r.silence_hours <> '-' and not coalesce(onekey.number_of(r.silence_hours) between 1 and 168, false))
    ) c(column_name, value, problem, remedy, wrong)
    where c.wrong;
end $$;

-- What is given of a home's silence is stored, "-" as null; what is not stays as it was, for supervisors set it too.
create or replace function onekey.apply_households(home text)
returns table (added bigint, changed bigint) language plpgsql set search_path = onekey, pg_temp as $$
begin
    return query
    with stored as (
        insert into onekey.household as h (district, code, area_id, address, phone, living_alone, notes,
                                           longitude, latitude, silence_scheme, silence_litres, silence_hours)
        select home, r.code, a.id, r.address, r.phone, onekey.yes_no(r.living_alone), r.notes,
               onekey.number_of(r.lon)::double precision, onekey.number_of(r.lat)::double precision,
               case when r.silence_scheme is null then old.silence_scheme else nullif(r.silence_scheme, '-') end,
               case when r.silence_litres is null then old.silence_litres else onekey.number_of(r.silence_litres) end,
               case when r.silence_hours is null then old.silence_hours else onekey.number_of(r.silence_hours) end
        from pg_temp.import_row r join onekey.area a on a.district = home and a.code = r.area
        left join onekey.household old on old.district = home and old.code = r.code
        on conflict (district, code) do update
        set area_id = excluded.area_id, address = excluded.address, phone = excluded.phone,
            living_alone = excluded.living_alone, notes = excluded.notes, longitude = excluded.longitude,
            latitude = excluded.latitude, silence_scheme = excluded.silence_scheme,
            silence_litres = excluded.silence_litres, silence_hours = excluded.silence_hours
        where (h.area_id, h.address, h.phone, h.living_alone, h.notes, h.longitude, h.latitude,
               h.silence_scheme, h.silence_litres, h.silence_hours)
              is distinct from (excluded.area_id, excluded.address, excluded.phone, excluded.living_alone,
                                excluded.notes, excluded.longitude, excluded.latitude,
                                excluded.silence_scheme, excluded.silence_litres, excluded.silence_hours)
        returning code, id, xmax = 0 as is_new
    ), lived_in as (
        insert into onekey.resident as p (district, household_id, position, name, birth_year, conditions)
        select home, coalesce(s.id, h.id), 1, r.resident, r.birth_year::smallint, r.conditions
        from pg_temp.import_row r
        left join stored s on s.code = r.code
        left join onekey.household h on h.district = home and h.code = r.code
        on conflict (district, household_id, position) do update
        set name = excluded.name, birth_year = excluded.birth_year, conditions = excluded.conditions
        where (p.name, p.birth_year, p.conditions)
              is distinct from (excluded.name, excluded.birth_year, excluded.conditions)
        returning household_id
    )
    select (select count(*) from stored where is_new),
           (select count(*) from (select id from stored where not is_new
                                  union select household_id from lived_in
                                  except select id from stored where is_new) c);
end $$;

-- --- contacts ---

create or replace function onekey.check_contacts(home text, protocols text[])
returns table (line bigint, column_name text, value text, problem text, remedy text)
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select r.line, c.column_name, c.value, c.problem, c.remedy
    from (select r.*, lag(r.line) over (partition by r.household, r."order" order by r.line) as before
          from pg_temp.import_row r) r
    left join onekey.household h on h.district = home and h.code = r.household
    cross join lateral (values
        ('household', r.household, 'is empty', 'give the code of the household', r.household is null),
        ('household', r.household, 'is no household of district ' || home,
         'import the households first, or correct the code', r.household is not null and h.id is null),
        ('order', r."order", 'is no number from 1 to 99', 'number the contacts of a household from 1',
         not coalesce(r."order" ~ '^[1-9][0-9]?$', false)),
        ('order', r."order", 'stands in line ' || r.before || ' already for this household',
         'number the contacts of a household from 1', r.before is not null and r."order" is not null),
        ('role', r.role, 'is empty', 'say who it is, such as family, key_holder or neighbourhood', r.role is null),
        ('name', r.name, 'is empty', 'give the name', r.name is null),
        ('phone', r.phone, 'is empty', 'give the number to call', r.phone is null),
        ('phone', r.phone, 'is no telephone number', 'use digits',
         r.phone is not null and not onekey.is_phone(r.phone)),
        ('available_from', r.available_from, 'is no time of day', 'write 08:00, or leave both times empty for all day',
         r.available_from is not null and not onekey.is_time_of_day(r.available_from)),
        ('available_until', r.available_until, 'is no time of day', 'write 20:00, or leave both times empty for all day',
         r.available_until is not null and not onekey.is_time_of_day(r.available_until)),
        ('available_until', r.available_until, 'goes with available_from', 'give both times, or neither',
         (r.available_from is null) <> (r.available_until is null)),
        ('available_days', r.available_days, 'is no list of days', 'write days as numbers, 1 for Monday: 1 2 3 4 5; empty: every day',
         not coalesce(r.available_days ~ '^[1-7]( [1-7])*$', true))
    ) c(column_name, value, problem, remedy, wrong)
    where c.wrong;
end $$;

create or replace function onekey.is_time_of_day(text text) returns boolean
language sql immutable set search_path = onekey, pg_temp as $$
    select is_time_of_day.text ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'
$$;

create or replace function onekey.apply_contacts(home text)
returns table (added bigint, changed bigint) language plpgsql set search_path = onekey, pg_temp as $$
declare
    -- A file that says nothing of hours leaves them as they were.
    says_hours boolean := exists (select from pg_temp.import_row r
                                  where r.available_from is not null or r.available_days is not null);
begin
    return query
    with stored as (
        insert into onekey.contact as c (district, household_id, position, role, name, phone,
                                         available_from, available_until, available_days)
        select home, h.id, r."order"::smallint, r.role, r.name, r.phone, r.available_from::time, r.available_until::time,
               string_to_array(r.available_days, ' ')::smallint[]
        from pg_temp.import_row r join onekey.household h on h.district = home and h.code = r.household
        on conflict (district, household_id, position) do update
        set role = excluded.role, name = excluded.name, phone = excluded.phone, available_from = case when says_hours then excluded.available_from else c.available_from end,
            available_until = case when says_hours then excluded.available_until else c.available_until end,
            available_days = case when says_hours then excluded.available_days else c.available_days end
        where (c.role, c.name, c.phone) is distinct from (excluded.role, excluded.name, excluded.phone)
           or says_hours and (c.available_from, c.available_until, c.available_days) is distinct from
                             (excluded.available_from, excluded.available_until, excluded.available_days)
        returning xmax = 0 as is_new
    )
    select count(*) filter (where is_new), count(*) filter (where not is_new) from stored;
end $$;

-- --- devices ---

create or replace function onekey.check_devices(home text, protocols text[])
returns table (line bigint, column_name text, value text, problem text, remedy text)
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select r.line, c.column_name, c.value, c.problem, c.remedy
    from (select r.*, lag(r.line) over (partition by r.protocol, r.identity order by r.line) as before
          from pg_temp.import_row r) r
    left join onekey.household h on h.district = home and h.code = r.household
    cross join lateral (values
        ('protocol', r.protocol, 'is no protocol', 'use one of ' || array_to_string(protocols, ', '),
         not coalesce(r.protocol = any (protocols), false)),
        ('identity', r.identity, 'is empty', 'give what the device calls itself', r.identity is null),
        ('identity', r.identity, 'is longer than 40 bytes', 'give what the device calls itself',
         octet_length(r.identity) > 40),
        ('identity', r.identity, 'stands in line ' || r.before || ' already for this protocol',
         'remove one of them', r.before is not null and r.identity is not null),
        ('kind', r.kind, 'is no kind of device', 'use call_box, wristband or meter',
         not coalesce(r.kind in ('call_box', 'wristband', 'meter'), false)),
        ('household', r.household, 'is no household of district ' || home,
         'import the households first, or leave it empty for a device in store',
         r.household is not null and h.id is null),
        ('report_interval_s', r.report_interval_s, 'is no number of seconds from 1 to 2678400',
         'give the seconds between two reports, or leave it empty',
         r.report_interval_s is not null and not coalesce(r.report_interval_s ~ '^[0-9]+$'
             and onekey.number_of(r.report_interval_s) between 1 and 2678400, false)),
        ('supervision', r.supervision, 'is no level of supervision', 'use 25h, 5h, 180s or 90s, or leave it empty',
         r.supervision is not null and onekey.supervision_s(r.supervision) is null),
        ('carrier', r.carrier, 'is longer than 15 bytes', 'give a short name of the network, or leave it empty',
         octet_length(r.carrier) > 15)
    ) c(column_name, value, problem, remedy, wrong)
    where c.wrong;
end $$;

-- '25h' -> 90000; null if there is no such level.
create or replace function onekey.supervision_s(level text) returns integer
language sql immutable as $$
    select case level when '25h' then 90000 when '5h' then 18000 when '180s' then 180 when '90s' then 90 end
$$;

create or replace function onekey.apply_devices(home text)
returns table (added bigint, changed bigint) language plpgsql set search_path = onekey, pg_temp as $$
begin
    return query
    with stored as (
        insert into onekey.device as d (district, protocol, identity, kind, household_id, report_interval_s, secret,
                                        supervision_s, carrier)
        select home, r.protocol, r.identity, r.kind, h.id, r.report_interval_s::integer, r.secret,
               onekey.supervision_s(r.supervision), r.carrier
        from pg_temp.import_row r left join onekey.household h on h.district = home and h.code = r.household
        on conflict (district, protocol, identity) do update
        set kind = excluded.kind, household_id = excluded.household_id,
            report_interval_s = excluded.report_interval_s, secret = excluded.secret,
            supervision_s = excluded.supervision_s, carrier = excluded.carrier
        where (d.kind, d.household_id, d.report_interval_s, d.secret, d.supervision_s, d.carrier)
              is distinct from (excluded.kind, excluded.household_id, excluded.report_interval_s, excluded.secret,
                                excluded.supervision_s, excluded.carrier)
        returning xmax = 0 as is_new
    )
    select count(*) filter (where is_new), count(*) filter (where not is_new) from stored;
end $$;

-- --- absences ---

-- A moment if the text is one, else null.
create or replace function onekey.moment_of(value text) returns timestamptz language plpgsql stable as $$
begin
    return case when isfinite(value::timestamptz) then value::timestamptz end;
exception when data_exception then
    return null;
end $$;

create or replace function onekey.check_absences(home text, protocols text[])
returns table (line bigint, column_name text, value text, problem text, remedy text)
language plpgsql set search_path = onekey, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select r.line, c.column_name, c.value, c.problem, c.remedy
    from (select r.*, onekey.moment_of(r."from") as from_at, onekey.moment_of(r.until) as until_at,
                 lag(r.line) over (partition by r.household, onekey.moment_of(r."from") order by r.line) as before
          from pg_temp.import_row r) r
    left join onekey.household h on h.district = home and h.code = r.household
    cross join lateral (values
        ('household', r.household, 'is empty', 'give the code of the household', r.household is null),
        ('household', r.household, 'is no household of district ' || home,
         'import the households first, or correct the code', r.household is not null and h.id is null),
        ('reason', r.reason, 'is no reason', 'use away or hospital', not coalesce(r.reason in ('away', 'hospital'), false)),
        ('from', r."from", 'is no moment', 'give one as 2026-11-22 08:00+08', r.from_at is null),
        ('from', r."from", 'stands in line ' || r.before || ' already for this household', 'remove one of them',
         r.from_at is not null and r.before is not null),
        ('until', r.until, 'is no moment', 'give one as 2026-11-22 08:00+08, or leave it empty if it is not known',
         r.until is not null and r.until_at is null),
        ('until', r.until, 'is not later than from', 'correct one of them', r.until_at <= r.from_at)
    ) c(column_name, value, problem, remedy, wrong)
    where c.wrong;
end $$;

-- The same household from the same moment on is the same absence.
create or replace function onekey.apply_absences(home text)
returns table (added bigint, changed bigint) language plpgsql set search_path = onekey, pg_temp as $$
begin
    return query
    with given as (
        select h.id as household_id, r.reason, onekey.moment_of(r."from") as from_at,
               onekey.moment_of(r.until) as until_at, r.note, a.id as absence_id
        from pg_temp.import_row r join onekey.household h on h.district = home and h.code = r.household
        left join onekey.absence a on a.district = home and a.household_id = h.id and a.device_id is null
                                  and a.from_at = onekey.moment_of(r."from")
    ), known as (
        update onekey.absence a set reason = g.reason, until_at = g.until_at, note = g.note
        from given g where a.district = home and a.id = g.absence_id
          and (a.reason, a.until_at, a.note) is distinct from (g.reason, g.until_at, g.note)
        returning a.id
    ), stored as (
        insert into onekey.absence (district, household_id, reason, from_at, until_at, entered_by, note)
        select home, g.household_id, g.reason, g.from_at, g.until_at, session_user, g.note
        from given g where g.absence_id is null
        returning id
    )
    select (select count(*) from stored), (select count(*) from known);
end $$;

select onekey.grant_execute(name) from unnest(array[
    'import_errors', 'import_apply', 'import_district', 'check_areas', 'apply_areas', 'number_of', 'is_phone',
    'yes_no', 'is_time_of_day', 'check_households', 'apply_households', 'check_contacts', 'apply_contacts', 'check_devices',
    'apply_devices', 'supervision_s', 'moment_of', 'check_absences', 'apply_absences']) name;
