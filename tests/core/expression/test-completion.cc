/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Completion and hover: what may stand at a place, and what stands there. */

#include "expression-support.h"
#include "nebula-completion.h"

#include <algorithm>
#include <random>

using namespace nebula;

using Completion = Owned<NebulaCompletion, nebula_completion_unref>;

static const char *const order_schema = R"({"type": "object", "properties": {
  "name": {"type": "string", "description": "Who ordered."}, "total": {"type": "number"},
  "my-key": {"type": "boolean"}, "tags": {"type": "array", "items": {"type": "string"}},
  "lines": {"type": "array", "items": {"type": "object", "properties": {
    "price": {"type": "number"}, "sku": {"type": "string"}}}}}})";

/* "|" in a text is the cursor. */
class CompletionTest : public ::testing::Test
{
protected:
  CompletionTest () : scope_ (nebula_expression_scope_new ())
  {
    Value order = json (order_schema);
    nebula_expression_scope_add_variable (scope_, "json", order.get (), nullptr);
    nebula_expression_scope_add_variable (scope_, "vars", nullptr, nullptr);
    nebula_expression_scope_add_variable (scope_, "custom", nullptr, "Mine.");
    nebula_expression_scope_add_node (scope_, "fetch", order.get (), "Fetch the order");
    nebula_expression_scope_add_node (scope_, "my-node", nullptr, nullptr);
    nebula_expression_scope_add_loop (scope_, "each", order.get ());
  }
  ~CompletionTest () override { nebula_expression_scope_unref (scope_); }

  static std::string
  cut (std::string text, guint *ret_position)
  {
    size_t at = text.find ('^');
    EXPECT_NE (at, std::string::npos) << text;
    text.erase (at, 1);
    *ret_position = (guint) g_utf8_strlen (text.c_str (), (gssize) at);
    return text;
  }
  std::vector<Completion>
  complete (const std::string &marked, bool is_template = false)
  {
    guint position;
    std::string text = cut (marked, &position);
    GPtrArray *found = nebula_expression_complete (text.c_str (), is_template, position, scope_);
    std::vector<Completion> list;
    for (guint i = 0; i < found->len; i++)
      list.emplace_back (nebula_completion_ref ((NebulaCompletion *) g_ptr_array_index (found, i)));
    g_ptr_array_unref (found);
    return list;
  }
  /* All labels but those of functions; "…" tells that there are some. */
  std::string
  labels (const std::string &marked, bool is_template = false)
  {
    std::string all;
    bool has_functions = false;
    for (const Completion &one : complete (marked, is_template)) {
      if (nebula_completion_get_kind (one.get ()) == NEBULA_COMPLETION_KIND_FUNCTION)
        has_functions = true;
      else
        all += (all.empty () ? "" : " ") + std::string (nebula_completion_get_label (one.get ()));
    }
    return all + (has_functions ? all.empty () ? "…" : " …" : "");
  }
  bool
  offers (const std::string &marked, const char *label)
  {
    auto list = complete (marked);
    return std::any_of (list.begin (), list.end (), [&] (const Completion &one) {
      return strcmp (nebula_completion_get_label (one.get ()), label) == 0;
    });
  }
  /* The text after the completion with that label was taken. */
  std::string
  take (const std::string &marked, const char *label, bool is_template = false)
  {
    guint position;
    std::string text = cut (marked, &position);
    for (const Completion &one : complete (marked, is_template)) {
      if (strcmp (nebula_completion_get_label (one.get ()), label) != 0)
        continue;
      const char *start = g_utf8_offset_to_pointer (text.c_str (), nebula_completion_get_start (one.get ()));
      const char *end = g_utf8_offset_to_pointer (text.c_str (), nebula_completion_get_end (one.get ()));
      return std::string (text.c_str (), start) + nebula_completion_get_insert_text (one.get ()) + end;
    }
    return "nothing";
  }
  /* "label: detail: documentation [the word]". */
  std::string
  hover (const std::string &marked, bool is_template = false)
  {
    guint position;
    std::string text = cut (marked, &position);
    Completion found (nebula_expression_hover (text.c_str (), is_template, position, scope_));
    if (!found)
      return "nothing";
    const char *detail = nebula_completion_get_detail (found.get ());
    const char *help = nebula_completion_get_documentation (found.get ());
    const char *start = g_utf8_offset_to_pointer (text.c_str (), nebula_completion_get_start (found.get ()));
    const char *end = g_utf8_offset_to_pointer (text.c_str (), nebula_completion_get_end (found.get ()));
    return std::string (nebula_completion_get_label (found.get ())) + (detail ? std::string (": ") + detail : "") +
           (help ? std::string (": ") + std::string (help).substr (0, std::string (help).find ('\n')) : "") + " [" +
           std::string (start, end) + "]";
  }
  NebulaExpressionScope *scope_;
};

