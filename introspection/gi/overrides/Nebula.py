# SPDX-License-Identifier: LGPL-2.1-or-later
"""What makes Nebula natural in Python: native values, awaitables, context managers, actions as classes.

Values: None, bool, int, float, decimal.Decimal, str, bytes, list or tuple, dict, datetime.date, .time, .datetime (with
a time zone) and .timedelta stand for the kinds of Nebula.Value; an int beyond 64 bits becomes a decimal. Everything
that takes a value takes a native one too. docs/bindings.md tells it with examples.
"""

import datetime
import decimal
import functools
import inspect
import json
import math
import re
import traceback

from gi.module import get_introspection_module
from gi.overrides import override
from gi.repository import GLib, GObject

Nebula = get_introspection_module('Nebula')

__all__ = ['action', 'error_code', 'error_matches', 'function', 'run']

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MICROSECOND = datetime.timedelta(microseconds=1)
Kind = Nebula.ValueKind
INTEGERS = range(-2**63, 2**63)


# ---- values ----------------------------------------------------------------------------------------------------

def _string_from_native(text):
    if '\0' in text:            # the C string of a binding would end there
        return Nebula.Value.parse_json(json.dumps(text), -1, Nebula.JsonFlags.NONE)
    return Nebula.Value.new_string(text)


def _float_from_native(number):
    if not math.isfinite(number):
        raise ValueError('a Nebula value cannot be %r' % number)
    return Nebula.Value.new_float(number)


def _integer_from_native(number):
    if number in INTEGERS:
        return Nebula.Value.new_integer(number)
    return Nebula.Value.new_decimal(str(number))


def _decimal_from_native(number):
    if not number.is_finite():
        raise ValueError('a Nebula value cannot be %r' % number)
    return Nebula.Value.new_decimal(str(number))


