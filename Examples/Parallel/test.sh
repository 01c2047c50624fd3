#!/bin/bash
# The same contract under GNU parallel and under Kaldi's run.pl: shards as processes of one machine (or, with parallel's
# --sshlogin, of several). Proves that what they write, merged, is what one run writes.
#
#     apt-get install parallel
#     Examples/Parallel/test.sh .build/release/auricle [run.pl]
set -euo pipefail
auricle=$(realpath "$1")
run_pl=${2:-}
fixtures=$(cd "$(dirname "$0")/../../Fixtures" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
ls "$fixtures"/digits/*.wav > list.txt
echo nowhere.wav >> list.txt
strip() { sed 's/,"seconds":[^,}]*//' "$1"; }
"$auricle" classify --files-from list.txt --errors-as-rows -o one.jsonl

# GNU parallel: shard by shard; a shard that fails is run again, and goes on where it was.
parallel --retries 3 "$auricle" classify --files-from list.txt --shard {}/8 --errors-as-rows --jobs 1 -o parts/part-{}.jsonl \
  ::: 1 2 3 4 5 6 7 8
"$auricle" merge parts/part-*.jsonl --files-from list.txt -o all.jsonl
cmp <(strip all.jsonl) <(strip one.jsonl)
echo "GNU parallel: 8 shards, $(wc -l < all.jsonl) rows, those of one run"

# Or by lines, without shards: parallel cuts the list, and a process answers each piece; --keep-order restores its order.
parallel --pipe --keep-order -N 50 "$auricle" classify --files-from - --errors-as-rows --jobs 1 < list.txt > piped.jsonl
cmp <(strip piped.jsonl) <(strip one.jsonl | sed 's/,"model":"[^"]*"//')
echo "GNU parallel --pipe: $(wc -l < piped.jsonl) rows, those of one run"

# Kaldi: features of JOB=1:4 into archives, and one script of all of them.
arguments=(JOB=1:4 log/features.JOB.log "$auricle" features --preset kaldi --files-from list.txt --shard JOB/4
  --errors-as-rows --jobs 1 -o raw_mfcc.JOB.ark)
if [ -n "$run_pl" ]; then
  "$run_pl" "${arguments[@]}"
else # what run.pl does with these, without its own options
  for job in 1 2 3 4; do
    mkdir -p log
    command=("${arguments[@]:2}")
    "${command[@]//JOB/$job}" > "log/features.$job.log" 2>&1
  done
fi
"$auricle" merge raw_mfcc.[1-4].ark -o all.ark
"$auricle" features --preset kaldi --files-from list.txt --errors-as-rows -o one.ark > /dev/null
cmp <(cut -d' ' -f1 all.scp | sort) <(cut -d' ' -f1 one.scp | sort)
"$auricle" merge raw_mfcc.[1-4].ark --files-from list.txt --partial -o ordered.ark
cmp ordered.ark one.ark
echo "Kaldi's run.pl: 4 archives, merged, are the archive of one run"
