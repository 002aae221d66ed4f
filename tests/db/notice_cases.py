"""Notices: written with what decides on them, taken by one gateway at a time, retried, and given up."""
from database import array, equal, holds, parallel, signal


def enqueue(db, key, transport="webhook", destination="family", ticket="null", payload="{}"):
    place = "null" if destination is None else f"'{destination}'"
    return db.sql(f"select onekey.enqueue_notice('D', {ticket}, 'ticket.escalated', '{transport}', {place},"
                  f" '{payload}', '{key}')", "a_gateway")


def take(db, targets=(("webhook", "family"),), gateway="g1", room=9, person=False, lease_s=60,
         columns="target, message_id, attempts"):
    transports, names = zip(*targets)
    return db.sql(f"select {columns} from onekey.take_notices('{gateway}', 'D', {array(transports, 'text')},"
                  f" {array(names, 'text')}, {array([room] * len(targets), 'int')},"
                  f" {array([person] * len(targets), 'boolean')}, {lease_s}) order by id", "a_gateway").splitlines()


def failed(db, notice, retry="0", gateway="g1", first_s=10, ticket_s=900):
    return db.sql(f"select onekey.notice_failed('{gateway}', 'D', {notice}, 'HTTP 500', {retry}, {first_s}, 3600, 86400,"
                  f" {ticket_s})", "a_gateway")


def delivered(db, notice, gateway="g1"):
    return db.sql(f"select onekey.notice_delivered('{gateway}', 'D', {notice})", "a_gateway")


def due_now(db):
    db.sql("update onekey.outbox set next_try_at = now(), leased_until = null")


def told(db, ticket):
    return db.sql("select detail ->> 'result' from onekey.ticket_event where kind = 'notified'"
                  f" and ticket_id = {ticket} order by id").splitlines()


def lost(db):
    return db.sql("select state, coalesce(outcome, ''), signal_count from onekey.ticket where kind = 'notice_lost'"
                  " order by id").splitlines()


def test_the_same_key_is_one_notice(db):
    equal(len(set(parallel([lambda: enqueue(db, "k1")] * 6))), 1)
    equal(db.sql("select count(*) from onekey.outbox"), "1")
    holds('"onekey_notice"', db.sql("listen onekey_notice; select onekey.enqueue_notice('D', null, 'a.b', 'mail', null,"
                                    " '{}', 'k2')"))
    equal(db.sql("listen onekey_notice; select onekey.enqueue_notice('D', null, 'a.b', 'mail', null, '{}', 'k2')"),
          db.sql("select max(id) from onekey.outbox"))


def test_what_is_rolled_back_is_not_sent(db):
    db.sql("begin; select onekey.enqueue_notice('D', null, 'a.b', 'mail', 'm', '{}', 'k'); rollback")
    equal(take(db, [("mail", "m")]), [])


def test_two_gateways_never_take_the_same(db):
    for number in range(30):
        enqueue(db, f"k{number}")
    rows = parallel([lambda name=name: take(db, gateway=name, room=6, columns="id") for name in "abcde"])
    taken = [row for part in rows for row in part]
    equal((len(taken), len(set(taken))), (30, 30))
    equal(take(db), [])


def test_a_lease_that_ran_out_is_taken_again_under_the_same_id(db):
    enqueue(db, "k1")
    equal(take(db, lease_s=0), ["0|k1|1"])
    equal(take(db, gateway="g2"), ["0|k1|2"])
    equal(failed(db, 1), "")  # g1 comes late, and changes nothing
    equal(db.sql("select leased_by, last_error from onekey.outbox"), "g2|")
    equal(delivered(db, 1), "t")  # unless it has delivered
    equal((delivered(db, 1, "g2"), take(db)), ("f", []))


