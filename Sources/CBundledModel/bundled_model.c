#include "CBundledModel.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char model[] = {
#embed "digits.safetensors"
};

const unsigned char *auricle_bundled_model_bytes(void) { return model; }

size_t auricle_bundled_model_size(void) { return sizeof model; }
