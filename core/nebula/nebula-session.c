/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <glib-unix.h>
#include <glib/gi18n-lib.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "nebula-command-private.h"
#include "nebula-control-private.h"
#include "nebula-output-private.h"
#include "nebula-session-private.h"
#include "nebula-settings-private.h"
#include "nebula-sqlite-store.h"

#define DRAIN_TURNS       100000
#define MEMORY_PAUSE_USEC G_USEC_PER_SEC /* between two looks at the machine */

NebulaRegistry *
nebula_registry_open (GError **error)
{
  g_auto (GStrv) search_path = nebula_settings_dup_module_path (error);
  g_autoptr (NebulaRegistry) registry = NULL;

  if (!search_path)
    return NULL;
  registry = g_object_new (NEBULA_TYPE_REGISTRY, "search-path", search_path, NULL);
  if (!nebula_settings_apply_hosting (registry, error))
    return NULL;
  return nebula_registry_load (registry, error) ? g_steal_pointer (&registry) : NULL;
}

gboolean
nebula_store_is_memory (const char *store)
{
  return !store || g_str_equal (store, ":memory:");
}

gboolean
nebula_store_check (const char *store, GError **error)
{
  if (nebula_store_is_memory (store)) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                         _ ("Say where the executions are: --store PATH."));
    return FALSE;
  }
  if (g_file_test (store, G_FILE_TEST_EXISTS))
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE, _ ("There is no store “%s”."),
               store);
  return FALSE;
}

static void
open_control (NebulaSession *self, const char *store)
{
  g_autoptr (GError) error = NULL;

  self->control = nebula_control_server_new (self->engine, store, &error);
  if (!self->control)
    nebula_complain (_ ("Others cannot reach this run while it holds the store: %s"),
                     error->message);
}

gboolean
nebula_session_open (NebulaSession *self,
                     const char *store,
                     NebulaSessionMode mode,
                     GError **error)
{
  gboolean is_look = mode == NEBULA_SESSION_LOOK;

  if (!nebula_store_is_memory (store)) {
    self->store = nebula_sqlite_store_open (store,
                                            is_look ? NEBULA_SQLITE_STORE_FLAGS_READ_ONLY
                                                    : NEBULA_SQLITE_STORE_FLAGS_NONE,
                                            error);
    if (!self->store)
      return FALSE;
  }
  self->registry = nebula_registry_open (error);
  if (!self->registry)
    return FALSE;
  self->engine =
      nebula_engine_new (NEBULA_ACTION_RESOLVER (self->registry), self->store, NULL);
  if (self->store && !is_look)
    open_control (self, store);
  return TRUE;
}

void
nebula_session_watch_memory (NebulaSession *self, guint64 limit_bytes)
{
  g_autoptr (NebulaSystem) system = NULL;
  g_autoptr (NebulaBudget) budget = NULL;

  if (limit_bytes == 0)
    return;
  system = nebula_system_new (NULL);
  budget = nebula_budget_new (limit_bytes);
  nebula_budget_observe (budget, nebula_system_get_memory_used (system));
  self->monitor = nebula_system_monitor_new (system, NULL);
  nebula_system_monitor_set_budget (self->monitor, budget);
  nebula_system_monitor_start (self->monitor, MEMORY_PAUSE_USEC);
  nebula_engine_set_budget (self->engine, budget);
}

void
nebula_session_clear (NebulaSession *self)
{
  if (self->monitor)
    nebula_system_monitor_stop (self->monitor);
  g_clear_object (&self->monitor);
  g_clear_pointer (&self->control, nebula_control_server_free);
  if (self->engine)
    nebula_engine_stop (self->engine);
  g_clear_object (&self->engine);
  g_clear_object (&self->store);
  g_clear_object (&self->registry);
}

/* Signals of the system: the handler writes to a descriptor that the loop watches. */

static int interrupt_fd = -1;
static guint interrupt_source;

typedef struct {
  NebulaInterrupted callback;
  gpointer user_data;
} InterruptWatch;

static void
handle_signal (int number)
{
  const guint64 one = 1;
  int saved_errno = errno;
  gssize ignored = write (interrupt_fd, &one, sizeof one);

  (void) ignored;
  errno = saved_errno;
}

static gboolean
interrupted (gint fd, GIOCondition condition, gpointer user_data)
{
  InterruptWatch *watch = user_data;
  guint64 count;

  if (read (fd, &count, sizeof count) == sizeof count)
    watch->callback (watch->user_data);
  return G_SOURCE_CONTINUE;
}

static void
set_handler (void (*handler) (int))
{
  struct sigaction action = {.sa_handler = handler,
                             .sa_flags = (int) SA_RESETHAND | SA_RESTART};

  sigemptyset (&action.sa_mask);
  sigaction (SIGINT, &action, NULL);
  sigaction (SIGTERM, &action, NULL);
}

void
nebula_interrupts_watch (NebulaInterrupted callback, gpointer user_data)
{
  InterruptWatch *watch = g_new0 (InterruptWatch, 1);
  g_autoptr (GSource) source = NULL;

  watch->callback = callback;
  watch->user_data = user_data;
  interrupt_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  source = g_unix_fd_source_new (interrupt_fd, G_IO_IN);
  g_source_set_callback (source, G_SOURCE_FUNC (interrupted), watch, g_free);
  g_source_set_priority (source, G_PRIORITY_HIGH);
  interrupt_source = g_source_attach (source, NULL);
  set_handler (handle_signal);
}

