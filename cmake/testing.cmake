# SPDX-License-Identifier: MIT
# The functions tests/CMakeLists.txt registers tests with. Every test runs in a scratch folder of the build tree and
# sees MLDEFENDER_SOURCE_DIR (this repository) and MLDEFENDER_BIN_DIR (the built tools) in its environment.

set(mldefender_test_workdir "${PROJECT_BINARY_DIR}/tests/work")
file(MAKE_DIRECTORY "${mldefender_test_workdir}")

function(mldefender_set_up_test name)
    set_tests_properties(
        ${name}
        PROPERTIES WORKING_DIRECTORY "${mldefender_test_workdir}" SKIP_RETURN_CODE 77 ENVIRONMENT
                   "MLDEFENDER_SOURCE_DIR=${PROJECT_SOURCE_DIR};MLDEFENDER_BIN_DIR=${PROJECT_BINARY_DIR}/bin" ${ARGN})
endfunction()

# mldefender_doctest(<folder> <component>...): test_<folder> from <folder>/*_test.cpp, and one ctest entry per file.
# A file without a test case fails: an empty run proves nothing.
function(mldefender_doctest folder)
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*_test.cpp")
    if(NOT sources)
        return()
    endif()
    add_executable(test_${folder} ${sources})
    mldefender_link(test_${folder} ${ARGN})
    target_link_libraries(test_${folder} PRIVATE mldefender_test_main)
    foreach(source IN LISTS sources)
        cmake_path(GET source STEM stem)
        string(REGEX REPLACE "_test$" "" short "${stem}")
        add_test(NAME ${folder}.${short} COMMAND test_${folder} --source-file=*/${folder}/${stem}.cpp)
        mldefender_set_up_test(${folder}.${short} LABELS unit FAIL_REGULAR_EXPRESSION "test cases: +0 [|]"
                               TIMEOUT 600)
        if(stem MATCHES "_slow_test$")
            set_property(TEST ${folder}.${short} APPEND PROPERTY LABELS slow)
        endif()
    endforeach()
endfunction()

# mldefender_script_tests(<label>): one ctest entry per program in the folder <label>.
function(mldefender_script_tests label)
    file(GLOB programs CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${label}/*.sh"
         "${CMAKE_CURRENT_SOURCE_DIR}/${label}/*.py")
    foreach(program IN LISTS programs)
        cmake_path(GET program STEM stem)
        cmake_path(GET program EXTENSION extension)
        if(stem MATCHES "^(lib|_)")
            continue()
        endif()
        set(interpreter bash)
        if(extension STREQUAL ".py")
            set(interpreter python3)
        endif()
        add_test(NAME ${label}.${stem} COMMAND ${interpreter} "${program}")
        mldefender_set_up_test(${label}.${stem} LABELS ${label} TIMEOUT 1200)
        if(stem MATCHES "_slow$")
            set_property(TEST ${label}.${stem} APPEND PROPERTY LABELS slow)
        endif()
        if(label STREQUAL "e2e")
            # They build network namespaces and measure times: one at a time.
            set_tests_properties(${label}.${stem} PROPERTIES RUN_SERIAL ON)
        endif()
    endforeach()
endfunction()
