/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One host as the engine sees it: a child process and its channel. Whatever comes from it is checked; junk ends it. */

#include <glib-unix.h>
#include <glib/gi18n-lib.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nebula-error.h"
#include "nebula-host-pool-private.h"

#define WORDS_MOST    10000 /* of one call; what is said beyond is dropped */
#define DISPATCH_USEC 200
#define MEASURE_USEC  (G_USEC_PER_SEC / 4)

static void process_ended (GPid pid, gint status, gpointer user_data);
static gboolean process_ready (gint fd, GIOCondition condition, gpointer user_data);

static void
watch (NebulaHostProcess *self, GIOCondition condition)
{
  if (self->io != NULL && self->condition == condition)
    return;
  _nebula_host_drop_source (&self->io);
  self->condition = condition;
  self->io = g_unix_fd_source_new (nebula_channel_get_fd (self->channel), condition);
  g_source_set_callback (self->io, G_SOURCE_FUNC (process_ready), self, NULL);
  g_source_attach (self->io, self->group->pool->context);
}

void
_nebula_host_process_free (gpointer process)
{
  NebulaHostProcess *self = process;

  _nebula_host_drop_source (&self->io);
  _nebula_host_drop_source (&self->child);
  _nebula_host_drop_source (&self->kill);
  if (self->pid > 0) {
    kill (-self->pid, SIGKILL);
    waitpid (self->pid, NULL, 0);
  }
  g_clear_pointer (&self->channel, nebula_channel_free);
  g_free (self->fault);
  g_free (self);
}

/* An idle host ends by itself when nobody is at the other end; one that works does not notice in time. */
void
_nebula_host_process_let_go (gpointer process, gpointer user_data)
{
  NebulaHostProcess *self = process;

  _nebula_host_drop_source (&self->io);
  _nebula_host_drop_source (&self->child);
  if (self->n_calls == 0 && self->fault == NULL)
    g_clear_pointer (&self->channel, nebula_channel_free);
}

gboolean
_nebula_host_process_has_ended (NebulaHostProcess *self)
{
  if (self->pid > 0 && self->channel == NULL && waitpid (self->pid, NULL, WNOHANG) != 0) {
    kill (-self->pid, SIGKILL); /* what it may have started */
    self->pid = 0;
  }
  return self->pid == 0 || self->channel != NULL;
}

/* Its end is noticed by the watch on the child, which answers its calls. */
void
_nebula_host_process_kill (NebulaHostProcess *self,
                           const char *reason,
                           gboolean is_guilty)
{
  _nebula_host_drop_source (&self->io);
  _nebula_host_drop_source (&self->kill);
  if (self->fault == NULL) {
    self->fault = g_strdup (reason);
    self->is_guilty = is_guilty;
  }
  self->is_draining = TRUE;
  kill (-self->pid, SIGKILL);
}

static void
flush (NebulaHostProcess *self)
{
  NebulaChannelState state = nebula_channel_flush (self->channel);

  /* When it is gone there may still be results to be read; reading finds out about its end. */
  watch (self, state == NEBULA_CHANNEL_BUSY ? G_IO_IN | G_IO_OUT : G_IO_IN);
}

gboolean
_nebula_host_process_send (NebulaHostProcess *self,
                           NebulaFrameKind kind,
                           guint64 number,
                           NebulaValue *payload,
                           GError **error)
{
  g_autoptr (NebulaValue) nothing = nebula_value_new_null ();
  NebulaFrame frame = {.kind = kind,
                       .attempt = number,
                       .epoch = self->epoch,
                       .payload = payload != NULL ? payload : nothing};

  if (self->fault != NULL)
    return TRUE;
  if (!nebula_channel_push (self->channel, &frame, error))
    return FALSE;
  flush (self);
  return TRUE;
}

static gboolean
too_late (gpointer user_data)
{
  NebulaHostProcess *self = user_data;

  _nebula_host_process_kill (self,
                             self->is_ready ? _ ("did not end when it was asked to")
                                            : _ ("was not ready in time"),
                             !self->is_ready);
  return G_SOURCE_REMOVE;
}

