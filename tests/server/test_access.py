# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may come in: the first user, passwords, tokens, roles; every route of the document without and with each role."""

import os
import re
import stat

import server

ROLES = ('viewer', 'operator', 'editor', 'admin')


class FirstUser(server.Case):
    def secret(self) -> str:
        with open(self.path('data/first-user'), encoding='utf-8') as file:
            return re.search(r'secret=([0-9a-f]+)', file.read()).group(1)

    def set_up(self, secret: str, status: int, name: str = 'ada') -> None:
        self.want(status, 'POST', '/api/v1/setup', {'secret': secret, 'user': name, 'password': server.PASSWORD})

    def test_nothing_is_open_before(self):
        self.assertIn('/setup?secret=', self.server.wait_for('There is no user yet'))
        self.assertEqual(stat.S_IMODE(os.stat(self.path('data/first-user')).st_mode), 0o600)
        for path in ('/api/v1/health', '/api/v1/ready', '/setup'):
            self.want(200, 'GET', path)
        for path in ('/openapi.json', '/api/v1/workflows', '/api/v1/self'):
            self.assertIn('no user yet', self.want(401, 'GET', path).json()['detail'])

    def test_link_works_once(self):
        secret = self.secret()
        self.set_up('0' * 64, 403)
        self.set_up(secret, 201)
        self.set_up(secret, 403, 'eve')
        self.server.wait_for('The first user has been made')
        self.assertFalse(os.path.exists(self.path('data/first-user')))
        self.want(410, 'GET', '/setup')
        self.want(200, 'GET', '/openapi.json')
        self.stop()
        self.serve()
        self.assertFalse(os.path.exists(self.path('data/first-user')))

    def test_a_failed_try_leaves_the_link(self):
        secret = self.secret()
        self.want(400, 'POST', '/api/v1/setup', {'secret': secret, 'user': 'ada', 'password': 'short'})
        self.want(400, 'POST', '/api/v1/setup', {'secret': secret, 'user': 'Ada!', 'password': server.PASSWORD})
        self.set_up(secret, 201)

    def test_form(self):
        page = self.want(200, 'GET', f'/setup?secret={self.secret()}', Accept_Language='de').body.decode()
        self.assertIn('lang="de"', page)
        self.assertNotIn('<script', page)
        form = {'Content_Type': 'application/x-www-form-urlencoded'}
        self.want(403, 'POST', '/setup', 'secret=%22%3E%3Cb%3E&user=ada&password=correct+horse+battery', **form)
        self.want(200, 'POST', '/setup', f'secret={self.secret()}&user=ada&password=correct+horse+battery', **form)
        self.want(410, 'GET', '/setup')

    def test_passwords(self):
        self.set_up(self.secret(), 201)
        import base64
        def basic(text: str) -> str:
            return 'Basic ' + base64.b64encode(text.encode()).decode()
        good = basic('ada:' + server.PASSWORD)
        self.assertEqual(self.want(200, 'GET', '/api/v1/self', Authorization=good).json()['user'], 'ada')
        self.want(200, 'GET', '/api/v1/self', Authorization=good)
        # Who guesses is stopped; so is everybody else of that address, for a while.
        wrong = [self.ask('GET', '/api/v1/self', Authorization=basic('ada:wrong')).status for _ in range(12)]
        self.assertEqual(wrong[0], 401)
        self.assertEqual(wrong[-1], 429)
        answer = self.want(429, 'GET', '/api/v1/self', Authorization=good)
        self.assertGreater(int(answer.headers['Retry-After']), 0)


