#!/usr/bin/env bash
# Runs the whole test suite under the address sanitizer, then under those for threads and, in C, undefined behaviour.
#
# Some 30 minutes each on one core. Leaks are not looked for: the test runner and the argument parser end with objects
# alive. An error ends the run; undefined behaviour in C is an illegal instruction (in Swift it always traps).
set -euo pipefail
cd "$(dirname "$0")/../.."

suite() {
  # Without -O2 the kernels alone would take an hour.
  swift build --build-tests --scratch-path ".build/sanitize-$1" --sanitize "$1" -Xcc -O2 "${@:2}"
  ASAN_OPTIONS=detect_leaks=0 swift test --skip-build --scratch-path ".build/sanitize-$1" --sanitize "$1" -Xcc -O2 "${@:2}"
}

suite address
suite thread -Xcc -fsanitize=undefined -Xcc -fsanitize-trap=undefined
