/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Workflows that the store has, in all their revisions. nebula-revisions-private.h says how they are written. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-duration.h"
#include "nebula-error.h"
#include "nebula-limits.h"
#include "nebula-msgpack.h"
#include "nebula-revisions-private.h"

#define PAGE     100
#define PAGE_MAX 1000

void
_nebula_revision_head_clear (NebulaRevisionHead *self)
{
  g_clear_pointer (&self->value, nebula_value_unref);
}

static NebulaValue *
read_document (NebulaEngine *engine,
               const char *collection,
               const char *key,
               gint64 *ret_revision,
               GError **error)
{
  g_autoptr (GBytes) bytes =
      nebula_store_read_document (engine->store, collection, key, ret_revision, error);

  return bytes ? nebula_value_from_msgpack (bytes, error) : NULL;
}

gboolean
_nebula_revisions_read_head (NebulaEngine *engine,
                             const char *name,
                             NebulaRevisionHead *ret_head,
                             GError **error)
{
  g_autoptr (GError) local_error = NULL;

  *ret_head = (NebulaRevisionHead){0};
  ret_head->value = read_document (engine, NEBULA_REVISIONS_HEADS, name,
                                   &ret_head->document_revision, &local_error);
  if (ret_head->value)
    ret_head->number = nebula_value_get_member_integer (ret_head->value, "number", 0);
  if (!local_error)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

char *
_nebula_revisions_make_key (const char *name, gint64 number)
{
  return g_strdup_printf ("%s@%010lld", name, (long long) number);
}

gboolean
_nebula_revisions_check_label (const char *label, GError **error)
{
  gboolean is_good = g_ascii_isalpha (label[0]) || label[0] == '_';

  for (const char *p = label; is_good && *p; p++)
    is_good = g_ascii_isalnum (*p) || strchr ("_.-", *p);
  if (is_good && strlen (label) <= 128)
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
               _ ("“%s” is no label: use letters, digits, “_”, “.” and “-”, a letter first."),
               label);
  return FALSE;
}

static gint64
find_label (const NebulaRevisionHead *head, const char *label)
{
  NebulaValue *labels = nebula_value_get_member (head->value, "labels");

  return labels ? nebula_value_get_member_integer (labels, label, 0) : 0;
}

gint64
_nebula_revisions_resolve (const NebulaRevisionHead *head,
                           const char *name,
                           const char *which,
                           GError **error)
{
  gint64 number = 0;
  guint64 given;

  if (head->number == 0) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND,
                 _ ("The store has no workflow “%s”. “nebula workflow list” shows those it has."),
                 name);
    return 0;
  }
  if (!which || which[0] == '\0')
    return head->number;
  if (!g_ascii_isdigit (which[0]))
    number = find_label (head, which);
  else if (g_ascii_string_to_unsigned (which, 10, 1, G_MAXINT64, &given, NULL) &&
           (gint64) given <= head->number)
    number = (gint64) given;
  if (number == 0)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND,
                 _ ("The workflow “%s” has no revision “%s”. The last one is %lld."), name,
                 which, (long long) head->number);
  return number;
}

NebulaValue *
_nebula_revisions_read (NebulaEngine *engine,
                        const char *name,
                        gint64 number,
                        GError **error)
{
  g_autofree char *key = _nebula_revisions_make_key (name, number);
  g_autoptr (GError) local_error = NULL;
  NebulaValue *value = read_document (engine, NEBULA_REVISIONS, key, NULL, &local_error);

  if (local_error)
    g_propagate_error (error, g_steal_pointer (&local_error));
  else if (!value)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
                 _ ("The store has lost revision %lld of the workflow “%s”."),
                 (long long) number, name);
  return value;
}

static NebulaValue *
find (NebulaEngine *engine,
      const char *name,
      const char *which,
      NebulaRevisionHead *head,
      GError **error)
{
  gint64 number;

  if (!_nebula_revisions_read_head (engine, name, head, error))
    return NULL;
  number = _nebula_revisions_resolve (head, name, which, error);
  return number > 0 ? _nebula_revisions_read (engine, name, number, error) : NULL;
}

/* For people and programs. */

