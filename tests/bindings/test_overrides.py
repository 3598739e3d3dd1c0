# SPDX-License-Identifier: LGPL-2.1-or-later
"""The library from Python with its overrides: values, errors, actions, events, waiting, leaks."""

import datetime
import decimal
import gc
import sys
import threading
import unittest

try:
    import gi
except ImportError:
    print('skipped: PyGObject (python3-gi) is not installed')
    sys.exit(77)

gi.require_version('Nebula', '1.0')
from gi.repository import GLib, GObject, Nebula  # noqa: E402

UTC = datetime.timezone.utc
PAGE_KIB = 4
WAITS = {'nebula': 1, 'name': 'waits', 'nodes': {'n': {'action': 'flow.wait', 'with': {'signal': 'go'}}}}


@Nebula.action('test.shout', version='1.2.0', title='Shout', category='Tests', effect='pure',
               capabilities=['noise'], parameters={'times': {'flags': ['required'], 'placeholder': 'how often'}})
class Shout(Nebula.SimpleAction):
    """Makes text
    loud."""

    text = GObject.Property(type=str, default='hey', nick='Text', blurb='What is shouted')
    times = GObject.Property(type=int, default=1, minimum=1, maximum=5)

    def do_run(self, invocation, cancellable):
        return {'text': self.text.upper() * self.times, 'node': invocation.get_node_id(),
                'thread': threading.current_thread() is threading.main_thread()}


@Nebula.action('test.fault')
class Fault(Nebula.SimpleAction):
    kind = GObject.Property(type=str, default='')

    def do_run(self, invocation, cancellable):
        if self.kind == 'nebula':
            raise GLib.Error.new_literal(Nebula.error_quark(), 'come back later', Nebula.Error.THROTTLED)
        if self.kind == 'object':
            return object()
        return {}['missing']


@Nebula.action('test.route', ports={'big': 'Big', 'small': 'Small'})
class Route(Nebula.ProcessAction):
    number = GObject.Property(type=float, default=0.0)

    def do_run(self, invocation, cancellable):
        if self.number < 0:
            return Nebula.Result.new(Nebula.ResultKind.SKIP, None, None, 0)
        port = 'big' if self.number > 10 else 'small'
        return Nebula.Result.new(Nebula.ResultKind.SUCCESS, port, Nebula.Value([self.number]), 0)


@Nebula.action('test.later')
class Later(Nebula.Action):
    """Answers in a later turn of the loop."""

    fail = GObject.Property(type=bool, default=False)

    def do_invoke(self, invocation):
        if self.fail:
            raise RuntimeError('not today')
        GLib.idle_add(lambda: invocation.return_value({'input': invocation.get_input()}))


def make_registry():
    registry = Nebula.Registry.new()
    registry.load()
    for action in (Shout, Fault, Route, Later):
        registry.add_action(action)
    return registry


def single(action, **parameters):
    """A workflow of one node, n."""
    return {'nebula': 1, 'name': 'single', 'nodes': {'n': {'action': action, 'with': parameters}},
            'output': '{{ $nodes.n.result }}'}


def read_resident_kib():
    with open('/proc/self/statm', encoding='ascii') as file:
        return int(file.read().split()[1]) * PAGE_KIB


