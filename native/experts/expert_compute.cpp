#include "expert_compute.h"

#include "ggml-impl.h"

#include <algorithm>
#include <cstring>
#include <memory>

namespace experts {

namespace {

using slice_list = expert_store::slice_list;

// A tensor or a view as it is in memory.
const char * element(const ggml_tensor * tensor, int64_t i1, int64_t i2) {
    return (const char *) tensor->data + i1 * tensor->nb[1] + i2 * tensor->nb[2];
}

int32_t expert_at(const ggml_tensor * ids, int64_t slot, int64_t token) {
    return *(const int32_t *) ((const char *) ids->data + slot * ids->nb[0] + token * ids->nb[1]);
}

// The experts that tokens need in some tensors of a layer, in ascending order.
struct layer_need {
    const ggml_tensor *   ids;
    int32_t               layer;
    uint32_t              n_experts;
    std::vector<size_t>   tensors;
    std::vector<uint32_t> used;
};

std::vector<uint32_t> used_experts(const ggml_tensor * ids, int64_t n_experts) {
    std::vector<bool> is_used((size_t) n_experts);
    for (int64_t token = 0; token < ids->ne[1]; token++) {
        for (int64_t slot = 0; slot < ids->ne[0]; slot++) {
            const int32_t expert = expert_at(ids, slot, token);
            GGML_ASSERT(expert >= 0 && expert < n_experts);
            is_used[(size_t) expert] = true;
        }
    }
    std::vector<uint32_t> used;
    for (uint32_t expert = 0; expert < n_experts; expert++) {
        if (is_used[expert]) {
            used.push_back(expert);
        }
    }
    return used;
}

class computation {
public:
    computation(ggml_backend_t cpu, ggml_cgraph * graph, const expert_store::stop_function & should_stop, std::string & error)
        : cpu(cpu), graph(graph), should_stop(should_stop), error(error) {}

    ggml_status run() {
        find_multiplications();
        if (multiplications.empty()) {
            return ggml_backend_graph_compute(cpu, graph);
        }
        store = store_of_tensor(graph->nodes[multiplications[0]]->src[0]);
        return knows_experts() ? run_known() : run_each();
    }

private:
    void find_multiplications() {
        for (int i = 0; i < graph->n_nodes; i++) {
            const ggml_tensor * node = graph->nodes[i];
            if (node->op == GGML_OP_MUL_MAT_ID && store_of_tensor(node->src[0]) != nullptr && (node->flags & GGML_TENSOR_FLAG_COMPUTE) != 0) {
                multiplications.push_back(i);
            }
        }
    }

    // The experts are known before the graph is computed, unless it computes the choice itself.
    bool knows_experts() const {
        return std::none_of(multiplications.begin(), multiplications.end(), [&](int i) {
            const ggml_tensor * ids = graph->nodes[i]->src[2];
            return std::any_of(graph->nodes, graph->nodes + graph->n_nodes, [&](const ggml_tensor * node) {
                return node == ids || (ids->view_src != nullptr && (node == ids->view_src || node->view_src == ids->view_src));
            });
        });
    }

    ggml_status run_known() {
        std::vector<layer_need> needs;
        for (const int i : multiplications) {
            add_need(needs, graph->nodes[i]);
        }
        slice_list slices;
        for (const layer_need & need : needs) {
            store->count_use(need.layer, need.tensors, need.used);
            for (const size_t tensor : need.tensors) {
                for (const uint32_t expert : need.used) {
                    slices.push_back(store->slice(tensor, expert));
                }
            }
        }
        counted = true;
        if (store->bytes_of(slices) > store->limit()) {
            return run_each();
        }
        const layer_need & last      = needs.back();
        const bool         is_stream = uses_most(last.used.size(), last.n_experts);
        const held         loaded(*store, std::move(slices), is_stream, should_stop);
        if (loaded.result() != outcome::ready) {
            return stop(loaded);
        }
        if (is_stream) {
            store->prefetch(store->next_layer(last.layer));
        }
        return ggml_backend_graph_compute(cpu, graph);
    }

