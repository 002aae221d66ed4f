-- Tickets may be given to people instead of being taken by them.

alter table onekey.escalation_policy add column fair_assignment boolean not null default false;
comment on column onekey.escalation_policy.fair_assignment is
    'Whether a ticket on the queue is given at once to the operator on duty who has the fewest';
