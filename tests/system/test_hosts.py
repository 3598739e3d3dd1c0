# SPDX-License-Identifier: LGPL-2.1-or-later
"""Modules in Python and JavaScript, in hosts of their own: shown, run, cancelled, and harmless when they are not."""

import os
import sys
import unittest

import world

sys.path.insert(0, os.path.join(world.SOURCE, 'tests', 'docs'))
from extract import extract  # noqa: E402

PAGE = os.path.join(world.SOURCE, 'docs', 'writing-a-script.md')
LANGUAGES = os.environ.get('NEBULA_TEST_LANGUAGES', '').split()

HARM_PY = '''
import os, signal
from gi.repository import Nebula

@Nebula.action('harm.crash')
def crash():
    os.kill(os.getpid(), signal.SIGSEGV)

@Nebula.action('harm.loop')
def loop():
    while True:
        pass

@Nebula.action('harm.exit')
def exit():
    raise SystemExit(3)

@Nebula.action('harm.nothing')
def nothing():
    return None

@Nebula.action('harm.odd')
def odd():
    return object()
'''
HARM_JS = '''
import Nebula from 'gi://Nebula?version=1.0';

Nebula.action('hurt.loop', {}, () => { for (;;); });
Nebula.action('hurt.odd', {}, () => Symbol('x'));
Nebula.action('hurt.nothing', {}, () => {});
Nebula.action('hurt.late', {}, async () => { throw new TypeError('too late'); });
'''


def one(action, more=''):
    return f'nebula: 1\nname: one\nnodes:\n  a: {{ action: {action}{more} }}\n'


class Hosts(world.Case):
    language = ''

    def setUp(self):
        super().setUp()
        if self.language not in LANGUAGES:
            self.skipTest(f'this build has no bindings for {self.language}')
        os.mkdir(self.path('modules'), 0o755)
        self.environment['NEBULA_MODULE_PATH'] = self.path('modules') + ':' + os.environ.get('NEBULA_MODULE_PATH', '')
        self.environment['XDG_STATE_HOME'] = self.path('state')
        self.environment['XDG_CACHE_HOME'] = self.path('cache')

    def add(self, name, text=None):
        self.write('modules/' + name, extract(PAGE, name) if text is None else text)
        os.chmod(self.path('modules/' + name), 0o644)

    def failure(self, action, more='', **variables):
        """The error of the only node."""
        self.write('one.yaml', one(action, more))
        return self.expect(1, 'run', 'one.yaml', '--json', **variables).json()['nodes']['a']['error']

    def pass_(self, action, more=''):
        self.write('one.yaml', one(action, more))
        return self.expect(0, 'run', 'one.yaml', '--json').json()['output']


