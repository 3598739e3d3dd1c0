#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The published schema and Nebula's own reader accept and refuse the same workflows."""
import copy
import json
import subprocess
import sys

SKIPPED = 77
# What a schema can say; all other codes need more than the shape of the file.
STRUCTURE = {"schema", "empty-name", "no-nodes", "bad-duration", "bad-retry", "bad-trigger"}

BASE = {
    "nebula": 1,
    "name": "x",
    "nodes": {
        "a": {"action": "data.set"},
        "b": {"action": "data.set"},
        "l": {"action": "flow.repeat", "with": {"times": 1}, "body": {"nodes": {"c": {"action": "data.set"}}}},
    },
}

VALUES = [None, True, 0, 1, -1, 2.5, "", "x", "a -> b", "{{ 1 }}", [], ["x"], [1], {}, {"x": 1}, {"nodes": {}}]

# path of a member, values beside VALUES that it is set to
PLACES = [
    (["nebula"], [2]),
    (["name"], ["n" * 255, "n" * 256]),
    (["description"], []),
    (["tags"], []),
    (["owner"], []),
    (["input"], [
        {"type": "object"}, {"type": ["string", "null"]}, {"type": []}, {"type": "text"}, {"typ": "object"},
        {"properties": {"a": {"type": "integer", "minimum": 1, "default": 2}}}, {"properties": {"a": 1}},
        {"required": ["a"]}, {"required": [1]}, {"required": "a"}, {"additionalProperties": False},
        {"additionalProperties": {"type": "string"}}, {"additionalProperties": 1}, {"items": {}}, {"items": []},
        {"enum": []}, {"enum": 1}, {"minLength": 0}, {"minLength": -1}, {"maximum": "1"}, {"pattern": "^a"},
        {"pattern": 1}, {"title": "t", "description": "d", "examples": [1]}, {"format": "email"}, {"format": "e-mail"},
        {"allOf": [True, {"const": 1}]}, {"allOf": []}, {"not": {"typ": 1}}, {"prefixItems": [{}], "unevaluatedItems": False},
        {"multipleOf": 0}, {"multipleOf": 0.5}, {"dependentRequired": {"a": ["b"]}}, {"dependentRequired": {"a": [1]}},
        {"patternProperties": {"^a": {}}}, {"if": {}, "then": True, "else": 1}, {"$ref": "#/$defs/a", "$defs": {"a": {}}},
        {"uniqueItems": 1}, {"minContains": 1.5}, {"exclusiveMinimum": "1"}, {"dependencies": {}}, {"$comment": 1},
    ]),
    (["variables"], []),
    (["output"], []),
    (["layout"], []),
    (["nodes"], [{"a b": {"action": "data.set"}}, {"1": {"action": "data.set"}}, {"_-": {"action": "data.set"}}, {"a": {}}, {"a": 1}]),
    (["unknown"], []),
    (["settings"], [{"unknown": 1}]),
    (["settings", "timeout"], ["1s", "1h30m", "1.5d", "20 ms", "-1s", "1", "soon", "PT1H30M", "P1D", "P", "PT", "P1W", "P1Y", "P1DT2H", "PT1M1H"]),
    (["settings", "durability"], ["strict", "relaxed", "memory", "Strict"]),
    (["settings", "on-error"], ["fail", "finish", "continue", "collect"]),
    (["settings", "priority"], [7, "{{ $input.urgent ? 10 : 0 }}", "{{ 'high' }}", "high"]),
    (["settings", "concurrency"], [{"limit": 1}, {"limit": 0}, {"key": "{{ $input.x }}"}, {"size": 1}, {"strategy": "reject"},
                                   {"strategy": "drop"}, {"share": "{{ $input.x }}"}, {"limit": 1, "while-waiting": "keep"},
                                   {"limit": 1, "while-waiting": "release"}, {"limit": 1, "while-waiting": True}]),
    (["settings", "batch"], [{"timeout": "1s"}, {"timeout": "1s", "size": 0}, {"timeout": "1s", "size": 10000, "key": "{{ $input.x }}"},
                             {"timeout": "1s", "size": 10001}, {"size": 2}, {"timeout": 1}, {"timeout": "1s", "limit": 2}]),
    (["settings", "rate"], [{"limit": 1, "per": "1m"}, {"limit": 0, "per": "1m"}, {"limit": 1}, {"per": "1m"}, {"limit": 1, "per": "soon"}]),
    (["settings", "throttle"], [{"limit": 1, "per": "1m", "key": "{{ $input.x }}"}, {"limit": 1, "per": 1}]),
    (["settings", "debounce"], [{"wait": "1s"}, {"wait": "x"}, {"limit": 1}]),
    (["settings", "singleton"], [{"key": "{{ $input.x }}"}, {"limit": 1}]),
    (["triggers"], [{"t": {}}, {"t": 1}]),
    (["triggers", "t"], [
        {"trigger": "m.x"}, {"trigger": ""}, {"trigger": 1}, {"trigger": "time.cron"}, {"trigger": "m.x", "unknown": 1},
        {"trigger": "time.cron", "with": {"schedule": "0 3 * * *"}}, {"trigger": "time.cron", "with": {"schedule": "0 3"}},
        {"trigger": "time.cron", "with": {"schedule": "@daily"}}, {"trigger": "time.cron", "with": {}},
        {"trigger": "time.cron", "with": {"schedule": "0 3 * * *", "timezone": "Europe/Rome"}},
        {"trigger": "time.cron", "with": {"schedule": "0 3 * * *", "timezone": 1}}, {"trigger": "time.interval"},
        {"trigger": "time.interval", "with": {"every": "5m"}}, {"trigger": "time.interval", "with": {"every": 5}},
        {"trigger": "m.x", "with": 1}, {"trigger": "m.x", "input": 1, "disabled": True, "title": "t", "notes": "n"},
    ]),
    (["connections"], [
        ["a -> b"], ["a->b"], [" a.out  ->  b "], ["a b"], ["a. -> b"], ["a.x y -> b"], ["-> b"], ["a -> "], ["a -> b -> c"],
        ["1 -> b"], [{"from": "a", "to": "b"}], [{"from": "a"}], [{"to": "b"}], [{"from": "a", "to": "b", "x": 1}],
        [{"from": "a", "to": "b", "when": "true"}], [{"from": "a", "to": "b", "when": True}], [{"from": 1, "to": "b"}],
        [{"from": "a", "to": "b", "loop": 1}], [{"from": "b", "to": "b", "loop": True, "max": 5}],
        [{"from": "b", "to": "b", "loop": True, "max": 0}], [{"from": "a", "to": "b", "max": 5}],
        [{"from": "b", "to": "b", "loop": True, "max": "5"}], [None],
    ]),
    (["nodes", "a", "action"], ["data.set@1.0"]),
    (["nodes", "a", "with"], []),
    (["nodes", "a", "after"], [["b"], ["b.out"], "b"]),
    (["nodes", "a", "join"], [
        {"need": "all"}, {"need": "some"}, {"need": 0}, {"need": 1}, {"need": "{{ 1 }}"}, {"need": []}, {"rest": "block"},
        {"rest": "keep"}, {"unknown": 1},
    ]),
    (["nodes", "a", "effect"], ["pure", "effectful", "none"]),
    (["nodes", "a", "retry"], [
        {"attempts": 1}, {"attempts": 0}, {"attempts": 1000000}, {"attempts": 1000001}, {"attempts": "1"}, {"attempts": 1.5},
        {"backoff": "linear"}, {"backoff": "x"}, {"factor": 1}, {"factor": 0.5}, {"factor": 1.5}, {"factor": "2"},
        {"initial": "1s"}, {"initial": 1}, {"initial": "x"}, {"max": "2h"}, {"jitter": True}, {"jitter": 1}, {"unknown": 1},
    ]),
    (["nodes", "a", "timeout"], ["1s", 5]),
    (["nodes", "a", "total-timeout"], ["1s", 5]),
    (["nodes", "a", "on-error"], ["fail", "finish", "continue", "stop"]),
    (["nodes", "a", "on-unknown"], ["fail", "retry", "ask", "stop"]),
    (["nodes", "a", "priority"], []),
    (["nodes", "a", "disabled"], []),
    (["nodes", "a", "title"], []),
    (["nodes", "a", "notes"], []),
    (["nodes", "a", "undo"], [
        {"action": "data.set"}, {"action": "data.set", "with": {"x": 1}, "retry": {"attempts": 2}, "timeout": "1s", "on-unknown": "ask"},
        {"action": "data.set", "after": ["b"]}, {"action": 1}, {"action": "data.set", "retry": {"attempts": 0}}, {"with": {}},
    ]),
    (["nodes", "a", "credentials"], []),
    (["nodes", "a", "policy"], [
        "database", "http-api", "file", "long-running", "critical", "HTTP", {"preset": "file"}, {"preset": "x"}, {"name": "n"},
        {"name": 1}, {"shed": 1}, {"shed": 0}, {"retry": {"attempts": 2, "jitter": "equal", "backoff": "fibonacci"}},
        {"retry": {"attempts": 0}}, {"retry": {"jitter": True}}, {"retry": {"budget": "1s"}}, {"retry": 1},
        {"limit": {"kind": "leaky-bucket", "rate": 5, "per": "1m", "burst": 2}}, {"limit": {"rate": 0}}, {"limit": {"kind": "x"}},
        {"breaker": {"failures": 0, "rate": 0.2, "window": "5s", "calls": 3, "slow": "1s", "open": "1m", "permits": 2}},
        {"breaker": {"rate": 2}}, {"breaker": {"permits": 1001}}, {"breaker": {"unknown": 1}},
        {"bulkhead": {"permits": 3, "queue": 0, "wait": "1s"}}, {"bulkhead": {"permits": 0}}, {"bulkhead": {"wait": 1}},
        {"hedge": {}}, {"hedge": {"after": "100ms", "calls": 3}}, {"hedge": {"calls": 1}}, {"timeout": "1s", "total-timeout": "1m"},
        {"timeout": 1}, {"fallback": None}, {"fallback": [1, "{{ x }}"]}, {"preset": "critical", "retry": {"attempts": 2}},
    ]),
    (["nodes", "a", "lock"], []),
    (["nodes", "a", "region"], []),
    (["nodes", "a", "unknown"], []),
    (["nodes", "l", "body"], [{"nodes": {"c": {"action": "data.set"}}, "result": 1, "layout": 2}, {"nodes": {"c": {"action": "data.set"}}, "unknown": 1}, {}]),
    (["nodes", "l", "catch"], [{"nodes": {"c": {"action": "data.set"}}}]),
    (["nodes", "l", "bodies"], [{"x": {"nodes": {"c": {"action": "data.set"}}}}, {"x": 1}]),
]

