/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Large values and long loops: what goes into blobs, who sees what, and what happens when a blob is lost. */
#include "kernel-driver.h"

#include "nebula-list-blob-internal.h"
#include "nebula-msgpack-internal.h"
#include "nebula-results-private.h"

using namespace nebula;
using testing::HasSubstr;

namespace
{

const std::string DIGEST (64, 'a');

NebulaStored
make_stored (NebulaStoredForm form)
{
  NebulaStored stored = {};
  stored.form = form;
  stored.kind = form == NEBULA_STORED_ITEM ? NEBULA_VALUE_KIND_NULL : NEBULA_VALUE_KIND_ARRAY;
  g_strlcpy (stored.digest, DIGEST.c_str (), sizeof stored.digest);
  stored.length = 5000;
  stored.size = 123456;
  stored.at = form >= NEBULA_STORED_ITEM ? 77 : 0;
  stored.count = form == NEBULA_STORED_PART ? 10 : 0;
  return stored;
}

GBytes *
list_of (std::vector<guint64> counts)
{
  GArray *chunks = g_array_new (FALSE, FALSE, sizeof (NebulaListChunk));
  for (guint64 count : counts) {
    NebulaListChunk chunk = {};
    g_strlcpy (chunk.digest, DIGEST.c_str (), sizeof chunk.digest);
    chunk.digest[0] = (char) ('0' + chunks->len);
    chunk.count = count;
    chunk.size = 10 * count;
    g_array_append_val (chunks, chunk);
  }
  GBytes *bytes = nebula_list_blob_format (chunks);
  g_array_unref (chunks);
  return bytes;
}

class SpillTest : public testing::Test
{
protected:
  KernelDriver &begin (const char *text, const char *input = "{}")
  {
    driver.reset ();
    plan = compile (resolver.get (), text);
    driver = std::make_unique<KernelDriver> (plan.get (), true);
    driver->start (input);
    return *driver;
  }
  KernelDriver &run (const char *text, const char *input = "{}")
  {
    begin (text, input);
    driver->run ();
    return *driver;
  }
  NebulaRun *root_run (guint32 node) { return &driver->state ()->root->runs[node]; }

  Ref<NebulaActionResolver> resolver = new_world_resolver ();
  Plan plan;
  std::unique_ptr<KernelDriver> driver;
};

} // namespace

TEST (StoredTest, TextAndBack)
{
  for (int form = NEBULA_STORED_VALUE; form <= NEBULA_STORED_PART; form++) {
    NebulaStored stored = make_stored ((NebulaStoredForm) form), again = {};
    Value value (nebula_value_new_stored (&stored));
    ASSERT_TRUE (nebula_value_get_stored (value.get (), &again)) << nebula_value_get_string (value.get ());
    EXPECT_EQ (again.form, stored.form);
    EXPECT_EQ (again.kind, stored.kind);
    EXPECT_STREQ (again.digest, stored.digest);
    EXPECT_EQ (again.length, stored.length);
    EXPECT_EQ (again.size, stored.size);
    EXPECT_EQ (again.at, stored.at);
    EXPECT_EQ (again.count, stored.count);
    EXPECT_FALSE (nebula_value_is_blob (value.get ()));
  }
}

TEST (StoredTest, RefusesWhatIsNotExactly)
{
  std::string good = "value:sha256-" + DIGEST + "?kind=array&length=5&size=6";
  EXPECT_TRUE (Value (nebula_value_new_stored_from_text (good.c_str ())));
  for (std::string bad :
       {good + "x", good + "&at=0", "value:sha256-" + DIGEST + "?kind=nothing&length=5&size=6",
        "value:sha256-" + DIGEST + "?kind=array&length=05&size=6", "value:sha256-" + DIGEST + "?kind=array&length=-5&size=6",
        "value:sha256-" + DIGEST.substr (1) + "?kind=array&length=5&size=6", "list:sha256-" + DIGEST + "?length=5",
        "item:sha256-" + DIGEST + "?length=5&size=6&at=5", "part:sha256-" + DIGEST + "?length=5&size=6&at=3&count=3",
        "part:sha256-" + DIGEST + "?length=5&size=6&at=3", "item:sha256-" + DIGEST + "?length=99999999999999999999&size=6&at=5",
        "blob:sha256-" + DIGEST + "?size=6", std::string ()})
    EXPECT_FALSE (Value (nebula_value_new_stored_from_text (bad.c_str ()))) << bad;
}

