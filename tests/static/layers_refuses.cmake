# SPDX-License-Identifier: MIT
# Runs the layer check on the tree ROOT, which breaks every rule once, and compares the lines it names with the lines
# marked "// refused". A line too many or too few fails.
execute_process(
    COMMAND "${CMAKE_COMMAND}" "-DROOT=${ROOT}" -P "${CMAKE_CURRENT_LIST_DIR}/../../cmake/check-layers.cmake"
    RESULT_VARIABLE failed
    ERROR_VARIABLE words)
if(NOT failed)
    message(FATAL_ERROR "the check accepts ${ROOT}")
endif()
execute_process(
    COMMAND grep -rnoE "// refused: .*" include tools
    WORKING_DIRECTORY "${ROOT}"
    OUTPUT_VARIABLE marked)
set(place "(include|tools)/[a-z_/.]+:[0-9]+")
string(REGEX MATCHALL "${place}:// refused" expected "${marked}")
list(TRANSFORM expected REPLACE ":// refused" "")
string(REGEX MATCHALL "${place}: " reported "${words}")
list(TRANSFORM reported REPLACE ": $" "")
list(SORT expected)
list(SORT reported)
list(LENGTH expected count)
if(NOT expected STREQUAL reported OR count LESS 10)
    list(JOIN expected "\n  " expected)
    message(FATAL_ERROR "expected these lines to be refused:\n  ${expected}\nbut the check said:\n${words}")
endif()
