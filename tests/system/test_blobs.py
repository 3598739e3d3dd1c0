# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is larger than memory: files through blobs, long loops in the store."""

import hashlib
import os
import subprocess

import world

COPY = """
nebula: 1
name: copy
nodes:
  read: { action: file.read, with: { path: large.bin, as: blob } }
  write: { action: file.write, with: { path: copy.bin, content: "{{ $nodes.read.result }}" }, after: [read] }
output: "{{ $nodes.write.result.written }}"
"""
COMPRESS = """
nebula: 1
name: compress
nodes:
  read: { action: file.read, with: { path: large.bin, as: blob } }
  compress: { action: file.compress, with: { content: "{{ $nodes.read.result }}" }, after: [read] }
  write: { action: file.write, with: { path: large.zst, content: "{{ $nodes.compress.result }}" }, after: [compress] }
output: "{{ $nodes.write.result.written }}"
"""
DECOMPRESS = """
nebula: 1
name: decompress
nodes:
  read: { action: file.read, with: { path: large.zst, as: blob } }
  decompress: { action: file.decompress, with: { content: "{{ $nodes.read.result }}" }, after: [read] }
  write: { action: file.write, with: { path: copy.bin, content: "{{ $nodes.decompress.result }}" }, after: [decompress] }
output: "{{ $nodes.write.result.written }}"
"""
BLOCK = 1 << 20


class Blobs(world.Case):
    def run_measured(self, *arguments):
        """The output and the peak of memory in KiB."""
        with open(self.path('out.txt'), 'w', encoding='utf-8') as out:
            process = subprocess.Popen([world.PROGRAM, *arguments], cwd=self.folder, env=self.environment, stdout=out)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        with open(self.path('out.txt'), encoding='utf-8') as file:
            return file.read(), usage.ru_maxrss

    def make(self, n_blocks):
        digest = hashlib.sha256()
        with open(self.path('large.bin'), 'wb') as file:
            for i in range(n_blocks):
                block = hashlib.sha256(i.to_bytes(8, 'little')).digest() * (BLOCK // 32)
                digest.update(block)
                file.write(block)
        return digest.hexdigest()

    def digest_of(self, name):
        digest = hashlib.sha256()
        with open(self.path(name), 'rb') as file:
            while block := file.read(BLOCK):
                digest.update(block)
        return digest.hexdigest()

    def test_256_megabytes_in_64(self):
        self.write('copy.yaml', COPY)
        self.write('quick.yaml', world.QUICK)
        _, start = self.run_measured('run', 'quick.yaml', '--store', 'quick.db', '--quiet')
        digest = self.make(256)
        output, peak = self.run_measured('run', 'copy.yaml', '--store', 's.db', '--quiet')
        self.assertEqual(int(output), 256 * BLOCK)
        self.assertEqual(self.digest_of('copy.bin'), digest)
        self.assertEqual(os.listdir(self.path('s.db.blobs')), [digest])
        self.assertLess(peak, start + 64 * 1024)

    def test_256_megabytes_are_compressed_in_64(self):
        """The whole process, with all its libraries, never holds 64 MiB."""
        self.write('compress.yaml', COMPRESS)
        self.write('decompress.yaml', DECOMPRESS)
        digest = self.make(256)
        output, peak = self.run_measured('run', 'compress.yaml', '--store', 's.db', '--quiet')
        self.assertEqual(int(output), os.path.getsize(self.path('large.zst')))
        self.assertLess(peak, 64 * 1024)
        os.unlink(self.path('large.bin'))
        output, peak = self.run_measured('run', 'decompress.yaml', '--store', 't.db', '--quiet')
        self.assertEqual(int(output), 256 * BLOCK)
        self.assertEqual(self.digest_of('copy.bin'), digest)
        self.assertLess(peak, 64 * 1024)

    def test_a_long_loop_can_be_looked_into(self):
        self.write('loop.yaml', world.LOOP.replace('range (0, 20)', 'range (0, 3000)'))
        self.expect(0, 'run', 'loop.yaml', '--store', 's.db', '--json')
        run = self.expect(0, 'execution', 'list', '--store', 's.db', '--json').json()['items'][0]
        shown = self.expect(0, 'execution', 'show', run['execution'], '--store', 's.db', '--json', '--node',
                            'each[734].price').json()
        self.assertEqual(shown['result'], {'total': 1468})
        whole = self.expect(0, 'execution', 'show', run['execution'], '--store', 's.db', '--json').json()
        self.assertEqual(len(whole['output']), 3000)
        self.assertEqual(whole['nodes']['each']['result'][2999], {'total': 5998})


if __name__ == '__main__':
    world.main()
