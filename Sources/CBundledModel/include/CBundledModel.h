#pragma once
#include <stddef.h>

/// The bundled model: the bytes of `digits.safetensors`, compiled into the binary so that an installed
/// executable carries it wherever it is copied.
extern const unsigned char auricle_bundled_model[];

/// Length of `auricle_bundled_model` in bytes.
extern const size_t auricle_bundled_model_size;
