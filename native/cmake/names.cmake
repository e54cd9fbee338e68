# File names and SONAMEs of our own, so that another llama.cpp can live in the same process.

# Libraries are found relative to where they lie, so that the whole can be copied anywhere.
function(moe_run_path target)
  set(origin $<IF:$<PLATFORM_ID:Darwin>,@loader_path,$ORIGIN>)
  set(paths ${origin})
  foreach(relative IN LISTS ARGN)
    list(APPEND paths ${origin}/${relative})
  endforeach()
  set_target_properties(${target} PROPERTIES BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "${paths}")
endfunction()

# NuGet packages hold no links, so the SONAME is the file name, without a version.
function(moe_unversioned target)
  foreach(property VERSION SOVERSION PUBLIC_HEADER PRIVATE_HEADER)
    set_property(TARGET ${target} PROPERTY ${property})
  endforeach()
endfunction()

# A library's calls to its own functions stay in it, whatever else the process has loaded: -Bsymbolic for common
# symbols, -fno-gnu-unique for C++'s inline ones, of which there would be one per process.
function(moe_own_symbols target)
  target_link_options(${target} PRIVATE $<$<PLATFORM_ID:Linux>:LINKER:-Bsymbolic>)
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>
    $<$<AND:$<COMPILE_LANGUAGE:CUDA>,$<CXX_COMPILER_ID:GNU>>:-Xcompiler=-fno-gnu-unique>)
endfunction()

# The shim's abort callback throws, and the exception passes ggml's C functions.
function(moe_unwindable target)
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANG_AND_ID:C,GNU,Clang,AppleClang>:-fexceptions>)
endfunction()

foreach(target IN LISTS moe_libraries moe_backends)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME moe-${target})
  moe_unversioned(${target})
  moe_own_symbols(${target})
  moe_unwindable(${target})
  moe_run_path(${target})
endforeach()

# The shim reads a model through the C++ class, which only Linux and macOS export by themselves.
set_target_properties(llama PROPERTIES WINDOWS_EXPORT_ALL_SYMBOLS ON)

foreach(target IN LISTS moe_tools moe_tool_libraries)
  moe_unversioned(${target})
  moe_run_path(${target} ..)
endforeach()
