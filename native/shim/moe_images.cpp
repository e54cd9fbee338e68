#include "moe_bitmap.h"
#include "moe_guard.h"
#include "moe_shim.h"

#include "mtmd.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

struct moe_image {
    bitmap content;
};

struct moe_projector {
    mtmd::context_ptr context;
    int32_t           width = 0;
};

struct moe_prompt {
    mtmd::input_chunks_ptr        chunks;
    std::vector<moe_prompt_chunk> entries;
    bool                          uses_mrope = false;
};

namespace {

// mtmd has one log for the process, which its simulation of a load replaces for a while.
std::mutex log_mutex;

// Sends mtmd's messages to where llama.cpp's go.
void share_log() {
    ggml_log_callback callback = nullptr;
    void *            data     = nullptr;
    llama_log_get(&callback, &data);
    mtmd_log_set(callback, data);
}

mtmd_context_params params_of(const moe_projector_options & options) {
    mtmd_context_params params = mtmd_context_params_default();
    params.use_gpu       = options.device != nullptr;
    params.device        = options.device;
    params.n_threads     = std::max(options.n_threads, 1);
    params.print_timings = false;
    if (options.max_image_tokens > 0) {
        params.image_max_tokens = options.max_image_tokens;
    }
    return params;
}

void copy_name(char (&target)[MOE_NAME_SIZE], const char * name) {
    std::snprintf(target, sizeof(target), "%s", name != nullptr ? name : "");
}

moe_prompt_chunk describe(const mtmd_context * context, const mtmd_input_chunk * chunk) {
    moe_prompt_chunk entry = {};
    const bool       is_text = mtmd_input_chunk_get_type(chunk) == MTMD_INPUT_CHUNK_TYPE_TEXT;
    entry.image       = is_text ? -1 : std::atoi(mtmd_input_chunk_get_id(chunk));
    entry.n_tokens    = (int32_t) mtmd_input_chunk_get_n_tokens(chunk);
    entry.n_positions = mtmd_input_chunk_get_n_pos(chunk);
    entry.is_causal   = is_text || !mtmd_decode_use_non_causal(context, chunk) ? 1 : 0;
    return entry;
}

const mtmd_input_chunk * find_chunk(const moe_prompt * prompt, size_t index, bool is_image) {
    if (index >= prompt->entries.size() || (prompt->entries[index].image >= 0) != is_image) {
        return nullptr;
    }
    return mtmd_input_chunks_get(prompt->chunks.get(), index);
}

} // namespace

moe_status moe_image_decode(
        const uint8_t * data, size_t size, int64_t max_pixels, moe_image ** image, char * error, size_t error_size) {
    if (data == nullptr || image == nullptr) {
        return invalid(error, error_size, "data and image must not be NULL");
    }
    *image = nullptr;
    return guarded(error, error_size, [&] {
        try {
            *image = new moe_image{ decode_bitmap(data, size, max_pixels) };
            return MOE_STATUS_OK;
        } catch (const bad_image & bad) {
            return invalid(error, error_size, bad.what());
        }
    });
}

moe_status moe_image_free(moe_image * image, char * error, size_t error_size) {
    return guarded(error, error_size, [&] {
        delete image;
        return MOE_STATUS_OK;
    });
}

moe_status moe_projector_load(
        const char * path, const llama_model * model, const moe_projector_options * options, moe_projector ** projector,
        char * error, size_t error_size) {
    if (path == nullptr || model == nullptr || options == nullptr || projector == nullptr) {
        return invalid(error, error_size, "path, model, options and projector must not be NULL");
    }
    *projector = nullptr;
    return guarded(error, error_size, [&] {
        {
            const std::lock_guard<std::mutex> lock(log_mutex);
            share_log();
        }
        auto result = std::make_unique<moe_projector>();
        result->width = llama_model_n_embd_inp(model);
        result->context.reset(mtmd_init_from_file(path, model, params_of(*options)));
        if (result->context == nullptr) {
            return failed(error, error_size, "llama.cpp could not load the projector");
        }
        *projector = result.release();
        return MOE_STATUS_OK;
    });
}

