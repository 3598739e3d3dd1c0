/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the nodes of the proofs do to the world: adds one line to a ledger that no crash of the engine can take back, and
 * prints it.
 *
 *   ledger-note LEDGER LINE [MILLISECONDS [FAILURES]]
 *
 * It works so long before and after, to be met by the kill on both sides; it fails while the ledger has not more than
 * FAILURES such lines. The ledger is locked while it is used: who locks it next knows that nobody is at work.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

static void
work (long milliseconds)
{
  struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

  nanosleep (&time, NULL);
}

static int
count_lines (const char *path, const char *line)
{
  FILE *file = fopen (path, "re");
  char text[512];
  int n = 0;

  while (file && fgets (text, sizeof text, file)) {
    text[strcspn (text, "\n")] = '\0';
    n += strcmp (text, line) == 0;
  }
  if (file)
    fclose (file);

  return n;
}

int
main (int argc, char **argv)
{
  long milliseconds = argc > 3 ? strtol (argv[3], NULL, 10) : 0;
  long failures = argc > 4 ? strtol (argv[4], NULL, 10) : 0;
  char line[512];
  int length = 0;
  int fd = -1;

  if (argc < 3)
    return 2;
  length = snprintf (line, sizeof line, "%s\n", argv[2]);
  fd = open (argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0 || length >= (int) sizeof line || flock (fd, LOCK_SH) != 0)
    return 3;
  work (milliseconds);
  if (write (fd, line, (size_t) length) != length || fsync (fd) != 0)
    return 3;
  work (milliseconds);
  fputs (argv[2], stdout);

  return count_lines (argv[1], argv[2]) > failures ? 0 : 1;
}
