# SPDX-License-Identifier: LGPL-2.1-or-later
"""Crashes, signals, the control socket, the examples."""

import json
import os
import shutil
import signal
import stat
import subprocess

import world

FAILS = """
nebula: 1
name: fails
nodes:
  bad: { action: flow.fail, with: { message: "the mouse has eaten the cable" } }
"""


class Crash(world.Case):
    def test_resume_gives_the_output_of_an_undisturbed_run(self):
        self.write('slow.yaml', world.SLOW)
        undisturbed = self.expect(0, 'run', 'slow.yaml', '--json', '--set', 'x=4').json()
        run = self.start('run', 'slow.yaml', '--store', 'run.db', '--set', 'x=4')
        run.wait_for('pause', 'waits')
        run.kill()
        os.remove(self.path('slow.yaml'))
        execution = self.the_execution()
        result = self.expect(0, 'execution', 'resume', execution, '--store', 'run.db').lines()
        self.assertEqual(len(result), 1)
        self.assertEqual(result[0]['output'], undisturbed['output'])
        self.assertEqual(result[0]['execution'], execution)
        # A second one only tells again.
        self.assertEqual(self.expect(0, 'execution', 'resume', execution, '--store', 'run.db').lines(), result)

    def test_start_tells_how_to_resume(self):
        self.write('slow.yaml', world.SLOW)
        run = self.start('run', 'slow.yaml', '--store', 'run.db')
        line = run.wait_for('nebula execution resume')
        run.wait_for('pause', 'waits')
        run.kill()
        words = line.split('nebula ', 1)[1].split()
        self.assertEqual(self.expect(0, *words).lines()[0]['output'], {'z': 4})

    def test_resume_all(self):
        self.write('slow.yaml', world.SLOW)
        self.write('asks.yaml', world.SIGNAL)
        for name, node in (('slow.yaml', 'pause'), ('slow.yaml', 'pause'), ('asks.yaml', 'ask')):
            run = self.start('run', name, '--store', 'run.db')
            run.wait_for(node, 'waits')
            run.kill()
        statuses = [run['status'] for run in self.expect(0, 'execution', 'resume', '--all', '--store', 'run.db').lines()]
        self.assertEqual(sorted(statuses), ['completed', 'completed', 'suspended'])

    def test_resume_all_waits_for_a_place(self):
        self.write('gate.yaml', world.GATE)
        for _ in range(3):
            run = self.start('run', 'gate.yaml', '--store', 'run.db')
            run.wait_for('nebula execution resume')
            run.kill()
        # One at a time: what the first ones wait for is in a later batch.
        lines = self.expect(0, 'execution', 'resume', '--all', '--at-once', '1', '--store', 'run.db').lines()
        self.assertEqual([run['status'] for run in lines], ['completed'] * 3)

    def test_resume_what_is_not_there(self):
        self.write('quick.yaml', world.QUICK)
        self.expect(0, 'run', 'quick.yaml', '--store', 'run.db')
        self.expect(1, 'execution', 'resume', 'exe_nothing', '--store', 'run.db')
        self.expect(4, 'execution', 'resume', '--all', '--store', 'other.db')
        self.expect(2, 'execution', 'resume', '--store', 'run.db')
        self.assertFalse(os.path.exists(self.path('other.db')))


