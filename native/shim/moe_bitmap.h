// Decodes images that come from strangers.
#ifndef MOE_BITMAP_H
#define MOE_BITMAP_H

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

// An image that is damaged, of an unknown format, or too large.
class bad_image : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct bitmap {
    int32_t              width  = 0;
    int32_t              height = 0;
    std::vector<uint8_t> pixels; // RGB
};

// Throws bad_image.
bitmap decode_bitmap(const uint8_t * data, size_t size, int64_t max_pixels);

#endif
