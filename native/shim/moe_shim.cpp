#include "moe_atomic.h"
#include "moe_guard.h"
#include "moe_library.h"
#include "moe_shim.h"

#include "expert_backend.h"

#include "llama-context.h"
#include "llama-ext.h"
#include "llama-model.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cfloat>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <new>
#include <regex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#ifndef _WIN32
#    include <unistd.h>
#endif

namespace {

std::atomic<moe_abort_callback> foreign_abort_callback{nullptr};

void on_abort(const char * message) {
    if (guard_depth > 0) {
        abort_seen = true;
        throw abort_error(message);
    }

    const moe_abort_callback callback = foreign_abort_callback.load();
    if (callback == nullptr) {
        std::fprintf(stderr, "%s\n", message);
        return; // ggml calls abort() next
    }
    callback(message);
    for (;;) {
#ifdef _WIN32
        Sleep(INFINITE);
#else
        pause();
#endif
    }
}

void copy_name(char (&target)[MOE_NAME_SIZE], const char * name) {
    std::snprintf(target, sizeof(target), "%s", name != nullptr ? name : "");
}

const char * device_name_of(ggml_backend_buffer_type_t buffer_type) {
    ggml_backend_dev_t device = ggml_backend_buft_get_device(buffer_type);
    return device != nullptr ? ggml_backend_dev_name(device) : "";
}

std::vector<ggml_backend_buffer_type_t> buffer_types_of(ggml_backend_dev_t device) {
    std::vector<ggml_backend_buffer_type_t> result;
    const auto add = [&](ggml_backend_buffer_type_t buffer_type) {
        if (buffer_type != nullptr) {
            result.push_back(buffer_type);
        }
    };

    add(ggml_backend_dev_buffer_type(device));
    add(ggml_backend_dev_host_buffer_type(device));
    ggml_backend_reg_t reg = ggml_backend_dev_backend_reg(device);
    auto get_extra = (ggml_backend_dev_get_extra_bufts_t) ggml_backend_reg_get_proc_address(reg, "ggml_backend_dev_get_extra_bufts");
    if (get_extra != nullptr) {
        for (ggml_backend_buffer_type_t * extra = get_extra(device); extra != nullptr && *extra != nullptr; extra++) {
            add(*extra);
        }
    }
    return result;
}

class too_complex : public std::exception {
public:
    const char * what() const noexcept override {
        return "the pattern needs too many steps: it repeats a group that can itself repeat, such as (a*)*";
    }
};

// Iterates over a name for std::regex and counts the steps, so that exponential backtracking ends with an exception.
class counting_iterator {
public:
    using iterator_category = std::bidirectional_iterator_tag;
    using value_type        = char;
    using difference_type   = std::ptrdiff_t;
    using pointer           = const char *;
    using reference         = const char &;

    counting_iterator() = default;

    counting_iterator(const char * position, uint64_t * steps_left) : position(position), steps_left(steps_left) {}

    reference operator*() const {
        count();
        return *position;
    }

    counting_iterator & operator++() {
        ++position;
        return *this;
    }

    counting_iterator operator++(int) {
        counting_iterator before = *this;
        ++position;
        return before;
    }

    counting_iterator & operator--() {
        --position;
        return *this;
    }

    counting_iterator operator--(int) {
        counting_iterator before = *this;
        --position;
        return before;
    }

    bool operator==(const counting_iterator & other) const {
        count();
        return position == other.position;
    }

    bool operator!=(const counting_iterator & other) const {
        return !(*this == other);
    }

private:
    void count() const {
        if (steps_left != nullptr && (*steps_left)-- == 0) {
            *steps_left = 0;
            throw too_complex();
        }
    }

    const char * position   = nullptr;
    uint64_t *   steps_left = nullptr;
};

// Returns the maximum number of states of a pattern after its repetitions are expanded: its length times every count in braces.
size_t expanded_size(const char * pattern, size_t length, size_t limit) {
    size_t size = length;
    for (size_t i = 0; i < length && size <= limit; i++) {
        if (pattern[i] != '{' || (i > 0 && pattern[i - 1] == '\\')) {
            continue;
        }
        size_t count = 1;
        for (size_t number = 0; ++i < length && (std::isdigit((unsigned char) pattern[i]) || pattern[i] == ',');) {
            number = pattern[i] == ',' ? 0 : std::min(number * 10 + (pattern[i] - '0'), limit + 1);
            count  = std::max(count, number);
        }
        size *= count;
    }
    return size;
}

// std::regex compiles and searches recursively. Limits on groups and states prevent a stack overflow.
moe_status compile(const char * pattern, std::regex & regex, char * error, size_t error_size) {
    constexpr size_t max_length = 4096;
    constexpr size_t max_states = 8192;
    constexpr int    max_groups = 256;

    const size_t length = strnlen(pattern, max_length + 1);
    if (length > max_length) {
        return invalid(error, error_size, "longer than 4096 characters");
    }
    if (std::count(pattern, pattern + length, '(') > max_groups) {
        return invalid(error, error_size, "more than 256 groups");
    }
    if (expanded_size(pattern, length, max_states) > max_states) {
        write_error(error, error_size, "the pattern is too large once its repetitions are written out");
        return MOE_STATUS_TOO_COMPLEX;
    }
    try {
        regex = std::regex(pattern);
    } catch (const std::regex_error & e) {
        switch (e.code()) {
            case std::regex_constants::error_paren:      return failed(error, error_size, "unbalanced parenthesis");
            case std::regex_constants::error_brack:      return failed(error, error_size, "unbalanced bracket");
            case std::regex_constants::error_brace:      return failed(error, error_size, "unbalanced brace");
            case std::regex_constants::error_badbrace:   return failed(error, error_size, "bad repetition count in braces");
            case std::regex_constants::error_badrepeat:  return failed(error, error_size, "nothing to repeat before *, +, ? or {");
            case std::regex_constants::error_escape:     return failed(error, error_size, "bad escape, or a backslash at the end");
            case std::regex_constants::error_range:      return failed(error, error_size, "bad range in brackets");
            case std::regex_constants::error_backref:    return failed(error, error_size, "reference to a group that is not there");
            case std::regex_constants::error_ctype:      return failed(error, error_size, "unknown character class");
            case std::regex_constants::error_collate:    return failed(error, error_size, "unknown collating element");
            case std::regex_constants::error_space:
            case std::regex_constants::error_complexity:
            case std::regex_constants::error_stack:
                write_error(error, error_size, "the pattern is too large once its repetitions are written out");
                return MOE_STATUS_TOO_COMPLEX;
            default:                                     return failed(error, error_size, e.what());
        }
    }
    return MOE_STATUS_OK;
}

// Copies a row of logits into candidates. Returns false if one is NaN or +infinity, which samplers cannot handle.
bool fill_candidates(const float * logits, int32_t n_vocab, llama_token_data * candidates) {
    bool finite = true;
    for (int32_t i = 0; i < n_vocab; i++) {
        finite        = finite & (logits[i] <= FLT_MAX);
        candidates[i] = { i, logits[i], 0.0f };
    }
    return finite;
}

llama_token largest(const float * logits, int32_t n_vocab) {
    llama_token best   = 0;
    bool        finite = logits[0] <= FLT_MAX;
    for (int32_t i = 1; i < n_vocab; i++) {
        finite = finite & (logits[i] <= FLT_MAX);
        if (logits[i] > logits[best]) {
            best = i;
        }
    }
    return finite ? best : LLAMA_TOKEN_NULL;
}

bool allowed(llama_sampler * grammar, llama_token token) {
    llama_token_data       one   = { token, 1.0f, 0.0f };
    llama_token_data_array array = { &one, 1, -1, false };
    llama_sampler_apply(grammar, &array);
    return one.logit != -INFINITY;
}

const char * const not_finite = "the logits are not finite: the weights are damaged, or the computation overflowed";

} // namespace