void
nebula_interrupts_unwatch (void)
{
  set_handler (SIG_DFL);
  if (interrupt_source)
    g_source_remove (interrupt_source);
  interrupt_source = 0;
}

/* Running to the end. */

struct _NebulaFollower {
  gint refs; /* the owner's, and one for each answer to come */
  NebulaExecution *execution;
  GError *error;
  gboolean is_over;
  gboolean is_asked;   /* whether all is committed */
  gboolean is_settled; /* it was, when it was asked */
};

void
nebula_follower_unref (NebulaFollower *self)
{
  if (--self->refs > 0)
    return;
  g_clear_object (&self->execution);
  g_clear_error (&self->error);
  g_free (self);
}

static void
follower_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  NebulaFollower *self = user_data;

  nebula_execution_wait_finish (NEBULA_EXECUTION (source), result, &self->error);
  self->is_over = TRUE;
  nebula_follower_unref (self);
}

NebulaFollower *
nebula_follower_new (NebulaExecution *execution)
{
  NebulaFollower *self = g_new0 (NebulaFollower, 1);

  self->refs = 2;
  self->execution = g_object_ref (execution);
  nebula_execution_wait_async (execution, NULL, follower_ended, self);
  return self;
}

NebulaExecution *
nebula_follower_get_execution (NebulaFollower *self)
{
  return self->execution;
}

gboolean
nebula_follower_is_over (NebulaFollower *self, GError **error)
{
  if (self->error)
    g_propagate_error (error, g_error_copy (self->error));
  return self->is_over;
}

static void
follower_settled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  NebulaFollower *self = user_data;

  self->is_asked = FALSE;
  self->is_settled =
      nebula_execution_resume_finish (NEBULA_EXECUTION (source), result, NULL);
  nebula_follower_unref (self);
}

static gboolean
wait_for_somebody (NebulaValue *reasons)
{
  static const char *const lasting[] = {
      "signal", "unknown-outcome", "concurrency-limit", "paused",
      "token",  "approval",        "lock",              "execution",
      "join",   "rate",            "debounce",          NULL,
  };
  gsize n_reasons = nebula_value_get_length (reasons);

  for (gsize i = 0; i < n_reasons; i++) {
    NebulaValue *reason = nebula_value_get_item (reasons, i);
    NebulaValue *inner = nebula_value_get_member (reason, "why");

    if (inner && wait_for_somebody (inner))
      continue;
    if (nebula_value_has_member (reason, "until") ||
        !g_strv_contains (lasting, nebula_value_get_member_string (reason, "reason", "")))
      return FALSE;
  }
  return n_reasons > 0;
}

static gboolean
waits_for_somebody (NebulaExecution *execution)
{
  g_autoptr (NebulaValue) reasons = nebula_execution_explain (execution);

  return wait_for_somebody (reasons);
}

gboolean
nebula_follower_is_stuck (NebulaFollower *self)
{
  NebulaExecutionStatus status = nebula_execution_get_status (self->execution);

  if (status == NEBULA_EXECUTION_STATUS_PAUSED)
    return TRUE;
  if (status != NEBULA_EXECUTION_STATUS_SUSPENDED ||
      !waits_for_somebody (self->execution)) {
    self->is_settled = FALSE;
    return FALSE;
  }
  if (self->is_settled)
    return TRUE;
  if (!self->is_asked) {
    /* The reasons may be ahead of what is committed. For one that is not paused this only waits for the commit. */
    self->is_asked = TRUE;
    self->refs++;
    nebula_execution_resume_async (self->execution, NULL, follower_settled, self);
  }
  return FALSE;
}

gboolean
nebula_execution_run (NebulaExecution *execution,
                      gboolean allow_stuck,
                      GCancellable *cancellable,
                      GError **error)
{
  g_autoptr (NebulaFollower) follower = nebula_follower_new (execution);
  g_autoptr (GError) local_error = NULL;

  while (!nebula_follower_is_over (follower, &local_error)) {
    if (g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
    if (allow_stuck && !g_main_context_pending (NULL) &&
        nebula_follower_is_stuck (follower))
      return TRUE;
    g_main_context_iteration (NULL, TRUE);
  }
  if (!local_error)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

void
nebula_drain_context (void)
{
  for (guint i = 0; i < DRAIN_TURNS && g_main_context_iteration (NULL, FALSE); i++)
    continue;
}

int
nebula_exit_from_status (NebulaExecutionStatus status)
{
  switch (status) {
  case NEBULA_EXECUTION_STATUS_COMPLETED:
    return NEBULA_EXIT_OK;
  case NEBULA_EXECUTION_STATUS_CANCELLED:
  case NEBULA_EXECUTION_STATUS_TIMED_OUT:
    return NEBULA_EXIT_CANCELLED;
  case NEBULA_EXECUTION_STATUS_CREATED:
  case NEBULA_EXECUTION_STATUS_RUNNING:
  case NEBULA_EXECUTION_STATUS_SUSPENDED:
  case NEBULA_EXECUTION_STATUS_PAUSED:
  case NEBULA_EXECUTION_STATUS_CANCELLING:
  case NEBULA_EXECUTION_STATUS_FAILED:
  default:
    return NEBULA_EXIT_FAILED;
  }
}