TEST (StoredTest, NothingFromOutsideIsTakenForOne)
{
  std::string text = "value:sha256-" + DIGEST + "?kind=array&length=5&size=6";
  Value real (nebula_value_new_stored_from_text (text.c_str ()));
  Value look_alike (nebula_value_new_reference (text.c_str ()));
  Value string (nebula_value_new_string (text.c_str ()));
  GBytes *own = nebula_value_to_msgpack (real.get ());
  GBytes *other = nebula_value_to_msgpack (look_alike.get ());
  Error error;

  EXPECT_TRUE (nebula_value_has_stored (real.get ()));
  EXPECT_FALSE (nebula_value_has_stored (look_alike.get ()));
  EXPECT_FALSE (nebula_value_has_reference (string.get ()));
  EXPECT_FALSE (Value (nebula_value_from_msgpack (own, error.out ())));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_DATA));
  Value read (nebula_value_from_msgpack_own (own, nullptr));
  EXPECT_TRUE (nebula_value_is_stored (read.get ()));
  Value read_other (nebula_value_from_msgpack_own (other, nullptr));
  EXPECT_FALSE (nebula_value_is_stored (read_other.get ()));
  g_bytes_unref (own);
  g_bytes_unref (other);

  /* An object that asks to be written as our extension stays an object. */
  GBytes *payload = g_bytes_new (text.data (), text.size ());
  for (int type : {64, 69, 70, -1}) {
    NebulaValueBuilder *builder = nebula_value_builder_new_object ();
    nebula_value_builder_set_integer (builder, "$ext", type);
    nebula_value_builder_set_take (builder, "data", nebula_value_new_bytes (payload));
    Value forged (nebula_value_builder_end (builder));
    nebula_value_builder_unref (builder);
    GBytes *bytes = nebula_value_to_msgpack (forged.get ());
    Value back (nebula_value_from_msgpack_own (bytes, nullptr));
    ASSERT_TRUE (back) << type;
    EXPECT_TRUE (nebula_value_equal (back.get (), forged.get ())) << type;
    g_bytes_unref (bytes);
  }
  g_bytes_unref (payload);
}

TEST (StoredTest, ContainersKnowWhatTheyHold)
{
  NebulaStored stored = make_stored (NEBULA_STORED_VALUE);
  Value real (nebula_value_new_stored (&stored));
  NebulaValue *items[] = {real.get ()};
  Value array (nebula_value_new_array (items, 1));
  Value object (nebula_value_with_member (json ("{\"a\":1}").get (), "b", array.get ()));
  Value without (nebula_value_without_member (object.get (), "b"));

  EXPECT_TRUE (nebula_value_has_stored (object.get ()));
  EXPECT_TRUE (nebula_value_has_reference (object.get ()));
  EXPECT_FALSE (nebula_value_is_stored (object.get ()));
  EXPECT_FALSE (nebula_value_has_stored (without.get ()));
}

TEST (ListBlobTest, FindsItems)
{
  GBytes *bytes = list_of ({256, 1, 300, 7});
  NebulaListChunk chunk;
  Error error;

  ASSERT_TRUE (nebula_list_blob_check (bytes, error.out ()));
  EXPECT_EQ (nebula_list_blob_get_length (bytes), 564u);
  EXPECT_EQ (nebula_list_blob_get_n_chunks (bytes), 4u);
  for (guint64 item : {0, 255, 256, 257, 556, 557, 563}) {
    nebula_list_blob_get_chunk (bytes, nebula_list_blob_find (bytes, item), &chunk);
    EXPECT_LE (chunk.first, item);
    EXPECT_LT (item, chunk.first + chunk.count);
  }
  nebula_list_blob_get_chunk (bytes, 3, &chunk);
  EXPECT_EQ (chunk.count, 7u);
  EXPECT_EQ (chunk.size, 70u);
  EXPECT_EQ (std::string (chunk.digest), "3" + DIGEST.substr (1));
  g_bytes_unref (bytes);
}

