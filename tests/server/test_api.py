# SPDX-License-Identifier: LGPL-2.1-or-later
"""Workflows, executions, events, conditions, keys and languages over REST; curl as a client of others' making."""

import gzip
import json
import shutil
import signal
import socket
import subprocess
import threading
import unittest

import server
import world

JSON = 'application/json'
YAML = 'application/yaml'
ASKS = world.SIGNAL
DECIDES = '''nebula: 1
name: decides
nodes:
  link: { action: flow.token }
  paid: { action: flow.wait, with: { token: "{{ $nodes.link.result.token }}" }, after: [link] }
  ship: { action: flow.wait, with: { approval: { message: Ship it? } }, after: [paid] }
  sent: { action: data.set, with: { how: sent } }
  back: { action: data.set, with: { how: refunded } }
connections: [ship.approved -> sent, ship.rejected -> back]
'''


class Api(server.Case):
    def setUp(self) -> None:
        super().setUp()
        self.token = self.make_token()

    def deploy(self, text: str, name: str, status: int = 201, **headers: str):
        return self.want(status, 'PUT', f'/api/v1/workflows/{name}', text, Content_Type=YAML, **headers)

    def run_one(self, name: str, **body):
        return self.want(202, 'POST', f'/api/v1/workflows/{name}/execute', {'wait': True, **body}).json()


class Workflows(Api):
    def test_revisions_and_conditions(self):
        first = self.deploy(world.QUICK, 'quick')
        self.assertEqual((first.json()['revision'], first.headers['ETag']), (1, '"r1"'))
        self.deploy(world.QUICK, 'quick', 200)
        changed = world.QUICK.replace('+ 1', '+ 2')
        self.deploy(changed, 'quick', 409, If_Match='"r7"')
        self.deploy(changed, 'quick', 409, If_None_Match='*')
        self.deploy(changed, 'quick', 412, If_Match='"nonsense"')
        self.assertEqual(self.deploy(changed, 'quick', If_Match='"r1"').json()['revision'], 2)
        got = self.want(200, 'GET', '/api/v1/workflows/quick')
        self.assertEqual((got.json()['revision'], got.headers['ETag']), (2, '"r2"'))
        self.want(304, 'GET', '/api/v1/workflows/quick', If_None_Match='"r2"')
        self.assertEqual(self.want(200, 'GET', '/api/v1/workflows/quick?revision=1').json()['revision'], 1)
        items = self.want(200, 'GET', '/api/v1/workflows/quick/revisions').json()['items']
        self.assertEqual([item['revision'] for item in items], [2, 1])
        self.assertFalse(self.want(200, 'GET', '/api/v1/workflows/quick/diff?from=1').json()['same'])
        self.want(200, 'PUT', '/api/v1/workflows/quick/labels/good', {'revision': '1'})
        back = self.want(200, 'POST', '/api/v1/workflows/quick/rollback', {'revision': 'good'}).json()
        self.assertEqual(back['revision'], 3)
        self.want(204, 'DELETE', '/api/v1/workflows/quick/labels/good')
        self.want(404, 'GET', '/api/v1/workflows/quick?revision=good')
        self.want(404, 'GET', '/api/v1/workflows/nothing')

    def test_what_is_wrong_is_told(self):
        problem = self.deploy(world.BAD, 'bad', 422).json()
        self.assertEqual(problem['code'], 'invalid-workflow')
        codes = {entry['code'] for entry in problem['diagnostics']}
        self.assertIn('unknown-action', codes)
        self.assertTrue(all(entry['line'] > 0 for entry in problem['diagnostics']))
        verdict = self.want(200, 'POST', '/api/v1/workflows/validate', world.BAD, Content_Type=YAML).json()
        self.assertFalse(verdict['valid'])
        self.assertTrue(self.want(200, 'POST', '/api/v1/workflows/validate', world.QUICK, Content_Type=YAML).json()['valid'])
        self.deploy(world.QUICK, 'other', 422)

    def test_pages(self):
        for name in 'abcde':
            self.deploy(world.QUICK.replace('name: quick', f'name: {name}'), name)
        seen, after = [], ''
        while True:
            page = self.want(200, 'GET', f'/api/v1/workflows?limit=2{after}')
            seen += [item['workflow'] for item in page.json()['items']]
            if not page.json()['next']:
                break
            self.assertIn('rel="next"', page.headers['Link'])
            after = '&after=' + page.json()['next']
        self.assertEqual(seen, list('abcde'))


