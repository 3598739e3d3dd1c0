/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an evaluation may use, and how it fails.
 *
 * Memory is counted as it is made. Only when that sum passes the limit is what lives counted: the cells on the stack
 * and what built-in functions hold. So a long chain of steps that each let go of the last one's value is not refused.
 */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression-private.h"

#define SLICE 50000 /* steps between two looks at the clock */

gboolean
_nebula_vm_fail_at (NebulaVm *vm,
                    guint word,
                    NebulaError code,
                    const char *hint,
                    const char *message)
{
  if (vm->error == NULL)
    vm->error = _nebula_problem_new (code, vm->program->text,
                                     vm->program->positions[word].at, message, hint);
  return FALSE;
}

gboolean
_nebula_vm_fail (NebulaVm *vm,
                 NebulaError code,
                 const char *hint,
                 const char *format,
                 ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  return _nebula_vm_fail_at (vm, vm->at, code, hint, message);
}

static gboolean
fail_budget (NebulaVm *vm)
{
  vm->fuel = vm->reserve = 0;
  return _nebula_vm_fail (vm, NEBULA_ERROR_BUDGET_EXCEEDED,
                          _ ("Work on fewer items at a time."),
                          _ ("The expression takes more steps than one evaluation may"));
}

static gboolean
fail_time (NebulaVm *vm)
{
  vm->fuel = vm->reserve = 0;
  return _nebula_vm_fail (vm, NEBULA_ERROR_BUDGET_EXCEEDED,
                          _ ("Work on fewer items at a time."),
                          _ ("The expression takes longer than one evaluation may"));
}

/*
 * Fuel is handed out in slices, so that the clock is looked at now and then; the first look starts the time. Steps are
 * what counts: time is the last line, for machines that are slower than anyone thought.
 */
gboolean
_nebula_vm_refill (NebulaVm *vm, gsize steps)
{
  gint64 left = vm->fuel + vm->reserve;
  gint64 now;

  if (vm->error != NULL)
    return FALSE;
  if (left < 0 || steps > (gsize) left)
    return fail_budget (vm);
  if (vm->limits->time_usec > 0) {
    now = g_get_monotonic_time ();
    if (vm->deadline_usec == 0)
      vm->deadline_usec = now + vm->limits->time_usec;
    else if (now > vm->deadline_usec)
      return fail_time (vm);
  }
  left -= (gint64) steps;
  vm->fuel = MIN (left, SLICE);
  vm->reserve = left - vm->fuel;
  return TRUE;
}

gsize
_nebula_vm_get_fuel (NebulaVm *vm)
{
  return (gsize) MAX (vm->fuel + vm->reserve, 0);
}

/* How many bytes the machine keeps alive: an upper bound, since values may share parts. */
static gsize
count_living (NebulaVm *vm)
{
  gsize bytes = vm->held;

  for (gsize i = 0; i < vm->depth; i++)
    if (vm->stack[i].tag == NEBULA_CELL_VALUE && vm->stack[i].is_owned)
      bytes += nebula_value_get_size_bytes (vm->stack[i].as.value);
  return bytes;
}

gboolean
_nebula_vm_charge (NebulaVm *vm, gsize bytes)
{
  if (bytes > vm->limits->memory_bytes)
    return _nebula_vm_fail (
        vm, NEBULA_ERROR_BUDGET_EXCEEDED, _ ("Work on fewer items at a time."),
        _ ("The expression needs more memory than one evaluation may"));
  vm->allocated += bytes;
  vm->total += bytes;
  if (vm->allocated <= vm->limits->memory_bytes)
    return TRUE;
  vm->allocated = MIN (count_living (vm) + bytes, vm->allocated);
  if (vm->allocated <= vm->limits->memory_bytes)
    return _nebula_vm_burn (vm, vm->depth);
  return _nebula_vm_fail (vm, NEBULA_ERROR_BUDGET_EXCEEDED,
                          _ ("Work on fewer items at a time."),
                          _ ("The expression needs more memory than one evaluation may"));
}

gboolean
_nebula_vm_give (NebulaVm *vm, NebulaValue *value, NebulaCell *ret)
{
  if (nebula_value_get_depth (value) > NEBULA_LIMIT_DEPTH) {
    nebula_value_unref (value);
    return _nebula_vm_fail (vm, NEBULA_ERROR_TOO_DEEP, NULL,
                            _ ("The value nests deeper than %d levels"),
                            NEBULA_LIMIT_DEPTH);
  }
  *ret = _nebula_cell_from_value (value);
  return TRUE;
}

gboolean
_nebula_vm_give_string (NebulaVm *vm, const char *text, gssize length, NebulaCell *ret)
{
  gsize bytes = length < 0 ? strlen (text) : (gsize) length;

  if (!_nebula_vm_charge (vm, bytes + 32) || !_nebula_vm_burn (vm, bytes / 64))
    return FALSE;
  *ret = (NebulaCell){.tag = NEBULA_CELL_VALUE, .is_owned = TRUE};
  ret->as.value = nebula_value_new_string_length (text, bytes);
  return TRUE;
}

gboolean
_nebula_vm_give_text (NebulaVm *vm, GString *text, NebulaCell *ret)
{
  gboolean is_given = _nebula_vm_give_string (vm, text->str, (gssize) text->len, ret);

  g_string_free (text, TRUE);
  return is_given;
}

/* The length of the JSON of a value, roughly, but not further than the limit. */
static gsize
measure_output (NebulaValue *value, gsize limit)
{
  NebulaValueKind kind = nebula_value_get_kind (value);
  gsize bytes = 4;

  if (kind == NEBULA_VALUE_KIND_STRING || kind == NEBULA_VALUE_KIND_DECIMAL)
    return bytes + nebula_value_get_string_length (value);
  if (kind == NEBULA_VALUE_KIND_BYTES)
    return nebula_value_get_size_bytes (value);
  if (kind == NEBULA_VALUE_KIND_ARRAY)
    for (gsize i = 0; i < nebula_value_get_length (value) && bytes <= limit; i++)
      bytes += measure_output (nebula_value_get_item (value, i), limit - bytes);
  if (kind == NEBULA_VALUE_KIND_OBJECT)
    for (gsize i = 0; i < nebula_value_get_length (value) && bytes <= limit; i++) {
      gsize length;

      nebula_value_get_key (value, i, &length);
      bytes += length + 4 +
               measure_output (nebula_value_get_member_at (value, i),
                               limit - MIN (limit, bytes));
    }
  return bytes;
}

/* What is passed on as it came in is not output of the expression, so what was made counts too. */
gboolean
_nebula_vm_check_output (NebulaVm *vm, const NebulaCell *cell)
{
  gsize limit = vm->limits->output_bytes;

  if (vm->total <= limit || cell->tag != NEBULA_CELL_VALUE ||
      !cell->is_owned ||
      nebula_value_get_size_bytes (cell->as.value) <= limit ||
      measure_output (cell->as.value, limit) <= limit)
    return TRUE;
  return _nebula_vm_fail (vm, NEBULA_ERROR_BUDGET_EXCEEDED,
                          _ ("Write large data to a file."),
                          _ ("The expression gives more data than one evaluation may"));
}

guint64
_nebula_vm_random (NebulaVm *vm)
{
  if (vm->environment == NULL || vm->environment->get_random == NULL)
    return 0;
  return vm->environment->get_random (vm->environment, vm->environment->random_calls++);
}
