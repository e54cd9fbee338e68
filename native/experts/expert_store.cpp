#include "expert_store.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace experts {

namespace {

constexpr int    reader_count = 4;
constexpr size_t piece_bytes  = 4 << 20;

// How often a computation that waits asks whether it should stop.
constexpr std::chrono::milliseconds stop_interval(20);

// How long a read may take until it is abandoned when the model is freed.
constexpr std::chrono::seconds close_limit(10);

size_t pages_for(uint64_t bytes) {
    return (size_t) ((bytes + page_size() - 1) / page_size());
}

} // namespace

std::shared_ptr<expert_store> expert_store::open(std::vector<std::string> paths, std::vector<tensor_source> sources, uint64_t limit) {
    std::shared_ptr<expert_store> store(new expert_store(std::move(paths), std::move(sources), limit));
    store->start_readers();
    return store;
}

expert_store::expert_store(std::vector<std::string> paths, std::vector<tensor_source> sources, uint64_t limit)
    : limit_pages((size_t) (limit / page_size())) {
    for (std::string & path : paths) {
        files.push_back(std::make_unique<source_file>(std::move(path)));
    }

    slice_id count = 0;
    int32_t  layer = -1;
    for (tensor_source & source : sources) {
        if (source.offset + source.n_bytes > files.at(source.file)->size()) {
            throw std::runtime_error("tensor '" + source.name + "' is not wholly in its file");
        }
        tensor added;
        added.slice_size = source.n_bytes / source.n_experts;
        added.lead       = (size_t) (source.offset % page_size());
        added.pages      = nullptr;
        added.first      = count;
        layer            = std::max(layer, source.layer);
        count += source.n_experts;
        size += pages_for(added.lead + source.n_bytes) * page_size();
        entries.insert(entries.end(), source.n_experts, entry());
        std::for_each(entries.end() - source.n_experts, entries.end(), [&](entry & item) { item.tensor = (uint32_t) tensors.size(); });
        added.source = std::move(source);
        tensors.push_back(std::move(added));
    }

    layers.resize((size_t) (layer + 1));
    entries.emplace_back();
    entries.back().prev = entries.back().next = count;
    range = std::make_unique<address_range>(std::max(size, page_size()));
    char * at = range->data();
    for (tensor & item : tensors) {
        item.pages = at;
        at += pages_for(item.lead + item.source.n_bytes) * page_size();
    }
}

int expert_store::find(const char * name) const {
    const auto at = std::find_if(tensors.begin(), tensors.end(), [&](const tensor & item) { return item.source.name == name; });
    return at != tensors.end() ? (int) (at - tensors.begin()) : -1;
}

expert_store::slice_list expert_store::next_layer(int32_t layer) const {
    int32_t next = -1;
    for (const tensor & item : tensors) {
        if (item.present && item.source.layer > layer && (next < 0 || item.source.layer < next)) {
            next = item.source.layer;
        }
    }
    slice_list slices;
    for (const tensor & item : tensors) {
        for (uint32_t expert = 0; item.present && item.source.layer == next && expert < item.source.n_experts; expert++) {
            slices.push_back(item.first + expert);
        }
    }
    return slices;
}

uint64_t expert_store::bytes_of(const slice_list & slices) const {
    uint64_t pages = 0;
    for (const slice_id id : slices) {
        const page_span span = span_of(id);
        pages += span.last - span.first + 1;
    }
    return pages * page_size();
}

void expert_store::count_use(int32_t layer, const std::vector<size_t> & of, const std::vector<uint32_t> & used) {
    std::lock_guard<std::mutex> lock(mutex);
    for (const uint32_t expert : used) {
        const bool hit = std::all_of(of.begin(), of.end(), [&](size_t tensor) { return entries[slice(tensor, expert)].now != state::absent; });
        (hit ? layers[(size_t) layer].hits : layers[(size_t) layer].misses)++;
    }
}

