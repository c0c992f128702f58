#!/bin/bash
# Starts munge, one Slurm controller and one node on loopback as root, runs a command, and ends them:
#     slurm_loopback.sh FOLDER COMMAND ...
# The folder gets the configuration, keys and logs. Debian: apt install slurm-wlm munge
set -euo pipefail
folder=$1
shift
mkdir -p "$folder"/{state,spool,munge}
chmod 711 "$folder" "$folder/munge"
socket=$folder/munge/socket
dd if=/dev/urandom of="$folder/munge/key" bs=1 count=1024 status=none
chmod 400 "$folder/munge/key"
chown -R munge "$folder/munge"
runuser -u munge -- /usr/sbin/munged --foreground --force --socket "$socket" --key-file "$folder/munge/key" \
    --log-file "$folder/munge/log" --pid-file "$folder/munge/pid" --seed-file "$folder/munge/seed" --num-threads 1 &
processes=($!)
host=$(hostname -s)
cat > "$folder/slurm.conf" <<CONF
ClusterName=loopback
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=${SLURM_TEST_PORT:-16817}
SlurmdPort=$((${SLURM_TEST_PORT:-16817} + 1))
AuthType=auth/munge
AuthInfo=socket=$socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$folder/slurm.conf
leave() {
    scancel --user root 2> /dev/null || true
    kill "${processes[@]}" 2> /dev/null || true
    wait
}
trap leave EXIT
for _ in $(seq 100); do [ -S "$socket" ] && break; sleep 0.1; done
/usr/sbin/slurmctld -D -i -f "$SLURM_CONF" > "$folder/controller.out" 2>&1 &
processes+=($!)
/usr/sbin/slurmd -D -f "$SLURM_CONF" > "$folder/node.out" 2>&1 &
processes+=($!)
for _ in $(seq 100); do
    [ "$(sinfo --noheader --format %t 2> /dev/null)" = idle ] && break
    sleep 0.2
done
"$@"
