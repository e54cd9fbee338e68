# Selects the toolkit, a host compiler and the architectures for ggml's CUDA backend. CMAKE_CUDA_COMPILER, CMAKE_CUDA_HOST_COMPILER and
# CMAKE_CUDA_ARCHITECTURES on the command line take precedence.

if(NOT MOE_CUDA)
  return()
endif()

if(APPLE)
  message(FATAL_ERROR "MOE_CUDA: CUDA does not support macOS. The Metal backend is built automatically.\n")
endif()

moe_find_nvcc()
execute_process(COMMAND ${MOE_NVCC} --version OUTPUT_VARIABLE nvcc_version)
string(REGEX MATCH "release ([0-9]+\\.[0-9]+)" nvcc_version "${nvcc_version}")
set(nvcc_version ${CMAKE_MATCH_1})
if(nvcc_version VERSION_LESS 11.8)
  message(FATAL_ERROR "MOE_CUDA: ${MOE_NVCC} belongs to CUDA ${nvcc_version}, but 11.8 or later is required. "
    "Install a newer version. If another version is found first, set -DCMAKE_CUDA_COMPILER=PATH/nvcc.\n")
endif()
moe_default(CMAKE_CUDA_COMPILER ${MOE_NVCC})

# The newest version of g++ that each toolkit supports.
if(nvcc_version VERSION_LESS 12.0)
  set(newest_gcc 11)
elseif(nvcc_version VERSION_LESS 12.4)
  set(newest_gcc 12)
elseif(nvcc_version VERSION_LESS 12.8)
  set(newest_gcc 13)
elseif(nvcc_version VERSION_LESS 13.0)
  set(newest_gcc 14)
else()
  set(newest_gcc 15)
endif()

math(EXPR first_refused "${newest_gcc} + 1")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND "$ENV{CUDAHOSTCXX}" STREQUAL "" AND NOT CMAKE_CUDA_HOST_COMPILER)
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS first_refused)
    set(CMAKE_CUDA_HOST_COMPILER ${CMAKE_CXX_COMPILER})
  else()
    set(names)
    foreach(version RANGE ${newest_gcc} 9 -1)
      list(APPEND names g++-${version})
    endforeach()
    moe_require(moe_cuda_host "MOE_CUDA: a C++ compiler for CUDA ${nvcc_version}, which accepts g++ up to ${newest_gcc}, not ${CMAKE_CXX_COMPILER_VERSION},"
      APT g++-${newest_gcc} DNF gcc-toolset-${newest_gcc}-gcc-c++ NAMES ${names})
    set(CMAKE_CUDA_HOST_COMPILER ${moe_cuda_host})
  endif()
endif()

# Machine code for common GPUs, and PTX for all others, which the driver compiles at the first start.
set(architectures 75-virtual 80-virtual 86-real 89-real)
if(nvcc_version VERSION_LESS 13.0)
  list(PREPEND architectures 61-virtual 70-virtual)
endif()
if(nvcc_version VERSION_GREATER_EQUAL 12.3) # older ones do not compile ggml's code for 9.0
  list(APPEND architectures 90-virtual)
endif()
if(nvcc_version VERSION_GREATER_EQUAL 12.8)
  list(APPEND architectures 120a-real)
endif()
moe_default(CMAKE_CUDA_ARCHITECTURES ${architectures})

message(NOTICE "CUDA ${nvcc_version} (${CMAKE_CUDA_COMPILER}), host compiler ${CMAKE_CUDA_HOST_COMPILER}, architectures ${CMAKE_CUDA_ARCHITECTURES}")
