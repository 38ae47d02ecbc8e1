# SPDX-License-Identifier: MIT
# Common part of the lab's scripts: which hosts exist, how a command is run on one of them, how the ground truth is
# written. It is sourced, never run. A lab lives in network namespaces named $LAB-<host> and in the directory $LAB_DIR
# (configurations, keys, logs, truth.tsv); both variables come from `scripts/lab/net up`. Nothing here has a route out of
# those namespaces. Called by net, services, benign, attacks/*, record and scripts/demo.
# shellcheck shell=bash
# shellcheck disable=SC2034  # the variables are for those who source this

set -o errtrace
trap 'printf "%s: line %s failed: %s\n" "${0##*/}" "$LINENO" "$BASH_COMMAND" >&2' ERR

lab_home=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

lab_tap=lan0                 # the bridge in the router that every packet of the office passes: where a sensor listens
lab_lan4=10.83.0             # the office, /24 (RFC 1918)
lab_lan6=fd00:83:            # the same, /64 (RFC 4193)
lab_world4=198.51.100        # web sites outside, /24 (RFC 5737)
lab_outside4=203.0.113       # strangers outside, /24 (RFC 5737)
lab_server=$lab_lan4.10

# Host, side, last part of its address, further addresses it answers for (a prefix, or -).
lab_hosts() {
    cat <<TABLE
server   lan     10  -
ann      lan     21  -
ben      lan     22  -
cem      lan     23  -
intruder lan     66  -
prowler  lan     67  -
office   lan     128 $lab_lan4.128/27
desks    lan     160 $lab_lan4.160/27
world    world   2   $lab_world4.64/26
scanner  outside 66  -
guesser  outside 77  -
flooder  outside 88  -
TABLE
}

# Networks whose flows are ordinary use: the office, the web sites. The attackers inside are excluded by the truth itself.
lab_ordinary="$lab_lan4.0/24,$lab_world4.64/26,${lab_lan6}:/64"

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# need_tools TOOL...: stops with one line that names every program that is missing.
need_tools() {
    local tool missing=()
    for tool; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    ((${#missing[@]} == 0)) || die "missing programs: ${missing[*]}; scripts/bootstrap installs them"
}

need_lab() {
    [[ -n ${LAB:-} && -d ${LAB_DIR:-} ]] || die "no lab: run  eval \"\$(scripts/lab/net up)\"  first"
}

# lab_exec HOST COMMAND...: runs a program on a host, with that host's private view of the files it may write.
lab_exec() {
    local host=$1
    shift
    ip netns exec "$LAB-$host" "$lab_home/enter" "$@" </dev/null
}

# wait_until SECONDS COMMAND...: repeats a cheap check until it holds; fails when the time is over.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.05
    done
}

# count_argument VALUE MAXIMUM WHAT: refuses a count that is not a number in 1..MAXIMUM, so every load stays bounded.
count_argument() {
    if [[ ! $1 =~ ^[1-9][0-9]{0,6}$ ]] || (($1 > $2)); then
        die "$3 must be 1 to $2, not '$1'"
    fi
}

now() { date +%s.%6N; }

# truth START END NAME ATTACKERS VICTIMS CLASS TOOL: one line of ground truth, written with one append.
truth() {
    local IFS=$'\t'
    printf '%s\n' "$*" >>"$LAB_DIR/truth.tsv"
}

# lab_attack NAME HOST ATTACKER VICTIMS CLASS TOOL COMMAND...: runs a bounded attack and writes what it was. A tool that
# reports lost packets or found nothing exits with 1, which is the expected end; anything worse is an error.
lab_attack() {
    local name=$1 host=$2 attacker=$3 victims=$4 class=$5 tool=$6 start status=0
    shift 6
    start=$(now)
    (cd "$LAB_DIR" && lab_exec "$host" timeout 60 "$@") >"$LAB_DIR/log/$name.log" 2>&1 || status=$?
    truth "$start" "$(now)" "$name" "$attacker" "$victims" "$class" "$tool"
    ((status <= 1)) || die "$tool ended with status $status, see $LAB_DIR/log/$name.log"
}
