# SPDX-License-Identifier: MIT
# Reads the version out of core/version.hpp, the one file that states it. Called before project(); refuses a header
# in which one of the three numbers is missing.

function(mldefender_read_version out_version header)
    set(numbers "")
    foreach(part IN ITEMS MAJOR MINOR PATCH)
        file(STRINGS "${header}" line REGEX "^#define MLDEFENDER_VERSION_${part} [0-9]+$")
        if(NOT line MATCHES " ([0-9]+)$")
            message(FATAL_ERROR "${header}: no line '#define MLDEFENDER_VERSION_${part} <number>'")
        endif()
        list(APPEND numbers "${CMAKE_MATCH_1}")
    endforeach()
    list(JOIN numbers "." version)
    set(${out_version} "${version}" PARENT_SCOPE)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${header}")
endfunction()
