/// How many events, or segments of events, were annotated, found and right, and the figures that follow from it.
///
/// Definitions are those of Mesaros et al. 2016 as sed_eval computes them. Where it says NaN, because there is nothing to
/// divide by, a figure is nil here.
public struct DetectionCounts: Codable, Hashable, Sendable {
  /// N_ref.
  public internal(set) var truth = 0
  /// N_sys.
  public internal(set) var found = 0
  /// N_tp.
  public internal(set) var correct = 0
  /// S, D and I. Of one class by itself nothing can be substituted.
  public internal(set) var substitutions = 0
  public internal(set) var deletions = 0
  public internal(set) var insertions = 0
  /// Segments in which a class was neither annotated nor found; nil for events.
  public internal(set) var trueNegatives: Int?
  /// Whether the precision is 0, and not undefined, where nothing was found.
  public let emptyIsZero: Bool

  init(emptyIsZero: Bool, trueNegatives: Int? = nil) {
    self.emptyIsZero = emptyIsZero
    self.trueNegatives = trueNegatives
  }

  /// Correct / found; nil where nothing was found, unless `emptyIsZero`.
  public var precision: Double? {
    found > 0 ? Double(correct) / Double(found) : emptyIsZero ? 0 : nil
  }

  /// Correct / annotated; nil where nothing was annotated.
  public var recall: Double? {
    truth > 0 ? Double(correct) / Double(truth) : nil
  }

  /// The harmonic mean of precision and recall, 0 where both are 0; nil where one is nil.
  public var f1: Double? {
    guard let precision, let recall else { return nil }
    if precision == 0 && recall == 0 { return 0 }
    return 2 * precision * recall / (precision + recall)
  }

  /// Substitutions, deletions and insertions for each annotated event. As sed_eval has it, 2^-52 is added to the number of
  /// annotated events: without any, a rate is 0, or enormous.
  public var substitutionRate: Double { Double(substitutions) / (Double(truth) + epsilon) }
  public var deletionRate: Double { Double(deletions) / (Double(truth) + epsilon) }
  public var insertionRate: Double { Double(insertions) / (Double(truth) + epsilon) }
  public var errorRate: Double { substitutionRate + deletionRate + insertionRate }

  /// Correct / (correct + missed), 0 where nothing was annotated; nil for events, as the three that follow.
  public var sensitivity: Double? {
    trueNegatives.map { _ in Double(correct) / (Double(truth) + epsilon) }
  }
  /// True negatives / (true negatives + false positives).
  public var specificity: Double? {
    trueNegatives.map { Double($0) / (Double($0 + found - correct) + epsilon) }
  }
  /// The mean of sensitivity and specificity.
  public var balancedAccuracy: Double? {
    guard let sensitivity, let specificity else { return nil }
    return (sensitivity + specificity) / 2
  }
  /// The share of segments, of all classes, that are right.
  public var accuracy: Double? {
    trueNegatives.map { Double(correct + $0) / (Double($0 + truth + found - correct) + epsilon) }
  }

  mutating func add(_ other: DetectionCounts) {
    truth += other.truth
    found += other.found
    correct += other.correct
    substitutions += other.substitutions
    deletions += other.deletions
    insertions += other.insertions
    if let negatives = trueNegatives { trueNegatives = negatives + (other.trueNegatives ?? 0) }
  }
}

/// numpy.spacing(1)
private let epsilon = Double.ulpOfOne

/// Means over classes, each counting the same, of those where a figure is not nil; nil where none has it.
public struct DetectionAverages: Codable, Hashable, Sendable {
  public let f1: Double?
  public let precision: Double?
  public let recall: Double?
  public let errorRate: Double?
  public let deletionRate: Double?
  public let insertionRate: Double?
  /// For segments only.
  public let sensitivity: Double?
  public let specificity: Double?
  public let balancedAccuracy: Double?
  public let accuracy: Double?

  init(_ classes: [DetectionCounts]) {
    func mean(_ figure: (DetectionCounts) -> Double?) -> Double? {
      let figures = classes.compactMap(figure)
      return figures.isEmpty ? nil : figures.reduce(0, +) / Double(figures.count)
    }
    f1 = mean(\.f1)
    precision = mean(\.precision)
    recall = mean(\.recall)
    errorRate = mean(\.errorRate)
    deletionRate = mean(\.deletionRate)
    insertionRate = mean(\.insertionRate)
    sensitivity = mean(\.sensitivity)
    specificity = mean(\.specificity)
    balancedAccuracy = mean(\.balancedAccuracy)
    accuracy = mean(\.accuracy)
  }
}

/// The events of one sound.
struct SoundPair {
  let path: String
  var truth: [SoundEvent] = []
  var found: [SoundEvent] = []
}

/// Both lists by their paths, events without one together, in the order of the paths; and the labels: those given, or all
/// that occur, sorted. Throws for an event whose label is not among those given.
func paired(
  _ truth: [SoundEvent], _ found: [SoundEvent], labels given: [String]?
) throws(DetectionError) -> (sounds: [SoundPair], labels: [String]) {
  let occurring = Set(truth.map(\.label)).union(found.map(\.label))
  let labels = given ?? occurring.sorted()
  try checkUnique(labels)
  if let unknown = occurring.subtracting(labels).min() { throw .unknownLabel(unknown, known: labels) }
  var sounds: [String: SoundPair] = [:]
  for event in truth { sounds[event.path ?? "", default: SoundPair(path: event.path ?? "")].truth.append(event) }
  for event in found { sounds[event.path ?? "", default: SoundPair(path: event.path ?? "")].found.append(event) }
  return (sounds.values.sorted { $0.path < $1.path }, labels)
}
