#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The demo on a real network of namespaces: every attack found, nothing ordinary flagged; interrupted in the middle it
# leaves no namespace, no process and no temporary folder. Run by ctest; skipped (77) without root, without namespaces or
# when the sensor is not part of the build.
set -euo pipefail
demo=${MLDEFENDER_SOURCE_DIR:?}/scripts/demo
sensor=${MLDEFENDER_BIN_DIR:?}/mldefender-sensor
[[ -x $sensor ]] || { echo "no $sensor in this build"; exit 77; }
unshare --net true 2>/dev/null || { echo "needs root and network namespaces"; exit 77; }
for program in nginx dnsmasq smbd smbclient hydra nmap hping3 iperf3; do
    PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || { echo "needs $program (scripts/bootstrap lab)"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# nothing_left PID: of the run with this process id.
nothing_left() {
    ! ip netns list | grep "^mld-demo-$1-" && ! compgen -G "${TMPDIR:-/tmp}/mld-demo-$1.*" && ! pgrep -af "mld-demo-$1[-.]"
}

# interrupted SIGNAL STATUS: sent while the sensor listens and people work.
interrupted() {
    local pid status=0 deadline=$((SECONDS + 30))
    env --default-signal=INT "$demo" --quick --sensor "$sensor" --output "$work/$1" &
    pid=$!
    until grep -qs 'capturing on' "$work/$1/sensor.log"; do
        if ((SECONDS >= deadline)) || ! kill -0 "$pid"; then echo "the demo never listened" && return 1; fi
        sleep 0.05
    done
    kill -s "$1" "$pid"
    wait "$pid" || status=$?
    ((status == $2)) || { echo "$1 ended the demo with $status instead of $2"; return 1; }
    nothing_left "$pid" || { echo "$1 left something behind"; return 1; }
}

interrupted INT 130
interrupted TERM 143
"$demo" --quick --sensor "$sensor" --output "$work/whole" &
pid=$!
wait "$pid"
nothing_left "$pid"
