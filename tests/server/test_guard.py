# SPDX-License-Identifier: LGPL-2.1-or-later
"""Requests that two readers could understand differently, that are too long, too many or too slow."""

import re
import socket
import time

import server

GOOD = b'GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n'
CLOSE = b'GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'


def count(answer: bytes) -> int:
    return len(re.findall(rb'HTTP/1\.1 [0-9]', answer))


def post(*fields: bytes, body: bytes = b'', path: bytes = b'/api/v1/setup') -> bytes:
    return b'POST ' + path + b' HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' + \
        b''.join(field + b'\r\n' for field in fields) + b'\r\n' + body


def get(path: bytes, *fields: bytes) -> bytes:
    return b'GET ' + path + b' HTTP/1.1\r\nHost: localhost\r\n' + b''.join(field + b'\r\n' for field in fields) + b'\r\n'


class Guard(server.Case):
    def refused(self, status: int, data: bytes) -> bytes:
        """One answer with this status, then the end: nothing behind it is taken for a request."""
        answer = self.raw(data + GOOD)
        self.assertTrue(answer.startswith(b'HTTP/1.1 %d ' % status), f'{data[:200]!r} → {answer[:300]!r}')
        self.assertEqual(count(answer), 1, f'{data[:200]!r} → {answer[:900]!r}')
        return answer

    def taken(self, status: int, data: bytes) -> bytes:
        answer = self.raw(data + CLOSE)
        self.assertTrue(answer.startswith(b'HTTP/1.1 %d ' % status), f'{data[:200]!r} → {answer[:300]!r}')
        self.assertEqual(count(answer), 2, answer)
        return answer

    def test_row_1_two_lengths(self):
        self.refused(400, post(b'Content-Length: 2', b'Content-Length: 3', body=b'{}'))
        self.refused(400, post(b'Content-Length: 2', b'Content-Length: 2', body=b'{}'))

    def test_row_2_length_and_chunks(self):
        self.refused(400, post(b'Content-Length: 2', b'Transfer-Encoding: chunked', body=b'0\r\n\r\n'))

    def test_row_3_space_before_the_colon(self):
        self.refused(400, post(b'Content-Length : 2', body=b'{}'))
        self.refused(400, get(b'/api/v1/health', b' Folded: x'))

    def test_row_4_lengths_that_are_none(self):
        for length in (b'+5', b'-1', b'0x5', b'5,5', b'', b'5 5', b'05', b'9223372036854775808'):
            self.refused(400, post(b'Content-Length: ' + length, body=b'{}'))

    def test_row_5_transfer_codings(self):
        self.refused(501, post(b'Transfer-Encoding: xchunked'))
        self.refused(501, post(b'Transfer-Encoding: identity'))
        self.refused(400, post(b'Transfer-Encoding: identity, chunked'))
        self.refused(400, post(b'Transfer-Encoding: chunked', b'Transfer-Encoding: chunked'))
        self.refused(400, b'POST /api/v1/setup HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n')

    def test_row_6_chunks(self):
        chunked = b'Transfer-Encoding: chunked'
        for body in (b'0x5\r\nhello\r\n', b'FFFFFFFFFFFFFFFFF\r\n', b'-1\r\n', b'5\nhello\r\n', b'5\r\nhelloX\r\n',
                     b'5;' + b'x' * 300 + b'\r\nhello\r\n', b'\r\n', b'5 \r\nhello\r\n', b'2\r\n{}\n0\r\n\r\n'):
            self.refused(400, post(chunked, body=body))
        self.refused(431, post(chunked, body=b'2\r\n{}\r\n0\r\n' + b'A: b\r\n' * 1000 + b'\r\n'))
        # What is well-formed goes through, in whatever pieces, and the trailer goes to nobody.
        self.taken(422, post(chunked, body=b'1;a=b\r\n{\r\n1\r\n}\r\n0\r\nX: y\r\n\r\n'))

    def test_row_7_lines(self):
        self.refused(400, b'GET /api/v1/health HTTP/1.1\nHost: localhost\n\n')
        self.refused(400, get(b'/api/v1/health', b'A: b\r\n  c'))
        self.refused(400, get(b'/api/v1/health', b'A: b\rc'))
        self.refused(400, get(b'/api/v1/health', b'A: b\0c'))
        self.refused(400, get(b'/api/v1/health', b'\xc3\xa4: b'))
        self.refused(400, get(b'/api/v1/health', b'No colon'))

    def test_row_8_host(self):
        self.refused(400, b'GET /api/v1/health HTTP/1.1\r\n\r\n')
        self.refused(400, get(b'/api/v1/health', b'Host: localhost'))
        self.refused(400, b'GET /api/v1/health HTTP/1.1\r\nHost: a b\r\n\r\n')
        self.refused(421, b'GET /api/v1/health HTTP/1.1\r\nHost: evil.example\r\n\r\n')
        self.taken(200, b'GET /api/v1/health HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n')

    def test_row_9_sizes(self):
        self.refused(431, get(b'/api/v1/health', b'A: ' + b'x' * 17000))
        self.refused(431, get(b'/api/v1/health', *[b'A: b'] * 101))
        self.refused(414, get(b'/' + b'x' * 9000))

    def test_row_10_slow_heads(self):
        """A head that does not come to its end is ended by us; a good client is served meanwhile."""
        slow = [self.connect() for _ in range(40)]
        for connection in slow:
            connection.sendall(b'GET /api/v1/health HTT')
        self.want(200, 'GET', '/api/v1/health')
        answers = [server.read_raw(connection) for connection in slow]
        self.assertTrue(all(answer.startswith(b'HTTP/1.1 408 ') for answer in answers), answers[0])
        self.want(200, 'GET', '/api/v1/health')

    def test_row_10_places_of_one_address(self):
        held = [self.connect() for _ in range(64)]
        for connection in held:
            connection.sendall(GOOD)
            self.assertIn(b'200', connection.recv(12))
        self.assertTrue(self.raw(GOOD).startswith(b'HTTP/1.1 503 '))
        for connection in held:
            connection.close()  # with the rest unread: a reset
        while not self.raw(CLOSE).startswith(b'HTTP/1.1 200 '):
            self.assertIsNone(self.server.process.poll())

    def test_row_11_slow_body(self):
        connection = self.connect()
        connection.sendall(post(b'Content-Length: 1000', body=b'{'))
        begun = time.monotonic()
        answer = server.read_raw(connection)
        self.assertTrue(answer.startswith(b'HTTP/1.1 408 '), answer)
        self.assertGreater(time.monotonic() - begun, 5)

    def test_row_11_slow_reader(self):
        self.token = self.make_token()
        connection = socket.socket()
        self.addCleanup(connection.close)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(server.LIMIT)
        connection.connect(('127.0.0.1', self.port))
        # More answers than the buffers of the system hold, and nobody who reads them.
        connection.settimeout(2)
        ask = get(b'/openapi.json')
        try:
            for _ in range(3000):
                connection.sendall(ask)
        except (TimeoutError, OSError):
            pass
        self.want(200, 'GET', '/api/v1/health')

    def test_row_12_sizes_of_bodies(self):
        self.refused(413, post(b'Content-Length: 1073741824'))
        self.refused(413, post(b'Transfer-Encoding: chunked', body=b'2000\r\n' + b'x' * 8192 + b'\r\n1\r\nx\r\n'))
        self.refused(413, post(b'Content-Length: 999999999999999999'))
        # Whoever shows nothing may not send what a token may.
        self.refused(413, b'PUT /api/v1/workflows/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n')

    def test_row_13_codings_of_bodies(self):
        self.refused(415, post(b'Content-Length: 2', b'Content-Encoding: gzip', body=b'{}'))

    def test_row_14_ranges(self):
        ranges = b'Range: bytes=' + b','.join(b'0-' for _ in range(3000))
        answer = self.taken(200, get(b'/api/v1/health', ranges))
        self.assertNotIn(b'206', answer.split(b'\r\n')[0])

    def test_row_15_expectations_and_pipelines(self):
        answer = self.raw(post(b'Content-Length: 2', b'Expect: 100-continue', b'Connection: close', body=b'{}'))
        self.assertTrue(answer.startswith(b'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 422 '), answer)
        self.refused(417, get(b'/api/v1/health', b'Expect: more'))
        self.assertEqual(self.raw(GOOD * 10000).count(b'HTTP/1.1 200 '), 8)

    def test_row_16_methods_and_versions(self):
        for line, status in ((b'TRACE / HTTP/1.1', 501), (b'CONNECT a:1 HTTP/1.1', 501), (b'BREW / HTTP/1.1', 501),
                             (b'GET /', 505), (b'GET / HTTP/0.9', 505), (b'GET / HTTP/2.0', 505),
                             (b'GET  / HTTP/1.1', 400), (b'PRI * HTTP/2.0', 505)):
            self.refused(status, line + b'\r\nHost: localhost\r\n\r\n')

    def test_row_17_paths(self):
        for path in (b'/api/../etc', b'/api/v1/%2e%2e/x', b'/api/v1/a%2fb', b'/a%00', b'/a%c0%afb', b'//evil', b'/a//b',
                     b'http://evil.example/', b'/a\\b', b'/a%5cb', b'/%zz', b'/./x', b'*', b'a', b'/a#b', b'/a?b=%00'):
            self.refused(400, get(path))

    def test_row_18_games_with_suffixes(self):
        for path in ('/api/v1/users;/health', '/api/v1/users/', '/API/V1/users', '/api/v1/health/x', '/api/v1/Health'):
            self.want(404, 'GET', path)
        self.want(401, 'GET', '/api/v1/users')
        self.want(401, 'GET', '/api/v1/users/?x'.replace('/?', '?'))

    def test_row_19_types_of_bodies(self):
        for name in ('text/plain', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded'):
            self.want(415, 'POST', '/api/v1/setup', '{}', Content_Type=name)
        self.want(415, 'POST', '/setup', '{}', Content_Type='application/json')

    def test_row_20_half_closed(self):
        """There is no TLS here yet: what a client of it says is no request."""
        self.assertTrue(self.raw(b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + b'\0' * 50).startswith(b'HTTP/1.1 400 '))
        for _ in range(100):
            connection = self.connect()
            connection.shutdown(socket.SHUT_WR)
            self.assertEqual(server.read_raw(connection), b'')
            connection.close()
        self.want(200, 'GET', '/api/v1/health')

    def test_rows_21_and_22_no_upgrade(self):
        """There are no web sockets yet: nobody is upgraded, whatever the origin."""
        fields = (b'Connection: Upgrade', b'Upgrade: websocket', b'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
                  b'Sec-WebSocket-Version: 13', b'Origin: http://evil.example')
        self.taken(200, get(b'/api/v1/health', *fields))
        self.assertNotIn(b' 101 ', self.taken(401, get(b'/api/v1/events', *fields)))

    def test_what_is_good_byte_by_byte(self):
        connection = self.connect()
        data = post(b'Content-Length: 2', b'Connection: close', body=b'{}')
        for i in range(len(data)):
            connection.sendall(data[i:i + 1])
        self.assertTrue(server.read_raw(connection).startswith(b'HTTP/1.1 422 '))

    def test_refusals_in_the_language_that_is_asked_for(self):
        answer = self.refused(421, b'GET / HTTP/1.1\r\nHost: evil.example\r\nAccept-Language: de\r\n\r\n')
        self.assertIn(b'application/problem+json', answer)
        self.assertIn('heißt nicht so'.encode(), answer)


server.main()
