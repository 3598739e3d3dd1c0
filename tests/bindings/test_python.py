# SPDX-License-Identifier: LGPL-2.1-or-later
"""The library from Python, without overrides: values, expressions, a workflow from text to result, events."""

import sys
import unittest

try:
    import gi
except ImportError:
    print('skipped: PyGObject (python3-gi) is not installed')
    sys.exit(77)

gi.require_version('Nebula', '1.0')
from gi.repository import GLib, Nebula  # noqa: E402

FLAGS = Nebula.JsonFlags.NONE
WORKFLOW = b'''
nebula: 1
name: prices
nodes:
  set: { action: data.set, with: { total: "{{ $input.count * 3 }}" } }
  big: { action: flow.if, with: { condition: "{{ $json.total > 10 }}" }, after: [set] }
  yes: { action: data.set, with: { text: big }, after: [big.true] }
  no: { action: data.set, with: { text: small }, after: [big.false] }
'''


def parse(text):
    return Nebula.Value.parse_json(text, -1, FLAGS)


def compile_workflow(engine, text, diagnostics):
    workflow = Nebula.Workflow.read_bytes(GLib.Bytes.new(text), 'test.yaml', diagnostics)
    return engine.deploy(workflow, diagnostics)


class PythonTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.registry = Nebula.Registry.new()
        cls.registry.load()

    def test_value(self):
        value = parse('{"a":[1,2.5,{"b":true}],"c":null}')
        self.assertEqual(value.to_json(FLAGS), '{"a":[1,2.5,{"b":true}],"c":null}')
        self.assertEqual(value.get_member('a').get_length(), 3)
        self.assertEqual(value.get_member('a').get_item(0).get_integer(), 1)
        self.assertTrue(value.equal(parse('{"a":[1.0,2.5,{"b":true}],"c":null}')))

    def test_errors_are_exceptions(self):
        with self.assertRaises(GLib.Error) as caught:
            parse('{"a":')
        self.assertTrue(caught.exception.matches(Nebula.error_quark(), Nebula.Error.SYNTAX))

    def test_expression(self):
        expression = Nebula.Expression.compile('$input.items | map(x => x * 2) | sum()')
        value = expression.evaluate_data(parse('{"input":{"items":[1,2,3]}}'))
        self.assertEqual(value.get_integer(), 12)

    def test_completion_and_hover(self):
        scope = Nebula.ExpressionScope.new_for_data(parse('{"order": {"total": 12}, "lines": [{"price": 2}]}'))
        found = Nebula.Expression.complete('1 + $order.tota', False, 15, scope)
        self.assertEqual([(one.get_label(), one.get_insert_text(), one.get_start(), one.get_end()) for one in found],
                         [('total', 'total', 11, 15)])
        self.assertEqual(found[0].get_kind(), Nebula.CompletionKind.MEMBER)
        labels = [one.get_label() for one in Nebula.Expression.complete('$lines.map (l => l.', False, 19, scope)]
        self.assertEqual(labels[0], 'price')
        self.assertEqual(Nebula.Expression.hover('upper ("a")', False, 2, scope).get_label(), 'upper')
        self.assertIsNone(Nebula.Expression.hover('1 + 1', False, 2, scope))

    def test_functions_of_a_script(self):
        def tax(arguments, *_):
            amount = arguments.get_item(0).get_integer()
            if amount < 0:
                raise GLib.Error.new_literal(Nebula.error_quark(), 'No tax on less than nothing', Nebula.Error.INVALID_ARGUMENT)
            return Nebula.Value.new_integer(amount // 5)

        functions = Nebula.FunctionSet.new()
        functions.add_callback(parse('{"name": "tax_of", "parameters": "amount: integer", "result": "integer"}'), tax)
        expression = Nebula.Expression.compile_with_functions('$list | map (x => tax_of (x)) | sum ()', False, functions)
        self.assertEqual(expression.evaluate_data(parse('{"list": [10, 20]}')).get_integer(), 6)
        with self.assertRaises(GLib.Error) as caught:
            expression.evaluate_data(parse('{"list": [-1]}'))
        self.assertIn('No tax', caught.exception.message)
        with self.assertRaises(GLib.Error):
            Nebula.Expression.compile_with_functions('tax_of ("x", 1)', False, functions)

    def test_workflow(self):
        engine = Nebula.Engine.new(self.registry, None, None)
        topics = []
        engine.get_event_bus().connect('event', lambda bus, event: topics.append(event.get_topic()))
        plan = compile_workflow(engine, WORKFLOW, [])
        execution = engine.start(plan, parse('{"count":5}'), None)
        self.assertTrue(execution.wait_sync(None))
        self.assertEqual(execution.get_status(), Nebula.ExecutionStatus.COMPLETED)
        self.assertEqual(execution.get_output().to_json(FLAGS), '{"text":"big"}')
        context = GLib.MainContext.default()
        while context.iteration(False):
            pass
        self.assertIn('execution.completed', topics)
        engine.stop()

    def test_invalid_workflow(self):
        engine = Nebula.Engine.new(self.registry, None, None)
        with self.assertRaises(GLib.Error) as caught:
            compile_workflow(engine, b'nebula: 1\nname: x\nnodes: { a: { action: no.such } }\n', [])
        self.assertTrue(caught.exception.matches(Nebula.error_quark(), Nebula.Error.INVALID_WORKFLOW))
        engine.stop()


def main():
    result = unittest.TextTestRunner(stream=sys.stderr).run(
        unittest.defaultTestLoader.loadTestsFromTestCase(PythonTest))
    bad = len(result.failures) + len(result.errors)
    print('%d passed, %d failed' % (result.testsRun - bad, bad))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
