// SPDX-License-Identifier: LGPL-2.1-or-later
// Evaluates each line of stdin, an expression of JavaScript as a JSON text, and answers a line {"value": …} or
// {"error": name}. What JSON cannot carry is named: {"value": null, "odd": "Infinity"}.
'use strict';

const lines = require('fs').readFileSync(0, 'utf8').split('\n').filter(line => line !== '');
const data = JSON.parse(process.argv[2] ?? '{}');
const names = Object.keys(data);
const values = names.map(name => data[name]);

function answer(text) {
  try {
    const value = new Function(...names, `'use strict'; return (${text});`)(...values);
    if (value === undefined || (typeof value === 'number' && !Number.isFinite(value)))
      return {value: null, odd: String(value)};
    return {value};
  } catch (error) {
    return {error: error.name};
  }
}

for (const line of lines)
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + '\n');
