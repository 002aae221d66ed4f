-- What clients call. Each takes a key with which the same command may safely be sent again, and answers a
-- command_reply. Who acts stands in the session: onekey.act_as().

create or replace function onekey.ticket_claim(district text, ticket_id bigint, key text default null)
returns onekey.command_reply language sql security definer set search_path = onekey, pg_temp as $$
    select onekey.command_ticket('claim', ticket_claim.district, ticket_claim.ticket_id, '{}', ticket_claim.key)
$$;
comment on function onekey.ticket_claim(text, bigint, text) is
    'Makes the caller its owner, and of the home''s other tickets that nobody owns (detail: also); code taken: owner says whose it is';

create or replace function onekey.ticket_renew(district text, ticket_id bigint)
returns onekey.command_reply language sql security definer set search_path = onekey, pg_temp as $$
    select onekey.command_ticket('renew', ticket_renew.district, ticket_renew.ticket_id, '{}')
$$;
comment on function onekey.ticket_renew(text, bigint) is 'Its owner is still there; a claim without any work lapses all the same in the end';

create or replace function onekey.ticket_answer(district text, ticket_id bigint, spoke_with text default null,
                                                key text default null)
returns onekey.command_reply language sql security definer set search_path = onekey, pg_temp as $$
    select onekey.command_ticket('answer', ticket_answer.district, ticket_answer.ticket_id,
                                 jsonb_build_object('spoke_with', ticket_answer.spoke_with), ticket_answer.key)
$$;
comment on function onekey.ticket_answer(text, bigint, text, text) is 'Someone spoke with the person';

create or replace function onekey.ticket_dispatch(district text, ticket_id bigint, helpers text[],
                                                  name text default null, key text default null)
returns onekey.command_reply language sql security definer set search_path = onekey, pg_temp as $$
    select onekey.command_ticket('dispatch', ticket_dispatch.district, ticket_dispatch.ticket_id,
        jsonb_build_object('helpers', ticket_dispatch.helpers, 'name', ticket_dispatch.name), ticket_dispatch.key)
$$;
comment on function onekey.ticket_dispatch(text, bigint, text[], text, text) is
    'These helpers were sent or told, in parallel: one entry of the checklist each';

create or replace function onekey.ticket_result(district text, ticket_id bigint, helper_id bigint, result text,
                                                key text default null)
returns onekey.command_reply language sql security definer set search_path = onekey, pg_temp as $$
    select onekey.command_ticket('result', ticket_result.district, ticket_result.ticket_id,
        jsonb_build_object('helper', ticket_result.helper_id, 'result', ticket_result.result), ticket_result.key)
$$;
comment on function onekey.ticket_result(text, bigint, bigint, text, text) is 'What came of one entry of the checklist';

create or replace function onekey.ticket_scene(district text, ticket_id bigint, helper_id bigint default null,
                                               key text default null)
returns onekey.command_reply language sql security definer set search_path = onekey, pg_temp as $$
    select onekey.command_ticket('scene', ticket_scene.district, ticket_scene.ticket_id,
                                 jsonb_build_object('helper', ticket_scene.helper_id), ticket_scene.key)
$$;
comment on function onekey.ticket_scene(text, bigint, bigint, text) is 'A helper is there';

create or replace function onekey.ticket_verify(district text, ticket_id bigint, how text default null,
                                                key text default null)
returns onekey.command_reply language sql security definer set search_path = onekey, pg_temp as $$
    select onekey.command_ticket('verify', ticket_verify.district, ticket_verify.ticket_id,
                                 jsonb_build_object('how', ticket_verify.how), ticket_verify.key)
$$;
comment on function onekey.ticket_verify(text, bigint, text, text) is 'The cause is confirmed by a person or a second source';

create or replace function onekey.ticket_close(district text, ticket_id bigint, outcome text, note text default null,
                                               signals integer default null, key text default null)
returns onekey.command_reply language sql security definer set search_path = onekey, pg_temp as $$
    select onekey.command_ticket('close', ticket_close.district, ticket_close.ticket_id, jsonb_build_object(
        'outcome', ticket_close.outcome, 'text', ticket_close.note, 'signals', ticket_close.signals), ticket_close.key)
$$;
comment on function onekey.ticket_close(text, bigint, text, text, integer, text) is
    'Closes with an outcome of its kind. signals: how many presses the caller has seen; code pressed_again: there were more';

create or replace function onekey.ticket_hold(district text, ticket_id bigint, reason text, seconds integer,
                                              return_priority integer default null, key text default null)
returns onekey.command_reply language sql security definer set search_path = onekey, pg_temp as $$
    select onekey.command_ticket('hold', ticket_hold.district, ticket_hold.ticket_id, jsonb_build_object(
        'reason', ticket_hold.reason, 'seconds', ticket_hold.seconds,
        'return_priority', ticket_hold.return_priority), ticket_hold.key)
