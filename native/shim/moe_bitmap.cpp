#include "moe_bitmap.h"

#include <climits>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

namespace {

constexpr size_t allocation_overhead = 1 << 20;

// A compressed image can claim to expand to any size, so the decoder gets no more memory at once than an image of its dimensions needs.
thread_local size_t allocation_limit = allocation_overhead;

void * allocate(size_t size) {
    return size <= allocation_limit ? std::malloc(size) : nullptr;
}

void * reallocate(void * memory, size_t size) {
    return size <= allocation_limit ? std::realloc(memory, size) : nullptr;
}

} // namespace

#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_GIF
#define STBI_ONLY_BMP
#define STBI_MAX_DIMENSIONS 65500
#define STBI_MALLOC(size) allocate(size)
#define STBI_REALLOC(memory, size) reallocate(memory, size)
#define STBI_FREE(memory) std::free(memory)
#if defined(__GNUC__)
#    pragma GCC diagnostic push
#    pragma GCC diagnostic ignored "-Wunused-function"
#    pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
#include <stb/stb_image.h>
#if defined(__GNUC__)
#    pragma GCC diagnostic pop
#endif

namespace {

// Bytes for each pixel that the decoder needs at once: four channels of 16 bits. Its buffers double when they grow.
constexpr size_t most_bytes_per_pixel = 8;
constexpr size_t growth               = 2;

// Each scan of a JPEG decodes all of its pixels again. Cameras and programs write about ten.
constexpr size_t most_scans = 64;

// No model accepts such strips.
constexpr int32_t widest_shape = 200;

int length_of(size_t size) {
    if (size == 0) {
        throw bad_image("it is empty");
    }
    if (size > INT_MAX) {
        throw bad_image("it has more than 2 GiB");
    }
    return (int) size;
}

bool is_webp(const uint8_t * data, size_t size) {
    return size >= 12 && std::memcmp(data, "RIFF", 4) == 0 && std::memcmp(data + 8, "WEBP", 4) == 0;
}

bool has_known_signature(const uint8_t * data, size_t size) {
    const auto begins_with = [&](const char * signature) {
        const size_t length = std::strlen(signature);
        return size >= length && std::memcmp(data, signature, length) == 0;
    };
    return begins_with("\x89PNG") || begins_with("\xFF\xD8\xFF") || begins_with("GIF8") || begins_with("BM");
}

[[noreturn]] void refuse(const uint8_t * data, size_t size) {
    if (is_webp(data, size)) {
        throw bad_image("it is a WebP image, which is not supported; convert it to PNG or JPEG");
    }
    if (!has_known_signature(data, size)) {
        throw bad_image("it is not a PNG, JPEG, GIF or BMP image");
    }
    const char * reason = stbi_failure_reason();
    if (reason == nullptr || std::strcmp(reason, "unknown image type") == 0) {
        throw bad_image("its header is damaged, or says that it has no pixels or too many");
    }
    throw bad_image("it is damaged or of an unsupported kind (" + std::string(reason) + ")");
}

void check_scans(const uint8_t * data, size_t size) {
    if (size < 3 || data[0] != 0xFF || data[1] != 0xD8) {
        return;
    }
    size_t scans = 0;
    for (size_t i = 2; i + 1 < size; i++) {
        scans += data[i] == 0xFF && data[i + 1] == 0xDA ? 1 : 0;
    }
    if (scans > most_scans) {
        throw bad_image("it is a JPEG with more than " + std::to_string(most_scans) + " scans");
    }
}

void read_bitmap_size(const uint8_t * data, size_t size, int32_t & width, int32_t & height) {
    int channels = 0;
    allocation_limit = allocation_overhead;
    if (stbi_info_from_memory(data, length_of(size), &width, &height, &channels) == 0) {
        refuse(data, size);
    }
    if (width <= 0 || height <= 0) {
        throw bad_image("it has no pixels");
    }
}

} // namespace

bitmap decode_bitmap(const uint8_t * data, size_t size, int64_t max_pixels) {
    bitmap result;
    read_bitmap_size(data, size, result.width, result.height);
    const int64_t pixels = (int64_t) result.width * result.height;
    const std::string dimensions = std::to_string(result.width) + " x " + std::to_string(result.height) + " pixels";
    if (pixels > max_pixels) {
        throw bad_image("it has " + dimensions + ", which is more than " + std::to_string(max_pixels / 1000000) + " megapixels; make it smaller");
    }
    if (result.width > (int64_t) widest_shape * result.height || result.height > (int64_t) widest_shape * result.width) {
        throw bad_image("it has " + dimensions + ", so that one side is more than " + std::to_string(widest_shape) + " times the other");
    }
    check_scans(data, size);

    int width    = 0;
    int height   = 0;
    int channels = 0;
    allocation_limit = (size_t) pixels * most_bytes_per_pixel * growth + allocation_overhead + size;
    stbi_uc * decoded = stbi_load_from_memory(data, length_of(size), &width, &height, &channels, 3);
    if (decoded == nullptr) {
        refuse(data, size);
    }
    try {
        if (width != result.width || height != result.height) {
            throw bad_image("its parts contradict each other about its size");
        }
        result.pixels.assign(decoded, decoded + (size_t) pixels * 3);
    } catch (...) {
        stbi_image_free(decoded);
        throw;
    }
    stbi_image_free(decoded);
    return result;
}
