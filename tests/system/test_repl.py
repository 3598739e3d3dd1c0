# SPDX-License-Identifier: LGPL-2.1-or-later
"""`nebula expr` without an expression: a terminal with editing and completion, and lines from a pipe."""

import fcntl
import os
import pty
import select
import subprocess
import termios
import time
import unittest

import world

DATA = '{"order": {"total": 20, "tax": 4, "my-key": 5, "name": "Ann"}}'


class Terminal:
    """The program with a terminal as stdin and stderr; stdout has the results alone."""

    def __init__(self, environment: dict, *arguments: str) -> None:
        self.ours, theirs = pty.openpty()
        self.seen = ''
        self.process = subprocess.Popen([world.PROGRAM, 'expr', *arguments], stdin=theirs, stderr=theirs,
                                        stdout=subprocess.PIPE, text=True, encoding='utf-8',
                                        env={**environment, 'TERM': 'xterm'}, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(theirs)

    def wait_for(self, text: str) -> str:
        """Reads until the text was shown; returns all up to there, and forgets it."""
        end = time.monotonic() + world.LIMIT
        while text not in self.seen:
            ready, _, _ = select.select([self.ours], [], [], max(end - time.monotonic(), 0))
            if not ready:
                raise AssertionError(f'“{text}” did not come after {self.seen!r}')
            self.seen += os.read(self.ours, 4096).decode('utf-8', 'replace')
        at = self.seen.index(text) + len(text)
        shown, self.seen = self.seen[:at], self.seen[at:]
        return shown

    def type(self, text: str) -> None:
        os.write(self.ours, text.encode())

    def end(self) -> tuple:
        out, _ = self.process.communicate(timeout=world.LIMIT)
        os.close(self.ours)
        return self.process.returncode, out


@unittest.skipUnless(os.environ.get('NEBULA_LINE_EDITING'), 'this build has no libedit: `nebula expr` does not edit lines')
class Editing(world.Case):
    def start(self, *arguments: str) -> Terminal:
        terminal = Terminal(self.environment, *arguments)
        terminal.wait_for('> ')
        return terminal

    def test_tabulator_completes(self):
        terminal = self.start('--data', DATA)
        terminal.type('$ord\t.tot\t + 1\n')
        terminal.wait_for('\n> ')
        terminal.type(':quit\n')
        self.assertEqual(terminal.end(), (0, '21\n'))

    def test_what_is_sure_is_put_in_and_the_rest_is_listed(self):
        terminal = self.start('--data', DATA)
        terminal.type('$order.t\t')
        shown = terminal.wait_for('total')
        shown += terminal.wait_for('$order.t')
        self.assertIn('tax', shown)
        terminal.type('a\t * 2\n')
        terminal.wait_for('\n> ')
        terminal.type('$order.\t')
        for label in ('my-key', 'name', 'keys', '$order.'):
            terminal.wait_for(label)
        terminal.type('my\t\n')
        terminal.wait_for('\n> ')
        terminal.type(':q\n')
        self.assertEqual(terminal.end(), (0, '8\n5\n'))

    def test_functions_complete_with_their_parenthesis(self):
        terminal = self.start('--data', DATA)
        terminal.type('$order.name | capi\t\n')
        terminal.wait_for('\n> ')
        terminal.type('[3, 1].sor\t\t')
        terminal.wait_for('sort_by')
        terminal.type('()\n')
        terminal.wait_for('\n> ')
        terminal.type(':quit\n')
        code, out = terminal.end()
        self.assertEqual((code, out.split()[0]), (0, '"Ann"'))

    def test_nothing_to_complete_changes_nothing(self):
        terminal = self.start('--data', DATA)
        terminal.type('1\t + "a\t".length ()\n')
        terminal.wait_for('\n> ')
        terminal.type(':quit\n')
        code, out = terminal.end()
        self.assertEqual((code, out), (0, '2\n'))

    def test_history_and_editing(self):
        terminal = self.start()
        terminal.type('"é" + "üx\x7f"\n')  # the rubbed out character
        terminal.wait_for('\n> ')
        terminal.type('1 + 3 \x1b[D\x7f2\n')
        terminal.wait_for('\n> ')
        terminal.type('\x1b[A\x1b[A\n')
        terminal.wait_for('\n> ')
        terminal.type('$last + $last\n')
        terminal.wait_for('\n> ')
        terminal.type(':quit\n')
        self.assertEqual(terminal.end(), (0, '"éü"\n3\n"éü"\n"éüéü"\n'))

    def test_lambda_and_result_are_known(self):
        terminal = self.start('--data', '{"lines": [{"price": 2, "sku": "a"}]}')
        terminal.type('$lines.map (line => li\t.pr\t)\n')
        terminal.wait_for('\n> ')
        terminal.type('$la\t[0] + 1\n')
        terminal.wait_for('\n> ')
        terminal.type(':quit\n')
        code, out = terminal.end()
        self.assertEqual((code, ''.join(out.split())), (0, '[2]3'))

    def test_template(self):
        terminal = self.start('--data', DATA, '--template')
        terminal.type('$ord\t{{ $ord\t.na\t }}!\n')
        terminal.wait_for('\n> ')
        terminal.type(':quit\n')
        self.assertEqual(terminal.end(), (0, '"$ordAnn!"\n'))

    def test_help(self):
        terminal = self.start('--data', DATA)
        terminal.type(':help $order.total\n')
        terminal.wait_for('total: an integer')
        terminal.wait_for('20')
        terminal.wait_for('\n> ')
        terminal.type(':help $order.name.upper\n:help nothing_at_all\n')
        terminal.wait_for('in large letters')
        terminal.wait_for('nothing_at_all”')
        terminal.wait_for('\n> ')
        terminal.type(':quit\n')
        self.assertEqual(terminal.end()[0], 0)

    def test_mistakes_do_not_end_it(self):
        terminal = self.start()
        terminal.type('1 +\n')
        terminal.wait_for('ends too early')
        terminal.wait_for('\n> ')
        terminal.type('1 + 1\n')
        terminal.wait_for('\n> ')
        terminal.type(':quit\n')
        self.assertEqual(terminal.end(), (0, '2\n'))

    def test_end_of_input_ends_it(self):
        terminal = self.start()
        terminal.type('\x04')
        self.assertEqual(terminal.end(), (0, ''))

    def test_interrupt_ends_it(self):
        terminal = self.start()
        terminal.type('1 +\x03')
        self.assertNotEqual(terminal.end()[0], 0)


class Lines(world.Case):
    def lines(self, text: str, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([world.PROGRAM, 'expr', *arguments], input=text, capture_output=True, check=False,
                              encoding='utf-8', env=self.environment, timeout=world.LIMIT)

    def test_lines_of_a_pipe(self):
        done = self.lines('1 + 1\n\n  [1, 2].map (x => x * $f)\n$last[1]', '--data', '{"f": 3}')
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, '2\n[3,6]\n6\n', ''))

    def test_a_mistake_is_told_and_the_rest_goes_on(self):
        done = self.lines('1 +\n2\n')
        self.assertEqual((done.returncode, done.stdout), (1, '2\n'))
        self.assertIn('^', done.stderr)

    def test_long_lines(self):
        done = self.lines('"' + 'x' * 9000 + '"\n')
        self.assertEqual(done.stdout, '"' + 'x' * 9000 + '"\n')

    def test_quit_ends_it(self):
        self.assertEqual(self.lines('1\n:quit\n2\n').stdout, '1\n')

    def test_no_line_at_all(self):
        self.assertEqual(self.lines('').returncode, 2)


if __name__ == '__main__':
    world.main()
