-- Each batch of alarms asks for tickets of its homes that are on hold or marked as a test. They are few, and this index
-- holds nothing else: whatever plan is chosen reads no other ticket.
create index ticket_put_aside on onekey.ticket (district, subject)
    where state <> 'closed' and (held_until is not null or is_test);
