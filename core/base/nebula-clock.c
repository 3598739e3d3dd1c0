/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-clock.h"

#include <pthread.h>
#include <sys/random.h>

/**
 * NebulaClock:
 *
 * Time and randomness behind one interface, so that a simulation can run in virtual time.
 *
 * Thread: any, for all methods.
 *
 * Since: 1.0
 */
G_DEFINE_ABSTRACT_TYPE (NebulaClock, nebula_clock, G_TYPE_OBJECT)

static void
nebula_clock_class_init (NebulaClockClass *klass)
{
}

static void
nebula_clock_init (NebulaClock *self)
{
}

/* The system's clock. */

typedef struct
{
  NebulaClock parent_instance;
} NebulaSystemClock;

typedef struct
{
  NebulaClockClass parent_class;
} NebulaSystemClockClass;

static GType nebula_system_clock_get_type (void);
G_DEFINE_FINAL_TYPE (NebulaSystemClock, nebula_system_clock, nebula_clock_get_type ())

static gint64
nebula_system_clock_get_real_usec (NebulaClock *clock)
{
  return g_get_real_time ();
}

static gint64
nebula_system_clock_get_monotonic_usec (NebulaClock *clock)
{
  return g_get_monotonic_time ();
}

/* Random bits are drawn ahead, for each thread by itself. A forked child throws away what it inherited, so it never
 * repeats its parent. */
typedef struct
{
  guint64 bits[32];
  guint n_left;
  gint n_forks;
} RandomPool;

static gint n_forks; /* of this process's ancestors since the first draw; atomic */

static void
forget_randoms (void)
{
  g_atomic_int_inc (&n_forks);
}

static void
fill_pool (RandomPool *pool)
{
  static gsize once;

  if (g_once_init_enter (&once)) {
    pthread_atfork (NULL, NULL, forget_randoms);
    g_once_init_leave (&once, 1);
  }
  pool->n_forks = g_atomic_int_get (&n_forks);
  pool->n_left = G_N_ELEMENTS (pool->bits);
  /* Up to 256 bytes come whole and uninterrupted. */
  if (getrandom (pool->bits, sizeof pool->bits, 0) == sizeof pool->bits)
    return;
  for (guint i = 0; i < pool->n_left; i++)
    pool->bits[i] = ((guint64) g_random_int () << 32) | g_random_int ();
}

static guint64
nebula_system_clock_get_random (NebulaClock *clock)
{
  static __thread RandomPool pool;
  guint64 random = 0;

  if (pool.n_left == 0 || pool.n_forks != g_atomic_int_get (&n_forks))
    fill_pool (&pool);
  random = pool.bits[--pool.n_left];
  pool.bits[pool.n_left] = 0; /* what was given is kept nowhere */
  return random;
}

static gboolean
once_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_source_set_ready_time (source, -1);
  return callback ? callback (user_data) : G_SOURCE_REMOVE;
}

static GSourceFuncs system_source_funcs = { .dispatch = once_source_dispatch };

static GSource *
nebula_system_clock_create_source (NebulaClock *clock, gint64 monotonic_usec)
{
  GSource *source = g_source_new (&system_source_funcs, sizeof (GSource));

  g_source_set_static_name (source, "nebula-clock");
  g_source_set_ready_time (source, MAX (monotonic_usec, 0));
  return source;
}

static void
nebula_system_clock_class_init (NebulaSystemClockClass *klass)
{
  NebulaClockClass *clock_class = NEBULA_CLOCK_CLASS (klass);

  clock_class->get_real_usec = nebula_system_clock_get_real_usec;
  clock_class->get_monotonic_usec = nebula_system_clock_get_monotonic_usec;
  clock_class->get_random = nebula_system_clock_get_random;
  clock_class->create_source = nebula_system_clock_create_source;
}

static void
nebula_system_clock_init (NebulaSystemClock *self)
{
}

/**
 * nebula_clock_get_system:
 *
 * Gives the clock of the machine.
 *
 * Thread: any.
 *
 * Returns: (transfer none): the one system clock, which lives as long as the process
 *
 * Since: 1.0
 */
NebulaClock *
nebula_clock_get_system (void)
{
  static gsize once;
  static NebulaClock *system_clock;

  if (g_once_init_enter (&once)) {
    system_clock = g_object_new (nebula_system_clock_get_type (), NULL);
    g_once_init_leave (&once, 1);
  }
  return system_clock;
}

/**
 * nebula_clock_get_real_usec:
 * @self: a clock
 *
 * Reads the wall clock.
 *
 * Returns: microseconds since 1970 in UTC
 *
 * Since: 1.0
 */
gint64
nebula_clock_get_real_usec (NebulaClock *self)
{
  g_return_val_if_fail (NEBULA_IS_CLOCK (self), 0);

  return NEBULA_CLOCK_GET_CLASS (self)->get_real_usec (self);
}

/**
 * nebula_clock_get_monotonic_usec:
 * @self: a clock
 *
 * Reads the clock that never steps back.
 *
 * Returns: microseconds since some moment
 *
 * Since: 1.0
 */
gint64
nebula_clock_get_monotonic_usec (NebulaClock *self)
{
  g_return_val_if_fail (NEBULA_IS_CLOCK (self), 0);

  return NEBULA_CLOCK_GET_CLASS (self)->get_monotonic_usec (self);
}

/**
 * nebula_clock_get_random:
 * @self: a clock
 *
 * Draws random bits: from the kernel for the system's clock, from the seed for a manual one.
 *
 * Returns: 64 random bits
 *
 * Since: 1.0
 */
guint64
nebula_clock_get_random (NebulaClock *self)
{
  g_return_val_if_fail (NEBULA_IS_CLOCK (self), 0);

  return NEBULA_CLOCK_GET_CLASS (self)->get_random (self);
}

/**
 * nebula_clock_create_source: (skip)
 * @self: a clock
 * @monotonic_usec: when, on the monotonic clock
 *
 * Makes a source that becomes ready once, when the monotonic clock reaches a time.
 *
 * Returns: (transfer full): a source that is not attached yet
 *
 * Since: 1.0
 */
GSource *
nebula_clock_create_source (NebulaClock *self, gint64 monotonic_usec)
{
  g_return_val_if_fail (NEBULA_IS_CLOCK (self), NULL);

  return NEBULA_CLOCK_GET_CLASS (self)->create_source (self, monotonic_usec);
}