static NebulaValue *
list_labels (const NebulaRevisionHead *head, gint64 number)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();
  NebulaValue *labels = nebula_value_get_member (head->value, "labels");

  for (gsize i = 0; labels && i < nebula_value_get_length (labels); i++) {
    const char *label = nebula_value_get_key (labels, i, NULL);

    if (number == 0 || nebula_value_get_member_integer (labels, label, 0) == number)
      nebula_value_builder_add_take (builder, nebula_value_new_string (label));
  }
  return nebula_value_builder_end (builder);
}

static void
set_time (NebulaValueBuilder *builder, const char *key, NebulaValue *value, const char *from)
{
  g_autofree char *text =
      nebula_timestamp_to_string (nebula_value_get_member_integer (value, from, 0), 0);

  nebula_value_builder_set_string (builder, key, text);
}

static NebulaValue *
describe_revision (const NebulaRevisionHead *head, NebulaValue *revision, gboolean is_whole)
{
  static const char *const optional[] = {"message", "by", "restores"};
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  gint64 number = nebula_value_get_member_integer (revision, "revision", 0);

  nebula_value_builder_set_string (
      builder, "workflow", nebula_value_get_member_string (revision, "workflow", ""));
  nebula_value_builder_set_integer (builder, "revision", number);
  nebula_value_builder_set_boolean (builder, "current", number == head->number);
  nebula_value_builder_set_string (builder, "hash",
                                   nebula_value_get_member_string (revision, "hash", ""));
  nebula_value_builder_set_take (builder, "labels", list_labels (head, number));
  set_time (builder, "created", revision, "created");
  for (guint i = 0; i < G_N_ELEMENTS (optional); i++)
    if (nebula_value_has_member (revision, optional[i]))
      nebula_value_builder_set (builder, optional[i],
                                nebula_value_get_member (revision, optional[i]));
  if (is_whole)
    nebula_value_builder_set (builder, "definition",
                              nebula_value_get_member (revision, "definition"));
  return nebula_value_builder_end (builder);
}

static NebulaValue *
describe_head (const char *name, const NebulaRevisionHead *head, NebulaValue *tags)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  NebulaValue *labels = nebula_value_get_member (head->value, "labels");

  nebula_value_builder_set_string (builder, "workflow", name);
  nebula_value_builder_set_integer (builder, "revision", head->number);
  nebula_value_builder_set_string (
      builder, "hash", nebula_value_get_member_string (head->value, "revision", ""));
  nebula_value_builder_set (builder, "tags", tags);
  nebula_value_builder_set_take (builder, "labels",
                                 labels ? nebula_value_ref (labels)
                                        : nebula_value_new_empty_object ());
  set_time (builder, "updated", head->value, "updated");
  return nebula_value_builder_end (builder);
}

static NebulaValue *
end_page (NebulaValueBuilder *items, NebulaValue *next)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_take (builder, "items", nebula_value_builder_end (items));
  nebula_value_builder_set_take (builder, "next", next ? next : nebula_value_new_null ());
  return nebula_value_builder_end (builder);
}

static guint
limit_page (guint limit)
{
  return limit == 0 ? PAGE : MIN (limit, PAGE_MAX);
}

static gboolean
has_tag (NebulaValue *tags, const char *tag)
{
  for (gsize i = 0; i < nebula_value_get_length (tags); i++) {
    NebulaValue *item = nebula_value_get_item (tags, i);

    if (nebula_value_get_kind (item) == NEBULA_VALUE_KIND_STRING &&
        g_str_equal (nebula_value_get_string (item), tag))
      return TRUE;
  }
  return FALSE;
}

/* The tags of a revision, an array; NULL with error. */
static NebulaValue *
read_tags (NebulaEngine *self, const char *name, gint64 number, GError **error)
{
  g_autoptr (NebulaValue) revision = _nebula_revisions_read (self, name, number, error);
  NebulaValue *definition =
      revision ? nebula_value_get_member (revision, "definition") : NULL;
  NebulaValue *tags = definition ? nebula_value_get_member (definition, "tags") : NULL;

  if (!revision)
    return NULL;
  return tags && nebula_value_get_kind (tags) == NEBULA_VALUE_KIND_ARRAY
             ? nebula_value_ref (tags)
             : nebula_value_new_array (NULL, 0);
}

