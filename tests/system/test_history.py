# SPDX-License-Identifier: LGPL-2.1-or-later
"""What happened: histories in pages, events from a position on, while another process owns the store."""

import json

import world

WAITING = '''nebula: 1
name: waiting
nodes:
  each: { action: flow.for-each, with: { items: [1, 2, 3] }, body: { nodes: { x: { action: data.set, with: { v: "{{ $item }}" } } }, result: "{{ 1 }}" } }
  ask: { action: flow.wait, with: { signal: go }, after: [each] }
'''


class History(world.Case):
    def begin(self):
        self.write('waiting.yaml', WAITING)
        run = self.start('run', 'waiting.yaml', '--store', 'run.db')
        line = run.wait_for('Resume with')
        run.wait_for('waits')
        return run, line.split('resume ')[1].split()[0]

    def ask(self, *arguments: str):
        return self.expect(0, *arguments, '--store', 'run.db')

    def lines(self, *arguments: str):
        return [json.loads(line) for line in self.ask('events', '--json', *arguments).out.splitlines()]

    def test_pages_while_it_runs(self):
        run, execution = self.begin()
        whole = self.ask('execution', 'history', execution, '--json').json()
        self.assertIsNone(whole['next'])
        facts = [item['fact'] for item in whole['items']]
        self.assertEqual((facts[0], facts[-1]), ('started', 'node-waiting'))
        self.assertIn('each[2].x', [item.get('path') for item in whole['items']])
        pages, after = [], '0'
        while after:
            page = self.ask('execution', 'history', execution, '--limit', '4', '--after', after, '--json').json()
            self.assertLessEqual(len(page['items']), 4)
            pages += page['items']
            after = page['next']
        self.assertEqual(pages, whole['items'])
        shown = self.ask('execution', 'history', execution, '--limit', '3')
        self.assertEqual(len(shown.out.splitlines()), 3)
        self.assertIn('--after 3', shown.err)
        self.assertRegex(self.ask('execution', 'history', execution).out, r'node-waiting +ask  attempt=1  for=signal  name=go')
        run.kill()

    def test_mistakes(self):
        run, execution = self.begin()
        run.kill()
        self.expect(1, 'execution', 'history', 'exe_none', '--store', 'run.db')
        self.expect(2, 'execution', 'history', execution, '--after', 'x', '--store', 'run.db')
        self.expect(2, 'events', '--topic', 'node.danced', '--store', 'run.db')
        self.expect(2, 'events', '--after', 'x', '--store', 'run.db')
        self.expect(4, 'events', '--store', 'none.db')

    def test_events_from_any_position(self):
        run, execution = self.begin()
        events = self.lines()
        self.assertEqual(events[0]['type'], 'org.nebula.execution.started')
        self.assertEqual(len({event['id'] for event in events}), len(events))
        positions = [event['position'] for event in events]
        self.assertEqual(positions, sorted(positions))
        for event in events:
            rest = self.lines('--after', event['position'])
            self.assertEqual(events[events.index(event) + 1:], rest)
        self.assertEqual([event['node'] for event in self.lines('--topic', 'node.waiting')], ['ask'])
        self.assertEqual(self.lines('--execution', execution), events)
        self.assertEqual(self.lines('--execution', 'exe_none'), [])
        self.assertEqual(self.lines('--limit', '2'), events[:2])
        self.assertIn('node.waiting', self.ask('events').out)
        run.kill()

    def test_following_another_process(self):
        run, execution = self.begin()
        last = self.lines()[-1]['position']
        follower = self.start('events', '--store', 'run.db', '--follow', '--limit', '2', '--after', last, '--json')
        self.ask('execution', 'signal', execution, 'go')
        run.end()
        result = follower.end()
        self.assertEqual(result.code, 0)
        told = [json.loads(line)['type'].removeprefix('org.nebula.') for line in result.out.splitlines()]
        self.assertEqual(told, ['node.completed', 'execution.completed'])


if __name__ == '__main__':
    world.main()
