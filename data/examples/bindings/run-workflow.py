#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Builds a workflow, runs it, watches its events, reads the result: run-workflow.py [LIMIT]"""
import sys

import gi

gi.require_version("Nebula", "1.0")
from gi.repository import GObject, Nebula  # noqa: E402


@Nebula.action("shop.price", title="Price a line", category="Shop", effect="pure")
class PriceLine(Nebula.SimpleAction):
    """Multiplies quantity and price."""

    quantity = GObject.Property(type=int, default=1, minimum=0, nick="Quantity", blurb="How many are ordered")
    price = GObject.Property(type=float, default=0, nick="Price", blurb="What one of them costs")

    def do_run(self, invocation, cancellable):
        return {"total": self.quantity * self.price}


ORDER = {
    "nebula": 1,
    "name": "order",
    "nodes": {
        "price": {
            "action": "flow.for-each",
            "with": {"items": "{{ $input.lines }}"},
            "body": {
                "nodes": {
                    "line": {
                        "action": "shop.price",
                        "with": {"quantity": "{{ $item.quantity }}", "price": "{{ $item.price }}"},
                    },
                },
                "result": "{{ $nodes.line.result.total }}",
            },
        },
        "order": {
            "action": "data.set",
            "after": ["price"],
            "with": {"total": "{{ $nodes.price.result | sum () }}"},
        },
    },
    "output": {
        "total": "{{ $nodes.order.result.total }}",
        "review": "{{ $nodes.order.result.total > $input.limit }}",
    },
}

LINES = [
    {"article": "pencil", "quantity": 40, "price": 0.5},
    {"article": "lamp", "quantity": 2, "price": 35.25},
]


async def run_order(engine, plan, limit):
    execution = engine.start(plan, {"lines": LINES, "limit": limit})
    await execution.wait_async()
    return execution


def main(limit=50):
    registry = Nebula.Registry.new()
    registry.load()
    registry.add_action(PriceLine)

    with Nebula.Engine.new(registry) as engine:
        plan = engine.deploy(ORDER)
        bus = engine.get_event_bus()
        bus.connect("event::node.completed", lambda _bus, event: print("completed:", event.get_node()))
        with bus.subscribe("execution.*", None, lambda event: print("event:", event.get_topic())):
            execution = Nebula.run(run_order(engine, plan, limit))
            bus.deliver()

        print("output:", execution.get_output())
        report = execution.get_report()
        print("status:", report["status"])
        print("attempts of order:", report["nodes"]["order"]["attempts"])
        rounded = Nebula.Expression.compile("round ($total / 3, 2)")
        print("a third:", rounded.evaluate({"total": execution.get_output()["total"]}))


if __name__ == "__main__":
    main(*[int(argument) for argument in sys.argv[1:]])
