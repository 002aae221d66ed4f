"""A private PostgreSQL 15 for tests: own directory, UNIX socket only, stopped by whoever started it.

    with Postgres() as server:
        server.psql("select 1")                  # -> "1"
        subprocess.run([...], env=server.environment())

As root the server runs as user postgres, which PostgreSQL insists on, and trusts every local user.
"""
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

BIN = next(iter(sorted(glob.glob("/usr/lib/postgresql/15/bin"))), "/usr/bin")
# The socket's path must fit into 107 bytes, so the directory stays short.
SETTINGS = {
    "listen_addresses": "''",
    "fsync": "off",
    "jit": "off",  # each test's statements are few and would be compiled anew
    "timezone": "'Asia/Shanghai'",
    "log_min_messages": "warning",
}


def in_path(environment):
    """That environment with PostgreSQL's programs before those of /usr/bin: psql there is a script of Debian's that
    looks for this one and takes ten times as long to start."""
    return {**environment, "PATH": f"{BIN}:{environment.get('PATH', '/usr/bin')}"}


class Postgres:
    def __init__(self, directory=None, settings=None):
        """directory: where the cluster goes (default: a new one under /tmp, removed at the end).
        settings: postgresql.conf values over SETTINGS; fsync is off unless asked for."""
        self.own_directory = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="onekey-pg-")
        self.data = os.path.join(self.directory, "data")
        self.log = os.path.join(self.directory, "postgres.log")
        self.settings = {**SETTINGS, **(settings or {})}
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        if self.own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def as_owner(self, command):
        if os.geteuid() != 0:
            return command
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]

    def start(self, deadline_s=30):
        """Makes the cluster if there is none yet, starts it and waits until it answers."""
        if not os.path.exists(self.data):
            self._create()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.as_owner([f"{BIN}/postgres", "-D", self.data, "-k", self.directory]),
                stdout=log, stderr=log, cwd="/", start_new_session=True)
        end = time.monotonic() + deadline_s
        while self.psql("select 1", check=False) != "1":
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("PostgreSQL does not start:\n" + open(self.log).read()[-2000:])
            time.sleep(0.05)
        return self

    def _create(self):
        os.makedirs(self.directory, exist_ok=True)
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.directory, owner.pw_uid, owner.pw_gid)
        os.chmod(self.directory, 0o755)
        subprocess.run(
            self.as_owner([f"{BIN}/initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                           "--locale=C.UTF-8", "--no-sync"]),
            check=True, stdout=subprocess.DEVNULL, cwd="/")
        with open(os.path.join(self.data, "postgresql.conf"), "a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in self.settings.items())

    def stop(self):
        """Orderly and fast; does nothing if it does not run."""
        self._end(signal.SIGINT)

    def kill(self):
        """As a crash of the machine would: SIGKILL to every process of the server."""
        self._end(signal.SIGKILL)

    def _end(self, number):
        if self.process is None:
            return
        if self.process.poll() is None:
            if number == signal.SIGKILL:
                os.killpg(self.process.pid, number)
            else:
                self.process.send_signal(number)
        self.process.wait(30)
        self.process = None

    def conninfo(self, database="postgres", user="postgres"):
        return f"host={self.directory} user={user} dbname={database}"

    def environment(self, database="postgres", user="postgres"):
        """A copy of the environment in which libpq finds this server."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        return in_path({**kept, "PGHOST": self.directory, "PGUSER": user, "PGDATABASE": database,
                        "PGCONNECT_TIMEOUT": "10"})

    def psql(self, sql, database="postgres", user="postgres", check=True):
        """Runs SQL and returns its rows, one a line, columns split by |. With check=False the error
        text is returned instead of raised."""
        done = subprocess.run(
            ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", "-"], input=sql, text=True,
            capture_output=True, env=self.environment(database, user))
        if done.returncode == 0:
            return done.stdout.rstrip("\n")
        if check:
            raise RuntimeError(f"{sql}\n{done.stderr}")
        return done.stderr.strip()