static gboolean
add_workflow (NebulaEngine *self,
              NebulaValueBuilder *items,
              const char *name,
              const char *tag,
              GError **error)
{
  g_auto (NebulaRevisionHead) head = {0};
  g_autoptr (NebulaValue) tags = NULL;

  if (!_nebula_revisions_read_head (self, name, &head, error))
    return FALSE;
  if (head.number == 0)
    return TRUE;
  tags = read_tags (self, name, head.number, error);
  if (tags && (!tag || has_tag (tags, tag)))
    nebula_value_builder_add_take (items, describe_head (name, &head, tags));
  return tags != NULL;
}

static NebulaValue *
list_workflows (NebulaEngine *self, const char *tag, const char *after, guint limit, GError **error)
{
  g_autoptr (NebulaValueBuilder) items = nebula_value_builder_new_array ();
  g_auto (GStrv) names = NULL;
  guint n_names;

  limit = limit_page (limit);
  names = nebula_store_list_documents (self->store, NEBULA_REVISIONS_HEADS, after, limit,
                                       error);
  if (!names)
    return NULL;
  n_names = g_strv_length (names);
  for (guint i = 0; i < n_names; i++)
    if (!add_workflow (self, items, names[i], tag, error))
      return NULL;
  return end_page (items, n_names == limit ? nebula_value_new_string (names[n_names - 1])
                                           : NULL);
}

/**
 * nebula_engine_list_workflows:
 * @self: an engine
 * @after: (nullable): `next` of the page before
 * @limit: how many to list, at most 1,000; 0 for 100
 * @error: where the failure goes
 *
 * Lists the workflows that the engine's store has, by name. Blocks for the store.
 *
 * Errors: those of the store.
 *
 * Returns: (transfer full): `{items: [{workflow, revision, hash, tags, labels, updated}], next}`
 *
 * Since: 1.0
 */
NebulaValue *
nebula_engine_list_workflows (NebulaEngine *self,
                              const char *after,
                              guint limit,
                              GError **error)
{
  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);

  return list_workflows (self, NULL, after, limit, error);
}

/**
 * nebula_engine_list_workflows_with_tag:
 * @self: an engine
 * @tag: one of the tags of their current revisions
 * @after: (nullable): `next` of the page before
 * @limit: how many to list, at most 1,000; 0 for 100
 * @error: where the failure goes
 *
 * Lists those workflows of the engine's store that have a tag, by name. Blocks for the store. A page may hold fewer than
 * @limit though others follow.
 *
 * Errors: those of the store.
 *
 * Returns: (transfer full): as nebula_engine_list_workflows()
 *
 * Since: 1.0
 */
NebulaValue *
nebula_engine_list_workflows_with_tag (NebulaEngine *self,
                                       const char *tag,
                                       const char *after,
                                       guint limit,
                                       GError **error)
{
  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);
  g_return_val_if_fail (tag != NULL, NULL);

  return list_workflows (self, tag, after, limit, error);
}

/**
 * nebula_engine_list_revisions:
 * @self: an engine
 * @workflow: a workflow's name
 * @before: `next` of the page before; 0 for the newest
 * @limit: how many to list, at most 1,000; 0 for 100
 * @error: where the failure goes
 *
 * Lists the revisions of a workflow, newest first. Blocks for the store.
 *
 * Errors: %NEBULA_ERROR_NOT_FOUND (terminal); those of the store.
 *
 * Returns: (transfer full): `{items: [{workflow, revision, current, hash, labels, created, message?, by?, restores?}],
 *   next}`; `restores` is the number of the revision that a roll-back brought back
 *
 * Since: 1.0
 */
NebulaValue *
nebula_engine_list_revisions (NebulaEngine *self,
                              const char *workflow,
                              gint64 before,
                              guint limit,
                              GError **error)
{
  g_autoptr (NebulaValueBuilder) items = nebula_value_builder_new_array ();
  g_auto (NebulaRevisionHead) head = {0};
  gint64 number;

  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);
  g_return_val_if_fail (workflow != NULL, NULL);

  if (!_nebula_revisions_read_head (self, workflow, &head, error) ||
      _nebula_revisions_resolve (&head, workflow, NULL, error) == 0)
    return NULL;
  limit = limit_page (limit);
  number = before > 0 ? MIN (before - 1, head.number) : head.number;
  for (; limit > 0 && number > 0; number--, limit--) {
    g_autoptr (NebulaValue) revision =
        _nebula_revisions_read (self, workflow, number, error);

    if (!revision)
      return NULL;
    nebula_value_builder_add_take (items, describe_revision (&head, revision, FALSE));
  }
  return end_page (items, number > 0 ? nebula_value_new_integer (number + 1) : NULL);
}

