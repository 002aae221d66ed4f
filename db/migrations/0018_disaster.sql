-- Disaster mode: a supervisor says that much is broken at once, and tickets of devices wait behind those of people.
create table onekey.disaster (
    district text collate "C" not null,
    id bigint generated always as identity,
    area_id bigint,
    reason text not null check (length(btrim(reason)) between 1 and 200),
    priority_offset smallint not null default 1 check (priority_offset between 1 and 4),
    started_at timestamptz not null default clock_timestamp(),
    started_by text,
    ended_at timestamptz,
    ended_by text,
    primary key (district, id),
    foreign key (district, area_id) references onekey.area (district, id),
    check (ended_at >= started_at)
);
comment on table onekey.disaster is 'When a supervisor had disaster mode on';
comment on column onekey.disaster.district is 'Code of the district';
comment on column onekey.disaster.id is 'Number of it';
comment on column onekey.disaster.area_id is 'In this area and all that belong to it; none: in the whole district';
comment on column onekey.disaster.reason is 'What has happened, as every screen tells it';
comment on column onekey.disaster.priority_offset is 'By how much tickets of devices are less urgent meanwhile';
comment on column onekey.disaster.started_at is 'Since when';
comment on column onekey.disaster.started_by is 'Who began it; none: the schema''s owner';
comment on column onekey.disaster.ended_at is 'Until when; none: it goes on';
comment on column onekey.disaster.ended_by is 'Who ended it';
create unique index disaster_running on onekey.disaster (district, coalesce(area_id, 0)) where ended_at is null;

insert into onekey.role_command values ('supervisor', 'set_disaster');

do $$
declare
    words text := (select substring(pg_get_constraintdef(c.oid) from 'ARRAY\[(.*)\]') from pg_constraint c
                   where c.contypid = 'onekey.event_word'::regtype and c.conname = 'event_word_check');
begin
    alter domain onekey.event_word drop constraint event_word_check;
    execute format('alter domain onekey.event_word add constraint event_word_check check (value = any (array[%s,'
                   ' ''priority_lowered''::text]))', words);
end $$;
