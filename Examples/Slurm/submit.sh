#!/bin/sh
# Classifies a list on a Slurm cluster: a job array, and a job after it that joins its parts.
#
#     Examples/Slurm/submit.sh list.txt all.jsonl [tasks]
#
# AURICLE names the program, if it is not on the path; PARTS the folder for the parts (default: beside the output).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
export LIST=$1 OUTPUT=$2
export PARTS=${PARTS:-$2.parts}
mkdir -p "$PARTS"
array=$(sbatch --parsable --array="1-${3:-8}" "$here/classify.sbatch")
# afterany, not afterok: if a task failed, merge says which of its files are missing.
merge=$(sbatch --parsable --dependency="afterany:$array" "$here/merge.sbatch")
echo "array $array, merge $merge"
