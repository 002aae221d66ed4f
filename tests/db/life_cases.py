"""The life of a ticket, step by step: what each command does, and what it refuses."""
from database import equal, holds, parallel, signal


def panic(db, *more):
    db.raises(signal(1, "panic"), *more)


def walk(db, name, *steps):
    """Gives commands one after the other; all must succeed."""
    for command, *arguments in steps:
        equal(db.command(name, command, *arguments), "done")


def test_an_alarm_goes_its_whole_way(db):
    panic(db)
    walk(db, "li", ("claim", 1), ("answer", 1, "the person"), ("dispatch", 1, "{120,family,neighbourhood}"),
         ("result", 1, 2, "no_answer"), ("scene", 1, 1), ("verify", 1, "crew"), ("note", 1, "taken along"),
         ("close", 1, "taken_to_hospital"))
    equal(db.events(1), ["raised", "claimed", "answered", "dispatched", "helper_result", "on_scene", "verified", "note",
                         "closed"])
    equal(db.ticket(1, "state, outcome, claimed_by, claimed_at < answered_at, answered_at < dispatched_at,"
                       " dispatched_at < on_scene_at, on_scene_at < verified_at, verified_at < closed_at"),
          "closed|taken_to_hospital|li|t|t|t|t|t")
    equal(db.sql("select helper, result, result_by, arrived_at is not null from onekey.ticket_helper order by id"),
          "120|||t\nfamily|no_answer|li|f\nneighbourhood|||f")
    equal(db.sql("select distinct actor, origin from onekey.ticket_event where kind <> 'raised'"), "li|desk 1")
    equal(db.sql("select detail->>'step' from onekey.ticket_event where kind = 'dispatched'"), "claimed>dispatched")


def test_the_loser_of_a_claim_learns_who_won(db):
    panic(db)
    equal(db.command("li", "claim", 1), "done")
    equal(db.command("zhao", "claim", 1, columns="ok, code, owner"), "f|taken|li")
    holds("belongs to li since ", db.command("zhao", "claim", 1, columns="message"))
    equal(db.command("li", "claim", 1), "already_yours")
    equal(db.command("zhao", "answer", 1), "not_owner")
    equal(db.events(1), ["raised", "claimed"])


def test_claiming_takes_the_other_tickets_of_the_home(db):
    panic(db, signal(2, "fall"), signal(3, "low_battery"), signal(4, "panic", "w2"))
    equal(db.command("zhao", "claim", 3), "done")
    equal(db.sql("select id, claimed_by from onekey.ticket order by id"), "1|zhao\n2|zhao\n3|zhao\n4|")
    equal(db.sql("select detail->>'with' from onekey.ticket_event where ticket_id = 2 and kind = 'claimed'"), "3")
    db.raises(signal(5, "wander"))
    equal(db.command("li", "claim", 5, columns="code, detail"), "done|")
    equal(db.ticket(1, "claimed_by"), "zhao")


def test_the_same_key_again_changes_nothing(db):
    panic(db)
    first = db.command("li", "claim", 1, "k1", columns="*")
    equal(db.command("li", "claim", 1, "k1", columns="*"), first)
    replies = parallel([lambda: db.command("li", "note", 1, "once", "k2", columns="*")] * 4)
    equal(len(set(replies)), 1)
    equal(db.events(1), ["raised", "claimed", "note"])
    equal(db.command("li", "answer", 1, "x", "k1", columns="code, message"),
          'invalid|key "k1" was given to claim of ticket 1')
    equal(db.command("zhao", "claim", 1, "k1"), "taken")  # a key is its sender's own
    equal(db.command("zhao", "note", 1, "", "k3"), "invalid")
    equal(db.command("zhao", "note", 1, "better", "k3"), "done")  # what was refused is not remembered


