-- Re-openings are few, and each summary of days asks for those since.
create index ticket_event_reopened on onekey.ticket_event (district, at) where kind = 'reopened';