# Refused by Nebula with the code `schema` for what a schema cannot know.
BEYOND = [(["nodes", "a", "after"], ["x"]), (["nodes", "a", "join"], {"need": 2})]


def make_cases():
    """Documents with one member changed, and one with each member left out."""
    for path, values in PLACES:
        for value in VALUES + values:
            document = copy.deepcopy(BASE)
            place = document
            for step in path[:-1]:
                place = place.setdefault(step, {})
            place[path[-1]] = value
            if (path, value) not in BEYOND:
                yield document
    for key in BASE:
        yield {other: value for other, value in BASE.items() if other != key}
    for value in VALUES:
        yield value


def main():
    driver, schema_path = sys.argv[1:]
    try:
        import jsonschema
    except ImportError:
        print("SKIPPED: python3-jsonschema is not installed")
        return SKIPPED

    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)

    cases = list(make_cases())
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    answers = subprocess.run([driver], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(answers) == len(cases), f"{len(answers)} answers to {len(cases)} cases"

    failed = accepted = 0
    for case, answer in zip(cases, answers):
        codes = STRUCTURE.intersection(json.loads(answer))
        problems = [error.message for error in validator.iter_errors(case)]
        accepted += not problems
        if bool(codes) != bool(problems):
            failed += 1
            print(f"{json.dumps(case)[:300]}\n  Nebula: {answer}\n  schema: {problems[:2]}")
    print(f"{len(cases)} cases, {accepted} accepted by the schema, {failed} seen differently")
    return 1 if failed or not 100 < accepted < len(cases) - 100 else 0


if __name__ == "__main__":
    sys.exit(main())
