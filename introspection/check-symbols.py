# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares what the library exports with what it should: check-symbols.py [--write] TOP LIBRARY

`nebula-1.symbols` is the reviewed list: a symbol that comes or goes is a diff in review. Besides, every function that
a public header declares must be exported, and nothing may be exported that no header declares. With --write the list
is written anew.
"""

import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
LIST = os.path.join(HERE, 'nebula-1.symbols')
sys.path.insert(0, os.path.join(HERE, '..', 'tests', 'lint'))

import lint  # noqa: E402
import rules_headers  # noqa: E402
from source import Source  # noqa: E402


def list_exported(library):
    output = subprocess.run(['nm', '-D', '--defined-only', '--format=posix', library],
                            check=True, capture_output=True, text=True).stdout
    return {line.split()[0].split('@')[0] for line in output.splitlines()}


def list_declared(top):
    """Functions of the public headers, with the _get_type () that the declaring macros bring."""
    tree = lint.Tree(top)
    names = set()
    for path in tree.paths:
        if not path.startswith('core/') or not rules_headers.is_public_header(path):
            continue
        source = Source(path, tree.read(path))
        names |= {match.group(2) for match in rules_headers.API_FUNCTION.finditer(source.code)}
        names |= {match.group(3) + '_get_type' for match in rules_headers.DECLARE.finditer(source.code)}
        for match in re.finditer(r'typedef\s+enum[^{;]*\{[^}]*\}\s*(\w+)\s*;', source.code):
            names.add(re.sub(r'(?<=[a-z0-9])(?=[A-Z])', '_', match.group(1)).lower() + '_get_type')
    return names


def read_list():
    try:
        with open(LIST, encoding='utf-8') as file:
            return {line.strip() for line in file if line.strip() and not line.startswith('#')}
    except OSError:
        return set()


def write_list(exported):
    with open(LIST, 'w', encoding='utf-8') as file:
        file.write('# What libnebula-1.so exports, sorted; `./dev symbols` writes this list.\n')
        file.writelines(name + '\n' for name in sorted(exported))


def report(names, message):
    for name in sorted(names):
        print('%s: %s' % (name, message))
    return len(names)


def main(arguments):
    top, library = arguments[-2:]
    exported = list_exported(library)
    if '--write' in arguments:
        write_list(exported)
        return 0
    declared = list_declared(top)
    listed = read_list()
    bad = (report(declared - exported, 'declared in a public header, but not exported: it has no definition')
           + report(exported - declared, 'exported, but no public header declares it')
           + report(exported - listed, 'new; if it is meant to be public, run ./dev symbols')
           + report(listed - exported, 'gone; users would break. If that is meant, run ./dev symbols'))
    print('%d passed, %d failed' % (len(exported & declared & listed), bad))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
