# SPDX-License-Identifier: LGPL-2.1-or-later
"""A C file as the rules see it: text without comments and strings, functions, statements.

This is a scanner, not a parser: it knows comments, strings, preprocessor lines, brackets and statements, which is
enough for the rules and never needs a compiler.
"""

import re
from bisect import bisect_right

WORD = re.compile(r'[A-Za-z_]\w*')
CONTROL = ('if', 'for', 'while', 'switch', 'do')


def blank(match):
    """The same number of characters and lines, without content."""
    return re.sub(r'[^\n]', ' ', match.group(0))


TOKENS = re.compile(
    r'''(?P<comment>/\*.*?\*/|//[^\n]*)'''
    r'''|(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')''',
    re.DOTALL)


def strip_comments(text):
    return TOKENS.sub(lambda m: blank(m) if m.group('comment') else m.group(0), text)


def strip_strings(text):
    """Contents of strings become blanks, the quotes stay; comments must be gone."""
    def quiet(match):
        word = match.group(0)
        return word[0] + re.sub(r'[^\n]', ' ', word[1:-1]) + word[-1]
    return TOKENS.sub(quiet, text)


def strip_preprocessor(text):
    return re.sub(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', blank, text, flags=re.MULTILINE)


class Function:
    def __init__(self, name, parameters, start, body_start, body_end, is_static):
        self.name = name
        self.parameters = parameters      # list of texts
        self.start = start                # offset of the name
        self.body_start = body_start      # offset after {
        self.body_end = body_end          # offset of }
        self.is_static = is_static


class Source:
    """One file. `path` is relative to the top of the tree, with slashes."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.split('\n')
        starts = [0]
        for line in self.lines:
            starts.append(starts[-1] + len(line) + 1)
        self._starts = starts
        self.no_comments = strip_comments(text)
        self.code = strip_preprocessor(strip_strings(self.no_comments))
        self._functions = None

    def line_of(self, offset):
        return bisect_right(self._starts, offset)

    def includes(self):
        """(line, name, is_system) of each #include."""
        for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]',
                                 self.no_comments, re.MULTILINE):
            yield self.line_of(match.start()), match.group(2), match.group(1) == '<'

    def functions(self):
        if self._functions is None:
            self._functions = list(self._find_functions())
        return self._functions

    def _find_functions(self):
        code = self.code
        position = 0
        while True:
            start = code.find('{', position)
            if start < 0:
                return
            end = match_bracket(code, start, '{', '}')
            head = code[:start].rstrip()
            if head.endswith(')'):
                function = self._read_head(head, start, end)
                if function:
                    yield function
            elif re.search(r'(extern\s*"\s*"|namespace\s*\w*)$', head):
                end = start            # look inside
            position = end + 1

    def _read_head(self, head, start, end):
        open_bracket = match_back(head, len(head) - 1)
        before = head[:open_bracket].rstrip()
        name = re.search(r'([A-Za-z_]\w*)$', before)
        if not name or name.group(1) in CONTROL:
            return None
        parameters = split_arguments(head[open_bracket + 1:-1])
        declaration = re.split(r'[;}]', before[:name.start()])[-1]
        return Function(name.group(1), parameters, name.start(), start + 1, end,
                        bool(re.search(r'\bstatic\b', declaration)))


def match_bracket(text, start, opening, closing):
    """Offset of the bracket that closes the one at start; the last offset if there is none."""
    depth = 0
    for match in re.compile('[%s%s]' % (re.escape(opening), re.escape(closing))).finditer(text, start):
        depth += 1 if match.group(0) == opening else -1
        if depth == 0:
            return match.start()
    return len(text) - 1


def match_back(text, end):
    """Offset of the ( that the ) at end closes."""
    depth = 0
    for offset in range(end, -1, -1):
        if text[offset] == ')':
            depth += 1
        elif text[offset] == '(':
            depth -= 1
            if depth == 0:
                return offset
    return 0


def split_arguments(text):
    parts = []
    depth = 0
    part = ''
    for letter in text:
        if letter == ',' and depth == 0:
            parts.append(part.strip())
            part = ''
            continue
        depth += letter in '([{'
        depth -= letter in ')]}'
        part += letter
    if part.strip() and (parts or part.strip() != 'void'):
        parts.append(part.strip())
    return parts


# ---- statements ------------------------------------------------------------------------------------------------

class Statement:
    """kind: a control word, `block`, `label`, `simple`; children: the statements inside."""

    def __init__(self, kind, start, text='', children=()):
        self.kind = kind
        self.start = start
        self.text = text
        self.children = list(children)
        self.is_chained = False           # the if of an else if


class StatementReader:
    """Reads the body of a function into statements."""

    def __init__(self, code, start, end):
        self.code = code
        self.position = start
        self.end = end

    def skip_space(self):
        while self.position < self.end and self.code[self.position].isspace():
            self.position += 1

    def word(self):
        match = WORD.match(self.code, self.position, self.end)
        return match.group(0) if match else ''

    def read_all(self):
        statements = []
        self.skip_space()
        while self.position < self.end and self.code[self.position] != '}':
            statements.append(self.read())
            self.skip_space()
        return statements

    def read(self):
        self.skip_space()
        start = self.position
        if self.position < self.end and self.code[self.position] == '{':
            return self.read_block()
        word = self.word()
        if word in ('if', 'for', 'while', 'switch'):
            return self.read_control(word)
        if word == 'do':
            self.position += 2
            inner = self.read()
            self.read_simple()            # while (…);
            return Statement('do', start, children=[inner])
        if word in ('case', 'default'):
            return self.read_label()
        return self.read_simple()

    def read_block(self):
        start = self.position
        self.position += 1
        children = self.read_all()
        self.position += 1
        return Statement('block', start, children=children)

    def read_control(self, word):
        start = self.position
        self.position += len(word)
        self.skip_space()
        if self.position < self.end and self.code[self.position] == '(':
            self.position = match_bracket(self.code, self.position, '(', ')') + 1
        statement = Statement(word, start, children=[self.read()])
        if word == 'if':
            self.skip_space()
            if self.word() == 'else':
                self.position += 4
                other = self.read()
                other.is_chained = other.kind == 'if'
                statement.children.append(other)
        return statement

    def read_label(self):
        start = self.position
        depth = 0
        while self.position < self.end:
            letter = self.code[self.position]
            depth += letter in '([{'
            depth -= letter in ')]}'
            self.position += 1
            if letter == ':' and depth == 0:
                break
        return Statement('label', start, self.code[start:self.position])

    def read_simple(self):
        start = self.position
        depth = 0
        while self.position < self.end:
            letter = self.code[self.position]
            if letter == '}' and depth == 0:
                break
            depth += letter in '([{'
            depth -= letter in ')]}'
            self.position += 1
            if letter == ';' and depth == 0:
                break
        if self.position == start:        # a stray bracket: go on
            self.position += 1
        return Statement('simple', start, self.code[start:self.position].strip())


def read_statements(source, function):
    return StatementReader(source.code, function.body_start, function.body_end).read_all()
