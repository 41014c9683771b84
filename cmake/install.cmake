# SPDX-License-Identifier: MIT
# Our libraries for programs outside this tree: by find_package(nfl) and by pkg-config.
include(CMakePackageConfigHelpers)

# From the folder of the .pc files back to the prefix, so that an installed tree can be moved.
file(RELATIVE_PATH NFL_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" NFL_PC_PREFIX ${NFL_PC_PREFIX})

# nfl_install_library(TARGET DESCRIPTION ... [REQUIRES ...]): the library, its FILE_SET HEADERS, its
# place in nflTargets.cmake, and OUTPUT_NAME's .pc file. REQUIRES are .pc names that its headers need.
function(nfl_install_library target)
  cmake_parse_arguments(PC "" DESCRIPTION REQUIRES ${ARGN})
  get_target_property(PC_NAME ${target} OUTPUT_NAME)
  list(JOIN PC_REQUIRES ", " PC_REQUIRES)
  set(pc ${CMAKE_CURRENT_BINARY_DIR}/lib${PC_NAME}.pc)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/library.pc.in ${pc} @ONLY)
  install(FILES ${pc} DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  install(TARGETS ${target} EXPORT nfl
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endfunction()

set(nfl_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/nfl)
configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/nflConfig.cmake.in ${PROJECT_BINARY_DIR}/nflConfig.cmake
  INSTALL_DESTINATION ${nfl_cmake_dir} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may break what the one before promised.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/nflConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(
  FILES ${PROJECT_BINARY_DIR}/nflConfig.cmake ${PROJECT_BINARY_DIR}/nflConfigVersion.cmake
  DESTINATION ${nfl_cmake_dir})
install(EXPORT nfl NAMESPACE nfl:: FILE nflTargets.cmake DESTINATION ${nfl_cmake_dir})
