// SPDX-License-Identifier: LGPL-2.1-or-later
// The library from GJS, without overrides: values, expressions, a workflow from text to result.

imports.gi.versions.Nebula = '1.0';
const { GLib, Nebula } = imports.gi;
const System = imports.system;

const FLAGS = Nebula.JsonFlags.NONE;
const WORKFLOW = `
nebula: 1
name: prices
nodes:
  set: { action: data.set, with: { total: "{{ $input.count * 3 }}" } }
  big: { action: flow.if, with: { condition: "{{ $json.total > 10 }}" }, after: [set] }
  yes: { action: data.set, with: { text: big }, after: [big.true] }
  no: { action: data.set, with: { text: small }, after: [big.false] }
`;

function parse(text) {
  return Nebula.Value.parse_json(text, -1, FLAGS);
}

function expectEqual(actual, expected) {
  if (actual !== expected)
    throw new Error(`${actual} is not ${expected}`);
}

function makeEngine() {
  const registry = Nebula.Registry.new();
  registry.load();
  return Nebula.Engine.new(registry, null, null);
}

const tests = {
  value() {
    const value = parse('{"a":[1,2.5,{"b":true}],"c":null}');
    expectEqual(value.to_json(FLAGS), '{"a":[1,2.5,{"b":true}],"c":null}');
    expectEqual(value.get_member('a').get_length(), 3);
  },

  errorsAreExceptions() {
    let caught = null;
    try {
      parse('{"a":');
    } catch (error) {
      caught = error;
    }
    expectEqual(caught !== null && caught.matches(Nebula.Error, Nebula.Error.SYNTAX), true);
  },

  expression() {
    const expression = Nebula.Expression.compile('$input.items | map(x => x * 2) | sum()');
    expectEqual(expression.evaluate_data(parse('{"input":{"items":[1,2,3]}}')).get_integer(), 12);
  },

  workflow() {
    const engine = makeEngine();
    const workflow = Nebula.Workflow.read_bytes(new GLib.Bytes(new TextEncoder().encode(WORKFLOW)), 'test.yaml', null);
    const plan = engine.deploy(workflow, null);
    const execution = engine.start(plan, parse('{"count":2}'), null);
    execution.wait_sync(null);
    expectEqual(execution.get_output().to_json(FLAGS), '{"text":"small"}');
    engine.stop();
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    test();
  } catch (error) {
    failed++;
    printerr(`${name}: ${error}\n${error.stack}`);
  }
}
print(`${Object.keys(tests).length - failed} passed, ${failed} failed`);
System.exit(failed ? 1 : 0);
