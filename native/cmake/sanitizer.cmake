# AddressSanitizer, and the assertions of the C++ library, for all code that is compiled.

if(NOT MOE_ASAN)
  return()
endif()
if(MSVC)
  message(FATAL_ERROR "MOE_ASAN requires GCC or Clang.\n")
endif()

add_compile_options(-fsanitize=address -fno-omit-frame-pointer -O1 -g1)
add_compile_definitions(_GLIBCXX_ASSERTIONS)
add_link_options(-fsanitize=address)
