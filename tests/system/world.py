# SPDX-License-Identifier: LGPL-2.1-or-later
"""Starts the program and waits for what it says."""

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

PROGRAM = os.environ.get('NEBULA_PROGRAM', 'nebula')
SOURCE = os.environ.get('NEBULA_SOURCE', os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
LIMIT = 60

QUICK = """
nebula: 1
name: quick
input: { type: object, properties: { x: { type: integer, default: 1 } } }
nodes:
  a: { action: data.set, with: { y: "{{ $input.x + 1 }}" } }
output: "{{ $nodes.a.result.y }}"
"""
TEXT = """
nebula: 1
name: text
nodes:
  a: { action: data.set, with: { hello: "Héllo" } }
output: "{{ $nodes.a.result.hello }}"
"""
FAIL = """
nebula: 1
name: failing
nodes:
  a: { action: flow.fail, with: { message: it broke, code: broken } }
"""
BAD = """
nebula: 1
name: bad
nodes:
  a: { action: data.sett, with: { y: 1 } }
  b: { action: data.set, with: { y: "{{ 1 + }}" }, after: [nobody] }
"""
SLOW = """
nebula: 1
name: slow
input: { type: object, properties: { x: { type: integer, default: 1 } } }
nodes:
  first: { action: data.set, with: { y: "{{ $input.x + 1 }}" } }
  pause: { action: flow.wait, with: { duration: 1s }, after: [first] }
  last: { action: data.set, with: { z: "{{ $nodes.first.result.y * 2 }}" }, after: [pause] }
"""
GATE = """
nebula: 1
name: gate
settings: { concurrency: { limit: 1, key: one } }
nodes:
  work: { action: process.run, effect: read, with: { command: [sleep, "0.3"] } }
"""
SIGNAL = """
nebula: 1
name: asks
nodes:
  ask: { action: flow.wait, with: { signal: go } }
  got: { action: data.set, with: { value: "{{ $nodes.ask.result.value }}" }, after: [ask] }
"""
LOOP = """
nebula: 1
name: loop
nodes:
  each:
    action: flow.for-each
    with: { items: "{{ range (0, 20) }}", concurrency: 4 }
    body:
      nodes:
        price: { action: data.set, with: { total: "{{ $item * 2 }}" } }
"""


class Result:
    def __init__(self, code: int, out: str, err: str):
        self.code, self.out, self.err = code, out, err

    def json(self):
        return json.loads(self.out)

    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def __repr__(self) -> str:
        return f'exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}'


class Running:
    """A program in the background whose stderr is read line by line."""

    def __init__(self, arguments, folder, environment):
        self.process = subprocess.Popen([PROGRAM, *arguments], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding='utf-8')
        self.said = []
        self.lines: queue.Queue = queue.Queue()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        for line in self.process.stderr:
            self.lines.put(line)
        self.lines.put(None)

    def wait_for(self, *words: str) -> str:
        while True:
            line = self.lines.get(timeout=LIMIT)
            if line is None:
                raise AssertionError(f'{words} was never said, only: {"".join(self.said)}')
            self.said.append(line)
            if all(word in line for word in words):
                return line

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.end()

    def end(self) -> Result:
        out = self.process.stdout.read()
        code = self.process.wait(timeout=LIMIT)
        self.thread.join(timeout=LIMIT)
        while not self.lines.empty():
            line = self.lines.get()
            if line is not None:
                self.said.append(line)
        self.process.stdout.close()
        self.process.stderr.close()
        return Result(code, out, ''.join(self.said))


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = self.temporary.name
        self.environment = dict(os.environ)
        self.environment['XDG_CACHE_HOME'] = os.environ.get('NEBULA_TEST_CACHE', self.folder)

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def write(self, name: str, text: str) -> str:
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(text)
        return name

    def nebula(self, *arguments: str, stdin: str = '', **variables: str) -> Result:
        done = subprocess.run([PROGRAM, *arguments], cwd=self.folder, env={**self.environment, **variables},
                              input=stdin, capture_output=True, text=True, encoding='utf-8', timeout=LIMIT, check=False)
        return Result(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> Running:
        running = Running(arguments, self.folder, self.environment)
        self.addCleanup(self._stop, running)
        return running

    @staticmethod
    def _stop(running: Running) -> None:
        if running.process.poll() is None:
            running.kill()

    def expect(self, code: int, *arguments: str, **options: str) -> Result:
        result = self.nebula(*arguments, **options)
        self.assertEqual(result.code, code, f'{arguments}\n{result}')
        return result

    def the_execution(self, *arguments: str) -> str:
        items = self.expect(0, 'execution', 'list', '--store', 'run.db', '--json', *arguments).json()['items']
        self.assertEqual(len(items), 1)
        return items[0]['execution']


def main() -> None:
    program = unittest.main(exit=False, verbosity=1)
    result = program.result
    bad = len(result.failures) + len(result.errors)
    print(f'{result.testsRun - bad - len(result.skipped)} passed, {bad} failed, {len(result.skipped)} skipped')
    sys.exit(1 if bad else 0)