TEST (ListBlobTest, RefusesDamage)
{
  GBytes *good = list_of ({256, 1, 300});
  gsize size = 0;
  const char *data = (const char *) g_bytes_get_data (good, &size);
  std::string text (data, size);
  auto check = [] (const std::string &candidate) {
    GBytes *bytes = g_bytes_new (candidate.data (), candidate.size ());
    Error error;
    bool is_good = nebula_list_blob_check (bytes, error.out ());
    EXPECT_EQ (is_good, !error);
    g_bytes_unref (bytes);
    return is_good;
  };

  EXPECT_TRUE (check (text));
  for (size_t length = 0; length < text.size (); length++)
    EXPECT_FALSE (check (text.substr (0, length))) << length;
  for (size_t at : {0, 3, 4, 15, 48, 48 + 48}) {
    std::string bad = text;
    bad[at] = (char) (bad[at] ^ 0x81);
    EXPECT_FALSE (check (bad)) << at;
  }
  GBytes *empty = list_of ({});
  EXPECT_TRUE (nebula_list_blob_check (empty, nullptr));
  g_bytes_unref (empty);
  g_bytes_unref (good);
}

TEST (BlobCacheTest, HoldsSoManyBytes)
{
  NebulaBlobCache *cache = nebula_blob_cache_new (100000);
  std::vector<Value> references, values;

  for (int i = 0; i < 50; i++) {
    references.emplace_back (nebula_value_new_reference (("x:" + std::to_string (i)).c_str ()));
    values.emplace_back (nebula_value_new_string (std::string (4000, (char) ('a' + i % 26)).c_str ()));
    nebula_blob_cache_put (cache, references[i].get (), values[i].get (), i % 2);
    Value first (nebula_blob_cache_get (cache, references[0].get ()));
    EXPECT_TRUE (first) << "what is used stays";
    EXPECT_LE (nebula_blob_cache_get_n_bytes (cache), 100000u);
  }
  EXPECT_FALSE (Value (nebula_blob_cache_get (cache, references[2].get ())));
  EXPECT_FALSE (Value (nebula_blob_cache_find (cache, values[2].get ())));
  Value found (nebula_blob_cache_find (cache, values[0].get ()));
  EXPECT_EQ (found.get (), references[0].get ());
  Value huge (nebula_value_new_string (std::string (100000, 'h').c_str ()));
  nebula_blob_cache_put (cache, references[2].get (), huge.get (), FALSE);
  EXPECT_FALSE (Value (nebula_blob_cache_get (cache, references[2].get ())));
  nebula_blob_cache_unref (cache);
}

TEST (BlobCacheTest, HoldsBytesAsOftenAsAsked)
{
  NebulaBlobCache *cache = nebula_blob_cache_new (1000);
  GBytes *bytes = g_bytes_new ("abc", 3);
  NebulaBlob *blob = nebula_blob_new (bytes);

  nebula_blob_cache_hold (cache, blob);
  nebula_blob_cache_hold (cache, blob);
  nebula_blob_cache_release (cache, blob);
  GBytes *held = nebula_blob_cache_get_held (cache, blob->digest);
  EXPECT_EQ (held, bytes);
  g_bytes_unref (held);
  nebula_blob_cache_release (cache, blob);
  EXPECT_EQ (nebula_blob_cache_get_held (cache, blob->digest), nullptr);
  nebula_blob_free (blob);
  g_bytes_unref (bytes);
  nebula_blob_cache_unref (cache);
}

static const char large[] = R"(
name: large
nodes:
  a: { action: data.set, with: { t: "{{ repeat ('x', 100000) }}", n: 7 } }
  b: { action: test.effect, with: { n: "{{ $json.n + length ($nodes.a.result.t) }}" }, after: [a] }
  c: { action: flow.no-op, after: [a] }
  d: { action: data.set, with: { n: "{{ length ($json.c.t) + $json.b.n }}" }, after: [b, c] }
)";

TEST_F (SpillTest, LargeResultsAreReferencesInTheState)
{
  KernelDriver &d = run (large);

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.output (), R"({"n":200007})");
  EXPECT_TRUE (nebula_value_is_stored (root_run (0)->value));
  EXPECT_EQ (root_run (2)->value, root_run (0)->value) << "what is passed on is not stored again";
  EXPECT_EQ (d.blobs.stored.size (), 1u);
  EXPECT_FALSE (nebula_value_has_stored (root_run (1)->value));
  EXPECT_THAT (d.result ("a"), HasSubstr ("xxxx"));
  gsize n_bytes = 0;
  for (GBytes *segment : d.segments)
    n_bytes += g_bytes_get_size (segment);
  EXPECT_LT (n_bytes, 3000u);
}

