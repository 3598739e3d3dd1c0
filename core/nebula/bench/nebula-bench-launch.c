/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula-bench-launch PROGRAM [ARGUMENT…]: starts it, and prints the microseconds until it ended and the KiB of its
 * peak. A program inherits the peak of memory of the process that starts it, so this one is as small as can be. */

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long
get_usec (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

int
main (int argc, char **argv)
{
  posix_spawn_file_actions_t actions;
  struct rusage usage;
  long long start;
  int status;
  pid_t pid;

  if (argc < 2)
    return 2;
  posix_spawn_file_actions_init (&actions);
  posix_spawn_file_actions_addopen (&actions, 1, "/dev/null", O_WRONLY, 0);
  start = get_usec ();
  if (posix_spawn (&pid, argv[1], &actions, NULL, argv + 1, environ) != 0)
    return 4;
  while (wait4 (pid, &status, 0, &usage) < 0) {
    if (errno != EINTR)
      return 4;
  }
  fprintf (stdout, "%lld %ld\n", get_usec () - start, usage.ru_maxrss);
  posix_spawn_file_actions_destroy (&actions);
  return WIFEXITED (status) && WEXITSTATUS (status) == 0 ? 0 : 1;
}