int32_t moe_shim_version(void) {
    return MOE_SHIM_VERSION;
}

void moe_set_abort_callback(moe_abort_callback callback) {
    foreign_abort_callback.store(callback);
    ggml_set_abort_callback(on_abort);
}

moe_status moe_backend_score(const char * path, int32_t * score, char * error, size_t error_size) {
    if (path == nullptr || score == nullptr) {
        return invalid(error, error_size, "path and score must not be NULL");
    }
    *score = 0;
    return guarded(error, error_size, [&] {
        using score_function = int (*)(void);
        std::string    reason;
        library_handle library = open_library(path, reason);
        if (library == nullptr) {
            return failed(error, error_size, reason.c_str());
        }
        const auto get_score = (score_function) find_symbol(library, "ggml_backend_score");
        *score = get_score != nullptr ? get_score() : 1;
        close_library(library);
        return MOE_STATUS_OK;
    });
}

moe_status moe_backend_load(const char * path, ggml_backend_reg_t * reg, char * error, size_t error_size) {
    if (path == nullptr || reg == nullptr) {
        return invalid(error, error_size, "path and reg must not be NULL");
    }
    *reg = nullptr;
    return guarded(error, error_size, [&] {
        // The file is opened here first, so that ggml's own opening of it returns the same library.
        std::string reason;
        if (open_library(path, reason) == nullptr) {
            return failed(error, error_size, reason.c_str());
        }
        *reg = ggml_backend_load(name_of_open_library(path));
        return MOE_STATUS_OK;
    });
}

moe_status moe_rpc_add_server(const char * endpoint, char * error, size_t error_size) {
    if (endpoint == nullptr) {
        return invalid(error, error_size, "endpoint must not be NULL");
    }
    return guarded(error, error_size, [&] {
        ggml_backend_reg_t rpc = ggml_backend_reg_by_name("RPC");
        if (rpc == nullptr) {
            return failed(error, error_size, "the RPC backend is not loaded");
        }
        using add_server_function = ggml_backend_reg_t (*)(const char *);
        auto add_server = (add_server_function) ggml_backend_reg_get_proc_address(rpc, "ggml_backend_rpc_add_server");
        if (add_server == nullptr) {
            return failed(error, error_size, "the RPC backend has no ggml_backend_rpc_add_server");
        }
        ggml_backend_reg_t server = add_server(endpoint);
        if (server == nullptr) {
            return failed(error, error_size, "the RPC server did not answer");
        }
        ggml_backend_register(server);
        return MOE_STATUS_OK;
    });
}

moe_status moe_device_memory(ggml_backend_dev_t device, uint64_t * free, uint64_t * total, char * error, size_t error_size) {
    if (device == nullptr || free == nullptr || total == nullptr) {
        return invalid(error, error_size, "device, free and total must not be NULL");
    }
    return guarded(error, error_size, [&] {
        size_t free_bytes  = 0;
        size_t total_bytes = 0;
        ggml_backend_dev_memory(device, &free_bytes, &total_bytes);
        *free  = free_bytes;
        *total = total_bytes;
        return MOE_STATUS_OK;
    });
}

moe_status moe_device_buffer_type(
        ggml_backend_dev_t device, int32_t index, ggml_backend_buffer_type_t * buffer_type, char * error, size_t error_size) {
    if (device == nullptr || index < 0 || buffer_type == nullptr) {
        return invalid(error, error_size, "device and buffer_type must not be NULL, nor index negative");
    }
    *buffer_type = nullptr;
    return guarded(error, error_size, [&] {
        const auto types = buffer_types_of(device);
        if ((size_t) index < types.size()) {
            *buffer_type = types[index];
        }
        return MOE_STATUS_OK;
    });
}

moe_status moe_regex_check(const char * pattern, char * error, size_t error_size) {
    if (pattern == nullptr) {
        return invalid(error, error_size, "pattern must not be NULL");
    }
    return guarded(error, error_size, [&] {
        std::regex regex;
        return compile(pattern, regex, error, error_size);
    });
}

moe_status moe_regex_match(
        const char * pattern, const char * const * names, size_t n_names, uint64_t max_steps,
        uint8_t * matched, char * error, size_t error_size) {
    if (pattern == nullptr || (n_names > 0 && (names == nullptr || matched == nullptr))) {
        return invalid(error, error_size, "pattern, names and matched must not be NULL");
    }
    return guarded(error, error_size, [&] {
        std::regex regex;
        const moe_status status = compile(pattern, regex, error, error_size);
        if (status != MOE_STATUS_OK) {
            return status;
        }
        try {
            for (size_t i = 0; i < n_names; i++) {
                if (names[i] == nullptr) {
                    return invalid(error, error_size, "a name is NULL");
                }
                uint64_t steps_left = max_steps;
                const counting_iterator begin(names[i], &steps_left);
                const counting_iterator end(names[i] + std::strlen(names[i]), &steps_left);
                matched[i] = std::regex_search(begin, end, regex) ? 1 : 0;
            }
        } catch (const too_complex & e) {
            write_error(error, error_size, e.what());
            return MOE_STATUS_TOO_COMPLEX;
        }
        return MOE_STATUS_OK;
    });
}

