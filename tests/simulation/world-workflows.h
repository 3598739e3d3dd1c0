/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The workflows of nebula-world: they call each other, hold locks against each other, and pass gates of every kind. */
#pragma once

#include <map>
#include <string>

namespace nebula
{

const char *const leaf = R"(
nebula: 1
name: leaf
nodes:
  first: { action: flow.wait, with: { duration: "{{ to_string ($input.ms) + 'ms' }}" } }
  alone: { action: flow.wait, with: { duration: 1s }, lock: "{{ 'l' + to_string ($input.lock) }}", after: [first] }
  odd: { action: flow.if, with: { condition: "{{ $input.fails }}" }, after: [alone] }
  fail: { action: flow.fail, with: { message: unlucky } }
  give: { action: data.set, with: { ms: "{{ $input.ms }}" } }
connections: [odd.true -> fail, odd.false -> give]
)";

const char *const middle = R"(
nebula: 1
name: middle
settings:
  rate: { limit: 2, per: 2s }
  concurrency: { limit: 3 }
  priority: "{{ $input.ms > 1500 ? 5 : 0 }}"
nodes:
  call:
    action: flow.call
    with: { workflow: leaf, input: "{{ $input }}" }
    retry: { attempts: 2, backoff: fixed, initial: 1s }
    on-error: continue
  beside: { action: flow.wait, with: { duration: 1s }, lock: l0 }
)";

const char *const keeper = R"(
nebula: 1
name: keeper
settings: { concurrency: { limit: 2, while-waiting: keep } }
nodes:
  first: { action: flow.wait, with: { duration: "{{ to_string ($input.ms) + 'ms' }}" } }
  give: { action: data.set, with: { ms: "{{ $input.ms }}" }, after: [first] }
)";

/* In and out again, a few times, with something that tries again in between. */
const char *const polite = R"(
nebula: 1
name: polite
settings: { concurrency: { limit: 1 } }
nodes:
  each:
    action: flow.for-each
    with: { items: [1, 2, 3], concurrency: 2 }
    body:
      nodes:
        rest: { action: flow.wait, with: { duration: "{{ to_string ($item * 300) + 'ms' }}" } }
        call:
          action: flow.call
          with: { workflow: leaf, input: { ms: 100, lock: 1, fails: "{{ $input.fails && $item == 2 }}" } }
          retry: { attempts: 2, backoff: fixed, initial: 700ms }
          on-error: continue
          after: [rest]
  give: { action: data.set, with: { ms: "{{ $input.ms }}" }, after: [each] }
)";

const char *const collector = R"(
nebula: 1
name: collector
settings: { batch: { size: 3, timeout: 2s }, concurrency: { limit: 1 } }
nodes:
  rest: { action: flow.wait, with: { duration: 500ms } }
  odd: { action: flow.if, with: { condition: "{{ $input[0].fails }}" }, after: [rest] }
  fail: { action: flow.fail, with: { message: unlucky } }
  give: { action: data.set, with: { all: "{{ $input | map (x => x.ms) }}" } }
connections: [odd.true -> fail, odd.false -> give]
)";

const char *const root = R"(
nebula: 1
name: root
nodes:
  each:
    action: flow.for-each
    with: { items: "{{ $input.items }}", concurrency: 3 }
    on-error: collect
    body: { nodes: { call: { action: flow.call, with: { workflow: "{{ ['leaf', 'middle', 'keeper', 'polite', 'collector'][$item.deep] }}", input: "{{ $item }}" } } } }
  race:
    action: flow.race
    bodies:
      call: { nodes: { c: { action: flow.call, with: { workflow: leaf, input: { ms: 3000, lock: 1, fails: false } } } } }
      late: { nodes: { w: { action: flow.wait, with: { duration: "{{ to_string ($input.late) + 'ms' }}" } } } }
  free: { action: flow.call, with: { workflow: leaf, mode: detach, input: { ms: 10, lock: 0, fails: false } } }
  seen: { action: flow.wait, with: { execution: "{{ $nodes.free.result.execution }}" }, after: [free] }
)";

/* By name; the last one is what is started. */
const std::map<std::string, const char *> world_workflows = {
    {"leaf", leaf},     {"middle", middle},       {"keeper", keeper},
    {"polite", polite}, {"collector", collector}, {"root", root}};

} // namespace nebula
