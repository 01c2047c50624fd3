import CKernels

/// Every single-precision table that this machine runs.
let tables: [String] = ["baseline", "neon", "avx2", "avx512"].filter { auricle_kernels_named($0) != nil }

/// These and the one for double precision.
let allTables = tables + ["double"]

extension UnsafePointer<auricle_kernels> {
  /// The table for an instruction set in `allTables`.
  static func named(_ name: String) -> UnsafePointer<auricle_kernels> {
    name == "double" ? auricle_kernels_f64() : auricle_kernels_named(name) ?? auricle_kernels_f32()
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

/// The number type of a table.
protocol Real: BinaryFloatingPoint, BitwiseCopyable {
  /// What rounding may add to a sum, relative to the sum of its terms' magnitudes.
  static var tolerance: Double { get }
}
extension Float: Real { static var tolerance: Double { 1e-6 } }
extension Double: Real { static var tolerance: Double { 1e-14 } }

/// A sum in double precision, with the magnitude of its terms.
struct Sum {
  var value = 0.0
  var magnitude = 0.0
  init(_ terms: Double...) { for term in terms { self += term } }
  static func += (sum: inout Sum, term: Double) {
    sum.value += term
    sum.magnitude += abs(term)
  }
}

/// The first element that is not what was wanted, in words; nil if all are.
func disagreement<R: Real>(_ found: [R], _ wanted: [Sum], factor: Double = 1) -> String? {
  guard found.count == wanted.count else { return "\(found.count) elements instead of \(wanted.count)" }
  for (index, (found, wanted)) in zip(found, wanted).enumerated() {
    let error = abs(Double(found) - wanted.value)
    guard error <= factor * R.tolerance * (wanted.magnitude + 0.01) else {
      return "element \(index) is \(found) instead of \(wanted.value)"
    }
  }
  return nil
}

func padded(_ columns: Int) -> Int { (columns + 15) / 16 * 16 }

/// Random numbers: `rows` of `segments` of `count`, each padded with `padding` to `columns`.
func matrix<R: Real>(
  _ rows: Int, _ count: Int, segments: Int = 1, columns: Int? = nil, padding: R = 0, seed: UInt64
) -> [R] {
  let columns = columns ?? padded(count)
  let numbers = noise(rows * segments * count, seed: seed)
  var values = [R](repeating: padding, count: rows * segments * columns)
  for segment in 0..<rows * segments {
    for i in 0..<count { values[segment * columns + i] = R(numbers[segment * count + i]) }
  }
  return values
}

/// Calls `body` with a pointer to a row of `x` (rows of `width`), or NULL, for each of `rows`.
func withRows<R, Result>(
  _ x: [R], _ width: Int, _ rows: [Int?], _ body: (UnsafePointer<UnsafeRawPointer?>) -> Result
) -> Result {
  x.withUnsafeBufferPointer { x in
    rows.map { row in row.map { UnsafeRawPointer(x.baseAddress! + $0 * width) } }
      .withUnsafeBufferPointer { body($0.baseAddress!) }
  }
}

func withMutableRows<R>(
  _ x: inout [R], _ width: Int, _ rows: [Int?], _ body: (UnsafePointer<UnsafeMutableRawPointer?>) -> Void
) {
  x.withUnsafeMutableBufferPointer { x in
    rows.map { row in row.map { UnsafeMutableRawPointer(x.baseAddress! + $0 * width) } }
      .withUnsafeBufferPointer { body($0.baseAddress!) }
  }
}
