#!/bin/bash
# Starts a Slurm of one machine (munged, slurmctld, slurmd, on loopback, as root), submits an array and its merge, and proves
# that the result is that of one run.
#
#     apt-get install slurmctld slurmd slurm-client munge
#     Examples/Slurm/test.sh .build/release/auricle
set -euo pipefail
export AURICLE=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
fixtures=$here/../../Fixtures
work=$(mktemp -d)
started=()
finish() {
  for pid in "${started[@]}"; do kill "$pid" 2> /dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT

host=$(hostname -s)
dd if=/dev/urandom of="$work/munge.key" bs=1024 count=1 status=none
chmod 700 "$work" && chmod 400 "$work/munge.key"
munged --foreground --force --key-file="$work/munge.key" --socket="$work/munge.socket" --pid-file="$work/munged.pid" \
  --log-file="$work/munged.log" --seed-file="$work/munge.seed" &
started+=($!)
mkdir "$work/state" "$work/spool"
cat > "$work/slurm.conf" << CONFIGURATION
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=${PORT:-16817}
SlurmdPort=$((${PORT:-16817} + 1))
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
CredType=cred/munge
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MinJobAge=300
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONFIGURATION
echo 'CgroupPlugin=disabled' > "$work/cgroup.conf"
export SLURM_CONF=$work/slurm.conf
slurmctld -D -c > "$work/slurmctld.out" 2>&1 &
started+=($!)
slurmd -D -c > "$work/slurmd.out" 2>&1 &
started+=($!)
for _ in $(seq 100); do
  sinfo --noheader --format=%T 2> /dev/null | grep -q idle && break
  sleep 0.2
done
sinfo | grep -q idle || { tail -5 "$work"/*.out "$work"/*.log >&2; exit 1; }

# Every eleventh file is not there.
for index in $(seq 110); do
  if ((index % 11 == 0)); then echo "$work/missing-$index.wav"; else echo "$fixtures/digits/$((index % 10))_flite-slt_0.wav"; fi
done > "$work/list.txt"
cd "$work"
"$here/submit.sh" "$work/list.txt" "$work/all.jsonl" 4
for _ in $(seq 300); do
  [ -z "$(squeue --noheader)" ] && break
  sleep 0.2
done
"$AURICLE" classify --files-from "$work/list.txt" --errors-as-rows -o "$work/one.jsonl"
strip() { sed 's/"seconds":[^,}]*,\{0,1\}//' "$1"; }
[ "$(ls "$work/all.jsonl.parts" | wc -l)" = 4 ]
[ "$(wc -l < "$work/all.jsonl")" = 110 ]
cmp <(strip "$work/all.jsonl") <(strip "$work/one.jsonl")
echo "4 tasks of an array and the merge after them: 110 rows, those of one run"
