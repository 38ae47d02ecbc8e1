# SPDX-License-Identifier: MIT
# Sourced by the scripts beside it: enters the repository, puts ccache to use when there is one, and holds the few
# functions they share. Defines nothing that a user of the library sees.
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

if command -v ccache > /dev/null; then
    export CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi
export CTEST_PARALLEL_LEVEL=${CTEST_PARALLEL_LEVEL:-$(nproc)}

say() { printf '\n== %s\n' "$*"; }

# build_preset PRESET [TARGET...]: configures and builds; the preset's own targets when none is named.
build_preset() {
    local preset=$1
    shift
    mkdir -p build
    cmake --preset "$preset" > "build/$preset.configure.log" 2>&1 || {
        cat "build/$preset.configure.log" >&2
        return 1
    }
    cmake --build --preset "$preset" ${1+--target "$@"}
}
