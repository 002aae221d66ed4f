-- Care of closed days summarised once: nine of ten services are calls of care.

create table onekey.care_day (
    district text collate "C" not null,
    day date not null,
    task text collate "C" not null,
    area_id bigint,
    due integer not null,
    done integer not null,
    in_time integer not null,
    calls integer not null,
    unique nulls not distinct (district, day, task, area_id)
);
comment on table onekey.care_day is 'Care of closed days by task and area: made by roll_up_days()';
comment on column onekey.care_day.district is 'Code of the district';
comment on column onekey.care_day.day is 'The day, in the zone of the district';
comment on column onekey.care_day.task is 'What was promised';
comment on column onekey.care_day.area_id is 'Area of the home; none: it had none';
comment on column onekey.care_day.due is 'Promises that fell due on the day and of which something came';
comment on column onekey.care_day.done is 'Of these, those kept';
comment on column onekey.care_day.in_time is 'Of these, those kept in time';
comment on column onekey.care_day.calls is 'Calls made on the day, whenever they were due; no visits';

create table onekey.rolled_care (
    district text collate "C" not null,
    day date not null,
    rolled_at timestamptz not null,
    is_stale boolean not null default false,
    primary key (district, day)
);
comment on table onekey.rolled_care is 'Closed days that onekey.care_day holds';
comment on column onekey.rolled_care.district is 'Code of the district';
comment on column onekey.rolled_care.day is 'The day, in the zone of the district';
comment on column onekey.rolled_care.rolled_at is 'When it was last summarised';
comment on column onekey.rolled_care.is_stale is 'Whether something came of a promise or call of that day since';

-- What came of the promises of one day.
create index care_contact_due on onekey.care_contact (district, due_at);