def test_what_the_table_does_not_hold_is_refused(db):
    panic(db)
    equal(db.command("li", "answer", 1), "wrong_state")
    equal(db.command("li", "reopen", 1, columns="code, message"), "wrong_state|ticket 1 is open; it must be closed")
    equal(db.command("li", "close", 1, "false_press"), "wrong_state")
    equal(db.command("li", "answer", 77), "not_found")
    equal(db.command("li", "claim", 1), "done")
    holds("it must be dispatched, on_scene", db.command("li", "scene", 1, columns="message"))
    equal(db.command("li", "dispatch", 1, "{rocket}", columns="code"), "invalid")
    equal(db.command("li", "dispatch", 1, "{}"), "invalid")
    equal(db.events(1), ["raised", "claimed"])
    equal(db.sql("select count(*) from onekey.ticket_helper"), "0")


def test_an_alarm_closes_only_once_somebody_has_spoken_or_verified(db):
    panic(db)
    walk(db, "li", ("claim", 1))
    equal(db.command("li", "close", 1, "false_press"), "not_answered")
    walk(db, "li", ("answer", 1))
    holds("it has called_back, deceased", db.command("li", "close", 1, "nonsense", columns="message"))
    equal(db.command("li", "close", 1, "merged"), "invalid")  # by merging only
    equal(db.command("li", "close", 1, "test"), "invalid")  # not marked as one
    walk(db, "li", ("close", 1, "false_press"))
    holds("ticket 1 is closed by li (false_press)", db.command("zhao", "claim", 1, columns="message"))


def test_a_press_taken_back_is_called_back(db):
    panic(db, signal(2, "cancel"))
    walk(db, "li", ("claim", 1))
    equal(db.command("li", "close", 1, "called_back"), "not_answered")
    walk(db, "li", ("answer", 1), ("close", 1, "called_back"))


def test_silence_cannot_close_unverified(db):
    db.raises(signal(1, "silence"))
    walk(db, "li", ("claim", 1), ("answer", 1))
    equal(db.command("li", "close", 1, "person_well"), "wrong_state")
    equal(db.command("li", "mark_test", 1), "wrong_state")
    walk(db, "li", ("dispatch", 1, "{volunteer}"), ("scene", 1))
    equal(db.command("li", "close", 1, "person_well"), "wrong_state")
    walk(db, "li", ("verify", 1, "volunteer"), ("close", 1, "person_well"))


def test_helpers_sent_after_all_must_be_verified_again(db):
    panic(db)
    walk(db, "li", ("claim", 1), ("verify", 1), ("dispatch", 1, "{120}"))
    equal(db.ticket(1, "state, verified_at is null"), "dispatched|t")
    equal(db.command("li", "close", 1, "helped_at_home"), "wrong_state")
    walk(db, "li", ("scene", 1), ("verify", 1), ("close", 1, "helped_at_home"))
    equal(db.ticket(1, "dispatched_at < verified_at"), "t")


def test_services_live_shortly_and_a_rescue_like_an_alarm(db):
    db.raises(signal(1, "service", service_kind="taxi"), signal(2, "service", service_kind="rescue"))
    walk(db, "li", ("claim", 1))
    equal(db.command("li", "dispatch", 1, "{120}"), "wrong_state")
    walk(db, "li", ("close", 1, "arranged"))
    equal(db.command("li", "close", 2, "helped_at_home"), "not_answered")
    walk(db, "li", ("dispatch", 2, "{120}"), ("verify", 2), ("close", 2, "helped_at_home"))


def test_care_calls_have_a_list_of_their_own(db):
    panic(db, signal(2, "care_call", "w2"))
    equal(db.sql("select id from onekey.v_open_tickets"), "1")
    equal(db.sql("select id from onekey.v_care_calls"), "2")
    walk(db, "li", ("claim", 2), ("answer", 2), ("close", 2, "well"))


