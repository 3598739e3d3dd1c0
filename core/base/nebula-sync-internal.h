/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * Locks that ThreadSanitizer can see. GLib's are futex code in a library that is not instrumented, so the sanitizer
 * reports every use of them as a race; these tell it what a lock means. Without the sanitizer they are GLib's own.
 */

#if defined(__SANITIZE_THREAD__)
#define NEBULA_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define NEBULA_THREAD_SANITIZER 1
#endif
#endif

#ifdef NEBULA_THREAD_SANITIZER
extern void __tsan_acquire (void *address);
extern void __tsan_release (void *address);
#define NEBULA_SYNC_ACQUIRE(address) __tsan_acquire (address)
#define NEBULA_SYNC_RELEASE(address) __tsan_release (address)
#else
#define NEBULA_SYNC_ACQUIRE(address) ((void) (address))
#define NEBULA_SYNC_RELEASE(address) ((void) (address))
#endif

static inline void
_nebula_sync_lock (GMutex *lock)
{
  g_mutex_lock (lock);
  NEBULA_SYNC_ACQUIRE (lock);
}

static inline void
_nebula_sync_unlock (GMutex *lock)
{
  NEBULA_SYNC_RELEASE (lock);
  g_mutex_unlock (lock);
}

static inline void
_nebula_sync_wait (GCond *condition, GMutex *lock)
{
  NEBULA_SYNC_RELEASE (lock);
  g_cond_wait (condition, lock);
  NEBULA_SYNC_ACQUIRE (lock);
}

/* FALSE when the monotonic time @end_usec came first. */
static inline gboolean
_nebula_sync_wait_until (GCond *condition, GMutex *lock, gint64 end_usec)
{
  gboolean is_signalled = FALSE;

  NEBULA_SYNC_RELEASE (lock);
  is_signalled = g_cond_wait_until (condition, lock, end_usec);
  NEBULA_SYNC_ACQUIRE (lock);

  return is_signalled;
}

/* Holds a lock until the end of the block: NEBULA_SYNC_AUTO (guard, &self->lock); */
typedef GMutex NebulaSyncGuard;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaSyncGuard, _nebula_sync_unlock)

static inline NebulaSyncGuard *
_nebula_sync_guard (GMutex *lock)
{
  _nebula_sync_lock (lock);
  return lock;
}

#define NEBULA_SYNC_AUTO(name, lock)                                                                                  \
  G_GNUC_UNUSED g_autoptr (NebulaSyncGuard) name = _nebula_sync_guard (lock)

G_END_DECLS