class Executions(Api):
    def test_life(self):
        self.deploy(world.QUICK, 'quick')
        self.assertEqual(self.run_one('quick', input={'x': 4})['output'], 5)
        self.want(422, 'POST', '/api/v1/executions', {'workflow': 'quick', 'inputs': {}})
        self.want(404, 'POST', '/api/v1/executions', {'workflow': 'nothing'})
        started = self.want(202, 'POST', '/api/v1/executions', {'workflow': 'quick'}).json()['execution']
        report = self.want(200, 'GET', f'/api/v1/executions/{started}/wait').json()
        self.assertEqual((report['status'], report['output']), ('completed', 2))
        node = self.want(200, 'GET', f'/api/v1/executions/{started}?node=a').json()
        self.assertEqual(node['result'], {'y': 2})
        self.want(409, 'POST', f'/api/v1/executions/{started}/cancel', {})
        again = self.want(202, 'POST', f'/api/v1/executions/{started}/rerun', {'wait': True}).json()
        self.assertNotEqual(again['execution'], started)
        page = self.want(200, 'GET', '/api/v1/executions?status=completed&workflow=quick&limit=2').json()
        self.assertEqual(len(page['items']), 2)
        self.want(400, 'GET', '/api/v1/executions?status=nothing')
        self.want(400, 'GET', '/api/v1/executions?colour=red')
        self.want(400, 'GET', '/api/v1/executions?limit=many')
        self.want(404, 'GET', '/api/v1/executions/exe_00000000000000000000000000')

    def test_orders(self):
        self.deploy(ASKS, 'asks')
        one, two, three = (self.want(202, 'POST', '/api/v1/executions', {'workflow': 'asks'}).json()['execution']
                           for _ in range(3))
        while self.want(200, 'GET', f'/api/v1/executions/{one}/why').json()['reasons'] == []:
            self.assertIsNone(self.server.process.poll())
        self.assertEqual(self.want(200, 'GET', f'/api/v1/executions/{one}/why').json()['reasons'][0]['reason'], 'signal')
        self.want(200, 'POST', f'/api/v1/executions/{one}/pause', {'reason': 'lunch'})
        self.assertEqual(self.want(200, 'GET', f'/api/v1/executions/{one}').json()['status'], 'paused')
        self.want(200, 'POST', f'/api/v1/executions/{one}/resume', {})
        self.want(200, 'POST', f'/api/v1/executions/{one}/signal', {'name': 'go', 'value': 7})
        report = self.want(200, 'GET', f'/api/v1/executions/{one}/wait').json()
        self.assertEqual(report['nodes']['got']['result'], {'value': 7})
        self.want(200, 'POST', f'/api/v1/executions/{two}/cancel', {'reason': 'no'})
        self.want(200, 'POST', f'/api/v1/executions/{three}/terminate', {})
        for each in (two, three):
            self.assertEqual(self.want(200, 'GET', f'/api/v1/executions/{each}/wait').json()['status'], 'cancelled')

    def wait_at(self, execution: str, reason: str) -> None:
        while reason not in self.want(200, 'GET', f'/api/v1/executions/{execution}/why').body.decode():
            self.assertIsNone(self.server.process.poll())

    def test_tokens_and_decisions(self):
        self.deploy(DECIDES, 'decides')
        for verb, node in (('approve', 'sent'), ('reject', 'back')):
            one = self.want(202, 'POST', '/api/v1/executions', {'workflow': 'decides'}).json()['execution']
            self.wait_at(one, 'token')
            link = self.want(200, 'GET', f'/api/v1/executions/{one}?node=link').json()['result']
            self.want(200, 'POST', f'/api/v1/executions/{one}/answer', {'token': link['token'], 'value': 3})
            self.wait_at(one, 'approval')
            self.want(200, 'POST', f'/api/v1/executions/{one}/{verb}', {'node': 'ship', 'comment': 'so be it'})
            report = self.want(200, 'GET', f'/api/v1/executions/{one}/wait').json()
            self.assertEqual((report['status'], report['nodes'][node]['status']), ('completed', 'completed'), report)

    def test_keys_of_one_life(self):
        self.deploy(world.QUICK, 'quick')
        ask = {'workflow': 'quick'}
        first = self.want(202, 'POST', '/api/v1/executions', ask, Idempotency_Key='k1')
        second = self.want(202, 'POST', '/api/v1/executions', ask, Idempotency_Key='k1')
        self.assertEqual((second.body, second.headers['Idempotency-Replayed']), (first.body, 'true'))
        self.want(422, 'POST', '/api/v1/executions', {**ask, 'input': {'x': 2}}, Idempotency_Key='k1')
        self.want(404, 'POST', '/api/v1/executions', {'workflow': 'nothing'}, Idempotency_Key='k2')

    def test_keys(self):
        """P3: once, the same answer, and 422 for another body."""
        self.deploy(world.QUICK, 'quick')
        ask = {'workflow': 'quick'}
        first = self.want(202, 'POST', '/api/v1/executions', ask, Idempotency_Key='k1')
        self.assertIsNone(first.headers['Idempotency-Replayed'])
        second = self.want(202, 'POST', '/api/v1/executions', ask, Idempotency_Key='k1')
        self.assertEqual((second.body, second.headers['Idempotency-Replayed']), (first.body, 'true'))
        self.want(422, 'POST', '/api/v1/executions', {**ask, 'input': {'x': 2}}, Idempotency_Key='k1')
        self.want(400, 'POST', '/api/v1/executions', ask, Idempotency_Key='k' * 300)
        other = self.want(202, 'POST', '/api/v1/executions', ask, Idempotency_Key='k1', token=self.make_token('operator'))
        self.assertNotEqual(other.body, first.body)
        self.server.kill()
        self.serve()
        third = self.want(202, 'POST', '/api/v1/executions', ask, Idempotency_Key='k1')
        self.assertEqual((third.body, third.headers['Idempotency-Replayed']), (first.body, 'true'))

    def test_what_was_answered_survives(self):
        self.deploy(ASKS, 'asks')
        started = [self.want(202, 'POST', '/api/v1/executions', {'workflow': 'asks'}).json()['execution'] for _ in range(5)]
        self.server.kill()
        self.serve()
        for each in started:
            self.want(200, 'POST', f'/api/v1/executions/{each}/signal', {'name': 'go', 'value': 1})
            self.assertEqual(self.want(200, 'GET', f'/api/v1/executions/{each}/wait').json()['status'], 'completed')


