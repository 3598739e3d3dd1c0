# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules about headers and layers: who includes whom, what the public interface must have."""

import re

from source import match_bracket

USES = re.compile(r'^uses\s*=\s*\[(.*?)\]', re.MULTILINE | re.DOTALL)
ORDER = re.compile(r'^nebula_order\s*=\s*\[(.*?)\]', re.MULTILINE | re.DOTALL)
STRINGS = re.compile(r"'([^']*)'")
PRIVATE = ('-private.h', '-internal.h')


def is_public_header(path):
    return path.startswith(('core/', 'sdk/')) and path.endswith('.h') and not path.endswith(PRIVATE)


class Layers:
    """The subsystems of core/, what each may use, and where each header lives."""

    def __init__(self, tree):
        self.uses = {}
        self.homes = {}
        match = ORDER.search(tree.read('core/meson.build') or '')
        self.order = STRINGS.findall(match.group(1)) if match else []
        for path in tree.paths:
            parts = path.split('/')
            if len(parts) == 3 and parts[0] == 'core' and parts[2] == 'meson.build':
                match = USES.search(tree.read(path))
                self.uses[parts[1]] = STRINGS.findall(match.group(1)) if match else []
            if path.startswith('core/') and path.endswith('.h'):
                self.homes.setdefault(parts[-1], parts[1])

    def find_home(self, header):
        if header in self.homes:
            return self.homes[header]
        generated = re.match(r'nebula-(.*)-enums\.h$', header)
        return generated.group(1) if generated and generated.group(1) in self.uses else None


def check_includes(source, layers):
    parts = source.path.split('/')
    if not source.path.endswith(('.c', '.h', '.cc')):
        return
    for line, name, is_system in source.includes():
        header = name.split('/')[-1]
        if parts[0] == 'core' and len(parts) >= 3:
            problem = judge_core_include(parts[1], source.path, header, is_system, layers)
        else:
            problem = judge_outer_include(parts, header, layers)
        if problem:
            yield line, 'layers', problem


def judge_core_include(folder, path, header, is_system, layers):
    if is_system and header.startswith('nebula-') and folder in layers.order:
        return 'include "%s" with quotes' % header
    home = layers.find_home(header)
    if is_public_header(path) and header.endswith(PRIVATE):
        return 'a public header includes %s' % header
    if home is None:
        return 'there is no %s in core/' % header if header.startswith('nebula-') else None
    if home == folder:
        return None
    if folder in layers.order and home not in layers.uses.get(folder, ()):
        return 'core/%s includes %s of core/%s, which is not in its `uses`' % (folder, header, home)
    if header.endswith('-private.h'):
        return '%s is private to core/%s' % (header, home)
    return None


def judge_outer_include(parts, header, layers):
    if parts[0] == 'tests' and parts[1] in ('core', 'simulation', 'robustness', 'fuzz', 'bench', 'support'):
        return None
    if parts[0] == 'modules' and header in layers.homes:
        return 'a module includes <nebula/nebula-sdk.h>, not %s' % header
    if header.startswith('nebula-') and header.endswith('-internal.h'):
        return '%s is internal to core/' % header
    if header in layers.homes and header.endswith('-private.h'):
        return '%s is private to core/%s' % (header, layers.homes[header])
    return None


def check_enums(source):
    if not is_public_header(source.path):
        return
    for match in re.finditer(r'\btypedef\s+enum\b([^{;]*)\{', source.code):
        if '\n' not in source.code[match.start():match.end() - 1]:
            yield source.line_of(match.start()), 'enum', \
                'put { on its own line; glib-mkenums skips the type otherwise'


# ---- the public interface --------------------------------------------------------------------------------------

DECLARE = re.compile(r'\bG_DECLARE_(FINAL_TYPE|DERIVABLE_TYPE|INTERFACE)\s*\(\s*(\w+)\s*,\s*(\w+)')
API_FUNCTION = re.compile(r'\bNEBULA_API\s+(?!G_DECLARE)([^;{}]*?)\b(\w+)\s*\(', re.DOTALL)
TYPE_NAME = re.compile(r'\btypedef\s+(?:struct|union|enum)\b[^;{]*?(?:\{[^{}]*\}\s*)?(\w+)\s*;', re.DOTALL)
FUNCTION_TYPE = re.compile(r'\btypedef\s+[^;{}()]*\(\s*\*\s*(\w+)\s*\)\s*\(')


