# SPDX-License-Identifier: LGPL-2.1-or-later
"""Installs into a temporary folder and uses what is there: test_installed.py TOP BUILD PREFIX CC [VALAC] [GJS]

A module and a program in C are compiled by pkg-config alone, a program in Vala by the Vala API, and both scripting
languages find typelib and overrides where they were installed.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

TOP = BUILD = PREFIX = CC = VALAC = GJS = ''

PROGRAM = r'''
#include <nebula/nebula.h>

int
main (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaExpression) expression = nebula_expression_compile ("6 * $seven", &error);
  g_autoptr (NebulaValue) data = nebula_value_parse_json ("{\"seven\": 7}", -1, NEBULA_JSON_FLAGS_NONE, &error);
  g_autoptr (NebulaValue) value = nebula_expression_evaluate_data (expression, data, &error);
  g_autofree char *text = nebula_value_to_text (value);

  g_print ("%s %s\n", text, nebula_execution_status_to_string (NEBULA_EXECUTION_STATUS_COMPLETED));
  return 0;
}
'''

SCRIPTS = {
    '.py': '''import gi
gi.require_version('Nebula', '1.0')
from gi.repository import Nebula
print(Nebula.Value([1, 2])[1])
''',
    '.js': '''import Nebula from 'gi://Nebula?version=1.0';
print(Nebula.Value.from_native([1, 2]).get(1));
''',
}


def run(command, **arguments):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **arguments)
    if done.returncode:
        raise AssertionError('%s: exit %d\n%s%s' % (' '.join(command), done.returncode, done.stdout, done.stderr))
    return done.stdout


class InstalledTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='nebula-installed-')
        run([sys.executable, '-m', 'mesonbuild.mesonmain', 'install', '-C', BUILD, '--no-rebuild', '--quiet',
             '--destdir', cls.folder])
        cls.root = cls.folder + PREFIX
        cls.libdir = os.path.dirname(cls.find('libnebula-1.so'))
        cls.relocate(os.path.join(cls.folder, 'pkgconfig'))
        cls.environment = dict(os.environ)
        for name in ('PYTHONPATH', 'GJS_PATH', 'NEBULA_MODULE_PATH'):       # nothing of the build folder
            cls.environment.pop(name, None)
        cls.environment.update({
            'PKG_CONFIG_PATH': os.path.join(cls.folder, 'pkgconfig'),
            'LD_LIBRARY_PATH': cls.libdir,
            'GI_TYPELIB_PATH': os.path.dirname(cls.find('Nebula-1.0.typelib')),
            'NEBULA_HOST': cls.find('nebula-host'),
            'NEBULA_MODULE_PATH': os.path.dirname(cls.find('data.so')),
            'XDG_CACHE_HOME': os.path.join(cls.folder, 'cache'),
            'XDG_DATA_DIRS': os.path.join(cls.root, 'share') + ':/usr/local/share:/usr/share',
        })

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def find(cls, name):
        found = glob.glob(os.path.join(cls.root, '**', name), recursive=True)
        if len(found) != 1:
            raise AssertionError('%s is installed %d times' % (name, len(found)))
        return found[0]

    @classmethod
    def relocate(cls, target):
        """The pkg-config files, with the prefix that the folder has for now."""
        os.mkdir(target)
        for name in ('nebula-1.pc', 'nebula-sdk-1.pc'):
            with open(cls.find(name), encoding='utf-8') as file:
                text = file.read()
            with open(os.path.join(target, name), 'w', encoding='utf-8') as file:
                file.write(re.sub(r'^prefix=.*$', 'prefix=' + cls.root, text, count=1, flags=re.MULTILINE))

    def compile(self, package, source, output, *options):
        flags = run(['pkg-config', '--cflags', '--libs', package], env=self.environment).split()
        run([CC, '-Wall', '-Werror', '-o', output, source, *options, *flags], env=self.environment)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path

    def test_module(self):
        sys.path.insert(0, os.path.join(TOP, 'tests', 'docs'))
        from extract import extract
        page = os.path.join(TOP, 'docs', 'writing-a-module.md')
        self.write('greet.c', extract(page, 'greet.c'))
        with open(page, encoding='utf-8') as file:
            command = re.search(r'^cc -shared .*$', file.read(), re.MULTILINE).group()
        run(['sh', '-c', command.replace('cc', '%s -Wall -Werror' % CC, 1)], env=self.environment, cwd=self.folder)
        module = os.path.join(self.folder, 'greet.so')
        catalogue = run([self.environment['NEBULA_HOST'], '--probe', module], env=self.environment)
        self.assertIn('greet.hello', catalogue)

    def test_module_folder_is_told(self):
        for package in ('nebula-1', 'nebula-sdk-1'):
            folder = run(['pkg-config', '--variable=moduledir', package], env=self.environment).strip()
            self.assertEqual(folder, self.environment['NEBULA_MODULE_PATH'])

    def test_program(self):
        program = os.path.join(self.folder, 'program')
        self.compile('nebula-1', self.write('program.c', PROGRAM), program)
        self.assertEqual(run([program], env=self.environment), '42 completed\n')

    def test_umbrella_includes_all(self):
        flags = run(['pkg-config', '--cflags', 'nebula-1'], env=self.environment).split()
        source = self.write('umbrella.c', '#include <nebula/nebula.h>\n')
        seen = set(re.findall(r'nebula-1/nebula/([\w-]+\.h)', run([CC, '-M', source, *flags], env=self.environment)))
        folder = os.path.dirname(self.find('nebula.h'))
        self.assertEqual(sorted(seen), sorted(os.listdir(folder)))

    def test_vala(self):
        if not VALAC:
            self.skipTest('valac is not installed')
        program = os.path.join(self.folder, 'run-workflow')
        source = shutil.copy(os.path.join(TOP, 'data', 'examples', 'bindings', 'run-workflow.vala'), self.folder)
        flags = run(['pkg-config', '--cflags', '--libs', 'nebula-1'], env=self.environment).split()
        options = [word for flag in flags for word in ('-X', flag)]
        # Below 1.0 valac would refuse all that is there since 1.0.
        run([VALAC, '--disable-since-check', '--vapidir', os.path.dirname(self.find('nebula-1.vapi')), '--pkg', 'nebula-1', '-o', program,
             *options, source], env=self.environment, cwd=self.folder)
        self.assertEqual(run([program], env=self.environment).splitlines(),
                         ['completed: order', 'output: {"total":90.5,"review":true}', 'status: completed'])

    def test_python(self):
        packages = os.path.dirname(os.path.dirname(os.path.dirname(self.find('gi/overrides/Nebula.py'))))
        if PREFIX in ('/usr', '/usr/local'):
            self.assertIn(packages[len(self.folder):], sys.path)
        script = self.write('script.py', SCRIPTS['.py'])
        self.assertEqual(run([sys.executable, script], env=dict(self.environment, PYTHONPATH=packages)), '2\n')

    def test_javascript(self):
        if not GJS:
            self.skipTest('gjs is not installed')
        script = self.write('script.js', SCRIPTS['.js'])
        self.assertEqual(run([GJS, '-m', script], env=self.environment), '2\n')


def main():
    global TOP, BUILD, PREFIX, CC, VALAC, GJS
    TOP, BUILD, PREFIX, CC, VALAC, GJS = (sys.argv[1:] + ['', ''])[:6]
    result = unittest.TextTestRunner(stream=sys.stderr, verbosity=2).run(
        unittest.defaultTestLoader.loadTestsFromTestCase(InstalledTest))
    bad = len(result.failures) + len(result.errors)
    skipped = len(result.skipped)
    print('%d passed, %d failed, %d skipped' % (result.testsRun - bad - skipped, bad, skipped))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
