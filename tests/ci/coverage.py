# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sums a gcovr JSON report by folder: coverage.py REPORT LIMIT."""

import json
import sys


def sum_folders(report):
    """folder → [covered lines, lines]"""
    folders = {}
    for file in report['files']:
        folder = '/'.join(file['file'].split('/')[:2])
        row = folders.setdefault(folder, [0, 0])
        for line in file['lines']:
            if line.get('gcovr/noncode') or line.get('gcovr/excluded'):
                continue
            row[1] += 1
            row[0] += line['count'] > 0
    return folders


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        folders = sum_folders(json.load(file))
    limit = float(sys.argv[2])
    low = 0
    for folder, (covered, lines) in sorted(folders.items()):
        percent = 100.0 * covered / lines if lines else 100.0
        low += percent < limit
        print('  %-24s %6.1f %%  %6d of %6d lines%s'
              % (folder, percent, covered, lines, '   < %g' % limit if percent < limit else ''))
    print('%d passed, %d failed' % (len(folders) - low, low))
    return 1 if low or not folders else 0


if __name__ == '__main__':
    sys.exit(main())
