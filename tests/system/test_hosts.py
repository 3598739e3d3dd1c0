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


SUMS_PY = '''
import os, signal
from gi.repository import Nebula

@Nebula.function
def tripled(number: int) -> int:
    return 3 * number

@Nebula.function(name='sum_of', examples='sum_of(1, 2) → 3')
def total(*numbers: float) -> float:
    """Adds its arguments."""
    return sum(numbers)

@Nebula.function
def crashing(text: str) -> str:
    os.kill(os.getpid(), signal.SIGSEGV)

@Nebula.function
def looping() -> str:
    while True:
        pass

@Nebula.function
def raising(text: str) -> str:
    raise ValueError('not ' + text)

@Nebula.function
def lying() -> int:
    return 'text'
'''
SUMS_YAML = '''nebula: 1
name: sums
nodes:
  numbers: { action: data.set, with: { list: "{{ range(1, 6) }}", first: "{{ tripled(5) }}" } }
  odd: { action: data.filter, with: { items: "{{ $json.list }}", where: "tripled($item) % 2 == 1" } }
  all: { action: flow.for-each, with: { items: "{{ $nodes.odd.result }}" }, body: { nodes: { a: { action: data.set, with: { value: "{{ tripled($item) }}" } } } } }
  never: { action: flow.fail, with: { message: no } }
connections:
  - { from: numbers, to: odd }
  - { from: odd, to: all, when: "sum_of(tripled(1), 1) == 4" }
  - { from: all, to: never, when: "tripled(2) == 5" }
output: "{{ [$nodes.numbers.result.first, $nodes.odd.result, $nodes.all.result | map(x => x.value)] }}"
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


class Functions(Hosts):
    language = 'python'

    def setUp(self):
        super().setUp()
        self.add('sums.py', SUMS_PY)

    def expression(self, text, **variables):
        return self.expect(0, 'expr', text, **variables).out.strip()

    def error(self, text, **variables):
        return self.expect(1, 'expr', text, **variables).err

    def test_expressions_call_them(self):
        self.assertEqual(self.expression('tripled(2) + sum_of(1, 2.5) + sum_of()'), '9.5')
        self.assertEqual(self.expression('[1, 2] | map(x => tripled(x))'), '[3,6]')

    def test_help_shows_them(self):
        shown = self.expect(0, 'expr', '--help', 'sum_of').out + self.expect(0, 'inspect', 'sums').out
        for words in ('Adds its arguments.', 'sum_of(1, 2)', 'tripled'):
            self.assertIn(words, shown)

    def test_workflow_calls_them_wherever_an_expression_stands(self):
        self.write('sums.yaml', SUMS_YAML)
        for isolation in ('sums=process', 'sums=sandbox'):
            result = self.expect(0, 'run', 'sums.yaml', NEBULA_MODULE_ISOLATION=isolation)
            self.assertEqual(result.json(), [15, [1, 3, 5], [3, 9, 15]])

    def test_types_are_checked_when_a_workflow_is_saved(self):
        self.write('one.yaml', one('data.set', ', with: { a: "{{ tripled(\'x\') }}" }'))
        self.assertIn('tripled', repr(self.expect(2, 'validate', 'one.yaml')))

    def test_failures_say_what_happened(self):
        self.assertIn('ValueError: not so', self.error('raising("so")'))
        self.assertIn('did not give an integer', self.error('lying()'))
        self.assertIn('took too long while the function “looping” ran', self.error('looping()', NEBULA_HOST_FUNCTION_TIMEOUT='300ms'))

    def test_three_crashes_are_one_too_many(self):
        for _ in range(3):
            self.assertIn('crashed by signal 11 while the function “crashing” ran', self.error('crashing("x")'))
        self.assertIn('quarantine', self.error('tripled(1)'))

    def test_declaration_that_cannot_be_read_is_refused(self):
        self.add('bad.py', 'from gi.repository import Nebula\n@Nebula.function(parameters="x y")\ndef f(x):\n    pass\n')
        self.add('taken.py', 'from gi.repository import Nebula\n@Nebula.function(name="map")\ndef f(x):\n    pass\n')
        shown = self.expect(0, 'inspect').out
        self.assertIn('types of the function “f” cannot be read', shown)
        self.assertIn('There is a function “map” already', shown)


ESCAPE_PY = '''
import os, socket, subprocess
from gi.repository import Nebula

