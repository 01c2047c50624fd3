import AuricleBase

/// How the files for validation are chosen.
public enum ValidationChoice: Hashable, Sendable {
  /// This share of each class, at random; files the data set keeps for testing stay apart. 0 is none.
  case fraction(Double)
  /// The files that meet every condition.
  case holdOut([FieldCondition])
  /// As the data set says: the manifest's `split`, the folders, or the lists beside them.
  case asGiven
  /// As given if the data set says anything; this share of the training files where it names none for validation.
  case automatic(fraction: Double)
}

/// The three parts of a data set, each in the data set's order.
public struct DatasetSplit: Hashable, Sendable {
  public var training: [Example]
  public var validation: [Example]
  public var testing: [Example]

  public init(training: [Example], validation: [Example], testing: [Example] = []) {
    self.training = training
    self.validation = validation
    self.testing = testing
  }
}

extension Dataset {
  /// Divides the examples into files to learn from, to choose by, and to leave alone.
  ///
  ///     let split = try dataset.split(validation: .fraction(0.1), seed: 1)
  ///     split.validation.count      // 10% of every class, rounded
  ///
  /// A fraction is stratified: of a class with two files or more, at least one is for validation and one for training.
  /// Files that share a value of the field `group` stay on one side, and then shares are only as near as groups allow.
  /// The choice depends on the paths, the labels and `seed`, not on the order of the examples.
  ///
  /// Throws when there is only one class, when nothing fits, and when a class would be missing from training;
  /// `allowingClassesOnlyInTesting` lets those be missing that only files for testing have.
  public func split(
    validation choice: ValidationChoice, seed: UInt64, allowingClassesOnlyInTesting: Bool = false
  ) throws(DatasetError) -> DatasetSplit {
    if labels.count == 1 { throw .singleClass(label: labels[0], source: source) }
    var split: DatasetSplit
    switch choice {
    case .fraction(let fraction):
      split = part { $0.split == .testing ? .testing : .training }
      try split.takeValidation(fraction: fraction, seed: seed)
    case .holdOut(let conditions):
      let heldOut = Set(try examples(where: conditions))
      guard !heldOut.isEmpty else { throw .nothingHeldOut(conditions: conditions.map(\.text)) }
      split = part { heldOut.contains($0) ? .validation : $0.split == .testing ? .testing : .training }
    case .asGiven:
      guard examples.contains(where: { $0.split != nil }) else { throw .noSplitGiven(source: source) }
      split = part { $0.split ?? .training }
    case .automatic(let fraction):
      split = part { $0.split ?? .training }
      if split.validation.isEmpty { try split.takeValidation(fraction: fraction, seed: seed) }
    }
    let learned = Set(split.training.flatMap(\.labels))
    var lost: [LostClass] = []
    for label in labels where !learned.contains(label) {
      let validation = split.validation.filter { $0.labels.contains(label) }
      if allowingClassesOnlyInTesting && validation.isEmpty { continue }
      let elsewhere = validation + split.testing.filter { $0.labels.contains(label) }
      lost.append(
        LostClass(
          label: label, count: elsewhere.count, split: validation.isEmpty ? .testing : .validation,
          path: elsewhere.first?.path ?? "", origin: elsewhere.first.flatMap { origin(of: $0) }))
    }
    guard lost.isEmpty else { throw .classesNotInTraining(lost) }
    return split
  }

  /// A class of which training has no file, and the first of those that are elsewhere.
  public struct LostClass: Hashable, Sendable, CustomStringConvertible {
    public var label: String
    /// Files that are for validation or testing.
    public var count: Int
    public var split: Split
    public var path: String
    /// Where the table lists it.
    public var origin: Origin?

    public init(label: String, count: Int, split: Split, path: String, origin: Origin? = nil) {
      self.label = label
      self.count = count
      self.split = split
      self.path = path
      self.origin = origin
    }

    public var description: String {
      let place = origin.map { "\($0.path), line \($0.line): " } ?? ""
      let files = count == 1 ? "its one file is" : "its \(count) files are"
      return "\(place)class '\(label)': \(files) for \(split.rawValue) ('\(path)'), and none is left for training"
    }
  }

  private func part(by split: (Example) -> Split) -> DatasetSplit {
    let parts = Dictionary(grouping: examples, by: split)
    return DatasetSplit(
      training: parts[.training] ?? [], validation: parts[.validation] ?? [], testing: parts[.testing] ?? [])
  }
}

extension DatasetSplit {
  /// The classes there are files to learn from, in natural order: what a model can know.
  public var labels: [String] { Set(training.flatMap(\.labels)).sorted(by: naturallyPrecedes) }

  /// The files for testing by the labels that training does not know, and that can never be right.
  public var testingByUnknownLabel: [String: Int] {
    let known = Set(training.flatMap(\.labels))
    return testing.flatMap(\.labels).reduce(into: [:]) { if !known.contains($1) { $0[$1, default: 0] += 1 } }
  }

  /// Moves `fraction` of each class from training to validation.
  ///
  /// Groups (most often single files) come in random order, and one is taken when that brings the classes nearer to
  /// their shares and leaves each of them something to learn from.
  fileprivate mutating func takeValidation(fraction: Double, seed: UInt64) throws(DatasetError) {
    guard fraction >= 0 && fraction < 1 else { throw .invalidFraction(fraction) }
    guard fraction > 0 else { return }
    let available = counts(training)
    let wanted = available.mapValues { count in
      count < 2 ? 0 : min(max(Int((fraction * Double(count)).rounded()), 1), count - 1)
    }
    let groups = Dictionary(grouping: training) { example in
      example.fields["group"].flatMap { $0.isEmpty ? nil : "group \($0)" } ?? "file \(example.identity)"
    }
    var generator = SeededGenerator(seed: seed)
    var taken: [String: Int] = [:]
    var chosen: Set<String> = []
    for key in groups.keys.sorted(by: bytesPrecede).shuffled(using: &generator) {
      let group = groups[key] ?? []
      var gain = 0
      var exhaustsClass = false
      for (label, count) in counts(group) {
        let before = wanted[label, default: 0] - taken[label, default: 0]
        gain += abs(before) - abs(before - count)
        exhaustsClass = exhaustsClass || taken[label, default: 0] + count >= available[label, default: 0]
      }
      guard gain > 0 && !exhaustsClass else { continue }
      taken.merge(counts(group), uniquingKeysWith: +)
      chosen.formUnion(group.map(\.identity))
    }
    guard !chosen.isEmpty || wanted.values.allSatisfy({ $0 == 0 }) else {
      throw .groupsTooLarge(fraction: fraction, groups: groups.count)
    }
    validation += training.filter { chosen.contains($0.identity) }
    training.removeAll { chosen.contains($0.identity) }
  }
}

private func counts(_ examples: [Example]) -> [String: Int] {
  examples.reduce(into: [:]) { $0[$1.label, default: 0] += 1 }
}
