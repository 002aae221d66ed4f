"""A psql that is kept for many calls: to start one for each costs more than most calls take."""
import selectors
import subprocess
import tempfile
import time

LIMIT_S = 60
SHORT = 60000  # bytes of text that a pipe takes while nobody reads it
END = "-- all answered --"
# So that nothing of the call before is left: its output file, transaction, settings, locks.
ANEW = "\\o\nrollback;\ndiscard all;\n"


class Refused(Exception):
    """The database said no."""


def command():
    return ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-f", "-"]


class Session:
    """One connection. An error ends it, with the rest of the text not looked at."""

    def __init__(self, environment):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                                        env=environment)
        self.buffer = b""

    def run(self, text):
        """Rows as lines, columns split by |. Raises Refused with the whole message."""
        self.errors.seek(0)
        self.errors.truncate()
        try:
            self.process.stdin.write(f"{ANEW}{text}\n;\n\\echo {END}\n".encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it says why below
        answer = self._answer()
        if answer is None:
            self.process.wait(LIMIT_S)
            self.errors.seek(0)
            raise Refused(self.errors.read().decode())
        return answer

    def _answer(self):
        """What is printed before the end of the text; None: psql has ended."""
        end, deadline = f"{END}\n".encode(), time.monotonic() + LIMIT_S
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not self.buffer.endswith(end):
                if not selector.select(max(0, deadline - time.monotonic())):
                    self.process.kill()
                    raise TimeoutError(f"no answer in {LIMIT_S} s")
                chunk = self.process.stdout.read1(1 << 20)
                if not chunk:
                    return None
                self.buffer += chunk
        whole, self.buffer = self.buffer[:-len(end)], b""
        return whole.decode().rstrip("\n")

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(LIMIT_S)
        self.errors.close()


class Sessions:
    """Those of one database, by user. A call takes one that nobody uses, so several threads may call."""

    def __init__(self, environment_of):
        self.environment_of, self.idle = environment_of, {}

    def run(self, text, user):
        if len(text.encode()) > SHORT:
            return run_alone(text, self.environment_of(user))
        idle = self.idle.setdefault(user, [])
        try:
            session = idle.pop()
        except IndexError:
            session = Session(self.environment_of(user))
        try:
            answer = session.run(text)
        except BaseException:
            session.close()
            raise
        idle.append(session)
        return answer

    def close(self):
        for idle in self.idle.values():
            while idle:
                idle.pop().close()


def run_alone(text, environment):
    """As Session.run, for a text of any length."""
    done = subprocess.run(command(), input=text, text=True, capture_output=True, env=environment, timeout=LIMIT_S)
    if done.returncode != 0:
        raise Refused(done.stderr)
    return done.stdout.rstrip("\n")
