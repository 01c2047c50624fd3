import CKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The number type of a network: `Float` for work, `Double` so that gradient checks run the very same code.
protocol NetworkScalar: BinaryFloatingPoint, BitwiseCopyable, Sendable {
  static var kernels: UnsafePointer<auricle_kernels> { get }
  static func pack(
    _ rows: Int, _ columns: Int, _ matrix: UnsafePointer<Self>, _ rowStep: Int, _ columnStep: Int,
    _ packed: UnsafeMutablePointer<Self>)
}

extension Float: NetworkScalar {
  static var kernels: UnsafePointer<auricle_kernels> { auricle_kernels_f32() }
  static func pack(
    _ rows: Int, _ columns: Int, _ matrix: UnsafePointer<Float>, _ rowStep: Int, _ columnStep: Int,
    _ packed: UnsafeMutablePointer<Float>
  ) { auricle_pack_f32(rows, columns, matrix, rowStep, columnStep, packed) }
}

extension Double: NetworkScalar {
  static var kernels: UnsafePointer<auricle_kernels> { auricle_kernels_f64() }
  static func pack(
    _ rows: Int, _ columns: Int, _ matrix: UnsafePointer<Double>, _ rowStep: Int, _ columnStep: Int,
    _ packed: UnsafeMutablePointer<Double>
  ) { auricle_pack_f64(rows, columns, matrix, rowStep, columnStep, packed) }
}

/// One axis of a matrix as it is stored (`segments` blocks of `size`) and as the kernels see it (each block padded with
/// zeros to a multiple of `AURICLE_COLUMN_UNIT`). The columns of a GRU's gates are 3 segments of the hidden size, the
/// inputs of a layer above a bidirectional one are 2.
struct Axis: Hashable, Sendable {
  let segments: Int
  let size: Int

  init(_ size: Int, segments: Int = 1) {
    self.segments = segments
    self.size = size
  }

  var count: Int { segments * size }
  var paddedSize: Int { (size + Int(AURICLE_COLUMN_UNIT) - 1) / Int(AURICLE_COLUMN_UNIT) * Int(AURICLE_COLUMN_UNIT) }
  var paddedCount: Int { segments * paddedSize }
  /// What a product must sum over: padding between segments, but none at the end of a single one.
  var depth: Int { segments == 1 ? size : paddedCount }

}

/// Memory for kernels: aligned to a cache line, zero at first, and grown, never shrunk, by its owner.
///
/// `@unchecked Sendable` because it is shared only once it is no longer written: packed weights are filled by the
/// initialiser of the type that holds them; the buffers of a tape belong to that tape, which is not `Sendable`.
final class Buffer<Scalar: NetworkScalar>: @unchecked Sendable {
  private(set) var base: UnsafeMutablePointer<Scalar>
  private(set) var count: Int

  init(_ count: Int = 0) {
    self.count = count
    base = Buffer.allocate(count)
  }

  /// Memory that holds anything, and none of the machine's until it is written.
  init(uninitialized count: Int) {
    self.count = count
    base = Buffer.memory(count)
  }

  deinit { base.deallocate() }

  /// Room for `count` elements. What a grown buffer held is gone; new memory is zero.
  func reserve(_ count: Int) {
    guard count > self.count else { return }
    base.deallocate()
    base = Buffer.allocate(count)
    self.count = count
  }

  func clear(_ count: Int) {
    zero(base, count: count)
  }

  /// Larger memory comes in these pages, where the system has them: one fault in place of 512, and fewer misses of the
  /// translation buffer.
  private static var hugePage: Int { 1 << 21 }

  private static func allocate(_ count: Int) -> UnsafeMutablePointer<Scalar> {
    let base = memory(count)
    zero(base, count: max(1, count))
    return base
  }

  private static func memory(_ count: Int) -> UnsafeMutablePointer<Scalar> {
    let size = max(1, count) * MemoryLayout<Scalar>.stride
    let raw = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: size < hugePage ? 64 : hugePage)
    #if os(Linux)
      // Advice: nothing is lost where it is not taken.
      if size >= hugePage { madvise(raw, size / hugePage * hugePage, MADV_HUGEPAGE) }
    #endif
    return raw.bindMemory(to: Scalar.self, capacity: max(1, count))
  }
}

