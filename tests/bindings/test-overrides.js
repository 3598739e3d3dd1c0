// SPDX-License-Identifier: LGPL-2.1-or-later
// The library from GJS with its overrides: values, errors, events, promises, leaks.
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Nebula from 'gi://Nebula?version=1.0';
import System from 'system';

const LIMIT_KIB = 4096;
const PAGE_KIB = 4;

const registry = Nebula.Registry.new();
registry.load();

function single(action, parameters = {}) {
  return {
    nebula: 1,
    name: 'single',
    nodes: { n: { action, with: parameters } },
    output: '{{ $nodes.n.result }}',
  };
}

function expectEqual(actual, expected) {
  const write = value => JSON.stringify(value, (_key, each) => typeof each === 'bigint' ? `${each}n` : each);
  if (write(actual) !== write(expected) || typeof actual !== typeof expected)
    throw new Error(`${write(actual)} is not ${write(expected)}`);
}

function expectThrows(work, test) {
  try {
    work();
  } catch (error) {
    expectEqual(test(error), true);
    return;
  }
  throw new Error('nothing was thrown');
}

function readResidentKib() {
  const [, data] = Gio.File.new_for_path('/proc/self/statm').load_contents(null);
  return Number(new TextDecoder().decode(data).split(' ')[1]) * PAGE_KIB;
}

