"""Rows of code alone, without a socket or a disk."""
import harness
from harness import column, interleave, run


def meter_update(_bench, report):
    """A reading into the silence detector, one million meters in an order that no cache foresees."""
    result = run("meter_update", timeout=180)
    rounds = [value for key, value in result.items() if key.startswith("round")]
    report.row("meter_update_ns", "ns", rounds, goal=("<=", 400))
    report.row("meter_bytes", "B", [result["bytes"]], goal=("<=", 600))


def decode(_bench, report):
    """Processor time of one frame, found and decoded, of each codec in the build."""
    results = interleave(lambda: run("decode_cost"))[0]
    for name in results[0]:
        codec, _, what = name.rpartition("_")
        report.row(f"decode_ns{{{codec} {what}}}", "ns", column(results, name))


def timers(_bench, report):
    """The core alone, a million meters armed, 10,000 due at one moment and 1,000 at another."""
    results = interleave(lambda: run("core_timers", timeout=120), turns=min(3, harness.ROUNDS))[0]
    report.row("loop_stall_max", "us", column(results, "slice_us"), goal=("<=", 2000))
    report.row("silence_lag_p99", "ms", [value / 1000 for value in column(results, "p99")],
               goal=("<=", 1000))
    report.note("loop_stall_max: processor time of a turn's work in the core; silence_lag_p99: from the "
                "deadline to the record, real time without the idle hours; panic_ticket tells the rest")


ROWS = [("meter_update", meter_update), ("loop_stall_max", timers), ("silence_lag", timers),
        ("decode_ns", decode)]
