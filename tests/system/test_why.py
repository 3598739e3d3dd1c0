# SPDX-License-Identifier: LGPL-2.1-or-later
"""Why an execution does not go on, and who is inside a gate and who waits before it."""

import world

GATED = '''nebula: 1
name: gated
settings: { concurrency: { limit: 1, key: orders, while-waiting: keep } }
nodes:
  ask: { action: flow.wait, with: { signal: go } }
'''
KEY = 'default/gated/orders'


class Why(world.Case):
    def park(self, waiting: int = 0) -> str:
        """Starts one that cannot end, and kills its program when so many wait before the gate."""
        run = self.start('run', 'gated.yaml', '--store', 'run.db')
        line = run.wait_for('Resume with')
        while [(gate['inside'], gate['waiting']) for gate in self.ask('queue', 'list', '--json').json()] != [(1, waiting)]:
            self.assertIsNone(run.process.poll())
        if waiting == 0:
            run.wait_for('waits')
        run.kill()
        return line.split('resume ')[1].split()[0]

    def ask(self, *arguments: str):
        return self.expect(0, *arguments, '--store', 'run.db')

    def test_what_is_waited_for(self):
        self.write('gated.yaml', GATED)
        first = self.park()
        told = self.ask('execution', 'why', first, '--json').json()
        self.assertEqual((told['execution'], told['status']), (first, 'suspended'))
        self.assertEqual([reason['reason'] for reason in told['reasons']], ['signal'])
        lines = self.ask('execution', 'why', first).out
        self.assertIn(first, lines)
        self.assertIn('go', lines)

    def test_who_is_inside_and_who_waits(self):
        self.write('gated.yaml', GATED)
        first = self.park()
        second = self.park(1)
        gates = self.ask('queue', 'list', '--json').json()
        self.assertEqual([(gate['key'], gate['limit'], gate['inside'], gate['waiting']) for gate in gates],
                         [(KEY, 1, 1, 1)])
        self.assertIn(KEY, self.ask('queue', 'list').out)
        shown = self.ask('queue', 'show', KEY)
        self.assertLess(shown.out.index(first), shown.out.index(second))
        self.assertIn(second, self.ask('queue', 'show', KEY, '--json').out)
        told = self.ask('execution', 'why', second, '--json').json()
        self.assertEqual([reason['reason'] for reason in told['reasons']], ['concurrency-limit'])

    def test_a_place_is_given_back(self):
        self.write('gated.yaml', GATED.replace(', while-waiting: keep', ''))
        run = self.start('run', 'gated.yaml', '--store', 'run.db')
        run.wait_for('waits')
        while self.ask('queue', 'list', '--json').json()[0]['inside'] > 0:
            self.assertIsNone(run.process.poll())
        run.kill()

    def test_a_start_is_put_off(self):
        self.write('later.yaml', 'name: later\nnodes: { a: { action: flow.no-op } }\n')
        run = self.start('run', 'later.yaml', '--store', 'run.db', '--delay', '1h')
        first = run.wait_for('Resume with').split('resume ')[1].split()[0]
        run.kill()
        told = self.ask('execution', 'why', first, '--json').json()
        self.assertEqual((told['status'], told['reasons'][0]['reason']), ('suspended', 'delayed-start'))
        self.assertIn('until', told['reasons'][0])
        self.ask('execution', 'cancel', first)
        self.assertEqual(self.ask('execution', 'why', first, '--json').json()['status'], 'cancelled')
        self.expect(0, 'run', 'later.yaml', '--at', '2001-01-01T08:00Z')
        self.expect(0, 'run', 'later.yaml', '--delay', '50ms')
        self.assertIn('5', self.expect(2, 'run', 'later.yaml', '--delay', '5').err)
        self.expect(2, 'run', 'later.yaml', '--delay', '5s', '--at', '2001-01-01T08:00Z')

    def test_a_batch_gives_its_result_to_all(self):
        self.write('batch.yaml', 'name: b\nsettings: { batch: { size: 2, timeout: 200ms } }\n'
                   'nodes: { a: { action: data.set, with: { all: "{{ $input | map (x => x.n) }}" } } }\n')
        self.assertEqual(self.expect(0, 'run', 'batch.yaml', '--set', 'n=4').json(), {'all': [4]})
        self.write('late.yaml', 'name: late\nsettings: { batch: { timeout: 300ms } }\nnodes: { a: { action: flow.no-op } }\n')
        run = self.start('run', 'late.yaml', '--store', 'run.db')
        first = run.wait_for('Resume with').split('resume ')[1].split()[0]
        run.kill()
        self.assertEqual(self.ask('execution', 'resume', first, '--json').json()['status'], 'completed')

    def test_what_the_owner_counts(self):
        self.write('gated.yaml', GATED)
        run = self.start('run', 'gated.yaml', '--store', 'run.db')
        run.wait_for('waits')
        text = self.ask('metrics').out
        self.assertRegex(text, r'(?m)^nebula_executions_started_total 1$')
        self.assertRegex(text, r'(?m)^# TYPE nebula_journal_syncs_total counter$')
        run.kill()
        self.assertIn('nobody', self.expect(4, 'metrics', '--store', 'run.db').err.lower())

    def test_what_the_machine_tells(self):
        told = self.nebula('system', '--json')
        machine = told.json()
        self.assertIn(machine['health']['status'], ('healthy', 'degraded', 'unhealthy'))
        self.assertGreater(machine['machine']['cpu']['count'], 0)
        self.assertEqual(told.code, 1 if machine['health']['status'] == 'unhealthy' else 0)
        self.assertRegex(self.nebula('system').out, r'(?m)^Memory .* free of ')

    def test_what_is_not_there(self):
        self.write('gated.yaml', GATED)
        self.park()
        self.assertIn('There is no queue', self.expect(1, 'queue', 'show', 'nobody', '--store', 'run.db').err)
        self.assertIn('There is no execution', self.expect(1, 'execution', 'why', 'exe_nope', '--store', 'run.db').err)


if __name__ == '__main__':
    world.main()
