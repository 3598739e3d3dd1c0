# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the examples and the code of docs/bindings.md: test_examples.py TOP [GJS]"""

import os
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

try:
    import gi  # noqa: F401
except ImportError:
    print('skipped: PyGObject (python3-gi) is not installed')
    sys.exit(77)

TOP = GJS = ''
EVENTS = ['event: execution.started', 'event: execution.completed']
COMPLETED = ['completed: line', 'completed: line', 'completed: price', 'completed: order']
PAGE = {
    'hello.py': ['Hello, Ada!'],
    'hello.js': ['Hello, Ada!'],
    'values.py': ['Ada 2', '3', '4', '0 True False', "[{'price': 2}, {'price': 3}]"],
    'values.js': ['Ada 2', '3', '4', 'customer Ada', 'lines [{"price":2},{"price":3}]', '0 [{"price":2},{"price":3}]'],
    'errors.py': ['3.5', 'division-by-zero True', '4 unknown-action'],
    'errors.js': ['3.5', 'true'],
    'events.py': ['execution.started', 'one {"n":1}', 'two {"n":2}', 'execution.completed'],
    'action.py': ['hi hi', 'ValueError: there is nothing to say'],
}


def run(path, *arguments):
    """The lines that a script prints."""
    if path.endswith('.js'):
        if not GJS:
            raise unittest.SkipTest('gjs is not installed')
        command = [GJS, '-m', path]
    else:
        command = [sys.executable, path]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60)
    if done.returncode or done.stderr:
        raise AssertionError('%s: exit %d\n%s%s' % (path, done.returncode, done.stdout, done.stderr))
    return done.stdout.splitlines()


class ExamplesTest(unittest.TestCase):
    def check_order(self, name):
        path = os.path.join(TOP, 'data', 'examples', 'bindings', name)
        lines = run(path)
        self.assertEqual([line for line in lines if line.startswith('event:')], EVENTS)
        self.assertEqual([line for line in lines if line.startswith('completed:')], COMPLETED)
        self.assertEqual(lines[-4:], ['output: {"total":90.5,"review":true}', 'status: completed',
                                      'attempts of order: 1', 'a third: 30.17'])
        self.assertIn('output: {"total":90.5,"review":false}', run(path, '100'))

    def test_python(self):
        self.check_order('run-workflow.py')

    def test_javascript(self):
        self.check_order('run-workflow.js')

    def test_page(self):
        sys.path.insert(0, os.path.join(TOP, 'tests', 'docs'))
        from extract import extract
        page = os.path.join(TOP, 'docs', 'bindings.md')
        with open(page, encoding='utf-8') as file:
            shown = [line[len('<!-- file: '):-len(' -->\n')] for line in file if line.startswith('<!-- file: ')]
        self.assertEqual(sorted(shown), sorted(PAGE))
        for name, expected in PAGE.items():
            if name.endswith('.js') and not GJS:
                continue
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, name)
                with open(path, 'w', encoding='utf-8') as file:
                    file.write(extract(page, name))
                lines = run(path)
                # Signals and subscriptions have queues of their own.
                self.assertEqual(*map(sorted, (lines, expected)) if name == 'events.py' else (lines, expected))


def main():
    global TOP, GJS
    TOP, GJS = (sys.argv[1:] + [''])[:2]
    result = unittest.TextTestRunner(stream=sys.stderr, verbosity=2).run(
        unittest.defaultTestLoader.loadTestsFromTestCase(ExamplesTest))
    bad = len(result.failures) + len(result.errors)
    skipped = len(result.skipped)
    print('%d passed, %d failed, %d skipped' % (result.testsRun - bad - skipped, bad, skipped))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