const tests = {
  roundTrips() {
    const natives = [null, true, false, 0, -1, 2.5, -1e300, Number.MAX_SAFE_INTEGER, 2n ** 63n - 1n, -(2n ** 63n), '',
      'ä€😀', 'a\0b', [], {}, [[1], [null, {}]], { b: 1, a: { '': [2.5] } }, new Date('2024-02-29T12:30:01.005Z')];
    for (const native of natives)
      expectEqual(Nebula.Value.from_native(native).to_native(), native);
    const bytes = Nebula.Value.from_native(new Uint8Array([0, 255])).to_native();
    expectEqual(bytes instanceof Uint8Array && [...bytes], [0, 255]);
  },

  whatChangesOnTheWay() {
    expectEqual(Nebula.Value.from_native(2n ** 80n).to_native(), (2n ** 80n).toString());
    expectEqual(Nebula.Value.from_native(5n).to_native(), 5);
    expectEqual(Nebula.Value.from_native({ a: undefined, b: 1 }).to_native(), { b: 1 });
    expectEqual(Nebula.Value.new_date(2024, 2, 29).to_native(), '2024-02-29');
    expectEqual(Nebula.Value.new_reference('blob:1').to_native(), 'blob:1');
  },

  refused() {
    for (const native of [NaN, Infinity, { 'a\0': 1 }])
      expectThrows(() => Nebula.Value.from_native(native), error => error instanceof RangeError);
    for (const native of [undefined, () => 1, new Map(), [Symbol('x')]])
      expectThrows(() => Nebula.Value.from_native(native), error => error instanceof TypeError);
  },

  readsLikeData() {
    const value = Nebula.Value.from_native({ b: 1, a: [1, 'two', [3]] });
    expectEqual(value.keys(), ['b', 'a']);
    expectEqual(value.get('b'), 1);
    expectEqual(value.get('x') === undefined, true);
    expectEqual(value.get('a').get(-1).get(0), 3);
    expectEqual(value.get('a').get(3) === undefined, true);
    expectEqual([...value.get('a')].slice(0, 2), [1, 'two']);
    expectEqual([...value].map(([key]) => key), ['b', 'a']);
    expectEqual(JSON.stringify(value), '{"b":1,"a":[1,"two",[3]]}');
    expectEqual(`${Nebula.Value.from_native('as it is')}`, 'as it is');
    expectThrows(() => [...Nebula.Value.from_native(5)], error => error instanceof TypeError);
  },

  errors() {
    expectThrows(() => Nebula.Expression.compile('1 +'), error => {
      expectEqual(error.matches(Nebula.Error, Nebula.Error.SYNTAX), true);
      expectEqual(Nebula.error_matches(error, 'type', 'syntax'), true);
      expectEqual(Nebula.error_matches(error, Nebula.Error.TYPE), false);
      return true;
    });
    expectEqual(Nebula.error_matches(new Error('x'), 'syntax'), false);
    expectThrows(() => Nebula.Expression.compile('1 / $zero').evaluate({ zero: 0 }),
      error => Nebula.error_matches(error, 'division-by-zero'));
  },

  expression() {
    const total = Nebula.Expression.compile('$items | map (item => item * $factor) | sum ()');
    expectEqual(total.evaluate({ items: [1, 2, 3], factor: 2 }), 12);
    expectEqual(Nebula.Expression.compile('[1, {a: "b"}]').evaluate(), [1, { a: 'b' }]);
  },

  async workflow() {
    const engine = Nebula.Engine.new(registry);
    const bus = engine.get_event_bus();
    const signals = [];
    const heard = [];
    bus.connect('event::node.completed', (_bus, event) => signals.push(event));
    const subscription = bus.subscribe('execution.*', null, event => heard.push(event));

    const execution = engine.start(engine.deploy(single('data.set', { text: '{{ $input.word }}' })), { word: 'ho' });
    expectEqual(await execution.wait_async(null), true);
    bus.deliver();
    subscription.cancel();
    expectEqual(execution.get_output().to_native(), { text: 'ho' });
    expectEqual(execution.get_report().get('status'), 'completed');

    await engine.start(engine.deploy(single('data.set'))).wait_async(null);
    bus.deliver();
    System.gc();        // events must outlive their emission
    expectEqual(signals.map(event => event.get_node()), ['n', 'n']);
    expectEqual(signals[0].get_data().get('result').to_native(), { text: 'ho' });
    expectEqual(heard.map(event => event.get_topic()), ['execution.started', 'execution.completed']);
    engine.stop();
  },

  async severalAtOnce() {
    const engine = Nebula.Engine.new(registry);
    const plan = engine.deploy(single('data.set', { number: '{{ $input.number }}' }));
    const go = async number => {
      const execution = engine.start(plan, { number }, { durability: 'memory' });
      await execution.wait_async(null);
      return execution.get_output().get('number');
    };
    expectEqual(await Promise.all([go(1), go(2), go(3)]), [1, 2, 3]);
    engine.stop();
  },

  async cancelAndSignal() {
    const engine = Nebula.Engine.new(registry);
    const plan = engine.deploy(single('flow.wait', { signal: 'go' }));
    const cancelled = engine.start(plan);
    await cancelled.cancel_async('enough', null);
    await cancelled.wait_async(null);
    expectEqual(cancelled.get_status(), Nebula.ExecutionStatus.CANCELLED);
    let caught = null;
    await cancelled.cancel_async('again', null).catch(error => (caught = error));
    expectEqual(Nebula.error_matches(caught, 'conflict'), true);

    const signalled = engine.start(plan);
    await signalled.signal_async('go', { by: 'hand' }, null);
    await signalled.wait_async(null);
    expectEqual(signalled.get_status(), Nebula.ExecutionStatus.COMPLETED);
    engine.stop();
  },

  diagnose() {
    const codes = found => found.map(problem => problem.get_code());
    expectEqual(codes(Nebula.Workflow.diagnose(single('no.such'), registry)), ['unknown-action']);
    expectEqual(codes(Nebula.Workflow.diagnose(single('data.set'), registry)), []);
    const [problem] = Nebula.Workflow.diagnose('nebula: 1\nname: x\nnodes:\n  a: { action: no.such }\n', registry);
    expectEqual(problem.get_line(), 4);
    expectThrows(() => Nebula.Engine.new(registry).deploy(single('no.such')),
      error => Nebula.error_matches(error, 'invalid-workflow'));
  },

  // A leak of one of the values would be many times the limit.
  evaluationsLeaveNothing() {
    const expression = Nebula.Expression.compile('$items | map (item => item.text + "!")');
    const data = { items: Array(4).fill({ text: 'x'.repeat(500) }) };
    const work = count => {
      for (let i = 0; i < count; i++)
        expression.evaluate(data);
      System.gc();
      return readResidentKib();
    };
    // The collector's heap finds its size first; then some round must leave nothing.
    let size = work(10000);
    let growth = Infinity;
    for (let round = 0; round < 4 && growth > LIMIT_KIB; round++) {
      const grown = work(10000);
      growth = grown - size;
      size = grown;
    }
    if (growth > LIMIT_KIB)
      throw new Error(`memory grew by ${growth} KiB`);
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    await test();
  } catch (error) {
    failed++;
    printerr(`${name}: ${error}\n${error.stack}`);
  }
}
print(`${Object.keys(tests).length - failed} passed, ${failed} failed`);
GLib.MainContext.default().iteration(false);
System.exit(failed ? 1 : 0);
