/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-gate-private.h"
#include "nebula-id-internal.h"
#include "nebula-msgpack-internal.h"
#include "nebula-wire-private.h"

#define RECORD_NUMBERS 3

static const NebulaGateClass *const classes[NEBULA_GATE_N_KINDS] = {
    [NEBULA_GATE_CONCURRENCY] = &_nebula_gate_concurrency,
    [NEBULA_GATE_RATE] = &_nebula_gate_rate,
    [NEBULA_GATE_THROTTLE] = &_nebula_gate_throttle,
    [NEBULA_GATE_DEBOUNCE] = &_nebula_gate_debounce,
    [NEBULA_GATE_BATCH] = &_nebula_gate_batch,
};

typedef struct {
  NebulaGateFactKind kind;
  const char *holder;
  const char *share;
  gint64 time_usec;
  gint64 numbers[RECORD_NUMBERS];
  NebulaValue *value; /* NULL: none */
} Record;

static const NebulaGateClass *
get_class (NebulaGateState *self)
{
  return classes[self->rule.kind];
}

const char *
nebula_gate_kind_to_string (NebulaGateKind kind)
{
  g_return_val_if_fail (kind < NEBULA_GATE_N_KINDS, "unknown");
  return classes[kind]->name;
}

void
nebula_gate_answer_free (gpointer data)
{
  NebulaGateAnswer *self = data;

  g_free (self->holder);
  g_clear_pointer (&self->members, g_ptr_array_unref);
  g_free (self);
}

static void
entry_free (gpointer data)
{
  NebulaGateEntry *self = data;

  g_free (self->holder);
  g_free (self->share);
  g_clear_pointer (&self->value, nebula_value_unref);
  g_free (self);
}

NebulaGateState *
nebula_gate_state_new (void)
{
  NebulaGateState *self = g_new0 (NebulaGateState, 1);

  self->rule.limit = 1;
  self->holders = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, entry_free);
  g_queue_init (&self->queue);
  g_queue_init (&self->passed);
  return self;
}

void
nebula_gate_state_free (NebulaGateState *self)
{
  if (!self)
    return;
  g_hash_table_unref (self->holders);
  g_queue_clear_full (&self->queue, entry_free);
  g_queue_clear_full (&self->passed, g_free);
  g_free (self);
}

static GList *
find_waiting (NebulaGateState *self, const char *holder)
{
  for (GList *link = self->queue.head; link; link = link->next)
    if (g_str_equal (((NebulaGateEntry *) link->data)->holder, holder))
      return link;
  return NULL;
}

gboolean
nebula_gate_state_knows (NebulaGateState *self, const char *holder)
{
  return g_hash_table_contains (self->holders, holder) || find_waiting (self, holder);
}

static void
forget_passed (NebulaGateState *self, gint64 now_usec)
{
  gint64 *first;

  while ((first = g_queue_peek_head (&self->passed)) &&
         *first <= now_usec - self->rule.period_usec)
    g_free (g_queue_pop_head (&self->passed));
}

static void
note_passed (NebulaGateState *self, gint64 time_usec)
{
  if (self->rule.period_usec == 0)
    return;
  forget_passed (self, time_usec);
  g_queue_push_tail (&self->passed, g_memdup2 (&time_usec, sizeof time_usec));
}

static void
apply_asked (NebulaGateState *self, const Record *record)
{
  NebulaGateEntry *entry = g_new0 (NebulaGateEntry, 1);

  entry->holder = g_strdup (record->holder);
  entry->share = g_strdup (record->share);
  entry->priority = record->numbers[0];
  entry->since_usec = record->time_usec;
  entry->is_back = record->numbers[1] == 1;
  entry->value = record->value ? nebula_value_ref (record->value) : NULL;
  g_queue_push_tail (&self->queue, entry);
}

static void
apply_granted (NebulaGateState *self, const Record *record)
{
  GList *link = find_waiting (self, record->holder);
  NebulaGateEntry *entry = link ? link->data : NULL;

  if (!entry)
    return;
  g_queue_delete_link (&self->queue, link);
  entry->since_usec = record->time_usec;
  note_passed (self, record->time_usec);
  if (get_class (self)->keeps_holders)
    g_hash_table_insert (self->holders, entry->holder, entry);
  else
    entry_free (entry);
}

static void
apply_left (NebulaGateState *self, const char *holder)
{
  GList *link = find_waiting (self, holder);

  g_hash_table_remove (self->holders, holder);
  if (!link)
    return;
  entry_free (link->data);
  g_queue_delete_link (&self->queue, link);
}

static void
apply_cancelled (NebulaGateState *self, const char *holder)
{
  NebulaGateEntry *entry = g_hash_table_lookup (self->holders, holder);

  if (entry)
    entry->is_cancelled = TRUE;
}

