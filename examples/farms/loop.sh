#!/bin/sh
# Ranges of a clip or an image sequence, one after the other, in any shell; what is whole is left out when it runs again:
#     ./loop.sh INPUT OUT FRAMES FRAMES_A_RANGE [further options of rtmatte matte]
set -eu
input=$1 out=$2 frames=$3 step=$4
shift 4
first=0
while [ "$first" -lt "$frames" ]; do
    rtmatte matte "$input" --out "$out" --write alpha --format png16 --quiet \
        --range "$first-$((first + step - 1))" "$@"
    first=$((first + step))
done
