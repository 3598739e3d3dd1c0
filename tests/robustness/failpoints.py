#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Lets each write and sync of a small run fail in turn, or kills it there (strace injects), and judges what is left.

For n = 1, 2, …: the n-th call of a kind fails, until a run makes fewer than n of them. After each one the program is
started again without a fault, and must bring everything to its end.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
import program  # noqa: E402

SWEEPS = (
    ("fdatasync", "error=EIO"),
    ("fdatasync", "signal=KILL"),
    ("pwrite64", "error=EIO"),
    ("pwrite64", "error=ENOSPC"),
    ("pwrite64", "signal=KILL"),
    ("ftruncate", "error=EIO"),
    ("ftruncate", "signal=KILL"),
)
# These meet the nodes' programs and the loading of modules too, so a run may end as failed.
MORE_SWEEPS = (
    ("openat", "error=EIO"),
    ("openat", "error=EMFILE"),
    ("openat", "signal=KILL"),
    ("unlink", "error=EIO"),
    ("unlink", "signal=KILL"),
    ("fsync", "error=EIO"),
    ("fsync", "signal=KILL"),
)

# Of a file that a node replaces: it holds the old content or the new, never a part. (A write that fails is not swept:
# most are the counters by which threads wake each other, and those cannot fail.)
FILE_SWEEPS = (("write", "signal=KILL"),) + tuple((call, fault) for call in ("fsync", "rename")
                                                  for fault in ("error=EIO", "error=ENOSPC", "signal=KILL"))
OLD = "old content"


def make_prefix(log, call, fault, number):
    return ["strace", "-f", "-qq", "--seccomp-bpf", "-o", log, "-e", f"trace={call}", "-e",
            f"inject={call}:{fault}:when={number}"]


def was_injected(log, call, fault, number):
    """Whether the run came as far as its n-th call."""
    with open(log, encoding="utf-8", errors="replace") as file:
        text = file.read()
    if fault.startswith("error"):
        return "(INJECTED)" in text
    # strace counts calls of each thread by itself.
    counts = {}
    for pid in re.findall(rf"^(\d+) +{call}\(", text, re.MULTILINE):
        counts[pid] = counts.get(pid, 0) + 1
    return max(counts.values(), default=0) >= number


def prepare(world, scenario):
    """A new store; for a resume, with a run that was killed in its middle."""
    world.new_store()
    if scenario == "files":
        with open(world.ledger + ".txt", "w", encoding="utf-8") as file:
            file.write(OLD)
    if scenario != "resume":
        return
    process = world.start_run("chain")
    program.kill_after(world, process, world.durations["chain"] * 0.6)
    world.look()


def fail_once(world, scenario, sweep, number):
    """One fault; FALSE when the run made fewer calls than that."""
    call, fault = sweep
    world.may_fail = sweep in MORE_SWEEPS
    prepare(world, scenario)
    if scenario == "resume" and not os.path.exists(world.store):
        return True
    log = os.path.join(world.folder, "strace")
    prefix = make_prefix(log, call, fault, number)
    process = world.start_resume(prefix) if scenario == "resume" else world.start_run(scenario, prefix)
    code = world.wait(process)
    if code not in program.EXITS and code not in (-9, 137):
        world.complain("STUCK", f"{scenario} {call} {fault} {number}: exit {code}: "
                       f"{program.Told.read(process.told.err)[-3:]}")
    world.acknowledge(process)
    process.told.close()
    if code == 0 and process.run and scenario != "resume":
        check_success(world, process.run, scenario)
    world.look()
    if scenario == "files":
        check_file(world, process.run, code)
    else:
        world.settle()
    return was_injected(log, call, fault, number)


def check_success(world, run, scenario):
    """Exit 0 is a promise too, but for a loop that collects what fails."""
    if world.may_fail and scenario == "fan":
        return
    outputs = [report.get("output") for report in world.ended.values()]
    if program.SCENARIOS[scenario].output(run) not in outputs:
        world.complain("WRONG", f"{run}: exit 0, and the output is {outputs}")


def check_file(world, run, code):
    """Old or new after the fault, and new after a recovery; a write that failed may end the run as failed."""
    executions = {execution.run: execution for execution in world.executions.values()}
    for is_recovered in (False, True):
        with open(world.ledger + ".txt", encoding="utf-8") as file:
            content = file.read()
        must_be_new = code == 0 or (run in executions and executions[run].status == "completed")
        if content not in (OLD, run) or (must_be_new and content != run):
            world.complain("WRONG", f"{run}: the file holds “{content}”, exit {code}, recovered {is_recovered}")
        if not is_recovered and os.path.exists(world.store):
            world.finish(world.start_resume())
            executions = {execution.run: execution for execution in world.look().values()}
            if run in executions and executions[run].status not in program.TERMINAL:
                world.complain("STUCK", f"{run}: {executions[run].status} after all was resumed")


def sweep_all(world, options):
    """Each kind of call and fault, in each scenario; how many faults were made."""
    count = 0
    for scenario in options.scenarios.split(","):
        for sweep in FILE_SWEEPS if scenario == "files" else SWEEPS + (MORE_SWEEPS if options.all else ()):
            for number in range(1, options.most + 1):
                before = len(world.problems)
                reached = fail_once(world, scenario, sweep, number)
                for i in range(before, len(world.problems)):
                    world.problems[i] += f" ({scenario}, {sweep[0]} {sweep[1]} when={number})"
                if not reached:
                    print(f"{scenario}, {sweep[0]} {sweep[1]}: all {number - 1} calls", flush=True)
                    break
                count += 1
                if len(world.problems) >= options.problems:
                    return count
    return count


def can_trace():
    if not shutil.which("strace"):
        raise harness.Skip("strace is not installed")
    done = subprocess.run(["strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fsync", "true"],
                          stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise harness.Skip(f"strace cannot trace here: {done.stderr.strip()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    program.add_arguments(parser)
    parser.add_argument("--most", type=int, default=1000, help="greatest n of a sweep")
    parser.add_argument("--all", action="store_true", help="more kinds of calls")
    parser.add_argument("--scenarios", default="files,short,fan,retry,resume")
    parser.add_argument("--problems", type=int, default=1, help="end after so many")
    options = parser.parse_args()

    try:
        can_trace()
    except harness.Skip as reason:
        return harness.skip("failpoints", reason)
    world = program.World(options)
    count = 0
    try:
        world.measure()
        if options.plant:
            world.environment["NEBULA_PLANT"] = options.plant
        count = sweep_all(world, options)
    finally:
        world.close()
    return program.tell("failpoints", world, count, options.plant)


if __name__ == "__main__":
    sys.exit(main())