static void
apply (NebulaGateState *self, const Record *record)
{
  self->sequence++;
  switch (record->kind) {
  case NEBULA_GATE_RULE:
    self->rule.limit = (guint32) record->numbers[0];
    self->rule.period_usec = record->numbers[1];
    self->rule.kind = (guint8) (record->numbers[2] & 0xff);
    self->rule.strategy = (guint8) (record->numbers[2] >> 8);
    break;
  case NEBULA_GATE_ASKED:
    apply_asked (self, record);
    break;
  case NEBULA_GATE_GRANTED:
    apply_granted (self, record);
    break;
  case NEBULA_GATE_RELEASED:
  case NEBULA_GATE_REFUSED:
  case NEBULA_GATE_BATCHED:
    apply_left (self, record->holder);
    break;
  case NEBULA_GATE_CANCELLED:
    apply_cancelled (self, record->holder);
    break;
  case NEBULA_GATE_PASSED:
    note_passed (self, record->time_usec);
    break;
  default:
    g_assert_not_reached ();
  }
}

static void
write_value (GByteArray *facts, NebulaValue *value)
{
  g_autoptr (GBytes) bytes = value ? nebula_value_to_msgpack (value) : NULL;
  gsize size = 0;
  const guint8 *data = bytes ? g_bytes_get_data (bytes, &size) : NULL;

  _nebula_wire_append_varint (facts, size);
  if (size > 0)
    g_byte_array_append (facts, data, (guint) size);
}

static void
write_record (GByteArray *facts, const Record *record)
{
  guint8 kind = (guint8) record->kind;

  if (facts->len == 0)
    g_byte_array_append (facts, (const guint8[]){NEBULA_GATE_FORMAT}, 1);
  g_byte_array_append (facts, &kind, 1);
  _nebula_wire_append_text (facts, record->holder);
  _nebula_wire_append_varint (facts, (guint64) record->time_usec);
  for (guint i = 0; i < RECORD_NUMBERS; i++)
    _nebula_wire_append_zigzag (facts, record->numbers[i]);
  _nebula_wire_append_text (facts, record->share ? record->share : "");
  write_value (facts, record->value);
}

static void
record_fact (NebulaGateTurn *turn, const Record *record)
{
  write_record (turn->facts, record);
  apply (turn->state, record);
}

/* The entry may be gone when this returns. */
static void
tell (NebulaGateTurn *turn, NebulaGateFactKind verdict, const char *holder)
{
  NebulaGateAnswer *answer = g_new0 (NebulaGateAnswer, 1);
  Record record = {.kind = verdict, .time_usec = turn->now_usec};

  answer->verdict = verdict;
  answer->holder = g_strdup (holder);
  g_ptr_array_add (turn->answers, answer);
  record.holder = answer->holder;
  record_fact (turn, &record);
}

void
_nebula_gate_grant (NebulaGateTurn *turn, NebulaGateEntry *entry)
{
  tell (turn, NEBULA_GATE_GRANTED, entry->holder);
}

void
_nebula_gate_refuse (NebulaGateTurn *turn, NebulaGateEntry *entry)
{
  tell (turn, NEBULA_GATE_REFUSED, entry->holder);
}

void
_nebula_gate_cancel (NebulaGateTurn *turn, NebulaGateEntry *entry)
{
  tell (turn, NEBULA_GATE_CANCELLED, entry->holder);
}

static NebulaGateEntry *
entry_copy (const NebulaGateEntry *entry)
{
  NebulaGateEntry *copy = g_memdup2 (entry, sizeof *entry);

  copy->holder = g_strdup (entry->holder);
  copy->share = g_strdup (entry->share);
  copy->value = entry->value ? nebula_value_ref (entry->value) : NULL;
  return copy;
}

/* Its id is that of its first member, in another form: a member is collected once. */
static char *
make_batch_id (NebulaGateTurn *turn)
{
  NebulaGateEntry *first = g_queue_peek_head (&turn->state->queue);
  g_autofree char *text = g_strdup_printf ("%s\nbatch", first->holder);

  return nebula_id_derive (NEBULA_ID_KIND_EXECUTION, turn->now_usec / 1000, text);
}

void
_nebula_gate_collect (NebulaGateTurn *turn, guint n_members)
{
  NebulaGateAnswer *answer = g_new0 (NebulaGateAnswer, 1);

  answer->verdict = NEBULA_GATE_BATCHED;
  answer->holder = make_batch_id (turn);
  answer->members = g_ptr_array_new_with_free_func (entry_free);
  g_ptr_array_add (turn->answers, answer);
  for (guint i = 0; i < n_members; i++) {
    NebulaGateEntry *member = entry_copy (g_queue_peek_head (&turn->state->queue));
    Record record = {.kind = NEBULA_GATE_BATCHED,
                     .holder = member->holder,
                     .share = answer->holder,
                     .time_usec = turn->now_usec};

    g_ptr_array_add (answer->members, member);
    record_fact (turn, &record);
  }
}

