# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/patterns.md shows each example of data/examples/patterns as it is: test_patterns.py TOP PROGRAM [--write]"""

import glob
import os
import re
import subprocess
import sys

HEAD = '''Title: Control-flow patterns
Slug: patterns

# Control-flow patterns

The patterns of control flow that Russell, ter Hofstede, van der Aalst and Mulyar listed in 2006 (“Workflow Control-Flow
Patterns: A Revised View”), each as a workflow that runs. The files are in `data/examples/patterns`; a test runs each in
virtual time, compares what it gives and how long it takes, and lets the engine crash at its commits
(`tests/core/execution/test-patterns.cc`; those that call others in `tests/core/engine/test-calls.cc`). The pictures are made by `nebula workflow graph FILE --format mermaid`, this
page by `tests/docs/test_patterns.py`, which also fails if it is out of date.
'''


def section(path, program):
    with open(path, encoding='utf-8') as file:
        text = file.read()
    number, what = re.match(r'# WCP(\d\d)\. (.*)\n', text).groups()
    title = os.path.basename(path)[3:-5].replace('-', ' ')
    graph = subprocess.run([program, 'workflow', 'graph', path, '--format', 'mermaid'], capture_output=True, text=True,
                           encoding='utf-8', check=True).stdout
    body = text.split('\n', 3)[3]
    return int(number), '## %d. %s\n\n%s\n\n```yaml\n%s```\n\n```mermaid\n%s```\n' % (
        int(number), title[0].upper() + title[1:], what, body, graph)


def make_page(top, program):
    sections = dict(section(path, program) for path in glob.glob(os.path.join(top, 'data/examples/patterns/*.yaml')))
    assert sorted(sections) == list(range(1, 44)), sorted(sections)
    return '\n'.join([HEAD] + [sections[number] for number in sorted(sections)])


def main(top, program, write=False):
    path = os.path.join(top, 'docs', 'patterns.md')
    page = make_page(top, program)
    if write:
        with open(path, 'w', encoding='utf-8') as file:
            file.write(page)
        return 0
    with open(path, encoding='utf-8') as file:
        if file.read() == page:
            print('docs/patterns.md shows the examples as they are')
            return 0
    print('docs/patterns.md is out of date: run this test with --write')
    return 1


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:3], write='--write' in sys.argv[3:]))
