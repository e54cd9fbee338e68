# Describes this machine, and what builds for others need.

# The runtime identifier of .NET: linux-x64, linux-musl-x64, linux-arm64, win-x64, osx-arm64, ...
function(moe_rid result)
  cmake_host_system_information(RESULT processor QUERY OS_PLATFORM)
  if(processor MATCHES "^(x86_64|AMD64|amd64)$")
    set(processor x64)
  elseif(processor MATCHES "^(aarch64|ARM64|arm64)$")
    set(processor arm64)
  endif()
  if(CMAKE_HOST_WIN32)
    set(system win)
  elseif(CMAKE_HOST_APPLE)
    set(system osx)
  elseif(EXISTS /etc/alpine-release)
    set(system linux-musl)
  else()
    set(system linux)
  endif()
  set(${result} ${system}-${processor} PARENT_SCOPE)
endfunction()

# Finds the compiler for another platform, which a file in toolchains/ describes.
function(moe_require_cross_compiler variable rid)
  if(rid STREQUAL "win-x64")
    moe_require(${variable} "A C++ compiler for Windows (MinGW-w64 with POSIX threads)"
      APT g++-mingw-w64-x86-64-posix DNF "mingw64-gcc-c++ mingw64-winpthreads-static" BREW mingw-w64
      NAMES x86_64-w64-mingw32-g++-posix x86_64-w64-mingw32-g++)
  elseif(rid STREQUAL "linux-arm64")
    moe_require(${variable} "A C++ compiler for Linux on arm64" APT g++-aarch64-linux-gnu NAMES aarch64-linux-gnu-g++)
  else()
    moe_rid(host)
    message(FATAL_ERROR "This machine (${host}) cannot build for '${rid}', only for ${host}, win-x64 and linux-arm64.\n")
  endif()
endfunction()

set(moe_cpu_macros # ggml's option = the compiler's macro
  SSE42=SSE4_2 AVX=AVX AVX2=AVX2 BMI2=BMI2 FMA=FMA F16C=F16C AVX_VNNI=AVXVNNI
  AVX512=AVX512VL AVX512_VBMI=AVX512VBMI AVX512_VNNI=AVX512VNNI AVX512_BF16=AVX512BF16)

# ggml does not support GGML_NATIVE for an x86 backend that is loaded at run time, because such a backend checks the features that it was built
# for when it is loaded. So the features are listed one by one as GGML_<feature>=ON or OFF, according to the compiler's view of this machine's
# CPU. The list is empty if the compiler does not support -march=native for x86.
function(moe_native_cpu_features compiler result)
  execute_process(
    COMMAND ${compiler} -march=native -dM -E -x c++ ${CMAKE_CURRENT_FUNCTION_LIST_FILE}
    OUTPUT_VARIABLE macros ERROR_QUIET)
  set(features)
  if(macros MATCHES "#define __x86_64__ ")
    foreach(feature IN LISTS moe_cpu_macros)
      string(REPLACE "=" ";" feature ${feature})
      list(GET feature 0 option)
      list(GET feature 1 macro)
      if(macros MATCHES "#define __${macro}__ ")
        list(APPEND features GGML_${option}=ON)
      else()
        list(APPEND features GGML_${option}=OFF)
      endif()
    endforeach()
  endif()
  set(${result} ${features} PARENT_SCOPE)
endfunction()

# Sets MOE_NVCC to the CUDA compiler.
macro(moe_find_nvcc)
  find_program(MOE_NVCC NAMES ${CMAKE_CUDA_COMPILER} nvcc
    HINTS ENV CUDA_PATH ENV CUDA_HOME PATHS /usr/local/cuda /opt/cuda PATH_SUFFIXES bin)
  moe_require(MOE_NVCC "NVIDIA's CUDA toolkit (nvcc)" APT "nvidia-cuda-toolkit    # on Debian from its non-free section"
    DNF cuda-toolkit WINGET Nvidia.CUDA NAMES nvcc)
endmacro()