class History(world.Case):
    def list(self, *arguments):
        items = self.expect(0, 'execution', 'list', '--store', 'run.db', '--json', *arguments).json()['items']
        return [item['status'] for item in items]

    def test_search_and_prune(self):
        self.write('quick.yaml', world.QUICK)
        self.write('fails.yaml', FAILS)
        self.expect(0, 'run', 'quick.yaml', '--store', 'run.db', '--set', 'x=4711')
        self.expect(1, 'run', 'fails.yaml', '--store', 'run.db')
        self.assertEqual(self.list('--search', '4711'), ['completed'])
        self.assertEqual(self.list('--search', 'mouse cable'), ['failed'])
        self.assertEqual(self.list('--search', 'cabl*', '--status', 'completed'), [])
        self.assertEqual(self.list('--search', 'dog'), [])
        self.assertEqual(self.list('--since', '1h'), ['failed', 'completed'])
        self.assertEqual(self.list('--before', '1h'), [])
        self.assertEqual(self.list('--since', '2020-01-01T00:00:00Z', '--tenant', 'nobody'), [])
        self.expect(1, 'execution', 'list', '--store', 'run.db', '--since', 'soon')
        self.expect(2, 'store', 'prune', '--store', 'run.db')
        self.expect(2, 'store', 'prune', '--store', 'run.db', '--older', '1d', '--status', 'running')
        prune = ('store', 'prune', '--store', 'run.db', '--json')
        self.assertEqual(self.expect(0, *prune, '--older', '1d').json(), {'removed': 0})
        self.assertEqual(self.expect(0, *prune, '--older', '0s', '--status', 'failed', '--dry-run').json(), {'removed': 1})
        self.assertEqual(self.expect(0, *prune, '--older', '0s', '--status', 'failed').json(), {'removed': 1})
        self.assertEqual(self.list(), ['completed'])
        self.assertIn('1', self.expect(0, 'store', 'prune', '--store', 'run.db', '--older', '0s').out)
        self.assertEqual(self.list(), [])

    def test_the_owner_prunes_for_others(self):
        self.write('quick.yaml', world.QUICK)
        self.write('slow.yaml', world.SLOW.replace('1s', '1h'))
        self.expect(0, 'run', 'quick.yaml', '--store', 'run.db')
        run = self.start('run', 'slow.yaml', '--store', 'run.db')
        run.wait_for('pause', 'waits')
        prune = ('store', 'prune', '--store', 'run.db', '--json', '--older', '0s')
        self.assertEqual(self.expect(0, *prune, '--workflow', 'nothing').json(), {'removed': 0})
        self.assertEqual(self.expect(0, *prune, '--status', 'failed').json(), {'removed': 0})
        self.assertEqual(self.expect(0, *prune, '--dry-run').json(), {'removed': 1})
        self.assertEqual(self.expect(0, *prune).json(), {'removed': 1})
        self.assertEqual(self.list(), ['suspended'])
        run.kill()

    def test_tags(self):
        self.write('red.yaml', world.QUICK.replace('nebula: 1', 'nebula: 1\ntags: [red, blue sky]'))
        self.write('fails.yaml', FAILS)
        self.expect(0, 'run', 'red.yaml', '--store', 'run.db')
        self.expect(1, 'run', 'fails.yaml', '--store', 'run.db')
        self.assertEqual(self.list('--tag', 'red'), ['completed'])
        self.assertEqual(self.list('--tag', 'blue sky', '--status', 'completed'), ['completed'])
        self.assertEqual(self.list('--tag', 'red', '--status', 'failed'), [])
        self.assertEqual(self.list('--tag', 'sky'), [])
        self.assertIn('#red  #blue sky', self.expect(0, 'execution', 'list', '--store', 'run.db').out)
        self.expect(0, 'workflow', 'deploy', 'red.yaml', 'fails.yaml', '--store', 'run.db')
        items = self.expect(0, 'workflow', 'list', '--store', 'run.db', '--tag', 'red', '--json').json()['items']
        self.assertEqual([item['tags'] for item in items], [['red', 'blue sky']])
        self.assertEqual(len(self.expect(0, 'workflow', 'list', '--store', 'run.db').out.splitlines()), 2)
        self.assertIn('#red', self.expect(0, 'workflow', 'list', '--store', 'run.db', '--tag', 'red').out)

    def test_retention_by_settings(self):
        self.write('fails.yaml', FAILS)
        self.write('slow.yaml', world.SLOW.replace('1s', '1h'))
        for _ in range(3):
            self.expect(1, 'run', 'fails.yaml', '--store', 'run.db')
        run = self.start('run', 'slow.yaml', '--store', 'run.db')
        run.wait_for('pause', 'waits')
        self.assertEqual(self.list('--status', 'failed'), ['failed'] * 3)
        run.kill()
        self.environment['NEBULA_RETENTION_KEEP'] = '1'
        run = self.start('execution', 'resume', '--all', '--store', 'run.db')
        for _ in range(300):
            if len(self.list('--status', 'failed')) == 1:
                break
        self.assertEqual(self.list('--status', 'failed'), ['failed'])
        run.kill()


