// SPDX-License-Identifier: LGPL-2.1-or-later
//
// nebula-host.js --probe PATH --fd N | --serve PATH --fd N --channel N: hosts one module in JavaScript.
//
// Control always goes from here into the library: it is asked for work, the action runs, the answer is given back. The
// other way GJS drops calls while it collects garbage.

import GLib from 'gi://GLib';
import Nebula from 'gi://Nebula?version=1.0';

const host = Nebula.Host.new(ARGV);
const loop = new GLib.MainLoop(null, false);

async function load() {
  try {
    host.add_module(await import(`file://${host.get_location()}`));
  } catch (error) {
    host.fail(`does not load: ${error}`);
  }
}

function serve() {
  for (let invocation = host.next(); invocation !== null; invocation = host.next())
    host.perform(invocation);
  loop.quit();
  return GLib.SOURCE_REMOVE;
}

// Out of the promise, so that those of the actions are kept while this waits for them.
load().then(() => GLib.idle_add(GLib.PRIORITY_DEFAULT, serve));
loop.run();
