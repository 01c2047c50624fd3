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
  /// Throws when there is only one class, when a class would be missing from training, and when nothing fits.
  public func split(validation choice: ValidationChoice, seed: UInt64) throws(DatasetError) -> DatasetSplit {
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
    let learned = Set(split.training.map(\.label))
    for label in labels where !learned.contains(label) {
      throw .classNotInTraining(label: label, count: examples.count { $0.label == label })
    }
    return split
  }

  private func part(by split: (Example) -> Split) -> DatasetSplit {
    let parts = Dictionary(grouping: examples, by: split)
    return DatasetSplit(
      training: parts[.training] ?? [], validation: parts[.validation] ?? [], testing: parts[.testing] ?? [])
  }
}

extension DatasetSplit {
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
      example.fields["group"].flatMap { $0.isEmpty ? nil : "group \($0)" } ?? "file \(example.path)"
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
      chosen.formUnion(group.map(\.path))
    }
    guard !chosen.isEmpty || wanted.values.allSatisfy({ $0 == 0 }) else {
      throw .groupsTooLarge(fraction: fraction, groups: groups.count)
    }
    validation += training.filter { chosen.contains($0.path) }
    training.removeAll { chosen.contains($0.path) }
  }
}

private func counts(_ examples: [Example]) -> [String: Int] {
  examples.reduce(into: [:]) { $0[$1.label, default: 0] += 1 }
}
