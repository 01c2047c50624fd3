#!/usr/bin/env bash
# Trains the bundled model, Sources/CBundledModel/digits.safetensors: real people's digits (the Free Spoken Digit
# Dataset, 8 kHz) and the synthetic ones of Fixtures/digits. Indices below 10 of each real speaker are for validation.
#   Fixtures/train_bundled_model.sh FSDD_RECORDINGS [AURICLE]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
recordings=$(cd "$1" && pwd)
auricle=${2:-$root/.build/release/auricle}
manifest=$(mktemp --suffix=.csv)
trap 'rm -f "$manifest"' EXIT

echo path,label,split > "$manifest"
for file in "$recordings"/*_*_*.wav "$root"/Fixtures/digits/*_*_*.wav; do
  IFS=_ read -r label _ index <<< "$(basename "$file" .wav)"
  split=training
  if [[ $file == "$recordings"/* && $index -lt 10 ]]; then split=validation; fi
  echo "$file,$label,$split"
done >> "$manifest"
"$auricle" train "$manifest" --output "$root/Sources/CBundledModel/digits.safetensors" --seed 1