outcome expert_store::acquire(const slice_list & slices, bool is_stream, const stop_function & should_stop, std::string & error) {
    const auto start = std::chrono::steady_clock::now();

    std::unique_lock<std::timed_mutex> first(turn, std::defer_lock);
    while (!first.try_lock_for(stop_interval)) {
        if (should_stop()) {
            return outcome::stopped;
        }
    }

    std::unique_lock<std::mutex> lock(mutex);
    bool       waited  = false;
    bool       stopped = false;
    const auto wait    = [&] {
        waited = true;
        changed.wait_for(lock, stop_interval);
        stopped = should_stop();
    };
    for (const slice_id id : slices) {
        entries[id].pins++;
        if (entries[id].now != state::absent) {
            entries[id].streamed &= is_stream;
            touch(id);
        }
    }
    bool enough = true;
    for (size_t i = 0; i < slices.size() && enough && !stopped; i++) {
        while (entries[slices[i]].now == state::absent && !stopped) {
            if (make_room(slices[i])) {
                enough = begin_loading(slices[i], is_stream);
                break;
            }
            wait();
        }
    }
    first.unlock();
    const auto is_loading = [&](slice_id id) { return entries[id].now == state::loading; };
    while (enough && !stopped && std::any_of(slices.begin(), slices.end(), is_loading)) {
        wait();
    }

    if (waited && !slices.empty()) {
        layers[(size_t) tensors[entries[slices[0]].tensor].source.layer].wait_ns +=
            std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start).count();
    }
    const bool ready = std::all_of(slices.begin(), slices.end(), [&](slice_id id) { return entries[id].now == state::ready; });
    if (ready && !stopped) {
        return outcome::ready;
    }
    unpin(slices);
    if (stopped) {
        return outcome::stopped;
    }
    error = enough ? last_error : "the system has no memory for the experts: lower the limit";
    return outcome::failed;
}

void expert_store::release(const slice_list & slices) {
    std::lock_guard<std::mutex> lock(mutex);
    unpin(slices);
}

void expert_store::prefetch(const slice_list & slices) {
    std::unique_lock<std::timed_mutex> first(turn, std::try_to_lock);
    if (!first.owns_lock()) {
        return;
    }
    std::lock_guard<std::mutex> lock(mutex);
    for (const slice_id id : slices) {
        entries[id].pins++; // so that they do not evict each other
    }
    for (const slice_id id : slices) {
        if (entries[id].now == state::absent && !(make_room(id) && begin_loading(id, true))) {
            break;
        }
    }
    unpin(slices);
}

void expert_store::read_counts(std::vector<layer_use> & uses, memory_use & memory) const {
    std::lock_guard<std::mutex> lock(mutex);
    uses            = layers;
    memory.limit    = limit();
    memory.resident = resident_pages * page_size();
    memory.peak     = peak_pages * page_size();
    memory.total    = 0;
    for (const tensor & item : tensors) {
        memory.total += item.present ? item.source.n_bytes : 0;
    }
}

void expert_store::set_fault(read_fault next, void * data) {
    std::lock_guard<std::mutex> lock(mutex);
    fault      = next;
    fault_data = data;
}

// Reading: a slice is read in pieces, by several threads.

void expert_store::start_readers() {
    const std::shared_ptr<expert_store> self = shared_from_this();
    try {
        for (int i = 0; i < reader_count; i++) {
            std::thread([self] { self->read_pieces(); }).detach();
            std::lock_guard<std::mutex> lock(mutex);
            n_readers++;
        }
    } catch (const std::system_error &) {
        close();
        throw std::runtime_error("the threads that read experts could not be started");
    }
}

void expert_store::close() {
    std::unique_lock<std::mutex> lock(mutex);
    closing = true;
    work_arrived.notify_all();
    changed.wait_for(lock, close_limit, [&] { return n_readers <= 0; });
}

void expert_store::read_pieces() {
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
        work_arrived.wait(lock, [&] { return closing || !queue.empty(); });
        if (closing) {
            break;
        }
        const piece work = queue.front();
        queue.pop_front();
        const read_fault injected = fault;
        void * const     data     = fault_data;
        lock.unlock();
        const std::string reason = read(work, injected, data);
        lock.lock();
        finish(work, reason);
    }
    n_readers--;
    changed.notify_all();
}

// Returns the reason if it fails.
std::string expert_store::read(const piece & work, read_fault injected, void * injected_data) {
    const tensor & item  = tensors[entries[work.slice].tensor];
    const uint64_t start = item.source.offset - item.lead + work.first_page * page_size();
    const uint64_t end   = item.source.offset + item.source.n_bytes;
    const size_t   size  = work.n_pages * page_size();
    try {
        if (const char * reason = injected != nullptr ? injected(injected_data, (int32_t) item.source.file, start) : nullptr) {
            return reason;
        }
        files[item.source.file]->read(item.pages + work.first_page * page_size(), start, size, (size_t) std::min<uint64_t>(size, end - start));
        return std::string();
    } catch (const std::exception & failure) {
        return failure.what();
    }
}

