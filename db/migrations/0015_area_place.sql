-- Where each area stands in the tree. Whatever shows, counts or limits tickets asks it, and a tree of hundreds of areas is
-- not to be walked for each of them. onekey.place_areas() fills it whenever areas change.
create table onekey.area_place (
    district text collate "C" not null,
    area_id bigint not null,
    path text not null,
    path_zh text not null,
    street_town_id bigint,
    above bigint[] not null,
    primary key (district, area_id),
    foreign key (district, area_id) references onekey.area (district, id) on delete cascade
);
comment on table onekey.area_place is 'Where each area stands among the others; onekey.place_areas() keeps it';
comment on column onekey.area_place.district is 'Code of the district';
comment on column onekey.area_place.area_id is 'The area';
comment on column onekey.area_place.path is 'Codes of the areas from the uppermost to itself, with / between';
comment on column onekey.area_place.path_zh is 'Their Chinese names';
comment on column onekey.area_place.street_town_id is 'The street-town that it is or belongs to; none: it stands above street-towns';
comment on column onekey.area_place.above is 'Itself, the area that it stands in, and so on upwards';

-- A page of the queue is read kind by kind, in this order; it stops at its end however few of its kinds there are.
drop index onekey.ticket_queue;
create index ticket_queue on onekey.ticket (district, kind, service_kind, priority, received_at, id)
    where state <> 'closed' and held_until is null;
create index ticket_owner on onekey.ticket (district, claimed_by) where state <> 'closed' and claimed_by is not null;