moe_status moe_model_load(
        const char ** paths, size_t n_paths, const llama_model_params * params,
        llama_model ** model, char * error, size_t error_size) {
    if (paths == nullptr || n_paths == 0 || params == nullptr || model == nullptr) {
        return invalid(error, error_size, "paths, params and model must not be NULL, nor n_paths 0");
    }
    *model = nullptr;
    if (params->no_alloc && params->load_mode != LLAMA_LOAD_MODE_NONE) {
        return invalid(error, error_size, "no_alloc needs LLAMA_LOAD_MODE_NONE");
    }
    return guarded(error, error_size, [&] {
        const experts::loading_scope loading(*params);
        *model = llama_model_load_from_splits(paths, n_paths, *params);
        if (*model != nullptr) {
            loading.finish();
        }
        return *model != nullptr ? MOE_STATUS_OK : failed(error, error_size, "llama.cpp could not load the model");
    });
}

moe_status moe_model_free(llama_model * model, char * error, size_t error_size) {
    return guarded(error, error_size, [&] {
        llama_model_free(model);
        return MOE_STATUS_OK;
    });
}

moe_status moe_model_tensor_count(const llama_model * model, size_t * count, char * error, size_t error_size) {
    return moe_model_tensors(model, nullptr, 0, count, error, error_size);
}

moe_status moe_model_tensors(
        const llama_model * model, moe_tensor_placement * entries, size_t capacity, size_t * count,
        char * error, size_t error_size) {
    if (model == nullptr || count == nullptr || (capacity > 0 && entries == nullptr)) {
        return invalid(error, error_size, "model, entries and count must not be NULL");
    }
    return guarded(error, error_size, [&] {
        size_t n = 0;
        for (const auto & [name, tensor] : llama_internal_get_tensor_map(model)) {
            if (tensor->buffer == nullptr) {
                continue;
            }
            if (n < capacity) {
                moe_tensor_placement & entry = entries[n];
                ggml_backend_buffer_type_t buffer_type = ggml_backend_buffer_get_type(tensor->buffer);
                copy_name(entry.name, name.c_str());
                // The name of the buffer distinguishes a mapped file from ordinary memory, which have the same buffer type.
                copy_name(entry.buffer_type, ggml_backend_buffer_name(tensor->buffer));
                copy_name(entry.device, device_name_of(buffer_type));
                std::copy(tensor->ne, tensor->ne + 4, entry.ne);
                entry.n_bytes = ggml_nbytes(tensor);
                entry.type    = tensor->type;
                entry.is_host = ggml_backend_buffer_is_host(tensor->buffer) ? 1 : 0;
            }
            n++;
        }
        *count = n;
        return MOE_STATUS_OK;
    });
}

namespace {

bool has_all(std::initializer_list<const ggml_tensor *> tensors) {
    return std::all_of(tensors.begin(), tensors.end(), [](const ggml_tensor * tensor) { return tensor != nullptr; });
}

bool mtp_loaded(const llama_model * model) {
    const llama_hparams & hparams = model->hparams;
    const size_t          first   = hparams.n_layer_all - hparams.n_layer_nextn;
    return std::all_of(model->layers.begin() + first, model->layers.end(), [](const llama_layer & layer) {
        return has_all({ layer.nextn.eh_proj, layer.nextn.enorm, layer.nextn.hnorm });
    });
}

// The architectures that have their own graph for LLM_GRAPH_TYPE_DECODER_MTP. For any other one, llama.cpp would build the usual graph, for
// layers that are not in the context. The conditions that these graphs assert are checked here.
bool mtp_computable(const llama_model * model) {
    const llama_hparams & hparams = model->hparams;
    if (hparams.n_layer_nextn == 0 || hparams.router_layer >= 0 || model->output_norm == nullptr || model->output == nullptr) {
        return false;
    }
    const llama_layer & layer  = model->layers[hparams.n_layer_all - hparams.n_layer_nextn];
    const bool          loaded = mtp_loaded(model);
    const auto          has    = [&](std::initializer_list<const ggml_tensor *> tensors) { return !loaded || has_all(tensors); };
    switch (model->arch) {
        case LLM_ARCH_HY_V3:
        case LLM_ARCH_STEP35:
            return true;
        case LLM_ARCH_MIMO2:
            return has({ layer.wqkv, layer.ffn_gate, layer.ffn_up, layer.ffn_down });
        case LLM_ARCH_QWEN35:
            return hparams.n_layer_nextn == 1;
        case LLM_ARCH_COHERE2MOE:
        case LLM_ARCH_DEEPSEEK32:
        case LLM_ARCH_GLM4_MOE:
        case LLM_ARCH_GLM_DSA:
        case LLM_ARCH_QWEN35MOE:
        case LLM_ARCH_QWEN3NEXT:
            return hparams.n_layer_nextn == 1 && has({ layer.ffn_gate_inp });
        case LLM_ARCH_BAILINGMOE3:
        case LLM_ARCH_DEEPSEEK4:
            return hparams.n_layer_nextn == 1 && has({ layer.nextn.shared_head_norm })
                && hparams.n_layer_all - 1 >= hparams.dsv4_hash_layer_count;
        case LLM_ARCH_NEMOTRON_H_MOE:
            return hparams.n_layer_nextn == 1 && has({ layer.ffn_gate_inp, layer.nextn.shared_head_norm });
        case LLM_ARCH_DEEPSEEK2:
            return hparams.n_layer_nextn == 1 && hparams.n_lora_q > 0 && hparams.f_attn_temp_scale == 0.0f
                && has({ layer.wk_b, layer.ffn_gate_inp, layer.ffn_gate_shexp });
        default:
            return false;
    }
}

} // namespace

moe_status moe_model_mtp_info(const llama_model * model, moe_mtp_info * info, char * error, size_t error_size) {
    if (model == nullptr || info == nullptr) {
        return invalid(error, error_size, "model and info must not be NULL");
    }
    return guarded(error, error_size, [&] {
        info->n_layers   = llama_model_n_layer_nextn(model);
        info->loaded     = mtp_loaded(model) ? 1 : 0;
        info->computable = mtp_computable(model) ? 1 : 0;
        info->width      = llama_model_n_embd_out(model);
        return MOE_STATUS_OK;
    });
}