void expert_store::finish(const piece & work, const std::string & reason) {
    entry & item = entries[work.slice];
    layers[(size_t) tensors[item.tensor].source.layer].bytes_read += (int64_t) (work.n_pages * page_size());
    if (!reason.empty()) {
        item.failed = true;
        last_error  = reason;
    }
    if (--item.pieces == 0) {
        if (item.failed) {
            drop(work.slice);
        } else {
            item.now = state::ready;
        }
        changed.notify_all();
    }
}

// Memory: pages are counted exactly. Neighbouring experts share the page in which one ends and the other begins.

expert_store::page_span expert_store::span_of(slice_id id) const {
    const tensor & item  = tensors[entries[id].tensor];
    const uint64_t start = item.lead + (id - item.first) * item.slice_size;
    return { (size_t) (start / page_size()), (size_t) ((start + item.slice_size - 1) / page_size()) };
}

// Determines whether another slice that is loaded has a part of a page.
bool expert_store::is_shared(slice_id id, size_t page) const {
    const tensor & item  = tensors[entries[id].tensor];
    const uint64_t start = page * page_size() > item.lead ? page * page_size() - item.lead : 0;
    const uint64_t last  = (page + 1) * page_size() - 1 - item.lead;
    const uint64_t end   = std::min<uint64_t>(last / item.slice_size, item.source.n_experts - 1);
    for (uint64_t expert = start / item.slice_size; expert <= end; expert++) {
        const slice_id other = item.first + (slice_id) expert;
        if (other != id && entries[other].now != state::absent) {
            return true;
        }
    }
    return false;
}

expert_store::page_span expert_store::own_pages(slice_id id) const {
    page_span  span = span_of(id);
    const bool one  = span.first == span.last;
    if (!one && is_shared(id, span.last)) {
        span.last--;
    }
    if (is_shared(id, span.first)) {
        span.first++;
    }
    return span;
}

size_t expert_store::cost_of(slice_id id) const {
    const page_span own = own_pages(id);
    return own.last + 1 - own.first;
}

// Evicts slices until there is room for one. Returns false if the others are in use.
bool expert_store::make_room(slice_id id) {
    const slice_id end = (slice_id) entries.size() - 1;
    slice_id       at  = entries[end].next;
    while (resident_pages + cost_of(id) > limit_pages) {
        while (at != end && (entries[at].pins > 0 || entries[at].now == state::loading)) {
            at = entries[at].next;
        }
        if (at == end) {
            return false;
        }
        const slice_id next = entries[at].next;
        drop(at);
        at = next;
    }
    return true;
}

bool expert_store::begin_loading(slice_id id, bool is_stream) {
    entry &         item = entries[id];
    const tensor &  of   = tensors[item.tensor];
    const page_span span = span_of(id);
    const size_t    n    = span.last - span.first + 1;
    if (!range->commit(of.pages + span.first * page_size(), n * page_size())) {
        return false;
    }
    resident_pages += cost_of(id);
    peak_pages    = std::max(peak_pages, resident_pages);
    item.now      = state::loading;
    item.failed   = false;
    item.streamed = is_stream;
    link_before(id, (slice_id) entries.size() - 1);
    const size_t n_pieces = (n * page_size() + piece_bytes - 1) / piece_bytes;
    item.pieces           = (uint32_t) n_pieces;
    for (size_t i = 0; i < n_pieces; i++) {
        const size_t from = n * i / n_pieces;
        const size_t to   = n * (i + 1) / n_pieces;
        queue.push_back({ id, span.first + from, to - from });
    }
    work_arrived.notify_all();
    return true;
}

void expert_store::drop(slice_id id) {
    entries[id].now = state::absent;
    unlink(id);
    const page_span own = own_pages(id);
    if (own.first <= own.last) {
        range->discard(tensors[entries[id].tensor].pages + own.first * page_size(), (own.last + 1 - own.first) * page_size());
        resident_pages -= own.last + 1 - own.first;
    }
}

void expert_store::unlink(slice_id id) {
    entries[entries[id].prev].next = entries[id].next;
    entries[entries[id].next].prev = entries[id].prev;
}

void expert_store::link_before(slice_id id, slice_id next) {
    entries[id].next               = next;
    entries[id].prev               = entries[next].prev;
    entries[entries[next].prev].next = id;
    entries[next].prev             = id;
}

void expert_store::touch(slice_id id) {
    unlink(id);
    link_before(id, (slice_id) entries.size() - 1);
}

void expert_store::unpin(const slice_list & slices) {
    const slice_id end = (slice_id) entries.size() - 1;
    for (const slice_id id : slices) {
        if (--entries[id].pins == 0 && entries[id].streamed && entries[id].now == state::ready) {
            unlink(id);
            link_before(id, entries[end].next);
        }
    }
    changed.notify_all();
}

} // namespace experts
