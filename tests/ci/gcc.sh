#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# gcc, every warning an error, then all tests.
set -uo pipefail
. "$(dirname "$0")/common.sh"

CC=gcc CXX=g++ configure build-gcc --werror -Dtests=enabled &&
  compile build-gcc || exit 1
run_tests build-gcc
count_tests
