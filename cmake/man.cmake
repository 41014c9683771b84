# SPDX-License-Identifier: MIT
# nfl_man(NAME.SECTION.scd): build and install a manual page, where scdoc is there to make it.
find_program(NFL_SCDOC scdoc)
find_program(NFL_AWK awk REQUIRED)
set(NFL_MAN_FILTER ${CMAKE_CURRENT_LIST_DIR}/man.awk)
if(NOT NFL_SCDOC)
  message(STATUS "scdoc not found: no manual pages")
endif()

function(nfl_man source)
  if(NOT NFL_SCDOC)
    return()
  endif()
  get_filename_component(page ${source} NAME_WLE)
  string(REGEX MATCH "[0-9]$" section ${page})
  set(out ${PROJECT_BINARY_DIR}/man/man${section})
  file(MAKE_DIRECTORY ${out})
  add_custom_command(
    OUTPUT ${out}/${page}
    COMMAND ${NFL_SCDOC} < ${CMAKE_CURRENT_SOURCE_DIR}/${source} > ${out}/${page}.raw
    COMMAND ${NFL_AWK} -f ${NFL_MAN_FILTER} ${out}/${page}.raw > ${out}/${page}
    COMMAND ${CMAKE_COMMAND} -E rm ${out}/${page}.raw
    DEPENDS ${source} ${NFL_MAN_FILTER}
    VERBATIM)
  add_custom_target(man-${page} ALL DEPENDS ${out}/${page})
  install(FILES ${out}/${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endfunction()
