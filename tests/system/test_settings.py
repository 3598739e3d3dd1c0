# SPDX-License-Identifier: LGPL-2.1-or-later
"""Settings: each layer covers the one below (default, system file, user file, environment, command line)."""

import contextlib
import json
import os
import shutil
import sqlite3

import world

LONG = world.SLOW.replace('duration: 1s', 'duration: 1h')


def write_many(nodes: int) -> str:
    return 'nebula: 1\nname: many\nnodes:\n' + ''.join(
        f'  n{i}: {{ action: data.set, with: {{ x: 1 }} }}\n' for i in range(nodes))


class Settings(world.Case):
    def setUp(self) -> None:
        super().setUp()
        for name in list(self.environment):
            if name.startswith('NEBULA_') and name not in ('NEBULA_HOST', 'NEBULA_MODULE_PATH', 'NEBULA_LOCALEDIR'):
                del self.environment[name]
        self.environment['XDG_CONFIG_HOME'] = self.path('user')
        self.environment['XDG_CONFIG_DIRS'] = self.path('system')
        self.write('quick.yaml', world.QUICK)

    def set_file(self, layer: str, text: str) -> None:
        os.makedirs(self.path(f'{layer}/nebula'), exist_ok=True)
        self.write(f'{layer}/nebula/config.yaml', text)


class StorePath(Settings):
    def test_default_keeps_nothing(self):
        self.assertNotIn('Resume with', self.expect(0, 'run', 'quick.yaml').err)
        self.assertEqual(sorted(os.listdir(self.folder)), ['quick.yaml'])

    def test_file_covers_default(self):
        self.set_file('system', 'store-path: system.db\n')
        result = self.expect(0, 'run', 'quick.yaml')
        self.assertIn('--store system.db', result.err)
        self.assertTrue(os.path.exists(self.path('system.db')))

    def test_user_file_covers_system_file(self):
        self.set_file('system', 'store-path: system.db\n')
        self.set_file('user', 'store-path: user.db\n')
        self.assertIn('--store user.db', self.expect(0, 'run', 'quick.yaml').err)
        self.assertFalse(os.path.exists(self.path('system.db')))

    def test_environment_covers_file(self):
        self.set_file('user', 'store-path: user.db\n')
        result = self.expect(0, 'run', 'quick.yaml', NEBULA_STORE_PATH='environment.db')
        self.assertIn('--store environment.db', result.err)
        self.assertFalse(os.path.exists(self.path('user.db')))

    def test_command_line_covers_environment(self):
        result = self.expect(0, 'run', 'quick.yaml', '--store', 'line.db', NEBULA_STORE_PATH='environment.db')
        self.assertIn('--store line.db', result.err)
        self.assertFalse(os.path.exists(self.path('environment.db')))
        self.assertNotIn('Resume with', self.expect(0, 'run', 'quick.yaml', '--store', ':memory:',
                                                    NEBULA_STORE_PATH='environment.db').err)

    def test_resume_takes_it_too(self):
        self.expect(2, 'execution', 'resume', '--all')
        self.expect(0, 'run', 'quick.yaml', NEBULA_STORE_PATH='run.db')
        self.expect(0, 'execution', 'resume', '--all', NEBULA_STORE_PATH='run.db')


class ModulePath(Settings):
    def setUp(self) -> None:
        super().setUp()
        built = self.environment.pop('NEBULA_MODULE_PATH')
        os.mkdir(self.path('modules'), 0o755)
        shutil.copy(os.path.join(built, 'data.so'), self.path('modules'))

    def test_without_the_module_is_not_found(self):
        self.assertIn('data.set', self.expect(2, 'run', 'quick.yaml').err)

    def test_file_says_where_modules_are(self):
        self.set_file('user', f'module-path: [{self.path("modules")}]\n')
        self.expect(0, 'run', 'quick.yaml')
        self.expect(0, 'validate', 'quick.yaml')
        self.assertIn('data', self.expect(0, 'inspect').out)

    def test_environment_covers_file(self):
        self.set_file('user', f'module-path: [{self.path("modules")}]\n')
        self.expect(2, 'run', 'quick.yaml', NEBULA_MODULE_PATH=self.path('nowhere'))
        self.set_file('user', f'module-path: [{self.path("nowhere")}]\n')
        self.expect(0, 'run', 'quick.yaml', NEBULA_MODULE_PATH=self.path('modules'))

    def test_bad_file_is_refused(self):
        self.set_file('user', 'module-path: 7\n')
        self.assertIn('config.yaml:1: module-path', self.expect(4, 'inspect').err)


