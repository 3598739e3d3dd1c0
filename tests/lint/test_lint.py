# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests of the linter: small good and bad trees."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import lint  # noqa: E402
from source import Source  # noqa: E402

SPDX = '/* SPDX-License-Identifier: LGPL-2.1-or-later */\n'
POTFILES = {'po/POTFILES.in': '', 'core/base/README.md': '', 'core/value/README.md': ''}
LAYERS = {
    'core/meson.build': "# SPDX-License-Identifier: LGPL-2.1-or-later\nnebula_order = [\n  'base',\n  'value',\n]\n",
    'core/base/meson.build': '# SPDX-License-Identifier: LGPL-2.1-or-later\nuses = []\n',
    'core/value/meson.build': "# SPDX-License-Identifier: LGPL-2.1-or-later\nuses = ['base']\n",
    'core/base/nebula-base.h': SPDX,
    'core/base/nebula-base-private.h': SPDX,
    'core/base/nebula-base-internal.h': SPDX,
    'core/value/nebula-value.h': SPDX,
    'core/value/nebula-value-internal.h': SPDX,
}


def find(files, rule=None):
    """Problems of a tree of files as `path:line` texts, by rule."""
    with tempfile.TemporaryDirectory() as top:
        for path, text in {**POTFILES, **LAYERS, **files}.items():
            full = os.path.join(top, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, 'w', encoding='utf-8') as file:
                file.write(text)
        return [(path, line, message) for path, line, what, message in lint.check_tree(lint.Tree(top))
                if rule in (None, what)]


def c_file(body, path='core/value/nebula-x.c'):
    return {path: SPDX + body}


def function(body, head='void\nf (void)'):
    return c_file(head + '\n{\n' + body + '\n}\n')