    static bool uses_most(size_t used, size_t all) {
        return used * 4 >= all * 3;
    }

    void add_need(std::vector<layer_need> & needs, const ggml_tensor * node) const {
        const size_t          tensor = tensor_index(node->src[0]);
        const tensor_source & source = store->source(tensor);
        const auto            same   = std::find_if(needs.begin(), needs.end(), [&](const layer_need & need) {
            return need.ids == node->src[2] && need.layer == source.layer && need.n_experts == source.n_experts;
        });
        if (same == needs.end()) {
            needs.push_back({ node->src[2], source.layer, source.n_experts, { tensor }, used_experts(node->src[2], source.n_experts) });
        } else {
            same->tensors.push_back(tensor);
        }
    }

    // Computes each multiplication by itself, with as many experts at once as fit within the limit.
    ggml_status run_each() {
        int done = 0;
        for (const int i : multiplications) {
            ggml_status status = run_nodes(done, i);
            status             = status == GGML_STATUS_SUCCESS ? multiply(graph->nodes[i], i) : status;
            if (status != GGML_STATUS_SUCCESS) {
                return status;
            }
            done = i + 1;
        }
        return run_nodes(done, graph->n_nodes);
    }

    ggml_status run_nodes(int first, int end) const {
        if (first == end) {
            return GGML_STATUS_SUCCESS;
        }
        ggml_cgraph part = *graph;
        part.size        = 0;
        part.nodes += first;
        part.n_nodes = end - first;
        part.n_leafs = 0;
        part.leafs   = nullptr;
        part.uid     = 0;
        return ggml_backend_graph_compute(cpu, &part);
    }

    ggml_status multiply(ggml_tensor * node, int index) {
        const size_t                tensor = tensor_index(node->src[0]);
        const tensor_source &       source = store->source(tensor);
        const std::vector<uint32_t> used   = used_experts(node->src[2], source.n_experts);
        if (!counted) {
            store->count_use(source.layer, { tensor }, used);
        }
        const std::vector<slice_list> groups = split(tensor, used);
        for (size_t i = 0; i < groups.size(); i++) {
            const held loaded(*store, groups[i], uses_most(used.size(), source.n_experts), should_stop);
            if (loaded.result() != outcome::ready) {
                return stop(loaded);
            }
            if (i + 1 < groups.size()) {
                store->prefetch(groups[i + 1]);
            }
            const ggml_status status = groups.size() == 1 ? run_nodes(index, index + 1) : multiply_group(node, tensor, groups[i]);
            if (status != GGML_STATUS_SUCCESS) {
                return status;
            }
        }
        return GGML_STATUS_SUCCESS;
    }

    // Splits the slices of experts into groups. Two groups fit within the limit, so that one can be read while another one computes.
    std::vector<slice_list> split(size_t tensor, const std::vector<uint32_t> & used) const {
        slice_list all;
        for (const uint32_t expert : used) {
            all.push_back(store->slice(tensor, expert));
        }
        if (store->bytes_of(all) <= store->limit()) {
            return { all };
        }
        std::vector<slice_list> groups;
        uint64_t                bytes = 0;
        for (const expert_store::slice_id slice : all) {
            const uint64_t more = store->bytes_of({ slice });
            if (groups.empty() || bytes + more > store->limit() / 2) {
                groups.emplace_back();
                bytes = 0;
            }
            groups.back().push_back(slice);
            bytes += more;
        }
        return groups;
    }

