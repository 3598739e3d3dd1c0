/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nebula-error.h"
#include "nebula-host-caller-internal.h"
#include "nebula-host-pool-private.h"
#include "nebula-sync-internal.h"

#define MEASURE_CALLS 64    /* its memory is looked at once in so many */
#define LEAVE_MSEC 500
#define WORDS_MOST    10000 /* frames of one call that are no result */

/* A host while one thread has it, or nobody. */
typedef struct {
  NebulaChannel *channel;
  GPid pid;
  int pid_fd; /* tells its end even if something that it started keeps the channel; -1: not here */
  gboolean is_over; /* it ended: nothing more comes */
  guint64 number;   /* of the last call */
  gint64 started_usec;
  gint64 used_usec;
  gboolean is_ready;
  char *fault;        /* why it must end; NULL: it may go on */
  gboolean is_guilty; /* its module's fault */
} CallerHost;

struct _NebulaHostCaller {
  gatomicrefcount ref_count;
  NebulaHostOptions options;
  NebulaModuleInfo *module;
  NebulaIsolation isolation;
  GStrv capabilities;
  GMutex lock; /* guards what follows */
  GCond freed; /* a host is idle again, or another one may be started */
  GQueue idle; /* CallerHost */
  guint n_hosts;
  char *verdict; /* why it is not run any more; NULL: it is */
};

NebulaHostCaller *
nebula_host_caller_new (const NebulaHostOptions *options,
                        NebulaModuleInfo *module,
                        NebulaIsolation isolation,
                        const char *const *capabilities)
{
  NebulaHostCaller *self = g_new0 (NebulaHostCaller, 1);

  g_atomic_ref_count_init (&self->ref_count);
  nebula_host_options_copy (options, &self->options);
  self->module = nebula_module_info_ref (module);
  self->isolation = isolation;
  self->capabilities = g_strdupv ((char **) capabilities);
  g_mutex_init (&self->lock);
  g_cond_init (&self->freed);
  g_queue_init (&self->idle);
  return self;
}