def test_a_claim_not_worked_on_returns_and_the_supervisor_is_told(db):
    panic(db)
    walk(db, "li", ("claim", 1))
    equal(db.sql("select onekey.expire_tickets('D')"), "0")
    notices = db.sql("listen onekey_supervisor; select onekey.expire_tickets('D', now() + interval '61 s')")
    holds('"onekey_supervisor" with payload "D 1 claim_expired li"', notices)
    equal(db.ticket(1, "state, claimed_by, state_at is null, claimed_at is not null"), "open||t|t")
    equal(db.events(1)[-1], "claim_expired")
    walk(db, "zhao", ("claim", 1), ("answer", 1))
    equal(db.sql("select onekey.expire_tickets('D', now() + interval '61 s')"), "0")  # it is worked on
    walk(db, "zhao", ("dispatch", 1, "{120}"))
    equal(db.sql("select onekey.expire_tickets('D', now() + interval '1 h')"), "1")
    equal(db.ticket(1, "state, claimed_by"), "dispatched|")
    holds("belongs to nobody: claim it first", db.command("zhao", "scene", 1, columns="message"))
    walk(db, "li", ("claim", 1), ("scene", 1))


def test_a_claim_can_be_renewed_but_not_for_ever(db):
    panic(db)
    walk(db, "li", ("claim", 1), ("renew", 1))
    equal(db.command("zhao", "renew", 1), "not_owner")
    db.sql("update onekey.ticket set owned_at = owned_at - interval '4 min 30 s'")
    walk(db, "li", ("renew", 1))
    equal(db.ticket(1, "claim_until = owned_at + interval '5 min'"), "t")
    equal(db.events(1), ["raised", "claimed"])


def test_hold_has_a_reason_a_cap_and_a_return_priority(db):
    panic(db)
    walk(db, "li", ("claim", 1))
    equal(db.command("li", "hold", 1, "waits", 60), "not_answered")
    walk(db, "li", ("answer", 1))
    equal(db.command("li", "hold", 1, " ", 60), "invalid")
    equal(db.command("li", "hold", 1, "waits", 1801, columns="message"), "it may be held for 1 to 1800 seconds")
    equal(db.command("li", "hold", 1, "waits", 60, 9), "invalid")
    walk(db, "li", ("hold", 1, "waits", 60, 3))
    equal(db.ticket(1, "state, claimed_by, held_by, hold_reason, priority"), "open||li|waits|1")
    equal(db.sql("select onekey.expire_tickets('D')"), "0")
    equal(db.sql("select onekey.expire_tickets('D', now() + interval '61 s')"), "1")
    equal(db.ticket(1, "state, held_until is null, held_by, priority"), "open|t||3")
    equal(db.events(1)[-2:], ["held", "hold_ended"])


def test_any_new_alarm_of_the_home_breaks_a_hold(db):
    panic(db, signal(2, "panic", "w2"))
    hold = [("answer", 1), ("hold", 1, "waits", 60, 3)]
    walk(db, "li", ("claim", 1), *hold)
    db.raises(signal(3, "panic", "w2"), signal(4, "low_battery"), signal(1, "panic"))  # another home, a device, a replay
    equal(db.ticket(1, "held_until is not null"), "t")
    db.raises(signal(5, "fall"))
    equal(db.ticket(1, "held_until is null, priority"), "t|1")
    walk(db, "li", ("claim", 1), *hold)
    db.raises(signal(6, "cancel"))
    equal(db.ticket(1, "held_until is null"), "t")
    walk(db, "li", ("claim", 1), *hold, ("claim", 1))
    equal(db.events(1)[-3:], ["held", "hold_ended", "claimed"])


def test_a_restore_closes_what_is_held_too(db):
    db.raises(signal(1, "low_battery"))
    walk(db, "li", ("claim", 1), ("hold", 1, "waits", 60))
    equal(db.raises(signal(2, "battery_restored")), [(2, 1, "closed", False)])
    equal(db.ticket(1, "outcome, held_until is null"), "restored|t")


def test_handing_over_and_giving_back(db):
    panic(db)
    walk(db, "li", ("claim", 1))
    for receiver in ["guest", "nobody", "li"]:
        equal(db.command("li", "hand_over", 1, receiver), "invalid")
    equal(db.command("zhao", "hand_over", 1, "zhao"), "not_owner")
    walk(db, "li", ("hand_over", 1, "zhao"))
    equal(db.command("li", "answer", 1, columns="code, owner"), "not_owner|zhao")
    walk(db, "wang", ("hand_over", 1, "wang"))  # a supervisor may take it
    walk(db, "wang", ("answer", 1), ("release", 1))
    equal(db.ticket(1, "state, claimed_by"), "open|")
    equal(db.sql("select detail->>'from', detail->>'to' from onekey.ticket_event where kind = 'handed_over' order by id"),
          "li|zhao\nzhao|wang")