class Signals(world.Case):
    def interrupt(self, number: int) -> None:
        self.write('slow.yaml', world.SLOW.replace('1s', '1h'))
        run = self.start('run', 'slow.yaml', '--json')
        run.wait_for('pause', 'waits')
        run.send(number)
        result = run.end()
        self.assertEqual(result.code, 3, result)
        self.assertEqual(result.json()['status'], 'cancelled')

    def test_interrupt(self):
        self.interrupt(signal.SIGINT)

    def test_terminate(self):
        self.interrupt(signal.SIGTERM)

    def test_interrupted_resume_can_be_resumed(self):
        self.write('slow.yaml', world.SLOW)
        run = self.start('run', 'slow.yaml', '--store', 'run.db')
        run.wait_for('pause', 'waits')
        run.kill()
        resume = self.start('execution', 'resume', '--all', '--store', 'run.db')
        resume.send(signal.SIGINT)
        resume.end()
        result = self.expect(0, 'execution', 'resume', self.the_execution(), '--store', 'run.db').lines()
        self.assertEqual(result[0]['output'], {'z': 4})


class Control(world.Case):
    def start_asking(self) -> world.Running:
        self.write('asks.yaml', world.SIGNAL)
        run = self.start('run', 'asks.yaml', '--store', 'run.db', '--json')
        run.wait_for('ask', 'waits')
        return run

    def test_signal_reaches_the_owner(self):
        run = self.start_asking()
        self.assertEqual(stat.S_IMODE(os.stat(self.path('run.db.sock')).st_mode), 0o600)
        self.expect(0, 'execution', 'signal', self.the_execution(), 'go', '{"by": "Ada"}', '--store', 'run.db')
        result = run.end()
        self.assertEqual(result.code, 0, result)
        self.assertEqual(result.json()['output'], {'value': {'by': 'Ada'}})
        self.assertFalse(os.path.exists(self.path('run.db.sock')))

    def test_cancel_reaches_the_owner(self):
        run = self.start_asking()
        told = self.expect(0, 'execution', 'cancel', self.the_execution(), '--store', 'run.db', '--json').json()
        self.assertEqual(told['status'], 'cancelled')
        result = run.end()
        self.assertEqual(result.code, 3, result)
        self.expect(1, 'execution', 'cancel', told['execution'], '--store', 'run.db')

    def test_without_an_owner(self):
        run = self.start_asking()
        run.kill()
        execution = self.the_execution('--status', 'open')
        told = self.expect(0, 'execution', 'signal', execution, 'go', 'text', '--store', 'run.db', '--json').json()
        self.assertEqual((told['status'], told['output']), ('completed', {'value': 'text'}))
        run = self.start_asking()
        run.kill()
        execution = self.the_execution('--status', 'suspended')
        told = self.expect(0, 'execution', 'cancel', execution, '--store', 'run.db', '--json').json()
        self.assertEqual(told['status'], 'cancelled')

    def test_resume_asks_the_owner(self):
        self.start_asking()
        told = self.expect(0, 'execution', 'resume', '--all', '--store', 'run.db').lines()
        self.assertEqual([run['status'] for run in told], ['suspended'])

    def test_one_store_has_one_engine(self):
        self.start_asking()
        self.write('quick.yaml', world.QUICK)
        result = self.expect(4, 'run', 'quick.yaml', '--store', 'run.db', '--json')
        self.assertEqual(result.json()['error']['code'], 'store-busy')

    def test_long_path(self):
        folder = self.path('x' * 120)
        os.mkdir(folder)
        store = os.path.join(folder, 'run.db')
        self.write('asks.yaml', world.SIGNAL)
        run = self.start('run', 'asks.yaml', '--store', store, '--json')
        run.wait_for('ask', 'waits')
        items = self.expect(0, 'execution', 'list', '--store', store, '--json').json()['items']
        self.expect(0, 'execution', 'signal', items[0]['execution'], 'go', '1', '--store', store)
        self.assertEqual(run.end().json()['output'], {'value': 1})


