#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kills a writer at random moments (SIGKILL), again and again: everything acknowledged must be there."""

import argparse
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402


def kill_once(store, options, random):
    """One round; everything the writer said before its end counts, even what was still in the pipe."""
    command = [options.writer, store, "-", f"--streams={random.choice((1, 4, 16, 64))}"]
    if options.plant:
        command.append(f"--plant={options.plant}")
    writer = harness.Writer(command)
    try:
        writer.wait_for(random.randrange(1, 300))
        time.sleep(random.random() * 0.02)
    finally:
        writer.kill()
    acknowledged, count = writer.snapshot()
    return count, harness.check(store, acknowledged, [options.writer, store, "--verify"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("writer", help="the program ledger-writer")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--plant", help="a bug that must be noticed: ack-before-commit")
    options = parser.parse_args()

    random = harness.make_random(options.seed)
    acks, rounds, problems = 0, 0, []
    with tempfile.TemporaryDirectory(prefix="nebula-kill-") as folder:
        for rounds in range(1, options.rounds + 1):
            store = os.path.join(folder, f"store-{rounds // 5}.db")
            count, found = kill_once(store, options, random)
            acks += count
            problems += found
            if problems:
                break
    return harness.judge("kill", rounds, acks, problems, options.plant)


if __name__ == "__main__":
    sys.exit(main())
