# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules about the text of one C file: sizes, calls that are not made, errors."""

import re

from source import CONTROL, WORD, read_statements

FILE_LINES = 700
FUNCTION_LINES = 60
NESTING = 3
PARAMETERS = 7

# name → what to do instead
FORBIDDEN = {
    'goto': 'use g_autoptr and return',
    'setenv': 'the environment belongs to the process',
    'putenv': 'the environment belongs to the process',
    'g_setenv': 'the environment belongs to the process',
    'unsetenv': 'the environment belongs to the process',
    'strtod': 'it follows the locale; use g_ascii_strtod ()',
    'strtof': 'it follows the locale; use g_ascii_strtod ()',
    'atof': 'it follows the locale; use g_ascii_strtod ()',
    'atoi': 'it reports no errors; use g_ascii_string_to_signed ()',
    'atol': 'it reports no errors; use g_ascii_string_to_signed ()',
    'atoll': 'it reports no errors; use g_ascii_string_to_signed ()',
    'printf': 'use g_print () in programs, nothing in the library',
    'vprintf': 'use g_print () in programs, nothing in the library',
    'sprintf': 'use g_strdup_printf () or g_snprintf ()',
    'vsprintf': 'use g_strdup_vprintf ()',
    'strcpy': 'use g_strlcpy () or g_strdup ()',
    'strcat': 'use GString',
    'gets': 'it has no limit',
    'system': 'use GSubprocess',
    'popen': 'use GSubprocess',
    'g_error': 'it aborts; set a GError',
    'exit': 'only a program\'s main () ends the process, by returning',
    'abort': 'use g_assert_not_reached () for the impossible',
    'g_idle_add': 'it goes to the default context; attach a source to the owner\'s',
    'g_idle_add_full': 'it goes to the default context; attach a source to the owner\'s',
    'g_idle_add_once': 'it goes to the default context; attach a source to the owner\'s',
    'g_timeout_add': 'use the clock: nebula_clock_create_source ()',
    'g_timeout_add_full': 'use the clock: nebula_clock_create_source ()',
    'g_timeout_add_seconds': 'use the clock: nebula_clock_create_source ()',
    'g_task_run_in_thread': 'use NebulaExecutor',
    'g_task_run_in_thread_sync': 'use NebulaExecutor',
    'volatile': 'use g_atomic_*',
}

# Only these folders may: name → (folders, what to do elsewhere)
RESTRICTED = {
    'g_thread_new': (('core/base', 'core/host', 'core/log', 'core/storage', 'core/runtime'), 'hand off to NebulaExecutor'),
    'g_thread_try_new': (('core/base', 'core/host', 'core/log', 'core/storage', 'core/runtime'), 'hand off to NebulaExecutor'),
    'g_thread_pool_new': (('core/base', 'core/host', 'core/log', 'core/storage', 'core/runtime'), 'hand off to NebulaExecutor'),
    'g_thread_pool_new_full': (('core/base', 'core/host', 'core/log', 'core/storage', 'core/runtime'), 'hand off to NebulaExecutor'),
}

# The library logs at debug only, and never prints.
QUIET = ('g_print', 'g_printerr', 'g_message', 'g_info')

SLEEPS = re.compile(r'\b(g_usleep|usleep|sleep|nanosleep|sleep_for)\s*\(')

NOT_CALLS = {'volatile', 'goto'}


def is_product(path):
    return path.endswith(('.c', '.h')) and not path.startswith('tests/')


def is_library(path, layers):
    """In a subsystem of core/, not in a program that lives there."""
    parts = path.split('/')
    return parts[0] == 'core' and parts[1] in layers.order


def check_size(source):
    if len(source.lines) - 1 > FILE_LINES:
        yield FILE_LINES + 1, 'size', 'the file has %d lines; at most %d' % (len(source.lines) - 1, FILE_LINES)