static guint
count_share (NebulaGateState *self, const char *share)
{
  GHashTableIter iter;
  gpointer value;
  guint n_inside = 0;

  g_hash_table_iter_init (&iter, self->holders);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    n_inside += g_strcmp0 (((NebulaGateEntry *) value)->share, share) == 0;
  return n_inside;
}

static gboolean
goes_before (const NebulaGateEntry *a, guint n_a, const NebulaGateEntry *b, guint n_b)
{
  if (a->priority != b->priority)
    return a->priority > b->priority;
  if (a->is_back != b->is_back)
    return a->is_back;
  return n_a < n_b;
}

NebulaGateEntry *
_nebula_gate_find_next (NebulaGateState *self)
{
  NebulaGateEntry *best = NULL;
  guint n_best = 0;

  for (GList *link = self->queue.head; link; link = link->next) {
    NebulaGateEntry *entry = link->data;
    gboolean has_share = entry->share && *entry->share;
    guint n_inside = has_share ? count_share (self, entry->share) : 0;

    if (best && !goes_before (entry, n_inside, best, n_best))
      continue;
    best = entry;
    n_best = n_inside;
  }
  return best;
}

guint
_nebula_gate_count_passed (NebulaGateState *self, gint64 now_usec)
{
  guint n_passed = 0;

  for (GList *link = self->passed.tail; link; link = link->prev) {
    if (*(gint64 *) link->data <= now_usec - self->rule.period_usec)
      break;
    n_passed++;
  }
  return n_passed;
}

static gboolean
is_same_rule (const NebulaGateRule *a, const NebulaGateRule *b)
{
  return a->kind == b->kind && a->strategy == b->strategy && a->limit == b->limit &&
         a->period_usec == b->period_usec;
}

/* The rule is that of whoever asked last. */
static void
set_rule (NebulaGateTurn *turn, const NebulaGateRule *rule)
{
  Record record = {.kind = NEBULA_GATE_RULE, .holder = "", .time_usec = turn->now_usec};

  if (is_same_rule (&turn->state->rule, rule))
    return;
  record.numbers[0] = rule->limit;
  record.numbers[1] = rule->period_usec;
  record.numbers[2] = rule->kind | (gint64) rule->strategy << 8;
  record_fact (turn, &record);
}

static void
repeat_grant (NebulaGateTurn *turn, const char *holder)
{
  NebulaGateAnswer *answer = g_new0 (NebulaGateAnswer, 1);

  answer->verdict = NEBULA_GATE_GRANTED;
  answer->holder = g_strdup (holder);
  g_ptr_array_add (turn->answers, answer);
}

void
nebula_gate_ask (NebulaGateState *self,
                 const NebulaGateAsk *ask,
                 gint64 now_usec,
                 GByteArray *facts,
                 GPtrArray *answers)
{
  NebulaGateTurn turn = {self, now_usec, facts, answers};
  Record record = {.kind = NEBULA_GATE_ASKED,
                   .holder = ask->holder,
                   .share = ask->share,
                   .time_usec = now_usec,
                   .numbers = {ask->priority, ask->is_back ? 1 : 0},
                   .value = ask->value};

  set_rule (&turn, &ask->rule);
  if (g_hash_table_contains (self->holders, ask->holder))
    repeat_grant (&turn, ask->holder);
  else if (!find_waiting (self, ask->holder)) {
    record_fact (&turn, &record);
    get_class (self)->asked (&turn, g_queue_peek_tail (&self->queue));
  }
  get_class (self)->settle (&turn);
}

void
nebula_gate_release (NebulaGateState *self,
                     const char *holder,
                     gint64 now_usec,
                     GByteArray *facts,
                     GPtrArray *answers)
{
  NebulaGateTurn turn = {self, now_usec, facts, answers};
  Record record = {
      .kind = NEBULA_GATE_RELEASED, .holder = holder, .time_usec = now_usec};

  if (nebula_gate_state_knows (self, holder))
    record_fact (&turn, &record);
  get_class (self)->settle (&turn);
}

void
nebula_gate_tick (NebulaGateState *self,
                  gint64 now_usec,
                  GByteArray *facts,
                  GPtrArray *answers)
{
  NebulaGateTurn turn = {self, now_usec, facts, answers};

  get_class (self)->settle (&turn);
}

gint64
nebula_gate_state_get_due (NebulaGateState *self)
{
  const NebulaGateClass *klass = get_class (self);

  return klass->get_due && !g_queue_is_empty (&self->queue) ? klass->get_due (self) : 0;
}

