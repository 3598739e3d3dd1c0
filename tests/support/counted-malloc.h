/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counts what this program asks of malloc, in each thread for itself. Only where `COUNTS` is defined: sanitizers have their own. */
#pragma once

#include <glib.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define HAS_SANITIZER
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER
#endif

static thread_local guint64 n_mallocs;
static thread_local guint64 malloc_bytes; /* that were asked for */

#if !defined(HAS_SANITIZER) && defined(__GLIBC__)
#define COUNTS
extern "C" {
void *__libc_malloc (size_t size);
void *__libc_calloc (size_t count, size_t size);
void *__libc_realloc (void *block, size_t size);

void *
malloc (size_t size)
{
  n_mallocs++;
  malloc_bytes += size;
  return __libc_malloc (size);
}

void *
calloc (size_t count, size_t size)
{
  n_mallocs++;
  malloc_bytes += count * size;
  return __libc_calloc (count, size);
}

void *
realloc (void *block, size_t size)
{
  n_mallocs++;
  malloc_bytes += size;
  return __libc_realloc (block, size);
}
}
#endif