$$;
comment on function onekey.ticket_hold(text, bigint, text, integer, integer, text) is
    'Puts it aside for so long, up to the cap of its class; any new alarm of the home brings it back at once';

create or replace function onekey.ticket_hand_over(district text, ticket_id bigint, receiver text, key text default null)
returns onekey.command_reply language sql security definer set search_path = onekey, pg_temp as $$
    select onekey.command_ticket('hand_over', ticket_hand_over.district, ticket_hand_over.ticket_id,
                                 jsonb_build_object('to', ticket_hand_over.receiver), ticket_hand_over.key)
$$;
comment on function onekey.ticket_hand_over(text, bigint, text, text) is 'Makes a colleague its owner';

create or replace function onekey.ticket_release(district text, ticket_id bigint, key text default null)
returns onekey.command_reply language sql security definer set search_path = onekey, pg_temp as $$
    select onekey.command_ticket('release', ticket_release.district, ticket_release.ticket_id, '{}', ticket_release.key)
$$;
comment on function onekey.ticket_release(text, bigint, text) is 'Gives it back to the queue';

create or replace function onekey.ticket_merge(district text, ticket_id bigint, into_id bigint, key text default null)
returns onekey.command_reply language sql security definer set search_path = onekey, pg_temp as $$
    select onekey.command_ticket('merge', ticket_merge.district, ticket_merge.ticket_id,
                                 jsonb_build_object('into', ticket_merge.into_id), ticket_merge.key)
$$;
comment on function onekey.ticket_merge(text, bigint, bigint, text) is 'Closes it because another of its class stands for it';

create or replace function onekey.ticket_reopen(district text, ticket_id bigint, reason text default null,
                                                key text default null)
returns onekey.command_reply language sql security definer set search_path = onekey, pg_temp as $$
    select onekey.command_ticket('reopen', ticket_reopen.district, ticket_reopen.ticket_id,
                                 jsonb_build_object('text', ticket_reopen.reason), ticket_reopen.key)
$$;
comment on function onekey.ticket_reopen(text, bigint, text, text) is 'Begins a further episode of a closed ticket';

create or replace function onekey.ticket_note(district text, ticket_id bigint, note text, key text default null)
returns onekey.command_reply language sql security definer set search_path = onekey, pg_temp as $$
    select onekey.command_ticket('note', ticket_note.district, ticket_note.ticket_id,
                                 jsonb_build_object('text', ticket_note.note), ticket_note.key)
$$;
comment on function onekey.ticket_note(text, bigint, text, text) is 'Adds a note; it may be struck, never deleted';

create or replace function onekey.ticket_strike(district text, ticket_id bigint, note_event_id bigint,
                                                key text default null)
returns onekey.command_reply language sql security definer set search_path = onekey, pg_temp as $$
    select onekey.command_ticket('strike', ticket_strike.district, ticket_strike.ticket_id,
                                 jsonb_build_object('event', ticket_strike.note_event_id), ticket_strike.key)
$$;
comment on function onekey.ticket_strike(text, bigint, bigint, text) is 'Strikes a note of one''s own; a supervisor, any';

create or replace function onekey.ticket_mark_test(district text, ticket_id bigint, key text default null)
returns onekey.command_reply language sql security definer set search_path = onekey, pg_temp as $$
    select onekey.command_ticket('mark_test', ticket_mark_test.district, ticket_mark_test.ticket_id, '{}',
                                 ticket_mark_test.key)
$$;
comment on function onekey.ticket_mark_test(text, bigint, text) is
    'It was only a test: lowest priority, may be closed with outcome test; a new alarm of the home takes the mark away';

-- Returns those of the tickets that had not been shown anywhere before.
create or replace function onekey.tickets_presented(district text, ticket_ids bigint[]) returns setof bigint
language plpgsql security definer set search_path = onekey, pg_temp as $$
#variable_conflict use_variable
declare
    shown bigint;
begin
    for shown in
        select t.id from onekey.ticket t
        where t.district = tickets_presented.district and t.id = any (ticket_ids) and t.presented_at is null
          and t.state <> 'closed'
        order by t.subject, t.kind, t.service_kind
    loop
        if (onekey.command_ticket('present', district, shown, '{}')).ok then
            return next shown;
        end if;
    end loop;
end $$;
comment on function onekey.tickets_presented(text, bigint[]) is 'A console has drawn these';

select onekey.grant_execute(name, 'onekey_console')
from unnest(array['ticket_claim', 'ticket_renew', 'ticket_answer', 'ticket_dispatch', 'ticket_result', 'ticket_scene', 'ticket_verify',
    'ticket_close', 'ticket_hold', 'ticket_hand_over', 'ticket_release', 'ticket_merge', 'ticket_reopen', 'ticket_note',
    'ticket_strike', 'ticket_mark_test', 'tickets_presented']) name;
