// Atomic access to plain numbers in the caller's memory, which other threads read or write at the same time.
#ifndef MOE_ATOMIC_H
#define MOE_ATOMIC_H

// std::atomic_ref requires C++20, so the compiler's own functions for plain objects are used.
#ifdef _MSC_VER
#    include <atomic>
#endif

enum class memory { relaxed, ordered };

// An ordered load has acquire semantics: later reads are not moved before it.
template <typename T>
T load(const T & value, memory order = memory::relaxed) {
#ifdef _MSC_VER
    // Aligned volatile access of up to 64 bits is atomic on all processors that Windows runs on.
    const T read = *(const volatile T *) &value;
    if (order == memory::ordered) {
        std::atomic_thread_fence(std::memory_order_acquire);
    }
    return read;
#else
    return order == memory::ordered ? __atomic_load_n(&value, __ATOMIC_ACQUIRE) : __atomic_load_n(&value, __ATOMIC_RELAXED);
#endif
}

// An ordered store has release semantics: earlier writes are not moved after it.
template <typename T>
void store(T & value, T next, memory order = memory::relaxed) {
#ifdef _MSC_VER
    if (order == memory::ordered) {
        std::atomic_thread_fence(std::memory_order_release);
    }
    *(volatile T *) &value = next;
#else
    if (order == memory::ordered) {
        __atomic_store_n(&value, next, __ATOMIC_RELEASE);
    } else {
        __atomic_store_n(&value, next, __ATOMIC_RELAXED);
    }
#endif
}

#endif
