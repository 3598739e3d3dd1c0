# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every command, its output and its exit code."""

import os
import pty
import shutil
import subprocess

import world


class Help(world.Case):
    def test_version(self):
        self.assertRegex(self.expect(0, '--version').out, r'^nebula \d+\.\d+\.\d+\n$')

    def test_no_command_is_wrong_usage(self):
        result = self.expect(2)
        self.assertEqual(result.out, '')
        self.assertIn('Commands:', result.err)

    def test_every_command_has_help_with_examples(self):
        for command in (['run'], ['validate'], ['expr'], ['inspect'], ['completion'], ['workflow', 'graph'],
                        ['execution', 'list'], ['execution', 'show'], ['execution', 'resume'],
                        ['execution', 'cancel'], ['execution', 'signal']):
            text = self.expect(0, *command, '--help').out
            self.assertIn('Examples:', text, command)
            self.assertEqual(text, self.expect(0, 'help', *command).out)
        self.assertIn('resume', self.expect(0, 'execution', '--help').out)

    def test_nearest_command(self):
        self.assertIn('“run”', self.expect(2, 'runn').err)
        self.assertIn('“resume”', self.expect(2, 'execution', 'resum').err)

    def test_wrong_options(self):
        self.write('quick.yaml', world.QUICK)
        for arguments in (['run'], ['run', 'quick.yaml', 'other.yaml'], ['run', 'quick.yaml', '--nonsense'],
                          ['run', 'quick.yaml', '--durability', 'hard'], ['run', 'quick.yaml', '--set', 'x'],
                          ['run', 'quick.yaml', '--input', '{'], ['run', 'quick.yaml', '--timeout', '5'],
                          ['run', 'quick.yaml', '--input', '@missing.json'], ['execution'], ['execution', 'list'],
                          ['workflow', 'graph', 'quick.yaml', '--format', 'svg'], ['completion', 'tcsh']):
            self.assertNotEqual(self.expect(2, *arguments).err, '', arguments)

    def test_argument_that_is_no_utf8(self):
        done = subprocess.run([world.PROGRAM, 'expr', b'"\xff"'], capture_output=True, check=False, env=self.environment)
        self.assertEqual(done.returncode, 2)


