# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs what the documentation shows: test_docs.py TOP HOST MODULE [PROGRAM]

HOST is nebula-host, MODULE the module of docs/writing-a-module.md, PROGRAM the command line; what needs a program
that this build does not have is skipped.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from extract import extract  # noqa: E402

TOP = HOST = MODULE = PROGRAM = ''


def run_workflow(page, name, *arguments):
    """The result of a workflow that a page shows."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(extract(os.path.join(TOP, page), name))
        environment = dict(os.environ, XDG_CACHE_HOME=folder, XDG_DATA_HOME=folder, NEBULA_HOST=HOST)
        # The module of the page lies in a folder of its own, beside those that ship.
        environment['NEBULA_MODULE_PATH'] = os.path.dirname(MODULE) + ':' + environment.get('NEBULA_MODULE_PATH', '')
        done = subprocess.run([PROGRAM, 'run', path, '--json', *arguments], env=environment, capture_output=True,
                              text=True, timeout=60)
    if done.returncode:
        raise AssertionError('exit %d\n%s%s' % (done.returncode, done.stdout, done.stderr))
    return json.loads(done.stdout)


class DocsTest(unittest.TestCase):
    def need_program(self):
        if not PROGRAM:
            self.skipTest('this build has no command line')

    def test_module_is_described(self):
        done = subprocess.run([HOST, '--probe', MODULE], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        catalogue = json.loads(done.stdout)
        text = json.dumps(catalogue, ensure_ascii=False)
        for words in ('greet.hello', 'Say hello', 'Who is greeted.', '"pure"'):
            self.assertIn(words, text)

    def test_module_runs(self):
        self.need_program()
        report = run_workflow('docs/writing-a-module.md', 'greet.yaml')
        self.assertEqual(report['output'], ['Hello, world!', 'Hello, world!'])
        report = run_workflow('docs/writing-a-module.md', 'greet.yaml', '--input', '{"name": "Ada"}')
        self.assertEqual(report['output'], ['Hello, Ada!', 'Hello, Ada!'])

    def test_readme_runs(self):
        self.need_program()
        report = run_workflow('README.md', 'hello.yaml')
        with open(os.path.join(TOP, 'README.md'), encoding='utf-8') as file:
            shown = re.search(r'^\./dev run hello\.yaml +# (.*)$', file.read(), re.MULTILINE).group(1)
        self.assertEqual(report['output'], json.loads(shown))

    def test_links_lead_somewhere(self):
        pages = ['README.md', 'CONTRIBUTING.md', 'NEWS.md']
        pages += ['docs/' + name for name in sorted(os.listdir(os.path.join(TOP, 'docs'))) if name.endswith('.md')]
        for page in pages:
            with open(os.path.join(TOP, page), encoding='utf-8') as file:
                text = file.read()
            for link in re.findall(r'(?<!`)\[[^\]\n]*\]\(([^)#\s]+)[^)]*\)', text):
                if urllib.parse.urlparse(link).scheme:
                    continue
                target = os.path.join(TOP, os.path.dirname(page), link)
                if link.endswith('.html'):                # a page of the reference
                    target = target[:-len('html')] + 'md'
                self.assertTrue(os.path.exists(target), '%s: %s leads nowhere' % (page, link))

    def test_pictures_are_made_from_their_source(self):
        folder = os.path.join(TOP, 'docs', 'images')
        for name in os.listdir(folder):
            if not name.endswith('.dot'):
                continue
            with open(os.path.join(folder, name), encoding='utf-8') as file:
                source = file.read()
            with open(os.path.join(folder, name[:-3] + 'svg'), encoding='utf-8') as file:
                picture = file.read()
            picture = picture.replace('&#45;', '-').replace('&gt;', '>').replace('\xa0', ' ')
            for label in re.findall(r'label="([^"]*)"', source):
                for line in label.split('\\n'):
                    self.assertIn(line.strip(), picture, '%s is older than its source; run ./dev pictures' % name)


def main():
    global TOP, HOST, MODULE, PROGRAM
    TOP, HOST, MODULE, PROGRAM = [name and os.path.abspath(name) for name in (sys.argv[1:] + [''])[:4]]
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(DocsTest)
    result = unittest.TextTestRunner(stream=sys.stderr, verbosity=2).run(suite)
    bad = len(result.failures) + len(result.errors)
    skipped = len(result.skipped)
    print('%d passed, %d failed, %d skipped' % (result.testsRun - bad - skipped, bad, skipped))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