namespace {

bool has_experts_in_files(const llama_model & model) {
    const auto & tensors = llama_internal_get_tensor_map(&model);
    return std::any_of(tensors.begin(), tensors.end(), [](const auto & item) {
        return item.second->buffer != nullptr && experts::store_of(ggml_backend_buffer_get_type(item.second->buffer)) != nullptr;
    });
}

} // namespace

moe_status moe_context_init(
        llama_model * model, const llama_context_params * params, llama_context ** context, char * error, size_t error_size) {
    if (model == nullptr || params == nullptr || context == nullptr) {
        return invalid(error, error_size, "model, params and context must not be NULL");
    }
    *context = nullptr;
    if (params->ctx_type == LLAMA_CONTEXT_TYPE_MTP && !(mtp_loaded(model) && mtp_computable(model))) {
        return invalid(error, error_size, "the model's MTP layers are not loaded, or cannot be computed");
    }
    return guarded(error, error_size, [&] {
        const experts::context_scope needed(has_experts_in_files(*model));
        *context = llama_init_from_model(model, *params);
        return *context != nullptr ? MOE_STATUS_OK : failed(error, error_size, "llama.cpp could not make the context");
    });
}

moe_status moe_context_free(llama_context * context, char * error, size_t error_size) {
    return guarded(error, error_size, [&] {
        llama_free(context);
        return MOE_STATUS_OK;
    });
}

namespace {

// These are functions of the CPU backend, which cannot be linked because it is loaded at run time.
void * cpu_function(const char * name) {
    ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    return cpu != nullptr ? ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(cpu), name) : nullptr;
}

#ifdef _WIN32
// On Linux, new threads inherit the priority and the affinity of the thread that creates them.
void inherit_thread(ggml_threadpool_params & params) {
    if (GetThreadPriority(GetCurrentThread()) < THREAD_PRIORITY_NORMAL) {
        params.prio = GGML_SCHED_PRIO_LOW;
    }
    DWORD_PTR      process = 0;
    DWORD_PTR      system  = 0;
    GROUP_AFFINITY thread  = {};
    if (GetProcessAffinityMask(GetCurrentProcess(), &process, &system) && GetThreadGroupAffinity(GetCurrentThread(), &thread) &&
        process != 0 && thread.Mask != process) {
        for (size_t i = 0; i < 8 * sizeof(thread.Mask); i++) {
            params.cpumask[i] = ((thread.Mask >> i) & 1) != 0;
        }
    }
}
#endif

} // namespace

moe_status moe_threadpool_new(int32_t n_threads, ggml_threadpool_t * pool, char * error, size_t error_size) {
    if (n_threads < 1 || n_threads > GGML_MAX_N_THREADS || pool == nullptr) {
        return invalid(error, error_size, "n_threads must be from 1 to 512, and pool not NULL");
    }
    *pool = nullptr;
    return guarded(error, error_size, [&] {
        auto create = (decltype(ggml_threadpool_new) *) cpu_function("ggml_threadpool_new");
        if (create == nullptr) {
            return failed(error, error_size, "the CPU backend has no ggml_threadpool_new");
        }
        ggml_threadpool_params params = ggml_threadpool_params_default(n_threads);
#ifdef _WIN32
        inherit_thread(params);
#endif
        params.poll = 1; // spins for milliseconds after the last graph: the default's 50 keeps a core busy for a fifth of a second
        *pool = create(&params);
        return *pool != nullptr ? MOE_STATUS_OK : failed(error, error_size, "the threads could not be started");
    });
}

moe_status moe_threadpool_free(ggml_threadpool_t pool, char * error, size_t error_size) {
    return guarded(error, error_size, [&] {
        auto destroy = (decltype(ggml_threadpool_free) *) cpu_function("ggml_threadpool_free");
        if (pool != nullptr && destroy != nullptr) {
            destroy(pool);
        }
        return MOE_STATUS_OK;
    });
}

moe_status moe_context_use_threads(
        llama_context * context, int32_t n_decode, ggml_threadpool_t decode, int32_t n_prompt, ggml_threadpool_t prompt,
        char * error, size_t error_size) {
    if (context == nullptr || n_decode <= 0 || n_prompt <= 0) {
        return invalid(error, error_size, "context must not be NULL, and the numbers of threads must be positive");
    }
    return guarded(error, error_size, [&] {
        llama_set_n_threads(context, n_decode, n_prompt);
        llama_attach_threadpool(context, decode, prompt);
        experts::use_threads(context->get_sched(), n_decode, decode, n_prompt, prompt);
        return MOE_STATUS_OK;
    });
}

moe_status moe_memory_breakdown(
        const llama_context * context, moe_memory_entry * entries, size_t capacity, size_t * count,
        char * error, size_t error_size) {
    if (context == nullptr || count == nullptr || (capacity > 0 && entries == nullptr)) {
        return invalid(error, error_size, "context, entries and count must not be NULL");
    }
    return guarded(error, error_size, [&] {
        size_t n = 0;
        for (const auto & [buffer_type, bytes] : llama_get_memory_breakdown(context)) {
            if (n < capacity) {
                moe_memory_entry & entry = entries[n];
                copy_name(entry.buffer_type, ggml_backend_buft_name(buffer_type));
                copy_name(entry.device, device_name_of(buffer_type));
                const experts::expert_store * store = experts::store_of(buffer_type);
                entry.model   = store != nullptr ? std::min<uint64_t>(bytes.model, store->limit()) : bytes.model;
                entry.context = bytes.context;
                entry.compute = bytes.compute;
                entry.is_host = ggml_backend_buft_is_host(buffer_type) ? 1 : 0;
                entry.padding = 0;
            }
            n++;
        }
        *count = n;
        return MOE_STATUS_OK;
    });
}

bool moe_abort_when_set(void * data) {
    return load(*(const int32_t *) data) != 0;
}

