# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pieces of the loops over the whole program: workflows with a ledger, runs that can be stopped, and a judge.

The nodes of the workflows write lines to a ledger outside the store (ledger-note.c). After the engine was taken away
and its work resumed, ledger and store (store-check.c) are compared. What can be wrong is one of

  LOST        acknowledged, and not in the store
  DUP-OUTCOME a node-run with two outcomes
  DUP-EFFECT  an effectful node that did its work more often than the store says it was started
  RERUN       a node that did its work again though its result was durable
  ORPHAN      an effect of something that the store does not know
  ORDER       an effect before one that it depends on
  TERMINAL    a row of an execution that had ended is not what it was, byte for byte
  WRONG       another end than without the fault
  BAD         the store does not hold together, or a row is not the fold of its facts
  STUCK       no end, or an exit code that is not documented
"""

import collections
import fcntl
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402

LIMIT = 60
TERMINAL = ("completed", "failed", "cancelled", "timed-out")
OUTCOMES = ("node-ended", "node-failed", "node-skipped", "node-cancelled")
EXITS = (0, 1, 2, 3, 4, 75)
HEAD = "nebula: 1\ninput: { type: object, properties: { run: { type: string }, ledger: { type: string } } }\n"


def note(node, more="", tail="\"4\""):
    """A node that writes one line."""
    return (f"{{ action: process.run, {more} with: {{ command: [\"@NOTE@\", \"{{{{ $input.ledger }}}}\", "
            f"\"{{{{ $input.run }}}} {node}\", {tail}] }} }}\n")


CHAIN = HEAD + f"""name: chain
nodes:
  make: {{ action: data.set, with: {{ text: "{{{{ $input.run }}}}" }} }}
  first: {note("first", "after: [make],")}  look: {note("look", "after: [first], effect: read,")}
  same: {note("same", "after: [look], effect: idempotent,")}  count: {note("count", "after: [same], effect: pure,")}
  second: {note("second", "after: [count],")}  rest: {{ action: flow.wait, after: [second], with: {{ duration: 15ms }} }}
  third: {note("third", "after: [rest],")}output: "{{{{ $nodes.first.result.stdout }}}}, {{{{ $nodes.third.result.stdout }}}}"
"""

FAN = HEAD + f"""name: fan
nodes:
  each:
    action: flow.for-each
    on-error: collect
    with: {{ items: "{{{{ range (0, 8) }}}}", concurrency: 3 }}
    body:
      nodes:
        do: {note("each[{{ $index }}].do")}        same: {note("each[{{ $index }}].same", "after: [do], effect: idempotent,")}      result: "{{{{ $nodes.do.result.stdout }}}}"
  last: {note("last", "after: [each],")}output: "{{{{ $nodes.each.result }}}}"
"""

RETRY = HEAD + f"""name: retry
settings: {{ concurrency: {{ limit: 1, key: "{{{{ $input.ledger }}}}" }} }}
nodes:
  shaky: {note("shaky", "effect: idempotent, retry: { attempts: 20, initial: 5ms, backoff: fixed },", '"2", "2"')}
  sure: {note("sure", "after: [shaky], retry: { attempts: 5, initial: 10ms },", '"2", "1"')}
  rest: {{ action: flow.wait, after: [sure], with: {{ duration: 20ms }} }}
  last: {note("last", "after: [rest], effect: read,")}output: "{{{{ $nodes.shaky.result.stdout }}}}, {{{{ $nodes.last.result.stdout }}}}"
"""

SHORT = HEAD + f"""name: short
nodes:
  first: {note("first", "", '"0"')}  second: {note("second", "after: [first],", '"0"')}output: "{{{{ $nodes.second.result.stdout }}}}"
"""

FILES = HEAD + """name: files
nodes:
  write: { action: file.write, with: { path: "{{ $input.ledger }}.txt", content: "{{ $input.run }}" } }
