-- Partitions ahead of time. Called once a day or so by whoever is connected; harmless at any time and
-- from several at once.

create or replace function onekey.maintain_partitions(at timestamptz default clock_timestamp())
returns table (action text, partition_name text)
language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_column
declare
    policy onekey.partition_policy;
    lower_at timestamptz;
    upper_at timestamptz;
    made name;
    stray boolean;
begin
    perform pg_advisory_xact_lock(hashtext('onekey.maintain_partitions'));
    for policy in select * from onekey.partition_policy order by table_name loop
        lower_at := date_trunc(policy.step, at, 'UTC');
        for i in 0 .. policy.ahead loop
            upper_at := (lower_at at time zone 'UTC' + ('1 ' || policy.step)::interval) at time zone 'UTC';
            made := onekey.partition_name(policy, lower_at);
            if to_regclass(format('onekey.%I', made)) is null then
                execute format('select exists (select from onekey.%I where %s)', policy.table_name || '_default',
                               onekey.partition_range(policy, lower_at, upper_at)) into stray;
                perform onekey.make_partition(policy, lower_at, upper_at, stray);
                action := 'created';
                partition_name := made;
                return next;
            end if;
            lower_at := upper_at;
        end loop;
        return query select 'dropped', onekey.drop_old_partitions(policy, at);
    end loop;
end $$;
comment on function onekey.maintain_partitions(timestamptz) is
    'Makes the partitions of the present and those ahead, drops those past their keeping; says what it did';

create or replace function onekey.partition_name(policy onekey.partition_policy, lower_at timestamptz)
returns name language sql stable as $$
    select (policy.table_name || to_char(lower_at at time zone 'UTC',
            case policy.step when 'month' then '_YYYY_MM' else '_YYYY_MM_DD' end))::name
$$;

create or replace function onekey.partition_range(policy onekey.partition_policy, lower_at timestamptz,
                                                  upper_at timestamptz)
returns text language sql stable as $$
    select format('%1$I >= %2$L and %1$I < %3$L', a.attname, lower_at, upper_at)
    from pg_partitioned_table p
    join pg_attribute a on a.attrelid = p.partrelid and a.attnum = p.partattrs[0]
    where p.partrelid = format('onekey.%I', policy.table_name)::regclass
$$;

-- `stray`: the default partition holds rows that belong here. It is then taken off, replaced by an
-- empty one, and its rows are put back through the parent, so that nothing is deleted or changed.
create or replace function onekey.make_partition(policy onekey.partition_policy, lower_at timestamptz,
                                                 upper_at timestamptz, stray boolean)
returns void language plpgsql set search_path = onekey, pg_temp as $$
declare
    parent text := format('onekey.%I', policy.table_name);
    spare text := format('onekey.%I', policy.table_name || '_default');
    made text := format('onekey.%I', onekey.partition_name(policy, lower_at));
begin
    if stray then
        execute format('alter table %s detach partition %s', parent, spare);
        execute format('alter table %s rename to %I', spare, policy.table_name || '_stray');
    end if;
    execute format('create table %s (like %s including defaults including constraints)', made, parent);
    execute format('alter table %s attach partition %s for values from (%L) to (%L)',
                   parent, made, lower_at, upper_at);
    if stray then
        execute format('create table %s (like %s including defaults including constraints)', spare, parent);
        execute format('alter table %s attach partition %s default', parent, spare);
        execute format('insert into %s select * from onekey.%I', parent, policy.table_name || '_stray');
        execute format('drop table onekey.%I', policy.table_name || '_stray');
    end if;
end $$;

create or replace function onekey.drop_old_partitions(policy onekey.partition_policy, at timestamptz)
returns setof text language plpgsql set search_path = onekey, pg_temp as $$
declare
    old record;
begin
    for old in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = format('onekey.%I', policy.table_name)::regclass
          and substring(pg_get_expr(c.relpartbound, c.oid) from $re$TO \('([^']+)'\)$re$)::timestamptz
              <= at - policy.keep
        order by c.relname
    loop
        execute format('drop table onekey.%I', old.relname);
        return next old.relname;
    end loop;
end $$;

select onekey.grant_execute('maintain_partitions', 'onekey_gateway', 'onekey_console');
select onekey.grant_execute('partition_name');
select onekey.grant_execute('partition_range');
select onekey.grant_execute('make_partition');
select onekey.grant_execute('drop_old_partitions');
select onekey.maintain_partitions();
