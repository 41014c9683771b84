# SPDX-License-Identifier: MIT
# nfl_flags: what every target of ours is compiled with; linked PRIVATE. Generated code does not use it.
add_library(nfl_flags INTERFACE)
target_compile_features(nfl_flags INTERFACE c_std_11)
target_compile_definitions(nfl_flags INTERFACE _GNU_SOURCE)
target_compile_options(nfl_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wformat=2 -Wstrict-prototypes
  -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef
  -Wvla -Wimplicit-fallthrough -Wnull-dereference
  $<$<C_COMPILER_ID:GNU>:-Wlogical-op -Wduplicated-cond -Wformat-signedness>
  $<$<BOOL:${NFL_WERROR}>:-Werror>)

# nfl_sanitize: also for generated code, so that its mistakes are seen too.
add_library(nfl_sanitize INTERFACE)
if(NFL_SANITIZE)
  target_compile_options(nfl_sanitize INTERFACE
    -fsanitize=${NFL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(nfl_sanitize INTERFACE -fsanitize=${NFL_SANITIZE})
endif()
target_link_libraries(nfl_flags INTERFACE nfl_sanitize)

# What ThreadSanitizer does not see in gRPC, for the targets that use it; and time for what it makes slow.
set(NFL_GRPC_ORDER "")
set(NFL_TEST_PATIENCE 1)
if(NFL_SANITIZE MATCHES thread)
  set(NFL_GRPC_ORDER ${PROJECT_SOURCE_DIR}/tests/support/tsan/grpc_order.c)
  set(NFL_TEST_PATIENCE 5)
endif()

# nfl_room(NAME SOURCES... [DEPS ...]): a static library that exports only its own folder.
function(nfl_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(nfl_${name} STATIC ${ROOM_SOURCES})
  add_library(nfl::${name} ALIAS nfl_${name})
  target_include_directories(nfl_${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(nfl_${name} PUBLIC ${ROOM_DEPS} PRIVATE nfl_flags ${ROOM_PRIVATE_DEPS})
endfunction()

# nfl_add(DIR...): add_subdirectory for each that has a CMakeLists.txt.
macro(nfl_add)
  foreach(dir ${ARGN})
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${dir}/CMakeLists.txt)
      add_subdirectory(${dir})
    endif()
  endforeach()
endmacro()
