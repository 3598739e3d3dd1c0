/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* NEBULA_API marks what the library exports; the scanner defines it as plain `extern`. */
#ifndef NEBULA_API
#ifdef NEBULA_COMPILATION
#define NEBULA_API __attribute__ ((visibility ("default"))) extern
#else
#define NEBULA_API extern
#endif
#endif