class Events(Api):
    def listen(self, path: str, last: str = ''):
        connection = self.connect()
        more = f'Last-Event-ID: {last}\r\n' if last else ''
        connection.sendall(f'GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n{more}\r\n'.encode())
        file = connection.makefile('rb')
        self.assertIn(b'200', file.readline())
        return connection, file

    def read_events(self, file, until: str):
        events, event = [], {}
        for line in file:
            name, colon, value = line.decode().strip().partition(': ')
            if colon and name in ('id', 'event', 'data'):
                event[name] = value
            if name == 'data':
                events.append(event)
                if event['event'] == until:
                    return events
                event = {}
        raise AssertionError(f'the stream ended before {until}: {events}')

    def test_stream_and_resume(self):
        self.deploy(world.QUICK, 'quick')
        connection, file = self.listen('/api/v1/events?topic=execution.*')
        file.readline()
        while b': ' not in file.peek(1):
            file.readline()
        ran = self.run_one('quick')['execution']
        events = self.read_events(file, 'execution.completed')
        self.assertTrue(all(json.loads(event['data'])['specversion'] == '1.0' for event in events))
        self.assertIn(ran, events[-1]['data'])
        first = events[0]['id']
        connection.close()
        later = self.run_one('quick')['execution']
        _, file = self.listen('/api/v1/events?topic=execution.*', first)
        missed = self.read_events(file, 'execution.completed')
        self.assertEqual([event.get('id') for event in missed], [event.get('id') for event in events[1:]])
        self.assertIn(later, self.read_events(file, 'execution.completed')[-1]['data'])
        _, file = self.listen('/api/v1/events?topic=execution.*', 'nothing-1')
        self.assertEqual(self.read_events(file, 'reset')[-1]['event'], 'reset')

    def test_nonsense(self):
        self.want(400, 'GET', '/api/v1/events?topic=nothing.at.all')


