/// Rows of a stream on their way to their deltas, which depend on rows before and after them.
struct DeltaWindow {
  private let deltas: FeatureConfiguration.Deltas
  private let width: Int
  /// Rows after a row that its deltas depend on.
  private let ahead: Int
  /// Rows before the next to leave that deltas depend on, those of the last rows included.
  private let before: Int
  /// Rows without which no deltas are right, unless there are no more.
  private let least: Int
  private var rows: [Float] = []
  /// Row of the stream that `rows` begins with, and the next that is to leave.
  private var first = 0
  private var next = 0

  init(_ configuration: FeatureConfiguration) {
    deltas = configuration.deltas
    width = configuration.baseCount
    switch deltas.method {
    case _ where deltas.order == 0: (ahead, before, least) = (0, 0, 0)
    case .regression:
      (ahead, before, least) = (deltas.order * deltas.halfWidth, deltas.order * deltas.halfWidth, 0)
    case .savitzkyGolay:
      // The outermost windows serve the rows at the ends, too.
      (ahead, before, least) = (deltas.halfWidth, deltas.halfWidth + 1, 2 * deltas.halfWidth + 1)
    }
  }

  /// Takes the next rows, without deltas.
  mutating func append(_ base: UnsafeBufferPointer<Float>) { rows.append(contentsOf: base) }

  /// The rows that are complete by now, with their deltas; all that are left, if these were the last.
  mutating func take(isLast: Bool) -> FeatureMatrix? {
    let end = first + rows.count / width
    let limit = isLast ? end : end < least ? 0 : end - ahead
    guard limit > next else { return nil }
    // At the ends of what is held, deltas are wrong unless the sound ends there; those rows stay.
    let all = deltas.appended(to: FeatureMatrix(coefficients: width, values: rows))
    let taken = all.values[(next - first) * all.coefficients..<(limit - first) * all.coefficients]
    next = limit
    let kept = max(first, limit - before)
    rows.removeFirst((kept - first) * width)
    first = kept
    return FeatureMatrix(coefficients: all.coefficients, values: Array(taken))
  }
}
