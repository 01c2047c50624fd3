#!/usr/bin/env bash
# Trains the bundled model, Sources/CBundledModel/digits.safetensors: real people's digits (the Free Spoken Digit
# Dataset, 8 kHz), the synthetic ones of Fixtures/digits, and what is no digit, by make_background.py. Indices below 10 of
# each real speaker, and one background in ten, are for validation.
#   Fixtures/train_bundled_model.sh FSDD_RECORDINGS [AURICLE]
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "$0")/.." && pwd)
recordings=$(cd "$1" && pwd)
auricle=${2:-$root/.build/release/auricle}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" "$root/Fixtures/make_background.py" "$work/background"

echo path,label,split > "$work/digits.csv"
for file in "$recordings"/*_*_*.wav "$root"/Fixtures/digits/*_*_*.wav; do
  IFS=_ read -r label _ index <<< "$(basename "$file" .wav)"
  split=training
  if [[ $file == "$recordings"/* && $index -lt 10 ]]; then split=validation; fi
  echo "$file,$label,$split"
done >> "$work/digits.csv"
for file in "$work"/background/*.wav; do
  split=training
  if [[ $file == *0.wav ]]; then split=validation; fi
  echo "$file,_background_,$split"
done >> "$work/digits.csv"
"$auricle" train "$work/digits.csv" --output "$root/Sources/CBundledModel/digits.safetensors" --seed 1 \
  --effort best --members 1 --architecture bigru-attention --epochs 50 --average-decay 0.99 --augment strong
