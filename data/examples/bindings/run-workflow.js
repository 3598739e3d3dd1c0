#!/usr/bin/env -S gjs -m
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Builds a workflow, runs it, watches its events, reads the result: run-workflow.js [LIMIT]
import Nebula from 'gi://Nebula?version=1.0';
import System from 'system';

const ORDER = {
  nebula: 1,
  name: 'order',
  nodes: {
    price: {
      action: 'flow.for-each',
      with: { items: '{{ $input.lines }}' },
      body: {
        nodes: {
          line: { action: 'data.set', with: { total: '{{ $item.quantity * $item.price }}' } },
        },
        result: '{{ $nodes.line.result.total }}',
      },
    },
    order: {
      action: 'data.set',
      after: ['price'],
      with: { total: '{{ $nodes.price.result | sum () }}' },
    },
  },
  output: {
    total: '{{ $nodes.order.result.total }}',
    review: '{{ $nodes.order.result.total > $input.limit }}',
  },
};

const lines = [
  { article: 'pencil', quantity: 40, price: 0.5 },
  { article: 'lamp', quantity: 2, price: 35.25 },
];
const limit = Number(System.programArgs[0] ?? 50);

const registry = Nebula.Registry.new();
registry.load();

const engine = Nebula.Engine.new(registry);
const plan = engine.deploy(ORDER);
const bus = engine.get_event_bus();
bus.connect('event::node.completed', (_bus, event) => print(`completed: ${event.get_node()}`));
const subscription = bus.subscribe('execution.*', null, event => print(`event: ${event.get_topic()}`));

const execution = engine.start(plan, { lines, limit });
await execution.wait_async(null);
bus.deliver();
subscription.cancel();

const report = execution.get_report().to_native();
print(`output: ${execution.get_output()}`);
print(`status: ${report.status}`);
print(`attempts of order: ${report.nodes.order.attempts}`);
const rounded = Nebula.Expression.compile('round ($total / 3, 2)');
print(`a third: ${rounded.evaluate({ total: execution.get_output().get('total') })}`);
engine.stop();
