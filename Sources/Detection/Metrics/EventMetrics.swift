/// Event-based metrics: precision, recall, F1 and error rate of whole events, equal to sed_eval's `EventBasedMetrics`.
///
///     let metrics = try EventMetrics(truth: truth, found: found, matching: EventMatching(collar: 0.5))
///     metrics.overall.f1
///
/// Mesaros, Heittola and Virtanen, "Metrics for polyphonic sound event detection", Applied Sciences 6(6), 2016,
/// doi:10.3390/app6060162. Events are paired within a sound (those of the same path), and counted over all.
public struct EventMetrics: Codable, Hashable, Sendable {
  public let matching: EventMatching
  /// In the order of `classes`.
  public let labels: [String]
  /// All classes together, every event counting the same ("micro").
  public let overall: DetectionCounts
  public let classes: [DetectionCounts]
  public let sounds: Int
  /// Seconds: the sum over sounds of where the last annotated event ends.
  public let length: Double
  public let confusion: EventConfusion

  /// `labels` are those that occur, sorted, unless given. Throws for an event whose label is not among those given, and for
  /// labels given twice.
  public init(
    truth: [SoundEvent], found: [SoundEvent], labels: [String]? = nil, matching: EventMatching,
    emptyIsZero: Bool = false
  ) throws(DetectionError) {
    let (sounds, labels) = try paired(truth, found, labels: labels)
    let places = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, $0) })
    var classes = [DetectionCounts](repeating: DetectionCounts(emptyIsZero: emptyIsZero), count: labels.count)
    var confusion = EventConfusion(labels: labels)
    var overall = DetectionCounts(emptyIsZero: emptyIsZero)
    for sound in sounds {
      let truthPlaces = sound.truth.compactMap { places[$0.label] }
      let foundPlaces = sound.found.compactMap { places[$0.label] }
      for place in truthPlaces { classes[place].truth += 1 }
      for place in foundPlaces { classes[place].found += 1 }
      let pairing = matching.pairing(sound.truth, sound.found)
      for pair in pairing.pairs { classes[truthPlaces[pair.truth]].correct += 1 }
      for pair in pairing.pairs + pairing.substitutions {
        confusion.count(truth: truthPlaces[pair.truth], found: foundPlaces[pair.found])
      }
      overall.substitutions += pairing.substitutions.count
    }
    for place in classes.indices {
      classes[place].deletions = classes[place].truth - classes[place].correct
      classes[place].insertions = classes[place].found - classes[place].correct
      overall.truth += classes[place].truth
      overall.found += classes[place].found
      overall.correct += classes[place].correct
      confusion.close(place, truth: classes[place].truth, found: classes[place].found)
    }
    overall.deletions = overall.truth - overall.correct - overall.substitutions
    overall.insertions = overall.found - overall.correct - overall.substitutions
    self.matching = matching
    self.labels = labels
    self.overall = overall
    self.classes = classes
    self.sounds = sounds.count
    length = sounds.reduce(0) { $0 + ($1.truth.map(\.end).max() ?? 0) }
    self.confusion = confusion
  }

  /// Means over classes ("macro").
  public var averages: DetectionAverages { DetectionAverages(classes) }
}

/// Which events were taken for which: those that were paired, and those of other labels whose times agree.
public struct EventConfusion: Codable, Hashable, Sendable {
  public let labels: [String]
  /// Annotated x found; the diagonal is what is right.
  public private(set) var counts: [[Int]]
  /// Annotated events of each label for which nothing was found.
  public private(set) var missed: [Int]
  /// Found events of each label where nothing was annotated.
  public private(set) var extra: [Int]

  init(labels: [String]) {
    self.labels = labels
    counts = [[Int]](repeating: [Int](repeating: 0, count: labels.count), count: labels.count)
    missed = [Int](repeating: 0, count: labels.count)
    extra = missed
  }

  mutating func count(truth: Int, found: Int) {
    counts[truth][found] += 1
  }

  mutating func close(_ place: Int, truth: Int, found: Int) {
    missed[place] = truth - counts[place].reduce(0, +)
    extra[place] = found - counts.reduce(0) { $0 + $1[place] }
  }
}