namespace {

// The decoding thread writes the counts while other threads read them.
void add(int64_t & value, int64_t more) {
    store(value, load(value) + more);
}

// Returns the layer whose selected experts a tensor contains, or -1.
int32_t layer_of_choice(const ggml_tensor & tensor, int32_t n_layers) {
    constexpr char   prefix[] = "ffn_moe_topk-";
    constexpr size_t length   = sizeof(prefix) - 1;
    if (std::strncmp(tensor.name, prefix, length) != 0 || tensor.type != GGML_TYPE_I32) {
        return -1;
    }
    char *     end   = nullptr;
    const long layer = std::strtol(tensor.name + length, &end, 10);
    return end != tensor.name + length && *end == '\0' && layer >= 0 && layer < n_layers ? (int32_t) layer : -1;
}

// Counts the experts in `ids` for `n_rows` tokens, whose rows are `stride` bytes apart.
void count_rows(moe_expert_counter & counter, int32_t layer, int64_t n_used, int64_t n_rows, size_t stride) {
    int64_t *     counts  = counter.counts + (size_t) layer * counter.n_experts;
    int64_t &     version = counter.versions[layer];
    const int64_t before  = load(version);
    store(version, before + 1);
    std::atomic_thread_fence(std::memory_order_release);
    for (int64_t row = 0; row < n_rows; row++) {
        const auto * ids = (const int32_t *) ((const char *) counter.ids + row * stride);
        for (int64_t i = 0; i < n_used; i++) {
            if (ids[i] >= 0 && ids[i] < counter.n_experts) {
                add(counts[ids[i]], 1);
            }
        }
    }
    add(counter.tokens[layer], n_rows);
    store(version, before + 2, memory::ordered);
}

// The selection is a view of all experts in sorted order: rows of n_used ids, with the stride of n_experts ids.
void count_choice(moe_expert_counter & counter, int32_t layer, const ggml_tensor & choice) {
    const size_t  room     = counter.n_ids * sizeof(int32_t);
    const size_t  row_size = (size_t) choice.ne[0] * sizeof(int32_t);
    const size_t  stride   = choice.nb[1];
    const int64_t n_tokens = choice.ne[1];
    if (row_size > room || stride == 0) {
        return;
    }
    const int64_t most = 1 + (int64_t) ((room - row_size) / stride);
    for (int64_t first = 0; first < n_tokens; first += most) {
        const int64_t n_rows = std::min(most, n_tokens - first);
        ggml_backend_tensor_get(&choice, counter.ids, first * stride, (n_rows - 1) * stride + row_size);
        count_rows(counter, layer, choice.ne[0], n_rows, stride);
    }
}

// Copies the numbers of a layer. Returns false if they changed in the meantime.
bool read_layer(const moe_expert_counter & counter, int32_t layer, int64_t * counts, int64_t & tokens) {
    const int64_t * source  = counter.counts + (size_t) layer * counter.n_experts;
    const int64_t & version = counter.versions[layer];
    const int64_t   before  = load(version, memory::ordered);
    for (int32_t i = 0; i < counter.n_experts; i++) {
        counts[i] = load(source[i]);
    }
    tokens = load(counter.tokens[layer]);
    std::atomic_thread_fence(std::memory_order_acquire);
    return before % 2 == 0 && load(version) == before;
}

} // namespace

bool moe_count_experts(ggml_tensor * tensor, bool ask, void * data) {
    moe_expert_counter & counter = *(moe_expert_counter *) data;
    const int32_t        layer   = layer_of_choice(*tensor, counter.n_layers);
    if (!ask && layer >= 0) {
        count_choice(counter, layer, *tensor);
    }
    return !ask || layer >= 0;
}

moe_status moe_expert_counts(
        const moe_expert_counter * counter, int64_t * counts, size_t n_counts, int64_t * tokens, size_t n_tokens,
        char * error, size_t error_size) {
    if (counter == nullptr || counts == nullptr || tokens == nullptr) {
        return invalid(error, error_size, "counter, counts and tokens must not be NULL");
    }
    if (n_tokens < (size_t) counter->n_layers || n_counts < (size_t) counter->n_layers * counter->n_experts) {
        return invalid(error, error_size, "counts and tokens need room for all layers");
    }
    return guarded(error, error_size, [&] {
        for (int32_t layer = 0; layer < counter->n_layers; layer++) {
            while (!read_layer(*counter, layer, counts + (size_t) layer * counter->n_experts, tokens[layer])) {
                std::this_thread::yield();
            }
        }
        return MOE_STATUS_OK;
    });
}

moe_status moe_decode(llama_context * context, const llama_batch * batch, int32_t * result, char * error, size_t error_size) {
    if (context == nullptr || batch == nullptr || result == nullptr) {
        return invalid(error, error_size, "context, batch and result must not be NULL");
    }
    if (batch->token == nullptr || batch->n_tokens <= 0 || (uint32_t) batch->n_tokens > llama_n_batch(context)) {
        return invalid(error, error_size, "the batch needs tokens, and at most as many as the context's batch size");
    }
    return guarded(error, error_size, [&] {
        *result = llama_decode(context, *batch);
        write_error(error, error_size, *result < 0 ? experts::take_error().c_str() : "");
        return MOE_STATUS_OK;
    });
}

moe_status moe_decode_embeddings(
        llama_context * context, const llama_batch * batch, bool causal, int32_t * result, char * error, size_t error_size) {
    if (context == nullptr || batch == nullptr || result == nullptr) {
        return invalid(error, error_size, "context, batch and result must not be NULL");
    }
    if (batch->embd == nullptr || batch->token != nullptr || batch->n_tokens <= 0 || (uint32_t) batch->n_tokens > llama_n_batch(context)) {
        return invalid(error, error_size, "the batch needs embeddings, and at most as many as the context's batch size");
    }
    if (!causal && (uint32_t) batch->n_tokens > llama_n_ubatch(context)) {
        return invalid(error, error_size, "embeddings that attend to each other in both directions need one micro-batch");
    }
    return guarded(error, error_size, [&] {
        // A context whose decode ended with an exception is not used again.
        if (!causal) {
            llama_set_causal_attn(context, false);
        }
        *result = llama_decode(context, *batch);
        if (!causal) {
            llama_set_causal_attn(context, true);
        }
        write_error(error, error_size, *result < 0 ? experts::take_error().c_str() : "");
        return MOE_STATUS_OK;
    });
}

moe_status moe_hidden_keep(llama_context * context, bool all, char * error, size_t error_size) {
    if (context == nullptr) {
        return invalid(error, error_size, "context must not be NULL");
    }
    return guarded(error, error_size, [&] {
        llama_set_embeddings_nextn(context, true, !all);
        return MOE_STATUS_OK;
    });
}

