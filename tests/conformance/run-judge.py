# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a judge of the public suites: run-judge.py FOLDER JUDGE [ARGUMENT…] -- DRIVER…

Where the folder is absent the test is skipped, loudly.
"""

import os
import subprocess
import sys


def main() -> int:
    folder, judge, *rest = sys.argv[1:]
    path = os.path.join(folder, judge)
    if not os.path.isfile(path):
        print(f'SKIPPED: the public suites are not in {folder}; '
              'set the option conformance_dir to where they are.', file=sys.stderr)
        return 77
    return subprocess.run([sys.executable, path, *rest], check=False).returncode


if __name__ == '__main__':
    sys.exit(main())