TEST_F (SpillTest, ACrashLosesNothing)
{
  KernelDriver &d = begin (large);

  while (nebula_kernel_turn (d.kernel, 64, d.now))
    ;
  d.commit ();
  d.crash ();
  nebula_kernel_recover (d.kernel, d.now);
  d.run ();
  EXPECT_EQ (d.status (), "failed"); /* the effect had begun: nobody knows */
  EXPECT_THAT (d.result ("a"), HasSubstr ("xxxx"));
  EXPECT_EQ (d.blobs.n_reads, 1u);
}

TEST_F (SpillTest, ALostBlobFailsItsReader)
{
  KernelDriver &d = begin (R"(
name: lost
nodes:
  a: { action: data.set, with: { t: "{{ repeat ('x', 100000) }}" } }
  w: { action: flow.wait, with: { duration: 1s }, after: [a] }
  b: { action: data.set, with: { n: "{{ length ($nodes.a.result.t) }}" }, after: [w] }
  c: { action: data.set, with: { code: "{{ $json.code }}" }, after: [b.error] }
)");

  d.settle ();
  d.crash ();
  d.blobs.forget_all ();
  d.run ();
  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.node ("b"), "failed");
  EXPECT_EQ (d.result ("c"), R"({"code":"store-corrupt"})");
}

TEST_F (SpillTest, ADamagedBlobFailsItsReader)
{
  KernelDriver &d = begin (R"(
name: damaged
nodes:
  each:
    action: flow.for-each
    with: { items: "{{ range (0, 1500) }}", concurrency: 1 }
    body: { nodes: { w: { action: flow.wait, with: { duration: 1s } }, x: { action: data.set, with: { v: "{{ $item }}" }, after: [w] } } }
)");

  d.settle ();
  d.crash ();
  for (auto &[digest, bytes] : d.blobs.stored) {
    g_bytes_unref (bytes);
    bytes = g_bytes_new ("\x91\x01", 2);
  }
  d.run ();
  EXPECT_EQ (d.status (), "failed");
  EXPECT_EQ (d.error_code (), "store-corrupt");
}

TEST_F (SpillTest, InputPortsErrorsAndSignalsAreReadByMember)
{
  std::string text (70000, 'y');
  KernelDriver &d = begin (R"(
name: members
nodes:
  w: { action: flow.wait, with: { signal: go } }
  a: { action: data.set, with: { n: "{{ length ($input.big) + length ($nodes.w.result.value) }}" }, after: [w] }
  f: { action: flow.fail, with: { message: "{{ $input.big }}", code: large }, after: [a] }
  g: { action: data.set, with: { code: "{{ $json.code }}", n: "{{ length ($json.message) }}" }, after: [f.error] }
)", ("{\"big\":\"" + text + "\"}").c_str ());

  d.settle ();
  EXPECT_TRUE (nebula_value_is_stored (d.state ()->input));
  Value payload (nebula_value_new_string (text.c_str ()));
  nebula_kernel_signal (d.kernel, "go", payload.get (), d.now);
  d.run ();
  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.result ("a"), R"({"n":140000})");
  EXPECT_EQ (d.result ("g"), R"({"code":"large","n":70000})");
  EXPECT_EQ (d.blobs.stored.size (), 2u) << "the same text is stored once";
}

TEST_F (SpillTest, WithoutSpillingValuesStay)
{
  driver = nullptr;
  plan = compile (resolver.get (), large);
  KernelDriver plain (plan.get (), false);

  plain.start ();
  plain.run ();
  EXPECT_EQ (plain.output (), R"({"n":200007})");
  EXPECT_TRUE (plain.blobs.stored.empty ());
}

static const char long_loop[] = R"(
name: long
nodes:
  each:
    action: flow.for-each
    with: { items: "{{ range (0, 2000) | map (x => {n: x}) }}", concurrency: 7 }
    body: { nodes: { x: { action: data.set, with: { v: "{{ $item.n * 2 + $index - $loop.each.item.n }}" } } } }
  last: { action: data.set, with: { one: "{{ $nodes.each.result[734].v }}", n: "{{ length ($json) }}", sum: "{{ $json | sum (x => x.v) }}" }, after: [each] }
)";

