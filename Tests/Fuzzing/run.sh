#!/usr/bin/env bash
# Fuzzes every target for SECONDS (60) each, or only those named: Tests/Fuzzing/run.sh [SECONDS [TARGET...]]
#
# Built with the address sanitizer. The corpus grows in .build/corpus; an input that is a finding
# is written to .build/findings, and ends the run with an error. More options for libFuzzer: FUZZ_OPTIONS.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-60}
targets=("${@:2}")
if [[ ${#targets[@]} -eq 0 ]]; then targets=(audio model manifest predictions features configuration); fi

# Of two --sanitize, the Swift compiler heeds one alone.
options=(-c release --sanitize address --sanitize fuzzer -Xswiftc -sanitize=address,fuzzer -Xcc -O1)
swift build "${options[@]}"
program=$(swift build "${options[@]}" --show-bin-path)/Fuzz
mkdir -p .build/findings
FUZZ_TARGET=seeds "$program" .build/corpus
for target in "${targets[@]}"; do
  mkdir -p ".build/corpus/$target"
  leaks=1
  if [[ $target == audio ]]; then leaks=0; fi  # libsndfile loses memory over damaged Ogg files
  ASAN_OPTIONS=detect_leaks=$leaks FUZZ_TARGET=$target "$program" ".build/corpus/$target" -max_total_time="$seconds" \
    -max_len=20001 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix=".build/findings/$target-" ${FUZZ_OPTIONS:-}
done