moe_status moe_hidden_rows(llama_context * context, const float ** rows, char * error, size_t error_size) {
    if (context == nullptr || rows == nullptr) {
        return invalid(error, error_size, "context and rows must not be NULL");
    }
    return guarded(error, error_size, [&] {
        *rows = llama_get_embeddings_nextn(context);
        return *rows != nullptr ? MOE_STATUS_OK : invalid(error, error_size, "the context keeps no hidden states");
    });
}

moe_status moe_hidden_row(llama_context * context, int32_t index, float * row, size_t n_floats, char * error, size_t error_size) {
    if (context == nullptr || row == nullptr) {
        return invalid(error, error_size, "context and row must not be NULL");
    }
    return guarded(error, error_size, [&] {
        const float * hidden = llama_get_embeddings_nextn_ith(context, index);
        if (hidden == nullptr || n_floats != (size_t) llama_model_n_embd_out(llama_get_model(context))) {
            return invalid(error, error_size, "no hidden state at this index, or a buffer of another size");
        }
        std::copy(hidden, hidden + n_floats, row);
        return MOE_STATUS_OK;
    });
}

moe_status moe_mtp_select(llama_context * context, int32_t layer, char * error, size_t error_size) {
    if (context == nullptr || layer < 0 || layer >= llama_model_n_layer_nextn(llama_get_model(context))) {
        return invalid(error, error_size, "context must not be NULL, and layer be one of the model's for MTP");
    }
    return guarded(error, error_size, [&] {
        llama_set_nextn_layer_offset(context, layer);
        return MOE_STATUS_OK;
    });
}

moe_status moe_memory_remove(
        llama_context * context, llama_seq_id sequence, llama_pos p0, int32_t * removed, char * error, size_t error_size) {
    if (context == nullptr || removed == nullptr) {
        return invalid(error, error_size, "context and removed must not be NULL");
    }
    if (sequence >= 0 && (uint32_t) sequence >= llama_n_seq_max(context)) {
        return invalid(error, error_size, "no such sequence");
    }
    return guarded(error, error_size, [&] {
        llama_memory_t memory = llama_get_memory(context);
        if (sequence < 0) {
            llama_memory_clear(memory, false);
            *removed = 1;
        } else {
            *removed = llama_memory_seq_rm(memory, sequence, p0, -1) ? 1 : 0;
        }
        return MOE_STATUS_OK;
    });
}

namespace {

bool is_sequence(const llama_context * context, llama_seq_id sequence) {
    return sequence >= 0 && (uint32_t) sequence < llama_n_seq_max(context);
}

} // namespace

moe_status moe_memory_copy(llama_context * context, llama_seq_id source, llama_seq_id target, char * error, size_t error_size) {
    if (context == nullptr || !is_sequence(context, source) || !is_sequence(context, target) || source == target) {
        return invalid(error, error_size, "context must not be NULL, and source and target be two of its sequences");
    }
    return guarded(error, error_size, [&] {
        llama_memory_t memory = llama_get_memory(context);
        llama_memory_seq_rm(memory, target, -1, -1);
        llama_memory_seq_cp(memory, source, target, -1, -1);
        return MOE_STATUS_OK;
    });
}

moe_status moe_memory_discard(
        llama_context * context, llama_seq_id sequence, llama_pos p0, llama_pos p1, int32_t * moved, char * error, size_t error_size) {
    if (context == nullptr || moved == nullptr || !is_sequence(context, sequence) || p0 < 0 || p1 <= p0) {
        return invalid(error, error_size, "context and moved must not be NULL, the sequence be one of the context's, and 0 <= p0 < p1");
    }
    *moved = 0;
    return guarded(error, error_size, [&] {
        llama_memory_t memory = llama_get_memory(context);
        if (llama_memory_can_shift(memory) && llama_memory_seq_rm(memory, sequence, p0, p1)) {
            llama_memory_seq_add(memory, sequence, p1, -1, p0 - p1);
            *moved = 1;
        }
        return MOE_STATUS_OK;
    });
}

moe_status moe_memory_update(llama_context * context, char * error, size_t error_size) {
    if (context == nullptr) {
        return invalid(error, error_size, "context must not be NULL");
    }
    return guarded(error, error_size, [&] {
        context->memory_update(false);
        return MOE_STATUS_OK;
    });
}

moe_status moe_memory_can_shift(llama_context * context, int32_t * can_shift, char * error, size_t error_size) {
    if (context == nullptr || can_shift == nullptr) {
        return invalid(error, error_size, "context and can_shift must not be NULL");
    }
    return guarded(error, error_size, [&] {
        *can_shift = llama_memory_can_shift(llama_get_memory(context)) ? 1 : 0;
        return MOE_STATUS_OK;
    });
}

moe_status moe_memory_range(
        llama_context * context, llama_seq_id sequence, llama_pos * min, llama_pos * max, char * error, size_t error_size) {
    if (context == nullptr || min == nullptr || max == nullptr || !is_sequence(context, sequence)) {
        return invalid(error, error_size, "context, min and max must not be NULL, and the sequence be one of the context's");
    }
    return guarded(error, error_size, [&] {
        *min = llama_memory_seq_pos_min(llama_get_memory(context), sequence);
        *max = llama_memory_seq_pos_max(llama_get_memory(context), sequence);
        return MOE_STATUS_OK;
    });
}

moe_status moe_state_size(llama_context * context, llama_seq_id sequence, size_t * size, char * error, size_t error_size) {
    if (context == nullptr || size == nullptr || !is_sequence(context, sequence)) {
        return invalid(error, error_size, "context and size must not be NULL, and the sequence be one of the context's");
    }
    return guarded(error, error_size, [&] {
        *size = llama_state_seq_get_size(context, sequence);
        return *size > 0 ? MOE_STATUS_OK : failed(error, error_size, "the size of the state could not be told");
    });
}

moe_status moe_state_get(
        llama_context * context, llama_seq_id sequence, uint8_t * data, size_t size, size_t * written, char * error, size_t error_size) {
    if (context == nullptr || data == nullptr || written == nullptr || !is_sequence(context, sequence)) {
        return invalid(error, error_size, "context, data and written must not be NULL, and the sequence be one of the context's");
    }
    return guarded(error, error_size, [&] {
        *written = llama_state_seq_get_data(context, data, size, sequence);
        return *written > 0 ? MOE_STATUS_OK : failed(error, error_size, "the state could not be read");
    });
}

