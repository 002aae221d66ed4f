"""onekeyctl db: each file once, none changed behind its back."""
import os
import shutil
import tempfile

from database import ROOT, ctl, equal, holds, parallel


class Files:
    """A copy of the SQL files that a test may change, and an empty database."""

    def __init__(self, db):
        self.db, self.name = db, db.name + "_empty"
        self.folder = tempfile.mkdtemp(prefix="onekey-sql-")
        for part in ["migrations", "functions"]:
            shutil.copytree(os.path.join(ROOT, "db", part), os.path.join(self.folder, part))

    def __enter__(self):
        self.db.sql(f"create database {self.name}")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def write(self, path, text):
        with open(os.path.join(self.folder, path), "w", encoding="utf-8") as file:
            file.write(text)

    def append(self, path, text):
        with open(os.path.join(self.folder, path), "a", encoding="utf-8") as file:
            file.write(text)

    def db_command(self, *arguments):
        return ctl(self.db.server, self.name, "db", *arguments, "--directory", self.folder)

    def sql(self, text):
        return self.db.server.psql(text, self.name)


def test_migrating_twice_does_nothing_more(db):
    with Files(db) as files:
        equal(files.db_command("status").returncode, 1)
        first = files.db_command("migrate")
        equal((first.returncode, first.stderr), (0, ""))
        holds("applied migrations/0001_", first.stdout)
        equal(files.db_command("migrate").stdout, "nothing to do: the schema is up to date\n")
        status = files.db_command("status")
        equal(status.returncode, 0)
        equal({line.split()[0] for line in status.stdout.splitlines()}, {"applied"})


def test_a_changed_migration_is_refused_by_name(db):
    with Files(db) as files:
        files.db_command("migrate")
        name = sorted(os.listdir(os.path.join(files.folder, "migrations")))[0]
        files.append("migrations/" + name, "\n-- harmless\n")
        files.append("functions/40_views.sql", "\ncreate view onekey.v_never as select 1 as one;\n")
        done = files.db_command("migrate")
        equal(done.returncode, 1)
        holds(f"migrations/{name}: has changed since it was applied on ", done.stderr)
        holds("restore it", done.stderr)
        equal(files.sql("select to_regclass('onekey.v_never') is null"), "t")  # nothing else is done either
        holds(f"migrations/{name}", [line for line in files.db_command("status").stdout.splitlines()
                                     if line.startswith("changed")][0])


def test_a_missing_or_late_migration_is_refused(db):
    with Files(db) as files:
        files.write("migrations/0900_sample.sql", "create table onekey.sample (id int);")
        files.db_command("migrate")
        files.write("migrations/0800_late.sql", "select 1;")
        holds("0800_late.sql: a later migration has been applied already", files.db_command("migrate").stderr)
        os.unlink(os.path.join(files.folder, "migrations/0800_late.sql"))
        os.unlink(os.path.join(files.folder, "migrations/0900_sample.sql"))
        holds("migrations/0900_sample.sql: was applied on ", files.db_command("migrate").stderr)


def test_wrong_names_are_refused(db):
    with Files(db) as files:
        files.write("migrations/next.sql", "select 1;")
        holds("not named NNNN_what_it_does.sql", files.db_command("migrate").stderr)
        os.rename(files.folder + "/migrations/next.sql", files.folder + "/migrations/0001_again.sql")
        holds("has the number of", files.db_command("migrate").stderr)
        equal(files.sql("select to_regclass('onekey.ticket') is null"), "t")


def test_a_changed_function_is_applied_again(db):
    with Files(db) as files:
        files.db_command("migrate")
        files.append("functions/40_views.sql", "\ncreate or replace view onekey.v_sample as select 1 as one;\n")
        equal(files.db_command("migrate").stdout, "applied functions/40_views.sql\n")
        equal(files.sql("select one from onekey.v_sample"), "1")
        again = files.db_command("migrate", "--again")
        equal((again.returncode, again.stderr), (0, ""))
        equal(again.stdout.count("applied functions/"), len(os.listdir(files.folder + "/functions")))


def test_a_broken_file_changes_nothing_and_is_told_with_its_line(db):
    with Files(db) as files:
        files.write("migrations/0900_broken.sql",
                    "create table onekey.half (id int);\n-- 中文\ncreate table onekey.half (id int);\n\nselect 中 from x;\n")
        done = files.db_command("migrate")
        equal(done.returncode, 1)
        holds("0900_broken.sql", done.stderr)
        files.write("migrations/0900_broken.sql",
                    "create table onekey.half (id int);\n-- 中文\n\nselect nothing from onekey.half;\n")
        holds("0900_broken.sql:4: column \"nothing\" does not exist", files.db_command("migrate").stderr)
        equal(files.sql("select to_regclass('onekey.half') is null, to_regclass('onekey.ticket') is null"), "t|f")
        files.write("migrations/0900_broken.sql", "create table onekey.half (id int); commit;")
        holds("ends the transaction itself", files.db_command("migrate").stderr)


def test_four_at_once_migrate_once(db):
    with Files(db) as files:
        done = parallel([lambda: files.db_command("migrate")] * 4)
        equal([one.returncode for one in done], [0] * 4)
        equal(sorted(one.stdout.startswith("nothing to do") for one in done), [False, True, True, True])


def test_without_a_database_it_says_so(db):
    done = ctl(db.server, "no_such_database", "db", "migrate")
    equal(done.returncode, 1)
    holds("no_such_database", done.stderr)
    equal(ctl(db.server, db.name, "db", "fly").returncode, 2)
    equal(ctl(db.server, db.name, "db").returncode, 2)
    holds("/no/such/folder", ctl(db.server, db.name, "db", "migrate", "--directory", "/no/such/folder").stderr)


def test_conninfo_goes_before_the_environment(db):
    done = db.ctl("--conninfo", f"host={db.server.directory} user=postgres dbname=never_there", "db", "status")
    holds("never_there", done.stderr)
