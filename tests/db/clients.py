"""Many connections at once, each a psql that is fed line by line; one thread serves them all."""
import os
import selectors
import subprocess
import time

LIMIT_S = 120


class Client:
    """One connection. A statement is one line and answers one line."""

    def __init__(self, db, login, *first):
        self.process = subprocess.Popen(
            ["psql", "-XqAt", "-v", "VERBOSITY=terse", "-f", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=db.server.environment(db.name, login))
        self.buffer, self.waiting = b"", 0
        for statement in first:
            self.send(statement)

    def send(self, statement):
        self.process.stdin.write(statement.encode() + b";\n")
        self.process.stdin.flush()
        self.waiting += 1

    def lines(self):
        """What has come, as whole lines."""
        chunk = os.read(self.process.stdout.fileno(), 65536)
        assert chunk, "psql has ended: " + self.buffer.decode()
        *whole, self.buffer = (self.buffer + chunk).split(b"\n")
        self.waiting -= len(whole)
        return [line.decode() for line in whole]

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(LIMIT_S)


def serve(clients, on_line):
    """Calls on_line(index, line) for each answer until no client waits for one; on_line may send."""
    deadline = time.monotonic() + LIMIT_S
    with selectors.DefaultSelector() as selector:
        for index, client in enumerate(clients):
            selector.register(client.process.stdout, selectors.EVENT_READ, index)
        while any(client.waiting for client in clients):
            assert time.monotonic() < deadline, "no answer in time"
            for key, _ in selector.select(1):
                for line in clients[key.data].lines():
                    on_line(key.data, line)
