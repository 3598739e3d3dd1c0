# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules about the tree: licence lines, READMEs, the list of files to translate, names of machines."""

import re

SPDX = 'SPDX-License-Identifier: LGPL-2.1-or-later'
SOURCES = ('.c', '.h', '.cc', '.py', '.js', '.vala', '.ts', '.tsx')
LICENSED = SOURCES + ('.sh', '/meson.build', '/meson_options.txt')
TRANSLATED = re.compile(r'\b(_|N_|C_|NC_|Q_|ngettext|g_dngettext|dgettext|g_dgettext|g_dpgettext2)\s*\(')
POTFILES = 'po/POTFILES.in'

# Pieces, so that this file does not find itself.
MACHINE = re.compile(r'(?<![\w./-])/(?:%s)/\w' % '|'.join(('wo' + 'rk', 'fa' + 'rm', 'ro' + 'ot', 'ho' + 'me',
                                                            'tmp/bash' + '_jobs', 'Us' + 'ers')))
HOSTS = re.compile(r'registry\.' + r'npmjs|deb\.' + r'debian\.org|ftp\.' + r'debian\.org|security\.' + r'debian\.org')


def check_licence(path, lines):
    if not ('/' + path).endswith(LICENSED) and path != 'dev':
        return
    first = lines[0] if lines else ''
    if first.startswith('#!') and len(lines) > 1:
        first = lines[1]
    if path.endswith(('.c', '.h', '.cc')):
        good = first == '/* %s */' % SPDX
    else:
        good = SPDX in first
    if lines == ['']:
        return
    if not good:
        yield 1, 'licence', 'the first line must be the SPDX line'


def check_names(path, lines):
    for number, line in enumerate(lines, 1):
        match = MACHINE.search(line) or HOSTS.search(line)
        if match:
            yield number, 'names', '%s names a machine or a registry' % match.group(0)


def check_readmes(tree):
    """A README.md in every folder with sources; tests/core/README.md and sdk/README.md speak for those below."""
    folders = {path.rsplit('/', 1)[0] for path in tree.paths if path.endswith(SOURCES) and '/' in path}
    folders.discard('sdk/nebula')
    for folder in sorted(folders):
        if folder + '/README.md' in tree.paths or folder.startswith('tests/core/'):
            continue
        yield folder, 1, 'readme', 'the folder has sources and no README.md'


def list_translated(tree, sources):
    """Files with texts to translate. A module with a po folder of its own looks after itself."""
    for source in sources:
        parts = source.path.split('/')
        if parts[0] not in ('core', 'programs', 'modules', 'sdk') or not source.path.endswith(('.c', '.py', '.js')):
            continue
        if parts[0] == 'modules' and '/'.join(parts[:2]) + '/po/POTFILES.in' in tree.paths:
            continue
        if any(part in ('tests', 'templates') for part in parts):
            continue
        if TRANSLATED.search(source.code):
            yield source.path
    yield from (path for path in tree.paths if path.startswith('data/') and path.endswith('.gschema.xml'))


def check_potfiles(tree, sources):
    text = tree.read(POTFILES)
    if text is None:
        yield POTFILES, 1, 'potfiles', 'the file is missing'
        return
    lines = text.split('\n')
    listed = [line for line in lines if line and not line.startswith('#')]
    wanted = set(list_translated(tree, sources))
    for path in sorted(wanted - set(listed)):
        yield POTFILES, 1, 'potfiles', '%s has texts to translate and is not listed (./dev symbols)' % path
    for number, line in enumerate(lines, 1):
        if line and not line.startswith('#') and line not in wanted:
            yield POTFILES, number, 'potfiles', '%s is not there or has nothing to translate (./dev symbols)' % line
    if listed != sorted(set(listed)):
        yield POTFILES, 1, 'potfiles', 'the list is not sorted'