TEST_F (SpillTest, LongLoopsKeepTheirResultsInLists)
{
  KernelDriver &d = begin (long_loop);

  for (int i = 0; i < 100; i++)
    nebula_kernel_turn (d.kernel, 50, d.now);
  NebulaWork *work = root_run (0)->work;
  ASSERT_TRUE (work && work->loop);
  EXPECT_TRUE (nebula_value_is_stored (work->loop->items));
  EXPECT_TRUE (_nebula_results_has_stored (work->loop->results));
  d.run ();
  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.output (), R"({"one":1468,"n":2000,"sum":3998000})");
  NebulaStored stored;
  ASSERT_TRUE (nebula_value_get_stored (root_run (0)->value, &stored));
  EXPECT_EQ (stored.form, NEBULA_STORED_LIST);
  EXPECT_EQ (stored.length, 2000u);
}

TEST_F (SpillTest, LongLoopsSurviveACrashAtAnyTurn)
{
  KernelDriver &d = begin (long_loop);

  for (int i = 0; i < 400 && !nebula_execution_status_is_terminal ((NebulaExecutionStatus) d.state ()->status); i++) {
    nebula_kernel_turn (d.kernel, 37, d.now);
    if (i % 3)
      continue;
    d.commit ();
    d.check_fold ();
    d.crash ();
    nebula_kernel_recover (d.kernel, d.now);
  }
  d.run ();
  EXPECT_EQ (d.output (), R"({"one":1468,"n":2000,"sum":3998000})");
}

TEST_F (SpillTest, LongLoopsMayBreakContinueAndCollect)
{
  KernelDriver &d = run (R"(
name: cut
nodes:
  broken:
    action: flow.for-each
    with: { items: "{{ range (0, 1200) }}" }
    body: { nodes: { i: { action: flow.if, with: { condition: "{{ $item == 600 }}" } }, b: { action: flow.break, after: [i.true] }, x: { action: data.set, with: { v: "{{ $item }}" }, after: [i.false] } } }
  collected:
    action: flow.for-each
    with: { items: "{{ range (0, 1200) }}", batch: 1 }
    on-error: collect
    body: { nodes: { i: { action: flow.if, with: { condition: "{{ $item % 2 == 0 }}" } }, f: { action: flow.fail, with: { message: odd }, after: [i.false] }, x: { action: data.set, with: { v: "{{ $item }}" }, after: [i.true] } } }
  batched:
    action: flow.for-each
    with: { items: "{{ range (0, 5001) }}", batch: 4, concurrency: 3 }
    body: { nodes: { x: { action: data.set, with: { n: "{{ length ($item) }}", first: "{{ $item[0] }}" } } } }
output:
  broken: "{{ [length ($nodes.broken.result), $nodes.broken.result[-1]] }}"
  collected: "{{ [length ($nodes.collected.result), $nodes.collected.result[7].error.message, $nodes.collected.result[8]] }}"
  batched: "{{ [length ($nodes.batched.result), $nodes.batched.result[1249], $nodes.batched.result[1250]] }}"
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.output (), R"({"broken":[600,{"v":599}],"collected":[1200,"odd",{"v":8}],)"
                          R"("batched":[1251,{"n":4,"first":4996},{"n":1,"first":5000}]})");
}

TEST_F (SpillTest, BlobsOfActionsAreNoted)
{
  std::string digest (64, 'b');
  KernelDriver &d = begin (R"(
name: noted
nodes:
  w: { action: flow.wait, with: { signal: go } }
  a: { action: data.set, with: { list: "{{ [$nodes.w.result.value] }}", t: "{{ repeat ('x', 100000) }}" }, after: [w] }
)");

  d.settle ();
  Value reference (nebula_value_new_blob (digest.c_str (), 5));
  nebula_kernel_signal (d.kernel, "go", reference.get (), d.now);
  d.run ();
  EXPECT_EQ (d.uses, std::vector<std::string> ({digest}));
  EXPECT_EQ (d.status (), "completed");
  EXPECT_THAT (d.result ("a"), HasSubstr ("blob:sha256-" + digest + "?size=5"));
}