class Look(world.Case):
    def test_list_pages(self):
        self.write('quick.yaml', world.QUICK)
        self.write('fail.yaml', world.FAIL)
        for _ in range(3):
            self.expect(0, 'run', 'quick.yaml', '--store', 'run.db')
        self.expect(1, 'run', 'fail.yaml', '--store', 'run.db')
        listing = ['execution', 'list', '--store', 'run.db', '--json']
        items = self.expect(0, *listing).json()
        self.assertEqual([item['workflow'] for item in items['items']], ['failing', 'quick', 'quick', 'quick'])
        self.assertIsNone(items['next'])
        page = self.expect(0, *listing, '--limit', '3').json()
        rest = self.expect(0, *listing, '--limit', '3', '--after', page['next']).json()
        self.assertEqual([*page['items'], *rest['items']], items['items'])
        self.assertEqual(len(self.expect(0, *listing, '--status', 'failed').json()['items']), 1)
        self.assertEqual(len(self.expect(0, *listing, '--workflow', 'quick').json()['items']), 3)
        self.expect(2, *listing, '--status', 'tired')
        self.assertIn('failing', self.expect(0, 'execution', 'list', '--store', 'run.db').out)

    def test_show(self):
        self.write('loop.yaml', world.LOOP)
        run = self.expect(0, 'run', 'loop.yaml', '--store', 'run.db', '--json').json()
        show = ['execution', 'show', run['execution'], '--store', 'run.db']
        self.assertEqual(self.expect(0, *show, '--json').json(), run)
        self.assertIn('each', self.expect(0, *show).out)
        node = self.expect(0, *show, '--node', 'each[17].price', '--json').json()
        self.assertEqual(node['result'], {'total': 34})
        self.expect(1, *show, '--node', 'each[99].price')
        self.expect(1, 'execution', 'show', 'exe_nothing', '--store', 'run.db')


class Examples(world.Case):
    def example(self, name: str) -> str:
        shutil.copy(os.path.join(world.SOURCE, 'data', 'examples', name), self.folder)
        return name

    def test_quickstart(self):
        name = self.example('quickstart.yaml')
        result = json.loads(self.expect(0, 'run', name).out)
        self.assertEqual((result['total'], result['decision']), (128.8, 'review'))
        result = json.loads(self.expect(0, 'run', name, '--set', 'customer=Ada', '--set', 'limit=500').out)
        self.assertEqual(result['decision'], 'accept')
        self.assertIn('Ada', result['greeting'])

    def test_zones(self):
        actions = {action['id'] for action in self.expect(0, 'inspect', '--json').json()['actions']}
        if 'file.write' not in actions:
            self.skipTest('the module file is not built')
        self.write('zones.tab', '# comment\nIT,SM\t+41\tEurope/Rome\nUS\t+40\tAmerica/New_York\tEast\nUS\t+41\tAmerica/Chicago\n')
        result = self.expect(0, 'run', self.example('zones.yaml'), '--json', '--set', 'table=zones.tab')
        self.assertEqual(result.json()['output']['zones'], 3)
        self.assertEqual(result.json()['output']['top'][0]['key'], 'US')
        with open(self.path('zones.md'), encoding='utf-8') as file:
            self.assertIn('| US | 2 | America/New_York |', file.read())

    def test_sales_fit_into_64_megabytes(self):
        folder = os.path.join(world.SOURCE, 'data', 'examples')
        subprocess.run(['/usr/bin/python3', os.path.join(folder, 'make-sales.py'), '--bytes', '20000000',
                        self.path('sales.csv')], check=True, stdout=subprocess.DEVNULL)
        with open(self.path('sales.csv'), encoding='utf-8') as file:
            count = sum(1 for _ in file) - 1
        with open(self.path('out.json'), 'w', encoding='utf-8') as out:
            process = subprocess.Popen([world.PROGRAM, 'run', self.example('sales.yaml'), '--quiet'], cwd=self.folder,
                                       env=self.environment, stdout=out)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        with open(self.path('out.json'), encoding='utf-8') as file:
            self.assertEqual(json.load(file)['sales'], count)
        self.assertLess(usage.ru_maxrss, 64 * 1024)

    def test_all_are_valid(self):
        folder = os.path.join(world.SOURCE, 'data', 'examples')
        actions = {action['id'] for action in self.expect(0, 'inspect', '--json').json()['actions']}
        for name in sorted(os.listdir(folder)):
            if name.endswith('.yaml') and 'file.write' in actions:
                self.expect(0, 'validate', os.path.join(folder, name))


if __name__ == '__main__':
    world.main()
