/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A host shuts itself in, before any code of its module runs: limits of the system, no new privileges, Landlock for files
 * and seccomp for what it may ask the kernel. The module may compute, read what the system's libraries and its own language
 * need, and speak over the channel. What else it needs it declares as a capability of one of its actions:
 *
 *   net            sockets, and the files that finding addresses needs
 *   read=PATH      reading below a folder
 *   write=PATH     reading and writing below a folder
 *
 * What the kernel does not have is an error, never less protection than was asked for.
 */

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nebula-error.h"
#include "nebula-host-private.h"

#define FILE_BYTES_MOST  (64 * 1024 * 1024)
#define FDS_MOST         256
#define THREADS_MOST     256
#define CPU_SECONDS_MOST 3600

#define READ_ACCESS                                                                      \
  (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |                          \
   LANDLOCK_ACCESS_FS_EXECUTE)
#define WRITE_ACCESS                                                                     \
  (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                       \
   LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                        \
   LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM)
#define OTHER_ACCESS                                                                     \
  (LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_SOCK |                         \
   LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK)

/* What programs and their libraries are made of; secrets lie elsewhere. */
static const char *const system_folders[] = {"/usr", "/lib", "/lib64", "/bin", NULL};
static const char *const system_files[] = {
    "/dev/null",  "/dev/zero", "/dev/urandom", "/etc/ld.so.cache", "/etc/localtime",
    "/proc/self", NULL};
static const char *const net_files[] = {
    "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/services", "/etc/ssl",
    "/etc/gai.conf",    NULL};

/* What a program needs that computes, has threads and a main loop. Nothing that starts a program, opens a socket, touches
 * another process or loads into the kernel. */
static const char *const calls[] = {"read",
                                    "write",
                                    "readv",
                                    "writev",
                                    "pread64",
                                    "pwrite64",
                                    "close",
                                    "close_range",
                                    "openat",
                                    "open",
                                    "stat",
                                    "fstat",
                                    "lstat",
                                    "newfstatat",
                                    "statx",
                                    "access",
                                    "faccessat",
                                    "faccessat2",
                                    "readlink",
                                    "readlinkat",
                                    "lseek",
                                    "getdents64",
                                    "getcwd",
                                    "dup",
                                    "dup2",
                                    "dup3",
                                    "fcntl",
                                    "ftruncate",
                                    "flock",
                                    "fsync",
                                    "fdatasync",
                                    "unlink",
                                    "unlinkat",
                                    "rename",
                                    "renameat",
                                    "renameat2",
                                    "mkdir",
                                    "mkdirat",
                                    "rmdir",
                                    "umask",
                                    "chdir",
                                    "fadvise64",
                                    "mmap",
                                    "munmap",
                                    "mremap",
                                    "mprotect",
                                    "madvise",
                                    "brk",
                                    "msync",
                                    "mlock",
                                    "munlock",
                                    "membarrier",
                                    "memfd_create",
                                    "rt_sigaction",
                                    "rt_sigprocmask",
                                    "rt_sigreturn",
                                    "rt_sigtimedwait",
                                    "sigaltstack",
                                    "futex",
                                    "futex_waitv",
                                    "set_robust_list",
                                    "get_robust_list",
                                    "rseq",
                                    "set_tid_address",
                                    "sched_yield",
                                    "sched_getaffinity",
                                    "sched_getparam",
                                    "sched_getscheduler",
                                    "sched_get_priority_max",
                                    "sched_get_priority_min",
                                    "getpriority",
                                    "exit",
                                    "exit_group",
                                    "restart_syscall",
                                    "nanosleep",
                                    "clock_nanosleep",
                                    "clock_gettime",
                                    "clock_getres",
                                    "gettimeofday",
                                    "time",
                                    "timerfd_create",
                                    "timerfd_settime",
                                    "timerfd_gettime",
                                    "poll",
                                    "ppoll",
                                    "select",
                                    "pselect6",
                                    "epoll_create1",
                                    "epoll_ctl",
                                    "epoll_wait",
                                    "epoll_pwait",
                                    "eventfd2",
                                    "pipe2",
                                    "pipe",
                                    "sendmsg",
                                    "recvmsg",
                                    "sendto",
                                    "recvfrom",
                                    "shutdown",
                                    "socketpair",
                                    "getsockopt",
                                    "getsockname",
                                    "getpid",
                                    "gettid",
                                    "getppid",
                                    "getuid",
                                    "geteuid",
                                    "getgid",
                                    "getegid",
                                    "getresuid",
                                    "getresgid",
                                    "getpgrp",
                                    "getpgid",
                                    "getsid",
                                    "getrusage",
                                    "times",
                                    "uname",
                                    "sysinfo",
                                    "getrandom",
                                    "getrlimit",
                                    "arch_prctl",
                                    "tgkill",
                                    "prctl",
                                    "getcpu",
                                    "sendfile",
                                    "copy_file_range",
                                    "inotify_init1",
                                    "inotify_add_watch",
                                    "inotify_rm_watch",
                                    NULL};