static void
write_entry (GByteArray *facts, NebulaGateEntry *entry)
{
  Record record = {.kind = NEBULA_GATE_ASKED,
                   .holder = entry->holder,
                   .share = entry->share,
                   .time_usec = entry->since_usec,
                   .numbers = {entry->priority, entry->is_back ? 1 : 0},
                   .value = entry->value};

  write_record (facts, &record);
}

/* Those inside first: they ask and are let in, without a word about when others were. */
static void
write_holder (GByteArray *facts, NebulaGateEntry *entry)
{
  Record record = {.kind = NEBULA_GATE_GRANTED,
                   .holder = entry->holder,
                   .time_usec = entry->since_usec};

  write_entry (facts, entry);
  write_record (facts, &record);
  record.kind = NEBULA_GATE_CANCELLED;
  if (entry->is_cancelled)
    write_record (facts, &record);
}

GBytes *
nebula_gate_state_to_checkpoint (NebulaGateState *self)
{
  GByteArray *facts = g_byte_array_new ();
  Record record = {.kind = NEBULA_GATE_RULE, .holder = ""};
  GHashTableIter iter;
  gpointer value;

  record.numbers[0] = self->rule.limit;
  record.numbers[1] = self->rule.period_usec;
  record.numbers[2] = self->rule.kind | (gint64) self->rule.strategy << 8;
  write_record (facts, &record);
  g_hash_table_iter_init (&iter, self->holders);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    write_holder (facts, value);
  record = (Record){.kind = NEBULA_GATE_PASSED, .holder = ""};
  for (GList *link = self->passed.head; link && !get_class (self)->keeps_holders;
       link = link->next) {
    record.time_usec = *(gint64 *) link->data;
    write_record (facts, &record);
  }
  for (GList *link = self->queue.head; link; link = link->next)
    write_entry (facts, link->data);
  return g_byte_array_free_to_bytes (facts);
}

static gboolean
refuse (GError **error)
{
  g_set_error_literal (
      error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
      _ ("The history of a gate is damaged. Restore the store from a backup."));
  return FALSE;
}

static gboolean
read_value (const guint8 *data, gsize size, gsize *offset, NebulaValue **ret_value)
{
  g_autoptr (GBytes) bytes = NULL;
  guint64 length;

  if (!_nebula_wire_read_varint (data, size, offset, &length) || length > size - *offset)
    return FALSE;
  if (length == 0)
    return TRUE;
  bytes = g_bytes_new (data + *offset, length);
  *offset += length;
  *ret_value = nebula_value_from_msgpack_own (bytes, NULL);
  return *ret_value != NULL;
}

static gboolean
read_record (const guint8 *data,
             gsize size,
             gsize *offset,
             Record *record,
             char **texts)
{
  guint64 time;

  record->kind = data[(*offset)++];
  if (record->kind < NEBULA_GATE_RULE || record->kind > NEBULA_GATE_LAST ||
      !_nebula_wire_read_text (data, size, offset, &texts[0]) ||
      !_nebula_wire_read_varint (data, size, offset, &time))
    return FALSE;
  for (guint i = 0; i < RECORD_NUMBERS; i++)
    if (!_nebula_wire_read_zigzag (data, size, offset, &record->numbers[i]))
      return FALSE;
  if (!_nebula_wire_read_text (data, size, offset, &texts[1]) ||
      (data[0] > NEBULA_GATE_FORMAT_FIRST &&
       !read_value (data, size, offset, &record->value)))
    return FALSE;
  record->time_usec = (gint64) time;
  record->holder = texts[0];
  record->share = *texts[1] ? texts[1] : NULL;
  return record->kind != NEBULA_GATE_RULE ||
         (record->numbers[0] >= 1 && record->numbers[0] <= G_MAXUINT32 &&
          record->numbers[1] >= 0 &&
          (record->numbers[2] & 0xff) < NEBULA_GATE_N_KINDS &&
          record->numbers[2] >> 8 <= NEBULA_GATE_CANCEL_NEWEST && record->numbers[2] >= 0);
}

gboolean
nebula_gate_state_fold (NebulaGateState *self, GBytes *segment, GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (segment, &size);
  gsize offset = 1;

  if (size == 0 || data[0] < NEBULA_GATE_FORMAT_FIRST || data[0] > NEBULA_GATE_FORMAT)
    return refuse (error);
  while (offset < size) {
    char *texts[2] = {NULL, NULL};
    Record record = {0};
    gboolean is_good = read_record (data, size, &offset, &record, texts);

    if (is_good)
      apply (self, &record);
    g_free (texts[0]);
    g_free (texts[1]);
    g_clear_pointer (&record.value, nebula_value_unref);
    if (!is_good)
      return refuse (error);
  }
  return TRUE;
}
