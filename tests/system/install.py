#!/usr/bin/python3
"""What `make install` puts where, and whether the tools that judge such files agree with them."""
import os
import shutil
import stat
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILD", "build")
UNITS = ["onekeyd.service", "onekey-console.service"]
EXPOSURE_MAX = 11  # tenths, as systemd-analyze counts
PAGES = ["docs/man/onekeyctl.1", "docs/man/onekeyd.conf.5", "docs/man/onekeyd.8", "docs/man/onekey-console.8"]


class Skip(Exception):
    """The tool that would judge is not here."""


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True, timeout=240)
    return result.returncode, result.stdout + result.stderr


def need(program):
    if shutil.which(program) is None:
        raise Skip(f"no {program}")


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def install(root):
    status, output = run("make", "-s", "install", f"DESTDIR={root}", f"BUILD={BUILD}")
    assert status == 0, output


def everything_is_in_its_place(root):
    for name, mode in (("usr/bin/onekeyctl", 0o755), ("etc/onekey/onekeyd.conf", 0o644),
                       ("usr/lib/systemd/system/onekeyd.service", 0o644),
                       ("usr/lib/systemd/system/onekey-console.service", 0o644),
                       ("usr/lib/sysusers.d/onekey.conf", 0o644),
                       ("usr/share/man/man5/onekeyd.conf.5", 0o644)):
        found = os.stat(os.path.join(root, name))
        assert stat.S_IMODE(found.st_mode) == mode, f"{name} has mode {found.st_mode:o}"
    assert os.path.isdir(os.path.join(root, "etc/onekey/conf.d"))
    for part in ("db/migrations", "db/functions"):
        installed = os.listdir(os.path.join(root, "usr/share/onekey", part))
        assert sorted(installed) == sorted(os.listdir(part)), part
    if os.path.exists(f"{BUILD}/console/index.html"):
        installed = os.listdir(os.path.join(root, "usr/share/onekey/console"))
        assert sorted(installed) == sorted(os.listdir(f"{BUILD}/console"))


def a_configuration_that_stands_is_kept(root):
    path = os.path.join(root, "etc/onekey/onekeyd.conf")
    before = read(path)
    with open(path, "a", encoding="utf-8") as file:
        file.write("# ours\n")
    install(root)
    assert read(path) == before + "# ours\n"


def the_example_is_sound(root):
    config = os.path.join(root, "etc/onekey/onekeyd.conf")
    status, output = run(os.path.join(root, "usr/bin/onekeyctl"), "--config", config, "check")
    assert status == 0, output


def the_service_is_confined(root):
    need("systemd-analyze")
    for unit in UNITS:
        status, output = run("systemd-analyze", "security", "--no-pager", "--offline=true",
                             f"--root={root}", f"--threshold={EXPOSURE_MAX}", unit)
        assert status == 0 and "Overall exposure level" in output, output


def the_service_is_understood(root):
    need("systemd-analyze")
    for unit in UNITS:
        _, output = run("systemd-analyze", "verify", "--man=no",
                        os.path.join(root, "usr/lib/systemd/system", unit))
        # The programs stand below DESTDIR, not where the unit will find them.
        problems = [line for line in output.splitlines()
                    if "onekey" in line and "is not executable" not in line]
        assert not problems, "\n".join(problems)


def the_user_can_be_made(root):
    need("systemd-sysusers")
    status, output = run("systemd-sysusers", "--dry-run",
                         os.path.join(root, "usr/lib/sysusers.d/onekey.conf"))
    assert status == 0, output


def manual_pages_are_clean(_root):
    need("mandoc")
    _, output = run("mandoc", "-T", "lint", *PAGES)
    # Our own pages refer to each other, and to others that are not on every machine.
    problems = [line for line in output.splitlines()
                if line.startswith("mandoc: docs/") and "referenced manual not found" not in line]
    assert not problems, "\n".join(problems)


def generated_pages_are_up_to_date(_root):
    generator = f"{BUILD}/dev/config_docs"
    status, output = run("make", "-s", generator, f"BUILD={BUILD}")
    assert status == 0, output
    _, page = run("tools/dev/splice-options", "docs/man/onekeyd.conf.5", generator)
    assert ".It Cm district" in page
    assert page == read("docs/man/onekeyd.conf.5"), "onekeyd.conf.5 is old: make docs"
    _, example = run(generator, "example")
    assert example == read("docs/onekeyd.conf.example"), "onekeyd.conf.example is old: make docs"


TESTS = [everything_is_in_its_place, the_example_is_sound, a_configuration_that_stands_is_kept,
         the_service_is_confined, the_service_is_understood, the_user_can_be_made,
         manual_pages_are_clean, generated_pages_are_up_to_date]


def main():
    failed = 0
    print(f"1..{len(TESTS)}")
    with tempfile.TemporaryDirectory() as root:
        install(root)
        for number, test in enumerate(TESTS, 1):
            title = test.__name__.replace("_", " ")
            try:
                test(root)
                print(f"ok {number} - {title}")
            except Skip as skip:
                print(f"ok {number} - {title} # SKIP {skip}")
            except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
                failed += 1
                print(f"not ok {number} - {title}")
                print("".join(f"# {line}\n" for line in str(error).splitlines()), end="")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