output: "{{ $nodes.write.result.written }}"
"""


class Scenario:
    """A workflow, what its nodes may do to the ledger, and what comes out."""

    def __init__(self, text, effectful, pure, order, output):
        self.text, self.effectful, self.pure, self.order, self.output = text, effectful, pure, order, output

    def is_effectful(self, path):
        return re.sub(r"\[\d+\]", "[]", path) in self.effectful


SCENARIOS = {
    "chain": Scenario(CHAIN, ("first", "second", "third"), ("count",),
                      (("first", "look"), ("look", "same"), ("same", "second"), ("second", "third")),
                      lambda run: f"{run} first, {run} third"),
    "fan": Scenario(FAN, ("each[].do", "last"), (),
                    tuple((f"each[{i}].do", f"each[{i}].same") for i in range(8)) +
                    tuple((f"each[{i}].do", "last") for i in range(8)),
                    lambda run: [f"{run} each[{i}].do" for i in range(8)]),
    "retry": Scenario(RETRY, ("sure",), (), (("shaky", "sure"), ("sure", "last")),
                      lambda run: f"{run} shaky, {run} last"),
    "short": Scenario(SHORT, ("first", "second"), (), (("first", "second"),), lambda run: f"{run} second"),
    "files": Scenario(FILES, (), (), (), len),
}


class Execution:
    """One execution as the store has it."""

    def __init__(self, identity, status):
        self.id, self.status, self.run = identity, status, "-"
        self.outcomes, self.codes, self.started = {}, {}, collections.Counter()

    def add(self, kind, path, code):
        if kind in OUTCOMES:
            self.outcomes[path] = kind
            self.codes[path] = code
        elif kind == "attempt-started":
            self.started[path] += 1

    def get_doubtful(self):
        return {path for path in self.started if path not in self.outcomes}


class Told:
    """What a process has said: its standard output and error, in files, so that what it said before its end counts."""

    def __init__(self, folder):
        self.out = tempfile.TemporaryFile(dir=folder)  # pylint: disable=consider-using-with
        self.err = tempfile.TemporaryFile(dir=folder)  # pylint: disable=consider-using-with

    @staticmethod
    def read(file):
        text = os.pread(file.fileno(), 1 << 22, 0).decode("utf-8", "replace")
        return text[:text.rfind("\n") + 1].splitlines()

    def snapshot(self):
        """(reports, id or None, completed nodes): what is acknowledged so far."""
        reports, identity, nodes = [], None, []
        for line in self.read(self.out):
            reports.append(json.loads(line))
        for line in self.read(self.err):
            found = re.search(r"resume (exe_\w+)", line)
            identity = found.group(1) if found else identity
            found = re.match(r"\s+✓ (\S+)\s", line)
            if found:
                nodes.append(found.group(1))
        return reports, identity, nodes

    def close(self):
        self.out.close()
        self.err.close()


class World:
    """A ledger, a store after the other, and all that was acknowledged of the present one."""

    def __init__(self, options, store_folder=None):
        self.options = options
        self.folder = tempfile.mkdtemp(prefix="nebula-program-")
        self.store_folder = store_folder or self.folder
        self.ledger = os.path.join(self.folder, "ledger")
        self.environment = dict(os.environ, XDG_CACHE_HOME=os.path.join(self.folder, "cache"), LC_ALL="C.UTF-8")
        library = os.path.dirname(os.path.dirname(os.path.abspath(options.program)))
        self.environment["LD_LIBRARY_PATH"] = library
        self.files, self.durations, self.problems = {}, {}, []
        self.n_runs = self.n_stores = self.n_acks = self.n_doubtful = self.n_effects = 0
        for name, scenario in SCENARIOS.items():
            self.files[name] = os.path.join(self.folder, name + ".yaml")
            with open(self.files[name], "w", encoding="utf-8") as file:
                file.write(scenario.text.replace("@NOTE@", os.path.abspath(options.note)))
        self.may_fail = False  # a run for which an effect of the fault is a failure like any other
        self.new_store()

    def new_store(self):
        self.n_stores += 1
        self.store = os.path.join(self.store_folder, f"store-{self.n_stores}.db")
        self.runs = {}        # run → scenario
        self.ids = {}         # id → run, as acknowledged
        self.ended = {}       # id → report, as acknowledged
        self.nodes = {}       # id → completed nodes, as acknowledged
        self.done = {}        # (run, path) → lines in the ledger when its outcome was durable
        self.doubtful = set()  # (run, path)
        self.rows = {}
        self.executions = {}
        self.late = set()  # (run, path) whose lines came after a cut of the power
        self.was_there = False

    def complain(self, kind, text):
        self.problems.append(f"{kind} {text}")

    # Running.

    def start(self, arguments, prefix=(), **more):
        told = Told(self.folder)
        process = subprocess.Popen(  # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
            [*prefix, self.options.program, *arguments], stdin=subprocess.DEVNULL, stdout=told.out, stderr=told.err,
            env=self.environment, preexec_fn=harness.die_with_parent, **more)
        process.told = told
        return process

    def start_run(self, name, prefix=()):
        self.n_runs += 1
        run = f"r{self.n_runs}"
        self.runs[run] = name
        durability = ["--durability=" + self.options.durability] if self.options.durability else []
        process = self.start(["run", self.files[name], "--store", self.store, "--json", *durability,
                              "--set", f"run={run}", "--set", f"ledger={self.ledger}"], prefix)
        process.run = run
        return process

    def start_resume(self, prefix=()):
        process = self.start(["execution", "resume", "--all", "--json", "--store", self.store], prefix)
        process.run = None
        return process

    def acknowledge(self, process):
        """Notes what the process has told up to now."""
        reports, identity, nodes = process.told.snapshot()
        self.n_acks += len(reports) + len(nodes) + (identity is not None)
        if identity:
            self.ids[identity] = process.run
            self.nodes.setdefault(identity, set()).update(nodes)
        for report in reports:
            if report.get("status") in TERMINAL:
                self.ended[report["execution"]] = report

    def wait(self, process, seconds=LIMIT):
        """Until it ends by itself, or the time has come and it is killed. The exit code, or None."""
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            code = None
        return code

    def finish(self, process):
        """Lets it end by itself and notes what it told."""
        code = self.wait(process)
        if code not in EXITS:
            lines = Told.read(process.told.err)
            self.complain("STUCK", f"{process.args[-1]}: exit {code}: {lines[-3:]}")
        self.acknowledge(process)
        process.told.close()
        return code

    def measure(self):
        """How long each scenario takes when nobody disturbs it; also fills the cache of modules."""
        for name in SCENARIOS:
            before = time.monotonic()
            self.finish(self.start_run(name))
            self.finish(self.start_run(name))
            self.durations[name] = (time.monotonic() - before) / 2
        before = time.monotonic()
        self.finish(self.start_resume())
        self.durations["resume"] = time.monotonic() - before
        self.settle()

    # Looking.

    def read_ledger(self):
        """Run → its lines in order; waits for those who still write."""
        lines = collections.defaultdict(list)
        if os.path.exists(self.ledger):
            with open(self.ledger, encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                for line in file:
                    run, path = line.split()
                    lines[run].append(path)
        return lines

    def check_store(self):
        executions, current = {}, None
        if not os.path.exists(self.store):
            return executions
        done = subprocess.run([self.options.check, self.store], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, env=self.environment, check=False, timeout=LIMIT)
        faults = [line for line in done.stdout.splitlines() if line.startswith("BAD")]
        if done.returncode != 0 and not self.was_there and not self.ids and not self.ended:
            return executions  # its making was interrupted; nobody was promised anything
        if done.returncode not in (0, 1):
            faults.append(f"BAD the check ended with {done.returncode}: {done.stdout[-300:]}")
        for line in done.stdout.splitlines():
            words = line.split()
            if words[:1] == ["exec"]:
                current = executions[words[1]] = Execution(words[1], words[2])
            elif words[:1] == ["run"]:
                current.run = words[1]
            elif words[:1] == ["fact"]:
                current.add(words[1], words[2], words[4])
        for fault in faults:
            kind = "DUP-OUTCOME" if "two outcomes" in fault else "BAD"
            self.complain(kind, fault[4:])
        self.was_there = True
        return executions

    def dump_terminal(self, executions):
        """The rows of what has ended, as they are in the database."""
        rows = {}
        if not os.path.exists(self.store):
            return rows
        database = sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)
        try:
            for identity, execution in executions.items():
                if execution.status in TERMINAL:
                    rows[identity] = (
                        database.execute("SELECT * FROM stream WHERE id = ?", (identity,)).fetchall(),
                        database.execute("SELECT * FROM segment WHERE stream = ? ORDER BY first",
                                         (identity,)).fetchall())
        except sqlite3.DatabaseError as error:
            self.complain("BAD", f"the database cannot be read: {error}")
        finally:
            database.close()
        return rows

    def compare_acknowledged(self, executions):
        for identity, run in self.ids.items():
            execution = executions.get(identity)
            if not execution:
                self.complain("LOST", f"execution {identity} of {run} was told and is not there")
                continue
            for node in self.nodes.get(identity, ()):
                if node not in execution.outcomes:
                    self.complain("LOST", f"{run}: the end of {node} was told and is not there")
        for identity, report in self.ended.items():
            execution = executions.get(identity)
            if not execution or execution.status != report["status"]:
                found = execution.status if execution else "nothing"
                self.complain("LOST", f"{identity} was told as {report['status']}, the store says {found}")

    def look(self):
        """Compares store, ledger and acknowledgements, after a fault and before the next start."""
        executions = self.check_store()
        lines = self.read_ledger()
        rows = self.dump_terminal(executions)
        self.compare_acknowledged(executions)
        for identity, row in self.rows.items():
            if rows.get(identity) != row:
                self.complain("TERMINAL", f"{identity} had ended and has changed")
        self.rows = rows
        for execution in executions.values():
            run = execution.run
            for path in execution.outcomes:
                self.done.setdefault((run, path), lines[run].count(path))
            for path in execution.get_doubtful():
                self.doubtful.add((run, path))
        self.compare_effects(executions, lines)
        self.executions = executions
        return executions

    def compare_effects(self, executions, lines):
        known = {execution.run: execution for execution in executions.values()}
        for run, name in self.runs.items():
            scenario, execution = SCENARIOS[name], known.get(run)
            for path, count in collections.Counter(lines[run]).items():
                if path in scenario.pure:
                    continue
                if not execution or (scenario.is_effectful(path) and not execution.started[path]):
                    self.complain("ORPHAN", f"{run} {name}: {path} did its work, and the store knows nothing of it")
                elif scenario.is_effectful(path) and count > execution.started[path]:
                    self.complain("DUP-EFFECT", f"{run} {name}: {path} did its work {count} times, "
                                  f"{execution.started[path]} starts")
                elif scenario.is_effectful(path) and count > 1 and path != "sure":
                    self.complain("DUP-EFFECT", f"{run} {name}: {path} did its work {count} times")
                if count > self.done.get((run, path), count):
                    self.complain("RERUN", f"{run} {name}: {path} ran again after its result was durable")

    # Judging.

    def show(self, identity):
        """The run object of one that ended with nobody left to tell it."""
        done = subprocess.run([self.options.program, "execution", "show", identity, "--json", "--store", self.store],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment,
                              check=False, timeout=LIMIT)
        try:
            return json.loads(done.stdout)
        except ValueError:
            self.complain("WRONG", f"{identity} cannot be shown: {done.stderr.strip()}")
            return {}

    def judge_order(self, run, scenario, lines, failed):
        for before, after in scenario.order:
            if before in failed:
                continue
            # What was in doubt may have been done late, by a program that outlived the engine.
            # What was taken out of the ledger behind a cut may be durable all the same.
            if (run, before) not in self.doubtful | self.late and after in lines and (before not in lines or lines.index(before) > lines.index(after)):
                self.complain("ORDER", f"{run}: {after} came before {before}")

    def list_failed(self, execution):
        """Where the fault met the loading of a module or a node's program, which a loop may collect and go on."""
        return {path for path, code in execution.codes.items() if self.may_fail and code != "unknown-outcome"}

    def judge_run(self, execution, scenario, lines):
        run, unknown, failed = execution.run, set(), self.list_failed(execution)
        report = self.ended.get(execution.id) or self.show(execution.id)
        for path, code in execution.codes.items():
            if code == "unknown-outcome" and scenario.is_effectful(path):
                unknown.add(path)
                if (run, path) not in self.doubtful:
                    self.complain("WRONG", f"{run}: the outcome of {path} is unknown, but nothing was in doubt")
        self.n_doubtful += len(unknown)
        if execution.status not in TERMINAL:
            self.complain("STUCK", f"{run}: {execution.status} after all was resumed")
        elif self.may_fail and (execution.status == "failed" or failed):
            pass
        elif not unknown and (execution.status != "completed" or report.get("output") != scenario.output(run)):
            self.complain("WRONG", f"{run}: {execution.status}, {report.get('output')}, {report.get('error')}")
        elif unknown and scenario is not SCENARIOS["fan"] and report.get("error", {}).get("code") != "unknown-outcome":
            self.complain("WRONG", f"{run}: {unknown} unknown, and the run ended as {execution.status}")
        for path, kind in execution.outcomes.items():
            is_late = (run, path) in self.late
            if kind == "node-ended" and scenario.is_effectful(path) and path not in lines and not is_late:
                self.complain("WRONG", f"{run}: {path} is recorded as done and did nothing")
        self.n_effects += len(lines)
        self.judge_order(run, scenario, lines, failed)

    def settle(self):
        """Resumes all that is open, with nobody disturbing, and judges every run of this store."""
        if not os.path.exists(self.store):
            return
        # Twice without progress parks an execution; resuming takes it up again.
        self.finish(self.start_resume())
        executions, lines = self.look(), self.read_ledger()
        for execution in executions.values():
            if execution.run in self.runs:
                self.judge_run(execution, SCENARIOS[self.runs[execution.run]], lines[execution.run])
        self.runs = {}

    def close(self):
        subprocess.run(["rm", "-rf", self.folder], check=False)


