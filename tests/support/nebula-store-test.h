/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Units and stores for tests of whatever writes to a store. */
#pragma once

#include <glib/gstdio.h>

#include <string>
#include <vector>

#include "nebula-store.h"
#include "nebula-test.h"

namespace nebula
{

/* A folder that goes away with its content. */
class TempDir
{
public:
  TempDir ()
  {
    GError *error = nullptr;
    path_ = g_dir_make_tmp ("nebula-test-XXXXXX", &error);
    g_assert_no_error (error);
  }
  TempDir (const TempDir &) = delete;
  ~TempDir ()
  {
    clear ();
    g_rmdir (path_);
    g_free (path_);
  }
  void clear ()
  {
    GDir *dir = g_dir_open (path_, 0, nullptr);
    while (const char *name = g_dir_read_name (dir))
      g_remove ((std::string (path_) + "/" + name).c_str ());
    g_dir_close (dir);
  }
  std::string path () const
  {
    return path_;
  }
  std::string file (const char *name) const
  {
    return std::string (path_) + "/" + name;
  }

private:
  char *path_;
};

inline GBytes *
bytes (const std::string &text)
{
  return g_bytes_new (text.data (), text.size ());
}

inline std::string
take_text (GBytes *bytes)
{
  if (!bytes)
    return "(none)";
  std::string text ((const char *) g_bytes_get_data (bytes, nullptr),
                    g_bytes_get_size (bytes));
  g_bytes_unref (bytes);
  return text;
}

/* A unit with facts and a header of a running execution. */
inline NebulaUnit *
facts_unit (const char *stream,
            guint64 expected,
            guint64 n_facts,
            const std::string &facts)
{
  NebulaUnit *unit = nebula_unit_new (stream, expected);
  unit->n_facts = n_facts;
  unit->facts = n_facts ? bytes (facts) : nullptr;
  unit->header = nebula_header_new (stream);
  unit->header->tenant = g_strdup ("default");
  unit->header->workflow = g_strdup ("orders");
  unit->header->revision = g_strdup ("r1");
  unit->header->status = NEBULA_EXECUTION_STATUS_RUNNING;
  unit->header->sequence = expected + n_facts;
  unit->header->epoch = 1;
  unit->header->format = 1;
  unit->strict = TRUE;
  return unit;
}

/* Commits units, frees them and gives the outcomes. */
inline std::vector<NebulaOutcome>
commit (NebulaStore *store,
        std::vector<NebulaUnit *> units,
        bool sync = true,
        GError **error = nullptr)
{
  std::vector<NebulaOutcome> outcomes (units.size ());
  nebula_store_commit (store, units.data (), (guint) units.size (), sync,
                       outcomes.data (), error);
  for (NebulaUnit *unit : units)
    nebula_unit_free (unit);
  return outcomes;
}

inline NebulaOutcome
commit_one (NebulaStore *store,
            NebulaUnit *unit,
            bool sync = true,
            GError **error = nullptr)
{
  return commit (store, {unit}, sync, error)[0];
}

using Header = Owned<NebulaHeader, nebula_header_free>;
using Rows = Owned<GPtrArray, g_ptr_array_unref>;

inline guint64
read_sequence (NebulaStore *store, const char *stream)
{
  Error error;
  Header header (nebula_store_read_header (store, stream, error.out ()));
  EXPECT_FALSE (error) << error.message ();
  return header ? header.get ()->sequence : 0;
}

/* All facts of a stream, segments parted by `|`. */
inline std::string
read_facts (NebulaStore *store, const char *stream, guint64 after = 0, guint limit = 0)
{
  Error error;
  Rows rows (nebula_store_read_segments (store, stream, after, limit, error.out ()));
  std::string text;
  EXPECT_TRUE (rows) << error.message ();
  for (guint i = 0; rows && i < rows.get ()->len; i++) {
    NebulaSegment *segment = (NebulaSegment *) g_ptr_array_index (rows.get (), i);
    text += (i ? "|" : "") + take_text (g_bytes_ref (segment->facts));
  }
  return text;
}

inline std::vector<std::string>
list_streams (NebulaStore *store, const NebulaHeaderQuery &query)
{
  Error error;
  Rows rows (nebula_store_list_headers (store, &query, error.out ()));
  std::vector<std::string> names;
  EXPECT_TRUE (rows) << error.message ();
  for (guint i = 0; rows && i < rows.get ()->len; i++)
    names.push_back (((NebulaHeader *) g_ptr_array_index (rows.get (), i))->stream);
  return names;
}

/* Ids of the messages that wait. */
inline std::vector<std::string>
list_inbox (NebulaStore *store, const char *stream, guint limit = 0)
{
  Error error;
  Rows rows (nebula_store_read_inbox (store, stream, limit, error.out ()));
  std::vector<std::string> ids;
  EXPECT_TRUE (rows) << error.message ();
  for (guint i = 0; rows && i < rows.get ()->len; i++)
    ids.push_back (((NebulaMessage *) g_ptr_array_index (rows.get (), i))->id);
  return ids;
}

} // namespace nebula