def tell(attempt):
    try:
        return attempt()
    except OSError as error:
        return error.errno

@Nebula.action('escape.now', effect='read', capabilities=['net', 'read=HERE'])
def now():
    return {
        'shadow': tell(lambda: open('/etc/shadow').read()),
        'passwd': tell(lambda: open('/etc/passwd').read()),
        'write': tell(lambda: open('HERE/written', 'w').close()),
        'read': tell(lambda: open('HERE/one.yaml').read()[:6]),
        'connect': tell(lambda: socket.create_connection(('127.0.0.1', 1))),
        'spawn': tell(lambda: subprocess.run(['/bin/true'])),
        'fork': tell(os.fork),
        'environment': 'SECRET' in os.environ,
    }
'''


class Sandbox(Hosts):
    language = 'python'

    def escape(self, **variables):
        self.add('escape.py', ESCAPE_PY.replace('HERE', self.folder))
        self.write('one.yaml', one('escape.now'))
        return self.expect(0, 'run', 'one.yaml', SECRET='x', NEBULA_MODULE_ISOLATION='escape=sandbox',
                           **variables).json()

    def test_nothing_is_granted_that_nobody_granted(self):
        self.assertEqual(self.escape(), {'shadow': 13, 'passwd': 13, 'write': 13, 'read': 13, 'connect': 1, 'spawn': 1,
                                         'fork': 1, 'environment': False})

    def test_what_is_granted_and_declared_is_allowed(self):
        granted = f'escape=net:escape=read={self.folder}:escape=write={self.folder}'
        self.assertEqual(self.escape(NEBULA_MODULE_CAPABILITIES=granted),
                         {'shadow': 13, 'passwd': 13, 'write': 13, 'read': 'nebula', 'connect': 111, 'spawn': 1,
                          'fork': 1, 'environment': False})

    def test_level_and_needs_are_shown(self):
        self.add('escape.py', ESCAPE_PY.replace('HERE', '/srv'))
        self.assertIn('read=/srv', self.expect(0, 'inspect', 'escape.now').out)
        self.assertIn('isolation: process', self.expect(0, 'inspect', 'escape').out)
        self.assertIn('isolation: sandbox', self.expect(0, 'inspect', 'escape',
                                                        NEBULA_MODULE_ISOLATION='*=sandbox').out)


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

    def test_description_with_mistakes_is_refused(self):
        head = "import Nebula from 'gi://Nebula?version=1.0';\n"
        for name, action, reason in (
                ('one', "'one.a', { nonsense: 1 }", 'the member “nonsense”'),
                ('two', "'two.a', { parameters: 3 }", 'the member “parameters”'),
                ('three', "'three.a', { parameters: { x: 3 } }", 'the member “x”'),
                ('four', "'other.a', {}", 'does not begin with “four.”'),
                ('five', "'five.a', { effect: 'magic' }", 'five')):
            self.add(name + '.js', head + f'Nebula.action({action}, () => 1);\n')
            self.assertIn(reason, self.expect(0, 'inspect').out)

    def test_function_is_called_by_expressions(self):
        self.add('wave.js')
        self.assertEqual(self.expect(0, 'expr', 'waves(3) + waves(2, "!")').out.strip(), '"o/o/o/!!"')
        self.assertIn('Many waves.', self.expect(0, 'expr', '--help', 'waves').out)


class Both(Hosts):
    language = 'javascript'

    def test_page_runs(self):
        self.add('greet.py')
        self.add('wave.js')
        self.write('both.yaml', extract(PAGE, 'both.yaml'))
        result = self.expect(0, 'run', 'both.yaml')
        self.assertEqual(result.json(), [['Hello, Ada!'] * 2, 'Hello, Ada.', 'HEY!', ['o/ Bob'], 'o/ B.H!!'])
        self.expect(0, 'run', 'both.yaml', NEBULA_MODULE_ISOLATION='*=in-process')
        self.expect(0, 'run', 'both.yaml', NEBULA_MODULE_ISOLATION='greet=sandbox:wave=sandbox')
        self.assertIn('greet', self.expect(4, 'run', 'both.yaml', NEBULA_MODULE_ISOLATION='greet=nowhere').err)

    def test_file_that_everybody_may_write_is_refused(self):
        self.add('greet.py')
        os.chmod(self.path('modules/greet.py'), 0o666)
        self.assertIn('refused', self.expect(0, 'inspect').out)


if __name__ == '__main__':
    world.main()