moe_status moe_state_set(
        llama_context * context, llama_seq_id sequence, const uint8_t * data, size_t size, char * error, size_t error_size) {
    if (context == nullptr || data == nullptr || size == 0 || !is_sequence(context, sequence)) {
        return invalid(error, error_size, "context and data must not be NULL, and the sequence be one of the context's");
    }
    return guarded(error, error_size, [&] {
        llama_memory_t memory = llama_get_memory(context);
        llama_memory_seq_rm(memory, sequence, -1, -1);
        if (llama_state_seq_set_data(context, data, size, sequence) == size) {
            return MOE_STATUS_OK;
        }
        llama_memory_seq_rm(memory, sequence, -1, -1);
        return failed(error, error_size, "the state does not fit this context");
    });
}

moe_status moe_sampler_grammar(
        const llama_vocab * vocab, const char * grammar, const char * root, llama_sampler ** sampler, char * error, size_t error_size) {
    if (vocab == nullptr || grammar == nullptr || root == nullptr || sampler == nullptr) {
        return invalid(error, error_size, "vocab, grammar, root and sampler must not be NULL");
    }
    *sampler = nullptr;
    return guarded(error, error_size, [&] {
        *sampler = llama_sampler_init_grammar(vocab, grammar, root);
        return *sampler != nullptr ? MOE_STATUS_OK : failed(error, error_size, "the grammar does not parse");
    });
}

moe_status moe_sample(
        llama_context * context, int32_t index, llama_sampler * chain, llama_sampler * grammar,
        llama_token_data * scratch, size_t scratch_size, llama_token * token, char * error, size_t error_size) {
    if (context == nullptr || scratch == nullptr || token == nullptr) {
        return invalid(error, error_size, "context, scratch and token must not be NULL");
    }
    *token = LLAMA_TOKEN_NULL;
    return guarded(error, error_size, [&] {
        const int32_t n_vocab = llama_vocab_n_tokens(llama_model_get_vocab(llama_get_model(context)));
        if (scratch_size < (size_t) n_vocab) {
            return invalid(error, error_size, "scratch is smaller than the vocabulary");
        }
        const float * logits = llama_get_logits_ith(context, index);
        if (logits == nullptr) {
            return invalid(error, error_size, "no logits at this index");
        }

        llama_token chosen = LLAMA_TOKEN_NULL;
        const auto  choose = [&](llama_sampler * first) {
            if (!fill_candidates(logits, n_vocab, scratch)) {
                return false;
            }
            llama_token_data_array candidates = { scratch, (size_t) n_vocab, -1, false };
            if (first != nullptr) {
                llama_sampler_apply(first, &candidates);
            }
            if (chain != nullptr) {
                llama_sampler_apply(chain, &candidates);
            } else {
                candidates.selected = std::max_element(candidates.data, candidates.data + candidates.size,
                    [](const auto & a, const auto & b) { return a.logit < b.logit; }) - candidates.data;
            }
            if (candidates.selected < 0 || (size_t) candidates.selected >= candidates.size) {
                return false;
            }
            chosen = candidates.data[candidates.selected].id;
            return true;
        };

        if (chain == nullptr) {
            chosen = largest(logits, n_vocab);
            if (chosen == LLAMA_TOKEN_NULL) {
                return failed(error, error_size, not_finite);
            }
        } else if (!choose(nullptr)) {
            return failed(error, error_size, not_finite);
        }
        if (grammar != nullptr && !allowed(grammar, chosen)) {
            if (!choose(grammar) || !allowed(grammar, chosen)) {
                return failed(error, error_size, "the grammar allows no token here");
            }
        }

        if (grammar != nullptr) {
            llama_sampler_accept(grammar, chosen);
        }
        if (chain != nullptr) {
            llama_sampler_accept(chain, chosen);
        }
        *token = chosen;
        return MOE_STATUS_OK;
    });
}

moe_status moe_logprobs(
        llama_context * context, int32_t index, llama_token token, float * logprob,
        moe_token_logprob * top, size_t n_top, char * error, size_t error_size) {
    if (context == nullptr || logprob == nullptr || (n_top > 0 && top == nullptr)) {
        return invalid(error, error_size, "context, logprob and top must not be NULL");
    }
    return guarded(error, error_size, [&] {
        const int32_t n_vocab = llama_vocab_n_tokens(llama_model_get_vocab(llama_get_model(context)));
        const float * logits  = llama_get_logits_ith(context, index);
        if (logits == nullptr || token < 0 || token >= n_vocab || n_top > (size_t) n_vocab) {
            return invalid(error, error_size, "no logits at this index, or a token or count outside the vocabulary");
        }
        const float max = *std::max_element(logits, logits + n_vocab);
        double      sum = 0.0;
        for (int32_t i = 0; i < n_vocab; i++) {
            sum += std::exp((double) logits[i] - max);
        }
        const double log_sum = max + std::log(sum);
        *logprob = (float) (logits[token] - log_sum);

        size_t n = 0;
        for (int32_t i = 0; i < n_vocab; i++) {
            const float value = (float) (logits[i] - log_sum);
            if (n == n_top && (n == 0 || value <= top[n - 1].logprob)) {
                continue;
            }
            size_t at = n < n_top ? n++ : n - 1;
            for (; at > 0 && top[at - 1].logprob < value; at--) {
                top[at] = top[at - 1];
            }
            top[at] = { i, value };
        }
        return MOE_STATUS_OK;
    });
}

moe_status moe_logits(llama_context * context, int32_t index, float * logits, size_t n_logits, char * error, size_t error_size) {
    if (context == nullptr || logits == nullptr) {
        return invalid(error, error_size, "context and logits must not be NULL");
    }
    return guarded(error, error_size, [&] {
        const int32_t n_vocab = llama_vocab_n_tokens(llama_model_get_vocab(llama_get_model(context)));
        const float * row     = llama_get_logits_ith(context, index);
        if (row == nullptr || n_logits != (size_t) n_vocab) {
            return invalid(error, error_size, "no logits at this index, or a buffer of another size than the vocabulary");
        }
        std::copy(row, row + n_vocab, logits);
        return MOE_STATUS_OK;
    });
}

