# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program, its library and its modules speak the user's language, from catalogues that are not installed."""

import os
import shutil
import subprocess
import unittest

import world


@unittest.skipUnless(shutil.which('msgfmt'), 'without msgfmt there are no catalogues')
class Language(world.Case):
    def setUp(self) -> None:
        super().setUp()
        for language in ('de', 'it'):
            folder = self.path(os.path.join('locale', language, 'LC_MESSAGES'))
            os.makedirs(folder)
            subprocess.run(['msgfmt', '-o', os.path.join(folder, 'nebula.mo'),
                            os.path.join(world.SOURCE, 'po', language + '.po')], check=True)
        self.environment['NEBULA_LOCALEDIR'] = self.path('locale')
        del self.environment['LC_ALL']
        self.environment['LANG'] = 'C.UTF-8'

    def said(self, code: int, language: str, *arguments: str) -> str:
        result = self.expect(code, *arguments, LANGUAGE=language)
        return result.out + result.err

    def test_expression(self):
        self.assertIn('Der Ausdruck endet zu früh (Zeile 1, Spalte 4)', self.said(1, 'de', 'expr', '1 +'))
        self.assertIn('L\'espressione finisce troppo presto (riga 1, colonna 4)', self.said(1, 'it', 'expr', '1 +'))
        self.assertIn('The expression ends too early (line 1, column 4)', self.said(1, '', 'expr', '1 +'))

    def test_diagnostics(self):
        self.write('bad.yaml', world.BAD)
        text = self.said(2, 'de', 'validate', 'bad.yaml')
        self.assertIn('Es gibt keine Aktion „data.sett“. War „data.set“ gemeint?', text)
        self.assertIn('[unknown-action]', text)
        self.assertIn('Hier gibt es keinen Knoten „nobody“ zum Verbinden', text)
        text = self.said(2, 'it', 'validate', 'bad.yaml')
        self.assertIn('Non c\'è un\'azione «data.sett». Forse si intendeva «data.set»?', text)
        self.assertIn('[unknown-action]', text)

    def test_text_with_a_large_number(self):
        self.assertIn('Es gibt kein Element 7; die Länge ist 1', self.said(1, 'de', 'expr', '[0][7]'))
        self.assertIn('Non c\'è un elemento 7; la lunghezza è 1', self.said(1, 'it', 'expr', '[0][7]'))

    def test_help(self):
        text = self.said(0, 'de', '--help')
        self.assertIn('Führt einen Workflow aus und gibt sein Ergebnis aus', text)
        self.assertNotIn('Runs ', text)
        self.assertIn('Esegue un flusso di lavoro e ne stampa il risultato', self.said(0, 'it', '--help'))

    def test_action_of_a_module(self):
        self.assertIn('HTTP-Anfrage', self.said(0, 'de', 'inspect', 'http.request'))
        self.assertIn('Richiesta HTTP', self.said(0, 'it', 'inspect', 'http.request'))

    def test_setting(self):
        self.assertIn('Ordner der Module', self.said(0, 'de', 'config', 'describe', 'module-path'))
        self.assertIn('Cartelle dei moduli', self.said(0, 'it', 'config', 'describe', 'module-path'))

    def test_allowed_values(self):
        self.assertIn('erlaubt ist strict, relaxed, memory.', self.said(4, 'de', 'config', 'set', 'durability', 'hard'))
        self.assertRegex(self.said(4, 'it', 'config', 'set', 'max-nodes', '0'), r'è ammesso 1 … \d+\.')

    def test_data_stays_as_it_is(self):
        self.write('failing.yaml', world.FAIL)
        result = self.nebula('run', 'failing.yaml', '--json', LANGUAGE='de')
        self.assertEqual(result.code, 1)
        self.assertEqual(result.json()['status'], 'failed')
        self.assertIn('it broke', result.out)

    def test_first_language_that_is_there(self):
        self.assertIn('Der Ausdruck endet', self.said(1, 'eo:de:it', 'expr', '1 +'))


if __name__ == '__main__':
    world.main()
