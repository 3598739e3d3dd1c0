# SPDX-License-Identifier: LGPL-2.1-or-later
"""A server on a free port, and how to speak to it."""

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'system'))
import world  # noqa: E402

PASSWORD = 'correct horse battery'
LIMIT = 30


class Answer:
    def __init__(self, status: int, headers, body: bytes):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self) -> str:
        return f'{self.status} {self.body[:300]!r}'


def read_raw(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    data = b''
    while True:
        try:
            block = connection.recv(65536)
        except ConnectionResetError:
            return data
        if not block:
            return data
        data += block


class Case(world.Case):
    OPTIONS: tuple = ()

    def setUp(self) -> None:
        super().setUp()
        self.token = None
        self.make_catalogues()
        self.serve()

    def tearDown(self) -> None:
        """Whatever a test left behind: the server ends when it is asked to."""
        process = self.server.process
        if process.poll() is None:
            process.terminate()
            self.assertEqual(process.wait(timeout=LIMIT), 0)

    def make_catalogues(self) -> None:
        if not shutil.which('msgfmt'):
            self.skipTest('without msgfmt there are no catalogues')
        for language in ('de', 'it'):
            folder = self.path(os.path.join('locale', language, 'LC_MESSAGES'))
            os.makedirs(folder)
            subprocess.run(['msgfmt', '-o', os.path.join(folder, 'nebula.mo'),
                            os.path.join(world.SOURCE, 'po', language + '.po')], check=True)
        self.environment['NEBULA_LOCALEDIR'] = self.path('locale')

    def serve(self) -> None:
        self.server = self.start('serve', '--data-dir', 'data', '--listen', '127.0.0.1:0', *self.OPTIONS)
        line = self.server.wait_for('Listening on')
        self.port = int(re.search(r':(\d+)$', line.strip()).group(1))

    def stop(self) -> world.Result:
        self.server.process.terminate()
        return self.server.end()

    def make_token(self, role: str = 'admin', *more: str) -> str:
        return self.expect(0, 'token', 'create', '--data-dir', 'data', '--role', role, '--title', 'test',
                           *more).out.strip()

    def connect(self) -> socket.socket:
        connection = socket.create_connection(('127.0.0.1', self.port), timeout=LIMIT)
        self.addCleanup(connection.close)
        return connection

    def raw(self, data: bytes) -> bytes:
        """What is answered to these bytes until the server closes."""
        with self.connect() as connection:
            try:
                connection.sendall(data)
            except (ConnectionResetError, BrokenPipeError):
                pass
            return read_raw(connection)

    def ask(self, method: str, path: str, body=None, token: str = '', **headers: str) -> Answer:
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=LIMIT)
        sent = {name.replace('_', '-'): value for name, value in headers.items()}
        token = token or self.token
        if token and 'Authorization' not in sent:
            sent['Authorization'] = f'Bearer {token}'
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            sent.setdefault('Content-Type', 'application/json')
        if isinstance(body, str):
            body = body.encode()
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        connection.close()
        return answer

    def want(self, status: int, method: str, path: str, body=None, **options: str) -> Answer:
        answer = self.ask(method, path, body, **options)
        self.assertEqual(answer.status, status, f'{method} {path}: {answer}')
        return answer


main = world.main