def test_a_gateway_that_starts_takes_its_own_at_once(db):
    enqueue(db, "k1")
    take(db)
    equal(db.sql("select onekey.release_notices('g2', 'D'), onekey.release_notices('g1', 'D')", "a_gateway"), "0|1")
    equal(take(db), ["0|k1|2"])


def test_a_notice_to_all_goes_once_to_each_target(db):
    enqueue(db, "k1", destination=None)
    enqueue(db, "k2", destination=None, transport="exec")
    targets = [("webhook", "family"), ("mail", "desk"), ("webhook", "street")]
    rows = sorted(take(db, targets))
    equal(rows[0], "0|k1|1")
    equal((len(rows), rows[1][:2], len(rows[1].split("|")[1])), (2, "2|", 64))  # "k1/street" as its hash
    equal(take(db, targets), [])
    equal(db.sql("select idempotency_key, destination from onekey.outbox order by id"),
          "k1|family\nk2|\nk1/street|street")


def test_a_bad_target_takes_only_its_own_room(db):
    for number in range(5):
        enqueue(db, f"bad{number}", destination="bad")
    enqueue(db, "good")
    equal(take(db, [("webhook", "bad"), ("webhook", "family")], room=2), ["0|bad0|1", "0|bad1|1", "1|good|1"])


def test_the_pause_grows_and_ends_after_a_day(db):
    enqueue(db, "k1")
    for low, high in [(5, 10), (10, 20), (20, 40), (40, 80)]:
        equal(len(take(db)), 1)
        pause = float(failed(db, 1))
        assert low <= pause <= high, (low, pause)
        equal(take(db), [])
        due_now(db)
    take(db)
    assert 900 <= float(failed(db, 1, retry="900")) <= 901  # the target said when
    due_now(db)
    db.sql("update onekey.outbox set queued_at = now() - interval '1 day'")
    take(db)
    equal(failed(db, 1), "")
    equal(db.sql("select state, last_error from onekey.v_notices"), "given_up|HTTP 500")
    equal(db.sql("select onekey.retry_notice('D', 1)"), "t")
    equal(take(db), ["0|k1|7"])
    equal(failed(db, 1, retry="null"), "")  # no use in trying again
    equal(db.sql("select state from onekey.v_notices"), "given_up")


def test_each_result_stands_in_the_tickets_record(db):
    ticket = db.raises(signal(1, "panic"))[0][1]
    enqueue(db, "k1", ticket=ticket)
    take(db)
    failed(db, 1)
    due_now(db)
    take(db)
    delivered(db, 1)
    equal(told(db, ticket), ["failed", "delivered"])
    equal(db.sql("select detail ->> 'destination', detail ->> 'attempts', origin from onekey.ticket_event"
                 " where kind = 'notified' order by id desc limit 1"), "family|2|g1")


def test_a_target_that_fails_for_long_is_one_ticket_that_closes_by_itself(db):
    ticket = db.raises(signal(1, "panic"))[0][1]
    enqueue(db, "k1", ticket=ticket)
    enqueue(db, "k2", ticket=ticket)
    for _ in range(2):
        take(db)
        failed(db, 1)
        due_now(db)
    equal(lost(db), [])
    db.sql("update onekey.notice_target set failing_since = now() - interval '901 s'")
    for _ in range(3):
        take(db)
        failed(db, 1)
        due_now(db)
    equal(lost(db), ["open||1"])
    equal(db.sql("select subject, detail ->> 'error', priority from onekey.ticket where kind = 'notice_lost'"),
          "notice:webhook:family|HTTP 500|2")
    take(db)
    failed(db, 1)
    db.sql("update onekey.outbox set next_try_at = now() + interval '1 h' where id = 1")
    delivered(db, 2)
    equal(lost(db), ["closed|restored|1"])
    equal(take(db), ["0|k1|7"])  # it need not wait any longer
    failed(db, 1)
    equal(lost(db), ["closed|restored|1"])  # another episode begins, and has its time
    due_now(db)
    take(db)
    failed(db, 1, ticket_s=0)
    equal(lost(db), ["closed|restored|1", "open||1"])
    number = db.sql("select max(id) from onekey.ticket")
    equal(db.command("li", "claim", number), "done")
    delivered(db, 1)
    equal(lost(db), ["closed|restored|1", "claimed||1"])  # who has it closes it
    equal(db.events(number), ["raised", "claimed", "restored"])
    equal(db.command("li", "close", number, "repaired"), "done")


