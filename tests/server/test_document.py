# SPDX-License-Identifier: LGPL-2.1-or-later
"""The OpenAPI document before others' tools. Without npm's registry this is skipped, loudly."""

import json
import os
import shutil
import subprocess
import sys
import unittest

import server

HERE = os.path.dirname(os.path.abspath(__file__))
RULES = '''extends: [recommended]
rules:
  operation-4xx-response: error
  no-server-example.com: off
  info-license-url: off
'''
SWAGGER = '''
const parser = require ('@apidevtools/swagger-parser');
parser.validate (process.argv[2]).then (() => console.log ('valid')).catch (error => { console.error (error.message); process.exit (1); });
'''


class Document(server.Case):
    def setUp(self) -> None:
        if not shutil.which('npm'):
            self.skipTest('npm is not there')
        super().setUp()
        self.token = self.make_token()
        for name in ('package.json', 'package-lock.json'):
            shutil.copy(os.path.join(HERE, name), self.path(name))
        done = subprocess.run(['npm', 'ci', '--no-audit', '--no-fund', '--ignore-scripts'], cwd=self.folder, capture_output=True,
                              text=True, timeout=240, check=False)
        if done.returncode != 0:
            print('SKIPPED: npm ci failed, so no other tool has seen the document:', done.stderr[-500:], file=sys.stderr)
            self.skipTest('npm ci failed')
        with open(self.path('openapi.json'), 'wb') as file:
            file.write(self.want(200, 'GET', '/openapi.json').body)

    def run_tool(self, *arguments: str) -> None:
        done = subprocess.run(arguments, cwd=self.folder, capture_output=True, text=True, timeout=120, check=False,
                              env={**os.environ, 'REDOCLY_TELEMETRY': 'off', 'REDOCLY_SUPPRESS_UPDATE_NOTICE': 'true'})
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-3000:])

    def test_others_take_it(self):
        self.write('redocly.yaml', RULES)
        self.run_tool('node', 'node_modules/@redocly/cli/bin/cli.js', 'lint', 'openapi.json')
        self.write('check.cjs', SWAGGER)
        self.run_tool('node', 'check.cjs', 'openapi.json')


class Itself(server.Case):
    def test_references_and_names(self):
        self.token = self.make_token()
        document = self.want(200, 'GET', '/openapi.json').json()
        schemas = document['components']['schemas']
        text = json.dumps(document)
        for part in text.split('"#/components/schemas/')[1:]:
            self.assertIn(part.split('"')[0], schemas)
        names = [route['operationId'] for path in document['paths'].values() for route in path.values()]
        self.assertEqual(len(names), len(set(names)))


server.main()