class Protocol(Api):
    def test_headers(self):
        answer = self.want(200, 'GET', '/api/v1/self', X_Request_Id='my-own-request-1')
        self.assertEqual(answer.headers['X-Request-Id'], 'my-own-request-1')
        self.assertNotEqual(self.want(200, 'GET', '/api/v1/self', X_Request_Id='short').headers['X-Request-Id'], 'short')
        for name in ('X-Content-Type-Options', 'X-Frame-Options', 'Content-Security-Policy', 'Referrer-Policy'):
            self.assertTrue(answer.headers[name], name)
        trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
        sent = self.want(200, 'GET', '/api/v1/self', traceparent=trace).headers['traceparent']
        self.assertEqual(sent[:36], trace[:36])
        self.assertNotEqual(sent, trace)
        self.assertRegex(self.want(200, 'GET', '/api/v1/self', traceparent='nonsense').headers['traceparent'],
                         '^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$')

    def test_methods(self):
        answer = self.want(405, 'POST', '/api/v1/health', {})
        self.assertEqual(set(answer.headers['Allow'].split(', ')), {'OPTIONS', 'GET', 'HEAD'})
        self.assertIn('PUT', self.want(204, 'OPTIONS', '/api/v1/workflows/a').headers['Allow'])
        head, full = self.want(200, 'HEAD', '/api/v1/self'), self.want(200, 'GET', '/api/v1/self')
        self.assertEqual((head.body, head.headers['ETag']), (b'', full.headers['ETag']))
        self.want(404, 'GET', '/nothing')

    def test_bodies(self):
        for body in ('{"a":1,"a":2}', '{', '', '[1,]', "{'a':1}", '{} {}', '[' * 200, '\ufeff{}', '{"a":1e400}'):
            status = self.ask('POST', '/api/v1/tokens', body, Content_Type=JSON).status
            self.assertIn(status, (400, 422), body)
        problem = self.want(422, 'POST', '/api/v1/tokens', {'title': 'x', 'colour': 1}).json()
        self.assertEqual(problem['errors'][0]['pointer'] if 'pointer' in problem['errors'][0] else '/colour', '/colour')

    def test_languages_at_the_same_time(self):
        titles = {}
        def ask(language: str) -> None:
            titles[language] = self.ask('GET', '/nothing', Accept_Language=language).json()['title']
        threads = [threading.Thread(target=ask, args=(language,)) for language in ('de', 'it', 'en', 'xx')]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len({titles['de'], titles['it'], titles['en']}), 3, titles)
        self.assertEqual(titles['xx'], titles['en'])

    def test_gzip(self):
        packed = self.want(200, 'GET', '/openapi.json', Accept_Encoding='gzip')
        plain = self.want(200, 'GET', '/openapi.json')
        self.assertEqual(packed.headers['Content-Encoding'], 'gzip')
        self.assertEqual(gzip.decompress(packed.body), plain.body)
        self.assertIsNone(self.want(200, 'GET', '/api/v1/health', Accept_Encoding='gzip').headers['Content-Encoding'])
        self.assertIsNone(self.want(200, 'GET', '/openapi.json', Accept_Encoding='gzip;q=0').headers['Content-Encoding'])

    def test_catalogue_queues_metrics(self):
        self.assertIn('data.set', [action['id'] for action in self.want(200, 'GET', '/api/v1/actions').json()])
        found = self.want(200, 'GET', '/api/v1/actions?search=http').json()
        self.assertEqual(found[0]['id'], 'http.request')
        self.assertEqual(self.want(200, 'GET', '/api/v1/actions/http.request').json()['id'], 'http.request')
        self.assertEqual(self.want(200, 'GET', '/api/v1/actions/http.request/schema').json()['type'], 'object')
        self.want(404, 'GET', '/api/v1/actions/no.thing')
        self.assertNotIn('path', self.want(200, 'GET', '/api/v1/modules/flow').json())
        self.assertEqual(self.want(200, 'GET', '/api/v1/queues').json(), [])
        self.want(404, 'GET', '/api/v1/queue?queue=other/x')
        self.assertIn(b'# TYPE nebula_', self.want(200, 'GET', '/api/v1/metrics').body)

    @unittest.skipUnless(shutil.which('curl'), 'curl is not there')
    def test_curl(self):
        done = subprocess.run(['curl', '-sS', '--fail', '-H', f'Authorization: Bearer {self.token}', '--compressed',
                               f'http://127.0.0.1:{self.port}/openapi.json'], capture_output=True, check=True)
        self.assertEqual(json.loads(done.stdout)['openapi'], '3.1.0')


