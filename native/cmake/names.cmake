# Sets unique file names and SONAMEs, so that another llama.cpp can be loaded in the same process.

# Libraries are found relative to their own location, so that the directory can be copied anywhere.
function(moe_run_path target)
  set(origin $<IF:$<PLATFORM_ID:Darwin>,@loader_path,$ORIGIN>)
  set(paths ${origin})
  foreach(relative IN LISTS ARGN)
    list(APPEND paths ${origin}/${relative})
  endforeach()
  set_target_properties(${target} PROPERTIES BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "${paths}")
endfunction()

# NuGet packages cannot contain links, so the SONAME is the file name without a version.
function(moe_unversioned target)
  foreach(property VERSION SOVERSION PUBLIC_HEADER PRIVATE_HEADER)
    set_property(TARGET ${target} PROPERTY ${property})
  endforeach()
endfunction()

# Calls of a library to its own functions stay in the library, regardless of what else the process has loaded: -Bsymbolic for ordinary
# symbols, and -fno-gnu-unique for inline C++ symbols, which would otherwise be unique in the process.
function(moe_own_symbols target)
  target_link_options(${target} PRIVATE $<$<PLATFORM_ID:Linux>:LINKER:-Bsymbolic>)
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>
    $<$<AND:$<COMPILE_LANGUAGE:CUDA>,$<CXX_COMPILER_ID:GNU>>:-Xcompiler=-fno-gnu-unique>)
endfunction()

# The shim's abort callback throws an exception, which propagates through ggml's C functions.
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

# The shim reads a model through its C++ class, which is exported automatically only on Linux and macOS.
set_target_properties(llama PROPERTIES WINDOWS_EXPORT_ALL_SYMBOLS ON)

foreach(target IN LISTS moe_tools moe_tool_libraries)
  moe_unversioned(${target})
  moe_run_path(${target} ..)
endforeach()
