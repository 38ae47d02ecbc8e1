#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the sensor over every labelled capture and prints the table of families. Fails when a run fails, or when flow
# counts, with the manifest's idea of a flow (manifest_flows.json), agree with it on less than 95 % of the files. The
# captures are not part of the project: MLDEFENDER_SHARED names the folder that holds captures/ and eval/ (default:
# beside the source folder), MLDEFENDER_CAPTURES an unpacked copy. Skips (77) without them.
set -euo pipefail

source_dir=${MLDEFENDER_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}
shared=${MLDEFENDER_SHARED:-$source_dir/../shared}
manifest=$shared/captures/MANIFEST.tsv
sensor=${MLDEFENDER_BIN_DIR:-$source_dir/build/release/bin}/mldefender-sensor
for needed in "$manifest" "$shared/eval/evaluate.py" "$sensor"; do
    [[ -r $needed ]] || { echo "skipped: no $needed"; exit 77; }
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# complete DIR: every capture of the manifest is there
complete() {
    [[ -d $1 ]] && cut -f1 "$manifest" | tail -n +2 | (cd "$1" && while read -r path; do [[ -s $path ]] || exit 1; done)
}

root=$scratch/captures
for place in "${MLDEFENDER_CAPTURES:-}" "$source_dir/build/captures"; do
    if [[ -n $place ]] && complete "$place"; then root=$place; fi
done
if [[ $root == "$scratch/captures" ]]; then "$shared/captures/unpack" "$root" >/dev/null; fi

# evaluate NAME SENSOR: the table is printed; the exit status is 2 when any run failed
evaluate() {
    echo "== $1"
    TMPDIR=$scratch python3 "$shared/eval/evaluate.py" --sensor "$2" --manifest "$manifest" --root "$root" | tee "$scratch/$1"
}

evaluate detection "$sensor"
evaluate flows "$sensor --config $source_dir/tests/captures/manifest_flows.json"
awk '/^flow counts within/ { split($NF, n, "/"); agree = n[1]; all = n[2] }
     END { if (all == 0 || agree < 0.95 * all) { print "flow counts agree on " agree + 0 " of " all + 0 " captures, fewer than 95 %"; exit 1 } }' \
    "$scratch/flows"
