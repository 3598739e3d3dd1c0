#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cuts the power of the disk under `nebula run` and `nebula execution resume`: what they told must be there after.

The ledger lies on another disk, so an effect whose start is not in the store is seen too. Only what was told before the
cut counts.
"""

import argparse
import glob
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
import program  # noqa: E402


def kill_with_children(process):
    """The machine is off: the programs that the engine had started are gone too."""
    children = []
    try:
        process.send_signal(signal.SIGSTOP)
        for path in glob.glob(f"/proc/{process.pid}/task/*/children"):
            with open(path, encoding="ascii") as file:
                children += [int(pid) for pid in file.read().split()]
    except OSError:
        pass  # it has ended
    process.kill()
    for pid in children:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait()


def cut(world, disk, process, seconds):
    """Lets it work for so long, notes what it told, cuts, kills, restores.

    A sync that is under way while a file system is shut down may be answered as done though it was not. Nobody would
    hear that answer when the power is gone, so what came into the ledger after the cut is taken out again.
    """
    time.sleep(seconds)
    size = os.path.getsize(world.ledger)
    world.acknowledge(process)
    disk.cut()
    kill_with_children(process)
    world.read_ledger()
    with open(world.ledger, encoding="utf-8") as file:
        file.seek(size)
        world.late.update(tuple(line.split()) for line in file)
    os.truncate(world.ledger, size)
    process.told.close()
    disk.restore()


def cut_round(world, disk, random):
    name = random.choice(("chain", "fan", "retry"))
    process = world.start_run(name)
    cut(world, disk, process, random.random() * world.durations[name] * 1.1)
    world.look()
    cuts = 1
    if random.randrange(3) == 0 and os.path.exists(world.store):
        process = world.start_resume()
        cut(world, disk, process, random.random() * world.durations["chain"])
        world.look()
        cuts += 1
    world.settle()
    return cuts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    program.add_arguments(parser)
    parser.add_argument("--cuts", type=int, default=20)
    options = parser.parse_args()

    try:
        disk = harness.Disk()
    except harness.Skip as reason:
        return harness.skip("program-power", reason)
    random = harness.make_random(options.seed)
    world = program.World(options, disk.path)
    control = options.plant or (options.durability == "relaxed" and "relaxed")
    cuts = 0
    try:
        world.measure()
        if options.plant:
            world.environment["NEBULA_PLANT"] = options.plant
        while cuts < options.cuts and not world.problems:
            if cuts % 16 == 15:
                world.new_store()
            cuts += cut_round(world, disk, random)
    except harness.Skip as reason:
        return harness.skip("program-power", reason)
    finally:
        world.close()
        disk.close()
    return program.tell("program-power", world, cuts, control)


if __name__ == "__main__":
    sys.exit(main())
