#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Builds the program with planted bugs (core/base/nebula-plant-internal.h): each loop must notice its own.

And with none of them awake the same build must pass, or the loops would notice anything.
"""

import argparse
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SKIPPED = 77

# Loop, plant (None: asleep), arguments.
CONTROLS = (
    ("program-kill.py", None, ("--kills=20",)),
    ("program-kill.py", "repeat-unknown", ("--kills=300",)),
    ("program-kill.py", "no-recheck", ("--kills=600",)),
    ("program-kill.py", "ack-before-commit", ("--kills=600",)),
    ("program-power.py", "no-recheck", ("--cuts=300",)),
    ("program-power.py", "ack-before-commit", ("--cuts=300",)),
    ("program-power.py", "normal-sync", ("--cuts=300",)),
    ("failpoints.py", "no-recheck", ("--scenarios=short,chain",)),
    ("failpoints.py", "ack-before-commit", ("--scenarios=short,chain",)),
    ("failpoints.py", "repeat-unknown", ("--scenarios=resume,short",)),
)


def build(source, folder, like):
    """Only the program and its modules, with the options that matter."""
    meson, ninja = shutil.which("meson"), shutil.which("ninja")
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        subprocess.run([meson, "setup", folder, source, "-Dplanted_bugs=true", "-Dtests=disabled",
                        "-Dintrospection=disabled", "-Ddocs=disabled"], check=True, stdout=subprocess.DEVNULL)
    modules = [f"modules/{name}" for name in sorted(os.listdir(os.path.join(like, "modules"))) if name.endswith(".so")]
    subprocess.run([ninja, "-C", folder, f"-j{os.environ.get('NEBULA_JOBS', '2')}", "core/nebula/nebula",
                    "core/nebula-host/nebula-host", *modules], check=True, stdout=subprocess.DEVNULL)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source")
    parser.add_argument("folder", help="of the build with planted bugs; it is made")
    parser.add_argument("build", help="the build that is tested")
    parser.add_argument("check", help="store-check")
    parser.add_argument("note", help="ledger-note")
    options = parser.parse_args()

    build(options.source, options.folder, options.build)
    environment = dict(os.environ, NEBULA_MODULE_PATH=os.path.join(options.folder, "modules"),
                       NEBULA_HOST=os.path.join(options.folder, "core/nebula-host/nebula-host"))
    failed = 0
    for loop, plant, arguments in CONTROLS:
        command = [sys.executable, os.path.join(HERE, loop), os.path.join(options.folder, "core/nebula/nebula"),
                   options.check, options.note, *arguments]
        if plant:
            command.append(f"--plant={plant}")
        print(f"{loop} {plant or 'nothing awake'}", flush=True)
        done = subprocess.run(command, env=environment, check=False)
        failed += done.returncode not in (0, SKIPPED)
    print(f"{len(CONTROLS)} controls, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
