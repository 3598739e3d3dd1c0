# SPDX-License-Identifier: LGPL-2.1-or-later
"""Executions that are done again, forked, pinned, stopped and stepped."""

import json

import world

CHAIN = """
nebula: 1
name: chain
input: { type: object, properties: { n: { type: integer, default: 1 } } }
nodes:
  a: { action: process.run, effect: effectful, with: { command: [sh, -c, "echo ran >> log"] } }
  b: { action: data.set, with: { v: "{{ $input.n }}" }, after: [a] }
  c: { action: data.set, with: { w: "{{ $json.v * 10 }}" }, after: [b] }
"""


class Rerun(world.Case):
    def setUp(self) -> None:
        super().setUp()
        self.write('chain.yaml', CHAIN.replace('>> log', '>> ' + self.path('log')))

    def run_chain(self, *arguments: str):
        return self.expect(0, 'run', 'chain.yaml', '--store', 'run.db', '--json', *arguments).json()

    def again(self, code: int, op: str, *arguments: str):
        return self.expect(code, 'execution', op, *arguments, '--store', 'run.db', '--json').json()

    def count(self) -> int:
        with open(self.path('log'), encoding='utf-8') as file:
            return len(file.readlines())

    def test_rerun_and_fork(self):
        first = self.run_chain('--input', '{"n": 4}')
        self.assertEqual(self.count(), 1)
        second = self.again(0, 'rerun', first['execution'], '--from', 'b')
        self.assertEqual((second['status'], second['output'], self.count()), ('completed', {'w': 40}, 1))
        self.assertEqual(second['nodes']['a']['given'], 'rerun')
        self.assertEqual(second['origin'], {'execution': first['execution'], 'from': 'b'})
        self.assertEqual(self.again(0, 'rerun', first['execution'])['output'], {'w': 40})
        self.assertEqual(self.count(), 2)
        forked = self.again(0, 'fork', first['execution'], '--from', 'c', '--input', '{"v": 7}')
        self.assertEqual((forked['output'], self.count()), ({'w': 70}, 2))
        self.expect(2, 'execution', 'fork', first['execution'], '--from', 'c', '--store', 'run.db')
        self.assertEqual(self.again(2, 'rerun', first['execution'], '--from', 'x')['error']['code'], 'invalid-argument')
        self.assertEqual(self.again(1, 'rerun', 'exe_nobody')['error']['code'], 'not-found')

    def test_item_of_a_loop(self):
        self.write('loop.yaml', world.LOOP)
        first = self.expect(0, 'run', 'loop.yaml', '--store', 'run.db', '--json').json()
        second = self.again(0, 'rerun', first['execution'], '--from', 'each.price', '--item', '2')
        self.assertEqual(second['output'], first['output'])
        self.assertEqual(second['origin']['from'], 'each[2].price')
        for node, attempts in (('each[1].price', 0), ('each[2].price', 1)):
            shown = self.expect(0, 'execution', 'show', second['execution'], '--node', node, '--store', 'run.db', '--json')
            self.assertEqual(shown.json()['attempts'], attempts)
        self.assertEqual(self.again(2, 'rerun', first['execution'], '--item', '3')['error']['code'], 'invalid-argument')

    def test_pins_and_mocks(self):
        run = self.run_chain('--pin', 'a=null', '--mock', 'b={"v": 3}')
        self.assertEqual(run['output'], {'w': 30})
        self.assertEqual((run['nodes']['a']['given'], run['nodes']['b']['given']), ('pin', 'mock'))
        self.expect(2, 'run', 'chain.yaml', '--pin', 'nobody=1')
        self.expect(2, 'run', 'chain.yaml', '--pin', 'a')

    def test_break_and_step_through_the_owner(self):
        run = self.start('run', 'chain.yaml', '--store', 'run.db', '--json', '--break', 'b')
        self.wait_until_paused()
        execution = self.the_execution()
        shown = self.again(0, 'break', execution, 'c', '--when', '$json.v == 1')
        self.assertEqual((shown['status'], shown['at']), ('paused', 'b'))
        self.assertEqual(shown['breakpoints'], {'b': None, 'c': '$json.v == 1'})
        self.again(0, 'step', execution)
        self.wait_until_paused('c')
        self.again(0, 'break', execution, 'c', '--remove')
        self.expect(0, 'execution', 'resume', execution, '--store', 'run.db')
        self.assertEqual(run.end().json()['output'], {'w': 10})

    def wait_until_paused(self, at: str = '') -> None:
        for _ in range(1000):
            listed = self.nebula('execution', 'list', '--store', 'run.db', '--status', 'paused', '--json')
            items = listed.json()['items'] if listed.code == 0 else []  # the store may not be there yet
            if items and (not at or self.expect(0, 'execution', 'show', items[0]['execution'], '--store', 'run.db',
                                                '--json').json().get('at') == at):
                return
        self.fail('it is not paused')

    def test_step_without_an_owner(self):
        run = self.start('run', 'chain.yaml', '--store', 'run.db', '--json', '--break', 'b')
        self.wait_until_paused()
        run.kill()
        execution = self.the_execution()
        self.assertEqual(self.again(0, 'step', execution)['at'], 'c')
        self.assertEqual(self.again(0, 'step', execution)['status'], 'completed')
        self.assertEqual(json.loads(self.expect(1, 'execution', 'step', execution, '--store', 'run.db', '--json').out)
                         ['error']['code'], 'conflict')

    def test_owner_reruns(self):
        first = self.run_chain()
        self.write('asks.yaml', world.SIGNAL)
        run = self.start('run', 'asks.yaml', '--store', 'run.db', '--json')
        run.wait_for('ask', 'waits')
        second = self.again(0, 'rerun', first['execution'], '--from', 'b')
        self.assertEqual(second.get('origin', second), {'execution': first['execution'], 'from': 'b'})
        self.assertEqual(self.again(1, 'rerun', first['execution'], '--failed')['error']['code'], 'conflict')
        self.expect(0, 'execution', 'signal', self.the_execution('--status', 'suspended'), 'go', '--store', 'run.db')
        self.assertEqual(run.end().code, 0)


if __name__ == '__main__':
    world.main()