class ValueTest(unittest.TestCase):
    def test_round_trips(self):
        zone = datetime.timezone(datetime.timedelta(hours=2))
        for native in (None, True, False, 0, -1, 2**53 + 1, 2**63 - 1, -2**63, 2.5, -1e300, '', 'ä€😀', 'a\0b', b'',
                       b'\0\xff', [], {}, [[1], [None, {}]], {'b': 1, 'a': {'': [2.5]}}, decimal.Decimal('1.10'),
                       datetime.date(2024, 2, 29), datetime.time(23, 59, 59, 999999),
                       datetime.datetime(2024, 2, 29, 12, 30, 1, 5, tzinfo=zone), datetime.timedelta(days=-1, seconds=1)):
            back = Nebula.Value(native).to_native()
            self.assertEqual(back, native)
            self.assertIs(type(back), type(native))
        moment = Nebula.Value(datetime.datetime(2024, 1, 1, tzinfo=zone)).to_native()
        self.assertEqual(moment.utcoffset(), datetime.timedelta(hours=2))

    def test_what_changes_on_the_way(self):
        self.assertEqual(Nebula.Value((1, 2)).to_native(), [1, 2])
        self.assertEqual(Nebula.Value(2**63).to_native(), decimal.Decimal(2**63))
        reference = Nebula.Value.new_reference('blob:1')
        self.assertIs(Nebula.Value(reference), reference)
        self.assertEqual(reference.to_native(), reference)

    def test_refused(self):
        for native, error in ((object(), TypeError), ({1: 2}, TypeError), (float('nan'), ValueError),
                              (float('inf'), ValueError), (decimal.Decimal('NaN'), ValueError), ({'a\0': 1}, ValueError),
                              (datetime.datetime(2024, 1, 1), ValueError), ([{'x': {1, 2}}], TypeError),
                              (datetime.time(1, tzinfo=UTC), ValueError)):
            with self.assertRaises(error):
                Nebula.Value(native)

    def test_reads_like_a_list(self):
        value = Nebula.Value([1, 'two', [3]])
        self.assertEqual(len(value), 3)
        self.assertEqual(value[0], 1)
        self.assertEqual(value[-1][0], 3)
        self.assertEqual(value[1:].to_native(), ['two', [3]])
        self.assertEqual(value[2:1].to_native(), [])
        self.assertEqual([*value][:2], [1, 'two'])
        self.assertIn('two', value)
        self.assertNotIn(4, value)
        for index in (3, -4):
            with self.assertRaises(IndexError):
                value[index]
        with self.assertRaises(ValueError):
            value[::2]

    def test_reads_like_a_dict(self):
        value = Nebula.Value({'b': 1, 'a': {'c': None}})
        self.assertEqual(list(value), ['b', 'a'])
        self.assertEqual(value['a']['c'], None)
        self.assertEqual(value.get('b'), 1)
        self.assertEqual(value.get('x', 5), 5)
        self.assertEqual(dict(value.items())['b'], 1)
        self.assertIn('a', value)
        with self.assertRaises(KeyError):
            value['x']
        with self.assertRaises(TypeError):
            Nebula.Value(5)['x']
        with self.assertRaises(TypeError):
            len(Nebula.Value('text'))
        odd = Nebula.Value.parse_json('{"a\\u0000b": 1, "c": 2}', -1, Nebula.JsonFlags.NONE)
        self.assertEqual(odd.to_native(), {'a\0b': 1, 'c': 2})

    def test_equality_hash_truth_and_text(self):
        self.assertEqual(Nebula.Value({'a': 1}), {'a': 1.0})
        self.assertNotEqual(Nebula.Value([1]), [2])
        self.assertNotEqual(Nebula.Value(1), object())
        self.assertEqual(hash(Nebula.Value(7)), hash(7))
        self.assertEqual(len({Nebula.Value([1]), Nebula.Value([1])}), 1)
        self.assertTrue(Nebula.Value([None]))
        self.assertFalse(Nebula.Value({}))
        self.assertFalse(Nebula.Value(None))
        self.assertEqual(int(Nebula.Value(4)) + float(Nebula.Value(0.5)), 4.5)
        self.assertEqual(str(Nebula.Value('as it is')), 'as it is')
        self.assertEqual(repr(Nebula.Value(['x'])), 'Nebula.Value(["x"])')


