// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Reads [[C name, type or null, name, constructor | method | function], …] and tells which JavaScript cannot call;
// check-typelib.py runs it.
imports.gi.versions.Nebula = '1.0';
const { Gio, Nebula } = imports.gi;
const ByteArray = imports.byteArray;

function readAll() {
  const input = new Gio.UnixInputStream({ fd: 0 });
  const output = Gio.MemoryOutputStream.new_resizable();
  output.splice(input, Gio.OutputStreamSpliceFlags.CLOSE_TARGET, null);
  return JSON.parse(ByteArray.toString(ByteArray.fromGBytes(output.steal_as_bytes())));
}

const wanted = readAll();
for (const [cName, container, name, kind] of wanted) {
  try {
    const type = container ? Nebula[container] : Nebula;
    const owner = kind === 'method' ? type.prototype : type;
    if (typeof owner[name] !== 'function')
      print(`${cName}: there is no function ${name}`);
  } catch (error) {
    print(`${cName}: ${error.message}`);
  }
}
print(`${wanted.length} seen`);
