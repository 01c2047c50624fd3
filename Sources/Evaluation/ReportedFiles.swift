/// What the HTML report needs of each file beyond its outcome.
struct ReportedFiles: Sendable {
  struct Failure: Encodable, Sendable {
    let path: String
    let reason: String
  }

  /// As many failed files as are named.
  private static let failureLimit = 1000

  /// Of the answered files, in their order.
  private(set) var paths: [String] = []
  private(set) var failures: [Failure] = []
  private var milliseconds: [UInt32] = []
  private var groups: [Group]

  private struct Group: Sendable {
    let field: String
    var values: [String] = []
    var positions: [String: UInt32] = [:]
    var indices: [UInt32] = []

    mutating func add(_ value: String) {
      let position = positions[value] ?? UInt32(values.count)
      if Int(position) == values.count {
        values.append(value)
        positions[value] = position
      }
      indices.append(position)
    }
  }

  init(groupBy fields: [String]) {
    groups = fields.map { Group(field: $0) }
  }

  mutating func addAnswered(_ prediction: Prediction) {
    paths.append(prediction.path)
    milliseconds.append(UInt32(exactly: ((prediction.duration ?? 0) * 1000).rounded()) ?? 0)
    for index in groups.indices { groups[index].add(prediction.group(by: groups[index].field)) }
  }

  mutating func addFailed(_ prediction: Prediction) {
    guard failures.count < Self.failureLimit else { return }
    failures.append(Failure(path: prediction.path, reason: prediction.error ?? "no answer"))
  }

  /// Arrays as Base64 of little-endian integers, which is small and quickly read.
  struct Packed: Encodable {
    struct Group: Encodable {
      let values: [String]
      let index: String
    }

    /// "n:rest", n in base 36 being the length in UTF-16 of what a path has in common with the one before.
    let paths: [String]
    let truth: String
    let predicted: String
    /// In 1/65535.
    let confidence: String?
    /// The second most probable label.
    let second: String?
    let secondConfidence: String?
    let milliseconds: String
    let groups: [Group]
  }

  func packed(with outcomes: Outcomes) -> Packed {
    let count = paths.count
    var (second, secondConfidence): ([UInt16], [UInt16]) = ([], [])
    if outcomes.haveProbabilities {
      let classes = outcomes.labels.count
      for file in 0..<count {
        let (row, given) = (file * classes, Int(outcomes.predicted[file]))
        var best = given == 0 ? min(1, classes - 1) : 0
        for index in 0..<classes
        where index != given && outcomes.probabilities[row + index] > outcomes.probabilities[row + best] {
          best = index
        }
        second.append(UInt16(clamping: best))
        secondConfidence.append(word(outcomes.probabilities[row + best]))
      }
    }
    return Packed(
      paths: frontCoded(), truth: packed(outcomes.truth.prefix(count).map { UInt16(clamping: $0) }),
      predicted: packed(outcomes.predicted.prefix(count).map { UInt16(clamping: $0) }),
      confidence: outcomes.haveProbabilities ? packed(outcomes.confidences.prefix(count).map(word)) : nil,
      second: outcomes.haveProbabilities ? packed(second) : nil,
      secondConfidence: outcomes.haveProbabilities ? packed(secondConfidence) : nil,
      milliseconds: packed(milliseconds),
      groups: groups.map { .init(values: $0.values, index: packed($0.indices)) })
  }

  private func frontCoded() -> [String] {
    var before: [Unicode.Scalar] = []
    return paths.map { path in
      let scalars = Array(path.unicodeScalars)
      let common = zip(before, scalars).prefix { $0 == $1 }.count
      before = scalars
      let length = scalars[..<common].reduce(0) { $0 + UTF16.width($1) }
      return String(length, radix: 36) + ":" + String(String.UnicodeScalarView(scalars[common...]))
    }
  }

  private func word(_ probability: Float) -> UInt16 {
    UInt16(min(65_535, max(0, (probability * 65_535).rounded())))
  }

  private func packed<Integer: FixedWidthInteger>(_ values: [Integer]) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(values.count * MemoryLayout<Integer>.size)
    for value in values { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
    return base64(bytes)
  }
}