class Run(world.Case):
    def test_result(self):
        self.write('quick.yaml', world.QUICK)
        result = self.expect(0, 'run', 'quick.yaml')
        self.assertEqual(result.out, '2\n')
        self.assertIn('a', result.err)
        self.assertEqual(self.expect(0, 'run', 'quick.yaml', '--quiet').err, '')

    def test_text_is_printed_plain_in_any_locale(self):
        self.write('text.yaml', world.TEXT)
        for locale in ('C', 'C.UTF-8', 'POSIX'):
            self.assertEqual(self.expect(0, 'run', 'text.yaml', LC_ALL=locale).out, 'Héllo\n')

    def test_run_object(self):
        self.write('quick.yaml', world.QUICK)
        run = self.expect(0, 'run', 'quick.yaml', '--json', '--input', '{"x": 41}').json()
        self.assertEqual((run['workflow'], run['status'], run['output'], run['error']), ('quick', 'completed', 42, None))
        self.assertRegex(run['execution'], '^exe_[0-9a-z]{26}$')
        self.assertRegex(run['started'], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$')
        self.assertGreaterEqual(run['duration_us'], 0)
        self.assertEqual(list(run['nodes']), ['a'])
        self.assertEqual(run['nodes']['a']['result'], {'y': 42})
        self.assertEqual(run['nodes']['a']['status'], 'completed')
        self.assertEqual(run['nodes']['a']['attempts'], 1)

    def test_input(self):
        self.write('quick.yaml', world.QUICK)
        self.write('input.json', '{"x": 5}')
        self.write('input.yaml', 'x: 6\n')
        self.assertEqual(self.expect(0, 'run', 'quick.yaml', '--input', '@input.json').out, '6\n')
        self.assertEqual(self.expect(0, 'run', 'quick.yaml', '--input', '@input.yaml').out, '7\n')
        self.assertEqual(self.expect(0, 'run', 'quick.yaml', '--input', '@-', stdin='{"x": 7}').out, '8\n')
        self.assertEqual(self.expect(0, 'run', 'quick.yaml', '--input', '{"x": 5}', '--set', 'x=8').out, '9\n')

    def test_settings_reach_inside(self):
        self.write('echo.yaml', 'nebula: 1\nname: echo\nnodes: { a: { action: flow.no-op } }\n')
        run = self.expect(0, 'run', 'echo.yaml', '--set', 'a.b=1', '--set', 'a.c=text', '--set', 'd=[1, "x"]', '--json').json()
        self.assertEqual(run['output'], {'a': {'b': 1, 'c': 'text'}, 'd': [1, 'x']})
        self.expect(2, 'run', 'echo.yaml', '--input', '{"a": 1}', '--set', 'a.b=1')

    def test_input_that_does_not_fit(self):
        self.write('quick.yaml', world.QUICK)
        result = self.expect(2, 'run', 'quick.yaml', '--set', 'x=text', '--json')
        self.assertEqual(result.json()['status'], 'invalid')
        self.assertTrue(result.json()['diagnostics'])

    def test_failure(self):
        self.write('fail.yaml', world.FAIL)
        result = self.expect(1, 'run', 'fail.yaml', '--json')
        self.assertEqual(result.json()['status'], 'failed')
        self.assertEqual(result.json()['error']['message'], 'it broke')
        self.assertIn('it broke', result.err)
        self.assertEqual(self.expect(1, 'run', 'fail.yaml').out, '')

    def test_invalid_workflow(self):
        self.write('bad.yaml', world.BAD)
        found = self.expect(2, 'run', 'bad.yaml', '--json').json()
        self.assertEqual(found['status'], 'invalid')
        codes = {problem['code'] for problem in found['diagnostics']}
        self.assertLessEqual({'unknown-action', 'bad-expression', 'unknown-node'}, codes)
        for problem in found['diagnostics']:
            self.assertEqual(problem['file'], 'bad.yaml')
            self.assertGreater(problem['line'], 0)
            self.assertLessEqual({'line', 'column', 'code', 'severity', 'message', 'hint'}, set(problem))
        self.assertIn('bad.yaml:5', self.expect(2, 'run', 'bad.yaml').err)

    def test_missing_file(self):
        self.assertIn('nothing.yaml', self.expect(2, 'run', 'nothing.yaml').err)

    def test_time_limit(self):
        self.write('slow.yaml', world.SLOW.replace('1s', '1h'))
        run = self.expect(3, 'run', 'slow.yaml', '--timeout', '20ms', '--json').json()
        self.assertEqual(run['status'], 'timed-out')

    def test_store_that_cannot_be_made(self):
        self.write('quick.yaml', world.QUICK)
        self.expect(4, 'run', 'quick.yaml', '--store', 'missing/run.db')
        self.write('junk.db', 'this is no store' * 1000)
        self.expect(4, 'run', 'quick.yaml', '--store', 'junk.db')

    def test_memory_by_name(self):
        self.write('quick.yaml', world.QUICK)
        self.expect(0, 'run', 'quick.yaml', '--store', ':memory:')
        self.assertEqual(sorted(os.listdir(self.folder)), ['nebula', 'quick.yaml'] if 'nebula' in os.listdir(self.folder)
                         else ['quick.yaml'])

    def test_levels(self):
        self.write('quick.yaml', world.QUICK)
        for level in ('strict', 'relaxed', 'memory'):
            self.expect(0, 'run', 'quick.yaml', '--store', 'run.db', '--durability', level)

    def test_result_that_cannot_be_written(self):
        self.write('quick.yaml', world.QUICK)
        with open('/dev/full', 'w', encoding='utf-8') as full:
            done = subprocess.run([world.PROGRAM, 'run', 'quick.yaml'], cwd=self.folder, stdout=full,
                                  stderr=subprocess.PIPE, env=self.environment, check=False)
        self.assertEqual(done.returncode, 4)

    def test_tree_on_a_terminal(self):
        self.write('loop.yaml', world.LOOP)
        for no_colour, is_painted in (('', True), ('1', False)):
            ours, theirs = pty.openpty()
            process = subprocess.Popen([world.PROGRAM, 'run', 'loop.yaml'], cwd=self.folder, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=theirs,
                                       env={**self.environment, 'TERM': 'xterm', 'NO_COLOR': no_colour})
            os.close(theirs)
            drawn = b''
            while True:
                try:
                    part = os.read(ours, 65536)
                except OSError:
                    break
                if not part:
                    break
                drawn += part
            os.close(ours)
            self.assertEqual(process.wait(timeout=world.LIMIT), 0)
            self.assertIn('each', drawn.decode())
            self.assertIn(b'\033[K', drawn)
            self.assertEqual(b'\033[32m' in drawn, is_painted)


class Validate(world.Case):
    def test_valid_and_invalid(self):
        self.write('quick.yaml', world.QUICK)
        self.write('bad.yaml', world.BAD)
        self.assertIn('quick.yaml', self.expect(0, 'validate', 'quick.yaml').out)
        self.assertEqual(self.expect(0, 'validate', 'quick.yaml', '--json').json(), {'valid': True, 'diagnostics': []})
        found = self.expect(2, 'validate', 'quick.yaml', 'bad.yaml', '--json').json()
        self.assertFalse(found['valid'])
        self.assertEqual({problem['file'] for problem in found['diagnostics']}, {'bad.yaml'})
        self.assertIn('unknown-action', self.expect(2, 'validate', 'bad.yaml').err)

    def test_missing_file(self):
        self.assertFalse(self.expect(2, 'validate', 'nothing.yaml', '--json').json()['valid'])


class Expr(world.Case):
    def test_values(self):
        self.assertEqual(self.expect(0, 'expr', '[1, 2, 3] | map(x => x * 2)').json(), [2, 4, 6])
        self.assertEqual(self.expect(0, 'expr', '"a" + "b"').out, '"ab"\n')
        self.assertEqual(self.expect(0, 'expr', '-1 + 3').out, '2\n')
        self.assertEqual(self.expect(0, 'expr', '--data', '{"x": {"y": 2}}', '-$x.y').out, '-2\n')
        self.assertEqual(self.expect(0, 'expr', '--', '-4').out, '-4\n')

    def test_data(self):
        self.write('data.json', '{"order": {"total": 7}}')
        self.assertEqual(self.expect(0, 'expr', '$order.total > 5', '--data', '@data.json').out, 'true\n')
        self.expect(2, 'expr', '$x', '--data', '[1]')

    def test_template(self):
        self.assertEqual(self.expect(0, 'expr', '--template', 'Hi {{ $n }}', '--data', '{"n": "Ada"}').out, '"Hi Ada"\n')

    def test_error_has_a_caret(self):
        result = self.expect(1, 'expr', '1 + nothing (2)')
        self.assertEqual(result.out, '')
        self.assertIn('^', result.err)

    def test_without_expression(self):
        self.expect(2, 'expr')

    def test_one_after_another_on_a_terminal(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen([world.PROGRAM, 'expr', '--data', '{"x": 20}'], stdin=theirs, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, encoding='utf-8', env=self.environment)
        os.close(theirs)
        os.write(ours, b'$x + 1\n$last * 2\n1 +\n:functions\n:quit\n')
        out, err = process.communicate(timeout=world.LIMIT)
        os.close(ours)
        self.assertEqual((process.returncode, out), (0, '21\n42\n'))
        self.assertIn('^', err)
        self.assertIn('length', err)


class Inspect(world.Case):
    def test_list(self):
        text = self.expect(0, 'inspect').out
        self.assertIn('flow.for-each', text)
        found = self.expect(0, 'inspect', '--json').json()
        self.assertIn('data', {module['id'] for module in found['modules']})
        self.assertIn('flow.wait', {action['id'] for action in found['actions']})

    def test_one(self):
        text = self.expect(0, 'inspect', 'flow.for-each').out
        for word in ('items', 'required', 'concurrency', 'error'):
            self.assertIn(word, text)
        self.assertEqual(self.expect(0, 'inspect', 'flow.for-each', '--json').json()['id'], 'flow.for-each')
        self.assertIn('data.set', self.expect(0, 'inspect', 'data').out)
        self.assertIn('flow.wait', self.expect(1, 'inspect', 'flow.wai').err)

    def test_broken_module_is_listed_with_its_reason(self):
        os.mkdir(self.path('modules'))
        self.write('modules/broken.so', 'no shared object')
        result = self.expect(0, 'inspect', NEBULA_MODULE_PATH=self.path('modules'))
        self.assertIn('broken', result.out)


class Graph(world.Case):
    def test_formats(self):
        self.write('slow.yaml', world.SLOW)
        self.assertIn('digraph', self.expect(0, 'workflow', 'graph', 'slow.yaml').out)
        text = self.expect(0, 'workflow', 'graph', 'slow.yaml', '--format', 'mermaid').out
        self.assertIn('pause', text)
        self.expect(2, 'workflow', 'graph', 'missing.yaml')


class Config(world.Case):
    def setUp(self):
        super().setUp()
        self.environment['XDG_CONFIG_HOME'] = self.path('config')
        self.environment['XDG_CONFIG_DIRS'] = self.path('none')

    def test_settings(self):
        settings = self.expect(0, 'config', 'list', '--json').json()
        self.assertIn('durability', settings)
        before = self.expect(0, 'config', 'get', 'durability', '--json').json()
        self.assertEqual(before, settings['durability'])
        self.assertNotEqual(before, 'relaxed')
        self.expect(0, 'config', 'set', 'durability', 'relaxed')
        self.assertEqual(self.expect(0, 'config', 'get', 'durability').out, 'relaxed\n')
        described = self.expect(0, 'config', 'describe', 'durability', '--json').json()
        self.assertEqual((described['value'], described['default']), ('relaxed', before))
        self.assertIn(self.folder, described['source'])
        self.assertIn('relaxed', self.expect(0, 'config', 'list').out)

    def test_refused(self):
        self.expect(4, 'config', 'get', 'nothing')
        self.expect(4, 'config', 'set', 'durability', 'hard')
        self.assertEqual(self.expect(4, 'config', 'describe', 'nothing', '--json').json()['error']['code'], 'config')


class Completion(world.Case):
    def test_scripts_parse(self):
        for shell, flag in (('bash', '-n'), ('zsh', '-n'), ('fish', '--no-execute')):
            script = self.expect(0, 'completion', shell).out
            for word in ('resume', 'durability', 'mermaid'):
                self.assertIn(word, script)
            if shutil.which(shell):
                done = subprocess.run([shell, flag], input=script, text=True, capture_output=True, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ''))

    def test_bash_completes(self):
        script = self.expect(0, 'completion', 'bash').out
        for words, expected in ((['nebula', 'val'], 'validate'), (['nebula', 'execution', 'res'], 'resume'),
                                (['nebula', 'run', '--dur'], '--durability'),
                                (['nebula', 'run', '--durability', 'rel'], 'relaxed')):
            ask = f'{script}\nCOMP_WORDS=({" ".join(words)}); COMP_CWORD={len(words) - 1}; _nebula; echo "${{COMPREPLY[@]}}"'
            done = subprocess.run(['bash', '-c', ask], text=True, capture_output=True, check=False)
            self.assertEqual(done.stdout.strip(), expected, done.stderr)


if __name__ == '__main__':
    world.main()