class Python(Hosts):
    language = 'python'

    def test_action_is_shown_with_parameters_and_help(self):
        self.add('greet.py')
        shown = self.expect(0, 'inspect', 'greet.hello').out
        for words in ('Say hello', 'Gives a list of greetings.', 'text, required', 'integer, default 2', 'pure'):
            self.assertIn(words, shown)
        self.assertIn('What is said', self.expect(0, 'inspect', 'greet.shout').out)
        self.assertIn('greet 1.2.0', self.expect(0, 'inspect').out)
        self.assertIn('Greetings', self.expect(0, 'inspect').out)

    def test_workflow_is_checked_against_it(self):
        self.add('greet.py')
        self.write('one.yaml', one('greet.hello', ', with: { nam: x }'))
        self.assertIn('nam', repr(self.expect(2, 'validate', 'one.yaml')))

    def test_exception_is_an_error_with_type_message_and_traceback(self):
        self.add('greet.py')
        error = self.failure('greet.hello', ', with: { name: " " }')
        self.assertEqual(error['message'], 'ValueError: there is nobody to greet')
        self.assertEqual(error['details']['type'], 'ValueError')
        self.assertIn('greet.py', error['details']['traceback'])

    def test_module_that_does_not_load_is_listed_with_the_reason(self):
        self.add('broken.py', 'import no_such_thing\n')
        self.add('quits.py', 'raise SystemExit(0)\n')
        self.add('other.py', 'from gi.repository import Nebula\n'
                             '@Nebula.action("good.take")\ndef take():\n    pass\n')
        shown = self.expect(0, 'inspect').out
        self.assertIn("broken: does not load: ModuleNotFoundError: No module named 'no_such_thing'", shown)
        self.assertIn('broken: does not load: SystemExit', shown)
        self.assertIn('good.take', shown)

    def test_async_action_is_cancelled(self):
        self.add('greet.py')
        error = self.failure('greet.slowly', ', with: { name: x, seconds: 1000 }, timeout: 500ms')
        self.assertEqual(error['code'], 'timed-out')

    def test_loop_is_killed(self):
        self.add('harm.py', HARM_PY)
        self.write('one.yaml', 'nebula: 1\nname: two\nsettings: { on-error: continue }\nnodes:\n'
                               '  a: { action: harm.loop, timeout: 300ms }\n'
                               '  b: { action: harm.nothing, after: [a, a.error] }\n')
        report = self.expect(0, 'run', 'one.yaml', '--json', NEBULA_HOST_GRACE='100ms',
                             NEBULA_HOST_PROCESSES='1').json()
        self.assertEqual(report['nodes']['a']['error']['code'], 'timed-out')
        self.assertEqual(report['nodes']['b']['status'], 'completed')

    def test_what_is_no_value_is_an_error(self):
        self.add('harm.py', HARM_PY)
        self.assertIn('cannot hold object', self.failure('harm.odd')['message'])
        self.assertIsNone(self.pass_('harm.nothing'))
        self.assertIn('SystemExit', self.failure('harm.exit')['message'])

    def test_three_crashes_are_one_too_many(self):
        self.add('harm.py', HARM_PY)
        for _ in range(3):
            error = self.failure('harm.crash')
            self.assertEqual(error['code'], 'unknown-outcome')
            self.assertIn('crashed by signal 11', error['message'])
        self.assertIn('quarantine', self.failure('harm.nothing')['message'])
        self.assertIn('quarantine', self.expect(0, 'inspect', 'harm').out)
        self.add('harm.py', HARM_PY + '# mended\n')
        self.assertIsNone(self.pass_('harm.nothing'))


class JavaScript(Hosts):
    language = 'javascript'

    def test_action_is_shown_with_parameters_and_help(self):
        self.add('wave.js')
        shown = self.expect(0, 'inspect', 'wave.hello').out
        for words in ('Wave', 'Gives a list of waves.', 'Whom it waves to.', 'integer, default 2', 'pure'):
            self.assertIn(words, shown)
        self.assertIn('wave 1.3.0', self.expect(0, 'inspect').out)

    def test_exception_is_an_error_with_type_message_and_traceback(self):
        self.add('wave.js')
        error = self.failure('wave.hello', ', with: { name: " " }')
        self.assertEqual(error['message'], 'RangeError: there is nobody to wave to')
        self.assertEqual(error['details']['type'], 'RangeError')
        self.assertIn('wave.js:', error['details']['traceback'])

    def test_module_that_does_not_load_is_listed_with_the_reason(self):
        self.add('broken.js', 'let x = ;\n')
        self.assertIn('broken: does not load: SyntaxError', self.expect(0, 'inspect').out)

    def test_what_is_no_value_is_an_error(self):
        self.add('hurt.js', HARM_JS)
        self.assertIn('cannot hold symbol', self.failure('hurt.odd')['message'])
        self.assertIn('too late', self.failure('hurt.late')['message'])
        self.assertIsNone(self.pass_('hurt.nothing'))

    def test_loop_is_killed(self):
        self.add('hurt.js', HARM_JS)
        error = self.failure('hurt.loop', ', timeout: 300ms', NEBULA_HOST_GRACE='100ms')
        self.assertEqual(error['code'], 'timed-out')


class Both(Hosts):
    language = 'javascript'

    def test_page_runs(self):
        self.add('greet.py')
        self.add('wave.js')
        self.write('both.yaml', extract(PAGE, 'both.yaml'))
        result = self.expect(0, 'run', 'both.yaml')
        self.assertEqual(result.json(), [['Hello, Ada!'] * 2, 'Hello, Ada.', 'HEY!', ['o/ Bob'], 'o/ Bob'])
        self.expect(0, 'run', 'both.yaml', NEBULA_MODULE_ISOLATION='*=in-process')
        self.assertIn('greet', self.expect(4, 'run', 'both.yaml', NEBULA_MODULE_ISOLATION='greet=nowhere').err)

    def test_file_that_everybody_may_write_is_refused(self):
        self.add('greet.py')
        os.chmod(self.path('modules/greet.py'), 0o666)
        self.assertIn('refused', self.expect(0, 'inspect').out)


if __name__ == '__main__':
    world.main()
