/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A workflow in the middle of which everything is going on: rounds in rounds, retries, waits, tokens that wait. */
#pragma once

namespace nebula
{

inline constexpr char busy_workflow[] = R"(
name: busy
settings: { timeout: 1h }
nodes:
  a: { action: data.set, with: { text: a text of some length, list: [1, 2.5, null, { k: v }] } }
  b: { action: flow.if, with: { condition: true }, after: [a] }
  each:
    action: flow.for-each
    with: { items: [{ v: 1 }, { v: 2 }, { v: 3 }, { v: 4 }, { v: 5 }], concurrency: 2, batch: 2 }
    after: [a]
    body:
      nodes:
        x: { action: test.effect, with: { v: "{{ $item[0].v }}", fail: sometimes, fail-until: 2 }, retry: { attempts: 3, initial: 1s } }
        in:
          action: flow.while
          with: { condition: "{{ $index < 2 }}" }
          after: [x]
          body: { nodes: { y: { action: flow.wait, with: { duration: 5s } } } }
  wait: { action: flow.wait, with: { signal: go, duration: 1m }, after: [b.true] }
  never: { action: test.effect, with: { v: 1 }, after: [b.false] }
  hang: { action: test.effect, with: { hang: true }, after: [a] }
  join: { action: flow.no-op, after: [a, b.error, wait] }
  any: { action: flow.no-op, after: [a, wait, each], join: { need: any, rest: ignore } }
  some: { action: flow.no-op, after: [a, hang, wait], join: { need: "{{ 2 }}" } }
  guarded: { action: flow.no-op }
connections:
  - { from: a, to: guarded, when: "{{ $json.list[0] == 1 }}" }
  - { from: b, to: guarded, when: "{{ false }}" }
)";

} // namespace nebula
