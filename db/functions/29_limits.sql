-- How a district sets its time limits, its escalation steps, and how contacts are asked. What is set is a JSON object of
-- columns: with `id` it changes that row, else it adds one; with `remove` too it takes the row away. Rows of district * are
-- never changed. Who may: role_command set_limits, or the schema's owner. Each change and each refusal stands in the audit.

-- Whether whoever acts may, and all that he names is known.
create or replace function onekey.may_set_limits(district text, object text, wanted jsonb, known text[]) returns boolean
language plpgsql set search_path = onekey, pg_temp as $$
declare
    strange text := (select string_agg(k, ', ') from jsonb_object_keys(wanted) k where k <> all (known));
begin
    if not onekey.is_owner() and not onekey.may('set_limits', district, object) then
        return false;
    elsif strange is not null or district = '*' then
        raise exception using errcode = 'invalid_parameter_value', message = coalesce(
            format('%s has no %s; it has %s', object, strange, array_to_string(known, ', ')), 'name a district');
    end if;
    return true;
end $$;

create or replace function onekey.set_limit(district text, wanted jsonb) returns bigint
language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    known bigint := (wanted ->> 'id')::bigint;
    area bigint := coalesce((wanted ->> 'area_id')::bigint, (
        select a.id from onekey.area a where a.district = set_limit.district and a.code = wanted ->> 'area'));
    before jsonb;
begin
    if not onekey.may_set_limits(district, 'policy', wanted, '{id,remove,kind,service_kind,priority,area,area_id,measure,warn_s,breach_s}') then
        return null;
    elsif area is null and wanted ->> 'area' is not null or area is not null and not exists (
              select from onekey.area a where a.district = set_limit.district and a.id = area) then
        raise exception 'the district has no such area' using errcode = 'invalid_parameter_value';
    end if;
    select to_jsonb(p) into before from onekey.sla_policy p where p.district = set_limit.district and p.id = known;
    if (wanted ->> 'remove')::boolean then
        delete from onekey.sla_policy p where p.district = set_limit.district and p.id = known returning p.id into known;
    elsif known is not null then
        update onekey.sla_policy p set warn_s = coalesce((wanted ->> 'warn_s')::integer, p.warn_s),
                                       breach_s = coalesce((wanted ->> 'breach_s')::integer, p.breach_s)
        where p.district = set_limit.district and p.id = known returning p.id into known;
    else
        insert into onekey.sla_policy (district, kind, service_kind, priority, area_id, measure, warn_s, breach_s)
        values (district, wanted ->> 'kind', wanted ->> 'service_kind', (wanted ->> 'priority')::smallint, area,
                wanted ->> 'measure', (wanted ->> 'warn_s')::integer, (wanted ->> 'breach_s')::integer)
        returning id into known;
    end if;
    if known is not null then
        perform onekey.audit_entry(district, 'set_limits', 'policy:' || known, true,
                                   jsonb_strip_nulls(wanted || jsonb_build_object('before', before)));
    end if;
    return known;
end $$;
comment on function onekey.set_limit(text, jsonb) is
    'Adds, changes (id) or takes away (id, remove) a time limit of the district: kind, service_kind, priority, area, measure, warn_s, breach_s. Its number; null: refused, or there is no such limit';

create or replace function onekey.set_escalation(district text, wanted jsonb) returns bigint
language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    known bigint := (wanted ->> 'id')::bigint;
    before jsonb;
begin
    if not onekey.may_set_limits(district, 'escalation', wanted, '{id,remove,kind_class,state,after_s,action,target}') then
        return null;
    end if;
    select to_jsonb(e) into before from onekey.escalation_step e where e.district = set_escalation.district and e.id = known;
    if (wanted ->> 'remove')::boolean then
        delete from onekey.escalation_step e where e.district = set_escalation.district and e.id = known returning e.id into known;
    elsif known is not null then
        update onekey.escalation_step e set after_s = coalesce((wanted ->> 'after_s')::integer, e.after_s),
                                            action = coalesce(wanted ->> 'action', e.action),
                                            target = case when wanted ? 'target' then wanted ->> 'target' else e.target end
        where e.district = set_escalation.district and e.id = known returning e.id into known;
    else
        insert into onekey.escalation_step (district, kind_class, state, after_s, action, target)
        values (district, wanted ->> 'kind_class', wanted ->> 'state', (wanted ->> 'after_s')::integer, wanted ->> 'action',
                wanted ->> 'target')
        returning id into known;
    end if;
    if known is not null then
        perform onekey.audit_entry(district, 'set_limits', 'escalation:' || known, true,
                                   jsonb_strip_nulls(wanted || jsonb_build_object('before', before)));
    end if;
    return known;
end $$;
comment on function onekey.set_escalation(text, jsonb) is
    'Adds, changes (id) or takes away (id, remove) an escalation step of the district: kind_class, state, after_s, action, target. Its number; null: refused, or there is no such step';

-- contact_by and supervisor_by: words with blanks or commas between them. What is not named stays as it is.
create or replace function onekey.set_escalation_policy(district text, wanted jsonb) returns boolean
language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    policy onekey.escalation_policy := onekey.escalation_policy_of(district);
    before jsonb := to_jsonb(policy);
begin
    if not onekey.may_set_limits(district, 'escalation_policy', wanted,
                                 '{accept_s,rounds,look_s,contact_first,contact_by,supervisor_by,fair_assignment}') then
        return false;
    end if;
    policy := jsonb_populate_record(policy, wanted - '{contact_by,supervisor_by}'::text[]);
    policy.district := district;
    policy.contact_by := coalesce(onekey.words(wanted ->> 'contact_by'), policy.contact_by);
    policy.supervisor_by := coalesce(onekey.words(wanted ->> 'supervisor_by'), policy.supervisor_by);
    delete from onekey.escalation_policy p where p.district = set_escalation_policy.district;
    insert into onekey.escalation_policy select (policy).*;
    perform onekey.audit_entry(district, 'set_limits', 'escalation_policy', true, wanted || jsonb_build_object('before', before));
    return true;
end $$;
comment on function onekey.set_escalation_policy(text, jsonb) is
    'How the district asks contacts, tells supervisors and gives out tickets: accept_s, rounds, look_s, contact_first, contact_by, supervisor_by, fair_assignment; false: refused';

create or replace function onekey.words(text text) returns text[]
language sql immutable set search_path = onekey, pg_temp as $$
    select case when words.text is not null then array(select w from regexp_split_to_table(words.text, '[\s,]+') w where w <> '') end
$$;

select onekey.grant_execute(name, 'onekey_console')
from unnest(array['set_limit', 'set_escalation', 'set_escalation_policy']) name;
select onekey.grant_execute(name) from unnest(array['may_set_limits', 'words']) name;