TEST_F (CompletionTest, OffersWhatMayStandThere)
{
  const std::pair<const char *, const char *> rows[] = {
    { "$^", "$json $vars $custom $nodes $loop" },
    { "1 + $^", "$json $vars $custom $nodes $loop" },
    { "$js^", "$json" },
    { "$JS^", "$json" },
    { "$json.^", "name total my-key tags lines …" },
    { "$json?.^", "name total my-key tags lines …" },
    { "$in.na^", "name" },
    { "$json.lines[0].^", "price sku …" },
    { "$json[\"^", "name total my-key tags lines" },
    { "$json['t^", "total tags" },
    { "$json?['t^']", "total tags" },
    { "$nodes.^", "fetch my-node" },
    { "$node.^", "fetch my-node" },
    { "$nodes['^", "fetch my-node" },
    { "$nodes.fetch.^", "result status success error attempts" },
    { "$nodes['my-node'].s^", "status success" },
    { "$nodes.fetch.result.^", "name total my-key tags lines …" },
    { "$loop.^", "each" },
    { "$loop.each.^", "item index last" },
    { "$loop.each.item.na^", "name" },
    /* What stands around it need not be whole. */
    { "[1, {a: $json.na^", "name" },
    { "$json.ok ? $json.na^", "name" },
    { "if $json.na^", "name" },
    { "if true then $json.na^", "name" },
    { "if true then 1 else $json.na^", "name" },
    { "\"total: ${$json.na^", "name" },
    { "\"a${1}b${ [$json.na^", "name" },
    { "\"a${ {b: 1} }\" + $json.na^", "name" },
    { "$json.na^ + 1) * (", "name" },
    { "$json.na^me", "name" },
    { "-($json.na^", "name" },
    { "/* $json. */ $json.na^", "name" },
    /* Parameters of lambdas, with the type of the items. */
    { "$json.lines | map (l => l.^", "price sku …" },
    { "$json.lines.filter (l => l.price > 1).map (l => l.s^", "sku …" },
    { "map ($json.lines, (line, number) => [li^", "line …" },
    { "map ($json.lines, l => {l^", "l" },
    { "map ($json.lines, l => map (l.^", "price sku …" },
    { "$json.lines.sort_by ('price')[0].^", "price sku …" },
    /* Words of the language. */
    { "$json.total ^", "and in or" },
    { "$json.ok a^", "and" },
    { "if $json.ok t^", "then" },
    { "if $json.ok then 1 e^", "else" },
    { "nu^", "null …" },
    /* Nothing may stand there, or what there is cannot be known. */
    { "^\"", "$json $vars $custom $nodes $loop false if not null true …" },
    { "\"text $json.^", "" },
    { "'^", "" },
    { "1^", "" },
    { "$json ^ // comment", "and in or" },
    { "1 // $json.^", "" },
    { "/* $json.^", "" },
    { "$json.total $^", "" },
    { "{a: 1, ^", "" },
    { "§^", "" },
  };
  for (const auto &row : rows)
    EXPECT_EQ (labels (row.first), row.second) << row.first;
}

TEST_F (CompletionTest, FunctionsFitWhatStandsBefore)
{
  EXPECT_TRUE (offers ("^", "map"));
  EXPECT_TRUE (offers ("^", "now"));
  EXPECT_TRUE (offers ("$json.name.^", "upper"));
  EXPECT_FALSE (offers ("$json.name.^", "sum"));
  EXPECT_FALSE (offers ("$json.name.^", "now"));
  EXPECT_TRUE (offers ("$json.lines | ^", "sum"));
  EXPECT_TRUE (offers ("$json.lines | s^", "sum"));
  EXPECT_FALSE (offers ("$json.lines | ^", "upper"));
  EXPECT_FALSE (offers ("$json.lines | s^", "map"));
  EXPECT_TRUE (offers ("$json.total.^", "round"));
  EXPECT_TRUE (offers ("$vars.x.^", "round")); /* anything */
  EXPECT_TRUE (offers (") | ^", "upper"));    /* no tree, no type */
  EXPECT_TRUE (offers ("sortB^", "sort_by"));
  EXPECT_TRUE (offers ("sort_b^", "sort_by"));
}

