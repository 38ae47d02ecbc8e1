# SPDX-License-Identifier: MIT
# Finds the dependencies of one component; used by this project's own build and, installed, by the package file.
# Says in one sentence which dependency is missing and which Debian package brings it; never stops by itself, the
# caller decides. Dependencies with a CMake package use it, the others come from pkg-config as imported targets.

# The imported target a pkg-config module is reached by.
function(mldefender_pkgconfig_target out_target module)
    string(MAKE_C_IDENTIFIER "${module}" identifier)
    set(${out_target} "PkgConfig::mldefender_${identifier}" PARENT_SCOPE)
endfunction()

# mldefender_find_dependencies(<out_missing> <component> PACKAGES <name:target:debian>... PKGCONFIG <name:debian>...)
# Empty <out_missing> means that everything is there. A macro, because find_package defines imported targets and
# variables for the caller's scope. GLOBAL_TARGETS makes the targets visible to a parent project.
macro(mldefender_find_dependencies out_missing component)
    cmake_parse_arguments(_mld "GLOBAL_TARGETS" "" "PACKAGES;PKGCONFIG" ${ARGN})
    set(${out_missing} "")
    set(_mld_global "")
    if(_mld_GLOBAL_TARGETS)
        set(_mld_global GLOBAL)
    endif()
    foreach(_mld_need IN LISTS _mld_PACKAGES)
        # <name>:<target with ::>:<debian package>
        string(REGEX MATCH "^([^:]+):(.+):([^:]+)$" _mld_match "${_mld_need}")
        set(_mld_name "${CMAKE_MATCH_1}")
        set(_mld_target "${CMAKE_MATCH_2}")
        set(_mld_debian "${CMAKE_MATCH_3}")
        if(NOT TARGET ${_mld_target})
            find_package(${_mld_name} QUIET ${_mld_global})
        endif()
        if(NOT TARGET ${_mld_target})
            _mldefender_missing(${out_missing} ${component} "${_mld_name}" "${_mld_debian}")
        endif()
    endforeach()
    foreach(_mld_need IN LISTS _mld_PKGCONFIG)
        string(REGEX MATCH "^([^:]+):([^:]+)$" _mld_match "${_mld_need}")
        set(_mld_name "${CMAKE_MATCH_1}")
        set(_mld_debian "${CMAKE_MATCH_2}")
        mldefender_pkgconfig_target(_mld_target "${_mld_name}")
        if(NOT TARGET ${_mld_target})
            find_package(PkgConfig QUIET)
            if(NOT PKG_CONFIG_FOUND)
                _mldefender_missing(${out_missing} ${component} "pkg-config" "pkg-config")
                break()
            endif()
            string(REPLACE "PkgConfig::" "" _mld_prefix "${_mld_target}")
            pkg_check_modules(${_mld_prefix} QUIET IMPORTED_TARGET GLOBAL ${_mld_name})
        endif()
        if(NOT TARGET ${_mld_target})
            _mldefender_missing(${out_missing} ${component} "${_mld_name}" "${_mld_debian}")
        endif()
    endforeach()
endmacro()

macro(_mldefender_missing out_missing component what debian)
    string(
        APPEND ${out_missing}
        "mldefender: component '${component}' needs ${what}, which was not found; on Debian and Ubuntu: "
        "apt-get install ${debian}\n")
endmacro()