class End(Api):
    def test_what_has_begun_is_answered(self):
        self.deploy(world.SLOW.replace('1s', '5s'), 'slow')
        connection = self.connect()
        body = b'{"wait":true}'
        connection.sendall(b'POST /api/v1/workflows/slow/execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
                           b'Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s' % (self.token.encode(), len(body), body))
        while not self.want(200, 'GET', '/api/v1/executions').json()['items']:
            self.assertIsNone(self.server.process.poll())
        _, file = Events.listen(self, '/api/v1/events')
        self.server.send(signal.SIGTERM)
        answer = server.read_raw(connection)
        self.assertIn(b'"status":"completed"', answer)
        file.read()
        self.assertEqual(self.server.end().code, 0)
        with self.assertRaises(OSError):
            socket.create_connection(('127.0.0.1', self.port), timeout=5)

    def test_retention_by_settings(self):
        self.deploy(world.QUICK, 'quick')
        for _ in range(3):
            self.run_one('quick')
        self.stop()
        self.environment['NEBULA_RETENTION_KEEP'] = '1'
        self.serve()
        for _ in range(300):
            if len(self.want(200, 'GET', '/api/v1/executions').json()['items']) == 1:
                break
        self.assertEqual(len(self.want(200, 'GET', '/api/v1/executions').json()['items']), 1)

    def test_bad_arguments(self):
        self.assertIn('no address', self.expect(2, 'serve', '--data-dir', 'other', '--listen', 'nowhere').err)
        taken = self.expect(4, 'serve', '--data-dir', 'other', '--listen', f'127.0.0.1:{self.port}').err
        self.assertIn('cannot listen', taken)
        self.expect(4, 'serve', '--data-dir', 'data', '--listen', '127.0.0.1:0')

    def test_unix_socket(self):
        other = self.start('serve', '--data-dir', 'other', '--listen', '127.0.0.1:0', '--listen-unix', self.path('api'))
        other.wait_for('unix:')
        connection = socket.socket(socket.AF_UNIX)
        self.addCleanup(connection.close)
        connection.connect(self.path('api'))
        connection.sendall(b'GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
        self.assertIn(b'"ok"', server.read_raw(connection))
        other.send(signal.SIGTERM)
        self.assertEqual(other.end().code, 0)


server.main()
