/// How many found events of a class are right, wrong, or cross triggers, as the threshold falls through its scores in one
/// sound: at each score the change from all higher thresholds.
///
/// Each hop turns on once. It joins the events on both sides of it, so that a fall through all thresholds costs as much as
/// sorting the scores, and not as much as detecting anew at each.
struct IntersectionSweep {
  struct Change {
    let score: Float
    var correct: Int
    var wrong: Int
    /// Of the other classes, in their order.
    var crossTriggers: [Int]
  }

  private let boundaries: [Double]
  private let parameters: PSDS.Parameters
  /// Seconds of annotated events of this class, and of each other one, before each boundary.
  private let own: [Double]
  private let others: [[Double]]
  /// Annotated events of this class, which do not overlap, and how much of each is covered by events that are right.
  private let truth: [SoundEvent]
  private var covered: [Double]
  private var isCovered: [Bool]

  /// For a hop at the end of a found event, the hop at its other end.
  private var otherEnd: [Int]
  private var isOn: [Bool]

  private var correct = 0
  private var wrong = 0
  private var crossTriggers: [Int]

  /// The changes of each of `labels`, all of which `track` has. Throws for overlapping events of one label.
  static func changes(
    _ events: [SoundEvent], _ track: ScoreTrack, _ labels: [String], _ parameters: PSDS.Parameters
  ) throws(DetectionError) -> [[Change]] {
    let annotated = labels.map { label in
      events.filter { $0.label == label }.sorted { ($0.start, $0.end) < ($1.start, $1.end) }
    }
    for events in annotated {
      for (event, next) in zip(events, events.dropFirst()) where next.start < event.end {
        throw .invalidEvent(
          reason: "'\(event.label)' is annotated twice at \(next.start) s\(event.path.map { " of \($0)" } ?? "")")
      }
    }
    let before = annotated.map { Self.secondsBefore(track.boundaries, $0) }
    return labels.enumerated().map { index, label in
      guard let column = track.labels.firstIndex(of: label) else { return [] }
      // A class that is not annotated in this sound has no seconds in it, and so no cross triggers.
      let others = parameters.crossTriggerCost > 0 ? before.indices.filter { $0 != index }.map { before[$0] } : []
      var sweep = IntersectionSweep(track.boundaries, annotated[index], before[index], others, parameters)
      return sweep.run(track, column)
    }
  }

  private init(
    _ boundaries: [Double], _ truth: [SoundEvent], _ own: [Double], _ others: [[Double]], _ parameters: PSDS.Parameters
  ) {
    self.boundaries = boundaries
    self.truth = truth
    self.own = own
    self.others = others
    self.parameters = parameters
    covered = [Double](repeating: 0, count: truth.count)
    isCovered = [Bool](repeating: false, count: truth.count)
    otherEnd = [Int](repeating: 0, count: boundaries.count - 1)
    isOn = [Bool](repeating: false, count: boundaries.count - 1)
    crossTriggers = [Int](repeating: 0, count: others.count)
  }

  private static func secondsBefore(_ boundaries: [Double], _ events: [SoundEvent]) -> [Double] {
    var seconds: [Double] = []
    var (place, passed) = (0, 0.0)
    for boundary in boundaries {
      while place < events.count && events[place].end <= boundary {
        passed += events[place].duration
        place += 1
      }
      seconds.append(passed + (place < events.count ? max(0, boundary - events[place].start) : 0))
    }
    return seconds
  }

  private mutating func run(_ track: ScoreTrack, _ column: Int) -> [Change] {
    let width = track.labels.count
    let scores = (0..<track.hops).map { track.scores[$0 * width + column] }
    let order = scores.indices.filter { scores[$0] > -.infinity }.sorted { scores[$0] > scores[$1] }
    var changes: [Change] = []
    var (lastCorrect, lastWrong, lastCrossTriggers) = (0, 0, crossTriggers)
    for (index, hop) in order.enumerated() {
      turnOn(hop)
      if index + 1 < order.count && scores[order[index + 1]] == scores[hop] { continue }
      if correct == lastCorrect && wrong == lastWrong && crossTriggers == lastCrossTriggers { continue }
      changes.append(
        Change(
          score: scores[hop], correct: correct - lastCorrect, wrong: wrong - lastWrong,
          crossTriggers: zip(crossTriggers, lastCrossTriggers).map { $0 - $1 }))
      (lastCorrect, lastWrong, lastCrossTriggers) = (correct, wrong, crossTriggers)
    }
    return changes
  }

  private mutating func turnOn(_ hop: Int) {
    var (first, last) = (hop, hop)
    var parts: [(hops: ClosedRange<Int>, isRight: Bool)] = [(hop...hop, false)]
    if hop > 0 && isOn[hop - 1] {
      first = otherEnd[hop - 1]
      parts.append((first...hop - 1, remove(first...hop - 1)))
    }
    if hop + 1 < isOn.count && isOn[hop + 1] {
      last = otherEnd[hop + 1]
      parts.append((hop + 1...last, remove(hop + 1...last)))
    }
    isOn[hop] = true
    (otherEnd[first], otherEnd[last]) = (last, first)
    let isRight = isRight(first...last)
    count(first...last, isRight, by: 1)
    for part in parts where part.isRight != isRight { cover(part.hops, by: isRight ? 1 : -1) }
  }

  private mutating func remove(_ hops: ClosedRange<Int>) -> Bool {
    let isRight = isRight(hops)
    count(hops, isRight, by: -1)
    return isRight
  }

  private func seconds(_ before: [Double], _ hops: ClosedRange<Int>) -> Double {
    before[hops.upperBound + 1] - before[hops.lowerBound]
  }

  private func isRight(_ hops: ClosedRange<Int>) -> Bool {
    rounded(seconds(own, hops)) >= rounded(parameters.detectionTolerance * seconds(boundaries, hops))
  }

  private mutating func count(_ hops: ClosedRange<Int>, _ isRight: Bool, by step: Int) {
    if isRight { return }
    wrong += step
    let wanted = rounded(parameters.crossTriggerTolerance * seconds(boundaries, hops))
    for other in others.indices where others[other].last != 0 {
      if rounded(seconds(others[other], hops)) >= wanted { crossTriggers[other] += step }
    }
  }

  /// Adds the hops to what is covered of annotated events, or takes them away.
  private mutating func cover(_ hops: ClosedRange<Int>, by sign: Double) {
    let (start, end) = (boundaries[hops.lowerBound], boundaries[hops.upperBound + 1])
    var place = truth.partitioningIndex { $0.end > start }
    while place < truth.count && truth[place].start < end {
      covered[place] += sign * (min(end, truth[place].end) - max(start, truth[place].start))
      let isEnough =
        rounded(covered[place]) >= rounded(parameters.groundTruthIntersection * truth[place].duration)
      if isEnough != isCovered[place] { correct += isEnough ? 1 : -1 }
      isCovered[place] = isEnough
      place += 1
    }
  }

  /// To the microsecond, ties to even, as numpy rounds.
  private func rounded(_ seconds: Double) -> Double {
    (seconds * 1e6).rounded(.toNearestOrEven) / 1e6
  }
}