class ErrorTest(unittest.TestCase):
    def test_codes(self):
        with self.assertRaises(GLib.Error) as caught:
            Nebula.Expression.compile('1 +')
        self.assertEqual(Nebula.error_code(caught.exception), 'syntax')
        self.assertTrue(Nebula.error_matches(caught.exception, Nebula.Error.TYPE, Nebula.Error.SYNTAX))
        self.assertTrue(Nebula.error_matches(caught.exception, 'syntax'))
        self.assertFalse(Nebula.error_matches(caught.exception, 'type', Nebula.Error.FAILED))
        self.assertFalse(Nebula.error_matches(ValueError(), 'syntax'))
        other = GLib.Error.new_literal(GLib.quark_from_string('other'), 'x', Nebula.Error.SYNTAX)
        self.assertFalse(Nebula.error_matches(other, Nebula.Error.SYNTAX))

    def test_expression(self):
        total = Nebula.Expression.compile('$items | map (item => item * $factor) | sum ()')
        self.assertEqual(total.evaluate({'items': [1, 2, 3], 'factor': 2}), 12)
        self.assertEqual(Nebula.Expression.compile('[1, {a: "b"}]').evaluate(), [1, {'a': 'b'}])
        with self.assertRaises(GLib.Error) as caught:
            Nebula.Expression.compile('1 / $zero').evaluate({'zero': 0})
        self.assertTrue(Nebula.error_matches(caught.exception, 'division-by-zero'))


class EngineTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.registry = make_registry()

    def run_workflow(self, definition, input=None):
        """The output; the report is kept."""
        with Nebula.Engine.new(self.registry) as engine:
            execution = engine.start(engine.deploy(definition), input)

            async def wait():
                return await execution.wait_async()
            self.assertTrue(Nebula.run(wait()))
            self.report = execution.get_report().to_native()
            self.node = self.report['nodes']['n']
            return execution.get_output()

    def test_action_is_described(self):
        info, = (info for info in self.registry.list_actions() if info.get_id() == 'test.shout')
        self.assertEqual(info.get_title(), 'Shout')
        self.assertEqual(info.get_version(), '1.2.0')
        self.assertEqual(info.get_description(), 'Makes text loud.')
        self.assertEqual(info.get_effect(), Nebula.Effect.PURE)
        self.assertEqual(info.get_capabilities(), ['noise'])
        text = info.get_parameters().lookup('text')
        self.assertEqual(text.get_title(), 'Text')
        self.assertEqual(text.get_default(), 'hey')
        times = info.get_parameters().lookup('times')
        self.assertEqual(times.get_flags(), Nebula.ParameterFlags.REQUIRED)
        self.assertEqual(times.get_placeholder(), 'how often')
        self.assertEqual(times.to_value()['maximum'], 5)

    def test_bad_descriptions(self):
        for details in ({'colour': 'red'}, {'effect': 'none'}, {'ports': ['x']}, {'title': 5},
                        {'parameters': {'x': {'kind': 'no-such-kind'}}}):
            class Bad(Nebula.SimpleAction):
                __gtype_name__ = 'Bad%x' % id(details)
            with self.assertRaises(GLib.Error) as caught:
                Nebula.action('test.bad', **details)(Bad)
            self.assertTrue(Nebula.error_matches(caught.exception, 'invalid-argument', 'invalid-data'), caught.exception)
        with self.assertRaises(GLib.Error) as caught:
            Nebula.action('test.again')(Shout)
        self.assertTrue(Nebula.error_matches(caught.exception, 'exists'))
        with self.assertRaises(GLib.Error) as caught:
            self.registry.add_action(Shout)
        self.assertTrue(Nebula.error_matches(caught.exception, 'exists'))

    def test_simple_action(self):
        output = self.run_workflow(single('test.shout', text='{{ $input.word }}', times=2), {'word': 'ho'})
        self.assertEqual(output, {'text': 'HOHO', 'node': 'n', 'thread': False})
        self.assertEqual(self.report['status'], 'completed')

    def test_exceptions_are_failures(self):
        self.run_workflow(single('test.fault'))
        self.assertEqual(self.report['status'], 'failed')
        self.assertEqual(self.node['error']['code'], 'failed')
        self.assertEqual(self.node['error']['message'], "KeyError: 'missing'")
        self.run_workflow(single('test.fault', kind='nebula'))
        self.assertEqual(self.node['error']['code'], 'throttled')
        self.assertEqual(self.node['error']['message'], 'come back later')
        self.run_workflow(single('test.fault', kind='object'))
        self.assertIn('cannot hold object', self.node['error']['message'])

    def test_process_action_chooses_a_port(self):
        definition = single('test.route', number='{{ $input.number }}')
        definition['nodes']['big'] = {'action': 'data.set', 'after': ['n.big'], 'with': {'is': 'big'}}
        definition['nodes']['small'] = {'action': 'data.set', 'after': ['n.small'], 'with': {'is': 'small'}}
        definition['output'] = '{{ $nodes.big.result ?? $nodes.small.result ?? "nothing" }}'
        for number, output in ((11, {'is': 'big'}), (3, {'is': 'small'}), (-1, 'nothing')):
            self.assertEqual(self.run_workflow(definition, {'number': number}), output)

    def test_action_answers_later(self):
        self.assertEqual(self.run_workflow(single('test.later'), {'a': 1}), {'input': {'a': 1}})
        self.run_workflow(single('test.later', fail=True))
        self.assertEqual(self.node['error']['message'], 'RuntimeError: not today')

    def test_events(self):
        with Nebula.Engine.new(self.registry) as engine:
            bus = engine.get_event_bus()
            signals, heard = [], []
            bus.connect('event::node.completed', lambda _bus, event: signals.append(event))
            with bus.subscribe('execution.*', None, lambda event, name: heard.append((name, event)), 'mine'):
                execution = engine.start(engine.deploy(single('test.shout', times=1)))
                self.assertTrue(execution.wait_sync(None))
                bus.deliver()
            other = engine.start(engine.deploy(single('test.shout', times=1)))
            self.assertTrue(other.wait_sync(None))
            bus.deliver()
        gc.collect()        # events must outlive their emission
        self.assertEqual([event.get_node() for event in signals], ['n', 'n'])
        self.assertEqual(signals[0].get_data()['result']['text'], 'HEY')
        self.assertEqual([(name, event.get_topic()) for name, event in heard],
                         [('mine', 'execution.started'), ('mine', 'execution.completed')])
        self.assertEqual(heard[0][1].get_execution(), execution.get_id())

    def test_several_coroutines(self):
        with Nebula.Engine.new(self.registry) as engine:
            plan = engine.deploy(single('test.later'))

            async def go(number):
                execution = engine.start(plan, {'number': number})
                await execution.wait_async()
                return execution.get_output()['input']['number']

            async def forget():
                await engine.start(plan).wait_async()       # nobody holds the execution when it ends

            async def fail():
                await engine.start(plan).wait_async()
                raise LookupError('on purpose')
            self.assertEqual(Nebula.run(go(1), forget(), go(2)), [1, None, 2])
            with self.assertRaisesRegex(LookupError, 'on purpose'):
                Nebula.run(go(1), fail())

    def test_engine_is_stopped_where_it_is_awaited(self):
        for durability in ('memory', 'relaxed', 'strict'):
            async def go():
                with Nebula.Engine.new(self.registry) as engine:
                    plan = engine.deploy(single('test.later'))
                    execution = engine.start(plan, None, {'durability': durability})
                    waiting = engine.start(engine.deploy(WAITS), None, {'durability': durability}).wait_async()
                    await execution.wait_async()
                with self.assertRaises(GLib.Error) as caught:
                    await waiting
                self.assertTrue(Nebula.error_matches(caught.exception, 'cancelled'))
                return True
            self.assertTrue(Nebula.run(go()))

    def test_cancel_and_signal(self):
        with Nebula.Engine.new(self.registry) as engine:
            plan = engine.deploy(WAITS)

            async def cancel():
                execution = engine.start(plan)
                await execution.cancel_async('enough')
                await execution.wait_async()
                with self.assertRaises(GLib.Error) as caught:
                    await execution.cancel_async()
                self.assertTrue(Nebula.error_matches(caught.exception, 'conflict'))
                return execution.get_status()

            async def signal():
                execution = engine.start(plan)
                await execution.signal_async('go', {'by': 'hand'})
                await execution.wait_async()
                return execution.get_status()
            self.assertEqual(Nebula.run(cancel(), signal()),
                             [Nebula.ExecutionStatus.CANCELLED, Nebula.ExecutionStatus.COMPLETED])

    def test_callbacks_still_work(self):
        with Nebula.Engine.new(self.registry) as engine:
            execution = engine.start(engine.deploy(single('test.later')))
            loop = GLib.MainLoop()
            ended = []

            def on_end(source, result, data):
                ended.append((source.wait_finish(result), data))
                loop.quit()
            execution.wait_async(None, on_end, 'data')
            loop.run()
            self.assertEqual(ended, [(True, 'data')])

    def test_diagnose(self):
        found = Nebula.Workflow.diagnose(single('no.such'), self.registry)
        self.assertEqual([problem.get_code() for problem in found], ['unknown-action'])
        found = Nebula.Workflow.diagnose('nebula: 1\nname: x\nnodes:\n  a: { action: no.such }\n', self.registry)
        self.assertEqual([(problem.get_code(), problem.get_line()) for problem in found], [('unknown-action', 4)])
        self.assertEqual(Nebula.Workflow.diagnose(single('test.later'), self.registry), [])
        with Nebula.Engine.new(self.registry) as engine:
            with self.assertRaises(GLib.Error) as caught:
                engine.deploy(single('no.such'))
        self.assertTrue(Nebula.error_matches(caught.exception, 'invalid-workflow'))

    def test_workflow_round_trip(self):
        workflow = Nebula.Workflow.new_from_value(single('test.shout', times=1))
        again = Nebula.Workflow.read_bytes(GLib.Bytes.new(workflow.to_yaml().encode()), None, None)
        self.assertEqual(again.get_definition(), workflow.get_definition())


