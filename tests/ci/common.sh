# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What ./dev and the jobs in tests/ci share. Sourced, never run; needs bash.

NEBULA_TOP=${NEBULA_TOP:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
NEBULA_JOBS=${NEBULA_JOBS:-$(nproc 2>/dev/null || echo 2)}
NEBULA_LOGS=()

# The tools of the system, not those that a user's PATH may put before them.
pick () {
  if [ -x "/usr/bin/$1" ]; then echo "/usr/bin/$1"; else command -v "$1" || echo "$1"; fi
}
PYTHON=$(pick python3)

say () {
  printf '%s\n' "-- $*" >&2
}

die () {
  printf '%s\n' "dev: $*" >&2
  exit 1
}

# ---- packages --------------------------------------------------------------------------------------------------

list_packages () { # SET…
  local name
  for name in "$@"; do
    sed 's/#.*//' "$NEBULA_TOP/data/packages/$name.txt"
  done | tr -s ' \t' '\n' | sed '/^$/d' | sort -u
}

list_missing () { # SET…
  local package status
  for package in $(list_packages "$@"); do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || status=
    case $status in
      *installed*) case $status in *not-installed*) echo "$package" ;; esac ;;
      *) echo "$package" ;;
    esac
  done
}

# A system without dpkg: the tools at least can be looked for.
check_tools () {
  local tool missing=
  for tool in gcc g++ meson ninja pkg-config msgfmt python3; do
    command -v "$tool" >/dev/null || missing="$missing $tool"
  done
  [ -z "$missing" ] && return 0
  printf '%s\n' "dev: this system has no apt-get and lacks:$missing" \
    "dev: install what these Debian packages bring, then try again:" >&2
  list_packages "$@" | tr '\n' ' ' | fold -s -w 76 | sed 's/^/  /' >&2
  echo >&2
  exit 1
}

# Sets PACKAGES_CHANGED to yes if something was installed.
need_packages () { # SET…
  local missing sudo=
  PACKAGES_CHANGED=no
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    check_tools "$@"
    return 0
  fi
  missing=$(list_missing "$@" | tr '\n' ' ')
  [ -n "${missing// /}" ] || return 0

  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null ||
      die "these packages are missing and there is no sudo; as root, run:
  apt-get update && apt-get install --no-install-recommends $missing"
    sudo="sudo"
  fi
  say "installing: $missing"
  apt_get $sudo update
  # shellcheck disable=SC2086
  apt_get $sudo install -y --no-install-recommends $missing
  PACKAGES_CHANGED=yes
}

apt_get () { # [sudo] ARG…
  local sudo=
  if [ "$1" = sudo ]; then sudo=sudo; shift; fi
  # The log is shown only if it fails: a newcomer wants to see Nebula, not dpkg.
  local log
  log=$(mktemp)
  if ! $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -f "$log"
    die "apt-get $1 failed; its words are above"
  fi
  rm -f "$log"
}

# ---- builds ----------------------------------------------------------------------------------------------------

# Sets up a build folder once; later calls only refresh it after packages came.
configure () { # FOLDER OPTION…
  local folder=$NEBULA_TOP/$1
  shift
  if [ ! -f "$folder/build.ninja" ]; then
    rm -rf "$folder"
    say "configuring ${folder##*/}"
    quietly "$(pick meson)" setup "$folder" "$NEBULA_TOP" "$@" || return 1
  elif [ "${PACKAGES_CHANGED:-no}" = yes ]; then
    say "configuring ${folder##*/} again"
    quietly "$(pick meson)" setup --reconfigure "$folder" "$NEBULA_TOP" || return 1
  else
    # After a pull meson.build may have changed; its own words are of interest only if that fails.
    quietly "$(pick ninja)" -C "$folder" build.ninja || return 1
  fi
}

# Shows what a command printed only if it fails.
quietly () {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 || status=$?
  [ $status = 0 ] || cat "$log" >&2
  rm -f "$log"
  return $status
}

compile () { # FOLDER [TARGET…]
  local folder=$NEBULA_TOP/$1 status
  shift
  say "building ${folder##*/}"
  if [ -t 2 ]; then
    "$(pick ninja)" -C "$folder" -j "$NEBULA_JOBS" "$@" >&2
    status=$?
  else
    "$(pick ninja)" -C "$folder" -j "$NEBULA_JOBS" --quiet "$@" 2>&1 | sed '/^ninja: no work to do\.$/d' >&2
    status=${PIPESTATUS[0]}
  fi
  [ "$status" = 0 ] && return 0
  say "${folder##*/} does not build"
  return $status
}

# All targets but the tests: what ./dev run waits for.
product_targets () { # FOLDER
  "$PYTHON" "$NEBULA_TOP/tests/ci/targets.py" "$NEBULA_TOP/$1"
}

# Runs tests and remembers their log; see count_tests.
run_tests () { # FOLDER MESON-TEST-ARGUMENT…
  local folder=$NEBULA_TOP/$1 status=0
  shift
  # GoogleTest writes NAME.xml here; a test that crashes must not be counted by its last run.
  find "$folder" -maxdepth 1 -name '*.xml' -delete
  rm -f "$folder/meson-logs/testlog.json"
  say "testing ${folder##*/} ${*:+($*)}"
  "$(pick meson)" test -C "$folder" --no-rebuild --print-errorlogs --num-processes "$NEBULA_JOBS" "$@" >&2 ||
    status=$?
  NEBULA_LOGS+=("$folder")
  return $status
}

# Prints a table of what run_tests ran and, as the last line, `N passed, N failed[, N skipped]`.
count_tests () { # [NAME=PASSED,FAILED…]
  "$PYTHON" "$NEBULA_TOP/tests/ci/summary.py" "$@" -- "${NEBULA_LOGS[@]}"
}

# The sanitizers speak up, and stop, at the first mistake.
sanitizer_environment () {
  export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:abort_on_error=0
  export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
  export G_SLICE=always-malloc
}