moe_status moe_projector_free(moe_projector * projector, char * error, size_t error_size) {
    return guarded(error, error_size, [&] {
        delete projector;
        return MOE_STATUS_OK;
    });
}

moe_status moe_projector_describe(const moe_projector * projector, moe_projector_info * info, char * error, size_t error_size) {
    if (projector == nullptr || info == nullptr) {
        return invalid(error, error_size, "projector and info must not be NULL");
    }
    return guarded(error, error_size, [&] {
        const mtmd_context * context = projector->context.get();
        info->width          = projector->width;
        info->vision         = mtmd_support_vision(context) ? 1 : 0;
        info->position_count = mtmd_decode_use_mrope(context) ? 4 : 1;
        return MOE_STATUS_OK;
    });
}

moe_status moe_projector_memory(
        const char * path, const moe_projector_options * options, moe_memory_entry * entries, size_t capacity, size_t * count,
        char * error, size_t error_size) {
    if (path == nullptr || options == nullptr || count == nullptr || (capacity > 0 && entries == nullptr)) {
        return invalid(error, error_size, "path, options, entries and count must not be NULL");
    }
    return guarded(error, error_size, [&] {
        std::map<ggml_backend_dev_t, size_t> devices;
        {
            const std::lock_guard<std::mutex> lock(log_mutex);
            share_log();
            devices = mtmd_get_memory_usage(path, params_of(*options));
        }
        if (devices.empty()) {
            return failed(error, error_size, "llama.cpp could not read the projector");
        }
        size_t n = 0;
        for (const auto & [device, bytes] : devices) {
            if (n < capacity) {
                const ggml_backend_buffer_type_t buffer_type = ggml_backend_dev_buffer_type(device);
                moe_memory_entry &               entry       = entries[n];
                entry = {};
                copy_name(entry.buffer_type, ggml_backend_buft_name(buffer_type));
                copy_name(entry.device, ggml_backend_dev_name(device));
                entry.model   = bytes;
                entry.is_host = ggml_backend_buft_is_host(buffer_type) ? 1 : 0;
            }
            n++;
        }
        *count = n;
        return MOE_STATUS_OK;
    });
}

moe_status moe_prompt_tokenize(
        const moe_projector * projector, const moe_prompt_part * parts, size_t n_parts, bool add_special, bool parse_special,
        moe_prompt ** prompt, char * error, size_t error_size) {
    if (projector == nullptr || prompt == nullptr || (n_parts > 0 && parts == nullptr)) {
        return invalid(error, error_size, "projector, parts and prompt must not be NULL");
    }
    *prompt = nullptr;
    return guarded(error, error_size, [&] {
        std::vector<mtmd_input_text>         texts(n_parts);
        std::vector<mtmd_input_part>         list(n_parts);
        std::vector<const mtmd_input_part *> pointers(n_parts);
        mtmd::bitmaps                        bitmaps;
        bitmaps.entries.reserve(n_parts);
        for (size_t i = 0; i < n_parts; i++) {
            if (parts[i].image != nullptr) {
                const bitmap & content = parts[i].image->content;
                const size_t   index   = bitmaps.entries.size();
                bitmaps.entries.emplace_back((uint32_t) content.width, (uint32_t) content.height, content.pixels.data());
                bitmaps.entries.back().set_id(std::to_string(index).c_str());
                list[i].bitmap = bitmaps.entries.back().ptr.get();
            } else {
                texts[i]     = { parts[i].text, (size_t) parts[i].text_size, /* add_special */ false, parse_special };
                list[i].text = &texts[i];
            }
            pointers[i] = &list[i];
        }
        auto result = std::make_unique<moe_prompt>();
        result->chunks.reset(mtmd_input_chunks_init());
        const mtmd_context * context = projector->context.get();
        if (mtmd_tokenize_from_parts(context, result->chunks.get(), pointers.data(), n_parts, add_special) != 0) {
            return failed(error, error_size, "llama.cpp could not prepare the images");
        }
        result->uses_mrope = mtmd_decode_use_mrope(context);
        for (size_t i = 0; i < mtmd_input_chunks_size(result->chunks.get()); i++) {
            result->entries.push_back(describe(context, mtmd_input_chunks_get(result->chunks.get(), i)));
        }
        *prompt = result.release();
        return MOE_STATUS_OK;
    });
}