class LintTest(unittest.TestCase):
    def assert_bad(self, files, rule, line=None):
        problems = find(files, rule)
        self.assertEqual(len(problems), 1, problems)
        if line is not None:
            self.assertEqual(problems[0][1], line, problems)

    def assert_good(self, files, rule=None):
        self.assertEqual(find(files, rule), [])

    def test_empty_tree_is_good(self):
        self.assert_good({})

    # ---- sizes

    def test_file_length(self):
        self.assert_good(c_file('\n' * 699), 'size')
        self.assert_bad(c_file('\n' * 700), 'size')

    def test_function_length(self):
        self.assert_good(function('  a ();\n' * 59 + '  a ();'), 'function')
        self.assert_bad(function('  a ();\n' * 60 + '  a ();'), 'function', 3)

    def test_brackets_in_strings_and_comments_do_not_count(self):
        text = '  a ("{", \'{\'); /* { */ // {\n' + '  a ();\n' * 3
        self.assert_good(function(text + '}\n\nvoid\ng (void)\n{'), 'function')
        source = Source('x.c', 'void\nf (void)\n{\n' + text + '}\n\nvoid\ng (int a, char *b)\n{\n}\n')
        self.assertEqual([(f.name, f.parameters) for f in source.functions()],
                         [('f', []), ('g', ['int a', 'char *b'])])

    def test_macros_and_tables_are_no_functions(self):
        source = Source('x.c', '#define A(x) { x }\nG_DEFINE_TYPE (A, a, B)\n\nstatic const T table[] = { { F (1) } };\n'
                        'typedef struct { int a; } T;\nstatic void\nf (void (*call) (int, int), int b)\n{\n}\n')
        self.assertEqual([(f.name, len(f.parameters), f.is_static) for f in source.functions()], [('f', 2, True)])

    def test_nesting(self):
        deep = 'if (a) {\n%s\n}'
        self.assert_good(function(deep % (deep % 'while (a) { b (); }')), 'nesting')
        self.assert_bad(function(deep % (deep % ('for (;;)\n' + deep % 'b ();'))), 'nesting', 8)

    def test_nesting_sees_statements_without_brackets(self):
        self.assert_bad(function('  if (a)\n    while (b)\n      for (;;)\n        if (d)\n          e ();'),
                        'nesting', 8)
        self.assert_bad(function('  do\n    if (a)\n      while (b)\n        switch (c)\n        {\n        case 1: ;\n'
                                 '        }\n  while (x);'), 'nesting')

    def test_chains_are_flat(self):
        chain = '  if (a)\n    b ();\n' + '  else if (c)\n    d ();\n' * 9 + '  else\n    e ();'
        self.assert_good(function(chain), 'nesting')
        self.assert_good(function('  switch (a)\n  {\n  case A:\n    if (b)\n      while (c)\n        d ();\n    break;\n'
                                  '  default:\n    break;\n  }'), 'nesting')

    def test_parameters(self):
        eight = ', '.join('int a%d' % i for i in range(8))
        seven = ', '.join('int a%d' % i for i in range(7))
        self.assert_good(c_file('void\nf (%s)\n{\n}\n' % seven), 'parameters')
        self.assert_bad(c_file('void\nf (%s)\n{\n}\n' % eight), 'parameters', 3)
        self.assert_good(c_file('void\nf_async (%s)\n{\n}\n' % eight), 'parameters')
        self.assert_good(c_file('static void\nf (%s)\n{\n}\n\nvoid\ng (K *klass)\n{\n  klass->f = f;\n}\n' % eight),
                         'parameters')
        self.assert_bad(c_file('static void\nf (%s)\n{\n}\n\nvoid\ng (void)\n{\n  f (1);\n}\n' % eight), 'parameters')

    # ---- calls

    def test_forbidden_calls(self):
        for call in ('goto', 'setenv (a)', 'strtod (a)', 'sprintf (a)', 'printf ("x")', 'atoi (a)', 'system (a)',
                     'popen (a)', 'strcpy (a, b)', 'g_error ("x")', 'g_idle_add (f, a)', 'g_timeout_add (1, f, a)',
                     'g_task_run_in_thread (t, f)', 'volatile', 'g_thread_new (a)', 'g_message ("x")'):
            with self.subTest(call):
                self.assert_bad(function('  %s;' % call), 'calls', 5)

    def test_allowed_calls(self):
        for call in ('g_ascii_strtod (a)', 'g_strdup_printf ("x")', 'klass->system (a)', 'table.printf (a)',
                     'g_debug ("printf (x)")', 'nebula_clock_get_system ()', 'int system', 'a /* setenv (b) */'):
            with self.subTest(call):
                self.assert_good(function('  %s;' % call), 'calls')

    def test_programs_may_print(self):
        self.assert_good(c_file('void\nf (void)\n{\n  g_print ("x");\n}\n', 'core/nebula/main.c'), 'calls')
        self.assert_good(c_file('void\nf (void)\n{\n  g_thread_new (a);\n}\n', 'core/base/a.c'), 'calls')

    def test_tests_do_not_sleep(self):
        self.assert_bad(c_file('TEST (A, B)\n{\n  g_usleep (1);\n}\n', 'tests/core/value/test-x.cc'), 'calls')
        self.assert_good(c_file('TEST (A, B)\n{\n  printf ("x");\n}\n', 'tests/core/value/test-x.cc'), 'calls')

    # ---- errors

    def test_error_then_return(self):
        bad = '  if (a) {\n    g_set_error (error, D, C, "x");\n    if (b)\n      c ();\n    return FALSE;\n  }'
        self.assert_bad(function(bad), 'errors', 6)
        self.assert_bad(function('  if (a)\n    g_set_error (error, D, C, "x");\n  b ();\n  c ();\n  d ();\n  e ();'),
                        'errors', 6)

    def test_error_that_ends_the_block(self):
        for body in ('  g_set_error (error, D, C, "x");\n  return FALSE;',
                     '  g_set_error (error, D, C, "x");',
                     '  if (a)\n    g_set_error (error, D, C, "x");\n  else if (b)\n    c ();\n  d ();\n  return e;',
                     '  if (a) {\n    g_set_error (error, D, C, "x");\n  }\n  while (b)\n    c ();',
                     '  switch (a)\n  {\n  case 1:\n    g_propagate_error (error, e);\n    break;\n  default: ;\n  }',
                     '  g_set_error (error, D, C, "x");\n  self->failed = TRUE;\n  return FALSE;',
                     '  if (a)\n    g_set_error (&local_error, D, C, "x");\n  while (b)\n    c ();'):
            with self.subTest(body):
                self.assert_good(function(body), 'errors')

    # ---- layers

    def test_layers(self):
        good = ('#include <gio/gio.h>\n#include "config.h"\n#include "nebula-base.h"\n#include "nebula-value.h"\n'
                '#include "nebula-base-internal.h"\n#include "nebula-value-enums.h"\n')
        self.assert_good(c_file(good), 'layers')
        self.assert_bad(c_file('#include "nebula-value.h"\n', 'core/base/a.c'), 'layers', 2)
        self.assert_bad(c_file('#include "nebula-value-enums.h"\n', 'core/base/a.c'), 'layers', 2)
        self.assert_bad(c_file('#include "nebula-base-private.h"\n'), 'layers', 2)
        self.assert_bad(c_file('#include "nebula-nowhere.h"\n'), 'layers', 2)
        self.assert_bad(c_file('#include <nebula-base.h>\n'), 'layers', 2)
        self.assert_good(c_file('/* #include "nebula-value.h" */\n', 'core/base/a.c'), 'layers')

    def test_public_headers_and_outsiders(self):
        self.assert_bad(c_file('#include "nebula-base-internal.h"\n', 'core/value/nebula-y.h'), 'layers')
        self.assert_bad(c_file('#include "nebula-base-internal.h"\n', 'modules/http/a.c'), 'layers')
        self.assert_bad(c_file('#include "nebula-base-private.h"\n', 'modules/http/a.c'), 'layers')
        self.assert_bad(c_file('#include "nebula-base.h"\n', 'modules/http/a.c'), 'layers')
        self.assert_good(c_file('#include <nebula/nebula-sdk.h>\n#include "http.h"\n', 'modules/http/a.c'), 'layers')
        self.assert_good(c_file('#include "nebula-base-private.h"\n', 'tests/core/base/a.cc'), 'layers')
        self.assert_good(c_file('#include "nebula-base-internal.h"\n', 'core/nebula/main.c'), 'layers')

    # ---- the public interface

    def test_enum_brace(self):
        self.assert_bad({'core/value/nebula-e.h': SPDX + 'typedef enum {\n  A,\n} NebulaE;\n'}, 'enum', 2)
        self.assert_bad({'core/value/nebula-e.h': SPDX + 'typedef enum { A } NebulaE;\n'}, 'enum', 2)
        self.assert_good({'core/value/nebula-e.h': SPDX + 'typedef enum /*< flags >*/\n{\n  A,\n} NebulaE;\n'}, 'enum')

    def test_documented_functions(self):
        header = {'core/value/nebula-f.h': SPDX + 'NEBULA_API const char *\nnebula_f_get (void);\n'
                                                  'NEBULA_API GType nebula_f_get_type (void);\n'}
        comment = '/**\n * nebula_f_get:\n *\n * It.\n *%s\n */\n'
        self.assert_bad(header, 'documented', 3)
        self.assert_bad({**header, 'core/value/nebula-f.c': SPDX + comment % ''}, 'documented')
        self.assert_good({**header, 'core/value/nebula-f.c': SPDX + comment % ' Since: 1.0'}, 'documented')
        self.assert_bad({**header, 'core/base/nebula-f.c': SPDX + comment % ' Since: 1.0'}, 'documented')

    def test_documented_types(self):
        declare = 'typedef struct _NebulaT NebulaT;\nNEBULA_API GType nebula_t_get_type (void);\n'
        comment = '/**\n * NebulaT:\n *\n * It.%s\n */\n'
        self.assert_bad({'core/value/nebula-t.h': SPDX + declare}, 'documented', 2)
        self.assert_bad({'core/value/nebula-t.h': SPDX + comment % '' + declare}, 'documented')
        self.assert_good({'core/value/nebula-t.h': SPDX + comment % ' Thread: any.' + declare}, 'documented')
        final = SPDX + 'NEBULA_API G_DECLARE_FINAL_TYPE (NebulaU, nebula_u, NEBULA, U, GObject)\n'
        self.assert_bad({'core/value/nebula-u.h': final}, 'documented', 2)
        self.assert_good({'core/value/nebula-u.h': final,
                          'core/value/nebula-u.c': SPDX + '/**\n * NebulaU:\n *\n * It.\n */\n'}, 'documented')
        self.assert_bad({'core/value/nebula-e.h': SPDX + 'typedef enum\n{\n  A,\n} NebulaE;\n'}, 'documented')

    def test_reserved(self):
        head = SPDX + 'NEBULA_API G_DECLARE_DERIVABLE_TYPE (NebulaD, nebula_d, NEBULA, D, GObject)\n'
        body = 'struct _NebulaDClass\n{\n  GObjectClass parent_class;\n  void (*f) (void);\n%s};\n'
        self.assert_bad({'core/value/nebula-d.h': head}, 'reserved')
        self.assert_bad({'core/value/nebula-d.h': head + body % ''}, 'reserved')
        self.assert_bad({'core/value/nebula-d.h': head + body % '  gpointer _reserved[4];\n'}, 'reserved')
        self.assert_good({'core/value/nebula-d.h': head + body % '\n  gpointer _reserved[8];\n'}, 'reserved')

    # ---- the tree

    def test_licence(self):
        self.assert_bad({'core/value/nebula-l.c': 'int a;\n'}, 'licence')
        self.assert_bad({'tests/x.py': 'import os\n'}, 'licence')
        self.assert_good({'tests/x.py': '#!/usr/bin/python3\n# SPDX-License-Identifier: LGPL-2.1-or-later\n'}, 'licence')

    def test_readme(self):
        self.assert_bad({'modules/http/a.c': SPDX}, 'readme')
        self.assert_good({'modules/http/a.c': SPDX, 'modules/http/README.md': ''}, 'readme')
        self.assert_good({'tests/core/value/a.cc': SPDX}, 'readme')

    def test_potfiles(self):
        source = c_file('const char *a = N_("Hello");\n')
        self.assert_bad(source, 'potfiles')
        self.assert_good({**source, 'po/POTFILES.in': '# list\ncore/value/nebula-x.c\n'}, 'potfiles')
        self.assert_bad({'po/POTFILES.in': 'core/value/nebula-gone.c\n'}, 'potfiles', 1)
        twice = {**source, **c_file('f (_("b"));\n', 'core/base/a.c')}
        self.assert_bad({**twice, 'po/POTFILES.in': 'core/value/nebula-x.c\ncore/base/a.c\n'}, 'potfiles')
        self.assert_good(c_file('/* _("x") */\n'), 'potfiles')
        self.assert_bad({'data/org.x.gschema.xml': '<schemalist/>\n'}, 'potfiles')
        self.assert_good({'data/org.x.gschema.xml': '<schemalist/>\n', 'po/POTFILES.in': 'data/org.x.gschema.xml\n'}, 'potfiles')

    def test_names_of_machines(self):
        self.assert_bad({'docs/a.md': 'see /home/ada/nebula\n'}, 'names', 1)
        self.assert_bad({'docs/a.md': 'x\nfrom https://registry.' + 'npm' + 'js.org/x\n'}, 'names', 2)
        self.assert_good({'docs/a.md': 'see docs/work/x and /tmp/x and /usr/lib and https://a.example/root/x\n'}, 'names')

    def test_text(self):
        self.assert_bad(c_file('int a; \n'), 'text', 2)
        self.assert_bad(c_file('\tint a;\n'), 'text', 2)




def main():
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(LintTest)
    result = unittest.TextTestRunner(stream=sys.stderr, verbosity=1).run(suite)
    bad = len({case.id().split(' ')[0] for case, _text in result.failures + result.errors})
    print('%d passed, %d failed' % (result.testsRun - bad, bad))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