/**
 * nebula_engine_get_revision:
 * @self: an engine
 * @workflow: a workflow's name
 * @which: (nullable): a number or a label; %NULL for the current revision
 * @error: where the failure goes
 *
 * Reads one revision of a workflow, as it was written. Blocks for the store.
 *
 * Errors: %NEBULA_ERROR_NOT_FOUND (terminal); those of the store.
 *
 * Returns: (transfer full): `{workflow, revision, current, hash, labels, created, message?, by?, restores?, definition}`
 *
 * Since: 1.0
 */
NebulaValue *
nebula_engine_get_revision (NebulaEngine *self,
                            const char *workflow,
                            const char *which,
                            GError **error)
{
  g_auto (NebulaRevisionHead) head = {0};
  g_autoptr (NebulaValue) revision = NULL;

  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);
  g_return_val_if_fail (workflow != NULL, NULL);

  revision = find (self, workflow, which, &head, error);
  return revision ? describe_revision (&head, revision, TRUE) : NULL;
}

/* Compiled from the store's definition, with the links that it was published with. */
static NebulaPlan *
compile (NebulaEngine *self, NebulaValue *revision, GError **error)
{
  const char *hash = nebula_value_get_member_string (revision, "hash", "");
  NebulaValue *links = nebula_value_get_member (revision, "links");
  g_autoptr (NebulaPlan) plan = _nebula_recovery_load_plan (self, hash, error);

  if (!plan || !links || (plan->links && nebula_value_equal (plan->links, links)))
    return g_steal_pointer (&plan);
  return _nebula_engine_relink (self, plan, links, error);
}

/**
 * nebula_engine_load_revision:
 * @self: an engine
 * @workflow: a workflow's name
 * @which: (nullable): a number or a label; %NULL for the current revision
 * @ret_revision: (out) (optional): its number
 * @error: where the failure goes
 *
 * Gets a revision of the store as a plan. Blocks for the store; compiles what is not in memory.
 *
 * Errors: %NEBULA_ERROR_NOT_FOUND (terminal); %NEBULA_ERROR_INVALID_WORKFLOW (terminal) if the modules of today do not
 * take it; those of the store.
 *
 * Returns: (transfer full): the plan
 *
 * Since: 1.0
 */
NebulaPlan *
nebula_engine_load_revision (NebulaEngine *self,
                             const char *workflow,
                             const char *which,
                             gint64 *ret_revision,
                             GError **error)
{
  g_auto (NebulaRevisionHead) head = {0};
  g_autoptr (NebulaValue) revision = NULL;
  NebulaPlan *plan;

  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);
  g_return_val_if_fail (workflow != NULL, NULL);

  revision = find (self, workflow, which, &head, error);
  plan = revision ? compile (self, revision, error) : NULL;
  if (plan && ret_revision)
    *ret_revision = nebula_value_get_member_integer (revision, "revision", 0);
  return plan;
}

/**
 * nebula_engine_start_revision:
 * @self: an engine
 * @workflow: a workflow's name
 * @which: (nullable): a number or a label; %NULL for the current revision
 * @input: (nullable): the input; %NULL for an empty object
 * @options: (nullable): as for nebula_engine_start()
 * @error: where the failure goes
 *
 * Starts an execution of a workflow that the store has. The execution keeps this revision to its end, and its report
 * names it. Blocks for the store.
 *
 * Errors: as nebula_engine_load_revision() and nebula_engine_start().
 *
 * Returns: (transfer full): the handle
 *
 * Since: 1.0
 */
NebulaExecution *
nebula_engine_start_revision (NebulaEngine *self,
                              const char *workflow,
                              const char *which,
                              NebulaValue *input,
                              NebulaValue *options,
                              GError **error)
{
  g_autoptr (NebulaValue) empty = nebula_value_new_empty_object ();
  g_autoptr (NebulaValue) number = NULL;
  g_autoptr (NebulaValue) whole = NULL;
  gint64 revision = 0;
  g_autoptr (NebulaPlan) plan =
      nebula_engine_load_revision (self, workflow, which, &revision, error);

  if (!plan)
    return NULL;
  number = nebula_value_new_integer (revision);
  whole = nebula_value_with_member (options ? options : empty, "revision", number);
  return nebula_engine_start (self, plan, input, whole, error);
}
