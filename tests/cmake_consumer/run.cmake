# SPDX-License-Identifier: MIT
# One case of the consumer tests, chosen by CASE; tests/cmake_consumer/CMakeLists.txt calls it with the installed
# PREFIX, a scratch folder WORK, and what the build knows. Stops with CMake's words when the case goes wrong.

# Third-party packages out of sight: no pkg-config files, no CMake packages.
set(nothing_installed -DCMAKE_DISABLE_FIND_PACKAGE_PkgConfig=ON -DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON
                      -DCMAKE_DISABLE_FIND_PACKAGE_simdjson=ON)

# configure(<out_failed> <out_words> <arguments>...): the consumer project, afresh.
function(configure out_failed out_words)
    file(REMOVE_RECURSE "${WORK}")
    execute_process(
        COMMAND "${CMAKE_COMMAND}" --no-warn-unused-cli -S "${CMAKE_CURRENT_LIST_DIR}/project" -B "${WORK}" -G Ninja
                "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_PREFIX_PATH=${PREFIX}" -DCMAKE_BUILD_TYPE=Debug ${ARGN}
        RESULT_VARIABLE failed
        OUTPUT_VARIABLE words
        ERROR_VARIABLE words)
    set(${out_failed} "${failed}" PARENT_SCOPE)
    # CMake wraps long messages; judged as one line.
    string(REGEX REPLACE "[ \n]+" " " words "${words}")
    set(${out_words} "${words}" PARENT_SCOPE)
endfunction()

function(must_work)
    configure(failed words ${ARGN})
    if(failed)
        message(FATAL_ERROR "must configure: ${words}")
    endif()
    execute_process(COMMAND "${CMAKE_COMMAND}" --build "${WORK}" COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND "${WORK}/consumer" COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(must_be_refused expected)
    configure(failed words ${ARGN})
    if(NOT failed)
        message(FATAL_ERROR "must be refused, but configures: ${ARGN}")
    endif()
    if(NOT words MATCHES "${expected}")
        message(FATAL_ERROR "refused, but not with '${expected}': ${words}")
    endif()
endfunction()

# file_sums(<out> <prefix>): name and hash of every installed file that is neither a tool nor comes with one.
function(file_sums out prefix)
    file(GLOB_RECURSE files RELATIVE "${prefix}" "${prefix}/*")
    list(FILTER files EXCLUDE REGEX "^(bin|share/mldefender)/")
    set(sums "")
    foreach(file IN LISTS files)
        file(SHA256 "${prefix}/${file}" sum)
        list(APPEND sums "${file}=${sum}")
    endforeach()
    set(${out} "${sums}" PARENT_SCOPE)
endfunction()

string(REGEX MATCH "^([0-9]+)\\.([0-9]+)" minor_version "${VERSION}")
math(EXPR next_minor "${CMAKE_MATCH_2} + 1")

if(CASE STREQUAL "install")
    file(REMOVE_RECURSE "${PREFIX}")
    execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${PREFIX}" OUTPUT_QUIET
                            COMMAND_ERROR_IS_FATAL ANY)
elseif(CASE STREQUAL "core_only")
    must_work(${nothing_installed} -DMLDEFENDER_WANTED_VERSION=${minor_version})
elseif(CASE STREQUAL "every_component")
    must_work("-DMLDEFENDER_WANTED_COMPONENTS=${COMPONENTS}")
elseif(CASE STREQUAL "version_refused")
    must_be_refused("version.*${VERSION}" -DMLDEFENDER_WANTED_VERSION=${CMAKE_MATCH_1}.${next_minor})
elseif(CASE STREQUAL "unknown_component")
    must_be_refused("there is no component 'pacp'; known: core" -DMLDEFENDER_WANTED_COMPONENTS=pacp)
elseif(CASE STREQUAL "missing_dependency")
    set(ENV{PKG_CONFIG_LIBDIR} "${WORK}/no-such-folder")
    must_be_refused("component 'pcap' needs libpcap, .* apt-get install libpcap-dev"
                    -DMLDEFENDER_WANTED_COMPONENTS=pcap)
elseif(CASE STREQUAL "subdirectory")
    must_work(${nothing_installed} "-DMLDEFENDER_SOURCE=${SOURCE}")
elseif(CASE STREQUAL "same_tree")
    # What is installed does not depend on what was found: a build that sees no dependency installs the same files.
    file(REMOVE_RECURSE "${WORK}")
    execute_process(
        COMMAND "${CMAKE_COMMAND}" --no-warn-unused-cli -S "${SOURCE}" -B "${WORK}/build" -G Ninja
                "-DCMAKE_CXX_COMPILER=${COMPILER}" ${nothing_installed} -DMLDEFENDER_COMPONENTS=core
                -DMLDEFENDER_TESTS=OFF -DMLDEFENDER_TOOLS=OFF
                -DMLDEFENDER_BENCH=OFF -DMLDEFENDER_EXAMPLES=OFF
        OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND "${CMAKE_COMMAND}" --install "${WORK}/build" --prefix "${WORK}/prefix" OUTPUT_QUIET
                            COMMAND_ERROR_IS_FATAL ANY)
    file_sums(ours "${PREFIX}")
    file_sums(bare "${WORK}/prefix")
    if(NOT ours STREQUAL bare)
        set(only_ours ${ours})
        set(only_bare ${bare})
        list(REMOVE_ITEM only_ours ${bare})
        list(REMOVE_ITEM only_bare ${ours})
        list(JOIN only_ours "\n  " only_ours)
        list(JOIN only_bare "\n  " only_bare)
        message(FATAL_ERROR "the installed trees differ\n with every component:\n  ${only_ours}\n"
                            " with none:\n  ${only_bare}\n")
    endif()
else()
    message(FATAL_ERROR "no case '${CASE}'")
endif()
