# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs with an idempotency key: one key is one execution, whatever is killed and however often it is asked for."""

import random
import time

import world


class Once(world.Case):
    def run_with_key(self, *more: str):
        return ('run', 'slow.yaml', '--store', 'run.db', '--idempotency-key', 'order-1', *more)

    def list_executions(self):
        return self.expect(0, 'execution', 'list', '--store', 'run.db', '--json').json()['items']

    def test_a_key_runs_once(self):
        self.write('slow.yaml', world.SLOW)
        first = self.expect(0, *self.run_with_key('--json', '--set', 'x=4')).json()
        again = self.expect(0, *self.run_with_key('--json', '--set', 'x=4')).json()
        self.assertEqual(again, first)
        self.assertEqual(len(self.list_executions()), 1)
        # Another input with the same key is refused, another key starts.
        self.assertIn('idempotency key', self.expect(2, *self.run_with_key('--set', 'x=5')).err)
        self.expect(0, 'run', 'slow.yaml', '--store', 'run.db', '--idempotency-key', 'order-2', '--set', 'x=5')
        self.assertEqual(len(self.list_executions()), 2)

    def test_a_key_that_is_none(self):
        self.write('quick.yaml', world.QUICK)
        self.expect(2, 'run', 'quick.yaml', '--idempotency-key', '')

    def test_killed_again_and_again_it_is_one_execution(self):
        self.write('slow.yaml', world.SLOW)
        dice = random.Random(4711)
        for _ in range(12):
            run = self.start(*self.run_with_key('--set', 'x=4'))
            # At any instant: before the start is committed, while it waits, at its end.
            time.sleep(dice.uniform(0, 0.25))
            run.kill()
        result = self.expect(0, *self.run_with_key('--json', '--set', 'x=4')).json()
        self.assertEqual(result['output'], {'z': 10})
        items = self.list_executions()
        self.assertEqual([item['execution'] for item in items], [result['execution']])


if __name__ == '__main__':
    world.main()
