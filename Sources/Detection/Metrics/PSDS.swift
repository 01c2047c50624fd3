/// The polyphonic sound detection score: the area under the curve of true positives against false positives and cross
/// triggers, over all thresholds at once, where events are compared by how they overlap.
///
///     let score = try PSDS(truth: truth, tracks: tracks, parameters: .psds1)
///     score.value     // in [0, 1]
///
/// Bilen et al., "A Framework for the Robust Evaluation of Sound Event Detection", ICASSP 2020, arXiv:1910.08440; computed
/// exactly, without choosing thresholds, as Ebbers, Haeb-Umbach and Serizel, "Threshold Independent Evaluation of Sound
/// Event Detection Scores", ICASSP 2022, arXiv:2201.13148. Equal to the sed_scores_eval package
/// (`intersection_based.psds`), which compares times to the microsecond, as it is done here.
public struct PSDS: Codable, Hashable, Sendable {
  public struct Parameters: Codable, Hashable, Sendable {
    /// The share of a found event that must lie in annotated events of its label (DTC).
    public let detectionTolerance: Double
    /// The share of an annotated event that must be covered by such found events (GTC).
    public let groundTruthIntersection: Double
    /// The share of another found event that must lie in annotated events of a label to be a cross trigger of it (CTTC).
    public let crossTriggerTolerance: Double
    /// How much cross triggers count (alpha_CT); 0 for not at all.
    public let crossTriggerCost: Double
    /// How much it counts that classes differ (alpha_ST).
    public let instabilityCost: Double
    /// Where the curve ends, in effective false positives an hour.
    public let maximumFalsePositivesPerHour: Double

    /// Throws `DetectionError.invalidConfiguration` for a share not in [0, 1], a cost that is below 0 or not finite, and a
    /// maximum that is not above 0.
    public init(
      detectionTolerance: Double, groundTruthIntersection: Double, crossTriggerTolerance: Double = 0.3,
      crossTriggerCost: Double = 0, instabilityCost: Double = 1, maximumFalsePositivesPerHour: Double = 100
    ) throws(DetectionError) {
      for (name, share) in [
        ("detectionTolerance", detectionTolerance), ("groundTruthIntersection", groundTruthIntersection),
        ("crossTriggerTolerance", crossTriggerTolerance),
      ] where !(0...1).contains(share) || (name == "groundTruthIntersection" && share == 0) {
        throw .invalidConfiguration(name: name, reason: "\(share); wanted a share of 1")
      }
      for (name, cost) in [("crossTriggerCost", crossTriggerCost), ("instabilityCost", instabilityCost)]
      where !(cost.isFinite && cost >= 0) {
        throw .invalidConfiguration(name: name, reason: "\(cost); wanted 0 or more")
      }
      guard maximumFalsePositivesPerHour.isFinite, maximumFalsePositivesPerHour > 0 else {
        throw .invalidConfiguration(
          name: "maximumFalsePositivesPerHour", reason: "\(maximumFalsePositivesPerHour); wanted more than 0")
      }
      self.init(
        checked: detectionTolerance, groundTruthIntersection, crossTriggerTolerance, crossTriggerCost, instabilityCost,
        maximumFalsePositivesPerHour)
    }

    private init(
      checked detectionTolerance: Double, _ groundTruthIntersection: Double, _ crossTriggerTolerance: Double,
      _ crossTriggerCost: Double, _ instabilityCost: Double, _ maximumFalsePositivesPerHour: Double
    ) {
      self.detectionTolerance = detectionTolerance
      self.groundTruthIntersection = groundTruthIntersection
      self.crossTriggerTolerance = crossTriggerTolerance
      self.crossTriggerCost = crossTriggerCost
      self.instabilityCost = instabilityCost
      self.maximumFalsePositivesPerHour = maximumFalsePositivesPerHour
    }

    /// Scenario 1 of DCASE task 4: reacts fast, times matter.
    public static let psds1 = Parameters(checked: 0.7, 0.7, 0.3, 0, 1, 100)
    /// Scenario 2: confusions of classes matter.
    public static let psds2 = Parameters(checked: 0.1, 0.1, 0.3, 0.5, 1, 100)
  }

  /// A point of a curve, which keeps its height up to the next one.
  public struct Point: Codable, Hashable, Sendable {
    public let effectiveFalsePositivesPerHour: Double
    public let effectiveTruePositiveRate: Double
  }

  public struct ClassScore: Codable, Hashable, Sendable {
    public let label: String
    public let value: Double
  }

  public let parameters: Parameters
  /// In [0, 1].
  public let value: Double
  /// Of each class that is annotated, in the order of the tracks' labels.
  public let classes: [ClassScore]
  /// Labels of the tracks that are annotated nowhere; they are left out of everything.
  public let labelsWithoutTruth: [String]
  /// By rising false positives; the last one stands at the maximum.
  public let curve: [Point]

