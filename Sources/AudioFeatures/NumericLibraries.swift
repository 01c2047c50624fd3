import CFFTW
import CKernels

/// What features and networks are computed with.
package enum NumericLibraries {
  /// "fftw-3.3.10-sse2-avx".
  package static var fftwVersion: String { String(cString: auricle_fftw_version()) }
  /// Of the kernels that this processor was given: "avx512", "avx2", "baseline", "neon".
  package static var instructionSet: String { String(cString: auricle_kernels_f32().pointee.isa) }
}