def test_merging_stays_within_a_class(db):
    panic(db, signal(2, "panic", "ghost"), signal(3, "silence"), signal(4, "low_battery", "ghost"))
    walk(db, "li", ("claim", 1), ("claim", 2))
    for into in [2, 3, 4, 99]:
        equal(db.command("li", "merge", 2, into), "invalid")
    walk(db, "li", ("merge", 2, 1))
    equal(db.ticket(2, "state, outcome, merged_into"), "closed|merged|1")
    equal((db.events(1)[-1], db.events(2)[-1]), ("merged", "merged"))
    db.raises(signal(5, "panic", "ghost"))
    equal(db.command("li", "merge", 1, 2), "invalid")  # closed


def test_a_second_episode(db):
    panic(db)
    walk(db, "li", ("claim", 1), ("answer", 1), ("close", 1, "false_press"), ("reopen", 1, "called again"))
    equal(db.ticket(1, "state, episode, outcome, closed_at, claimed_by, answered_at is not null"), "open|2||||t")
    walk(db, "li", ("claim", 1))
    equal(db.command("li", "close", 1, "false_press"), "not_answered")  # not in this episode
    walk(db, "li", ("answer", 1), ("close", 1, "person_well"))
    db.raises(signal(2, "panic"))
    equal(db.command("li", "reopen", 1, columns="code, message"),
          "wrong_state|ticket 2 of the same kind is open for this home")


def test_notes_are_struck_and_never_deleted(db):
    panic(db)
    walk(db, "li", ("note", 1, "wrong"))
    note = db.sql("select id from onekey.ticket_event where kind = 'note'")
    equal(db.command("zhao", "strike", 1, note), "not_owner")
    equal(db.command("li", "strike", 1, 1), "invalid")  # no note
    walk(db, "li", ("strike", 1, note))
    equal(db.command("wang", "strike", 1, note), "invalid")
    walk(db, "li", ("note", 1, "also wrong"))
    walk(db, "wang", ("strike", 1, db.sql("select max(id) from onekey.ticket_event where kind = 'note'")))
    equal(db.sql("select detail->>'text' from onekey.ticket_event where kind = 'note' order by id"), "wrong\nalso wrong")


def test_a_new_press_is_never_taken_for_the_test_before_it(db):
    panic(db)
    walk(db, "li", ("claim", 1), ("mark_test", 1))
    equal(db.ticket(1, "is_test, priority"), "t|5")
    db.raises(signal(2, "panic"))
    equal(db.ticket(1, "is_test, priority"), "f|1")
    equal(db.command("li", "close", 1, "test"), "not_answered")
    walk(db, "li", ("mark_test", 1), ("close", 1, "test"))
    equal(db.events(1)[-3:], ["test_cleared", "marked_test", "closed"])


def test_closing_does_not_swallow_a_press_not_seen(db):
    panic(db)
    walk(db, "li", ("claim", 1), ("answer", 1))
    db.raises(signal(2, "panic"))
    equal(db.command("li", "close", 1, "false_press", None, 1), "pressed_again")
    walk(db, "li", ("close", 1, "false_press", None, 2))


def test_what_a_console_first_draws_is_stamped_once(db):
    panic(db, signal(2, "panic", "w2"))
    equal(db.act("li", "select onekey.tickets_presented('D', '{1,2}')"), "1\n2")
    equal(db.act("zhao", "select onekey.tickets_presented('D', '{2,1}')"), "")
    equal(db.events(2), ["raised", "presented"])


def test_stamps_never_run_backwards(db):
    panic(db)
    walk(db, "li", ("claim", 1))
    db.sql("update onekey.ticket set claimed_at = now() + interval '1 h'")
    walk(db, "li", ("answer", 1), ("verify", 1), ("close", 1, "person_well"))
    equal(db.ticket(1, "claimed_at <= answered_at and answered_at <= verified_at and verified_at <= closed_at"), "t")
