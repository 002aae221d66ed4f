"""Commands to devices: who may ask what, taken by one gateway at a time, and what came of them."""
import json

from database import equal, holds, parallel, quote

WRISTBAND, CALL_BOX = 1, 2
NUMBERS = {"numbers": ["+15550100", "15550101"]}


def ask(db, kind, name="wang", device=WRISTBAND, arguments=None, expires_s=600, columns="code"):
    return db.act(name, f"select {columns} from onekey.ask_device('D', {device}, {quote(kind)},"
                        f" {quote(json.dumps(arguments or {}))}, {expires_s})")


def waiting(db, gateway="g1", devices="null", columns="id, identity, kind"):
    return db.sql(f"select {columns} from onekey.waiting_device_commands('{gateway}', 'D', {devices}, 30, 50)",
                  "a_gateway").splitlines()


def take(db, gateway="g1", ids="1, 2, 3"):
    return db.sql(f"select onekey.take_device_commands('{gateway}', 'D', array[{ids}], 30)", "a_gateway").splitlines()


def end(db, state="done", gateway="g1", command=1, answer="CR"):
    return db.sql(f"select onekey.device_command_result('{gateway}', 'D', {command}, '{state}', {quote(answer)})",
                  "a_gateway")


def states(db):
    return db.sql("select state, attempts, coalesce(answer, '') from onekey.device_command order by id").splitlines()


def test_each_role_asks_what_it_may_and_a_refusal_is_audited(db):
    equal([ask(db, kind, "li") for kind in ("locate", "acknowledge")], ["ok", "ok"])
    equal(ask(db, "interval", "li", arguments={"seconds": 600}), "forbidden")
    equal(ask(db, "sos_numbers", "li", arguments=NUMBERS), "forbidden")
    equal([ask(db, "locate", name) for name in ("guest", "street")], ["forbidden", "forbidden"])
    equal([ask(db, "interval", name, arguments={"seconds": 600}) for name in ("wang", "root")], ["ok", "ok"])
    equal(db.sql("select actor, action, is_allowed from onekey.audit where object = 'device:1' order by id"),
          "li|ask_device|t\nli|ask_device|t\nli|command_device|f\nli|command_device|f\nguest|ask_device|f\n"
          "street|ask_device|f\nwang|ask_device|t\nroot|ask_device|t")
    holds("permission denied", db.refusal("select onekey.ask_device('D', 1, 'locate')", "a_gateway"))


def test_arguments_are_held_to_what_devices_can_hold(db):
    for kind, arguments in [("interval", {}), ("interval", {"seconds": 9}), ("interval", {"seconds": 86401}),
                            ("interval", {"seconds": 10.5}), ("interval", {"seconds": "600"}), ("reset", {}),
                            ("locate", {"seconds": 600}), ("sos_numbers", {}), ("sos_numbers", {"numbers": []}),
                            ("sos_numbers", {"numbers": ["1#SOS"]}), ("sos_numbers", {"numbers": [15550100]}),
                            ("sos_numbers", {"numbers": ["15550100"] * 4}), ("sos_numbers", {"numbers": ["1" * 21]}),
                            ("interval", {"seconds": 600, "more": 1})]:
        equal((kind, arguments, ask(db, kind, arguments=arguments)), (kind, arguments, "invalid"))
    equal([ask(db, "locate", expires_s=seconds) for seconds in (4, 604801)], ["invalid", "invalid"])
    equal(ask(db, "locate", device=99), "not_found")
    equal([ask(db, "locate") for _ in range(9)], ["ok"] * 8 + ["too_many"])
    equal(ask(db, "sos_numbers", device=CALL_BOX, arguments=NUMBERS), "ok")
    equal(waiting(db, devices="'{2}'", columns="kind, numbers"), ["sos_numbers|+15550100,15550101"])


def test_gateways_are_told_of_the_device(db):
    db.act("wang", "select onekey.set_user('D', 'x', 'operator')")
    holds('"onekey_device_command" with payload "D 1"', db.sql(
        "listen onekey_device_command; select onekey.act_as('D', 'wang', null, true);"
        " select code from onekey.ask_device('D', 1, 'locate')"))


def test_two_gateways_never_send_the_same(db):
    for _ in range(6):
        ask(db, "locate")
    rows = parallel([lambda name=name: take(db, name, "1, 2, 3, 4, 5, 6") for name in "abcd"])
    equal(sorted(row for part in rows for row in part), list("123456"))
    equal(set(states(db)), {"sent|1|"})


def test_a_command_is_sent_twice_at_most(db):
    ask(db, "locate")
    equal(waiting(db), ["1|w1|locate"])
    equal(take(db, "g1"), ["1"])
    equal((waiting(db, "g2"), take(db, "g2")), ([], []))  # g1 has it
    equal(waiting(db, "g1"), ["1|w1|locate"])  # and comes back to it after a restart
    db.sql("update onekey.device_command set sent_at = now() - interval '61 s'")
    equal((waiting(db, "g2"), take(db, "g2")), (["1|w1|locate"], ["1"]))
    equal((take(db, "g2"), take(db, "g1"), waiting(db, "g2")), ([], [], []))
    equal(end(db, gateway="g1"), "f")
    db.sql("update onekey.device_command set sent_at = now() - interval '61 s'")
    equal(waiting(db), [])
    equal(states(db), ["failed|2|no answer"])


def test_a_result_stands(db):
    ask(db, "locate")
    ask(db, "interval", arguments={"seconds": 600})
    equal(end(db, "done"), "f")  # nobody has sent it
    take(db, ids="1")
    equal((end(db, "done"), end(db, "failed")), ("t", "f"))
    equal(end(db, "refused", command=2, answer="unsupported"), "t")  # unsent, by whoever knows that it cannot be
    equal(states(db), ["done|1|CR", "refused|0|unsupported"])
    equal((waiting(db), take(db)), ([], []))


def test_what_is_not_sent_in_time_expires(db):
    ask(db, "locate")
    ask(db, "locate")
    take(db, ids="2")
    db.sql("update onekey.device_command set expires_at = now() - interval '61 s'")
    equal(take(db), [])
    equal(db.act("li", "select id, state from onekey.read_device_commands('D') order by id"), "1|expired\n2|sent")
    equal(waiting(db), ["2|w1|locate"])
    db.sql("update onekey.device_command set sent_at = now() - interval '61 s'")
    waiting(db)
    equal(states(db), ["expired|0|the device was not heard of in time", "failed|1|no answer"])


def test_numbers_are_read_by_who_may_set_them(db):
    ask(db, "sos_numbers", arguments=NUMBERS)
    read = "select arguments from onekey.read_device_commands('D', 1)"
    equal(json.loads(db.act("wang", read)), NUMBERS)
    equal(db.act("li", read), "{}")
    equal(db.act("guest", read), "")
    holds("permission denied", db.refusal("select * from onekey.device_command", "a_console"))
