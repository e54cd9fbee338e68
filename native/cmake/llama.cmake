# llama.cpp and ggml, configured by their own options.

set(BUILD_SHARED_LIBS ON)
set(GGML_BACKEND_DL ON) # backends are found at run time, so that a missing driver is a missing device and no more
set(GGML_CUDA ${MOE_CUDA})
set(GGML_VULKAN ${MOE_VULKAN})
set(GGML_RPC ${MOE_RPC})
set(GGML_CPU_ALL_VARIANTS OFF)
if(MOE_CPU_ALL_VARIANTS OR MOE_CPU_TWO_VARIANTS)
  set(GGML_CPU_ALL_VARIANTS ON)
endif()

moe_native_cpu_features(${CMAKE_CXX_COMPILER} cpu_features)
if(cpu_features OR GGML_CPU_ALL_VARIANTS OR MSVC OR CMAKE_CROSSCOMPILING)
  set(GGML_NATIVE OFF)
else()
  moe_default(GGML_NATIVE ON)
endif()
if(NOT GGML_CPU_ALL_VARIANTS)
  foreach(feature IN LISTS cpu_features)
    string(REPLACE "=" ";" feature ${feature})
    moe_default(${feature})
  endforeach()
endif()

moe_default(GGML_OPENMP OFF)   # a bare machine has no libgomp; the thread pools of ggml itself need nothing
moe_default(GGML_RPC_RDMA OFF) # nor has it libibverbs

set(LLAMA_BUILD_IS_DEV OFF) # llama_version() is the release's, without "-dev"
set(LLAMA_ALL_WARNINGS OFF)
set(LLAMA_OPENSSL OFF)
set(LLAMA_USE_PREBUILT_UI OFF) # it would be downloaded
set(LLAMA_BUILD_COMMON ON) # chat templates and JSON schemas, for the shim
set(LLAMA_BUILD_TOOLS ${MOE_PEERS})
set(LLAMA_BUILD_MTMD ON)  # images
set(MTMD_VIDEO OFF CACHE BOOL "It would start other programs" FORCE)
set(LLAMA_BUILD_SERVER OFF)
if(MOE_PEERS AND "llama-server" IN_LIST MOE_PEER_TOOLS)
  set(LLAMA_BUILD_SERVER ON)
endif()

if(WIN32)
  # Names without "lib", whichever compiler is used.
  set(CMAKE_SHARED_LIBRARY_PREFIX "")
  set(CMAKE_SHARED_MODULE_PREFIX "")
endif()

# Only the parts that are listed below are built and installed.
add_subdirectory(${LLAMA_CPP_SOURCE_DIR} ${CMAKE_BINARY_DIR}/llama.cpp EXCLUDE_FROM_ALL)
if(MOE_RPC AND NOT MOE_PEERS)
  add_subdirectory(${LLAMA_CPP_SOURCE_DIR}/tools/rpc ${CMAKE_BINARY_DIR}/rpc EXCLUDE_FROM_ALL)
endif()

# Lists the targets of one type in a directory and its subdirectories.
function(moe_targets type directory result)
  get_property(targets DIRECTORY ${directory} PROPERTY BUILDSYSTEM_TARGETS)
  set(found)
  foreach(target IN LISTS targets)
    get_target_property(target_type ${target} TYPE)
    if(target_type STREQUAL type)
      list(APPEND found ${target})
    endif()
  endforeach()
  get_property(children DIRECTORY ${directory} PROPERTY SUBDIRECTORIES)
  foreach(child IN LISTS children)
    moe_targets(${type} ${child} below)
    list(APPEND found ${below})
  endforeach()
  set(${result} ${found} PARENT_SCOPE)
endfunction()

set(moe_libraries ggml-base ggml llama)
moe_targets(MODULE_LIBRARY ${LLAMA_CPP_SOURCE_DIR}/ggml moe_backends)

# Leaves variants of the CPU backend out. ggml's own target depends on all of them, so they are built from an empty source file.
function(moe_leave_out backends variants)
  file(WRITE ${CMAKE_BINARY_DIR}/nothing.c "")
  foreach(variant IN LISTS variants)
    set_target_properties(${variant} PROPERTIES SOURCES ${CMAKE_BINARY_DIR}/nothing.c LINK_LIBRARIES "" LINKER_LANGUAGE C)
  endforeach()
  if(variants)
    list(REMOVE_ITEM ${backends} ${variants})
  endif()
  set(${backends} ${${backends}} PARENT_SCOPE)
endfunction()

# Lists the features that a variant of the CPU backend needs.
function(moe_variant_needs variant result)
  get_target_property(needs ${variant}-feats COMPILE_DEFINITIONS)
  list(FILTER needs EXCLUDE REGEX "^GGML_BACKEND_")
  set(${result} ${needs} PARENT_SCOPE)
endfunction()

# llama.cpp's AMX kernels read beyond the weights, and compute something else, if the sequences of a batch are separate matrices, as in models with recurrent
# layers. Besides, GCC 12 removes the configuration of the tiles, so that they end the process. A processor with AMX uses AVX-512 instead.
set(moe_amx_variants ${moe_backends})
list(FILTER moe_amx_variants INCLUDE REGEX "^ggml-cpu-")
foreach(variant IN LISTS moe_amx_variants)
  moe_variant_needs(${variant} needs)
  if(NOT "${needs}" MATCHES "AMX")
    list(REMOVE_ITEM moe_amx_variants ${variant})
  endif()
endforeach()
moe_leave_out(moe_backends "${moe_amx_variants}")

# Keeps two variants of the CPU backend: the first one, which every CPU can run, and the one that uses the most features of this machine. If the
# compiler does not report the features, all variants are kept.
function(moe_two_variants backends cpu_features)
  set(variants ${${backends}})
  list(FILTER variants INCLUDE REGEX "^ggml-cpu-")
  if(NOT variants OR NOT cpu_features)
    return()
  endif()
  list(GET variants 0 first)
  set(best ${first})
  set(most 0)
  foreach(variant IN LISTS variants)
    moe_variant_needs(${variant} needs)
    list(LENGTH needs count)
    list(TRANSFORM needs APPEND "=ON")
    list(REMOVE_ITEM needs ${cpu_features})
    if(NOT needs AND count GREATER most)
      set(best ${variant})
      set(most ${count})
    endif()
  endforeach()
  list(REMOVE_ITEM variants ${first} ${best})
  moe_leave_out(${backends} "${variants}")
  set(${backends} ${${backends}} PARENT_SCOPE)
endfunction()

if(MOE_CPU_TWO_VARIANTS AND NOT MOE_CPU_ALL_VARIANTS)
  moe_two_variants(moe_backends "${cpu_features}")
endif()

set(moe_tools)
set(moe_tool_libraries)
if(MOE_RPC)
  list(APPEND moe_tools ggml-rpc-server)
endif()
if(MOE_PEERS)
  foreach(tool IN LISTS MOE_PEER_TOOLS)
    list(APPEND moe_tools ${tool})
    list(APPEND moe_tool_libraries ${tool}-impl)
  endforeach()
  list(APPEND moe_tool_libraries llama-common)
endif()
