// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What makes Nebula natural in JavaScript: native values, promises, iteration. docs/bindings.md tells it with examples.
//
// null, boolean, number, bigint, string, Uint8Array, Date, Array and plain objects stand for the kinds of Nebula.Value.
// A number without a fraction becomes an integer; an integer beyond 2^53 comes back as a bigint, one beyond 64 bits
// and every other decimal as its text, and so do dates, times, durations and references, which JavaScript has not.

/* exported _init */

const { Gio, GLib } = imports.gi;

const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;

function _makeConverters(Nebula) {
  const Kind = Nebula.ValueKind;
  const parse = text => Nebula.Value.parse_json(text, -1, Nebula.JsonFlags.NONE);

  function numberFromNative(number) {
    if (!Number.isFinite(number))
      throw new RangeError(`a Nebula value cannot be ${number}`);
    return Number.isSafeInteger(number) ? Nebula.Value.new_integer(number) : Nebula.Value.new_float(number);
  }

  // By its text: GJS would round what a number cannot hold.
  function bigintFromNative(number) {
    if (number >= INT64_MIN && number <= INT64_MAX)
      return parse(number.toString());
    return Nebula.Value.new_decimal(number.toString());
  }

  // The C string of a binding would end at a zero character.
  function stringFromNative(text) {
    return text.includes('\0') ? parse(JSON.stringify(text)) : Nebula.Value.new_string(text);
  }

  function arrayFromNative(items) {
    const builder = Nebula.ValueBuilder.new_array();
    for (const item of items)
      builder.add(fromNative(item));
    return builder.end();
  }

  function membersFromNative(native) {
    const builder = Nebula.ValueBuilder.new_object();
    for (const [key, member] of Object.entries(native)) {
      if (key.includes('\0'))
        throw new RangeError(`the key ${JSON.stringify(key)} holds a zero character`);
      if (member !== undefined)
        builder.set(key, fromNative(member));
    }
    return builder.end();
  }

  function objectFromNative(native) {
    if (native === null)
      return Nebula.Value.new_null();
    if (native instanceof Nebula.Value)
      return native;
    if (Array.isArray(native))
      return arrayFromNative(native);
    if (native instanceof Uint8Array)
      return Nebula.Value.new_bytes(new GLib.Bytes(native));
    if (native instanceof GLib.Bytes)
      return Nebula.Value.new_bytes(native);
    if (native instanceof Date)
      return Nebula.Value.new_timestamp(native.getTime() * 1000, 0);
    const prototype = Object.getPrototypeOf(native);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
      throw new TypeError(`a Nebula value cannot hold ${native.constructor.name}`);
    return membersFromNative(native);
  }

  const byType = {
    boolean: native => Nebula.Value.new_boolean(native),
    number: numberFromNative,
    bigint: bigintFromNative,
    string: stringFromNative,
    object: objectFromNative,
  };

  function fromNative(native) {
    const convert = byType[typeof native];
    if (!convert)
      throw new TypeError(`a Nebula value cannot hold ${typeof native}`);
    return convert(native);
  }

  function integerToNative(value) {
    const text = value.to_text();
    const number = Number(text);
    return Number.isSafeInteger(number) ? number : BigInt(text);
  }

  function stringToNative(value) {
    const text = value.get_string();
    if (text.length === value.get_string_length())
      return text;
    return JSON.parse(value.to_json(Nebula.JsonFlags.NONE));    // not ASCII, or with a zero character
  }

  const byKind = {
    [Kind.NULL]: () => null,
    [Kind.BOOLEAN]: value => value.get_boolean(),
    [Kind.INTEGER]: integerToNative,
    [Kind.FLOAT]: value => value.get_float(),
    [Kind.DECIMAL]: value => value.get_string(),
    [Kind.STRING]: stringToNative,
    [Kind.BYTES]: value => value.ref_bytes().toArray(),
    [Kind.ARRAY]: value => items(value).map(toNative),
    [Kind.OBJECT]: value => Object.fromEntries(keys(value).map((key, index) => [key, toNative(value.get_member_at(index))])),
    [Kind.DATE]: value => value.to_text(),
    [Kind.TIME]: value => value.to_text(),
    [Kind.TIMESTAMP]: value => new Date(value.get_usec() / 1000),
    [Kind.DURATION]: value => value.to_text(),
    [Kind.REFERENCE]: value => value.get_string(),
  };

  function toNative(value) {
    return byKind[value.get_kind()](value);
  }

  function items(value) {
    return Array.from({ length: value.get_length() }, (_, index) => value.get_item(index));
  }

  function keys(value) {
    return Array.from({ length: value.get_length() }, (_, index) => value.get_key(index)[0]);
  }

  // Scalars come out as native values, containers stay as they are: nothing is copied.
  function unwrap(value) {
    const kind = value.get_kind();
    return kind === Kind.ARRAY || kind === Kind.OBJECT ? value : toNative(value);
  }

  return { fromNative, toNative, items, keys, unwrap };
}