class LeakTest(unittest.TestCase):
    """Memory stays as it is; a leak of one of the values would be many times the limit."""

    LIMIT_KIB = 2048

    def assert_flat(self, work, count):
        for _round in range(count // 5):
            work()
        gc.collect()
        before = read_resident_kib()
        for _round in range(count):
            work()
        gc.collect()
        self.assertLess(read_resident_kib() - before, self.LIMIT_KIB)

    def test_evaluations(self):
        expression = Nebula.Expression.compile('$items | map (item => item.text + "!")')
        data = {'items': [{'text': 'x' * 500}] * 4}
        self.assert_flat(lambda: expression.evaluate(data), 10000)

    def test_values(self):
        native = {'list': ['y' * 500, b'z' * 500, datetime.datetime(2024, 1, 1, tzinfo=UTC), 2**70], 'none': None}
        self.assert_flat(lambda: Nebula.Value(native).to_native(), 10000)

    def test_errors_and_lists(self):
        registry = make_registry()

        def work():
            problem, = Nebula.Workflow.diagnose(single('no.such', text='w' * 2000), registry)
            problem.get_message()
        self.assert_flat(work, 1000)

    def test_actions_and_events(self):
        registry = make_registry()
        with Nebula.Engine.new(registry) as engine:
            plan = engine.deploy(single('test.shout', text='v' * 2000, times=5))
            engine.get_event_bus().connect('event', lambda _bus, event: event.get_data())

            def work():
                engine.start(plan, None, {'durability': 'memory'}).wait_sync(None)
                engine.get_event_bus().deliver()
            self.assert_flat(work, 1000)
            gc.collect()
            actions = [reference for reference in gc.get_objects() if isinstance(reference, Nebula.Action)]
            self.assertEqual(actions, [])


def main():
    result = unittest.TextTestRunner(stream=sys.stderr, verbosity=2).run(
        unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]))
    bad = len(result.failures) + len(result.errors)
    print('%d passed, %d failed' % (result.testsRun - bad, bad))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
