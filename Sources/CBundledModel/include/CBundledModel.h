#pragma once
#include <stddef.h>

/// The bytes of `digits.safetensors`, compiled into the binary so that an installed executable carries its model
/// wherever it is copied.
const unsigned char *_Nonnull auricle_bundled_model_bytes(void);

/// Their number.
size_t auricle_bundled_model_size(void);
