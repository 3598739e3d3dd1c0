/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of expressions share: evaluation over data, tables of cases, an environment that counts. */
#pragma once

#include "nebula-compile-private.h"
#include "nebula-limits.h"
#include "nebula-template.h"
#include "nebula-test.h"

#include <fstream>
#include <vector>

namespace nebula
{

using Expression = Owned<NebulaExpression, nebula_expression_unref>;
using Template = Owned<NebulaTemplate, nebula_template_unref>;

/* "JSON of the value", or "✗ code: message". */
inline std::string
evaluate (const char *text, NebulaValue *data, int flags = NEBULA_COMPILE_NONE)
{
  Error error;
  Value value;
  Expression expression (_nebula_expression_compile_full (text, (NebulaCompileFlags) flags, error.out ()));

  if (expression)
    value = Value (nebula_expression_evaluate_data (expression.get (), data, error.out ()));
  if (value)
    return to_json (value);
  return std::string ("✗ ") + nebula_error_get_code (error.get ()) + ": " + error.message ();
}

inline std::string
evaluate (const std::string &text, const char *data = "{}")
{
  Value value = json (data);
  return evaluate (text.c_str (), value.get ());
}

/* The code of the error alone, or the JSON of the value. */
inline std::string
outcome (const std::string &result)
{
  if (result.rfind ("✗ ", 0) != 0)
    return result;
  return result.substr (0, result.find (':'));
}

struct Row
{
  std::string text, expected;
  bool is_error;
  int line;
};

struct Table
{
  std::string data = "{}";
  std::vector<Row> rows;
};

inline std::string
source_path (const char *name)
{
  const char *folder = g_getenv ("G_TEST_SRCDIR");
  return std::string (folder != nullptr ? folder : "tests") + "/" + name;
}

inline bool
split (const std::string &line, const char *mark, Row *row)
{
  size_t at = line.rfind (mark);
  if (at == std::string::npos)
    return false;
  row->text = line.substr (0, at);
  row->expected = line.substr (at + strlen (mark));
  return true;
}

inline bool
parse_row (const std::string &line, int number, Row *row)
{
  row->line = number;
  row->is_error = split (line, " ✗ ", row);
  return row->is_error || split (line, " → ", row);
}

inline Table
read_table (const char *name)
{
  std::ifstream file (source_path (name));
  std::string line;
  Table table;
  int number = 0;

  EXPECT_TRUE (file.good ()) << name;
  while (std::getline (file, line)) {
    Row row;
    number++;
    if (line.rfind ("data: ", 0) == 0)
      table.data = line.substr (6);
    else if (!line.empty () && line[0] != '#') {
      EXPECT_TRUE (parse_row (line, number, &row)) << name << ":" << number;
      table.rows.push_back (row);
    }
  }
  return table;
}

inline void
expect_outcome (const Row &row, const std::string &result)
{
  if (row.is_error) {
    EXPECT_EQ (outcome (result), "✗ " + row.expected) << row.line << ": " << row.text << "\n" << result;
    return;
  }
  Value expected = json (row.expected.c_str ());
  ASSERT_TRUE (result.rfind ("✗ ", 0) != 0) << row.line << ": " << row.text << "\n" << result;
  Value got = json (result.c_str ());
  EXPECT_TRUE (nebula_value_equal (expected.get (), got.get ())) << row.line << ": " << row.text << "\n" << result;
}

/* An environment over one object that counts what it is asked and has a seeded random source. */
class Environment
{
public:
  Environment (const char *data, guint64 fuel = NEBULA_LIMIT_FUEL) : values_ (json (data))
  {
    parent_.get_variable = get_variable;
    parent_.get_random = get_random;
    parent_.fuel = fuel;
    parent_.data = this;
  }
  NebulaEnvironment *get () { return &parent_; }
  int asked = 0;

private:
  static NebulaValue *
  get_variable (const NebulaEnvironment *environment, const char *name, GError **)
  {
    auto *self = static_cast<Environment *> (environment->data);
    NebulaValue *value = nebula_value_get_member (self->values_.get (), name);
    self->asked++;
    return value ? nebula_value_ref (value) : nullptr;
  }
  static guint64
  get_random (const NebulaEnvironment *, guint call_index)
  {
    guint64 x = 0x9e3779b97f4a7c15u * (call_index + 1u);
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }
  NebulaEnvironment parent_ = {};
  Value values_;
};

inline std::string
repeat (const char *text, int times)
{
  std::string result;
  for (int i = 0; i < times; i++)
    result += text;
  return result;
}

} // namespace nebula
