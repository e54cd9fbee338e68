// Experts that stay in the model's files.
#include "moe_guard.h"
#include "moe_shim.h"

#include "expert_backend.h"

#include <algorithm>
#include <stdexcept>

namespace {

std::vector<experts::tensor_source> sources_of(const moe_expert_tensor * tensors, size_t n_tensors, size_t n_paths) {
    std::vector<experts::tensor_source> sources;
    for (size_t i = 0; i < n_tensors; i++) {
        const moe_expert_tensor & item = tensors[i];
        if (item.name == nullptr || item.file < 0 || (size_t) item.file >= n_paths || item.layer < 0 || item.n_experts <= 0 ||
            item.n_bytes == 0 || item.n_bytes % (uint64_t) item.n_experts != 0) {
            throw std::runtime_error("a tensor has no name, no bytes, or a file, a layer or a number of experts that is out of range");
        }
        sources.push_back({ item.name, (size_t) item.file, item.offset, item.n_bytes, item.layer, (uint32_t) item.n_experts });
    }
    return sources;
}

bool has_room_for_each(const experts::expert_store & store) {
    for (size_t tensor = 0; tensor < store.tensor_count(); tensor++) {
        for (uint32_t expert = 0; expert < store.source(tensor).n_experts; expert++) {
            if (store.bytes_of({ store.slice(tensor, expert) }) > store.limit()) {
                return false;
            }
        }
    }
    return true;
}

} // namespace

moe_status moe_experts_new(
        const char * const * paths, size_t n_paths, const moe_expert_tensor * tensors, size_t n_tensors, uint64_t limit,
        ggml_backend_buffer_type_t * experts, char * error, size_t error_size) {
    if (paths == nullptr || n_paths == 0 || tensors == nullptr || n_tensors == 0 || experts == nullptr) {
        return invalid(error, error_size, "paths, tensors and experts must not be NULL, nor n_paths or n_tensors 0");
    }
    *experts = nullptr;
    return guarded(error, error_size, [&] {
        auto store = experts::expert_store::open({ paths, paths + n_paths }, sources_of(tensors, n_tensors, n_paths), limit);
        if (!has_room_for_each(*store)) {
            store->close();
            return invalid(error, error_size, "the limit has no room for a single expert");
        }
        *experts = experts::new_buffer_type(std::move(store));
        return MOE_STATUS_OK;
    });
}

moe_status moe_experts_free(ggml_backend_buffer_type_t experts, char * error, size_t error_size) {
    return guarded(error, error_size, [&] {
        if (experts::store_of(experts) != nullptr) {
            experts::release_buffer_type(experts);
        }
        return MOE_STATUS_OK;
    });
}

moe_status moe_experts_counts(
        ggml_backend_buffer_type_t experts, moe_expert_use * layers, size_t n_layers, moe_expert_memory * memory,
        char * error, size_t error_size) {
    const experts::expert_store * store = experts::store_of(experts);
    if (store == nullptr || (n_layers > 0 && layers == nullptr) || memory == nullptr) {
        return invalid(error, error_size, "experts must be a buffer type of moe_experts_new, and layers and memory not NULL");
    }
    return guarded(error, error_size, [&] {
        std::vector<experts::layer_use> uses;
        experts::memory_use             use;
        store->read_counts(uses, use);
        std::fill_n(layers, n_layers, moe_expert_use{});
        for (size_t i = 0; i < std::min(n_layers, uses.size()); i++) {
            layers[i] = { uses[i].hits, uses[i].misses, uses[i].bytes_read, uses[i].wait_ns };
        }
        *memory = { use.limit, use.resident, use.peak, use.total };
        return MOE_STATUS_OK;
    });
}

moe_status moe_experts_inject(ggml_backend_buffer_type_t experts, moe_read_fault fault, void * data, char * error, size_t error_size) {
    experts::expert_store * store = experts::store_of(experts);
    if (store == nullptr) {
        return invalid(error, error_size, "experts must be a buffer type of moe_experts_new");
    }
    return guarded(error, error_size, [&] {
        store->set_fault(fault, data);
        return MOE_STATUS_OK;
    });
}
