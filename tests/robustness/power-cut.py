#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cuts the power of a disk under a writer, again and again: everything acknowledged before the cut must be there."""

import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402


def cut_once(disk, store, options, random):
    """One round; the acknowledgements before the cut and what was wrong after it."""
    command = [options.writer, store, "-", f"--streams={random.choice((1, 4, 16))}"]
    if options.plant:
        command.append(f"--plant={options.plant}")
    writer = harness.Writer(command)
    try:
        writer.wait_for(random.randrange(20, 400))
        acknowledged, count = writer.snapshot()
        disk.cut()
    finally:
        writer.kill()
    disk.restore()
    return count, harness.check(store, acknowledged, [options.writer, store, "--verify"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("writer", help="the program ledger-writer")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--plant", help="a bug that must be noticed: normal-sync, ack-before-commit")
    options = parser.parse_args()

    try:
        disk = harness.Disk()
    except harness.Skip as reason:
        return harness.skip("power-cut", reason)
    random = harness.make_random(options.seed)
    acks, rounds, problems = 0, 0, []
    try:
        for rounds in range(1, options.rounds + 1):
            store = os.path.join(disk.path, f"store-{rounds // 4}.db")
            count, found = cut_once(disk, store, options, random)
            acks += count
            problems += found
            if problems:
                break
    except harness.Skip as reason:
        return harness.skip("power-cut", reason)
    finally:
        disk.close()
    return harness.judge("power-cut", rounds, acks, problems, options.plant)


if __name__ == "__main__":
    sys.exit(main())
