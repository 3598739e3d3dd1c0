# SPDX-License-Identifier: LGPL-2.1-or-later
"""Workflows in a store: deployed, listed, compared, rolled back."""

import world


def text(name: str, x: int) -> str:
    return f'nebula: 1\nname: {name}\nnodes:\n  a: {{ action: data.set, with: {{ x: {x} }} }}\n'


class Revisions(world.Case):
    def deploy(self, code: int, *arguments: str):
        return self.expect(code, 'workflow', 'deploy', *arguments, '--store', 'run.db', '--json').json()

    def test_life_of_a_workflow(self):
        self.write('a.yaml', text('orders', 1))
        self.assertEqual([(i['workflow'], i['revision'], i['changed']) for i in self.deploy(0, 'a.yaml')],
                         [('orders', 1, True)])
        self.assertFalse(self.deploy(0, 'a.yaml')[0]['changed'])
        self.write('a.yaml', text('orders', 2))
        self.write('b.yaml', text('bills', 1))
        self.assertEqual([(i['workflow'], i['revision']) for i in self.deploy(0, 'a.yaml', 'b.yaml')],
                         [('orders', 2), ('bills', 1)])

    def test_conflict_and_label(self):
        self.write('a.yaml', text('orders', 1))
        self.deploy(0, 'a.yaml')
        self.write('a.yaml', text('orders', 2))
        self.assertEqual(self.deploy(1, 'a.yaml', '--if-revision', '7')['error']['code'], 'conflict')
        self.deploy(0, 'a.yaml', '--if-revision', '1', '--label', 'live', '--message', 'new prices')
        items = self.expect(0, 'workflow', 'history', 'orders', '--store', 'run.db', '--json').json()['items']
        self.assertEqual([(i['revision'], i['current'], i['labels'], i.get('message')) for i in items],
                         [(2, True, ['live'], 'new prices'), (1, False, [], None)])
        self.assertIn('orders@2', self.expect(0, 'workflow', 'list', '--store', 'run.db').out)
        self.assertIn('x: 1', self.expect(0, 'workflow', 'show', 'orders@1', '--store', 'run.db').out)
        shown = self.expect(0, 'workflow', 'show', 'orders', '-r', 'live', '--store', 'run.db', '--json').json()
        self.assertEqual(shown['definition']['nodes']['a']['with'], {'x': 2})
        diff = self.expect(0, 'workflow', 'diff', 'orders@1', 'orders@live', '--store', 'run.db', '--json').json()
        self.assertEqual(diff['changes'], [{'change': 'changed', 'what': 'parameter', 'node': 'a',
                                            'path': '/nodes/a/with/x', 'before': 1, 'after': 2}])
        self.assertIn('changed parameter', self.expect(0, 'workflow', 'diff', 'orders@1', 'a.yaml', '--store', 'run.db').out)

    def test_rollback_and_run(self):
        self.write('a.yaml', text('orders', 1))
        self.deploy(0, 'a.yaml')
        self.write('a.yaml', text('orders', 2))
        self.deploy(0, 'a.yaml')
        run = self.expect(0, 'run', 'orders@1', '--store', 'run.db', '--json').json()
        self.assertEqual((run['output'], run['revision']), ({'x': 1}, 1))
        run = self.expect(0, 'run', 'orders', '--store', 'run.db', '--json').json()
        self.assertEqual((run['output'], run['revision']), ({'x': 2}, 2))
        self.expect(0, 'workflow', 'rollback', 'orders', '--revision', '1', '--store', 'run.db')
        run = self.expect(0, 'run', 'orders', '--store', 'run.db', '--json').json()
        self.assertEqual((run['output'], run['revision']), ({'x': 1}, 3))
        self.expect(0, 'workflow', 'label', 'orders', 'old', '--revision', '2', '--store', 'run.db')
        run = self.expect(0, 'run', 'orders', '--revision', 'old', '--store', 'run.db', '--json').json()
        self.assertEqual(run['revision'], 2)
        self.expect(0, 'workflow', 'label', 'orders', 'old', '--remove', '--store', 'run.db')
        self.expect(2, 'run', 'orders@old', '--store', 'run.db')

    def test_mistakes_are_told_with_their_places_and_nothing_is_done(self):
        self.write('good.yaml', text('good', 1))
        self.write('bad.yaml', world.BAD)
        answer = self.deploy(2, 'good.yaml', 'bad.yaml')
        self.assertEqual(answer['status'], 'invalid')
        self.assertEqual({d['code'] for d in answer['diagnostics']}, {'unknown-action', 'bad-expression', 'unknown-node'})
        self.write('quick.yaml', world.QUICK)
        self.expect(0, 'run', 'quick.yaml', '--store', 'run.db')
        self.assertEqual(self.expect(0, 'workflow', 'list', '--store', 'run.db', '--json').json()['items'], [])

    def test_owner_does_it(self):
        self.write('asks.yaml', world.SIGNAL)
        run = self.start('run', 'asks.yaml', '--store', 'run.db', '--json')
        run.wait_for('ask', 'waits')
        self.write('a.yaml', text('orders', 1))
        self.assertEqual(self.deploy(0, 'a.yaml')[0]['revision'], 1)
        self.write('a.yaml', text('orders', 2))
        self.assertEqual(self.deploy(0, 'a.yaml')[0]['revision'], 2)
        self.expect(0, 'workflow', 'rollback', 'orders', '-r', '1', '--store', 'run.db')
        self.expect(0, 'workflow', 'label', 'orders', 'live', '--store', 'run.db')
        self.expect(1, 'workflow', 'rollback', 'nobody', '-r', '1', '--store', 'run.db')
        items = self.expect(0, 'workflow', 'list', '--store', 'run.db', '--json').json()['items']
        self.assertEqual([(i['workflow'], i['revision'], i['labels']) for i in items], [('orders', 3, {'live': 3})])
        self.expect(0, 'execution', 'signal', self.the_execution(), 'go', '--store', 'run.db')
        self.assertEqual(run.end().code, 0)


if __name__ == '__main__':
    world.main()
