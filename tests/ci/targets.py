# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints the targets of a build folder that are part of the product: all but those of tests/."""

import json
import os
import sys


def main() -> int:
    folder = os.path.realpath(sys.argv[1])
    with open(os.path.join(folder, 'meson-info', 'intro-targets.json'), encoding='utf-8') as file:
        targets = json.load(file)
    with open(os.path.join(folder, 'meson-info', 'meson-info.json'), encoding='utf-8') as file:
        top = json.load(file)['directories']['source']
    tests = os.path.join(top, 'tests') + os.sep
    for target in targets:
        if not target['build_by_default'] or target['defined_in'].startswith(tests):
            continue
        for name in target['filename']:
            print(os.path.relpath(name, folder))
    return 0


if __name__ == '__main__':
    sys.exit(main())
