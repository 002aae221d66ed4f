#!/usr/bin/python3
"""onekey-sim against a server of ours that answers as it is told: what it counts as acknowledged was
acknowledged, what was not answered it repeats, and replay prints what came back."""
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
SIMULATOR = os.path.join(ROOT, os.environ.get("BUILD", "build"), "bin/onekey-sim")
FRAME = re.compile(rb"\[(\w\w)\*(\d+)\*([0-9A-Fa-f]{4})\*([^\]]*)\]")
failed = False
count = 0


def check(is_good, name):
    global failed, count
    count += 1
    failed |= not is_good
    print(f"{'ok' if is_good else 'not ok'} {count} - {name}", flush=True)


class Server:
    """Answers LK always and the n-th arrival of one AL frame as `answers(frame, n)` says: True,
    False (no answer) or None (hangs up)."""

    def __init__(self, answers):
        self.answers = answers
        self.arrivals = {}
        self.lock = threading.Lock()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.socket.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        rest = b""
        while data := connection.recv(65536):
            rest += data
            while frame := FRAME.match(rest):
                rest = rest[frame.end():]
                if not self.take(connection, frame):
                    return

    def take(self, connection, frame):
        """False if the connection was closed."""
        word = frame[4].split(b",")[0]
        if word == b"AL":
            with self.lock:
                arrival = self.arrivals[frame[0]] = self.arrivals.get(frame[0], 0) + 1
            answer = self.answers(frame[0], arrival)
            if answer is None:
                connection.close()
                return False
            if not answer:
                return True
        elif word != b"LK":
            return True
        connection.sendall(b"[%s*%s*0002*%s]" % (frame[1], frame[2], word))
        return True


def run(*arguments):
    """(exit status, lines of standard output as JSON)"""
    process = subprocess.run([SIMULATOR, *arguments], capture_output=True, text=True, timeout=60)
    return process.returncode, [json.loads(line) for line in process.stdout.splitlines()]


def load(server, record, *arguments):
    status, lines = run("load", "--watch", f"127.0.0.1:{server.port}", "--wristbands", "150",
                        "--alarms-per-second", "100", "--retransmit", "0.3", "--seconds", "1",
                        "--record", record, *arguments)
    with open(record, encoding="utf-8") as file:
        rows = file.read().splitlines()[1:]
    return status, lines[-1], rows


def test_all_answered(folder):
    server = Server(lambda frame, arrival: True)
    status, summary, rows = load(server, f"{folder}/all")
    check(status == 0 and summary["pending"] == 0, "every alarm answered: success")
    check(summary["alarms"] == summary["acknowledged"] == len(rows) == len(server.arrivals) > 50,
          "as many alarms pressed, arrived, acknowledged and recorded")
    check(summary["retransmissions"] == 0, "nothing repeated without need")


def test_first_arrival_lost(folder):
    server = Server(lambda frame, arrival: arrival > 1 or (None if frame[-3] % 2 else False))
    status, summary, rows = load(server, f"{folder}/lost")
    check(status == 0 and summary["acknowledged"] == summary["alarms"] > 20,
          "what is not answered or cut off is repeated until it is")
    check(all(arrivals >= 2 for arrivals in server.arrivals.values()),
          "repeated as the very same frame")
    check(len(set(rows)) == len(rows), "each alarm is recorded once")


def test_never_answered(folder):
    server = Server(lambda frame, arrival: False)
    status, summary, rows = load(server, f"{folder}/never", "--drain", "1")
    check(status == 1 and summary["acknowledged"] == 0 and not rows
          and summary["pending"] == summary["alarms"] > 50,
          "no answer is no acknowledgement, and failure")


def test_replay(folder):
    server = Server(lambda frame, arrival: True)
    frames = ["[3G*9000000001*0002*LK]", "[3G*9000000001*0009*CONFIG,a1]"]
    with open(f"{folder}/frames.jsonl", "w", encoding="utf-8") as file:
        for frame in frames:
            file.write(json.dumps({"frame": frame, "encoding": "text"}) + "\n")
        file.write(json.dumps({"frame": "00", "encoding": "hex", "derived": {"wire_ok": False}}))
    status, lines = run("replay", "--protocol", "watch", "--to", f"127.0.0.1:{server.port}",
                        "--wait-ms", "300", f"{folder}/frames.jsonl")
    check(status == 0 and [line["reply"] for line in lines] == [frames[0], ""],
          "replay prints each frame's reply and skips what was never on a wire")


def main():
    with tempfile.TemporaryDirectory() as folder:
        test_all_answered(folder)
        test_first_arrival_lost(folder)
        test_never_answered(folder)
        test_replay(folder)
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