function _overrideValue(Nebula, converters) {
  const { fromNative, toNative, items, keys, unwrap } = converters;
  const Kind = Nebula.ValueKind;

  Nebula.Value.from_native = fromNative;
  Object.assign(Nebula.Value.prototype, {
    to_native() {
      return toNative(this);
    },

    // An item by its number (negative: from the end) or a member by its key; undefined if there is none.
    get(key) {
      let found = null;
      if (this.get_kind() === Kind.OBJECT)
        found = this.get_member(key);
      else if (this.get_kind() === Kind.ARRAY && Number.isInteger(key))
        found = this.get_item_or_null(key < 0 ? key + this.get_length() : key);
      return found === null ? undefined : unwrap(found);
    },

    get_item_or_null(index) {
      return index >= 0 && index < this.get_length() ? this.get_item(index) : null;
    },

    keys() {
      return keys(this);
    },

    entries() {
      return keys(this).map((key, index) => [key, unwrap(this.get_member_at(index))]);
    },

    // An array gives its items, an object pairs of key and member.
    [Symbol.iterator]() {
      if (this.get_kind() === Kind.OBJECT)
        return this.entries()[Symbol.iterator]();
      if (this.get_kind() === Kind.ARRAY)
        return items(this).map(unwrap)[Symbol.iterator]();
      throw new TypeError(`a value of kind ${Nebula.value_kind_to_string(this.get_kind())} has no items`);
    },

    toJSON() {
      return toNative(this);
    },

    toString() {
      return this.to_text();
    },
  });
}

// What takes a value takes a native one too; what is missing at the end is null.
function _overrideEngine(Nebula, { fromNative, toNative }) {
  const optional = native => native === null || native === undefined ? null : fromNative(native);
  const engine = Nebula.Engine.prototype;
  const { deploy, start } = engine;

  engine.deploy = function (workflow, diagnostics = null) {
    const read = workflow instanceof Nebula.Workflow ? workflow : Nebula.Workflow.new_from_value(workflow);
    return deploy.call(this, read, diagnostics);
  };
  engine.start = function (plan, input = null, options = null) {
    return start.call(this, plan, optional(input), optional(options));
  };

  const newEngine = Nebula.Engine.new;
  Nebula.Engine.new = (resolver, store = null, clock = null) => newEngine(resolver, store, clock);

  const newWorkflow = Nebula.Workflow.new_from_value;
  Nebula.Workflow.new_from_value = (definition, diagnostics = null) =>
    newWorkflow(fromNative(definition), diagnostics);
  Nebula.Workflow.diagnose = (definition, resolver) => {
    if (typeof definition === 'string')
      return Nebula.Workflow.diagnose_bytes(new GLib.Bytes(new TextEncoder().encode(definition)), null, resolver);
    return Nebula.Workflow.diagnose_value(fromNative(definition), resolver);
  };

  Nebula.Expression.prototype.evaluate = function (data = {}) {
    return toNative(this.evaluate_data(fromNative(data)));
  };
}

function _overrideExecution(Nebula, { fromNative }) {
  const execution = Nebula.Execution.prototype;
  const { signal_async: signalAsync } = execution;

  execution.signal_async = function (name, value, cancellable = null, ...callback) {
    return signalAsync.call(this, name, fromNative(value), cancellable, ...callback);
  };
  for (const name of ['cancel', 'resume', 'signal', 'wait'])
    Gio._promisify(execution, `${name}_async`, `${name}_finish`);
}

// What a callback is given is valid only inside it; what `ref` gives lives as long as its wrapper.
function _overrideEventBus(Nebula) {
  const bus = Nebula.EventBus.prototype;
  const { subscribe } = bus;

  bus.subscribe = function (pattern, execution, callback) {
    return subscribe.call(this, pattern, execution, event => callback(event.ref()));
  };
}

