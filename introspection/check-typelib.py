# SPDX-License-Identifier: LGPL-2.1-or-later
"""Walks the typelib as Python and JavaScript see it: check-typelib.py TOP GIR [GJS]

Every function that a public header declares must be there and resolve to something callable, or stand in
`skipped.txt` with the reason why a binding cannot use it. An entry that no function needs is a fault. The overrides
are left out: this is about the library.
"""

import fnmatch
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'tests', 'lint'))

import lint  # noqa: E402
import rules_headers  # noqa: E402
from source import Source  # noqa: E402

CORE = '{http://www.gtk.org/introspection/core/1.0}'
C = '{http://www.gtk.org/introspection/c/1.0}'
CALLABLE = (CORE + 'function', CORE + 'method', CORE + 'constructor')


def list_declared(top):
    tree = lint.Tree(top)
    for path in sorted(tree.paths):
        if path.startswith('core/') and rules_headers.is_public_header(path):
            for _offset, name in rules_headers.list_public_functions(Source(path, tree.read(path))):
                yield name


def read_skipped():
    """[(pattern, reason)]"""
    entries = []
    with open(os.path.join(HERE, 'skipped.txt'), encoding='utf-8') as file:
        for line in file:
            line = line.strip()
            if line and not line.startswith('#'):
                pattern, _colon, reason = line.partition(':')
                if not reason.strip():
                    sys.exit('skipped.txt: %s has no reason' % pattern)
                entries.append((pattern.strip(), reason.strip()))
    return entries


def list_introspected(gir):
    """C name → (container or None, name in it) of each function that bindings see."""
    found = {}
    namespace = ElementTree.parse(gir).getroot().find(CORE + 'namespace')
    containers = [(None, namespace)] + [(node.get('name'), node) for node in namespace
                                        if node.tag not in CALLABLE]
    for container, node in containers:
        for function in node:
            if function.tag not in CALLABLE or function.get('introspectable') == '0':
                continue
            if function.get('moved-to') or function.get('shadowed-by'):
                continue
            name = function.get('shadows') or function.get('name')
            found[function.get(C + 'identifier')] = (container, name, function.tag)
    return found


def resolve(module, container, name):
    """Why Python cannot use it; None if it can."""
    try:
        owner = getattr(module, container) if container else module
    except AttributeError as error:
        return 'there is no %s (%s)' % (container, error)
    for candidate in (name, name + '_'):        # a word of the language gets an underscore
        try:
            if callable(getattr(owner, candidate)):
                return None
        except AttributeError:
            continue
        except Exception as error:              # what PyGObject raises for a broken signature
            return '%s: %s' % (type(error).__name__, error)
    return 'there is no callable %s' % name


def resolve_in_gjs(gjs, functions):
    """What JavaScript cannot use: a list of messages."""
    wanted = [[name, container, member, tag[len(CORE):]] for name, (container, member, tag) in sorted(functions.items())]
    done = subprocess.run([gjs, os.path.join(HERE, 'check-typelib.js')], input=json.dumps(wanted), text=True,
                          capture_output=True, timeout=120)
    lines = done.stdout.splitlines()
    if done.returncode or not lines or lines[-1] != '%d seen' % len(wanted):
        lines.append('check-typelib.js broke off: %s' % done.stderr.strip())
    return [line for line in lines if line != '%d seen' % len(wanted)]


def main(top, gir, gjs=None):
    try:
        import gi
    except ImportError:
        print('skipped: PyGObject (python3-gi) is not installed')
        return 77
    gi.require_version('Nebula', '1.0')
    from gi.repository import Nebula

    introspected = list_introspected(gir)
    skipped = read_skipped()
    needed = set()
    passed = 0
    problems = []
    for name in list_declared(top):
        matching = [entry for entry in skipped if fnmatch.fnmatchcase(name, entry[0])]
        if name not in introspected:
            needed.update(matching)
            if matching:
                passed += 1
            else:
                problems.append('%s: bindings do not see it, and skipped.txt gives no reason' % name)
            continue
        if [entry for entry in matching if '*' not in entry[0]]:
            problems.append('%s: bindings see it, yet it stands in skipped.txt' % name)
            continue
        container, member, _tag = introspected[name]
        problem = resolve(Nebula, container, member)
        if problem:
            problems.append('%s: %s' % (name, problem))
        else:
            passed += 1
    problems += ['skipped.txt: nothing needs %s' % entry[0] for entry in skipped if entry not in needed
                 and not any('%s:' % entry[0] in problem for problem in problems)]
    if gjs:
        public = set(list_declared(top))
        found = resolve_in_gjs(gjs, {name: entry for name, entry in introspected.items() if name in public})
        problems += ['JavaScript: ' + line for line in found]
    else:
        print('gjs is not installed: JavaScript is not checked')
    for problem in problems:
        print(problem)
    print('%d passed, %d failed' % (passed, len(problems)))
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
