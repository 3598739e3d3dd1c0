# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts the tests that ran in build folders.

    summary.py [NAME=PASSED,FAILED[,SKIPPED]…] -- FOLDER…

Reads meson-logs/testlog.json of each folder. A GoogleTest program counts by its cases (NAME.xml), a program that
prints `N passed, N failed[, N skipped]` as its last line counts by that, any other counts as one. A program that
ended badly is at least one failure, whatever it said before. The last line is the sum; the exit code is 1 if
anything failed or nothing ran.
"""

import json
import os
import re
import sys
import xml.etree.ElementTree as ElementTree

LAST_LINE = re.compile(r'^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$')
GOOD = ('OK', 'EXPECTEDFAIL')


def count_cases(path):
    """(passed, failed, skipped) of a GoogleTest log; None if there is none."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        return None
    passed = failed = skipped = 0
    for case in root.iter('testcase'):
        if case.find('failure') is not None or case.find('error') is not None:
            failed += 1
        elif case.get('status') == 'notrun' or case.get('result') in ('skipped', 'suppressed'):
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def count_program(folder, entry):
    result = entry.get('result', 'FAIL')
    counts = None
    for word in entry.get('command') or []:
        if word.startswith('--gtest_output=xml:'):
            counts = count_cases(os.path.join(folder, word.split(':', 1)[1]))
    if counts is None:
        lines = (entry.get('stdout') or '').strip().splitlines()
        match = LAST_LINE.match(lines[-1].strip()) if lines else None
        if match:
            counts = tuple(int(number or 0) for number in match.groups())
    if result == 'SKIP':
        return counts if counts and sum(counts) else (0, 0, 1)
    if result in GOOD:
        return counts if counts and sum(counts) else (1, 0, 0)
    if counts is None:
        return 0, 1, 0
    return counts[0], max(counts[1], 1), counts[2]


def count_folder(folder):
    """Sums of one folder, and the names of what failed."""
    failures = []
    total = [0, 0, 0]
    path = os.path.join(folder, 'meson-logs', 'testlog.json')
    try:
        with open(path, encoding='utf-8') as file:
            entries = [json.loads(line) for line in file if line.strip()]
    except OSError:
        return [0, 1, 0], ['no test ran; see above']
    for entry in entries:
        counts = count_program(folder, entry)
        total = [a + b for a, b in zip(total, counts)]
        if counts[1]:
            failures.append('%s (%s)' % (entry.get('name', '?'), entry.get('result', '?')))
    return total, failures


def format_counts(counts):
    text = '%d passed, %d failed' % (counts[0], counts[1])
    return text + (', %d skipped' % counts[2] if counts[2] else '')


def main(arguments):
    if '--' not in arguments:
        sys.exit(__doc__)
    split = arguments.index('--')
    rows = []
    failures = []
    for extra in arguments[:split]:
        name, numbers = extra.rsplit('=', 1)
        counts = [int(number) for number in numbers.split(',')]
        rows.append((name, (counts + [0, 0, 0])[:3]))
        if rows[-1][1][1]:
            failures.append(name)
    for folder in arguments[split + 1:]:
        counts, names = count_folder(folder)
        label = os.path.basename(os.path.normpath(folder))
        rows.append((label, counts))
        failures += ['%s: %s' % (label, name) for name in names]

    total = [sum(row[1][i] for row in rows) for i in range(3)]
    if not sum(total[:2]):
        failures.append('nothing ran')
        total[1] += 1
    print()
    for name, counts in rows:
        print('  %-24s %s' % (name, format_counts(counts)))
    for failure in failures:
        print('  failed: %s' % failure)
    print()
    print(format_counts(total))
    return 1 if total[1] else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