// Actions of a module in JavaScript, which run in a host of their own:
//
//   Nebula.action('greet.hello', { title, effect, parameters: { name: { kind: 'text', flags: ['required'] } } },
//     class { run(invocation) { return `Hello, ${this.name}!`; } });
//
// Instead of a class a function is good too: (parameters, invocation) => result. Both may be async.
function _overrideHost(Nebula, { fromNative, toNative }) {
  const invocation = Nebula.Invocation.prototype;
  const { return_value: returnValue, return_port: returnPort, return_failure: returnFailure } = invocation;

  invocation.return_value = function (value) {
    returnValue.call(this, fromNative(value ?? null));
  };
  invocation.return_port = function (port, value) {
    returnPort.call(this, port, fromNative(value ?? null));
  };
  invocation.return_failure = function (code, message, retry = Nebula.RetryClass.TERMINAL, details = null) {
    returnFailure.call(this, code, message, retry, details === null ? null : fromNative(details));
  };

  const actions = new Map();
  Nebula.action = (id, description, target) => {
    actions.set(id, { description: { ...description, id }, target });
    return target;
  };

  // Pure functions that expressions may call: the same arguments give the same value.
  //
  //   Nebula.function('tax_of', { parameters: 'amount: number, rate?: number', result: 'number' }, (amount, rate = 0.19) => …);
  const functions = new Map();
  Nebula.function = (name, description, target) => {
    functions.set(name, { description: { ...description, name }, target });
    return target;
  };

  function isClass(target) {
    return typeof target.prototype?.run === 'function';
  }

  function run(target, parameters, attempt) {
    if (!isClass(target))
      return target(parameters, attempt);
    return Object.assign(new target(), parameters).run(attempt);
  }

  // The module was loaded by descriptor; people know it by its path.
  function getStack(attemptHost, error) {
    return `${error?.stack ?? ''}`.replaceAll(`file://${attemptHost.get_location()}`, attemptHost.get_path());
  }

  function returnException(attemptHost, attempt, error) {
    if (attempt.is_returned())
      return;
    if (error instanceof GLib.Error) {
      attempt.return_error(error);
      return;
    }
    attempt.return_failure('failed', `${error}`, Nebula.RetryClass.TERMINAL,
      { type: error?.name ?? typeof error, traceback: getStack(attemptHost, error) });
  }

  // What was promised is waited for here: the loop turns, and nothing else is begun meanwhile.
  function settle(promise) {
    const loop = new GLib.MainLoop(null, false);
    let settled = null;
    promise.then(value => ({ value }), error => ({ error })).then(outcome => {
      settled = outcome;
      loop.quit();
    });
    loop.run();
    if ('error' in settled)
      throw settled.error;
    return settled.value;
  }

  const host = Nebula.Host.prototype;
  host.add_module = function (module) {
    this.describe_module(module.version ?? null, module.title ?? null);
    for (const { description } of actions.values())
      this.describe_action(fromNative(description));
    for (const { description } of functions.values())
      this.describe_function(fromNative(description));
  };
  host.perform = function (attempt) {
    try {
      const name = this.get_function(attempt);
      let result = name === null
        ? run(actions.get(attempt.get_action_id()).target, toNative(this.get_parameters(attempt)), attempt)
        : functions.get(name).target(...toNative(attempt.get_input()));
      if (result instanceof Promise)
        result = settle(result);
      if (!attempt.is_returned())
        attempt.return_value(result);
    } catch (error) {
      returnException(this, attempt, error);
    }
  };
}

function _init() {
  const Nebula = this;
  const converters = _makeConverters(Nebula);

  _overrideValue(Nebula, converters);
  _overrideEngine(Nebula, converters);
  _overrideExecution(Nebula, converters);
  _overrideEventBus(Nebula);
  _overrideHost(Nebula, converters);

  // Whether it is one of Nebula's errors with one of these codes: Nebula.Error.SYNTAX or 'syntax'.
  Nebula.error_matches = (error, ...codes) => error instanceof GLib.Error && codes.some(code =>
    error.matches(Nebula.Error, typeof code === 'string' ? Nebula.Error[code.toUpperCase().replace(/-/g, '_')] : code));
}
