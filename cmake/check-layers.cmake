# SPDX-License-Identifier: MIT
# Fails, with file:line, on an #include that its layer may not make. Run by ctest as
#   cmake -DROOT=<repository> -P cmake/check-layers.cmake
# The tables below are the rule; HACKING.md explains them. Also refused: a core header that has no level here, a
# quoted include in a public header, an include spelled by a macro, and the standard headers core does without.
cmake_minimum_required(VERSION 3.25)

# A folder under include/mldefender or tools | the components it may include | its third-party headers.
# A name ending in / allows everything below it.
set(folder_table
    "include/core     | core                   |"
    "include/pcap     | core pcap              | pcap.h pcap/"
    "include/settings | core settings          | simdjson.h"
    "include/log      | core log               | fmt/ simdjson.h sodium.h maxminddb.h"
    "include/forge    | core forge             | simdjson.h sodium.h"
    "include/transport | core transport        | sodium.h lz4.h"
    "tools/sensor     | core pcap log settings | CLI/ fmt/"
    "tools/forge      | core forge pcap        | CLI/ fmt/"
    "tools/log        | core log               | CLI/ fmt/")

# Inside core, a header includes its own level and those below. Regular expressions on the path below core/.
set(core_levels
    "0 | (version|platform|result|bytes|address|packet|hash|math|attack|sha1|sha256|executor|bounded_queue|words|json_syntax)\\.hpp"
    "1 | app/.*|(link|tunnel|parse|fragment|community_id|sketch|slot_table|flow|flow_table|window|window_book|feature|extract|observe|source_history)\\.hpp"
    "2 | models/.*|(model|forest|flat_forest|bundle|replaceable_forest)\\.hpp"
    "3 | (verdict|score|rules)\\.hpp"
    "4 | (event|compose|story|storyteller|statistics|pipeline|pipeline_options)\\.hpp")

# Standard headers core must not have: they print, read files, or are missing from the compilers we support.
set(core_refuses format expected ranges print iostream fstream ostream istream sstream locale regex)

# What the operating system brings; any layer but core may use it.
set(system_headers
    "^((sys|net|netinet|arpa|linux|asm|bits)/.*|(unistd|fcntl|poll|signal|dirent|ifaddrs|netdb|sched|pthread|dlfcn|termios|sysexits|syslog|pwd|grp|glob|getopt)\\.h)$"
)

set(problem_count 0)

# refuse(<file:line> <words>): said at once, each on a line of its own, so that an editor can jump to it.
macro(refuse place words)
    message(NOTICE "${place}: ${words}")
    math(EXPR problem_count "${problem_count} + 1")
endmacro()

# Every include of the tree as "file:line:directive"; grep, because CMake's own reader loses line numbers.
execute_process(
    COMMAND grep -rnoE --include=*.hpp --include=*.h --include=*.cpp
            "^[[:space:]]*#[[:space:]]*include[[:space:]]*([<\"][^>\"]+[>\"]|[A-Za-z_].*)" include/mldefender tools
    WORKING_DIRECTORY "${ROOT}"
    OUTPUT_VARIABLE found
    ERROR_QUIET)
if(found STREQUAL "")
    message(FATAL_ERROR "${ROOT}: no include found under include/mldefender and tools")
endif()
string(REGEX REPLACE "\n$" "" found "${found}")
string(REPLACE ";" "\\;" found "${found}")
string(REPLACE "\n" ";" found "${found}")

# core_level(<out> <path below core/>): empty when the table has no place for it. core/detail/x.hpp belongs to the
# level of x; a helper shared by several is listed like any header.
function(core_level out path)
    string(REGEX REPLACE "^detail/" "" path "${path}")
    set(${out} "" PARENT_SCOPE)
    foreach(row IN LISTS core_levels)
        string(REGEX MATCH "^([0-9]) \\| (.*)$" matched "${row}")
        set(level "${CMAKE_MATCH_1}")
        if(path MATCHES "^(${CMAKE_MATCH_2})$")
            set(${out} "${level}" PARENT_SCOPE)
            return()
        endif()
    endforeach()
