# Creates artifacts/gpu-bundle.tar.xz with everything that a Linux machine with a GPU needs to build, create models and measure, without .NET,
# npm or a network. Usage: cmake -DMOE_DIRECTORY=<published moe> -DCOMMIT=<git commit> -P tests/gpu/bundle.cmake

cmake_minimum_required(VERSION 3.21)

cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH root)
cmake_path(GET root PARENT_PATH root)
include(${root}/native/cmake/source.cmake)

set(size_limit 60000000) # bytes; what a single transfer to such a host can be trusted to carry
set(work ${root}/build/gpu-bundle)
set(bundle ${work}/moe-gpu-bundle)
set(archive ${root}/artifacts/gpu-bundle.tar.xz)
file(REMOVE_RECURSE ${bundle})

# llama.cpp: the backends ggml-cpu, ggml-cuda and ggml-rpc, and the tools. Models, documents, tests and the web page of its server are omitted.
file(GLOB parts LIST_DIRECTORIES YES RELATIVE ${LLAMA_CPP_SOURCE_DIR} ${LLAMA_CPP_SOURCE_DIR}/*)
list(FILTER parts INCLUDE REGEX "^(CMakeLists.txt|LICENSE|cmake|common|ggml|include|licenses|src|tools|vendor)$")
foreach(part IN LISTS parts)
  file(COPY ${LLAMA_CPP_SOURCE_DIR}/${part} DESTINATION ${bundle}/llama.cpp)
endforeach()
file(COPY ${LLAMA_CPP_SOURCE_DIR}/scripts/ui-assets.cmake DESTINATION ${bundle}/llama.cpp/scripts)
file(GLOB backends LIST_DIRECTORIES YES ${bundle}/llama.cpp/ggml/src/ggml-*)
foreach(backend IN LISTS backends)
  if(IS_DIRECTORY ${backend} AND NOT backend MATCHES "/ggml-(cpu|cuda|rpc)$")
    file(REMOVE_RECURSE ${backend})
  endif()
endforeach()
file(GLOB page LIST_DIRECTORIES YES ${bundle}/llama.cpp/tools/ui/*)
list(FILTER page EXCLUDE REGEX "/(CMakeLists.txt|[^/]*[.]in)$")
file(REMOVE_RECURSE ${page})

set(manifest "integrity ${lock_integrity}\n")
file(GLOB_RECURSE files LIST_DIRECTORIES NO RELATIVE ${bundle}/llama.cpp ${bundle}/llama.cpp/*)
foreach(file IN LISTS files)
  file(SHA256 ${bundle}/llama.cpp/${file} hash)
  string(APPEND manifest "${hash}  ${file}\n")
endforeach()
file(WRITE ${bundle}/llama.cpp/${moe_source_manifest} "${manifest}")

foreach(part IN ITEMS CMakeLists.txt LICENSE THIRD-PARTY-NOTICES.txt native samples/TinyMoe/tiny-moe.gguf tests/gpu/run.sh tests/gpu/README.md)
  cmake_path(GET part PARENT_PATH directory)
  file(COPY ${root}/${part} DESTINATION ${bundle}/${directory} PATTERN packages EXCLUDE)
endforeach()
file(COPY ${MOE_DIRECTORY}/ DESTINATION ${bundle}/moe PATTERN runtimes EXCLUDE PATTERN *.pdb EXCLUDE PATTERN *.xml EXCLUDE)
file(WRITE ${bundle}/commit.txt "${COMMIT}\n")

execute_process(COMMAND ${CMAKE_COMMAND} -E tar cJf ${archive} --format=gnutar moe-gpu-bundle WORKING_DIRECTORY ${work} COMMAND_ERROR_IS_FATAL ANY)
file(SIZE ${archive} size)
if(size GREATER size_limit)
  message(FATAL_ERROR "${archive} has ${size} bytes, but at most ${size_limit} are allowed. Check what has grown in ${bundle}.\n")
endif()
message(NOTICE "${archive}: ${size} bytes of at most ${size_limit}")
