# SPDX-License-Identifier: LGPL-2.1-or-later
"""What others may send to the control socket: refused, and the run goes on."""

import socket
import struct

import world

PING = b'\x81\xa2op\xa4ping'


def frame(body: bytes) -> bytes:
    return struct.pack('<I', len(body)) + body


class Hostile(world.Case):
    def setUp(self):
        super().setUp()
        self.write('asks.yaml', world.SIGNAL)
        self.run_ = self.start('run', 'asks.yaml', '--store', 'run.db', '--json')
        self.run_.wait_for('ask', 'waits')

    def tearDown(self):
        """Whatever was sent, a good client is served and the run ends well."""
        self.expect(0, 'execution', 'signal', self.the_execution(), 'go', '1', '--store', 'run.db')
        result = self.run_.end()
        self.assertEqual(result.code, 0, result)

    def connect(self) -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(world.LIMIT)
        client.connect(self.path('run.db.sock'))
        self.addCleanup(client.close)
        return client

    @staticmethod
    def receive(client: socket.socket) -> bytes:
        head = client.recv(4, socket.MSG_WAITALL)
        return client.recv(struct.unpack('<I', head)[0], socket.MSG_WAITALL) if len(head) == 4 else b''

    def ask(self, data: bytes) -> bytes:
        client = self.connect()
        client.sendall(data)
        try:
            return self.receive(client)
        finally:
            client.close()

    def test_ping(self):
        self.assertIn(b'\xa2ok\xc3', self.ask(frame(PING)))

    def test_bytes_that_come_one_by_one(self):
        client = self.connect()
        for byte in frame(PING):
            client.sendall(bytes([byte]))
        self.assertIn(b'\xa2ok\xc3', self.receive(client))

    def test_several_frames_at_once(self):
        client = self.connect()
        client.sendall(frame(PING) * 3)
        for _ in range(3):
            self.assertIn(b'\xa2ok\xc3', self.receive(client))

    def test_refused_frames_close_the_connection(self):
        for data in (struct.pack('<I', 0), struct.pack('<I', 0xffffffff), struct.pack('<I', (1 << 20) + 1),
                     frame(b'\xc1'), frame(b'\x81\xa2op'), frame(b'\x01'), frame(PING + b'\x00'),
                     frame(b'\x91' * 100000), frame(b'\xdf\xff\xff\xff\xff'), frame(b'\xdb\xff\xff\xff\xff')):
            client = self.connect()
            client.sendall(data)
            self.assertIn(b'\xa2ok\xc2', self.receive(client), data[:16])
            self.assertEqual(client.recv(1), b'')

    def test_unknown_requests_are_answered(self):
        for body in (b'\x80', b'\x81\xa2op\x01', b'\x81\xa2op\xa4boom', b'\x81\xa2op\xa6cancel',
                     b'\x82\xa2op\xa6cancel\xa9execution\xa3abc', b'\x82\xa2op\xa4list\xa6status\xa1x'):
            self.assertIn(b'\xa2ok\xc2', self.ask(frame(body)), body)

    def test_half_a_frame_and_away(self):
        for _ in range(10):
            client = self.connect()
            client.sendall(frame(PING)[:7])
            client.close()

    def test_more_connections_than_allowed(self):
        clients = [self.connect() for _ in range(60)]
        for client in clients:
            client.sendall(frame(PING))
        for client in clients[:32]:
            self.assertIn(b'\xa2ok\xc3', self.receive(client))
        clients[40].setblocking(False)
        self.assertRaises(BlockingIOError, clients[40].recv, 1)
        clients[40].setblocking(True)
        for client in clients[:32]:
            client.close()
        for client in clients[32:]:
            self.assertIn(b'\xa2ok\xc3', self.receive(client))
            client.close()


if __name__ == '__main__':
    world.main()
