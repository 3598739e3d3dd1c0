# SPDX-License-Identifier: LGPL-2.1-or-later
"""Expressions beside Node.js, on what both languages have: the same text must give the same value.

Where Nebula means something else on purpose, docs/expressions.md has a row in its table “Beside JavaScript”, and the rows
are run here too, in both languages.
"""

import json
import os
import random
import re
import shutil
import subprocess
import unittest

import world

NODE = shutil.which('node') or shutil.which('nodejs')
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'node.js')
DOCUMENT = os.path.join(world.SOURCE, 'docs', 'expressions.md')
ROUNDS = 6000
DATA = {'n': 7, 'x': 2.5, 's': 'Hello, world', 'list': [3, 1, 2], 'names': ['ann', 'Bob', 'cy'], 'yes': True,
        'rows': [{'id': 1, 'tag': 'b'}, {'id': 2, 'tag': 'a'}, {'id': 3, 'tag': 'b'}]}


class Generator:
    """Well-typed expressions whose text both languages read. Numbers stay small, so that no integer leaves 53 bits."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.locals: list = []  # (name, kind)

    def pick(self, *options):
        return self.random.choice(options)

    def local(self, kind: str, otherwise: str) -> str:
        fitting = [name for name, of in self.locals if of == kind]
        return self.random.choice(fitting) if fitting and self.random.random() < 0.7 else otherwise

    def number(self, depth: int) -> str:
        if depth <= 0:
            return self.pick(self.local('number', '$n'), '$x', str(self.random.randint(0, 9)),
                             f'{self.random.randint(0, 99) / 8}', '$rows[1].id', '$list[0]')
        down = depth - 1
        return self.pick(
            lambda: f'({self.number(down)} {self.pick("+", "-", "*")} {self.number(0)})',
            lambda: f'({self.number(down)} / {self.pick("2", "3", "0.5", "7")})',
            lambda: f'({self.number(down)} % {self.pick("2", "3", "2.5", "7")})',
            lambda: f'((-{self.number(down)}) % 4)',
            lambda: f'(-{self.number(down)})',
            lambda: f'({self.number(0)} ** {self.pick("0", "1", "2", "3")})',
            lambda: f'({self.condition(down)} ? {self.number(down)} : {self.number(down)})',
            lambda: f'{self.text(down)}.indexOf({self.part()})',
            lambda: f'{self.numbers(down)}.indexOf({self.number(0)})',
            lambda: f'{self.numbers(down)}.reduce((sum, item) => sum + item, 0)',
            lambda: f'{self.numbers(down)}.findIndex({self.lambda_of("number", "condition", down)})',
            lambda: f'({self.numbers(down)}.find({self.lambda_of("number", "condition", down)}) ?? {self.number(0)})',
        )()

    def part(self) -> str:
        return self.pick("'l'", "'o'", "', '", "'xyz'", "'World'", "'é'", "'A'")

    def text(self, depth: int) -> str:
        if depth <= 0:
            return self.pick(self.local('text', '$s'), "'Ann'", "'a,b,,c'", "'  pad '", "''", "'naïve'", '$names[1]',
                             '$rows[0].tag')
        down = depth - 1
        return self.pick(
            lambda: f'({self.text(down)} + {self.text(0)})',
            lambda: f'{self.text(down)}.{self.pick("toUpperCase", "toLowerCase", "trim", "trimStart", "trimEnd")}()',
            lambda: f'{self.text(down)}.slice({self.random.randint(-4, 6)}, {self.random.randint(-4, 9)})',
            lambda: f'{self.text(down)}.slice({self.random.randint(-4, 6)})',
            lambda: f'{self.text(down)}.replaceAll({self.part()}, {self.part()})',
            lambda: f'{self.text(0)}.repeat({self.random.randint(0, 3)})',
            lambda: f'{self.text(down)}.{self.pick("padStart", "padEnd")}({self.random.randint(0, 20)}, {self.pick("0", "-+", "é")!r})',
            lambda: f'{self.texts(down)}.join({self.part()})',
            lambda: f'({self.condition(down)} ? {self.text(down)} : {self.text(down)})',
            lambda: f'({self.texts(down)}.find({self.lambda_of("text", "condition", down)}) ?? {self.text(0)})',
        )()

    def condition(self, depth: int) -> str:
        if depth <= 0:
            return self.pick('true', 'false', '$yes')
        down = depth - 1
        return self.pick(
            lambda: f'({self.number(down)} {self.pick("<", ">", "<=", ">=", "==", "!=")} {self.number(down)})',
            lambda: f'({self.text(down)} {self.pick("<", ">", "<=", ">=", "==", "!=")} {self.text(down)})',
            lambda: f'({self.condition(down)} {self.pick("&&", "||")} {self.condition(down)})',
            lambda: f'!{self.condition(down)}',
            lambda: f'{self.text(down)}.{self.pick("includes", "startsWith", "endsWith")}({self.part()})',
            lambda: f'{self.numbers(down)}.includes({self.number(0)})',
            lambda: f'{self.numbers(down)}.{self.pick("some", "every")}({self.lambda_of("number", "condition", down)})',
        )()

    def numbers(self, depth: int) -> str:
        if depth <= 0:
            return self.pick('$list', '[1, 2.5, -3]', '[4]', f'[{self.number(0)}, {self.number(0)}]')
        down = depth - 1
        return self.pick(
            lambda: f'{self.numbers(down)}.map({self.lambda_of("number", "number", down)})',
            lambda: f'{self.numbers(down)}.filter({self.lambda_of("number", "condition", down)})',
            lambda: f'{self.numbers(down)}.slice({self.random.randint(-3, 3)}, {self.random.randint(-2, 4)})',
            lambda: f'{self.numbers(down)}.concat({self.numbers(0)})',
            lambda: f'[...{self.numbers(down)}, {self.number(down)}]',
            lambda: f'{self.numbers(down)}.flatMap(item => [item, item * 2])',
            lambda: f'[{self.numbers(down)}, {self.numbers(0)}].flat()',
            lambda: f'$rows.map(row => row.id * {self.number(0)})',
        )()

    def texts(self, depth: int) -> str:
        if depth <= 0:
            return self.pick('$names', "['b', 'a']", f'[{self.text(0)}]', '$rows.map(row => row.tag)')
        down = depth - 1
        return self.pick(
            lambda: f'{self.text(down)}.split({self.part()})',
            lambda: f'{self.texts(down)}.map({self.lambda_of("text", "text", down)})',
            lambda: f'{self.texts(down)}.filter({self.lambda_of("text", "condition", down)})',
            lambda: f'[...{self.texts(down)}, {self.text(down)}]',
        )()

    def lambda_of(self, kind: str, result: str, depth: int) -> str:
        name = f'v{len(self.locals)}'
        self.locals.append((name, kind))
        body = getattr(self, result)(depth)
        self.locals.pop()
        return f'{name} => {body}'

    def any(self, depth: int) -> str:
        return getattr(self, self.pick('number', 'text', 'condition', 'numbers', 'texts'))(depth)


def to_javascript(text: str) -> str:
    """Equality that never converts is `===` there; all else is the same text."""
    return text.replace(' == ', ' === ').replace(' != ', ' !== ')


def is_same(ours, theirs) -> bool:
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, (int, float)) and isinstance(theirs, (int, float)):
        return ours == theirs
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(is_same, ours, theirs))
    return type(ours) is type(theirs) and ours == theirs


def read_table() -> list:
    """Rows (ours, our outcome, theirs, their outcome) of the table in the documentation."""
    with open(DOCUMENT, encoding='utf-8') as file:
        text = file.read()
    part = text[text.index('## Beside JavaScript'):]
    part = part[:part.index('\n## ', 1)]
    rows = []
    for line in part.splitlines():
        cells = [cell.strip().replace('\\|', '|') for cell in re.split(r'(?<!\\)\|', line)[1:-1]]
        if len(cells) == 5 and cells[0].startswith('`'):
            rows.append([cell.strip('`') for cell in cells[:4]])
    return rows


@unittest.skipUnless(NODE, 'NODE.JS IS MISSING: expressions were not compared with it (Debian: nodejs)')
class Node(world.Case):
    def ours(self, texts: list) -> list:
        """A value in a list, or the code of the error as text."""
        lines = ''.join('{v: ' + text + '}\n' for text in texts)
        done = subprocess.run([world.PROGRAM, 'expr', '--data', json.dumps(DATA)], input=lines, capture_output=True,
                              check=False, encoding='utf-8', env=self.environment, timeout=world.LIMIT)
        values = [json.loads(line)['v'] for line in done.stdout.splitlines()]
        self.assertEqual(len(values), len(texts), done.stderr[:2000])
        return values

    def theirs(self, texts: list) -> list:
        data = {'$' + name: value for name, value in DATA.items()}
        done = subprocess.run([NODE, SCRIPT, json.dumps(data)], input=''.join(json.dumps(text) + '\n' for text in texts),
                              capture_output=True, check=False, encoding='utf-8', timeout=world.LIMIT)
        self.assertEqual(done.returncode, 0, done.stderr)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(len(answers), len(texts))
        return answers

    def test_same_text_same_value(self):
        seed = int(os.environ.get('NEBULA_TEST_SEED', '1'))
        generator = Generator(seed)
        texts = [generator.any(1 + number % 4) for number in range(ROUNDS)]
        wrong = []
        for text, ours, theirs in zip(texts, self.ours(texts), self.theirs([to_javascript(text) for text in texts])):
            if 'error' in theirs or 'odd' in theirs or not is_same(ours, theirs['value']):
                wrong.append(f'{text}\n  ours   {json.dumps(ours, ensure_ascii=False)}\n  theirs {theirs}')
        self.assertEqual(wrong, [], f'{len(wrong)} of {len(texts)} (seed {seed})\n' + '\n'.join(wrong[:20]))

    def test_differences_are_as_the_documentation_says(self):
        rows = read_table()
        self.assertGreater(len(rows), 20)
        answers = self.theirs([row[2] for row in rows])
        for (text, outcome, other, expected), theirs in zip(rows, answers):
            if outcome.startswith('✗'):
                self.expect(1, 'expr', text, '--data', json.dumps(DATA))
            else:
                ours = self.expect(0, 'expr', text, '--data', json.dumps(DATA)).json()
                self.assertTrue(is_same(ours, json.loads(outcome)), f'{text} gives {ours}, not {outcome}')
            if expected.startswith('✗'):
                self.assertEqual(theirs.get('error'), expected.strip('✗ '), other)
            elif 'odd' in theirs:
                self.assertEqual(theirs['odd'], expected, other)
            else:
                self.assertTrue(is_same(theirs.get('value'), json.loads(expected)), f'{other} gives {theirs}, not {expected}')
            self.assertFalse(text == other and outcome == expected, f'{text} is no difference')


if __name__ == '__main__':
    world.main()
