import AuricleBase
import RealModule

/// How false rejects trade against false alarms as the threshold moves.
///
///     let curve = try DetectionCurve(
///       truth: truth, tracks: ["day.wav": track], labels: ["yes"], configuration: configuration, matching: matching)
///     curve.threshold(forFalseAlarmsPerHour: 1)?.threshold
///
/// At each threshold the whole of the detector runs on the scores, and its events are paired with the annotated ones. A
/// false alarm is a found event that has no pair, a false reject an annotated one.
public struct DetectionCurve: Codable, Hashable, Sendable {
  public struct Point: Codable, Hashable, Sendable {
    public let threshold: Float
    public let falseAlarms: Int
    public let falseRejects: Int
  }

  /// The labels whose events are counted, all at the same threshold.
  public let labels: [String]
  public let matching: EventMatching
  /// Annotated events.
  public let truth: Int
  /// The length of all tracks.
  public let hours: Double
  /// By falling threshold; at the first one nothing is found.
  public let points: [Point]

  /// The most thresholds that are tried unless they are given.
  static let mostThresholds = 400

  /// `tracks` are the scores of sounds by their paths ("" for events without path). The threshold that moves is the one an
  /// event must reach; how far it lasts is told by `off` in `configuration`, or by the other one where that is lower.
  /// Thresholds are the peaks of the smoothed scores, all of the highest and ever fewer of the lower ones, unless given.
  ///
  /// Throws for a label that a track does not have, an annotated event of a sound without track, and tracks without length.
  public init(
    truth: [SoundEvent], tracks: [String: ScoreTrack], labels: [String], configuration: EventDetector.Configuration,
    matching: EventMatching, thresholds: [Float]? = nil
  ) throws(DetectionError) {
    try checkUnique(labels)
    var columns: [Column] = []
    let truth = truth.filter { labels.contains($0.label) }
    for (path, track) in tracks.sorted(by: { $0.key < $1.key }) {
      let smoothed = try track.smoothedColumns(labels, configuration)
      for (label, hops) in zip(labels, smoothed) {
        let events = truth.filter { ($0.path ?? "") == path && $0.label == label }
        columns.append(Column(label: label, hops: hops, truth: events))
      }
    }
    if let event = truth.first(where: { tracks[$0.path ?? ""] == nil }) {
      throw .unknownDuration(path: event.path ?? "")
    }
    let seconds = tracks.values.reduce(0) { $0 + $1.duration }
    guard seconds > 0 else { throw .unknownDuration(path: tracks.keys.min() ?? "") }

    self.labels = labels
    self.matching = matching
    self.truth = truth.count
    hours = seconds / 3600
    let tried = (thresholds ?? Self.thresholds(columns)).filter(\.isFinite)
    points = Set(tried).sorted(by: >).map { threshold in
      var (falseAlarms, falseRejects) = (0, 0)
      for column in columns {
        let found = column.events(configuration, configuration.threshold(of: column.label).with(on: threshold))
        let correct = matching.pairing(column.truth, found).pairs.count
        falseAlarms += found.count - correct
        falseRejects += column.truth.count - correct
      }
      return Point(threshold: threshold, falseAlarms: falseAlarms, falseRejects: falseRejects)
    }
  }

  public func falseAlarmsPerHour(_ point: Point) -> Double { Double(point.falseAlarms) / hours }

  /// False rejects for each annotated event; nil where there is none.
  public func falseRejectRate(_ point: Point) -> Double? {
    truth > 0 ? Double(point.falseRejects) / Double(truth) : nil
  }

  /// The point with the fewest false rejects among those with no more than `limit` false alarms an hour; of several the one
  /// with the fewest false alarms, then with the highest threshold. Nil where there is none.
  public func threshold(forFalseAlarmsPerHour limit: Double) -> Point? {
    points.filter { falseAlarmsPerHour($0) <= limit }
      .min { ($0.falseRejects, $0.falseAlarms, -$0.threshold) < ($1.falseRejects, $1.falseAlarms, -$1.threshold) }
  }

