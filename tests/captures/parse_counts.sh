#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Reads every labelled capture and compares packet and IP packet counts with the manifest's, which other programs made.
# The captures are not part of the project: MLDEFENDER_SHARED names the folder that holds captures/ (default: beside
# the source folder), MLDEFENDER_CAPTURES an unpacked copy. Skips (77) without them.
set -euo pipefail

source_dir=${MLDEFENDER_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}
shared=${MLDEFENDER_SHARED:-$source_dir/../shared}
manifest=$shared/captures/MANIFEST.tsv
if [[ ! -r $manifest ]]; then
    echo "skipped: no $manifest"
    exit 77
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=${MLDEFENDER_CAPTURES:-}
if [[ -z $root ]]; then
    root=$scratch/captures
    "$shared/captures/unpack" "$root" >/dev/null
fi

"${CXX:-c++}" -std=c++20 -O2 -I"$source_dir/include" \
    "$source_dir/tests/captures/parse_counts.cpp" -o "$scratch/parse_counts"
cut -f1 "$manifest" | tail -n +2 | (cd "$root" && xargs -d '\n' "$scratch/parse_counts") >"$scratch/counts"

# Columns of the manifest: 1 path, 8 packets, 10 ip_packets.
awk -F'\t' '
    NR == FNR { packets[$1] = $2; ip[$1] = $3; next }
    FNR == 1 { next }
    { files++ }
    packets[$1] == $8 && ip[$1] == $10 { agree++; next }
    { print $1 ": packets " packets[$1] " (manifest " $8 "), IP packets " ip[$1] " (manifest " $10 ")" }
    END { print agree + 0 " of " files " captures agree"; exit agree == files ? 0 : 1 }
' "$scratch/counts" "$manifest"
