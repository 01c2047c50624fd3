/// Rows of a stream on their way to their deltas, which depend on rows before and after them.
struct DeltaWindow {
  private let deltas: FeatureConfiguration.Deltas
  private let width: Int
  /// Rows on either side that a row's deltas depend on.
  private let reach: Int
  private var rows: [Float] = []
  /// Row of the stream that `rows` begins with, and the next that is to leave.
  private var first = 0
  private var next = 0

  /// Rows that are computed together, so that those on either side, which are computed again, weigh little.
  private static let batch = 512

  init(_ configuration: FeatureConfiguration) {
    deltas = configuration.deltas
    width = configuration.baseCount
    switch deltas.method {
    case _ where deltas.order == 0: reach = 0
    case .regression: reach = deltas.order * deltas.halfWidth
    case .savitzkyGolay: reach = 2 * deltas.halfWidth
    }
  }

  /// Takes the next rows, without deltas.
  mutating func append(_ base: UnsafeBufferPointer<Float>) { rows.append(contentsOf: base) }

  /// The rows that are complete by now, with their deltas; all that are left, if these were the last.
  mutating func take(isLast: Bool) -> FeatureMatrix? {
    let end = first + rows.count / width
    let limit = isLast ? end : end - reach
    guard limit > next, isLast || limit - next >= DeltaWindow.batch else { return nil }
    // At the ends of what is held, deltas are wrong unless the sound ends there; those rows stay behind.
    let all = deltas.appended(to: FeatureMatrix(coefficients: width, values: rows))
    let taken = all.values[(next - first) * all.coefficients..<(limit - first) * all.coefficients]
    next = limit
    let kept = max(first, limit - reach)
    rows.removeFirst((kept - first) * width)
    first = kept
    return FeatureMatrix(coefficients: all.coefficients, values: Array(taken))
  }
}