/// Writes zeros; as bytes, since generic code that is not specialised would go element by element.
func zero<Scalar: NetworkScalar>(_ base: UnsafeMutablePointer<Scalar>, count: Int) {
  auricle_clear(base, count * MemoryLayout<Scalar>.stride)
}

/// Copies between a matrix as it is stored and the padded one the kernels see.
enum Padding<Scalar: NetworkScalar> {
  /// `padded` (rows.paddedCount x columns.paddedCount), zero where there is padding.
  static func expand(
    _ stored: UnsafePointer<Scalar>, leading: Int, rows: Axis, columns: Axis, into padded: UnsafeMutablePointer<Scalar>
  ) {
    zero(padded, count: rows.paddedCount * columns.paddedCount)
    forEachRun(leading: leading, rows: rows, columns: columns) { storedOffset, paddedOffset, count in
      (padded + paddedOffset).update(from: stored + storedOffset, count: count)
    }
  }

  /// Adds the padded matrix, without its padding, to the stored one.
  static func addCollapsed(
    _ padded: UnsafePointer<Scalar>, rows: Axis, columns: Axis, leading: Int, to stored: UnsafeMutablePointer<Scalar>
  ) {
    forEachRun(leading: leading, rows: rows, columns: columns) { storedOffset, paddedOffset, count in
      let from = padded + paddedOffset
      let to = stored + storedOffset
      Scalar.kernels.pointee.add(count, to, from, to)
    }
  }

  /// The same for one row, such as a bias.
  static func expandRow(_ stored: UnsafePointer<Scalar>, _ columns: Axis, into padded: UnsafeMutablePointer<Scalar>) {
    for segment in 0..<columns.segments {
      (padded + segment * columns.paddedSize).update(from: stored + segment * columns.size, count: columns.size)
    }
  }

  static func addCollapsedRow(_ padded: UnsafePointer<Scalar>, _ columns: Axis, to stored: UnsafeMutablePointer<Scalar>)
  {
    for segment in 0..<columns.segments {
      for i in 0..<columns.size { stored[segment * columns.size + i] += padded[segment * columns.paddedSize + i] }
    }
  }

  private static func forEachRun(leading: Int, rows: Axis, columns: Axis, _ body: (Int, Int, Int) -> Void) {
    for rowSegment in 0..<rows.segments {
      for row in 0..<rows.size {
        let stored = (rowSegment * rows.size + row) * leading
        let padded = (rowSegment * rows.paddedSize + row) * columns.paddedCount
        for segment in 0..<columns.segments {
          body(stored + segment * columns.size, padded + segment * columns.paddedSize, columns.size)
        }
      }
    }
  }
}

/// Packs stored matrices for `gemm`, padding them on the way.
struct Packer<Scalar: NetworkScalar> {
  private let padded = Buffer<Scalar>()

  /// B = the stored matrix, rows x columns.
  func pack(_ stored: UnsafePointer<Scalar>, leading: Int, rows: Axis, columns: Axis) -> Buffer<Scalar> {
    let (k, n) = expand(stored, leading: leading, rows: rows, columns: columns)
    let packed = Buffer<Scalar>(auricle_packed_size(k, n))
    Scalar.pack(k, n, padded.base, n, 1, packed.base)
    return packed
  }

  /// B = the stored matrix transposed, columns x rows.
  func packTransposed(_ stored: UnsafePointer<Scalar>, leading: Int, rows: Axis, columns: Axis) -> Buffer<Scalar> {
    let (n, k) = expand(stored, leading: leading, rows: rows, columns: columns)
    let packed = Buffer<Scalar>(auricle_packed_size(k, n))
    Scalar.pack(k, n, padded.base, 1, k, packed.base)
    return packed
  }

  private func expand(_ stored: UnsafePointer<Scalar>, leading: Int, rows: Axis, columns: Axis) -> (Int, Int) {
    padded.reserve(rows.paddedCount * columns.paddedCount)
    Padding.expand(stored, leading: leading, rows: rows, columns: columns, into: padded.base)
    return (rows.paddedCount, columns.paddedCount)
  }
}