static void
kill_after (NebulaHostProcess *self, gint64 usec)
{
  _nebula_host_drop_source (&self->kill);
  self->kill = _nebula_host_pool_add_timer (self->group->pool, usec, too_late, self);
}

void
_nebula_host_process_drain (NebulaHostProcess *self)
{
  if (!self->is_draining) {
    self->is_draining = TRUE;
    self->is_expected = TRUE;
    _nebula_host_process_send (self, NEBULA_FRAME_DRAIN, 0, NULL, NULL);
  }
  if (self->n_calls == 0 && self->kill == NULL && self->fault == NULL)
    kill_after (self, self->group->pool->options.grace_usec);
}

guint64
_nebula_host_get_resident_bytes (GPid pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/statm", (int) pid);
  g_autofree char *text = NULL;
  g_auto (GStrv) words = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  words = g_strsplit (text, " ", 3);
  return g_strv_length (words) > 1
             ? g_ascii_strtoull (words[1], NULL, 10) * (guint64) sysconf (_SC_PAGESIZE)
             : 0;
}

static gboolean
is_too_large (NebulaHostProcess *self, gint64 now_usec)
{
  guint64 limit = self->group->pool->options.memory_bytes;

  if (limit == 0 || now_usec - self->measured_usec < MEASURE_USEC)
    return FALSE;
  self->measured_usec = now_usec;
  return _nebula_host_get_resident_bytes (self->pid) > limit;
}

gboolean
_nebula_host_process_is_worn (NebulaHostProcess *self)
{
  const NebulaHostOptions *options = &self->group->pool->options;
  gint64 now_usec = g_get_monotonic_time ();

  return (options->n_calls > 0 && self->n_served >= options->n_calls) ||
         (options->age_usec > 0 && now_usec - self->started_usec > options->age_usec) ||
         (options->idle_usec > 0 && self->is_ready && self->n_calls == 0 &&
          now_usec - self->used_usec > options->idle_usec) ||
         is_too_large (self, now_usec);
}

static gboolean
refuse (GError **error)
{
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                       _ ("It speaks of work that it does not have."));
  return FALSE;
}

/* A port becomes a name for the life of the process, so that only those that the action has are taken. */
static gboolean
is_port (NebulaActionInfo *info, const char *port)
{
  const char *const *ports = nebula_action_info_get_ports (info);

  return g_str_equal (port, "out") || g_str_equal (port, "error") ||
         nebula_action_info_get_dynamic_ports (info) != NULL ||
         g_strv_contains (ports, port);
}

static gboolean
check_port (NebulaActionInfo *info, NebulaValue *payload, GError **error)
{
  NebulaValue *port = nebula_value_get_item (payload, 1);

  if (nebula_value_is_null (port) || is_port (info, nebula_value_get_string (port)))
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
               _ ("The action has no port “%s”."), nebula_value_get_string (port));
  return FALSE;
}

static void
finish_call (NebulaHostProcess *self, NebulaHostCall *call, NebulaResult *result)
{
  self->n_calls--;
  self->n_served++;
  self->credit++;
  self->used_usec = g_get_monotonic_time ();
  self->group->n_failures = 0;
  _nebula_host_call_answer (call, result);
  if (self->is_draining || _nebula_host_process_is_worn (self))
    _nebula_host_process_drain (self);
}