class Expressions(Settings):
    def test_environment_and_file_set_the_limits(self):
        text = 'range(1000) | map(x => x + 1) | length()'
        self.assertEqual(self.expect(0, 'expr', text).out.strip(), '1000')
        self.assertIn('steps', self.expect(1, 'expr', text, NEBULA_EXPRESSION_STEPS='1000').err)
        self.set_file('user', 'expression-steps: 1000\n')
        self.expect(1, 'expr', text)
        self.expect(0, 'expr', text, NEBULA_EXPRESSION_STEPS='1000000')

    def test_they_hold_in_runs(self):
        self.write('many.yaml', 'nebula: 1\nname: many\nnodes:\n'
                   '  a: { action: data.set, with: { n: "{{ range(1000) | map(x => x + 1) | length() }}" } }\n')
        self.expect(0, 'run', 'many.yaml')
        self.assertIn('steps', self.expect(1, 'run', 'many.yaml', NEBULA_EXPRESSION_STEPS='1000').err)

    def test_what_is_missing_may_be_null(self):
        text = 'nebula: 1\nname: gap\nnodes:\n  a: { action: data.set, with: { n: "{{ $input.there.not ?? 7 }}" } }\n'
        self.write('strict.yaml', text)
        self.assertIn('there', self.expect(1, 'run', 'strict.yaml').err)
        self.write('lenient.yaml', text + 'settings: { missing-is-null: true }\n')
        self.assertEqual(self.expect(0, 'run', 'lenient.yaml', '--json').json()['output'], {'n': 7})
        self.expect(1, 'expr', '$in.x', '--data', '{"in": {}}')
        self.assertEqual(self.expect(0, 'expr', '--missing-is-null', '$in.x', '--data', '{"in": {}}').out.strip(), 'null')


class Timeout(Settings):
    def setUp(self) -> None:
        super().setUp()
        self.write('long.yaml', LONG)

    def test_default_is_no_limit(self):
        self.expect(0, 'run', 'quick.yaml', NEBULA_RUN_TIMEOUT='0s')

    def test_file_covers_default(self):
        self.set_file('user', 'run-timeout: 100ms\n')
        self.assertEqual(self.expect(3, 'run', 'long.yaml', '--json').json()['status'], 'timed-out')

    def test_environment_covers_file(self):
        self.set_file('user', 'run-timeout: 1h\n')
        self.expect(3, 'run', 'long.yaml', NEBULA_RUN_TIMEOUT='100ms')

    def test_command_line_covers_environment(self):
        self.expect(3, 'run', 'long.yaml', '--timeout', '100ms', NEBULA_RUN_TIMEOUT='1h')
        self.write('slow.yaml', world.SLOW)
        self.expect(0, 'run', 'slow.yaml', '--timeout', '1h', NEBULA_RUN_TIMEOUT='1ms')


class Durability(Settings):
    """What a run is committed with stands in the header that the store keeps: 0 strict, 1 relaxed."""

    def get(self, name: str, *arguments: str, **variables: str) -> int:
        self.expect(0, 'run', name, '--store', 'run.db', *arguments, **variables)
        with contextlib.closing(sqlite3.connect(self.path('run.db'))) as database:
            return database.execute('SELECT durability FROM stream ORDER BY id DESC').fetchone()[0]

    def test_default(self):
        self.assertEqual(self.get('quick.yaml'), 0)

    def test_file_covers_default(self):
        self.set_file('user', 'durability: relaxed\n')
        self.assertEqual(self.get('quick.yaml'), 1)

    def test_environment_covers_file(self):
        self.set_file('user', 'durability: relaxed\n')
        self.assertEqual(self.get('quick.yaml', NEBULA_DURABILITY='strict'), 0)

    def test_workflow_covers_environment(self):
        self.write('strict.yaml', world.QUICK + 'settings: { durability: strict }\n')
        self.assertEqual(self.get('strict.yaml', NEBULA_DURABILITY='relaxed'), 0)

    def test_command_line_covers_all(self):
        self.write('strict.yaml', world.QUICK + 'settings: { durability: strict }\n')
        self.assertEqual(self.get('strict.yaml', '--durability', 'relaxed', NEBULA_DURABILITY='strict'), 1)


