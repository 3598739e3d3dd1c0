# SPDX-License-Identifier: LGPL-2.1-or-later
"""The house linter: lint.py [--write-potfiles] TOP

Checks the rules of the house on every file of the tree and reports `file:line: message [rule]`. The last line is
`N passed, N failed`, where N counts files. Exit code 1 if anything is wrong.
"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import exceptions  # noqa: E402
import rules_code  # noqa: E402
import rules_headers  # noqa: E402
import rules_tree  # noqa: E402
from source import Source  # noqa: E402

C_FILES = ('.c', '.h', '.cc')
SCRIPTS = ('.py', '.js')
BINARY = ('.png', '.gz', '.ico', '.mo', '.woff2', '.db', '.sqlite', '.pdf')


class Tree:
    """The files of a checkout: those that git knows or would add, else all but build folders."""

    def __init__(self, top):
        self.top = top
        self.paths = set(self._list())
        self._texts = {}

    def _list(self):
        try:
            output = subprocess.run(
                ['git', '-C', self.top, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
                check=True, capture_output=True).stdout.decode()
            names = [name for name in output.split('\0') if name]
        except (OSError, subprocess.CalledProcessError):
            names = list(self._walk())
        return [name for name in names if os.path.isfile(os.path.join(self.top, name))]

    def _walk(self):
        for folder, folders, files in os.walk(self.top):
            folders[:] = [name for name in folders
                          if not name.startswith(('build', '.git', '__pycache__', 'node_modules'))]
            for name in files:
                yield os.path.relpath(os.path.join(folder, name), self.top)

    def read(self, path):
        if path not in self.paths:
            return None
        if path not in self._texts:
            with open(os.path.join(self.top, path), encoding='utf-8', errors='replace') as file:
                self._texts[path] = file.read()
        return self._texts[path]


def check_tree(tree):
    """Yields (path, line, rule, message)."""
    sources = [Source(path, tree.read(path)) for path in sorted(tree.paths) if path.endswith(C_FILES + SCRIPTS)]
    layers = rules_headers.Layers(tree)
    documents = rules_headers.Documents(sources)
    for source in sources:
        yield from in_file(source.path, check_source(source, layers, documents))
    for path in sorted(tree.paths):
        if path.endswith(BINARY):
            continue
        lines = tree.read(path).split('\n')
        yield from in_file(path, rules_tree.check_licence(path, lines))
        yield from in_file(path, rules_tree.check_names(path, lines))
    yield from rules_tree.check_readmes(tree)
    yield from rules_tree.check_potfiles(tree, sources)


def check_source(source, layers, documents):
    if source.path.endswith(C_FILES):
        for rule in rules_code.RULES:
            yield from rule(source)
        yield from rules_code.check_calls(source, layers)
        yield from rules_headers.check_includes(source, layers)
        yield from rules_headers.check_enums(source)
        yield from rules_headers.check_documented(source, documents)
        yield from rules_headers.check_reserved(source)
    else:
        yield from rules_code.check_size(source)
        yield from rules_code.check_text(source)


def in_file(path, problems):
    for line, rule, message in problems:
        yield path, line, rule, message


def is_excepted(problem, used):
    path, _line, rule, message = problem
    for entry in exceptions.EXCEPTIONS:
        where, what, text, _reason = entry
        if what == rule and text in message and (path == where or where.endswith('/') and path.startswith(where)):
            used.add(entry)
            return True
    return False


def write_potfiles(tree):
    sources = [Source(path, tree.read(path)) for path in sorted(tree.paths) if path.endswith(C_FILES + SCRIPTS)]
    head = '# Files with texts to translate, sorted; `./dev symbols` writes this list.\n'
    with open(os.path.join(tree.top, rules_tree.POTFILES), 'w', encoding='utf-8') as file:
        file.write(head + ''.join(path + '\n' for path in sorted(rules_tree.list_translated(tree, sources))))


def main(arguments):
    tree = Tree(os.path.abspath(arguments[-1] if arguments else '.'))
    if '--write-potfiles' in arguments:
        write_potfiles(tree)
        return 0
    used = set()
    problems = [problem for problem in check_tree(tree) if not is_excepted(problem, used)]
    problems += [('tests/lint/exceptions.py', 1, 'exceptions', 'nothing needs %r any more' % (entry[:3],))
                 for entry in exceptions.EXCEPTIONS if entry not in used]
    for path, line, rule, message in sorted(problems):
        print('%s:%d: %s [%s]' % (path, line, message, rule))
    bad = len({problem[0] for problem in problems})
    print('%d passed, %d failed' % (max(len(tree.paths) - bad, 0), bad))
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