NebulaHostCaller *
nebula_host_caller_ref (NebulaHostCaller *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/* With all that it may have started. One that is dead already keeps its status. */
static int
host_end (CallerHost *self)
{
  int status = 0;

  if (self->pid > 0) {
    kill (-self->pid, SIGKILL);
    waitpid (self->pid, &status, 0);
  }
  self->pid = 0;
  return status;
}

/* One that waits for work ends by itself when nobody is at the other end, so that its module can tidy up. */
static void
host_let_go (gpointer data, gpointer user_data)
{
  CallerHost *self = data;
  struct pollfd poll_fd = {.fd = self->pid_fd, .events = POLLIN};

  g_clear_pointer (&self->channel, nebula_channel_free);
  if (self->pid_fd >= 0)
    poll (&poll_fd, 1, LEAVE_MSEC);
}

static void
host_free (gpointer data)
{
  CallerHost *self = data;

  host_end (self);
  if (self->pid_fd >= 0)
    close (self->pid_fd);
  g_clear_pointer (&self->channel, nebula_channel_free);
  g_free (self->fault);
  g_free (self);
}

void
nebula_host_caller_unref (NebulaHostCaller *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_queue_foreach (&self->idle, host_let_go, NULL);
  g_queue_clear_full (&self->idle, host_free);
  g_cond_clear (&self->freed);
  g_mutex_clear (&self->lock);
  g_strfreev (self->capabilities);
  nebula_module_info_unref (self->module);
  nebula_host_options_clear (&self->options);
  g_free (self->verdict);
  g_free (self);
}

/* ---- one host */

static CallerHost *
host_start (NebulaHostCaller *caller, GError **error)
{
  const NebulaHostLaunch launch = {&caller->options, caller->module, caller->isolation,
                                   caller->capabilities};
  GPid pid = 0;
  int fd = _nebula_host_spawn (&launch, &pid, error);
  CallerHost *self;

  if (fd < 0)
    return NULL;
  self = g_new0 (CallerHost, 1);
  self->pid = pid;
  self->pid_fd = pidfd_open (pid, 0);
  self->channel = nebula_channel_new (fd, NEBULA_FRAME_FROM_HOST);
  self->started_usec = self->used_usec = g_get_monotonic_time ();
  return self;
}

static gboolean
host_is_worn (CallerHost *self, const NebulaHostOptions *options)
{
  gint64 now_usec = g_get_monotonic_time ();

  return self->fault != NULL ||
         (options->n_calls > 0 && self->number >= options->n_calls) ||
         (options->age_usec > 0 && now_usec - self->started_usec > options->age_usec) ||
         (options->idle_usec > 0 && now_usec - self->used_usec > options->idle_usec) ||
         (options->memory_bytes > 0 && self->number % MEASURE_CALLS == 1 &&
          _nebula_host_get_resident_bytes (self->pid) > options->memory_bytes);
}

static gboolean
host_fail (CallerHost *self, gboolean is_guilty, const char *fault)
{
  self->fault = g_strdup (fault);
  self->is_guilty = is_guilty;
  return FALSE;
}

static gboolean
host_fail_by_error (CallerHost *self, const GError *error)
{
  g_autofree char *fault = g_strdup_printf (_ ("broke the protocol: %s"), error->message);

  return host_fail (self, TRUE, fault);
}

/* Dead, which its status tells, or it closed what it must not close. */
static gboolean
host_fail_by_end (CallerHost *self)
{
  g_autofree char *fault = _nebula_host_describe_end (host_end (self), TRUE);

  return host_fail (self, TRUE, fault);
}

/* FALSE: the time is over. */
static gboolean
host_wait (CallerHost *self, gint64 end_usec)
{
  struct pollfd poll_fds[] = {
      {.fd = nebula_channel_get_fd (self->channel), .events = POLLIN},
      {.fd = self->pid_fd, .events = POLLIN},
  };
  gint64 left_usec = end_usec - g_get_monotonic_time ();

  if (nebula_channel_get_n_queued (self->channel) > 0)
    poll_fds[0].events |= POLLOUT;
  if (left_usec > 0)
    poll (poll_fds, G_N_ELEMENTS (poll_fds), (int) (left_usec / 1000 + 1));
  self->is_over = poll_fds[1].revents != 0;
  return left_usec > 0;
}

/* The next frame, or a fault. */
static gboolean
host_read (CallerHost *self, gint64 end_usec, NebulaFrame *ret_frame, GBytes **ret_large)
{
  NebulaChannelState state = NEBULA_CHANNEL_BUSY;
  g_autoptr (GError) error = NULL;

  for (;;) {
    if (nebula_channel_take (self->channel, ret_frame, ret_large, &error))
      return TRUE;
    if (error != NULL)
      return host_fail_by_error (self, error);
    if (state == NEBULA_CHANNEL_GONE || (state == NEBULA_CHANNEL_IDLE && self->is_over))
      return host_fail_by_end (self);
    if (state == NEBULA_CHANNEL_IDLE && !host_wait (self, end_usec))
      return host_fail (self, !self->is_ready,
                        self->is_ready ? _ ("took too long")
                                       : _ ("was not ready in time"));
    nebula_channel_flush (self->channel);
    state = nebula_channel_fill (self->channel);
  }
}

/* The payload of a result; NULL: it has no place in a call, or a fault. */
static NebulaValue *
host_take_result (CallerHost *self, NebulaFrame *frame, GBytes *large)
{
  g_autoptr (GError) error = NULL;
  NebulaValue *payload = large != NULL
                             ? nebula_channel_read_large (frame->kind, large, &error)
                             : nebula_value_ref (frame->payload);

  if (payload == NULL)
    host_fail_by_error (self, error);
  else if (frame->attempt == 0)
    host_fail (self, FALSE, ""); /* it could not load its module, and ends */
  return payload;
}

static gboolean
is_result (CallerHost *self, const NebulaFrame *frame)
{
  return frame->kind == NEBULA_FRAME_RESULT &&
         (frame->attempt == self->number || frame->attempt == 0);
}

/* What a host says besides is dropped. The time of a call begins when the host is ready. */
static NebulaValue *
host_read_result (CallerHost *self, const NebulaHostOptions *options)
{
  gint64 end_usec = g_get_monotonic_time () +
                    (self->is_ready ? options->function_usec : options->start_usec);

  for (guint i = 0; i < WORDS_MOST; i++) {
    g_auto (NebulaFrame) frame = {0};
    g_autoptr (GBytes) large = NULL;

    if (!host_read (self, end_usec, &frame, &large))
      return NULL;
    if (is_result (self, &frame))
      return host_take_result (self, &frame, large);
    if (frame.kind == NEBULA_FRAME_READY && !self->is_ready) {
      self->is_ready = TRUE;
      end_usec = g_get_monotonic_time () + options->function_usec;
    }
  }
  host_fail (self, TRUE, _ ("says too much"));
  return NULL;
}

static gboolean
host_send (CallerHost *self, const char *name, NebulaValue *arguments, GError **error)
{
  g_autoptr (NebulaValue) payload = _nebula_host_work_write_call (name, arguments);
  NebulaFrame frame = {.kind = NEBULA_FRAME_WORK,
                       .attempt = ++self->number,
                       .epoch = 1,
                       .payload = payload};

  if (!nebula_channel_push (self->channel, &frame, error))
    return FALSE;
  nebula_channel_flush (self->channel);
  return TRUE;
}

/* ---- the hosts of a module */

static void
note_crash_locked (NebulaHostCaller *self, CallerHost *host)
{
  g_autofree char *hash = _nebula_host_hash_file (self->module);

  if (hash != NULL &&
      _nebula_quarantine_add_crash (self->options.quarantine_file, hash,
                                    nebula_module_info_get_id (self->module), host->fault,
                                    g_get_real_time ()))
    self->verdict = nebula_quarantine_look_up (self->options.quarantine_file, hash);
}

static void
give_back (NebulaHostCaller *self, CallerHost *host)
{
  NEBULA_SYNC_AUTO (guard, &self->lock);

  if (host->fault != NULL && host->is_guilty && self->verdict == NULL)
    note_crash_locked (self, host);
  if (host_is_worn (host, &self->options)) {
    host_free (host);
    self->n_hosts--;
  } else {
    host->used_usec = g_get_monotonic_time ();
    g_queue_push_head (&self->idle, host);
  }
  g_cond_signal (&self->freed);
}

static gboolean
may_run_locked (NebulaHostCaller *self, GError **error)
{
  if (self->n_hosts == 0 && self->verdict == NULL)
    self->verdict =
        nebula_quarantine_look_up_module (self->options.quarantine_file, self->module);
  if (self->verdict == NULL)
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
               _ ("The module “%s” is not run. %s"),
               nebula_module_info_get_id (self->module), self->verdict);
  return FALSE;
}

