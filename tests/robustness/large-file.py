# SPDX-License-Identifier: LGPL-2.1-or-later
"""A file much larger than memory through file.read, file.compress and file.write, and back, each in a 64 MiB process.

    large-file.py NEBULA [--gigabytes=N]

It needs the file three times on the disk (file, blob, copy); with less room it takes a smaller file and says so.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time

GIB = 1 << 30
BLOCK = 1 << 20
LIMIT_KIB = 64 * 1024
STEPS = """
nebula: 1
name: NAME
nodes:
  read: { action: file.read, with: { path: FROM, as: blob } }
  turn: { action: file.NAME, with: { content: "{{ $nodes.read.result }}" MORE }, after: [read] }
  write: { action: file.write, with: { path: TO, content: "{{ $nodes.turn.result }}" }, after: [turn] }
output: "{{ $nodes.write.result.written }}"
"""


def make_block(number):
    """Half of it can be made smaller, half cannot."""
    seed = number.to_bytes(8, 'little')
    return hashlib.shake_256(seed).digest(BLOCK // 2) + hashlib.sha256(seed).digest() * (BLOCK // 64)


def make(path, n_blocks):
    digest = hashlib.sha256()
    with open(path, 'wb') as file:
        for i in range(n_blocks):
            block = make_block(i)
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def digest_of(path):
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def run(program, folder, name, source, target, more=''):
    """Written bytes and the peak of memory in KiB."""
    text = STEPS.replace('NAME', name).replace('FROM', source).replace('TO', target).replace('MORE', more)
    with open(os.path.join(folder, name + '.yaml'), 'w', encoding='utf-8') as file:
        file.write(text)
    started = time.monotonic()
    with open(os.path.join(folder, 'out'), 'w', encoding='utf-8') as out:
        process = subprocess.Popen([program, 'run', name + '.yaml', '--store', name + '.db', '--quiet'], cwd=folder, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f'{name} ended with {process.returncode}')
    with open(os.path.join(folder, 'out'), encoding='utf-8') as out:
        written = int(out.read())
    print(f'{name}: {written} bytes written, {usage.ru_maxrss} KiB at most, {time.monotonic() - started:.0f} s', flush=True)
    if usage.ru_maxrss >= LIMIT_KIB:
        sys.exit(f'{name} took more than {LIMIT_KIB} KiB')
    shutil.rmtree(os.path.join(folder, name + '.db.blobs'), ignore_errors=True)
    return written


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('nebula')
    parser.add_argument('--gigabytes', type=int, default=10)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix='nebula-large-')
    try:
        room = shutil.disk_usage(folder).free
        size = min(options.gigabytes, room // (4 * GIB))
        if size < 1:
            print('skipped: less than 4 GiB of disk are free')
            sys.exit(77)
        if size < options.gigabytes:
            print(f'only {size} GiB instead of {options.gigabytes}: {room // GIB} GiB of disk are free')
        large, small, copy = (os.path.join(folder, name) for name in ('large', 'small', 'copy'))
        digest = make(large, size * GIB // BLOCK)
        written = run(os.path.abspath(options.nebula), folder, 'compress', 'large', 'small')
        if written != os.path.getsize(small) or written > size * GIB * 6 // 10:
            sys.exit('the file did not become smaller')
        os.unlink(large)
        written = run(os.path.abspath(options.nebula), folder, 'decompress', 'small', 'copy', f', max-size: {size}GiB')
        if written != size * GIB or digest_of(copy) != digest:
            sys.exit('the copy differs')
        print('1 passed, 0 failed')
    finally:
        shutil.rmtree(folder)


if __name__ == '__main__':
    main()
