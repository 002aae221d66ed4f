"""A private stack (tools/dev/stack) for tests: up, down, kill and start of its processes, its database.

    with Stack() as stack:
        stack.kill("onekeyd"); stack.start("onekeyd")
        stack.sql("select count(*) from onekey.ticket")   # -> [["3"]]

And what every test here needs: TAP results, and waiting for a condition with a deadline.
"""
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from postgres import in_path

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.join(ROOT, os.environ.get("BUILD", "build"), "bin")
SHARED = os.environ.get("ONEKEY_SHARED", os.path.join(ROOT, "..", "shared"))
SEPARATOR = "\x1f"


class Tap:
    """Prints results as they come; `finish` ends the process with the right status."""

    def __init__(self):
        self.count = self.failures = 0

    def check(self, is_good, name, *remarks):
        self.count += 1
        self.failures += not is_good
        print(f"{'ok' if is_good else 'not ok'} {self.count} - {name}", flush=True)
        for remark in remarks:
            print(f"# {remark}", flush=True)

    def skip(self, name, why):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {why}", flush=True)

    def finish(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failures else 0)


def wait_for(condition, deadline_s=30.0, every_s=0.02):
    """The condition's first true value, or its last false one at the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(every_s)


class Stack:
    def __init__(self, configuration="", data=None):
        """configuration: text of a drop-in for onekeyd; data: folder of CSV files to load."""
        self.parent = tempfile.mkdtemp(prefix="onekey-")
        os.chmod(self.parent, 0o755)
        self.folder = os.path.join(self.parent, "s")
        self.data = data
        os.makedirs(os.path.join(self.folder, "conf.d"))
        with open(os.path.join(self.folder, "conf.d", "test.conf"), "w", encoding="utf-8") as file:
            file.write(configuration)
        self.values = {}

    def __enter__(self):
        self.command("up")
        with open(f"{self.folder}/env", encoding="utf-8") as file:
            for line in file:
                for assignment in shlex.split(line):
                    key, _, value = assignment.partition("=")
                    self.values[key] = value
        if self.data:
            self.command("load", self.data)
        return self

    def __exit__(self, *_):
        self.command("down", check=False)
        shutil.rmtree(self.parent, ignore_errors=True)

    def command(self, name, *arguments, check=True):
        done = subprocess.run([f"{ROOT}/tools/dev/stack", name, self.folder, *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=180)
        if check and done.returncode != 0:
            raise RuntimeError(f"stack {name} {' '.join(arguments)}: {done.stdout}")
        return done.returncode == 0

    def kill(self, name):
        self.command("kill", name)

    def stop(self, name):
        self.command("stop", name)

    def start(self, name):
        self.command("start", name)

    def port(self, protocol):
        return int(self.values[f"PORT_{protocol.upper()}"])

    def pid(self, name):
        with open(f"{self.folder}/pid/{name}", encoding="utf-8") as file:
            return int(file.read())

    def log(self, name="onekeyd"):
        with open(f"{self.folder}/log/{name}.log", encoding="utf-8", errors="replace") as file:
            return file.read()

    def environment(self):
        return in_path({**os.environ, **{k: v for k, v in self.values.items() if k.startswith("PG")}})

    def sql(self, query):
        """Rows of text fields."""
        done = subprocess.run(["psql", "-XqAt", "-F", SEPARATOR, "-c", query],
                              env=self.environment(), text=True, capture_output=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return [line.split(SEPARATOR) for line in done.stdout.splitlines()]

    def value(self, query):
        return self.sql(query)[0][0]

    def http(self, path):
        """(status, text) of a page of onekeyd; (0, reason) if it does not answer."""
        url = f"http://127.0.0.1:{self.values['HTTP_PORT']}{path}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def metric(self, name):
        """The value of a metric, labels as in the text; 0.0 if it is not there."""
        for line in self.http("/metrics")[1].splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        return 0.0

    def connect(self, protocol, timeout_s=10):
        client = socket.create_connection(("127.0.0.1", self.port(protocol)), timeout=timeout_s)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def simulator(self, *arguments):
        """onekey-sim as a running process with its output as pipes."""
        return subprocess.Popen([f"{BIN}/onekey-sim", *arguments], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