TEST_F (CompletionTest, InsertsTheRightText)
{
  EXPECT_EQ (take ("1 + $js^ * 2", "$json"), "1 + $json * 2");
  EXPECT_EQ (take ("'é' + $json.na^", "name"), "'é' + $json.name");
  EXPECT_EQ (take ("$json.^", "my-key"), "$json[\"my-key\"]");
  EXPECT_EQ (take ("$json?.my^ ?? 1", "my-key"), "$json?[\"my-key\"] ?? 1");
  EXPECT_EQ (take ("$nodes.my^.result", "my-node"), "$nodes[\"my-node\"].result");
  EXPECT_EQ (take ("$json[\"my^", "my-key"), "$json[\"my-key\"]");
  EXPECT_EQ (take ("$json['my^']", "my-key"), "$json['my-key']");
  EXPECT_EQ (take ("$json.lines | so^", "sort_by"), "$json.lines | sort_by(");
  EXPECT_EQ (take ("$json.name.up^", "upper"), "$json.name.upper()");
  EXPECT_EQ (take ("up^", "upper"), "upper(");
  EXPECT_EQ (take ("no^", "now"), "now()");
  EXPECT_EQ (take ("Total é: {{ $json.to^ }}", "total", true), "Total é: {{ $json.total }}");
}

/* Keys with quotes and the like come out as they are. */
TEST (Completion, QuotesKeys)
{
  Value data = json (R"({"d": {"a\"b": 1, "c'd\\e": 2, "${x}": 3, "two\nlines": 4}})");
  Owned<NebulaExpressionScope, nebula_expression_scope_unref> scope (nebula_expression_scope_new_for_data (data.get ()));
  GPtrArray *found = nebula_expression_complete ("$d.", FALSE, 3, scope.get ());
  int keys = 0;

  for (guint i = 0; i < found->len; i++) {
    auto *one = static_cast<NebulaCompletion *> (g_ptr_array_index (found, i));
    if (nebula_completion_get_kind (one) != NEBULA_COMPLETION_KIND_MEMBER)
      continue;
    std::string text = std::string ("$d") + nebula_completion_get_insert_text (one);
    EXPECT_EQ (evaluate (text.c_str (), data.get ()), nebula_completion_get_documentation (one)) << text;
    keys++;
  }
  g_ptr_array_unref (found);
  EXPECT_EQ (keys, 4);
}

TEST_F (CompletionTest, KnowsTemplates)
{
  EXPECT_EQ (labels ("Hello $json.^", true), "");
  EXPECT_EQ (labels ("Hello {{ $json.na^", true), "name");
  EXPECT_EQ (labels ("{{ 1 }} and {{- $json.na^ }} {{", true), "name");
  EXPECT_EQ (labels ("{{ {a: {b: 1}} }} $json.^", true), "");
  EXPECT_EQ (labels ("{{ {a: {b: $json.na^", true), "name");
  EXPECT_EQ (labels ("\\{{ $json.^", true), "");
  EXPECT_EQ (labels ("\\\\{{ $json.na^", true), "name");
  EXPECT_EQ (labels ("{{ 'a' -}} {{ \"x${ $json.na^", true), "name");
  EXPECT_EQ (labels ("{{ $json.name -}} $^", true), "");
}

TEST_F (CompletionTest, TellsTypesAndHelp)
{
  auto list = complete ("$json.na^");
  ASSERT_EQ (list.size (), 1u);
  EXPECT_EQ (nebula_completion_get_kind (list[0].get ()), NEBULA_COMPLETION_KIND_MEMBER);
  EXPECT_STREQ (nebula_completion_get_detail (list[0].get ()), "text");
  EXPECT_STREQ (nebula_completion_get_documentation (list[0].get ()), "Who ordered.");
  list = complete ("$cus^");
  ASSERT_EQ (list.size (), 1u);
  EXPECT_STREQ (nebula_completion_get_documentation (list[0].get ()), "Mine.");
  list = complete ("$nodes.fe^");
  ASSERT_EQ (list.size (), 1u);
  EXPECT_STREQ (nebula_completion_get_detail (list[0].get ()), "Fetch the order");
  list = complete ("sort_by^");
  ASSERT_EQ (list.size (), 1u);
  EXPECT_NE (std::string (nebula_completion_get_detail (list[0].get ())).find ("→ an array"), std::string::npos);
  std::string help = nebula_completion_get_documentation (list[0].get ());
  EXPECT_NE (help.find ("sort_by([{n: 2}, {n: 1}], \"n\") → [{\"n\":1},{\"n\":2}]"), std::string::npos) << help;
  EXPECT_NE (help.find ("order_by"), std::string::npos) << help;
  gpointer copy = g_boxed_copy (NEBULA_TYPE_COMPLETION, list[0].get ());
  EXPECT_EQ (copy, list[0].get ());
  g_boxed_free (NEBULA_TYPE_COMPLETION, copy);
}

