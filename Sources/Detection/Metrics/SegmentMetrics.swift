/// Segment-based metrics: precision, recall, F1, error rate and accuracy of what is active in segments of fixed length,
/// equal to sed_eval's `SegmentBasedMetrics`.
///
///     let metrics = try SegmentMetrics(truth: truth, found: found, resolution: 1)
///     metrics.overall.errorRate
///
/// Mesaros, Heittola and Virtanen, "Metrics for polyphonic sound event detection", Applied Sciences 6(6), 2016,
/// doi:10.3390/app6060162. An event is active in every segment it touches.
public struct SegmentMetrics: Codable, Hashable, Sendable {
  /// Seconds.
  public let resolution: Double
  /// In the order of `classes`.
  public let labels: [String]
  /// All classes together ("micro").
  public let overall: DetectionCounts
  public let classes: [DetectionCounts]
  public let sounds: Int
  /// Seconds that were evaluated.
  public let length: Double

  /// `durations` are the lengths of sounds by their paths, in seconds ("" for events without path); one that is not given
  /// ends with its last event, annotated or found. `labels` are those that occur, sorted, unless given.
  ///
  /// Throws for a resolution below a millisecond, a duration that is not finite or below 0, an event whose label is not
  /// among those given, and labels given twice.
  public init(
    truth: [SoundEvent], found: [SoundEvent], labels: [String]? = nil, resolution: Double = 1,
    durations: [String: Double] = [:], emptyIsZero: Bool = false
  ) throws(DetectionError) {
    guard resolution.isFinite, resolution >= 0.001 else {
      throw .invalidConfiguration(name: "resolution", reason: "\(resolution) s; wanted 0.001 or more")
    }
    for (path, duration) in durations where !(0...SoundEvent.latestTime).contains(duration) {
      throw .invalidConfiguration(name: "duration of '\(path)'", reason: "\(duration) s")
    }
    var (sounds, labels) = try paired(truth, found, labels: labels)
    // Sounds in which nothing was annotated nor found are segments too.
    let silent = Set(durations.keys).subtracting(sounds.map(\.path)).sorted()
    sounds += silent.map { SoundPair(path: $0) }
    let places = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, $0) })
    var overall = DetectionCounts(emptyIsZero: emptyIsZero, trueNegatives: 0)
    var classes = [DetectionCounts](repeating: overall, count: labels.count)
    var length = 0.0
    for sound in sounds {
      let duration = durations[sound.path] ?? (sound.truth + sound.found).map(\.end).max() ?? 0
      length += duration
      let segments = Int((duration / resolution).rounded(.up))
      var sweep = SegmentSweep(labels: labels.count, segments: segments)
      for (events, isTruth) in [(sound.truth, true), (sound.found, false)] {
        for event in events {
          guard let place = places[event.label] else { continue }
          let first = Int((event.start / resolution).rounded(.down))
          let last = Int((event.end / resolution).rounded(.up))
          sweep.add(first..<max(first, last), label: place, isTruth: isTruth)
        }
      }
      sweep.run(&overall, &classes)
    }
    self.resolution = resolution
    self.labels = labels
    self.overall = overall
    self.classes = classes
    self.sounds = sounds.count
    self.length = length
  }

  /// Means over classes ("macro").
  public var averages: DetectionAverages { DetectionAverages(classes) }
}

/// Counts the segments of a sound by going from change to change, and not from segment to segment.
private struct SegmentSweep {
  private struct Change {
    let segment: Int
    let label: Int
    let isTruth: Bool
    let step: Int
  }

  private let labels: Int
  private let segments: Int
  private var changes: [Change] = []

  init(labels: Int, segments: Int) {
    self.labels = labels
    self.segments = segments
  }

  mutating func add(_ range: Range<Int>, label: Int, isTruth: Bool) {
    let range = range.clamped(to: 0..<segments)
    if range.isEmpty { return }
    changes.append(Change(segment: range.lowerBound, label: label, isTruth: isTruth, step: 1))
    changes.append(Change(segment: range.upperBound, label: label, isTruth: isTruth, step: -1))
  }

  func run(_ overall: inout DetectionCounts, _ classes: inout [DetectionCounts]) {
    var truth = [Int](repeating: 0, count: labels)
    var found = truth
    // Where each label's last change was.
    var since = truth
    // How many labels are active.
    var (annotated, detected, both) = (0, 0, 0)

    func countClass(_ label: Int, until segment: Int) {
      let length = segment - since[label]
      since[label] = segment
      let (isTruth, isFound) = (truth[label] > 0, found[label] > 0)
      classes[label].truth += isTruth ? length : 0
      classes[label].found += isFound ? length : 0
      classes[label].correct += isTruth && isFound ? length : 0
      classes[label].deletions += isTruth && !isFound ? length : 0
      classes[label].insertions += isFound && !isTruth ? length : 0
      if !isTruth && !isFound { classes[label].trueNegatives = (classes[label].trueNegatives ?? 0) + length }
    }

    var last = 0
    func countAll(until segment: Int) {
      let length = segment - last
      last = segment
      overall.truth += length * annotated
      overall.found += length * detected
      overall.correct += length * both
      overall.substitutions += length * (min(annotated, detected) - both)
      overall.deletions += length * max(0, annotated - detected)
      overall.insertions += length * max(0, detected - annotated)
      overall.trueNegatives = (overall.trueNegatives ?? 0) + length * (labels - annotated - detected + both)
    }

    for change in changes.sorted(by: { $0.segment < $1.segment }) {
      countAll(until: change.segment)
      countClass(change.label, until: change.segment)
      let before = (truth[change.label] > 0, found[change.label] > 0)
      if change.isTruth { truth[change.label] += change.step } else { found[change.label] += change.step }
      let after = (truth[change.label] > 0, found[change.label] > 0)
      annotated += (after.0 ? 1 : 0) - (before.0 ? 1 : 0)
      detected += (after.1 ? 1 : 0) - (before.1 ? 1 : 0)
      both += (after.0 && after.1 ? 1 : 0) - (before.0 && before.1 ? 1 : 0)
    }
    countAll(until: segments)
    for label in 0..<labels { countClass(label, until: segments) }
  }
}