moe_status moe_model_embedding_info(const llama_model * model, moe_embedding_info * info, char * error, size_t error_size) {
    if (model == nullptr || info == nullptr) {
        return invalid(error, error_size, "model and info must not be NULL");
    }
    return guarded(error, error_size, [&] {
        info->length  = llama_model_n_embd_out(model);
        info->pooling = model->hparams.pooling_type;
        info->causal  = model->hparams.causal_attn ? 1 : 0;
        return MOE_STATUS_OK;
    });
}

moe_status moe_embeddings(
        llama_context * context, int32_t first, int32_t count, float * rows, size_t n_floats, char * error, size_t error_size) {
    if (context == nullptr || rows == nullptr || first < 0 || count < 1) {
        return invalid(error, error_size, "context and rows must not be NULL, nor first negative, nor count less than 1");
    }
    if (llama_pooling_type(context) != LLAMA_POOLING_TYPE_NONE) {
        return invalid(error, error_size, "the context pools its embeddings");
    }
    return guarded(error, error_size, [&] {
        const size_t length = (size_t) llama_model_n_embd_out(llama_get_model(context));
        if (n_floats != length * (size_t) count) {
            return invalid(error, error_size, "a buffer of another size than the rows");
        }
        for (int32_t i = 0; i < count; i++) {
            const float * row = llama_get_embeddings_ith(context, first + i);
            if (row == nullptr) {
                return invalid(error, error_size, "no embedding at this index");
            }
            std::copy(row, row + length, rows + (size_t) i * length);
        }
        return MOE_STATUS_OK;
    });
}

moe_status moe_adapter_load(
        llama_model * model, const char * path, llama_adapter_lora ** adapter, char * error, size_t error_size) {
    if (model == nullptr || path == nullptr || adapter == nullptr) {
        return invalid(error, error_size, "model, path and adapter must not be NULL");
    }
    *adapter = nullptr;
    return guarded(error, error_size, [&] {
        *adapter = llama_adapter_lora_init(model, path);
        return *adapter != nullptr ? MOE_STATUS_OK : failed(error, error_size, "llama.cpp could not load the adapter");
    });
}

moe_status moe_adapter_free(llama_adapter_lora * adapter, char * error, size_t error_size) {
    return guarded(error, error_size, [&] {
        llama_adapter_lora_free(adapter);
        return MOE_STATUS_OK;
    });
}

moe_status moe_adapters_set(
        llama_context * context, llama_adapter_lora ** adapters, float * scales, size_t n_adapters, char * error, size_t error_size) {
    if (context == nullptr || (n_adapters > 0 && (adapters == nullptr || scales == nullptr))) {
        return invalid(error, error_size, "context, adapters and scales must not be NULL");
    }
    return guarded(error, error_size, [&] {
        llama_set_adapters_lora(context, adapters, n_adapters, scales);
        return MOE_STATUS_OK;
    });
}

moe_status moe_tokenize(
        const llama_vocab * vocab, const char * text, size_t text_size, bool add_special, bool parse_special,
        llama_token * tokens, size_t capacity, size_t * count, char * error, size_t error_size) {
    if (vocab == nullptr || text == nullptr || count == nullptr || (capacity > 0 && tokens == nullptr)) {
        return invalid(error, error_size, "vocab, text, tokens and count must not be NULL");
    }
    if (text_size > (size_t) std::numeric_limits<int32_t>::max() || capacity > (size_t) std::numeric_limits<int32_t>::max()) {
        return invalid(error, error_size, "text or buffer longer than 2^31 - 1");
    }
    *count = 0;
    return guarded(error, error_size, [&] {
        const int32_t n = llama_tokenize(vocab, text, (int32_t) text_size, tokens, (int32_t) capacity, add_special, parse_special);
        if (n == std::numeric_limits<int32_t>::min()) {
            return failed(error, error_size, "more than 2^31 - 1 tokens");
        }
        *count = (size_t) (n < 0 ? -n : n);
        return n < 0 ? MOE_STATUS_BUFFER_TOO_SMALL : MOE_STATUS_OK;
    });
}

moe_status moe_token_to_piece(
        const llama_vocab * vocab, llama_token token, bool special,
        char * piece, size_t capacity, size_t * size, char * error, size_t error_size) {
    if (vocab == nullptr || size == nullptr || (capacity > 0 && piece == nullptr)) {
        return invalid(error, error_size, "vocab, piece and size must not be NULL");
    }
    if (token < 0 || token >= llama_vocab_n_tokens(vocab)) {
        return invalid(error, error_size, "the token is outside the vocabulary");
    }
    *size = 0;
    return guarded(error, error_size, [&] {
        const int32_t room = (int32_t) std::min(capacity, (size_t) std::numeric_limits<int32_t>::max());
        const int32_t n    = llama_token_to_piece(vocab, token, piece, room, 0, special);
        *size = (size_t) (n < 0 ? -n : n);
        return n < 0 ? MOE_STATUS_BUFFER_TOO_SMALL : MOE_STATUS_OK;
    });
}

moe_status moe_detokenize(
        const llama_vocab * vocab, const llama_token * tokens, size_t n_tokens, bool remove_special, bool unparse_special,
        char * text, size_t capacity, size_t * size, char * error, size_t error_size) {
    if (vocab == nullptr || size == nullptr || (n_tokens > 0 && tokens == nullptr) || (capacity > 0 && text == nullptr)) {
        return invalid(error, error_size, "vocab, tokens, text and size must not be NULL");
    }
    const size_t limit = (size_t) std::numeric_limits<int32_t>::max();
    if (n_tokens > limit || capacity > limit) {
        return invalid(error, error_size, "more than 2^31 - 1 tokens or bytes");
    }
    const int32_t n_vocab = llama_vocab_n_tokens(vocab);
    if (std::any_of(tokens, tokens + n_tokens, [&](llama_token token) { return token < 0 || token >= n_vocab; })) {
        return invalid(error, error_size, "a token is outside the vocabulary");
    }
    *size = 0;
    return guarded(error, error_size, [&] {
        const int32_t n = llama_detokenize(vocab, tokens, (int32_t) n_tokens, text, (int32_t) capacity, remove_special, unparse_special);
        *size = (size_t) (n < 0 ? -n : n);
        return n < 0 ? MOE_STATUS_BUFFER_TOO_SMALL : MOE_STATUS_OK;
    });
}