endfunction()

# folder_row(<out_components> <out_third_party> <folder>): what the table says of a folder; NOTFOUND when nothing.
function(folder_row out_components out_third_party folder)
    set(${out_components} NOTFOUND PARENT_SCOPE)
    foreach(row IN LISTS folder_table)
        string(REGEX MATCH "^([^ ]+) *\\| *([^|]*) *\\| *(.*)$" matched "${row}")
        if(CMAKE_MATCH_1 STREQUAL folder)
            set(components "${CMAKE_MATCH_2}")
            set(third_party "${CMAKE_MATCH_3}")
            separate_arguments(components)
            separate_arguments(third_party)
            set(${out_components} "${components}" PARENT_SCOPE)
            set(${out_third_party} "${third_party}" PARENT_SCOPE)
            return()
        endif()
    endforeach()
endfunction()

function(is_allowed out header)
    set(${out} OFF PARENT_SCOPE)
    foreach(entry IN LISTS ARGN)
        string(FIND "${header}" "${entry}" at)
        if(header STREQUAL entry OR (entry MATCHES "/$" AND at EQUAL 0))
            set(${out} ON PARENT_SCOPE)
        endif()
    endforeach()
endfunction()

foreach(line IN LISTS found)
    string(REGEX MATCH "^([^:]+:[0-9]+):[ \t]*#[ \t]*include[ \t]*(.*)$" matched "${line}")
    set(place "${CMAKE_MATCH_1}")
    set(target "${CMAKE_MATCH_2}")
    string(REGEX REPLACE "^include/mldefender/" "include/" folder "${place}")
    string(REGEX REPLACE "^([^/]+/[^/:]+).*$" "\\1" folder "${folder}")
    string(REGEX REPLACE "^include/mldefender/core/([^:]+):.*$" "\\1" core_path "${place}")

    folder_row(may_include may_use "${folder}")
    if(may_include STREQUAL "NOTFOUND")
        refuse("${place}" "'${folder}' has no row in cmake/check-layers.cmake")
        continue()
    endif()

    if(target MATCHES "^\"")
        if(folder MATCHES "^include/")
            refuse("${place}" "public headers include ${target} as <mldefender/...>, which works wherever they are installed")
        endif()
        continue()
    endif()
    if(NOT target MATCHES "^<(.*)>$")
        refuse("${place}" "an include is spelled out, not made by a macro: ${target}")
        continue()
    endif()
    set(header "${CMAKE_MATCH_1}")

    if(header MATCHES "^mldefender/([^/]+)/(.*)$")
        set(component "${CMAKE_MATCH_1}")
        set(path "${CMAKE_MATCH_2}")
        if(NOT component IN_LIST may_include)
            string(REPLACE ";" " " listed "${may_include}")
            refuse("${place}" "${folder} may not include ${component} (<${header}>), only: ${listed}")
        elseif(folder STREQUAL "include/core")
            core_level(own "${core_path}")
            core_level(other "${path}")
            if(own STREQUAL "" OR other STREQUAL "")
                refuse("${place}" "give core/${core_path} and core/${path} a level in cmake/check-layers.cmake")
            elseif(other GREATER own)
                refuse("${place}" "core level ${own} may not include level ${other} (<${header}>)")
            endif()
        endif()
    elseif(header MATCHES "^[a-z_0-9]+$")
        if(folder STREQUAL "include/core" AND header IN_LIST core_refuses)
            refuse("${place}" "core does without <${header}>")
        endif()
    elseif(folder STREQUAL "include/core")
        refuse("${place}" "core includes the C++ standard library and nothing else (<${header}>)")
    elseif(NOT header MATCHES "${system_headers}")
        is_allowed(allowed "${header}" ${may_use})
        if(NOT allowed)
            refuse("${place}" "${folder} may not use <${header}>")
        endif()
    endif()
endforeach()

if(problem_count GREATER 0)
    message(FATAL_ERROR "${problem_count} includes that the layers forbid, see above")
endif()
list(LENGTH found count)
message(STATUS "${count} includes respect the layers")