/* The host itself says that its module does not load. */
static gboolean
receive_failure (NebulaHostProcess *self, NebulaValue *payload, GError **error)
{
  g_autoptr (NebulaResult) result = _nebula_host_result_read (payload, error);
  NebulaError code = NEBULA_ERROR_MODULE_BROKEN;
  NebulaValue *failure;

  if (result == NULL)
    return FALSE;
  if (nebula_result_get_kind (result) != NEBULA_RESULT_KIND_FAILURE)
    return refuse (error);
  failure = nebula_result_get_value (result);
  nebula_error_code_from_string (nebula_value_get_member_string (failure, "code", ""),
                                 &code);
  self->is_draining = TRUE;
  self->is_expected = TRUE;
  kill_after (self, self->group->pool->options.grace_usec);
  _nebula_host_group_fail_waiting (
      self->group, g_error_new (NEBULA_ERROR, (gint) code, _ ("The module “%s” %s"),
                                nebula_module_info_get_id (self->group->module),
                                nebula_value_get_member_string (failure, "message", "")));
  return TRUE;
}

static gboolean
receive_result (NebulaHostProcess *self,
                NebulaFrame *frame,
                GBytes *large,
                GError **error)
{
  g_autoptr (NebulaValue) payload =
      large != NULL ? nebula_channel_read_large (frame->kind, large, error)
                    : nebula_value_ref (frame->payload);
  NebulaHostCall *call =
      _nebula_host_pool_find_call (self->group->pool, self, frame->attempt);
  g_autoptr (NebulaResult) result = NULL;

  if (payload == NULL)
    return FALSE;
  if (frame->attempt == 0)
    return receive_failure (self, payload, error);
  if (call == NULL)
    return refuse (error);
  if (check_port (call->info, payload, error))
    result = _nebula_host_result_read (payload, error);
  if (result == NULL)
    return FALSE;
  finish_call (self, call, result);
  return TRUE;
}

static void
receive_word (NebulaHostCall *call, NebulaFrame *frame)
{
  NebulaValue *first = nebula_value_get_item (frame->payload, 0);
  NebulaValue *second = nebula_value_get_item (frame->payload, 1);
  const char *text =
      nebula_value_is_null (second) ? NULL : nebula_value_get_string (second);

  if (call->n_words++ >= WORDS_MOST)
    return;
  if (frame->kind == NEBULA_FRAME_PROGRESS)
    nebula_invocation_report_progress (call->invocation, nebula_value_get_float (first),
                                       text);
  else
    nebula_invocation_report_log (
        call->invocation, (GLogLevelFlags) nebula_value_get_integer (first), text);
}

static gboolean
receive_for_call (NebulaHostProcess *self, NebulaFrame *frame, GError **error)
{
  NebulaHostCall *call =
      _nebula_host_pool_find_call (self->group->pool, self, frame->attempt);

  if (call == NULL)
    return refuse (error);
  if (frame->kind == NEBULA_FRAME_BEGUN)
    call->state = NEBULA_HOST_CALL_BEGUN;
  else
    receive_word (call, frame);
  return TRUE;
}

static gboolean
receive_ready (NebulaHostProcess *self, NebulaFrame *frame, GError **error)
{
  gint64 credit = nebula_value_get_integer (frame->payload);

  if (frame->attempt != 0 ||
      self->credit + (guint) credit + self->n_calls > NEBULA_FRAME_CREDITS)
    return refuse (error);
  self->credit += (guint) credit;
  self->is_ready = TRUE;
  self->used_usec = g_get_monotonic_time ();
  if (!self->is_draining)
    _nebula_host_drop_source (&self->kill);
  return TRUE;
}

static gboolean
receive (NebulaHostProcess *self, NebulaFrame *frame, GBytes *large, GError **error)
{
  /* A host learns its epoch from the first work; before that it has none. */
  if (frame->epoch != self->epoch &&
      !(frame->epoch == 0 && self->n_served == 0 && frame->attempt == 0))
    return refuse (error);
  if (frame->kind == NEBULA_FRAME_READY)
    return receive_ready (self, frame, error);
  if (frame->kind == NEBULA_FRAME_RESULT)
    return receive_result (self, frame, large, error);
  if (frame->kind == NEBULA_FRAME_PING)
    return TRUE;
  return receive_for_call (self, frame, error);
}