def check_functions(source):
    if not source.path.endswith('.c'):
        return
    for function in source.functions():
        line = source.line_of(function.start)
        lines = source.line_of(function.body_end) - source.line_of(function.body_start - 1) - 1
        if lines > FUNCTION_LINES:
            yield line, 'function', '%s () has %d lines; at most %d' % (function.name, lines, FUNCTION_LINES)
        for offset in find_too_deep(read_statements(source, function), 0):
            yield source.line_of(offset), 'nesting', \
                '%s () nests deeper than %d; extract a function' % (function.name, NESTING)
        if len(function.parameters) > PARAMETERS and not has_given_shape(source, function):
            yield line, 'parameters', '%s () has %d parameters; at most %d' \
                % (function.name, len(function.parameters), PARAMETERS)


def find_too_deep(statements, depth):
    """Offsets of the first statements that are nested too deep."""
    for statement in statements:
        inner = depth
        if statement.kind in CONTROL and not statement.is_chained:
            inner = depth + 1
        if inner > NESTING:
            yield statement.start
        else:
            yield from find_too_deep(statement.children, inner)


def has_given_shape(source, function):
    """A vfunc, a callback or an async function does not choose its parameters."""
    if function.name.endswith(('_async', '_sync')):
        return True
    uses = re.finditer(r'\b%s\b(?!\s*\()' % re.escape(function.name), source.code)
    return function.is_static and any(True for use in uses)


def check_calls(source, layers):
    if not is_product(source.path):
        if source.path.startswith('tests/core/'):
            for match in SLEEPS.finditer(source.code):
                yield source.line_of(match.start()), 'calls', \
                    '%s () in a test; turn the loop or the manual clock instead' % match.group(1)
        return
    folder = '/'.join(source.path.split('/')[:2])
    for match in WORD.finditer(source.code):
        name = match.group(0)
        if name not in FORBIDDEN and name not in RESTRICTED and name not in QUIET:
            continue
        if name not in NOT_CALLS and not is_call(source.code, match):
            continue
        line = source.line_of(match.start())
        if name in FORBIDDEN:
            yield line, 'calls', '%s: %s' % (name, FORBIDDEN[name])
        elif name in RESTRICTED and folder not in RESTRICTED[name][0]:
            yield line, 'calls', '%s: %s' % (name, RESTRICTED[name][1])
        elif name in QUIET and is_library(source.path, layers):
            yield line, 'calls', '%s: the library logs at debug only' % name


def is_call(code, match):
    after = code[match.end():match.end() + 4].lstrip()
    before = code[max(0, match.start() - 2):match.start()].rstrip(' ')
    return after.startswith('(') and not before.endswith(('.', '>'))


# The caller's error only: an error of one's own may be judged further.
SETS_ERROR = re.compile(r'^(g_set_error|g_set_error_literal|g_propagate_error|g_propagate_prefixed_error)'
                        r'\s*\(\s*error\s*,')
ENDS = re.compile(r'^(return|break|continue)\b')
HARMLESS = 2                              # statements that may stand between an error and the return


def check_errors(source):
    if not source.path.endswith('.c') or source.path.startswith('tests/'):
        return
    for function in source.functions():
        for statement in find_lost_errors(read_statements(source, function)):
            yield source.line_of(statement.start), 'errors', \
                'the function goes on after it set an error; return'


def find_lost_errors(statements):
    for index, statement in enumerate(statements):
        following = statements[index + 1:]
        if sets_error(statement) and not ends_soon(following):
            yield statement
        elif statement.kind == 'block':
            yield from find_lost_errors(statement.children)
        elif statement.kind == 'if' and len(statement.children) == 1 and sets_error(statement.children[0]):
            yield from find_lost_errors([statement.children[0]] + following[:HARMLESS + 1])
        else:
            for child in statement.children:
                yield from find_lost_errors([child])


def sets_error(statement):
    return statement.kind == 'simple' and SETS_ERROR.match(statement.text) is not None


def ends_soon(following):
    for index, statement in enumerate(following):
        if statement.kind == 'label' or ENDS.match(statement.text):
            return True
        if statement.kind != 'simple' or index >= HARMLESS:
            return False
    return True


def check_text(source):
    for number, line in enumerate(source.lines, 1):
        if line.rstrip() != line:
            yield number, 'text', 'blanks at the end of the line'
        if '\t' in line:
            yield number, 'text', 'a tab; indent by spaces'


RULES = (check_size, check_functions, check_errors, check_text)
