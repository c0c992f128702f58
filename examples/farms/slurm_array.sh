#!/bin/bash
# One range of a clip or an image sequence for each task of a Slurm array:
#     sbatch --array=0-9 slurm_array.sh INPUT OUT FRAMES_A_TASK [further options of rtmatte matte]
# OUT is a folder that all nodes share. A task that was lost is started again as it is: scontrol requeue JOB_TASK
#SBATCH --job-name=rtmatte
#SBATCH --cpus-per-task=1
#SBATCH --requeue
set -euo pipefail
input=$1 out=$2 step=$3
shift 3
first=$((SLURM_ARRAY_TASK_ID * step))
exec rtmatte matte "$input" --out "$out" --write alpha --format png16 --jobs 1 --quiet \
    --range "$first-$((first + step - 1))" "$@"
