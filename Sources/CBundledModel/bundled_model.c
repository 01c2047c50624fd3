#include "CBundledModel.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

// Aligned so that the tensors inside can be read where they lie.
_Alignas(64) const unsigned char auricle_bundled_model[] = {
#embed "digits.safetensors"
};

const size_t auricle_bundled_model_size = sizeof auricle_bundled_model;