def test_only_targets_that_ask_are_told_of_persons(db):
    db.sql("update onekey.household set phone = '000-0001' where id = 1")
    ticket = db.raises(signal(1, "panic"))[0][1]
    enqueue(db, "k1", ticket=ticket, payload='{"step": 2, "person": {"contact": {"name": "Sample Son", "phone": "000-0002"}}}')
    plain = take(db, lease_s=0, columns="body")[0]
    for text in ["Sample", "000-", "Road"]:
        assert text not in plain, plain
    holds('"kind_zh": "紧急呼救"', plain)
    holds('"step": 2', plain)
    whole = take(db, person=True, columns="body::jsonb #> '{data,person}'")[0]
    equal(whole, '{"phone": "000-0001", "address": "Sample Road 1", "contact": {"name": "Sample Son", "phone": "000-0002"},'
                 ' "resident": "Sample One"}')


def test_people_read_what_the_target_may_know(db):
    db.sql("update onekey.household set phone = '000-0001' where id = 1")
    ticket = db.raises(signal(1, "panic", received_at="2026-11-22 08:00:00+08"))[0][1]
    for key in ["k1", "k2"]:
        enqueue(db, key, "mail", "desk", ticket, '{"text_en": "Ring twice."}')
    mail = [("mail", "desk")]
    equal(take(db, mail, room=1, columns="subject_en, subject_zh"),
          [f"Still waiting, please look: Panic ticket {ticket}|【一键通】仍未处理，请关注 紧急呼救 工单 {ticket}"])
    whole = "\n".join(take(db, mail, person=True, columns="text_zh, text_en"))
    for text in ["时间：2026-11-22 08:00:00", "姓名：Sample One", "Phone: 000-0001", "Area: D/T", "Remark: Ring twice."]:
        holds(text, whole)
    db.sql("select onekey.release_notices('g1', 'D')")
    plain = "\n".join(take(db, mail, columns="text_zh, text_en"))
    for text in ["Sample", "000-"]:
        assert text not in plain, plain
    enqueue(db, "k3", "exec", "sms", payload='{"ticket": {}}')
    holds("【一键通】", take(db, [("exec", "sms")], columns="subject_zh")[0])


def test_what_no_gateway_can_send_is_given_up_and_what_is_over_forgotten(db):
    ticket = db.raises(signal(1, "panic"))[0][1]
    enqueue(db, "k1", transport="mail", destination="nobody", ticket=ticket)
    enqueue(db, "k2")
    take(db)
    equal(db.sql("select onekey.settle_notices('D', 86400)", "a_gateway"), "0")
    db.sql("update onekey.outbox set queued_at = now() - interval '2 days'")
    equal(db.sql("select onekey.settle_notices('D', 86400)", "a_gateway"), "1")
    equal(told(db, ticket), ["given_up"])
    db.sql("update onekey.outbox set given_up_at = now() - interval '91 days' where given_up_at is not null")
    db.sql("select onekey.settle_notices('D', 86400)")
    equal(db.sql("select idempotency_key from onekey.outbox"), "k2")


def test_consoles_see_how_notices_stand_and_not_what_they_say(db):
    enqueue(db, "k1")
    equal(db.act("li", "select id, state from onekey.v_notices"), "1|waiting")
    for call in ["select * from onekey.outbox", "select * from onekey.notice_target", "select onekey.retry_notice('D', 1)"]:
        holds("permission denied", db.refusal(call, "a_console"))
