import AuricleBase

/// One part of a cross-validation: what to learn from, and what to be judged by.
public struct Fold: Hashable, Sendable {
  /// "fold 1", or the field and its value: "speaker=theo".
  public let name: String
  public var training: [Example]
  public var testing: [Example]
}

extension Dataset {
  /// `count` folds, each file in the testing part of exactly one.
  ///
  /// Stratified: every fold has its share of each class, as near as whole files allow. Files that share a value of the
  /// field `group` stay together. Files the data set keeps for testing are left out. The choice depends on the paths, the
  /// labels and `seed`, not on the order of the examples.
  ///
  /// Throws `DatasetError.impossibleFolds`, also where a fold has all files of a class.
  public func folds(_ count: Int, seed: UInt64) throws(DatasetError) -> [Fold] {
    let examples = examples.filter { $0.split != .testing }
    let groups = Dictionary(grouping: examples) { example in
      example.fields["group"].flatMap { $0.isEmpty ? nil : "group \($0)" } ?? "file \(example.identity)"
    }
    guard count >= 2 && count <= groups.count else {
      throw .impossibleFolds("\(count) folds of \(groups.count) files or groups; wanted 2 to as many as there are")
    }
    let totals = classCounts(examples)
    var folds = [[String: Int]](repeating: [:], count: count)
    var places: [String: Int] = [:]
    var generator = SeededGenerator(seed: seed)
    let order = groups.keys.sorted(by: bytesPrecede).shuffled(using: &generator).map {
      (key: $0, group: groups[$0] ?? [])
    }
    // Large groups first, then each where its classes are rarest.
    for (key, group) in order.enumerated().sorted(by: {
      ($1.element.group.count, $0.offset) < ($0.element.group.count, $1.offset)
    }).map(\.element) {
      let counts = classCounts(group)
      let crowd = folds.map { fold -> (Double, Int) in
        let overlap = counts.sorted { bytesPrecede($0.key, $1.key) }.reduce(0.0) { sum, part in
          sum + Double(part.value) * Double(fold[part.key, default: 0]) / Double(totals[part.key, default: 1])
        }
        return (overlap, fold.values.reduce(0, +))
      }
      let place = folds.indices.min { (crowd[$0].0, crowd[$0].1, $0) < (crowd[$1].0, crowd[$1].1, $1) } ?? 0
      folds[place].merge(counts, uniquingKeysWith: +)
      places[key] = place
    }
    let place = Dictionary(
      groups.flatMap { key, group in group.map { ($0.identity, places[key] ?? 0) } },
      uniquingKeysWith: { first, _ in first })
    return try (0..<count).map { number throws(DatasetError) in
      try fold("fold \(number + 1)", of: examples) { place[$0.identity] == number }
    }
  }

  /// A fold for each value of `field`, in natural order, with the files of that value for testing.
  ///
  /// Throws `DatasetError.impossibleFolds` where no file has the field, all have the same value, or a fold has all files
  /// of a class. A file without the field is always learned from.
  public func folds(leavingOut field: String) throws(DatasetError) -> [Fold] {
    let examples = examples.filter { $0.split != .testing }
    let values = Set(examples.compactMap { $0.value(of: field) }).sorted(by: naturallyPrecedes)
    guard values.count >= 2 else {
      let known = Set(examples.flatMap(\.fields.keys)).sorted(by: naturallyPrecedes).joined(separator: ", ")
      throw .impossibleFolds(
        values.isEmpty
          ? "no file has a field '\(field)' to leave out by; there are: \(known.isEmpty ? "none" : known)"
          : "all files have the same '\(field)', '\(values[0])'; there must be two at least")
    }
    return try values.map { value throws(DatasetError) in
      try fold("\(field)=\(value)", of: examples) { $0.value(of: field) == value }
    }
  }

  /// The folds that the data set itself divides its files into, as ESC-50 and UrbanSound8K do: a fold for each value of
  /// `field`, named "fold 1", in natural order.
  ///
  /// Throws `DatasetError.impossibleFolds` as `folds(leavingOut:)` does, and where a file has no such value: results of
  /// other divisions cannot be compared.
  public func predefinedFolds(by field: String = "fold") throws(DatasetError) -> [Fold] {
    let without = examples.filter { $0.split != .testing && ($0.value(of: field) ?? "").isEmpty }
    if let first = without.first, without.count < examples.count {
      throw .impossibleFolds(
        "\(without.count) of \(examples.count) files have no value in the field '\(field)', the first being \(first.path)"
      )
    }
    return try folds(leavingOut: field).map { fold in
      let name = String(fold.name.dropFirst(field.count + 1))
      return Fold(
        name: Int(name) == nil ? name : "fold \(name)", training: fold.training,
        testing: fold.testing)
    }
  }

  private func fold(
    _ name: String, of examples: [Example], isForTesting: (Example) -> Bool
  ) throws(DatasetError) -> Fold {
    let fold = Fold(
      name: name, training: examples.filter { !isForTesting($0) }, testing: examples.filter(isForTesting))
    let learned = Set(fold.training.map(\.label))
    for label in labels where !learned.contains(label) {
      throw .impossibleFolds(
        "in \(name), all \(examples.count { $0.label == label }) files of class '\(label)' are for testing, and none is "
          + "left to learn from")
    }
    return fold
  }
}

private func classCounts(_ examples: [Example]) -> [String: Int] {
  examples.reduce(into: [:]) { $0[$1.label, default: 0] += 1 }
}
