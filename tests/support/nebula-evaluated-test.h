/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls the class-level evaluation of an action, found through the registry, as the engine would. */
#pragma once

#include <array>
#include <string>
#include <vector>

#include "nebula-document.h"
#include "nebula-late-expressions-internal.h"
#include "nebula-registry.h"
#include "nebula-test.h"

namespace nebula
{

using Info = Owned<NebulaActionInfo, nebula_action_info_unref>;

class EvaluatedTest : public LoopTest
{
protected:
  static NebulaRegistry *
  registry ()
  {
    static NebulaRegistry *shared = [] {
      Error error;
      NebulaRegistry *made = nebula_registry_new ();
      EXPECT_TRUE (nebula_registry_load (made, error.out ())) << error.message ();
      return made;
    }();
    return shared;
  }
  static Info
  lookup (const char *id)
  {
    Error error;
    Info info (nebula_action_resolver_lookup (NEBULA_ACTION_RESOLVER (registry ()), id, nullptr, error.out ()));
    EXPECT_TRUE (info) << error.message ();
    return info;
  }
  static NebulaActionClass *
  load (const Info &info)
  {
    Error error;
    NebulaActionClass *klass = nebula_action_resolver_load (NEBULA_ACTION_RESOLVER (registry ()), info.get (), error.out ());
    EXPECT_NE (klass, nullptr) << error.message ();
    return klass;
  }

  /* Takes late expressions out of the parameters and compiles them, as a workflow does. */
  void
  split (NebulaParameterTable *table, NebulaValue *all)
  {
    std::vector<std::array<std::string, 3>> late;
    NebulaValueBuilder *builder = nebula_value_builder_new_object ();
    for (gsize i = 0; i < nebula_value_get_length (all); i++) {
      const char *name = nebula_value_get_key (all, i, nullptr);
      NebulaValue *value = nebula_value_get_member_at (all, i);
      NebulaParameter *parameter = nebula_parameter_table_lookup (table, name);
      NebulaParameterKind kind = parameter ? nebula_parameter_get_kind (parameter) : NEBULA_PARAMETER_KIND_JSON;
      if (kind == NEBULA_PARAMETER_KIND_EXPRESSION)
        late.push_back ({ name, "", nebula_value_get_string (value) });
      else if (kind == NEBULA_PARAMETER_KIND_EXPRESSIONS)
        for (gsize j = 0; j < nebula_value_get_length (value); j++)
          late.push_back ({ name, nebula_value_get_key (value, j, nullptr), nebula_value_get_string (nebula_value_get_member_at (value, j)) });
      else
        nebula_value_builder_set (builder, name, value);
    }
    parameters_ = Value (nebula_value_builder_end (builder));
    nebula_value_builder_unref (builder);
    late_ = (NebulaLateExpressions *) g_malloc0 (sizeof *late_ + late.size () * sizeof late_->items[0]);
    for (const auto &entry : late) {
      Error error;
      auto &item = late_->items[late_->n_items++];
      item.parameter = g_intern_string (entry[0].c_str ());
      item.key = entry[1].empty () ? nullptr : g_intern_string (entry[1].c_str ());
      item.expression = nebula_expression_compile (entry[2].c_str (), error.out ());
      EXPECT_NE (item.expression, nullptr) << error.message ();
    }
  }

  /* The result as JSON, or the code of the error. The port is in port_. */
  std::string
  evaluate (const char *id, const char *parameters, const char *input = "null")
  {
    Info info = lookup (id);
    NebulaActionClass *klass = info ? load (info) : nullptr;
    if (klass == nullptr)
      return "(no class)";
    EXPECT_TRUE (nebula_action_info_is_evaluated (info.get ())) << id;
    Value all = json (parameters), in = json (input);
    NebulaParameterTable *table = nebula_action_info_get_parameters (info.get ());
    split (table, all.get ());

    std::string answer;
    if (!nebula_parameter_table_validate (table, parameters_.get (), nullptr, error_.out ())) {
      answer = nebula_error_get_code (error_.get ());
    } else {
      NebulaArguments arguments = { parameters_.get (), in.get (), nullptr, table, late_ };
      const char *port = "out";
      Value value (nebula_action_class_get_evaluate (klass) (&arguments, &port, error_.out ()));
      port_ = port;
      answer = value ? to_json (value) : nebula_error_get_code (error_.get ());
    }
    for (guint i = 0; i < late_->n_items; i++)
      nebula_expression_unref (late_->items[i].expression);
    g_free (late_);
    return answer;
  }

  /* Each action of a module has title, help, and an example whose parameters its table knows. */
  static void
  expect_documented (const char *module_id, guint n_actions)
  {
    g_autoptr (GPtrArray) infos = nebula_registry_list_actions (registry ());
    guint count = 0;
    for (guint i = 0; i < infos->len; i++) {
      auto *info = static_cast<NebulaActionInfo *> (g_ptr_array_index (infos, i));
      if (g_strcmp0 (nebula_action_info_get_module_id (info), module_id) != 0)
        continue;
      count++;
      expect_documented (info);
    }
    EXPECT_EQ (count, n_actions);
  }
  static void
  expect_documented (NebulaActionInfo *info)
  {
    const char *id = nebula_action_info_get_id (info);
    EXPECT_STRNE (nebula_action_info_get_title (info), "") << id;
    EXPECT_TRUE (g_str_has_suffix (nebula_action_info_get_description (info), ".")) << id;
    EXPECT_STRNE (nebula_action_info_get_category (info), "") << id;
    NebulaParameterTable *table = nebula_action_info_get_parameters (info);
    for (guint i = 0; i < nebula_parameter_table_get_length (table); i++)
      EXPECT_TRUE (g_str_has_suffix (nebula_parameter_get_description (nebula_parameter_table_get_item (table, i)), ".")) << id;

    const char *example = nebula_action_info_get_example (info);
    ASSERT_NE (example, nullptr) << id;
    Error error;
    GBytes *bytes = g_bytes_new_static (example, strlen (example));
    Owned<NebulaDocument, nebula_document_unref> document (
        nebula_document_parse (bytes, NEBULA_DOCUMENT_FORMAT_YAML, nullptr, nullptr, error.out ()));
    g_bytes_unref (bytes);
    ASSERT_TRUE (document) << id << ": " << error.message ();
    NebulaValue *node = nebula_document_get_value (document.get ());
    EXPECT_STREQ (nebula_value_get_member_string (node, "action", ""), id);
    NebulaValue *with = nebula_value_get_member (node, "with");
    for (gsize i = 0; with && i < nebula_value_get_length (with); i++) {
      const char *name = nebula_value_get_key (with, i, nullptr);
      EXPECT_TRUE (nebula_parameter_table_lookup (table, name) || nebula_parameter_table_get_rest (table)) << id << ": " << name;
    }
  }

  Value parameters_;
  NebulaLateExpressions *late_ = nullptr;
  std::string port_;
  Error error_;
};

} // namespace nebula
