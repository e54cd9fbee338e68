// Error handling of the shim's functions: every error becomes a status and a text.
#ifndef MOE_GUARD_H
#define MOE_GUARD_H

#include "moe_shim.h"

#include <cstdio>
#include <exception>
#include <new>

// An abort() that a guarded call turned into an exception. It is derived from std::exception, so that llama.cpp's own handlers for loading and
// context creation clean up as for any other error.
class abort_error : public std::exception {
public:
    explicit abort_error(const char * message) {
        std::snprintf(text, sizeof(text), "%s", message);
    }

    const char * what() const noexcept override {
        return text;
    }

private:
    char text[1024];
};

// This is the only state of the shim. ggml's abort callback receives neither the caller nor a context, so they are stored per thread.
inline thread_local int  guard_depth = 0;
inline thread_local bool abort_seen  = false;

inline void write_error(char * error, size_t error_size, const char * text) {
    if (error != nullptr && error_size > 0) {
        std::snprintf(error, error_size, "%s", text);
    }
}

inline moe_status invalid(char * error, size_t error_size, const char * text) {
    write_error(error, error_size, text);
    return MOE_STATUS_INVALID_ARGUMENT;
}

inline moe_status failed(char * error, size_t error_size, const char * text) {
    write_error(error, error_size, text);
    return MOE_STATUS_FAILED;
}

// The boundary between C++ and C: runs `body` and turns any exception into a status.
template <typename Body>
moe_status guarded(char * error, size_t error_size, Body && body) noexcept {
    struct scope {
        scope() {
            if (guard_depth++ == 0) {
                abort_seen = false;
            }
        }

        ~scope() {
            guard_depth--;
        }
    };

    try {
        const scope      guard;
        const moe_status status = body();
        return abort_seen ? MOE_STATUS_ABORTED : status;
    } catch (const std::bad_alloc &) {
        write_error(error, error_size, "out of memory");
        return abort_seen ? MOE_STATUS_ABORTED : MOE_STATUS_OUT_OF_MEMORY;
    } catch (const std::exception & e) {
        write_error(error, error_size, e.what());
        return abort_seen ? MOE_STATUS_ABORTED : MOE_STATUS_FAILED;
    } catch (...) {
        write_error(error, error_size, "unknown C++ exception");
        return abort_seen ? MOE_STATUS_ABORTED : MOE_STATUS_FAILED;
    }
}

#endif