def _timestamp_from_native(moment):
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError('%r needs a time zone' % moment)
    return Nebula.Value.new_timestamp((moment - EPOCH) // MICROSECOND, offset // datetime.timedelta(seconds=1))


def _time_from_native(time):
    if time.tzinfo is not None:
        raise ValueError('%r must not have a time zone' % time)
    seconds = (time.hour * 60 + time.minute) * 60 + time.second
    return Nebula.Value.new_time(seconds * 1000000 + time.microsecond)


def _array_from_native(items):
    builder = Nebula.ValueBuilder.new_array()
    for item in items:
        builder.add(_from_native(item))
    return builder.end()


def _object_from_native(members):
    builder = Nebula.ValueBuilder.new_object()
    for key, member in members.items():
        if not isinstance(key, str):
            raise TypeError('the keys of an object are text, not %s' % type(key).__name__)
        if '\0' in key:
            raise ValueError('the key %r holds a zero character' % key)
        builder.set(key, _from_native(member))
    return builder.end()


# In this order: bool is an int, datetime is a date.
FROM_NATIVE = (
    (bool, Nebula.Value.new_boolean),
    (int, _integer_from_native),
    (float, _float_from_native),
    (str, _string_from_native),
    (dict, _object_from_native),
    ((list, tuple), _array_from_native),
    ((bytes, bytearray), lambda data: Nebula.Value.new_bytes(GLib.Bytes.new(bytes(data)))),
    (GLib.Bytes, Nebula.Value.new_bytes),
    (decimal.Decimal, _decimal_from_native),
    (datetime.datetime, _timestamp_from_native),
    (datetime.date, lambda day: Nebula.Value.new_date(day.year, day.month, day.day)),
    (datetime.time, _time_from_native),
    (datetime.timedelta, lambda span: Nebula.Value.new_duration(span // MICROSECOND)),
)


def _from_native(native):
    if native is None:
        return Nebula.Value.new_null()
    if isinstance(native, Nebula.Value):
        return native
    for types, make in FROM_NATIVE:
        if isinstance(native, types):
            return make(native)
    raise TypeError('a Nebula value cannot hold %s' % type(native).__name__)


def _optional(native):
    return None if native is None else _from_native(native)


def _string_to_native(value):
    text = value.get_string()
    if len(text) == value.get_string_length() or len(text.encode()) == value.get_string_length():
        return text
    return json.loads(value.to_json(Nebula.JsonFlags.NONE))


def _timestamp_to_native(value):
    zone = datetime.timezone(datetime.timedelta(seconds=value.get_offset_seconds()))
    try:
        return (EPOCH + value.get_usec() * MICROSECOND).astimezone(zone)
    except OverflowError:       # the years of Python end at 9999
        return value


def _time_to_native(value):
    return (datetime.datetime.min + value.get_usec() * MICROSECOND).time()


def _keys(value):
    keys = []
    for index in range(value.get_length()):
        key, length = value.get_key(index)
        if len(key.encode()) != length:
            return list(json.loads(value.to_json(Nebula.JsonFlags.NONE)))
        keys.append(key)
    return keys


def _object_to_native(value):
    return {key: _to_native(value.get_member_at(index)) for index, key in enumerate(_keys(value))}


TO_NATIVE = {
    Kind.NULL: lambda value: None,
    Kind.BOOLEAN: Nebula.Value.get_boolean,
    Kind.INTEGER: Nebula.Value.get_integer,
    Kind.FLOAT: Nebula.Value.get_float,
    Kind.DECIMAL: lambda value: decimal.Decimal(value.get_string()),
    Kind.STRING: _string_to_native,
    Kind.BYTES: lambda value: value.ref_bytes().get_data() or b'',
    Kind.ARRAY: lambda value: [_to_native(value.get_item(index)) for index in range(value.get_length())],
    Kind.OBJECT: _object_to_native,
    Kind.DATE: lambda value: datetime.date(*value.get_date()),
    Kind.TIME: _time_to_native,
    Kind.TIMESTAMP: _timestamp_to_native,
    Kind.DURATION: lambda value: value.get_usec() * MICROSECOND,
    Kind.REFERENCE: lambda value: value,
}
CONTAINERS = (Kind.ARRAY, Kind.OBJECT)


def _to_native(value):
    return TO_NATIVE[value.get_kind()](value)


def _unwrap(value):
    """Scalars come out as native values, containers stay as they are: nothing is copied."""
    return value if value.get_kind() in CONTAINERS else _to_native(value)


class Value(Nebula.Value):
    """Nebula.Value (native): reads like the list, dict or scalar that it holds; never changes."""

    def __new__(cls, native=None):
        return _from_native(native)

    def __init__(self, native=None):
        pass

    @staticmethod
    def from_native(native):
        return _from_native(native)

    def to_native(self):
        return _to_native(self)

    def get(self, key, fallback=None):
        """A member of an object, else the fallback."""
        member = self.get_member(key) if self.get_kind() == Kind.OBJECT else None
        return fallback if member is None else _unwrap(member)

    def keys(self):
        return _keys(self)

    def values(self):
        return [_unwrap(self.get_member_at(index)) for index in range(self.get_length())]

    def items(self):
        return list(zip(self.keys(), self.values()))

    def _get_index(self, index):
        length = self.get_length()
        if isinstance(index, slice):
            start, end, step = index.indices(length)
            if step != 1:
                raise ValueError('an array is sliced in steps of 1')
            return self.slice(start, max(start, end))
        if not -length <= index < length:
            raise IndexError(index)
        return _unwrap(self.get_item(index % length))

    def __getitem__(self, key):
        kind = self.get_kind()
        if kind == Kind.ARRAY:
            return self._get_index(key)
        if kind != Kind.OBJECT:
            raise TypeError('a value of kind %s has no items' % Nebula.value_kind_to_string(kind))
        member = self.get_member(key)
        if member is None:
            raise KeyError(key)
        return _unwrap(member)

    def __iter__(self):
        kind = self.get_kind()
        if kind == Kind.OBJECT:
            return iter(self.keys())
        if kind == Kind.ARRAY:
            return (_unwrap(self.get_item(index)) for index in range(self.get_length()))
        raise TypeError('a value of kind %s has no items' % Nebula.value_kind_to_string(kind))

    def __len__(self):
        if self.get_kind() not in CONTAINERS:
            raise TypeError('a value of kind %s has no length' % Nebula.value_kind_to_string(self.get_kind()))
        return self.get_length()

    def __contains__(self, item):
        if self.get_kind() == Kind.OBJECT:
            return self.has_member(item)
        return any(each == item for each in self)

    def __bool__(self):
        return self.get_length() > 0 if self.get_kind() in CONTAINERS else bool(_to_native(self))

    def __int__(self):
        return int(_to_native(self))

    def __float__(self):
        return float(_to_native(self))

    def __str__(self):
        return self.to_text()

    def __repr__(self):
        return 'Nebula.Value(%s)' % self.to_json(Nebula.JsonFlags.NONE)

    def __eq__(self, other):
        try:
            return self.equal(_from_native(other))
        except (TypeError, ValueError):
            return NotImplemented

    def __hash__(self):
        return self.hash() if self.get_kind() in CONTAINERS + (Kind.REFERENCE,) else hash(_to_native(self))


Value = override(Value)
__all__.append('Value')


# ---- errors ----------------------------------------------------------------------------------------------------

def error_code(error):
    """The stable text of an error, such as `syntax`."""
    return Nebula.error_get_code(error)


def error_matches(error, *codes):
    """Whether it is one of Nebula's errors with one of these codes: Nebula.Error.SYNTAX or 'syntax'."""
    if not isinstance(error, GLib.Error) or error.domain != GLib.quark_to_string(Nebula.error_quark()):
        return False
    return any(code == (error_code(error) if isinstance(code, str) else error.code) for code in codes)


def _to_error(exception):
    """A GLib.Error of any exception."""
    if isinstance(exception, GLib.Error):
        return exception
    text = ''.join(traceback.format_exception_only(type(exception), exception)).strip()
    return GLib.Error.new_literal(Nebula.error_quark(), text, Nebula.Error.FAILED)


# ---- waiting ---------------------------------------------------------------------------------------------------

class _Pending:
    """An asynchronous call on its way; awaited in a coroutine that run () drives."""

    def __init__(self, start, finish):
        self._finish = finish
        self._callbacks = []
        self._result = None
        start(self._on_ready, None)

    def _on_ready(self, _source, result, _data=None):
        self._result = result
        for callback in self._callbacks:
            callback()

    def then(self, callback):
        if self._result is not None:
            callback()
        else:
            self._callbacks.append(callback)

    def __await__(self):
        if self._result is None:
            yield self
        return self._finish(self._result)


class _Driver:
    """Takes a coroutine from await to await, in the turns of the main loop."""

    def __init__(self, coroutine, on_end):
        self.result = None
        self.error = None
        self._coroutine = coroutine
        self._on_end = on_end

    def step(self):
        try:
            self._coroutine.send(None).then(self.step)
        except StopIteration as end:
            self.result = end.value
            self._on_end()
        except BaseException as error:      # it is raised by run ()
            self.error = error
            self._on_end()


def run(*coroutines):
    """Runs coroutines side by side in the main loop; gives the result, or a list of them if there are several."""
    loop = GLib.MainLoop.new(GLib.MainContext.get_thread_default(), False)
    left = len(coroutines)

    def on_end():
        nonlocal left
        left -= 1
        if left == 0:
            loop.quit()

    drivers = [_Driver(coroutine, on_end) for coroutine in coroutines]
    for driver in drivers:
        driver.step()
    if left > 0:
        loop.run()
    for driver in drivers:
        if driver.error is not None:
            raise driver.error
    results = [driver.result for driver in drivers]
    return results[0] if len(results) == 1 else results


# ---- engine ----------------------------------------------------------------------------------------------------

class Execution(Nebula.Execution):
    """Without a callback the asynchronous calls are awaited: await execution.wait_async ()."""

    def wait_async(self, cancellable=None, callback=None, *data):
        if callback is not None:
            return super().wait_async(cancellable, callback, *data)
        start = super().wait_async
        return _Pending(lambda *end: start(cancellable, *end), self.wait_finish)

    def cancel_async(self, reason=None, cancellable=None, callback=None, *data):
        if callback is not None:
            return super().cancel_async(reason, cancellable, callback, *data)
        start = super().cancel_async
        return _Pending(lambda *end: start(reason, cancellable, *end), self.cancel_finish)

    def signal_async(self, name, value=None, cancellable=None, callback=None, *data):
        value = _from_native(value)
        if callback is not None:
            return super().signal_async(name, value, cancellable, callback, *data)
        start = super().signal_async
        return _Pending(lambda *end: start(name, value, cancellable, *end), self.signal_finish)

    def resume_async(self, cancellable=None, callback=None, *data):
        if callback is not None:
            return super().resume_async(cancellable, callback, *data)
        start = super().resume_async
        return _Pending(lambda *end: start(cancellable, *end), self.resume_finish)


Execution = override(Execution)
__all__.append('Execution')


class Engine(Nebula.Engine):
    """with Nebula.Engine.new (registry) as engine: … stops it at the end."""

    @classmethod
    def new(cls, resolver, store=None, clock=None):
        return Nebula.Engine.new(resolver, store, clock)

    def deploy(self, workflow, diagnostics=None):
        """The plan of a Nebula.Workflow, or of a definition as a dict."""
        if not isinstance(workflow, Nebula.Workflow):
            workflow = Nebula.Workflow.new_from_value(_from_native(workflow), None)
        return super().deploy(workflow, diagnostics)

    def start(self, plan, input=None, options=None):
        return super().start(plan, _optional(input), _optional(options))

    def __enter__(self):
        return self

    def __exit__(self, *_details):
        self.stop()


Engine = override(Engine)
__all__.append('Engine')


class EventBus(Nebula.EventBus):
    def subscribe(self, pattern, execution, callback, *data):
        """with bus.subscribe ('node.*', None, on_event): … cancels the subscription at the end."""
        return super().subscribe(pattern, execution, callback, *data)


EventBus = override(EventBus)
__all__.append('EventBus')


class Subscription(Nebula.Subscription):
    def __enter__(self):
        return self

    def __exit__(self, *_details):
        self.cancel()


Subscription = override(Subscription)
__all__.append('Subscription')


class Workflow(Nebula.Workflow):
    @classmethod
    def new_from_value(cls, definition, diagnostics=None):
        return Nebula.Workflow.new_from_value(_from_native(definition), diagnostics)

    @staticmethod
    def diagnose(definition, resolver):
        """All mistakes of a definition (dict) or of a text (str, bytes): a list of Nebula.Diagnostic."""
        if isinstance(definition, (str, bytes)):
            data = definition.encode() if isinstance(definition, str) else definition
            return Nebula.Workflow.diagnose_bytes(GLib.Bytes.new(data), None, resolver)
        return Nebula.Workflow.diagnose_value(_from_native(definition), resolver)


Workflow = override(Workflow)
__all__.append('Workflow')


class Expression(Nebula.Expression):
    def evaluate(self, data=None):
        """The native result over a dict whose members are `$name`."""
        return _to_native(self.evaluate_data(_from_native({} if data is None else data)))


Expression = override(Expression)
__all__.append('Expression')


# ---- actions ---------------------------------------------------------------------------------------------------

class Invocation(Nebula.Invocation):
    def return_value(self, value):
        super().return_value(_from_native(value))

    def return_port(self, port, value):
        super().return_port(port, _from_native(value))

    def return_ports(self, values):
        super().return_ports(_from_native(values))

    def return_terminate(self, output):
        super().return_terminate(_from_native(output))

    def return_failure(self, code, message, retry_class=Nebula.RetryClass.TERMINAL, details=None):
        super().return_failure(code, message, retry_class, _optional(details))


Invocation = override(Invocation)
__all__.append('Invocation')


def _report(invocation, error):
    """The traceback goes to whoever watches the execution, the error to the node."""
    text = ''.join(traceback.format_exception(type(error), error, error.__traceback__))
    invocation.report_log(GLib.LogLevelFlags.LEVEL_DEBUG, text)


def _wrap_run(function, convert):
    @functools.wraps(function)
    def do_run(self, invocation, cancellable):
        try:
            return convert(finish(function(self, invocation, cancellable), cancellable))
        except Exception as error:          # PyGObject would only print it
            _report(invocation, error)
            raise _to_error(error) from error
    return do_run


def _wrap_invoke(function):
    @functools.wraps(function)
    def do_invoke(self, invocation):
        try:
            function(self, invocation)
        except Exception as error:
            _report(invocation, error)
            if not invocation.is_returned():
                invocation.return_error(_to_error(error))
    return do_invoke


def _to_result(result):
    if isinstance(result, Nebula.Result):
        return result
    return Nebula.Result.new(Nebula.ResultKind.SUCCESS, None, _from_native(result), 0)


def _adopt(cls, name, wrap):
    """Wraps a virtual function of a new class before GObject takes it for its own."""
    if name in cls.__dict__:
        setattr(cls, name, wrap(cls.__dict__[name]))
    # The engine asks a fresh instance for its effect and drops it. PyGObject lets go of an instance that C made only
    # after Python has seen it once.
    if 'do_get_effect' not in cls.__dict__:
        cls.do_get_effect = lambda self: Nebula.Action.do_get_effect(self)


class Action(Nebula.Action):
    def __init_subclass__(cls, **arguments):
        super().__init_subclass__(**arguments)
        _adopt(cls, 'do_invoke', _wrap_invoke)


Action = override(Action)
__all__.append('Action')


class SimpleAction(Nebula.SimpleAction):
    def __init_subclass__(cls, **arguments):
        super().__init_subclass__(**arguments)
        _adopt(cls, 'do_run', lambda function: _wrap_run(function, _from_native))


SimpleAction = override(SimpleAction)
__all__.append('SimpleAction')


class ProcessAction(Nebula.ProcessAction):
    def __init_subclass__(cls, **arguments):
        super().__init_subclass__(**arguments)
        _adopt(cls, 'do_run', lambda function: _wrap_run(function, _to_result))


ProcessAction = override(ProcessAction)
__all__.append('ProcessAction')


# What the type of an argument says about a parameter.
KINDS = {str: 'text', int: 'integer', float: 'number', bool: 'boolean', dict: 'object', list: 'list'}


def _describe_argument(argument):
    described = {'kind': KINDS.get(argument.annotation, 'json')}
    if argument.default is argument.empty:
        described['flags'] = ['required']
    elif argument.default is not None:
        described['default'] = argument.default
    return described


def _describe_function(function, parameters):
    arguments = inspect.signature(function).parameters
    described = {name: _describe_argument(argument) for name, argument in arguments.items() if name != 'invocation'}
    for name, more in parameters.items():
        described[name] = {**described.get(name, {}), **more}
    return described


def _make_class(id, function):
    """A class around a function: its parameters become the arguments."""
    names = list(inspect.signature(function).parameters)

    def do_run(self, invocation, cancellable):
        arguments = {}
        for name in names:
            value = invocation if name == 'invocation' else self.get_parameter(name)
            arguments[name] = _to_native(value) if isinstance(value, Nebula.Value) else value
        return function(**arguments)

    name = ''.join(word.capitalize() for word in re.split('[^a-z0-9]+', id))
    return type(SimpleAction)('Nebula' + name, (SimpleAction,), {
        'do_run': do_run, 'function': staticmethod(function), '__doc__': function.__doc__,
        '__module__': function.__module__})     # PyGObject makes no types for classes of an override


ACTIONS = []    # all classes that were described, in their order


def action(id, **details):
    """Says what a class or function does: @Nebula.action ('demo.shout', title='Shout', effect='pure', …) above it.

    Details: version, title, description, category, example, effect, ports ({name: title}), capabilities ([…]) and
    parameters ({name: {'kind': …, 'flags': […], …}}). Without a description the docstring is taken. The parameters of a
    function are its arguments; one called `invocation` is the Nebula.Invocation. What is decorated becomes a class, and
    a function stays callable as `.function`.
    """
    def describe(target):
        description = dict(details, id=id)
        if target.__doc__ and 'description' not in description:
            description['description'] = ' '.join(target.__doc__.split())
        if not isinstance(target, type):
            description['parameters'] = _describe_function(target, description.get('parameters', {}))
            target = _make_class(id, target)
        Nebula.Action.describe_type(target.__gtype__, _from_native(description))
        ACTIONS.append(target)
        return target
    return describe


# ---- functions for expressions -------------------------------------------------------------------------------------

# What the type of an argument or of the result says in a declaration.
TYPES = {**KINDS, str: 'string', list: 'array', bytes: 'bytes', None: 'null',
         datetime.datetime: 'timestamp', datetime.date: 'date', datetime.timedelta: 'duration'}


def _declare(name, argument):
    mark = '…' if argument.kind == argument.VAR_POSITIONAL else '' if argument.default is argument.empty else '?'
    return f'{name}{mark}: {TYPES.get(argument.annotation, "any")}'


FUNCTIONS = {}      # name → (description, callable), in their order


def function(target=None, *, name=None, **details):
    """Says that expressions may call a pure function: @Nebula.function above it, or @Nebula.function (examples='…').

    Annotations say the types; `any` where there is none. Without a description the docstring is taken."""
    if target is None:
        return functools.partial(function, name=name, **details)
    signature = inspect.signature(target)
    description = {
        'name': name or target.__name__, 'parameters': ', '.join(_declare(*item) for item in signature.parameters.items()),
        'result': TYPES.get(signature.return_annotation, 'any'),
        'description': ' '.join((target.__doc__ or '').split()),
        **details}
    FUNCTIONS[description['name']] = description, target
    return target


# ---- async actions, run by asyncio ---------------------------------------------------------------------------------

async def _cancellable_task(coroutine, cancellable):
    """Ends the coroutine with asyncio.CancelledError when the attempt is cancelled."""
    import asyncio      # takes long to import, and few need it
    loop = asyncio.get_running_loop()
    task = loop.create_task(coroutine)
    handler = GObject.Object.connect(cancellable, 'cancelled', lambda _: loop.call_soon_threadsafe(task.cancel))
    if cancellable.is_cancelled():
        task.cancel()
    try:
        return await task
    finally:
        GObject.Object.handler_disconnect(cancellable, handler)


def finish(result, cancellable):
    """The result of what may be a coroutine: it is run by asyncio."""
    if not inspect.iscoroutine(result):
        return result
    import asyncio
    return asyncio.run(_cancellable_task(result, cancellable))
