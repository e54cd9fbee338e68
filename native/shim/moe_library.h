// Loads libraries at run time, on each system with its own functions.
#ifndef MOE_LIBRARY_H
#define MOE_LIBRARY_H

#include <string>

#ifdef _WIN32
#    ifndef NOMINMAX
#        define NOMINMAX
#    endif
#    ifndef WIN32_LEAN_AND_MEAN
#        define WIN32_LEAN_AND_MEAN
#    endif
#    include <filesystem>
#    include <windows.h>

using library_handle = HMODULE;

// Windows binds a library to others by their file names, and ours are unique. The libraries that a backend needs are also searched beside it.
inline library_handle open_library(const char * path, std::string & error) {
    const std::wstring wide = std::filesystem::u8path(path).wstring();
    DWORD              mode = 0;
    SetThreadErrorMode(SEM_FAILCRITICALERRORS, &mode); // no message box for a library that is missing
    const HMODULE library = LoadLibraryExW(wide.c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH);
    const DWORD   code    = GetLastError();
    SetThreadErrorMode(mode, nullptr);
    if (library == nullptr) {
        const char * reason = "it cannot be loaded";
        switch (code) {
            case ERROR_MOD_NOT_FOUND:  reason = "it is missing, or a library that it needs"; break;
            case ERROR_PROC_NOT_FOUND: reason = "a function that it needs is missing"; break;
            case ERROR_BAD_EXE_FORMAT: reason = "it is damaged, or built for another processor"; break;
            case ERROR_DLL_INIT_FAILED: reason = "it cannot be initialized"; break;
        }
        error = std::string(path) + ": " + reason + " (Windows error " + std::to_string(code) + ")";
    }
    return library;
}

// The name by which ggml gets a library that is open already. It would not read a path as UTF-8, but a file name is enough for Windows.
inline const char * name_of_open_library(const char * path) {
    const char * name = path;
    for (const char * at = path; *at != '\0'; at++) {
        if (*at == '/' || *at == '\\') {
            name = at + 1;
        }
    }
    return name;
}

inline void * find_symbol(library_handle library, const char * name) {
    return (void *) GetProcAddress(library, name);
}

inline void close_library(library_handle library) {
    FreeLibrary(library);
}

#else
#    include <dlfcn.h>

using library_handle = void *;

// RTLD_DEEPBIND makes our backends find our own symbols first, even if another ggml was loaded globally.
inline library_handle open_library(const char * path, std::string & error) {
#    ifdef RTLD_DEEPBIND
    void * library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
#    else
    void * library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
#    endif
    if (library == nullptr) {
        error = dlerror();
    }
    return library;
}

inline const char * name_of_open_library(const char * path) {
    return path;
}

inline void * find_symbol(library_handle library, const char * name) {
    return dlsym(library, name);
}

inline void close_library(library_handle library) {
    dlclose(library);
}

#endif

#endif