/* NULL without an error: the caller may start one. */
static CallerHost *
take_idle_locked (NebulaHostCaller *self)
{
  CallerHost *host;

  while ((host = g_queue_pop_head (&self->idle)) != NULL) {
    if (!host_is_worn (host, &self->options))
      return host;
    host_free (host);
    self->n_hosts--;
  }
  return NULL;
}

/* Waits for a place if all hosts are in use: each is given back after at most its time. */
static CallerHost *
take (NebulaHostCaller *self, GError **error)
{
  CallerHost *host;
  NEBULA_SYNC_AUTO (guard, &self->lock);

  for (;;) {
    if (!may_run_locked (self, error))
      return NULL;
    host = take_idle_locked (self);
    if (host != NULL)
      return host;
    if (self->n_hosts < MAX (self->options.n_processes, 1))
      break;
    _nebula_sync_wait (&self->freed, &self->lock);
  }
  host = host_start (self, error);
  if (host != NULL)
    self->n_hosts++;
  return host;
}

/* ---- calls */

static void
set_failure (NebulaHostCaller *self,
             CallerHost *host,
             NebulaResult *result,
             GError **error)
{
  NebulaValue *failure = nebula_result_get_value (result);
  const char *message = nebula_value_get_member_string (failure, "message", "");
  NebulaError code = NEBULA_ERROR_FAILED;

  nebula_error_code_from_string (nebula_value_get_member_string (failure, "code", ""),
                                 &code);
  if (host->fault == NULL)
    g_set_error_literal (error, NEBULA_ERROR, (gint) code, message);
  else
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
                 _ ("The module “%s” %s"), nebula_module_info_get_id (self->module),
                 message);
}

static void
set_fault (NebulaHostCaller *self, CallerHost *host, const char *name, GError **error)
{
  g_set_error (error, NEBULA_ERROR,
               host->is_guilty ? NEBULA_ERROR_UNAVAILABLE : NEBULA_ERROR_TIMED_OUT,
               _ ("The host of the module “%s” %s while the function “%s” ran."),
               nebula_module_info_get_id (self->module), host->fault, name);
}

static NebulaValue *
take_result (NebulaHostCaller *self,
             CallerHost *host,
             NebulaValue *payload,
             GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autoptr (NebulaResult) result = _nebula_host_result_read (payload, &local_error);

  if (result == NULL) {
    host_fail_by_error (host, local_error);
    return NULL;
  }
  if (nebula_result_get_kind (result) == NEBULA_RESULT_KIND_SUCCESS)
    return nebula_value_ref (nebula_result_get_value (result));
  if (nebula_result_get_kind (result) == NEBULA_RESULT_KIND_FAILURE)
    set_failure (self, host, result, error);
  else
    host_fail (host, TRUE, _ ("gave what no function gives"));
  return NULL;
}

static NebulaValue *
ask (NebulaHostCaller *self,
     CallerHost *host,
     const char *name,
     NebulaValue *arguments,
     GError **error)
{
  g_autoptr (NebulaValue) payload = NULL;
  NebulaValue *value = NULL;

  if (!host_send (host, name, arguments, error))
    return NULL;
  payload = host_read_result (host, &self->options);
  if (payload != NULL)
    value = take_result (self, host, payload, error);
  if (value == NULL && *error == NULL)
    set_fault (self, host, name, error);
  return value;
}

NebulaValue *
nebula_host_caller_call (NebulaHostCaller *self,
                         const char *name,
                         NebulaValue *arguments,
                         GError **error)
{
  CallerHost *host = take (self, error);
  GError *local_error = NULL;
  NebulaValue *value;

  if (host == NULL)
    return NULL;
  value = ask (self, host, name, arguments, &local_error);
  give_back (self, host);
  if (local_error != NULL)
    g_propagate_error (error, local_error);
  return value;
}
