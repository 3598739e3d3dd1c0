# SPDX-License-Identifier: LGPL-2.1-or-later
"""The catalogues are complete, sound and written as their language writes."""

import gettext
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from mesonbuild.modules.i18n import PRESET_ARGS  # the build's own options of xgettext

TOP = os.path.abspath(sys.argv.pop(1))
PO = os.path.join(TOP, 'po')
TOOLS = ('xgettext', 'msgfmt', 'msgcmp', 'msgattrib')

# A language that joins LINGUAS says here how it counts (the form for 0, 1, 2, 5, 21) and how it quotes.
COUNTS = {'de': (1, 0, 1, 1, 1), 'it': (1, 0, 1, 1, 1)}
QUOTES = {'de': '„“', 'it': '«»'}
NUMBERS = (0, 1, 2, 5, 21)


def run(*command):
    return subprocess.run(command, cwd=TOP, capture_output=True, text=True, encoding='utf-8', check=False)


def read_linguas():
    with open(os.path.join(PO, 'LINGUAS'), encoding='utf-8') as file:
        return [line.strip() for line in file if line.strip() and not line.startswith('#')]


def catalogue(language):
    return os.path.join(PO, language + '.po')


def read_messages(path):
    """(singular, plural or None, translations) of every message, as they stand in the file, the header left out."""
    text = run('msgattrib', '--no-wrap', '--no-obsolete', path).stdout
    messages = []
    for block in text.split('\n\n'):
        fields = {}
        name = None
        for line in block.split('\n'):
            match = re.match(r'(?:(msg[a-z_]+(?:\[\d+\])?) )?"(.*)"$', line)
            if match:
                name = match.group(1) or name
                fields[name] = fields.get(name, '') + match.group(2)
        if fields.get('msgid'):
            translations = [value for key, value in fields.items() if key.startswith('msgstr')]
            messages.append((fields['msgid'], fields.get('msgid_plural'), translations))
    return messages


def count_blanks(text):
    return len(text) - len(text.rstrip(' ')), len(text) - len(text.lstrip(' '))


class Template(unittest.TestCase):
    """What a fresh extraction finds."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.path = os.path.join(cls.folder, 'nebula.pot')
        cls.extraction = run('xgettext', '--package-name=nebula', '-f', 'po/POTFILES.in', '-D', TOP, '-k_', '-o', cls.path,
                             *PRESET_ARGS['glib'])

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def test_extraction_has_no_warning(self):
        self.assertEqual((self.extraction.returncode, self.extraction.stderr), (0, ''),
                         'a macro such as G_GUINT64_FORMAT cuts a text: cast, and write %llu')

    def test_no_text_is_cut_by_a_macro(self):
        for singular, _plural, _forms in read_messages(self.path):
            self.assertFalse(re.search(r'(?<!%)%(%%)*$', singular), 'cast, and write %%llu: %s' % singular)

    def test_the_programs_texts_are_found(self):
        singular = {message[0] for message in read_messages(self.path)}
        self.assertGreater(len(singular), 1000)
        for text in ('The expression ends too early', 'Runs a workflow and prints its result', 'Folders of modules'):
            self.assertIn(text, singular)

    def test_every_catalogue_has_just_these_texts(self):
        for language in read_linguas():
            with self.subTest(language):
                done = run('msgcmp', catalogue(language), self.path)
                self.assertEqual((done.returncode, done.stderr), (0, ''), 'ninja nebula-update-po, then translate')


class Catalogues(unittest.TestCase):
    def test_linguas_lists_the_files_sorted(self):
        languages = read_linguas()
        self.assertEqual(languages, sorted(set(languages)))
        self.assertEqual(languages, sorted(name[:-3] for name in os.listdir(PO) if name.endswith('.po')))

    def test_msgfmt_takes_them(self):
        for language in read_linguas():
            with self.subTest(language):
                done = run('msgfmt', '-c', '--check-format', '-o', os.devnull, catalogue(language))
                self.assertEqual((done.returncode, done.stderr), (0, ''))

    def test_nothing_is_fuzzy_or_obsolete(self):
        for language in read_linguas():
            for what in ('--only-fuzzy', '--only-obsolete', '--untranslated'):
                with self.subTest(language, what=what):
                    self.assertEqual(run('msgattrib', what, catalogue(language)).stdout, '')

    def test_plural_forms(self):
        for language in read_linguas():
            with self.subTest(language), tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, 'nebula.mo')
                self.assertEqual(run('msgfmt', '-o', path, catalogue(language)).returncode, 0)
                with open(path, 'rb') as file:
                    translations = gettext.GNUTranslations(file)
                self.check_plurals(language, translations)

    def check_plurals(self, language, translations):
        plurals = [message for message in read_messages(catalogue(language)) if message[1]]
        self.assertTrue(plurals)
        for singular, plural, forms in plurals:
            self.assertEqual(len(forms), max(COUNTS[language]) + 1, singular)
            self.assertNotIn('', forms, singular)
            for number, form in zip(NUMBERS, COUNTS[language]):
                self.assertEqual(translations.ngettext(singular, plural, number), forms[form], (singular, number))

    def test_quotes_are_the_languages_own(self):
        for language in read_linguas():
            opening, closing = QUOTES[language]
            for singular, _plural, forms in read_messages(catalogue(language)):
                for form in forms:
                    with self.subTest(language, text=form):
                        self.assertNotIn('”', form)
                        self.assertEqual((form.count(opening), form.count(closing)), (singular.count('“'), singular.count('”')))

    def test_blanks_at_the_ends_are_kept(self):
        for language in read_linguas():
            for singular, _plural, forms in read_messages(catalogue(language)):
                for form in forms:
                    with self.subTest(language, text=form):
                        self.assertEqual(count_blanks(form), count_blanks(singular))


def main():
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        print('0 passed, 0 failed; skipped without ' + ', '.join(missing))
        sys.exit(77)
    result = unittest.main(exit=False, verbosity=1).result
    bad = len({case.id().split(' ')[0] for case, _text in result.failures + result.errors})
    print(f'{result.testsRun - bad - len(result.skipped)} passed, {bad} failed')
    sys.exit(1 if bad else 0)


if __name__ == '__main__':
    main()
