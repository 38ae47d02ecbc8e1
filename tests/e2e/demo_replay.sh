#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The demo without a network: the sensor reads the recorded captures, finds every attack in them and flags nothing
# ordinary; wrong use is refused. Run by ctest; skipped (77) when the sensor is not part of the build.
set -euo pipefail
demo=${MLDEFENDER_SOURCE_DIR:?}/scripts/demo
sensor=${MLDEFENDER_BIN_DIR:?}/mldefender-sensor
[[ -x $sensor ]] || { echo "no $sensor in this build"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$demo" --replay --sensor "$sensor" --output "$work/one"
[[ -s $work/one/truth.tsv && -s $work/one/summary.json ]]

# refused STATUS WORDS ARGUMENT...
refused() {
    local expected=$1 words=$2 status=0
    shift 2
    "$demo" "$@" >"$work/text" 2>&1 || status=$?
    if ((status != expected)) || ! grep -q -- "$words" "$work/text"; then
        echo "demo $*: status $status instead of $expected, or no '$words' in:" && cat "$work/text"
        return 1
    fi
}
refused 2 "is not one of" --faster
refused 2 "needs a path" --sensor
refused 1 "is not a program" --replay --sensor "$work/absent"
refused 1 "earlier run" --replay --sensor "$sensor" --output "$work/one"
refused 1 "failed on the captures" --replay --sensor "$(type -P false)" --output "$work/two"
