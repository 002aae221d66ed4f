#!/usr/bin/python3
"""make demo: raises tickets from live devices, ends by itself or by Ctrl-C, and leaves nothing running."""
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
DEADLINE_S = 60
failed = False
count = 0


def check(is_good, name, why=""):
    global failed, count
    count += 1
    failed |= not is_good
    print(f"{'ok' if is_good else 'not ok'} {count} - {name}", flush=True)
    if not is_good:
        print(*(f"# {line}" for line in why.splitlines()), sep="\n")


def started_from(folder):
    """Command lines of all processes that name the folder."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                line = file.read().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if folder in line:
            found.append(line)
    return found


def run_demo(folder, seconds, interrupt_at=None):
    """(exit status, output) of a demonstration that is interrupted once its output has that text."""
    output = ""
    with subprocess.Popen([f"{ROOT}/tools/dev/demo"], cwd=ROOT, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, start_new_session=True,
                          env=dict(os.environ, DEMO_DIR=folder, DEMO_SECONDS=str(seconds))) as demo:
        limit = threading.Timer(DEADLINE_S, os.killpg, (demo.pid, signal.SIGKILL))
        limit.start()
        for line in demo.stdout:
            output += line
            if interrupt_at and interrupt_at in line:
                os.killpg(demo.pid, signal.SIGINT)
                interrupt_at = None
        status = demo.wait()
        limit.cancel()
    return status, output


def number(output, pattern):
    found = re.search(pattern, output)
    return int(found[1]) if found else -1


def main():
    with tempfile.TemporaryDirectory(prefix="onekey-") as parent:
        os.chmod(parent, 0o755)
        status, output = run_demo(f"{parent}/timed", 5)
        pressed = number(output, r"of them alarms (\d+)")
        check(status == 0 and pressed > 0, "ends by itself with a summary", output)
        check(pressed == number(output, r"alarms acknowledged +(\d+)")
              == number(output, r"alarms stored +(\d+)"), "every alarm acknowledged and stored", output)
        check(0 < number(output, r"tickets raised +(\d+)") <= pressed
              and output.count("priority ") >= number(output, r"tickets raised +(\d+)"),
              "every ticket is shown as it is raised", output)
        status, output = run_demo(f"{parent}/interrupted", 0, "priority ")
        check("tickets raised" in output, "Ctrl-C ends it with a summary", output)
        left = started_from(parent)
        check(not left, "nothing is left running", "\n".join(left))
        for folder in glob.glob(f"{parent}/*"):
            subprocess.run([f"{ROOT}/tools/dev/stack", "down", folder], check=False)
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