class Nodes(Settings):
    def setUp(self) -> None:
        super().setUp()
        self.write('three.yaml', write_many(3))

    def test_default(self):
        self.expect(0, 'run', 'three.yaml')

    def test_file_covers_default(self):
        self.set_file('system', 'max-nodes: 2\n')
        self.assertIn('more than 2 nodes', self.expect(2, 'run', 'three.yaml').err)

    def test_user_file_covers_system_file(self):
        self.set_file('system', 'max-nodes: 2\n')
        self.set_file('user', 'max-nodes: 3\n')
        self.expect(0, 'run', 'three.yaml')

    def test_environment_covers_file(self):
        self.set_file('user', 'max-nodes: 2\n')
        self.expect(0, 'run', 'three.yaml', NEBULA_MAX_NODES='3')
        self.expect(2, 'run', 'three.yaml', NEBULA_MAX_NODES='1')

    def test_command_line_has_no_such_option(self):
        self.expect(2, 'run', 'three.yaml', '--max-nodes', '5')

    def test_what_was_started_is_recovered(self):
        self.write('asks.yaml', world.SIGNAL + '  more: { action: data.set, with: { x: 1 } }\n')
        run = self.start('run', 'asks.yaml', '--store', 'run.db')
        run.wait_for('ask')
        run.kill()
        name = self.the_execution()
        again = self.start('execution', 'resume', name, '--store', 'run.db')
        again.kill()
        self.environment['NEBULA_MAX_NODES'] = '1'
        result = self.expect(0, 'execution', 'signal', name, 'go', '--store', 'run.db')
        self.assertEqual(result.code, 0)
        self.expect(0, 'execution', 'resume', name, '--store', 'run.db')


class Tenants(Settings):
    """A tenant's own settings, over those for all."""

    def setUp(self) -> None:
        super().setUp()
        self.write('three.yaml', write_many(3))
        self.set_file('user', 'max-nodes: 2\ntenants:\n  acme:\n    max-nodes: 3\n')

    def test_hold_for_its_runs_only(self):
        self.expect(2, 'run', 'three.yaml')
        self.expect(2, 'run', 'three.yaml', '--tenant', 'other')
        self.expect(0, 'run', 'three.yaml', '--tenant', 'acme')

    def test_environment_covers_file(self):
        self.expect(2, 'run', 'three.yaml', '--tenant', 'acme', NEBULA_TENANTS__ACME__MAX_NODES='1')
        self.expect(0, 'run', 'three.yaml', '--tenant', 'other', NEBULA_TENANTS__OTHER__MAX_NODES='4')

    def test_must_be_a_name(self):
        self.assertIn('tenants.', self.expect(4, 'run', 'three.yaml', '--tenant', 'a/b').err)


class Memory(Settings):
    def test_nothing_starts_above_the_limit(self):
        self.set_file('user', 'memory-limit: 1KiB\n')
        self.assertIn('Memory is short', self.fails('run', 'quick.yaml'))
        self.expect(0, 'run', 'quick.yaml', NEBULA_MEMORY_LIMIT='0')
        self.expect(0, 'run', 'quick.yaml', NEBULA_MEMORY_LIMIT='1000TiB')

    def fails(self, *arguments: str) -> str:
        result = self.nebula(*arguments)
        self.assertNotEqual(result.code, 0)
        return result.err


class Log(Settings):
    """What is logged here: that the cache of the catalogue cannot be written."""

    def setUp(self) -> None:
        super().setUp()
        self.environment['XDG_CACHE_HOME'] = '/dev/null/none'

    def get(self, **variables: str) -> str:
        return self.expect(0, 'run', 'quick.yaml', '--quiet', **variables).err

    def test_default_shows_messages_only(self):
        self.assertEqual(self.get(), '')

    def test_file_covers_default(self):
        self.set_file('system', 'log-levels: debug\nlog-format: logfmt\n')
        self.assertRegex(self.get(), 'level=debug .*catalogue')

    def test_user_file_covers_system_file(self):
        self.set_file('system', 'log-levels: debug\n')
        self.set_file('user', 'log-levels: warning\n')
        self.assertEqual(self.get(), '')

    def test_environment_covers_file(self):
        self.set_file('user', 'log-levels: critical\nlog-format: logfmt\n')
        lines = self.get(NEBULA_LOG_LEVELS='debug', NEBULA_LOG_FORMAT='json').splitlines()
        self.assertTrue(lines)
        for line in lines:
            self.assertEqual(json.loads(line)['level'], 'debug')

    def test_a_bad_level_is_refused(self):
        result = self.expect(4, 'run', 'quick.yaml', NEBULA_LOG_LEVELS='loud')
        self.assertIn('NEBULA_LOG_LEVELS', result.err)


class Broken(Settings):
    def test_a_bad_file_is_refused_with_its_place(self):
        self.set_file('user', '\nmax-nodes: many\n')
        result = self.expect(4, 'run', 'quick.yaml')
        self.assertIn('config.yaml:2: max-nodes', result.err)
        self.assertEqual(self.expect(4, 'run', 'quick.yaml', '--json').json()['error']['code'], 'config')

    def test_a_bad_variable_is_refused_by_name(self):
        self.assertIn('NEBULA_DURABILITY', self.expect(4, 'run', 'quick.yaml', NEBULA_DURABILITY='hard').err)
        self.assertIn('NEBULA_RUN_TIMEOUT', self.expect(4, 'run', 'quick.yaml', NEBULA_RUN_TIMEOUT='soon').err)


if __name__ == '__main__':
    world.main()