  /// `tracks` are the scores of sounds by their paths ("" for events without path), all with the same labels; `durations`
  /// their lengths in seconds, a track's end where they are not given.
  ///
  /// Throws for tracks of different labels, annotated events without a track, of a label the tracks do not have, without
  /// length, or overlapping another of their label, for nothing annotated, and no length at all.
  public init(
    truth: [SoundEvent], tracks: [String: ScoreTrack], durations: [String: Double] = [:], parameters: Parameters
  ) throws(DetectionError) {
    let sorted = tracks.sorted { $0.key < $1.key }
    guard let first = sorted.first else { throw .unknownDuration(path: "") }
    for (_, track) in sorted where track.labels != first.value.labels {
      guard let label = track.labels.first(where: { !first.value.labels.contains($0) }) else {
        throw .wrongShape(found: track.labels.count, wanted: first.value.labels.count)
      }
      throw .unknownLabel(label, known: first.value.labels)
    }
    for event in truth {
      guard tracks[event.path ?? ""] != nil else { throw .unknownDuration(path: event.path ?? "") }
      guard first.value.labels.contains(event.label) else {
        throw .unknownLabel(event.label, known: first.value.labels)
      }
      guard event.duration > 0 else {
        throw .invalidEvent(reason: "'\(event.label)' at \(event.start) s has no length, so nothing can overlap it")
      }
    }
    let labels = first.value.labels.filter { label in truth.contains { $0.label == label } }
    guard !labels.isEmpty else { throw .invalidEvent(reason: "nothing is annotated, so nothing can be found") }
    let seconds = sorted.reduce(0) { $0 + (durations[$1.key] ?? $1.value.boundaries.last ?? 0) }
    guard seconds > 0, seconds.isFinite else { throw .unknownDuration(path: first.key) }

    var changes = [[IntersectionSweep.Change]](repeating: [], count: labels.count)
    for (path, track) in sorted {
      let events = truth.filter { ($0.path ?? "") == path }
      for (index, found) in try IntersectionSweep.changes(events, track, labels, parameters).enumerated() {
        changes[index] += found
      }
    }

    var curves: [RateCurve] = []
    for (index, label) in labels.enumerated() {
      let own = truth.filter { $0.label == label }
      let others = labels.filter { $0 != label }.map { other in
        truth.filter { $0.label == other }.reduce(0) { $0 + $1.duration }
      }
      curves.append(
        RateCurve(
          changes[index], truth: own.count, seconds: seconds, otherSeconds: others, parameters: parameters))
    }
    let maximum = parameters.maximumFalsePositivesPerHour
    self.parameters = parameters
    labelsWithoutTruth = first.value.labels.filter { !labels.contains($0) }
    classes = zip(labels, curves).map { ClassScore(label: $0, value: $1.area(until: maximum) / maximum) }
    let mean = RateCurve(mean: curves, instabilityCost: parameters.instabilityCost)
    value = mean.area(until: maximum) / maximum
    curve = zip(mean.x + [maximum], mean.y + mean.y.suffix(1)).map {
      Point(effectiveFalsePositivesPerHour: $0, effectiveTruePositiveRate: $1)
    }
  }
}

/// A staircase of true positive rates over effective false positives an hour: `y[i]` from `x[i]` on.
private struct RateCurve {
  let x: [Double]
  let y: [Double]

  /// Of one class: the best true positive rate at each rate of false positives, up to the maximum.
  init(
    _ changes: [IntersectionSweep.Change], truth: Int, seconds: Double, otherSeconds: [Double],
    parameters: PSDS.Parameters
  ) {
    var points: [(x: Double, y: Double)] = [(0, 0)]
    var (correct, wrong) = (0, 0)
    var crossTriggers = [Int](repeating: 0, count: otherSeconds.count)
    let sorted = changes.sorted { $0.score > $1.score }
    for (index, change) in sorted.enumerated() {
      correct += change.correct
      wrong += change.wrong
      for other in change.crossTriggers.indices { crossTriggers[other] += change.crossTriggers[other] }
      if index + 1 < sorted.count && sorted[index + 1].score == change.score { continue }
      var rate = Double(wrong) / seconds
      if parameters.crossTriggerCost > 0 && !otherSeconds.isEmpty {
        let rates = zip(crossTriggers, otherSeconds).map { Double($0) / max($1, 1e-12) }
        rate += parameters.crossTriggerCost * (rates.reduce(0, +) / Double(rates.count))
      }
      points.append((3600 * rate, Double(correct) / Double(max(truth, 1))))
    }
    points.sort { ($0.x, $0.y) < ($1.x, $1.y) }
    var (x, y): ([Double], [Double]) = ([], [])
    for point in points where point.x <= parameters.maximumFalsePositivesPerHour {
      if let last = y.last, point.y <= last { continue }
      if x.last == point.x {
        y[y.count - 1] = point.y
      } else {
        x.append(point.x)
        y.append(point.y)
      }
    }
    (self.x, self.y) = (x, y)
  }

  /// Of several classes: the mean less `instabilityCost` standard deviations, and at least 0.
  init(mean curves: [RateCurve], instabilityCost: Double) {
    let x = Set(curves.flatMap(\.x)).sorted()
    var places = [Int](repeating: 0, count: curves.count)
    var y: [Double] = []
    for value in x {
      var heights: [Double] = []
      for (index, curve) in curves.enumerated() {
        while places[index] < curve.x.count && curve.x[places[index]] <= value { places[index] += 1 }
        heights.append(places[index] == 0 ? 0 : curve.y[places[index] - 1])
      }
      let mean = heights.reduce(0, +) / Double(heights.count)
      let variance = heights.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(heights.count)
      y.append(max(0, mean - instabilityCost * variance.squareRoot()))
    }
    (self.x, self.y) = (x, y)
  }

  func area(until end: Double) -> Double {
    var area = 0.0
    for index in x.indices where x[index] <= end {
      area += y[index] * ((index + 1 < x.count ? min(x[index + 1], end) : end) - x[index])
    }
    return area
  }
}