    // Computes the rows of some experts. Each row is computed as it would be among all others.
    ggml_status multiply_group(ggml_tensor * node, size_t tensor, const slice_list & group) const {
        const ggml_tensor * input = node->src[1];
        const ggml_tensor * ids   = node->src[2];

        std::vector<std::pair<int64_t, int64_t>> rows; // slot and token
        std::vector<int32_t>                     chosen;
        for (int64_t token = 0; token < ids->ne[1]; token++) {
            for (int64_t slot = 0; slot < ids->ne[0]; slot++) {
                const int32_t expert = expert_at(ids, slot, token);
                if (std::binary_search(group.begin(), group.end(), store->slice(tensor, (uint32_t) expert))) {
                    rows.emplace_back(slot, token);
                    chosen.push_back(expert);
                }
            }
        }

        const int64_t n           = (int64_t) rows.size();
        const size_t  input_row   = ggml_row_size(input->type, input->ne[0]);
        const size_t  output_row  = (size_t) node->ne[0] * sizeof(float);
        const size_t  memory_size = 8 * ggml_tensor_overhead() + ggml_graph_overhead_custom(4, false) +
            rows.size() * (input_row + output_row + sizeof(int32_t)) + 8 * GGML_MEM_ALIGN;
        const std::unique_ptr<ggml_context, decltype(&ggml_free)> memory(ggml_init({ memory_size, nullptr, false }), ggml_free);
        if (memory == nullptr) {
            return GGML_STATUS_ALLOC_FAILED;
        }

        ggml_tensor * inputs = ggml_new_tensor_3d(memory.get(), input->type, input->ne[0], 1, n);
        ggml_tensor * choice = ggml_new_tensor_2d(memory.get(), GGML_TYPE_I32, 1, n);
        std::memcpy(choice->data, chosen.data(), chosen.size() * sizeof(int32_t));
        for (int64_t i = 0; i < n; i++) {
            std::memcpy((char *) inputs->data + i * inputs->nb[2], element(input, rows[i].first % input->ne[1], rows[i].second), input_row);
        }
        ggml_tensor * product = ggml_mul_mat_id(memory.get(), node->src[0], inputs, choice);
        std::memcpy(product->op_params, node->op_params, sizeof(product->op_params));
        ggml_cgraph * one = ggml_new_graph_custom(memory.get(), 4, false);
        ggml_build_forward_expand(one, product);
        const ggml_status status = ggml_backend_graph_compute(cpu, one);
        for (int64_t i = 0; i < n && status == GGML_STATUS_SUCCESS; i++) {
            char * target = (char *) node->data + rows[i].first * node->nb[1] + rows[i].second * node->nb[2];
            std::memcpy(target, (const char *) product->data + i * product->nb[2], output_row);
        }
        return status;
    }

    ggml_status stop(const held & slices) const {
        error = slices.error();
        return slices.result() == outcome::stopped ? GGML_STATUS_ABORTED : GGML_STATUS_FAILED;
    }

    ggml_backend_t                      cpu;
    ggml_cgraph *                       graph;
    const expert_store::stop_function & should_stop;
    std::string &                       error;
    expert_store *                      store   = nullptr;
    bool                                counted = false;
    std::vector<int>                    multiplications;
};

} // namespace

bool is_part_of_experts(const ggml_tensor * node) {
    switch (node->op) {
        case GGML_OP_MUL_MAT_ID:
            return store_of_tensor(node->src[0]) != nullptr;
        case GGML_OP_ADD_ID: // a bias of each expert
        case GGML_OP_MUL:    // the weight of each expert, or a scale
        case GGML_OP_UNARY:
        case GGML_OP_CLAMP:
        case GGML_OP_SCALE:
        case GGML_OP_SQR:
        case GGML_OP_CONT:
        case GGML_OP_VIEW:
        case GGML_OP_RESHAPE:
            return is_part_of_experts(node->src[0]);
        case GGML_OP_GLU:
            return is_part_of_experts(node->src[0]) && (node->src[1] == nullptr || is_part_of_experts(node->src[1]));
        case GGML_OP_ADD: // the sum of the experts
            return is_part_of_experts(node->src[0]) && is_part_of_experts(node->src[1]);
        default:
            return false;
    }
}

ggml_status compute(ggml_backend_t cpu, ggml_cgraph * graph, const expert_store::stop_function & should_stop, std::string & error) {
    return computation(cpu, graph, should_stop, error).run();
}

} // namespace experts
