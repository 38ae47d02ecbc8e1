# SPDX-License-Identifier: MIT
# What only this project's own tools, tests and benchmarks use: the warnings we hold ourselves to. Nothing here
# reaches a consumer: the target is neither exported nor linked by a component.

add_library(mldefender_developer INTERFACE)
target_compile_options(mldefender_developer INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)

# mldefender_link(<target> <component>...): our warnings and the components, for a program of this project.
function(mldefender_link target)
    target_link_libraries(${target} PRIVATE mldefender_developer)
    foreach(component IN LISTS ARGN)
        target_link_libraries(${target} PRIVATE mldefender::${component})
    endforeach()
endfunction()

# mldefender_lacks(<out> <component>...): those of the components that this build was told to do without.
function(mldefender_lacks out_lacking)
    set(lacking ${ARGN})
    list(REMOVE_ITEM lacking ${mldefender_built_components})
    set(${out_lacking} "${lacking}" PARENT_SCOPE)
endfunction()

# mldefender_need(<name> <target> <debian>): a package only developers need; stops with its Debian name.
macro(mldefender_need name target debian)
    find_package(${name} QUIET)
    if(NOT TARGET ${target})
        message(FATAL_ERROR "mldefender: building this part needs ${name}; on Debian and Ubuntu: "
                            "apt-get install ${debian} (or scripts/bootstrap)")
    endif()
endmacro()
