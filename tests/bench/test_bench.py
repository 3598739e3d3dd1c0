# SPDX-License-Identifier: LGPL-2.1-or-later
"""Does `nebula bench` say what it should? The shape is checked, never the times."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.environ.get('NEBULA_PROGRAM', 'nebula')
SUITES = ['startup', 'chain', 'fanout', 'sequence40', 'expr', 'json', 'ground', 'hosts', 'resilience', 'log', 'journal', 'sleepers', 'recovery', 'foreach',
          'graph']
VERDICTS = ('ok', 'miss', 'not-measured')
LIMIT = 240


class BenchTest(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name

    def bench(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([PROGRAM, 'bench', '--data-dir', self.folder, *arguments], capture_output=True, text=True,
                              encoding='utf-8', timeout=LIMIT, check=False)

    def check_figure(self, figure) -> None:
        self.assertIn(figure['suite'], SUITES)
        self.assertTrue(figure['what'])
        self.assertIn(figure.get('verdict', 'ok'), VERDICTS)
        if figure.get('verdict') == 'not-measured':
            self.assertTrue(figure['note'])
            return
        self.assertTrue(figure['unit'])
        self.assertIsInstance(figure['ours'], (int, float))
        self.assertEqual('floor' in figure, 'ratio' in figure)
        self.assertEqual('target' in figure, 'verdict' in figure)
        if 'floor' in figure:
            self.assertAlmostEqual(figure['ours'] / figure['floor'], figure['ratio'],
                                   delta=1e-6 + abs(figure['ratio']) * 1e-6)

    def test_all_suites(self) -> None:
        done = self.bench('--quick', '--json')
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertTrue(report['quick'])
        for key in ('cores', 'kernel', 'file_system', 'is_durable', 'durability', 'memory_mib'):
            self.assertIn(key, report['machine'])
        for figure in report['figures']:
            self.check_figure(figure)
        self.assertEqual(list(dict.fromkeys(figure['suite'] for figure in report['figures'])), SUITES)
        # What a build tree can measure is measured.
        missing = [figure for figure in report['figures'] if figure.get('verdict') == 'not-measured']
        self.assertEqual(missing, [])
        self.assertEqual(os.listdir(self.folder), [])

    def test_one_suite_as_table(self) -> None:
        done = self.bench('json', '--quick')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('read a 1 MB document', done.stdout)
        self.assertIn('MB/s', done.stdout)
        self.assertNotIn('startup', done.stdout)

    def test_list_and_unknown_suite(self) -> None:
        done = self.bench('--list')
        self.assertEqual([line.split()[0] for line in done.stdout.splitlines()], SUITES)
        done = self.bench('nonsense')
        self.assertEqual(done.returncode, 2)
        self.assertIn('nonsense', done.stderr)

    def test_folder_that_is_not_there(self) -> None:
        done = subprocess.run([PROGRAM, 'bench', 'json', '--quick', '--data-dir', os.path.join(self.folder, 'absent')],
                              capture_output=True, text=True, timeout=LIMIT, check=False)
        self.assertEqual(done.returncode, 4)
        self.assertIn('absent', done.stderr)


if __name__ == '__main__':
    program = unittest.main(exit=False, verbosity=1)
    result = program.result
    bad = len(result.failures) + len(result.errors)
    print(f'{result.testsRun - bad - len(result.skipped)} passed, {bad} failed, {len(result.skipped)} skipped')
    sys.exit(1 if bad else 0)