TEST_F (CompletionTest, HoverTellsWhatStandsThere)
{
  EXPECT_EQ (hover ("1 + $js^on.name"), "$json: an object: The input of this node. [$json]");
  EXPECT_EQ (hover ("^$json"), "$json: an object: The input of this node. [$json]");
  EXPECT_EQ (hover ("$in^"), "$in: an object: The input of this node. [$in]");
  EXPECT_EQ (hover ("'é' + $json.na^me + 1"), "name: text: Who ordered. [name]");
  EXPECT_EQ (hover ("$json.lines.map (l => l.pri^ce * 2)"), "price: a number [price]");
  EXPECT_EQ (hover ("$json.lines.map (l => l^.price * 2)"), "l: an object [l]");
  EXPECT_EQ (hover ("$json['na^me']"), "name: text: Who ordered. [name]");
  EXPECT_EQ (hover ("$json['my-k^ey'] ?? )"), "my-key: a boolean [my-key]");
  EXPECT_EQ (hover ("$nodes.fe^tch.result.name"), "fetch: Fetch the order [fetch]");
  EXPECT_EQ (hover ("$no^des.fetch.result.name"),
             "$nodes: an object: The nodes that ran before, by their ids. [$nodes]");
  EXPECT_EQ (hover ("$nodes.fetch.resu^lt.name"), "result: an object: What the node gave, null if nothing. [result]");
  EXPECT_EQ (hover ("$nodes.fetch.result.tot^al"), "total: a number [total]");
  EXPECT_EQ (hover ("$nodes['my-no^de'].status"), "my-node [my-node]");
  EXPECT_EQ (hover ("$loop.ea^ch.item"), "each [each]");
  EXPECT_EQ (hover ("$loop.each.ite^m.name"), "item: an object: The item of this loop. [item]");
  EXPECT_NE (hover ("upp^er ('a'").find ("upper: upper(text) → text: "), std::string::npos) << hover ("upp^er ('a'");
  EXPECT_NE (hover ("$json.name | toUpp^er ()").find ("upper: upper(text)"), std::string::npos);
  EXPECT_NE (hover ("$json.name.upper^ ()").find ("[upper]"), std::string::npos);
  EXPECT_NE (hover ("map (['a'], upp^er)").find ("upper: upper(text)"), std::string::npos);
  EXPECT_EQ (hover ("Dear {{ $json.na^me }}!", true), "name: text: Who ordered. [name]");
  EXPECT_EQ (hover ("Dear $json.na^me", true), "nothing");
  for (const char *text : { "1 ^+ 1", "$other^", "$nodes.nobo^dy", "unknow^n ()", "'te^xt'", "4^2", "tru^e", "$json.name an^d true",
                            "^", "$json.^", "x^ + 1", "$custom.x?.^" })
    EXPECT_TRUE (hover (text) == "nothing" || hover (text).find ("[]") == std::string::npos) << text << " " << hover (text);
  EXPECT_EQ (hover ("$nodes.nobo^dy"), "nothing");
  EXPECT_EQ (hover ("unknow^n ()"), "nothing");
  EXPECT_EQ (hover ("$other^"), "nothing");
}

/* Of data the values are known. */
TEST (Completion, KnowsData)
{
  std::string text = "{\"order\": {\"total\": 12.5, \"note\": \"" + repeat ("x", 400) +
                     "\"}, \"nodes\": {\"a\": {\"result\": {\"n\": 1}}}, \"loop\": {\"l\": {\"item\": {\"q\": 2}}}}";
  Value data = json (text.c_str ());
  Owned<NebulaExpressionScope, nebula_expression_scope_unref> scope (nebula_expression_scope_new_for_data (data.get ()));
  auto first = [&] (const char *typed) {
    GPtrArray *found = nebula_expression_complete (typed, FALSE, (guint) strlen (typed), scope.get ());
    std::string help = found->len == 0 ? "nothing"
                                       : nebula_completion_get_documentation ((NebulaCompletion *) g_ptr_array_index (found, 0));
    g_ptr_array_unref (found);
    return help;
  };

  EXPECT_EQ (first ("$order.tot"), "12.5");
  EXPECT_EQ (first ("$nodes.a.result.n"), "1");
  EXPECT_EQ (first ("$loop.l.item.q"), "2");
  EXPECT_EQ (g_utf8_strlen (first ("$order.note").c_str (), -1), 201);
  EXPECT_EQ (first ("$nope"), "nothing");
}