static const char *const net_calls[] = {"socket",      "connect", "bind",   "setsockopt",
                                        "getpeername", "accept4", "listen", "sendmmsg",
                                        "recvmmsg",    NULL};

static gboolean
fail (const char *what, int number, GError **error)
{
  g_set_error (
      error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED,
      _ ("cannot be shut in: %s (%s). Give it the isolation “process”, if you trust it"),
      what, g_strerror (number));
  return FALSE;
}

static gboolean
limit (int resource, rlim_t most)
{
  struct rlimit old, limits;

  if (getrlimit ((__rlimit_resource_t) resource, &old) != 0)
    return FALSE;
  limits.rlim_cur = limits.rlim_max = MIN (most, old.rlim_max);
  return setrlimit ((__rlimit_resource_t) resource, &limits) == 0;
}

/* The limit of processes counts all of the user, so that it is seccomp which forbids new ones. */
static gboolean
set_limits (guint64 memory_bytes, GError **error)
{
  if (limit (RLIMIT_CORE, 0) && limit (RLIMIT_FSIZE, FILE_BYTES_MOST) &&
      limit (RLIMIT_NOFILE, FDS_MOST) && limit (RLIMIT_CPU, CPU_SECONDS_MOST) &&
      limit (RLIMIT_MEMLOCK, 0) &&
      (memory_bytes == 0 || limit (RLIMIT_DATA, memory_bytes)))
    return TRUE;
  return fail ("rlimit", errno, error);
}

