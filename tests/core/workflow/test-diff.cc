/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What differs between two workflows. */
#include "nebula-test.h"

#include "nebula-workflow.h"

namespace
{

using nebula::Error;
using nebula::Ref;
using nebula::Value;

Ref<NebulaWorkflow>
read (const std::string &text)
{
  Error error;
  GBytes *bytes = g_bytes_new (text.data (), text.size ());
  Ref<NebulaWorkflow> workflow (nebula_workflow_read_bytes (bytes, nullptr, nullptr, error.out ()));

  g_bytes_unref (bytes);
  EXPECT_TRUE (workflow) << error.message ();
  return workflow;
}

/* Each change as “added node a.b /path before > after”, and whether both run alike. */
std::string
diff (const std::string &before, const std::string &after)
{
  Value whole (nebula_workflow_diff (read (before).get (), read (after).get ()));
  NebulaValue *changes = nebula_value_get_member (whole.get (), "changes");
  std::string text = nebula_value_get_member_boolean (whole.get (), "same", FALSE) ? "same" : "other";

  for (gsize i = 0; i < nebula_value_get_length (changes); i++) {
    NebulaValue *change = nebula_value_get_item (changes, i);

    text += std::string ("\n") + nebula_value_get_member_string (change, "change", "?") + " "
            + nebula_value_get_member_string (change, "what", "?");
    for (const char *key : {"node", "from", "path"})
      if (nebula_value_has_member (change, key))
        text += std::string (" ") + nebula_value_get_member_string (change, key, "");
    for (const char *key : {"before", "after"})
      if (nebula_value_has_member (change, key))
        text += std::string (" ") + key[0] + ":" + nebula::to_json (nebula_value_get_member (change, key));
  }
  return text;
}

const char *const base = R"(
nebula: 1
name: orders
settings: { timeout: 1h }
nodes:
  a: { action: data.set, with: { x: 1, y: 2 } }
  b: { action: data.set, with: { x: 1 }, after: [a] }
  each:
    action: flow.for-each
    with: { items: [1, 2] }
    body: { nodes: { price: { action: data.set, with: { x: 1 }, retry: { attempts: 2 } } } }
connections: [b -> each]
)";

std::string
change (const char *from, const char *to, std::string text = base)
{
  size_t place = text.find (from);

  EXPECT_NE (place, std::string::npos) << from;
  return text.replace (place, strlen (from), to);
}

TEST (Diff, NothingDiffers)
{
  EXPECT_EQ (diff (base, base), "same");
  /* Another way to write the same. */
  EXPECT_EQ (diff (base, change ("with: { x: 1, y: 2 }", "with: {\"y\": 2, \"x\": 1}")), "same");
  EXPECT_EQ (diff (base, change ("b -> each", "{from: b, to: each, loop: false}")), "same");
  EXPECT_EQ (diff (base, change ("retry: { attempts: 2 }", "retry: { attempts: 2, factor: 2 }")), "same");
}

TEST (Diff, DrawingAndNotesRunAlike)
{
  EXPECT_EQ (diff (base, std::string (base) + "layout: { a: 1 }\n"), "same\nadded comment /layout a:{\"a\":1}");
  EXPECT_EQ (diff (base, change ("after: [a]", "after: [a], title: Second")),
             "same\nadded comment b /nodes/b/title a:\"Second\"");
}

TEST (Diff, ParametersAndSettings)
{
  EXPECT_EQ (diff (base, change ("x: 1, y: 2", "x: 3, z: 4")),
             "other\nchanged parameter a /nodes/a/with/x b:1 a:3\nremoved parameter a /nodes/a/with/y b:2\n"
             "added parameter a /nodes/a/with/z a:4");
  EXPECT_EQ (diff (base, change ("timeout: 1h", "timeout: 2h, durability: relaxed")),
             "other\nchanged setting /settings/timeout b:\"1h\" a:\"2h\"\n"
             "added setting /settings/durability a:\"relaxed\"");
  EXPECT_EQ (diff (base, change ("attempts: 2", "attempts: 3")),
             "other\nchanged setting each.price /nodes/each/body/nodes/price/retry/attempts b:2 a:3");
  EXPECT_EQ (diff (base, change ("name: orders", "name: bills")),
             "other\nchanged workflow /name b:\"orders\" a:\"bills\"");
  EXPECT_EQ (diff (base, std::string (base) + "variables: { v: 1 }\noutput: 3\n"),
             "other\nadded workflow /variables/v a:1\nadded workflow /output a:3");
}

TEST (Diff, Nodes)
{
  EXPECT_EQ (diff (base, change ("  each:", "  c: { action: flow.no-op }\n  each:")),
             "other\nadded node c /nodes/c a:{\"action\":\"flow.no-op\"}");
  EXPECT_EQ (diff (change ("  each:", "  c: { action: flow.no-op }\n  each:"), base),
             "other\nremoved node c /nodes/c b:{\"action\":\"flow.no-op\"}");
  EXPECT_EQ (diff ("nebula: 1\nname: n\nnodes: { a: { action: x.y }, b: { action: x.y } }\n",
                   "nebula: 1\nname: n\nnodes: { b: { action: x.y }, a: { action: x.y } }\n"),
             "other\nchanged order /nodes b:[\"a\",\"b\"] a:[\"b\",\"a\"]");
}

TEST (Diff, ANodeThatMoves)
{
  EXPECT_EQ (diff (change ("connections", "  c: { action: flow.no-op }\nconnections"),
                   change ("nodes: { price: {", "nodes: { c: { action: flow.no-op }, price: {")),
             "other\nmoved node each.c c /nodes/each/body/nodes/c");
  EXPECT_EQ (diff (change ("connections", "  c: { action: flow.no-op }\nconnections"),
                   change ("nodes: { price: {", "nodes: { c: { action: x.y }, price: {")),
             "other\nmoved node each.c c /nodes/each/body/nodes/c b:{\"action\":\"flow.no-op\"} "
             "a:{\"action\":\"x.y\"}");
}

TEST (Diff, Connections)
{
  EXPECT_EQ (diff (base, change ("b -> each", "a -> each")),
             "other\nadded connection /connections a:\"a -> each\"\nremoved connection /connections b:\"b -> each\"");
  EXPECT_EQ (diff (base, change ("b -> each", "{from: b, to: each, when: \"1 > 0\"}")),
             "other\nchanged connection /connections b:\"b -> each\" "
             "a:{\"from\":\"b\",\"to\":\"each\",\"when\":\"1 > 0\"}");
  /* `after` and `connections` are two ways to write one thing; the structure is another one all the same. */
  EXPECT_EQ (diff (base, change (", after: [a]", "", change ("[b -> each]", "[a -> b, b -> each]"))), "other");
}

TEST (Diff, Bodies)
{
  EXPECT_EQ (diff (base, change ("price: {", "cost: {")),
             "other\nremoved node each.price /nodes/each/body/nodes/price "
             "b:{\"action\":\"data.set\",\"with\":{\"x\":1},\"retry\":{\"attempts\":2}}\n"
             "added node each.cost /nodes/each/body/nodes/cost "
             "a:{\"action\":\"data.set\",\"with\":{\"x\":1},\"retry\":{\"attempts\":2}}");
}

} // namespace