def list_blocks(text):
    """name → text of each gtk-doc block."""
    blocks = {}
    for match in re.finditer(r'/\*\*\s*\n\s*\*\s*(?:SECTION:)?([A-Za-z_]\w*)\s*:[^\n]*\n(.*?)\*/', text, re.DOTALL):
        blocks[match.group(1)] = match.group(0)
    return blocks


class Documents:
    """All gtk-doc blocks of one folder."""

    def __init__(self, sources):
        self.blocks = {}
        self.folders = {}
        for source in sources:
            if source.path.startswith(('core/', 'sdk/')) and source.path.endswith(('.c', '.h')):
                folder = source.path.rsplit('/', 1)[0]
                kind = source.path.rsplit('.', 1)[1]
                for name, text in list_blocks(source.text).items():
                    self.folders.setdefault((folder, name), {})[kind] = text

    def find(self, folder, name, kinds=('c', 'h')):
        found = self.folders.get((folder, name), {})
        for kind in kinds:
            if kind in found:
                return found[kind]
        return None


def list_public_functions(source):
    """(offset, name) of each function that a public header exports, without _get_type ()."""
    for match in API_FUNCTION.finditer(source.code):
        name = match.group(2)
        if name.startswith('nebula_') and not name.endswith('_get_type'):
            yield match.start(2), name


def check_documented(source, documents):
    if not is_public_header(source.path) or not source.path.startswith('core/'):
        return
    folder = source.path.rsplit('/', 1)[0]
    for offset, name in list_public_functions(source):
        block = documents.find(folder, name, ('c',))
        if block is None:
            yield source.line_of(offset), 'documented', '%s () has no gtk-doc comment in a .c of %s' % (name, folder)
        elif 'Since:' not in block:
            yield source.line_of(offset), 'documented', 'the comment of %s () has no Since: line' % name
    for offset, name, is_boxed in list_public_types(source):
        block = documents.find(folder, name)
        if block is None:
            yield source.line_of(offset), 'documented', '%s has no gtk-doc comment' % name
        elif is_boxed and 'Thread:' not in block:
            yield source.line_of(offset), 'documented', 'the comment of %s has no Thread: line' % name


def list_public_types(source):
    """(offset, name, is a boxed type). Objects belong to the context of their owner; boxed types must say."""
    for match in DECLARE.finditer(source.code):
        yield match.start(2), match.group(2), False
    boxed = set(re.findall(r'\b(nebula_\w+)_get_type\s*\(', source.code))
    for match in list(TYPE_NAME.finditer(source.code)) + list(FUNCTION_TYPE.finditer(source.code)):
        name = match.group(1)
        snake = re.sub(r'(?<=[a-z0-9])(?=[A-Z])', '_', name).lower()
        if name.startswith('Nebula') and not name.endswith(('Class', 'Interface', 'Private')):
            is_home = re.search(r'/\*\*\s*\n\s*\*\s*%s:' % name, source.text)
            if is_home or not re.search(r'typedef\s+struct\s+_%s\b' % name, source.code):
                yield match.start(1), name, snake in boxed
            elif snake in boxed:
                yield match.start(1), name, True


def check_reserved(source):
    """Class structures of derivable types and interfaces leave room to grow."""
    if not is_public_header(source.path):
        return
    for match in DECLARE.finditer(source.code):
        suffix = {'DERIVABLE_TYPE': 'Class', 'INTERFACE': 'Interface'}.get(match.group(1))
        if not suffix:
            continue
        head = re.search(r'\bstruct\s+_%s%s\s*\{' % (match.group(2), suffix), source.code)
        if not head:
            yield source.line_of(match.start()), 'reserved', 'there is no struct _%s%s' % (match.group(2), suffix)
            continue
        body = source.code[head.end():match_bracket(source.code, head.end() - 1, '{', '}')]
        if not re.search(r'\bgpointer\s+_reserved\s*\[\s*8\s*\]\s*;\s*$', body.rstrip()):
            yield source.line_of(head.start()), 'reserved', \
                '%s%s must end in gpointer _reserved[8]' % (match.group(2), suffix)