/* FALSE: no frame is complete, or it was junk. */
static gboolean
take_one (NebulaHostProcess *self)
{
  g_auto (NebulaFrame) frame = {0};
  g_autoptr (GBytes) large = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *reason = NULL;

  if (nebula_channel_take (self->channel, &frame, &large, &error) &&
      receive (self, &frame, large, &error))
    return TRUE;
  if (error == NULL)
    return FALSE;
  reason = g_strdup_printf (_ ("broke the protocol: %s"), error->message);
  _nebula_host_process_kill (self, reason, TRUE);
  return FALSE;
}

static NebulaChannelState
read_some (NebulaHostProcess *self)
{
  NebulaChannelState state = nebula_channel_fill (self->channel);

  while (self->fault == NULL && take_one (self))
    continue;
  return state;
}

static gboolean
process_ready (gint fd, GIOCondition condition, gpointer user_data)
{
  NebulaHostProcess *self = user_data;
  NebulaHostGroup *group = self->group;
  NebulaHostPool *pool = _nebula_host_pool_ref (group->pool);
  gint64 end_usec = g_get_monotonic_time () + DISPATCH_USEC;
  NebulaChannelState state;

  if (condition & G_IO_OUT)
    flush (self);
  do {
    state = read_some (self);
  } while (state == NEBULA_CHANNEL_BUSY && self->fault == NULL &&
           g_get_monotonic_time () < end_usec);
  if (state == NEBULA_CHANNEL_GONE && self->fault == NULL) {
    /* Either it is dead, and the watch on the child tells how, or it closed what it must not close. */
    _nebula_host_drop_source (&self->io);
    self->is_closed = TRUE;
    kill (-self->pid, SIGKILL);
  }
  if (!pool->is_stopped)
    _nebula_host_group_dispatch (group);
  _nebula_host_pool_unref (pool);
  return G_SOURCE_CONTINUE;
}

char *
_nebula_host_describe_end (gint status, gboolean is_closed)
{
  if (is_closed && WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL)
    return g_strdup (_ ("closed its channel"));
  if (WIFSIGNALED (status))
    return g_strdup_printf (_ ("crashed by signal %d"), WTERMSIG (status));
  return g_strdup_printf (_ ("ended with exit code %d"), WEXITSTATUS (status));
}

/* What it said before it died still holds. */
static void
process_ended (GPid pid, gint status, gpointer user_data)
{
  NebulaHostProcess *self = user_data;
  NebulaHostPool *pool = _nebula_host_pool_ref (self->group->pool);
  g_autofree char *reason = NULL;

  kill (-self->pid, SIGKILL); /* what it may have started */
  self->pid = 0;
  while (self->fault == NULL && read_some (self) == NEBULA_CHANNEL_BUSY)
    continue;
  reason = self->fault != NULL ? g_strdup (self->fault)
                               : _nebula_host_describe_end (status, self->is_closed);
  if (!pool->is_stopped)
    _nebula_host_group_lost (self->group, self, reason);
  _nebula_host_pool_unref (pool);
}

NebulaHostProcess *
_nebula_host_process_start (NebulaHostGroup *group, GError **error)
{
  const NebulaHostLaunch launch = {&group->pool->options, group->module, group->isolation,
                                   group->capabilities};
  GPid pid = 0;
  int fd = _nebula_host_spawn (&launch, &pid, error);
  NebulaHostProcess *self;

  if (fd < 0)
    return NULL;
  self = g_new0 (NebulaHostProcess, 1);
  self->group = group;
  self->pid = pid;
  self->channel = nebula_channel_new (fd, NEBULA_FRAME_FROM_HOST);
  self->epoch = ++group->pool->last_epoch;
  self->started_usec = self->used_usec = self->measured_usec = g_get_monotonic_time ();
  self->child = g_child_watch_source_new (pid);
  g_source_set_callback (self->child, G_SOURCE_FUNC (process_ended), self, NULL);
  g_source_attach (self->child, group->pool->context);
  watch (self, G_IO_IN);
  kill_after (self, group->pool->options.start_usec);
  return self;
}