class Tokens(server.Case):
    def test_commands_and_routes(self):
        admin = self.token = self.make_token()
        viewer = self.make_token('viewer')
        listed = self.expect(0, 'token', 'list', '--data-dir', 'data', '--json').json()
        self.assertEqual({token['role'] for token in listed}, {'admin', 'viewer'})
        self.assertNotIn('hash', str(listed))
        own = self.want(200, 'GET', '/api/v1/self', token=viewer).json()
        self.assertEqual((own['tenant'], own['role']), ('default', 'viewer'))
        self.expect(0, 'token', 'revoke', own['credential'], '--data-dir', 'data')
        self.want(401, 'GET', '/api/v1/self', token=viewer)
        self.stop()
        self.serve()
        self.want(200, 'GET', '/api/v1/self', token=admin)
        self.want(401, 'GET', '/api/v1/self', token=viewer)
        self.want(401, 'GET', '/api/v1/self', token=admin[:-1] + ('0' if admin[-1] != '0' else '1'))

    def test_expiry(self):
        short = self.make_token('viewer', '--expires', '1ms')
        self.want(401, 'GET', '/api/v1/self', token=short)

    def test_tokens_of_users_and_their_roles(self):
        self.token = self.make_token()
        self.want(201, 'POST', '/api/v1/users', {'user': 'bob', 'password': server.PASSWORD, 'role': 'editor'})
        self.want(409, 'POST', '/api/v1/users', {'user': 'bob', 'password': server.PASSWORD, 'role': 'editor'})
        made = self.want(201, 'POST', '/api/v1/tokens', {'title': 'b', 'role': 'editor', 'user': 'bob'}).json()
        secret = made['secret']
        self.assertEqual(self.want(200, 'GET', '/api/v1/self', token=secret).json()['role'], 'editor')
        # No token makes a stronger one, or one of somebody else.
        self.want(403, 'POST', '/api/v1/tokens', {'title': 'x', 'role': 'admin'}, token=secret)
        self.want(403, 'POST', '/api/v1/tokens', {'title': 'x', 'role': 'viewer', 'user': 'ada'}, token=secret)
        # It never may do more than its user, from the moment on that they may less.
        self.want(201, 'POST', '/api/v1/users', {'user': 'ada', 'password': server.PASSWORD, 'role': 'admin'})
        self.want(200, 'PATCH', '/api/v1/users/bob', {'role': 'viewer'})
        self.assertEqual(self.want(200, 'GET', '/api/v1/self', token=secret).json()['role'], 'viewer')
        self.want(200, 'PATCH', '/api/v1/users/bob', {'disabled': True})
        self.want(401, 'GET', '/api/v1/self', token=secret)
        self.want(409, 'DELETE', '/api/v1/users/ada')
        self.want(204, 'DELETE', '/api/v1/users/bob')
        self.want(404, 'PATCH', '/api/v1/users/bob', {'role': 'viewer'})
        self.assertEqual([user['user'] for user in self.want(200, 'GET', '/api/v1/users').json()], ['ada'])

    def test_another_tenant(self):
        self.token = self.make_token()
        other = self.make_token('admin', '--tenant', 'other')
        self.want(201, 'POST', '/api/v1/users', {'user': 'bob', 'password': server.PASSWORD, 'role': 'viewer'})
        self.assertEqual(self.want(200, 'GET', '/api/v1/users', token=other).json(), [])
        self.want(404, 'DELETE', '/api/v1/users/bob', token=other)
        self.assertEqual(len(self.want(200, 'GET', '/api/v1/tokens', token=other).json()), 1)
        own = self.want(200, 'GET', '/api/v1/self').json()['credential']
        self.want(404, 'DELETE', f'/api/v1/tokens/{own}', token=other)
        self.want(501, 'GET', '/api/v1/workflows', token=other)


class Matrix(server.Case):
    """Made of the document: a route that is added is walked too."""
    OPEN = {'getHealth', 'getReady', 'getDocument', 'getSetUpPage', 'postSetUpForm', 'setUp'}

    def routes(self):
        for path, methods in self.want(200, 'GET', '/openapi.json').json()['paths'].items():
            for method, route in methods.items():
                yield method.upper(), re.sub(r'\{[a-z]+\}', 'nothing-of-this-name', path), route

    def send(self, method: str, path: str, route, token: str = ''):
        body = '{}' if 'requestBody' in route else None
        types = list(route['requestBody']['content']) if body else []
        headers = {'Content_Type': types[0]} if types else {}
        return self.ask(method, path, body, token=token, **headers)

    def test_every_route(self):
        tokens = {role: self.make_token(role) for role in ROLES}
        self.token = tokens['admin']
        held = {row['role']: row['permissions'] for row in self.want(200, 'GET', '/api/v1/roles').json()}
        routes = list(self.routes())
        self.assertGreater(len(routes), 40)
        self.token = None
        for method, path, route in routes:
            name = route['operationId']
            if name in self.OPEN:
                self.assertEqual(route['security'], [], name)
                continue
            answer = self.send(method, path, route)
            self.assertEqual(answer.status, 401, f'{name}: {answer}')
            self.assertEqual(answer.headers['Content-Type'], 'application/problem+json')
            for role in ROLES:
                may = route['x-permission'] in held[role]
                if may and 'text/event-stream' in str(route['responses']):
                    continue
                status = self.send(method, path, route, tokens[role]).status
                self.assertEqual(status == 403, not may, f'{name} as {role}: {status}')
                self.assertNotIn(status, (401, 500), f'{name} as {role}')

    def test_the_table_has_all_roles(self):
        self.token = self.make_token()
        rows = self.want(200, 'GET', '/api/v1/roles').json()
        self.assertEqual([row['role'] for row in rows], list(ROLES))
        for less, more in zip(rows, rows[1:]):
            self.assertLess(set(less['permissions']), set(more['permissions']))


class Rates(server.Case):
    def serve(self) -> None:
        self.environment['NEBULA_SERVER_RATE'] = '5'
        super().serve()

    def test_too_many(self):
        self.token = self.make_token()
        answers = [self.ask('GET', '/api/v1/self') for _ in range(40)]
        self.assertEqual(answers[0].status, 200)
        self.assertEqual(answers[-1].status, 429)
        self.assertGreater(int(answers[-1].headers['Retry-After']), 0)
        self.want(200, 'GET', '/api/v1/health')


server.main()
