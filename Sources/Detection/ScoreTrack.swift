/// The score of every class at every hop of one sound: what detection is made from and judged by.
///
///     var track = try ScoreTrack(labels: ["cat", "dog"])
///     try track.append([0.9, 0.1], until: 0.5)
///     try track.append([0.2, 0.8], until: 1.0)
///     track.hops            // 2
///     track.boundaries      // [0.0, 0.5, 1.0]
///
/// Hop `i` stands for the sound from `boundaries[i]` to `boundaries[i + 1]`: hops lie next to each other without gaps.
/// Scores are probabilities or anything else that is higher the surer a class is.
public struct ScoreTrack: Hashable, Sendable {
  /// Times from two sources may differ by so much, in seconds, and be the same.
  static let tolerance = 1e-6

  /// In the order of the columns.
  public let labels: [String]
  /// Seconds, rising; `hops + 1` of them.
  public private(set) var boundaries: [Double]
  /// Hops x classes, row after row.
  public private(set) var scores: [Float]

  /// An empty track that begins `start` seconds into the sound. Throws when a label stands in `labels` twice.
  public init(labels: [String], startingAt start: Double = 0) throws(DetectionError) {
    try checkUnique(labels)
    try checkStart(start)
    self.labels = labels
    boundaries = [start]
    scores = []
  }

  /// A track of known numbers: `boundaries` of hops + 1 rising times in seconds, `scores` hops x classes.
  ///
  /// Throws for repeated labels, numbers that do not make rows, times that do not rise, and scores that are not numbers.
  public init(labels: [String], boundaries: [Double], scores: [Float]) throws(DetectionError) {
    guard let start = boundaries.first else { throw .wrongShape(found: 0, wanted: labels.count) }
    try self.init(labels: labels, startingAt: start)
    let hops = boundaries.count - 1
    guard scores.count == hops * labels.count else {
      throw .wrongShape(found: scores.count, wanted: hops * labels.count)
    }
    self.boundaries.reserveCapacity(boundaries.count)
    self.scores.reserveCapacity(scores.count)
    for hop in 0..<hops {
      try append(scores[hop * labels.count..<(hop + 1) * labels.count], until: boundaries[hop + 1])
    }
  }

  public var hops: Int { boundaries.count - 1 }

  /// Seconds from the first hop's beginning to the last one's end.
  public var duration: Double { (boundaries.last ?? 0) - (boundaries.first ?? 0) }

  /// The scores of one hop, in the order of `labels`.
  public func row(_ hop: Int) -> ArraySlice<Float> {
    scores[hop * labels.count..<(hop + 1) * labels.count]
  }

  /// Adds a hop: one score a label, for the sound up to `end` seconds.
  ///
  /// Throws for another number of scores, one that is not a number, or an `end` not after the last hop's.
  public mutating func append(_ row: some Collection<Float>, until end: Double) throws(DetectionError) {
    try checkRow(row, labels: labels.count, from: boundaries.last ?? 0, until: end)
    boundaries.append(end)
    scores += row
  }

  /// Adds the hops of a track that goes on where this one ends, to the microsecond, as spans of a file shared over cores
  /// give them. Throws for other labels or another time.
  public mutating func append(_ piece: ScoreTrack) throws(DetectionError) {
    guard piece.labels == labels else {
      guard let label = piece.labels.first(where: { !labels.contains($0) }) else {
        throw .wrongShape(found: piece.labels.count, wanted: labels.count)
      }
      throw .unknownLabel(label, known: labels)
    }
    guard let start = piece.boundaries.first, let end = boundaries.last, abs(start - end) <= Self.tolerance else {
      throw .wrongTime(found: piece.boundaries.first ?? 0, wanted: boundaries.last ?? 0)
    }
    boundaries += piece.boundaries.dropFirst()
    scores += piece.scores
  }
}

/// Where scores may begin.
func checkStart(_ start: Double) throws(DetectionError) {
  guard (0..<SoundEvent.latestTime).contains(start) else { throw .wrongTime(found: start, wanted: 0) }
}

/// What every row of scores must be.
func checkRow(
  _ row: some Collection<Float>, labels: Int, from start: Double, until end: Double
) throws(DetectionError) {
  guard row.count == labels else { throw .wrongShape(found: row.count, wanted: labels) }
  guard end > start, end <= SoundEvent.latestTime else { throw .wrongTime(found: end, wanted: start) }
  if row.contains(where: \.isNaN) { throw .invalidScore(seconds: start) }
}
