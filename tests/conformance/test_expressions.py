# SPDX-License-Identifier: LGPL-2.1-or-later
"""The operations expr.eval and expr.template of nebula-conform, by the tables of the expressions' own tests:
test_expressions.py TABLES DRIVER."""

import json
import os
import subprocess
import sys


def read(path: str, operation: str, member: str) -> tuple:
    """The variables that all rows see, and rows (request, expected value or error code as a text with ✗)."""
    data, rows = {}, []
    with open(path, encoding='utf-8') as file:
        for line in file:
            line = line.rstrip('\n')
            if line.startswith('data: '):
                data = json.loads(line[6:])
            elif line and not line.startswith('#'):
                mark = ' ✗ ' if ' ✗ ' in line else ' → '
                text, _, expected = line.rpartition(mark)
                if operation == 'expr.template':
                    text = json.loads(text)
                rows.append(({'op': operation, member: text}, ('✗ ' + expected) if mark == ' ✗ ' else json.loads(expected)))
    return data, rows


def is_same(ours, wanted) -> bool:
    if isinstance(ours, bool) or isinstance(wanted, bool):
        return ours is wanted
    if isinstance(ours, (int, float)) and isinstance(wanted, (int, float)):
        return ours == wanted
    if isinstance(ours, list) and isinstance(wanted, list):
        return len(ours) == len(wanted) and all(map(is_same, ours, wanted))
    if isinstance(ours, dict) and isinstance(wanted, dict):
        return ours.keys() == wanted.keys() and all(is_same(ours[key], wanted[key]) for key in ours)
    return type(ours) is type(wanted) and ours == wanted


def main() -> int:
    folder, driver = sys.argv[1:3]
    data, rows = read(os.path.join(folder, 'cases.txt'), 'expr.eval', 'expression')
    _, templates = read(os.path.join(folder, 'templates.txt'), 'expr.template', 'template')
    rows += templates
    requests = ''.join(json.dumps({'id': str(number), 'data': data, **request}) + '\n'
                       for number, (request, _) in enumerate(rows))
    done = subprocess.run([driver], input=requests, capture_output=True, encoding='utf-8', check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    failed = 0
    if done.returncode != 0 or len(answers) != len(rows):
        print(f'{len(answers)} answers to {len(rows)} requests, exit code {done.returncode}\n{done.stderr}')
        failed = 1
    for (request, wanted), answer in zip(rows, answers):
        if isinstance(wanted, str) and wanted.startswith('✗ '):
            is_right = not answer['ok'] and answer['error']['code'] == wanted[2:]
        else:
            is_right = answer['ok'] and is_same(answer.get('value'), wanted)
        if not is_right:
            failed += 1
            print(f'{request}\n  wanted {wanted!r}\n  got    {answer}')
    print(f'{len(rows) - failed} passed, {failed} failed')
    return 1 if failed or len(rows) < 1000 else 0


if __name__ == '__main__':
    sys.exit(main())