  /// A threshold for each of several curves of the same sounds, one label each, so that together they have no more than
  /// `limit` false alarms an hour and few false rejects: beginning with the highest thresholds, the step that gains the most
  /// for each false alarm is taken, as long as one fits. Nil where even the highest thresholds give more.
  public static func points(of curves: [DetectionCurve], forFalseAlarmsPerHour limit: Double) -> [Point]? {
    guard let hours = curves.map(\.hours).max() else { return [] }
    let budget = Int((limit * hours).rounded(.down))
    let fronts = curves.map(\.front)
    var places = [Int](repeating: 0, count: fronts.count)
    guard !fronts.contains(where: \.isEmpty) else { return nil }
    var used = fronts.reduce(0) { $0 + $1[0].falseAlarms }
    guard used <= budget else { return nil }
    while true {
      var best: (curve: Int, place: Int, gain: Double)?
      for (curve, front) in fronts.enumerated() {
        let now = front[places[curve]]
        for place in front.indices.dropFirst(places[curve] + 1) {
          let cost = front[place].falseAlarms - now.falseAlarms
          if used + cost > budget { break }
          let gain = Double(now.falseRejects - front[place].falseRejects) / Double(max(1, cost))
          if gain > best?.gain ?? 0 { best = (curve, place, gain) }
        }
      }
      guard let best else { return fronts.indices.map { fronts[$0][places[$0]] } }
      used += fronts[best.curve][best.place].falseAlarms - fronts[best.curve][places[best.curve]].falseAlarms
      places[best.curve] = best.place
    }
  }

  /// The points that no other one betters, by rising false alarms and falling false rejects.
  private var front: [Point] {
    var front: [Point] = []
    let sorted = points.sorted {
      ($0.falseAlarms, $0.falseRejects, -$0.threshold) < ($1.falseAlarms, $1.falseRejects, -$1.threshold)
    }
    for point in sorted where front.last.map({ point.falseRejects < $0.falseRejects }) ?? true { front.append(point) }
    return front
  }

  private struct Column {
    let label: String
    let hops: [LabelDetector.Hop]
    let truth: [SoundEvent]

    func events(
      _ configuration: EventDetector.Configuration, _ threshold: EventDetector.Configuration.Threshold
    ) -> [SoundEvent] {
      var machine = LabelDetector(label: label, configuration: configuration, threshold: threshold)
      var events: [SoundEvent] = []
      for hop in hops { machine.append(hop, into: &events) }
      machine.finish(into: &events)
      return events
    }
  }

  private static func thresholds(_ columns: [Column]) -> [Float] {
    var peaks: Set<Float> = []
    for column in columns {
      let hops = column.hops
      for index in hops.indices {
        let score = hops[index].score
        let rises = index == 0 || hops[index - 1].score < score
        let falls = index + 1 == hops.count || hops[index + 1].score <= score
        if rises && falls { peaks.insert(score) }
      }
    }
    let sorted = peaks.filter(\.isFinite).sorted(by: >)
    guard let highest = sorted.first else { return [] }
    var chosen = [highest.nextUp]
    var place = 0.0
    // One after the other up to half of the number, then in a geometric series that ends with the last.
    let half = mostThresholds / 2
    let ratio = Double.pow(Double(max(sorted.count, half + 1)) / Double(half), 1 / Double(half))
    while Int(place) < sorted.count {
      chosen.append(sorted[Int(place)])
      place = max(place + 1, Int(place) < half ? 0 : place * ratio)
    }
    if let lowest = sorted.last { chosen.append(lowest) }
    return chosen
  }
}

extension ScoreTrack {
  /// The smoothed scores of each of `wanted`, with their times.
  fileprivate func smoothedColumns(
    _ wanted: [String], _ configuration: EventDetector.Configuration
  ) throws(DetectionError) -> [[LabelDetector.Hop]] {
    var places: [Int] = []
    for label in wanted {
      guard let place = labels.firstIndex(of: label) else { throw .unknownLabel(label, known: labels) }
      places.append(place)
    }
    var smoother = ScoreSmoother(
      kind: configuration.smoothing, hops: configuration.smoothingHops, classes: labels.count,
      start: boundaries.first ?? 0)
    var columns = [[LabelDetector.Hop]](repeating: [], count: wanted.count)
    func take() {
      for (column, place) in places.enumerated() {
        columns[column].append(
          LabelDetector.Hop(
            start: smoother.outputStart, end: smoother.outputEnd, score: smoother.output[place]))
      }
    }
    for hop in 0..<hops where smoother.append(row(hop), until: boundaries[hop + 1]) { take() }
    while smoother.flush() { take() }
    return columns
  }
}