TEST (Completion, HidesSecrets)
{
  Value secret (nebula_value_new_reference ("secret:token"));
  Value empty = json ("{}");
  Value inner (nebula_value_with_member (empty.get (), "key", secret.get ()));
  Value data (nebula_value_with_member (empty.get (), "vault", inner.get ()));
  Owned<NebulaExpressionScope, nebula_expression_scope_unref> scope (nebula_expression_scope_new_for_data (data.get ()));
  GPtrArray *found = nebula_expression_complete ("$vault.ke", FALSE, 9, scope.get ());
  Completion hovered (nebula_expression_hover ("$vault", FALSE, 2, scope.get ()));

  ASSERT_GE (found->len, 1u);
  EXPECT_STREQ (nebula_completion_get_documentation ((NebulaCompletion *) g_ptr_array_index (found, 0)), "\"•••\"");
  EXPECT_STREQ (nebula_completion_get_documentation (hovered.get ()), "{\"key\":\"•••\"}");
  g_ptr_array_unref (found);
}

static NebulaValue *
call_nothing (NebulaValue *const *, guint, GError **)
{
  return nebula_value_new_null ();
}

TEST_F (CompletionTest, KnowsFunctionsOfModules)
{
  Owned<NebulaFunctionSet, nebula_function_set_unref> set (nebula_function_set_new ());
  NebulaFunctionDescriptor tax = { "tax_of", "amount: number", "float", "The tax.", "tax_of(10) → 2", call_nothing };
  ASSERT_TRUE (nebula_function_set_add (set.get (), &tax, nullptr));
  nebula_expression_scope_set_functions (scope_, set.get ());

  EXPECT_EQ (take ("1 + tax^", "tax_of"), "1 + tax_of(");
  EXPECT_TRUE (offers ("$json.total | ^", "tax_of"));
  EXPECT_FALSE (offers ("$json.name | ^", "tax_of"));
  EXPECT_EQ (hover ("taxO^f (1)"), "tax_of: tax_of(amount) → a float: The tax. [taxOf]");
}

TEST_F (CompletionTest, RefusesWhatIsNoText)
{
  GPtrArray *found = nebula_expression_complete ("'\xff' + $", FALSE, 4, scope_);
  EXPECT_EQ (found->len, 0u);
  g_ptr_array_unref (found);
  EXPECT_EQ (nebula_expression_hover ("\xff", FALSE, 0, scope_), nullptr);
  /* A place past the end is the end. */
  found = nebula_expression_complete ("$js", FALSE, 1000, scope_);
  EXPECT_EQ (found->len, 1u);
  g_ptr_array_unref (found);
}

/* At any place of any case and any broken text it ends, and what it inserts is a whole word. */
TEST_F (CompletionTest, AnyPlaceOfAnyTextIsSafe)
{
  Table table = read_table ("core/expression/cases.txt");
  std::mt19937 random (7);

  for (const Row &row : table.rows) {
    if (random () % 8 != 0)
      continue;
    glong length = g_utf8_strlen (row.text.c_str (), -1);
    for (glong at = 0; at <= length; at += 1 + (glong) (random () % 3)) {
      GPtrArray *found = nebula_expression_complete (row.text.c_str (), random () % 4 == 0, (guint) at, scope_);
      for (guint i = 0; i < found->len; i++) {
        auto *one = static_cast<NebulaCompletion *> (g_ptr_array_index (found, i));
        EXPECT_LE (nebula_completion_get_start (one), nebula_completion_get_end (one)) << row.text;
        EXPECT_LE (nebula_completion_get_end (one), at) << row.text;
      }
      g_ptr_array_unref (found);
      Completion hovered (nebula_expression_hover (row.text.c_str (), FALSE, (guint) at, scope_));
      if (hovered) {
        EXPECT_LT (nebula_completion_get_start (hovered.get ()), nebula_completion_get_end (hovered.get ())) << row.text;
      }
    }
  }
}
