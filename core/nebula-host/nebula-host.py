# SPDX-License-Identifier: LGPL-2.1-or-later
"""nebula-host.py --probe PATH --fd N | --serve PATH --fd N --channel N: hosts one module in Python.

Control always goes from here into the library: it is asked for work, the action runs, the answer is given back.
"""
import asyncio
import sys
import traceback
import types

import gi

gi.require_version('Nebula', '1.0')
from gi.repository import GLib, Nebula  # first: it brings the override
from gi.overrides.Nebula import ACTIONS, FUNCTIONS, finish


def load(host):
    module = types.ModuleType(host.get_module_id().replace('-', '_'))
    module.__file__ = host.get_path()
    sys.modules[module.__name__] = module
    exec(compile(host.read_module().get_data(), host.get_path(), 'exec'), module.__dict__)
    title = (module.__doc__ or '').strip().partition('\n')[0] or None
    host.describe_module(getattr(module, '__version__', None), title)
    for action in ACTIONS:
        host.add_action(action.__gtype__)
    for description, _ in FUNCTIONS.values():
        host.describe_function(Nebula.Value(description))


def describe(error):
    return ''.join(traceback.format_exception_only(type(error), error)).strip()


def return_exception(invocation, error):
    if isinstance(error, GLib.Error):
        invocation.return_error(error)
    elif isinstance(error, asyncio.CancelledError):
        invocation.return_failure('cancelled', 'The attempt was cancelled.', Nebula.RetryClass.CANCELLED)
    else:
        trace = ''.join(traceback.format_exception(type(error), error, error.__traceback__))
        invocation.return_failure('failed', describe(error), Nebula.RetryClass.TERMINAL,
                                  {'type': type(error).__name__, 'traceback': trace[-8192:]})


def perform(host, invocation):
    """Runs one attempt to its end, or to where its action answers later."""
    function = host.get_function(invocation)
    if function is not None:
        invocation.return_value(FUNCTIONS[function][1](*invocation.get_input().to_native()))
        return
    action = host.create_action(invocation)
    run = getattr(type(action), 'do_run', None)
    if run is None:
        type(action).do_invoke(action, invocation)
        return
    cancellable = invocation.get_cancellable()
    result = finish(getattr(run, '__wrapped__', run)(action, invocation, cancellable), cancellable)
    if isinstance(result, Nebula.Result):
        invocation.return_result(result)
    else:
        invocation.return_value(result)


def main():
    host = Nebula.Host.new(sys.argv[1:])
    try:
        load(host)
    except BaseException as error:      # SystemExit too: the module is at fault, whatever it raised
        host.fail(error.message if isinstance(error, GLib.Error) else 'does not load: ' + describe(error))
    while (invocation := host.next()) is not None:
        try:
            perform(host, invocation)
        except BaseException as error:  # what ends a thread must not end the host
            if not invocation.is_returned():
                return_exception(invocation, error)


main()