moe_status moe_prompt_free(moe_prompt * prompt, char * error, size_t error_size) {
    return guarded(error, error_size, [&] {
        delete prompt;
        return MOE_STATUS_OK;
    });
}

moe_status moe_prompt_chunks(
        const moe_prompt * prompt, moe_prompt_chunk * chunks, size_t capacity, size_t * count, char * error, size_t error_size) {
    if (prompt == nullptr || count == nullptr || (capacity > 0 && chunks == nullptr)) {
        return invalid(error, error_size, "prompt, chunks and count must not be NULL");
    }
    *count = prompt->entries.size();
    std::copy_n(prompt->entries.begin(), std::min(capacity, *count), chunks);
    return MOE_STATUS_OK;
}

moe_status moe_prompt_tokens(
        const moe_prompt * prompt, size_t chunk, llama_token * tokens, size_t n_tokens, char * error, size_t error_size) {
    if (prompt == nullptr || tokens == nullptr) {
        return invalid(error, error_size, "prompt and tokens must not be NULL");
    }
    return guarded(error, error_size, [&] {
        const mtmd_input_chunk * found = find_chunk(prompt, chunk, /* is_image */ false);
        size_t                   count = 0;
        const llama_token *      own   = found != nullptr ? mtmd_input_chunk_get_tokens_text(found, &count) : nullptr;
        if (own == nullptr || count != n_tokens) {
            return invalid(error, error_size, "the chunk does not have this many tokens");
        }
        std::copy_n(own, count, tokens);
        return MOE_STATUS_OK;
    });
}

moe_status moe_prompt_positions(
        const moe_prompt * prompt, size_t chunk, llama_pos first, size_t begin, llama_pos * positions, size_t n_tokens,
        char * error, size_t error_size) {
    if (prompt == nullptr || positions == nullptr) {
        return invalid(error, error_size, "prompt and positions must not be NULL");
    }
    return guarded(error, error_size, [&] {
        const mtmd_input_chunk * found = find_chunk(prompt, chunk, /* is_image */ true);
        if (found == nullptr || begin + n_tokens > mtmd_input_chunk_get_n_tokens(found)) {
            return invalid(error, error_size, "the chunk does not have this many embeddings");
        }
        const mtmd_image_tokens * image = mtmd_input_chunk_get_tokens_image(found);
        for (size_t i = 0; i < n_tokens; i++) {
            if (prompt->uses_mrope) {
                const mtmd_decoder_pos at = mtmd_image_tokens_get_decoder_pos(image, first, begin + i);
                positions[i]                = (llama_pos) at.t;
                positions[i + n_tokens]     = (llama_pos) at.y;
                positions[i + n_tokens * 2] = (llama_pos) at.x;
                positions[i + n_tokens * 3] = (llama_pos) at.z;
            } else {
                positions[i] = first + (llama_pos) (begin + i);
            }
        }
        return MOE_STATUS_OK;
    });
}

moe_status moe_prompt_encode(
        moe_projector * projector, const moe_prompt * prompt, size_t chunk, float * embeddings, size_t n_floats,
        char * error, size_t error_size) {
    if (projector == nullptr || prompt == nullptr || embeddings == nullptr) {
        return invalid(error, error_size, "projector, prompt and embeddings must not be NULL");
    }
    return guarded(error, error_size, [&] {
        const mtmd_input_chunk * found = find_chunk(prompt, chunk, /* is_image */ true);
        const size_t             count = found != nullptr ? mtmd_input_chunk_get_n_tokens(found) : 0;
        if (count == 0 || n_floats != count * (size_t) projector->width) {
            return invalid(error, error_size, "the chunk is not an image, or has another number of embeddings");
        }
        if (mtmd_encode_chunk(projector->context.get(), found) != 0) {
            return failed(error, error_size, "llama.cpp could not encode the image");
        }
        std::copy_n(mtmd_get_output_embd(projector->context.get()), n_floats, embeddings);
        return MOE_STATUS_OK;
    });
}
