# Windows on x64, compiled on another system with MinGW-w64. Its threads must be POSIX threads, because std::thread needs them.

set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

find_program(CMAKE_C_COMPILER NAMES x86_64-w64-mingw32-gcc-posix x86_64-w64-mingw32-gcc REQUIRED)
find_program(CMAKE_CXX_COMPILER NAMES x86_64-w64-mingw32-g++-posix x86_64-w64-mingw32-g++ REQUIRED)
find_program(CMAKE_RC_COMPILER NAMES x86_64-w64-mingw32-windres REQUIRED)

set(CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32 /usr/x86_64-w64-mingw32/sys-root/mingw)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# The stack of a Windows thread is aligned to 16 bytes only, but GCC accesses vectors of 32 and 64 bytes on it with instructions that require more
# (https://gcc.gnu.org/bugzilla/show_bug.cgi?id=54412). The assembler replaces them by instructions that do not. It needs binutils 2.38 or later.
set(CMAKE_C_FLAGS_INIT -Wa,-muse-unaligned-vector-move)
set(CMAKE_CXX_FLAGS_INIT -Wa,-muse-unaligned-vector-move)

# Each library contains the part of the compiler's runtime that it uses, so that only ours and those of Windows are loaded. The header of a file
# would contain the time of its creation.
foreach(type EXE SHARED MODULE)
  set(CMAKE_${type}_LINKER_FLAGS_INIT "-static -Wl,--exclude-libs,ALL -Wl,--no-insert-timestamp")
endforeach()
