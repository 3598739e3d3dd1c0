#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kills `nebula run` and `nebula execution resume` at random moments (SIGKILL) and judges what is left."""

import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
import program  # noqa: E402


def kill_round(world, random):
    """Up to three runs killed, then their recovery killed up to twice, then all must come to its end."""
    kills = 0
    for _ in range(random.choice((1, 1, 2, 3))):
        name = random.choice(("chain", "fan", "retry"))
        process = world.start_run(name)
        program.kill_after(world, process, random.random() * world.durations[name] * 1.1)
        world.look()
        kills += 1
    for _ in range(random.choice((0, 0, 1, 2))):
        if not os.path.exists(world.store):
            break
        process = world.start_resume()
        program.kill_after(world, process, random.random() * world.durations["chain"])
        world.look()
        kills += 1
    world.settle()
    return kills


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    program.add_arguments(parser)
    parser.add_argument("--kills", type=int, default=50)
    options = parser.parse_args()

    random = harness.make_random(options.seed)
    world = program.World(options)
    kills = 0
    try:
        world.measure()
        if options.plant:
            world.environment["NEBULA_PLANT"] = options.plant
        while kills < options.kills and not world.problems:
            if random.randrange(5) == 0:
                world.new_store()
            kills += kill_round(world, random)
    finally:
        world.close()
    return program.tell("program-kill", world, kills, options.plant)


if __name__ == "__main__":
    sys.exit(main())
