// Computes a part of a graph whose experts an expert_store loads.
#ifndef MOE_EXPERT_COMPUTE_H
#define MOE_EXPERT_COMPUTE_H

#include "expert_store.h"

#include "ggml-backend.h"
#include "ggml.h"

namespace experts {

// Returns the store of a tensor that holds experts, or NULL.
expert_store * store_of_tensor(const ggml_tensor * tensor);

// Returns the index that such a tensor has in its store.
size_t tensor_index(const ggml_tensor * tensor);

// Determines whether a node multiplies with experts, or only continues with the results of one that does.
bool is_part_of_experts(const ggml_tensor * node);

// Computes a graph with the CPU backend. `error` says why if the status is GGML_STATUS_FAILED.
ggml_status compute(ggml_backend_t cpu, ggml_cgraph * graph, const expert_store::stop_function & should_stop, std::string & error);

// Slices that stay in memory as long as this object exists.
class held {
public:
    held(expert_store & store, expert_store::slice_list slices, bool is_stream, const expert_store::stop_function & should_stop)
        : store(store), slices(std::move(slices)), state(store.acquire(this->slices, is_stream, should_stop, reason)) {}

    ~held() {
        if (state == outcome::ready) {
            store.release(slices);
        }
    }

    held(const held &) = delete;
    held & operator=(const held &) = delete;

    outcome result() const {
        return state;
    }

    const std::string & error() const {
        return reason;
    }

private:
    expert_store &           store;
    expert_store::slice_list slices;
    std::string              reason;
    outcome                  state;
};

} // namespace experts

#endif