static gboolean
allow_path (int ruleset, const char *path, guint64 access)
{
  struct landlock_path_beneath_attr rule = {.allowed_access = access};
  struct stat status;
  long result;

  rule.parent_fd = open (path, O_PATH | O_CLOEXEC);
  if (rule.parent_fd < 0)
    return errno == ENOENT;
  if (fstat (rule.parent_fd, &status) == 0 && !S_ISDIR (status.st_mode))
    rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                           LANDLOCK_ACCESS_FS_EXECUTE;
  result = syscall (SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  close (rule.parent_fd);
  return result == 0;
}

static gboolean
allow_paths (int ruleset, const char *const *paths, guint64 access)
{
  for (guint i = 0; paths[i] != NULL; i++)
    if (!allow_path (ruleset, paths[i], access))
      return FALSE;
  return TRUE;
}

/* The folders where this library and the bindings of languages lie, when they are not the system's. */
static gboolean
allow_own (int ruleset)
{
  static const char *const variables[] = {"LD_LIBRARY_PATH", "GI_TYPELIB_PATH",
                                          "PYTHONPATH", "GJS_PATH"};

  for (gsize i = 0; i < G_N_ELEMENTS (variables); i++) {
    const char *path = g_getenv (variables[i]);

    if (path != NULL && !allow_path (ruleset, path, READ_ACCESS))
      return FALSE;
  }
  return TRUE;
}

static gboolean
allow_capability (int ruleset, const char *capability)
{
  if (g_str_equal (capability, "net"))
    return allow_paths (ruleset, net_files, READ_ACCESS);
  if (g_str_has_prefix (capability, "read="))
    return allow_path (ruleset, capability + strlen ("read="), READ_ACCESS);
  if (g_str_has_prefix (capability, "write="))
    return allow_path (ruleset, capability + strlen ("write="),
                       READ_ACCESS | WRITE_ACCESS);
  return TRUE; /* what is no matter of files */
}

static gboolean
fill_ruleset (int ruleset, NebulaHost *host, const char *const *capabilities)
{
  g_autofree char *location = nebula_host_get_location (host);

  if (!allow_paths (ruleset, system_folders, READ_ACCESS) ||
      !allow_paths (ruleset, system_files, READ_ACCESS | LANDLOCK_ACCESS_FS_WRITE_FILE) ||
      !allow_own (ruleset) ||
      !allow_path (ruleset, location,
                   LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE))
    return FALSE;
  for (guint i = 0; capabilities[i] != NULL; i++)
    if (!allow_capability (ruleset, capabilities[i]))
      return FALSE;
  return TRUE;
}

/* The counts of lines are files, which are written when a host ends. */
static gboolean
allow_counts (int ruleset)
{
#ifdef NEBULA_COVERAGE
  return allow_path (ruleset, NEBULA_COVERAGE, READ_ACCESS | WRITE_ACCESS);
#else
  return TRUE;
#endif
}

static gboolean
restrict_files (NebulaHost *host, const char *const *capabilities, GError **error)
{
  struct landlock_ruleset_attr attributes = {
      .handled_access_fs = READ_ACCESS | WRITE_ACCESS | OTHER_ACCESS};
  int ruleset =
      (int) syscall (SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
  gboolean is_done;
  int saved_errno;

  if (ruleset < 0)
    return fail ("Landlock", errno, error);
  is_done = fill_ruleset (ruleset, host, capabilities) && allow_counts (ruleset) &&
            syscall (SYS_landlock_restrict_self, ruleset, 0) == 0;
  saved_errno = errno;
  close (ruleset);
  return is_done || fail ("Landlock", saved_errno, error);
}

/* What this machine does not know is not needed on it. */
static gboolean
allow_calls (scmp_filter_ctx filter, const char *const *names)
{
  for (guint i = 0; names[i] != NULL; i++) {
    int number = seccomp_syscall_resolve_name (names[i]);

    if (number >= 0 && seccomp_rule_add (filter, SCMP_ACT_ALLOW, number, 0) != 0)
      return FALSE;
  }
  return TRUE;
}

/* Threads, but no processes: clone3 hides its flags from seccomp, so that the C library is sent to clone. Signals go to
 * itself alone, which the kernel checks by the process id. */
static gboolean
allow_special (scmp_filter_ctx filter)
{
  const guint64 thread = CLONE_THREAD;

  return seccomp_rule_add (filter, SCMP_ACT_ERRNO (ENOSYS), SCMP_SYS (clone3), 0) == 0 &&
         seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (clone), 1,
                           SCMP_A0 (SCMP_CMP_MASKED_EQ, thread, thread)) == 0 &&
         seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (ioctl), 1,
                           SCMP_A1 (SCMP_CMP_EQ, FIONREAD)) == 0 &&
         seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (ioctl), 1,
                           SCMP_A1 (SCMP_CMP_EQ, FIOCLEX)) == 0 &&
         seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (ioctl), 1,
                           SCMP_A1 (SCMP_CMP_EQ, FIONBIO)) == 0 &&
         seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (prlimit64), 1,
                           SCMP_A2 (SCMP_CMP_EQ, 0)) == 0 &&
         seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (kill), 1,
                           SCMP_A0 (SCMP_CMP_EQ, (guint64) getpid ())) == 0;
}

static gboolean
restrict_calls (const char *const *capabilities, GError **error)
{
  scmp_filter_ctx filter = seccomp_init (SCMP_ACT_ERRNO (EPERM));
  gboolean has_net = g_strv_contains (capabilities, "net");
  gboolean is_done;

  if (filter == NULL)
    return fail ("seccomp", ENOMEM, error);
  is_done = seccomp_attr_set (filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
            allow_calls (filter, calls) &&
            (!has_net || allow_calls (filter, net_calls)) && allow_special (filter) &&
            seccomp_load (filter) == 0;
  seccomp_release (filter);
  return is_done || fail ("seccomp", EPERM, error);
}

gboolean
_nebula_host_shut_in (NebulaHost *self,
                      const char *const *capabilities,
                      guint64 memory_bytes,
                      GError **error)
{
  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail ("no_new_privs", errno, error);
  return set_limits (memory_bytes, error) && restrict_files (self, capabilities, error) &&
         restrict_calls (capabilities, error);
}
