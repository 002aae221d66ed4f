"""Somebody who works on tickets: gives commands at random, most of them such as the state of the ticket allows."""
import collections
import json

# Everything that commands depend on, as one line.
LOOK = ("select jsonb_agg(jsonb_build_object('id', t.id, 'class', onekey.class_of(t.kind, t.service_kind),"
        " 'like', concat_ws(' ', t.subject, t.kind, t.service_kind), 'state', t.state, 'owner', t.claimed_by,"
        " 'answered', t.is_answered, 'test', t.is_test, 'helpers', array(select h.id from onekey.ticket_helper h"
        " where h.ticket_id = t.id))) from onekey.ticket t")
OUTCOMES = {"alarm": "false_press", "water": "person_well", "technical": "repaired", "service": "arranged"}
WEIGHTS = collections.defaultdict(lambda: 2, answer=4, verify=4, dispatch=4, release=1, hold=1, merge=1, mark_test=1, close=3)
CODES = {"done", "already_yours", "forbidden", "not_found", "taken", "not_owner", "wrong_state", "not_answered", "invalid", "busy"}


class View:
    """The tickets as they were a moment ago, shared by all who work."""

    def __init__(self, db):
        self.tickets = []
        self.legal = collections.defaultdict(list)
        for row in db.sql("select r.kind_class, r.from_state, r.command, c.needs_owner, coalesce(r.needs, '')"
                          " from onekey.ticket_transition r join onekey.ticket_command c on c.name = r.command"
                          " where r.command not in ('present', 'expire', 'end_hold', 'restore')").splitlines():
            kind, state, command, needs_owner, needs = row.split("|")
            self.legal[kind, state].append((command, needs_owner == "t", needs))

    def take(self, line):
        self.tickets = json.loads(line)

    def note(self, number, state, owner):
        """What the answer to a command says of a ticket."""
        for ticket in self.tickets:
            if ticket["id"] == number and state:
                ticket.update(state=state, owner=owner or None)


class Worker:
    """One person, and what was answered to him."""

    def __init__(self, name, numbers, view, team):
        self.name, self.numbers, self.view, self.team = name, numbers, view, team
        self.done, self.sent, self.codes = [], 0, collections.Counter()
        self.last = self.again = None

    def choices(self):
        """Legal commands: (weight, command, ticket)."""
        for ticket in self.view.tickets:
            mine = ticket["owner"] == self.name
            for command, needs_owner, needs in self.view.legal[ticket["class"], ticket["state"]]:
                if command == "claim" and ticket["owner"] or needs_owner and not mine:
                    continue
                if needs == "answered" and not ticket["answered"]:
                    continue
                if command == "reopen" and any(other["like"] == ticket["like"] and other["state"] != "closed"
                                               for other in self.view.tickets):
                    continue
                weight = 20 * WEIGHTS[command] if mine and needs_owner else {"claim": 30, "reopen": 6}.get(command, 1)
                yield weight, command, ticket

    def arguments(self, command, ticket):
        """The rest of the call; None: there is nothing to give it."""
        pick = self.numbers.choice
        if command == "merge":
            others = [other["id"] for other in self.view.tickets if other["class"] == ticket["class"]
                      and other["state"] != "closed" and other["id"] != ticket["id"]]
            return f", {pick(others)}" if others else None
        if command == "result":
            return f", {pick(ticket['helpers'])}, 'accepted'" if ticket["helpers"] else None
        if command == "strike":
            notes = [event for done, number, event, _ in self.done if done == "note" and number == ticket["id"]]
            return f", {notes[-1]}" if notes else None
        return {"dispatch": pick([", '{120}'", ", '{family,110,volunteer}'"]), "hold": f", 'why', {pick([60, 900])}",
                "close": f", '{OUTCOMES[ticket['class']]}'", "note": ", 'x'",
                "hand_over": f", '{pick([name for name in self.team if name != self.name])}'"}.get(command, "")

    def wild(self):
        """A command that is most likely wrong."""
        pick = self.numbers.choice
        return *pick([("claim", ""), ("answer", ""), ("verify", ""), ("dispatch", ", '{rocket}'"), ("scene", ""),
                      ("close", ", 'restored'"), ("close", ", 'person_well'"), ("hold", ", 'why', 99999"), ("release", ""),
                      ("hand_over", ", 'nobody'"), ("merge", f", {self.numbers.randint(1, 50)}"), ("reopen", ""), ("mark_test", ""),
                      ("result", ", 99999, 'accepted'"), ("strike", f", {self.numbers.randint(1, 400)}")]), self.numbers.randint(1, 60)

    def choose(self):
        if self.numbers.random() < 0.9:
            legal = list(self.choices())
            while legal:
                chosen = self.numbers.choices(legal, [weight for weight, *_ in legal])[0]
                rest = self.arguments(*chosen[1:])
                if rest is not None:
                    return chosen[1], rest, chosen[2]["id"]
                legal.remove(chosen)
        return self.wild()

    def command(self):
        """The next command's statement. Now and then the one before again, with its key."""
        self.sent += 1
        if self.again and self.numbers.random() < 0.05:
            return self.again
        command, rest, ticket = self.choose()
        self.last = (command, ticket)
        key = f", key => 'k{self.sent}'" if command != "renew" and self.numbers.random() < 0.5 else ""
        statement = ("select ok, code, event_id, coalesce(detail->>'also', '[]'), state, owner"
                     f" from onekey.ticket_{command}('D', {ticket}{rest}{key})")
        self.again = statement if key else None
        return statement

    def take(self, line):
        good, code, event, also, state, owner = line.split("|")
        assert code in CODES, line
        self.codes[code] += 1
        if good == "t":
            self.view.note(self.last[1], state, owner)
            if code == "done":
                self.done.append((*self.last, event, json.loads(also)))
