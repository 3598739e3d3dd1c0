# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pieces of the robustness loops: a disk whose power can be cut, a writer that can be killed, and a checker.

A loop is always the same: let a program work, note what it has acknowledged, take the power or the process away, and
look whether everything acknowledged is there. Only what was read before the cut counts.
"""

import ctypes
import fcntl
import os
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time

SKIPPED = 77
FS_IOC_SHUTDOWN = 0x8004587D  # _IOR ('X', 125, __u32)
SHUTDOWN_NO_LOG_FLUSH = 2


class Skip(Exception):
    """This machine cannot do it; the text says why."""


def run(*command):
    """Runs a program that must succeed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout.strip()}")
    return done.stdout


class Disk:
    """An ext4 file system of its own, in a sparse file, that can be cut off like a machine without power."""

    def __init__(self, megabytes=128):
        if os.geteuid() != 0:
            raise Skip("only root may mount")
        for tool in ("mkfs.ext4", "mount", "umount", "losetup"):
            if not shutil.which(tool):
                raise Skip(f"{tool} is not installed")
        self.folder = tempfile.mkdtemp(prefix="nebula-cut-")
        self.image = os.path.join(self.folder, "image")
        self.path = os.path.join(self.folder, "disk")
        self.is_mounted = False
        os.mkdir(self.path)
        try:
            with open(self.image, "wb") as image:
                image.truncate(megabytes << 20)
            run("mkfs.ext4", "-q", "-F", self.image)
            self.mount()
        except RuntimeError as error:
            self.close()
            raise Skip(str(error)) from error

    def mount(self):
        run("mount", "-o", "loop", self.image, self.path)
        self.is_mounted = True

    def unmount(self):
        for _ in range(100):
            try:
                run("umount", self.path)
                self.is_mounted = False
                return
            except RuntimeError:
                time.sleep(0.05)
        run("umount", self.path)

    def cut(self):
        """From now on nothing reaches the disk; what is not there is lost."""
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(folder, FS_IOC_SHUTDOWN, struct.pack("I", SHUTDOWN_NO_LOG_FLUSH))
        except OSError as error:
            raise Skip(f"this kernel cannot shut a file system down: {error}") from error
        finally:
            os.close(folder)

    def restore(self):
        """Power is back: the file system recovers as after a crash."""
        self.unmount()
        self.mount()

    def close(self):
        if self.is_mounted:
            self.unmount()
        shutil.rmtree(self.folder, ignore_errors=True)


def die_with_parent():
    """In the child: a loop that is killed must leave no writer behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Acknowledgements:
    """The greatest acknowledged sequence of each stream, read from a pipe."""

    def __init__(self, pipe):
        self.last = {}
        self.count = 0
        self.lock = threading.Lock()
        self.pipe = pipe
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.pipe:
            if not line.endswith("\n"):
                return
            stream, sequence = line.split()
            with self.lock:
                self.last[stream] = max(self.last.get(stream, 0), int(sequence))
                self.count += 1

    def snapshot(self):
        with self.lock:
            return dict(self.last), self.count


class Writer:
    """A program that writes to a store and tells on its standard output what is acknowledged."""

    def __init__(self, command):
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1,
            preexec_fn=die_with_parent)  # pylint: disable=subprocess-popen-preexec-fn
        self.acknowledgements = Acknowledgements(self.process.stdout)

    def wait_for(self, count, limit=30):
        """Until so many units are acknowledged."""
        end = time.monotonic() + limit
        while self.acknowledgements.snapshot()[1] < count:
            if self.process.poll() is not None:
                raise RuntimeError(f"the writer ended by itself, exit {self.process.returncode}")
            if time.monotonic() > end:
                raise RuntimeError("the writer makes no progress")
            time.sleep(0.001)

    def snapshot(self):
        return self.acknowledgements.snapshot()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.acknowledgements.thread.join()


def make_facts(stream, sequence):
    """What the ledger writer writes as fact number `sequence`."""
    text = f"{stream}:{sequence}:"
    length = 40 + sequence * 37 % 900
    while len(text) < length:
        text += chr(ord("a") + len(text) % 26)
    return text.encode()


def read_streams(path, problems):
    """The number of facts of each stream, each fact compared with what was written."""
    found = {}
    database = sqlite3.connect(path)
    try:
        for (text,) in database.execute("PRAGMA integrity_check"):
            if text != "ok":
                problems.append(f"integrity: {text}")
        rows = database.execute("SELECT stream, first, last, facts FROM segment ORDER BY stream, first")
        for stream, first, last, facts in rows:
            expected = found.get(stream, 0) + 1
            if first != expected or last != first:
                problems.append(f"{stream}: facts {first} to {last} where {expected} should be")
            if bytes(facts) != make_facts(stream, first):
                problems.append(f"{stream}: fact {first} is not what was written")
            found[stream] = last
        for stream, sequence in database.execute("SELECT id, sequence FROM stream"):
            if found.get(stream, 0) != sequence:
                problems.append(f"{stream}: the header says {sequence}, there are {found.get(stream, 0)}")
    except sqlite3.DatabaseError as error:
        problems.append(f"the database cannot be read: {error}")
    finally:
        database.close()
    return found


def check(path, acknowledged, verify_command):
    """What is wrong with the store: losses, gaps, damage. Nebula opens it first, so its recovery is what is checked."""
    problems = []
    verified = subprocess.run(verify_command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if verified.returncode != 0:
        problems.append(f"Nebula's own check: {verified.stdout.strip()}")
    found = read_streams(path, problems)
    for stream, sequence in sorted(acknowledged.items()):
        if found.get(stream, 0) < sequence:
            problems.append(f"LOST {stream}: acknowledged {sequence}, found {found.get(stream, 0)}")
    return problems


def count_lost(problems):
    return sum(1 for problem in problems if problem.startswith("LOST"))


def judge(name, rounds, acks, problems, plant):
    """Prints one line a promise and gives the exit code: with a planted bug, not to notice is the failure."""
    lost = count_lost(problems)
    print(f"{name}: {rounds} rounds, {acks} acknowledged, {lost} streams lost some, {len(problems)} problems"
          + (f", planted {plant}" if plant else ""))
    if plant:
        if lost == 0:
            print(f"FAIL {name}: the planted bug {plant} was not noticed")
        return 0 if lost else 1
    for problem in problems[:20]:
        print(f"  {problem}")
    return 1 if problems else 0


def skip(name, reason):
    print(f"SKIP {name}: {reason}", file=sys.stderr)
    print(f"SKIP {name}: {reason}")
    return SKIPPED


def make_random(seed):
    """A generator whose seed is printed, so that a run can be repeated as far as timing lets it."""
    seed = seed if seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    return random.Random(seed)