def add_arguments(parser):
    parser.add_argument("program", help="nebula")
    parser.add_argument("check", help="store-check")
    parser.add_argument("note", help="ledger-note")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--durability", help="of the runs; relaxed is a control: a power cut must lose")
    parser.add_argument("--plant", help="a bug that must be noticed (NEBULA_PLANT of a build with planted bugs)")


def kill_after(world, process, seconds):
    """SIGKILL after so long, unless it ends before."""
    code = world.wait(process, seconds)
    if code is not None and code not in EXITS and code != -signal.SIGKILL:
        world.complain("STUCK", f"exit {code}: {Told.read(process.told.err)[-3:]}")
    world.acknowledge(process)
    process.told.close()


def tell(name, world, rounds, plant):
    """Prints the figures and gives the exit code: with a planted bug, not to notice is the failure."""
    kinds = collections.Counter(problem.split()[0] for problem in world.problems)
    print(f"{name}: {rounds} rounds, {world.n_runs} runs, {world.n_acks} acknowledgements, {world.n_effects} effects, "
          f"{world.n_doubtful} unknown outcomes; " +
          (", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())) or "nothing wrong") +
          (f"; planted {plant}" if plant else ""))
    for problem in world.problems[:2 if plant else 20]:
        print(f"  {problem}")
    noticed = any(kinds[kind] for kind in ("LOST", "DUP-EFFECT", "RERUN", "ORPHAN"))
    if plant and not noticed:
        print(f"FAIL {name}: the planted bug {plant} was not noticed")
    return int(not noticed) if plant else int(bool(world.problems))
