# SPDX-License-Identifier: MIT
# mldefender_component() declares a component: one folder of headers, one interface target mldefender_<name> with the
# alias mldefender::<name>, one export file. mldefender_finish_components() writes the package files. Called only by
# the top CMakeLists.txt; refuses an unknown word in MLDEFENDER_COMPONENTS and a missing dependency of a wanted one.
include(CMakePackageConfigHelpers)
include("${CMAKE_CURRENT_LIST_DIR}/mldefender-find.cmake")

set(mldefender_install_cmakedir "${CMAKE_INSTALL_DATADIR}/cmake/mldefender")

# mldefender_component(<name> REQUIRES <component>... PACKAGES <name:target:debian>... PKGCONFIG <name:debian>...)
# The target exists, and is installed, whether or not its dependencies are here: the installed tree is the same
# everywhere. Headers are globbed; header-set verification compiles each alone.
macro(mldefender_component name)
    cmake_parse_arguments(component "" "" "REQUIRES;PACKAGES;PKGCONFIG" ${ARGN})
    file(GLOB_RECURSE component_headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/mldefender/${name}/*.hpp"
         "${PROJECT_SOURCE_DIR}/include/mldefender/${name}/*.h")
    if(component_headers)
        list(APPEND mldefender_all_components ${name})
        set(mldefender_${name}_headers ${component_headers})
        mldefender_wanted(component_wanted ${name})
        if(component_wanted)
            list(APPEND mldefender_built_components ${name})
            mldefender_find_dependencies(
                component_missing ${name} GLOBAL_TARGETS PACKAGES ${component_PACKAGES} PKGCONFIG
                ${component_PKGCONFIG})
            string(APPEND mldefender_missing "${component_missing}")
        endif()
        mldefender_declare_target(${name} ${component_wanted})
        string(APPEND mldefender_dependency_table "set(_mldefender_${name}_requires ${component_REQUIRES})\n"
               "set(_mldefender_${name}_packages ${component_PACKAGES})\n"
               "set(_mldefender_${name}_pkgconfig ${component_PKGCONFIG})\n")
    endif()
endmacro()

# Whether this build itself uses the component.
function(mldefender_wanted out_wanted name)
    set(wanted OFF)
    if("all" IN_LIST MLDEFENDER_COMPONENTS OR name IN_LIST MLDEFENDER_COMPONENTS OR name STREQUAL "core")
        set(wanted ON)
    endif()
    set(${out_wanted} ${wanted} PARENT_SCOPE)
endfunction()

# Reads the component_* variables of its only caller, mldefender_component.
function(mldefender_declare_target name verify)
    set(target mldefender_${name})
    add_library(${target} INTERFACE)
    add_library(mldefender::${name} ALIAS ${target})
    target_sources(
        ${target} INTERFACE FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${component_headers})
    target_compile_features(${target} INTERFACE cxx_std_20)
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
    if(NOT verify)
        set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS OFF)
    endif()

    foreach(required IN LISTS component_REQUIRES)
        target_link_libraries(${target} INTERFACE mldefender::${required})
    endforeach()
    foreach(need IN LISTS component_PACKAGES)
        string(REGEX REPLACE "^[^:]+:(.+):[^:]+$" "\\1" package_target "${need}")
        target_link_libraries(${target} INTERFACE ${package_target})
    endforeach()
    foreach(need IN LISTS component_PKGCONFIG)
        string(REGEX REPLACE ":.*$" "" module "${need}")
        mldefender_pkgconfig_target(module_target "${module}")
        target_link_libraries(${target} INTERFACE ${module_target})
    endforeach()

    if(MLDEFENDER_INSTALL)
        install(
            TARGETS ${target}
            EXPORT mldefender-${name}
            FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
        install(
            EXPORT mldefender-${name}
            FILE mldefender-${name}-targets.cmake
            NAMESPACE mldefender::
            DESTINATION "${mldefender_install_cmakedir}")
    endif()
endfunction()

# Stops on what is missing or unknown, then writes and installs the package files.
function(mldefender_finish_components)
    foreach(word IN LISTS MLDEFENDER_COMPONENTS)
        if(NOT word STREQUAL "all" AND NOT word IN_LIST mldefender_all_components)
            message(FATAL_ERROR "MLDEFENDER_COMPONENTS: there is no component '${word}'; known: "
                                "${mldefender_all_components}, or all")
        endif()
    endforeach()
    if(mldefender_missing)
        message(FATAL_ERROR "${mldefender_missing}scripts/bootstrap installs everything; "
                            "-DMLDEFENDER_COMPONENTS=core needs nothing.")
    endif()
    if(NOT MLDEFENDER_INSTALL)
        return()
    endif()
    configure_package_config_file(
        cmake/mldefender-config.cmake.in "${PROJECT_BINARY_DIR}/mldefender-config.cmake"
        INSTALL_DESTINATION "${mldefender_install_cmakedir}" NO_SET_AND_CHECK_MACRO)
    write_basic_package_version_file(
        "${PROJECT_BINARY_DIR}/mldefender-config-version.cmake" COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
    install(
        FILES "${PROJECT_BINARY_DIR}/mldefender-config.cmake" "${PROJECT_BINARY_DIR}/mldefender-config-version.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/mldefender-find.cmake"
        DESTINATION "${mldefender_install_cmakedir}")
endfunction()
