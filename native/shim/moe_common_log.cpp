// Replaces the log of llama.cpp's common library, which starts a thread and writes to the standard streams. These messages go to llama.cpp's
// log instead. Everything in log.h is implemented here, so that the original is not linked.
#include "log.h"

#include "json.h"
#include "llama.h"

#include <cstdarg>
#include <cstdio>
#include <vector>

int common_log_get_verbosity_thold(void) {
    return LOG_LEVEL_INFO;
}

void common_log_add(common_log *, ggml_log_level level, const char * format, ...) {
    ggml_log_callback callback  = nullptr;
    void *            user_data = nullptr;
    llama_log_get(&callback, &user_data);
    if (callback == nullptr) {
        return;
    }

    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    const int size = std::vsnprintf(nullptr, 0, format, arguments);
    va_end(arguments);
    if (size >= 0) {
        std::vector<char> text((size_t) size + 1);
        std::vsnprintf(text.data(), text.size(), format, again);
        callback(level, text.data(), user_data);
    }
    va_end(again);
}

int common_log_get_verbosity(ggml_log_level) {
    return LOG_LEVEL_INFO;
}

bool common_log_get_jsonl(void) {
    return false;
}

common_log * common_log_init() {
    return nullptr;
}

common_log * common_log_main() {
    return nullptr;
}

void common_log_set_verbosity_thold(int) {}

void common_log_set_jsonl(bool) {}

void common_log_default_callback(ggml_log_level, const char *, void *) {}

void common_log_pause(common_log *) {}

void common_log_resume(common_log *) {}

void common_log_free(common_log *) {}

void common_log_add_json(common_log *, const char *, const common_json &) {}

void common_log_set_file(common_log *, const char *) {}

void common_log_set_colors(common_log *, log_colors) {}

void common_log_set_prefix(common_log *, bool) {}

void common_log_set_timestamps(common_log *, bool) {}

void common_log_flush(common_log *) {}
