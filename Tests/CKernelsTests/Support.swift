import CKernels

/// Every single-precision table that this machine runs.
let tables: [String] = ["baseline", "neon", "avx2", "avx512"].filter { auricle_kernels_named($0) != nil }

extension UnsafePointer<auricle_kernels> {
  /// The table for an instruction set in `tables`.
  static func named(_ name: String) -> UnsafePointer<auricle_kernels> {
    auricle_kernels_named(name) ?? auricle_kernels_f32()
  }
}

/// Random numbers in -1 ..< 1, always the same for one seed.
func noise(_ count: Int, seed: UInt64) -> [Float] {
  var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
  return (0..<count).map { _ in
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Float(Int32(truncatingIfNeeded: state >> 32)) / 2_147_483_648
  }
}
