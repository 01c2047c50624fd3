import AudioInput
import AuricleBase

/// What is to be known of a data set before anything is learned from it: its classes and parts, and what is suspicious.
///
///     let report = DatasetReport(of: dataset, split: split, sameSounds: dataset.sameSounds())
///     print(report.text())            // "cat 40 + 4, dog 36 + 4"
///     print(report.suspicions)
public struct DatasetReport: Sendable {
  /// A class and its files in each part; all are for training where nothing is divided.
  public struct ClassCount: Hashable, Sendable {
    public var label: String
    public var training = 0
    public var validation = 0
    public var testing = 0

    public var total: Int { training + validation + testing }
  }

  /// A class of fewer is suspicious.
  static let fewFiles = 10
  /// Lengths that differ by this factor are.
  private static let unequal = 100.0

  /// In the data set's order of labels.
  public let classes: [ClassCount]
  /// The most suspicious first.
  public let suspicions: [Suspicion]

  /// Counts what `split` has, or all examples where there is none yet. `sameSounds` are `Dataset.sameSounds`; `durations`,
  /// in seconds, are by `Example.identity`, as many as are known.
  public init(
    of dataset: Dataset, split: DatasetSplit? = nil, sameSounds: [[Example]] = [], durations: [String: Double] = [:],
    wantsValidation: Bool = true
  ) {
    let split = split ?? DatasetSplit(training: dataset.examples, validation: [])
    var counts: [String: ClassCount] = [:]
    var parts: [String: Split] = [:]
    func count(_ examples: [Example], _ part: Split, _ place: WritableKeyPath<ClassCount, Int>) {
      for example in examples {
        parts[example.identity] = part
        for label in example.labels { counts[label, default: ClassCount(label: label)][keyPath: place] += 1 }
      }
    }
    count(split.training, .training, \.training)
    count(split.validation, .validation, \.validation)
    count(split.testing, .testing, \.testing)
    classes = dataset.labels.compactMap { counts[$0] }
    suspicions =
      Self.names(dataset) + Self.severalLabels(dataset) + Self.repetitions(sameSounds, parts)
      + Self.segments(dataset.examples, parts)
      + Self.fewFiles(classes) + Self.gaps(classes, split, wantsValidation: wantsValidation)
      + Self.lengths(dataset.examples, durations)
  }

  /// Every class with its files to train on, then "+" and those to validate, "+" and those to test, where there are any:
  /// as many lines of `width` characters as `lines` allows, then how many classes are left.
  public func text(width: Int = 100, lines: Int = 20) -> String {
    let hasTesting = classes.contains { $0.testing > 0 }
    let hasValidation = hasTesting || classes.contains { $0.validation > 0 }
    let words = classes.map { count in
      "\(count.label) \(count.training)" + (hasValidation ? " + \(count.validation)" : "")
        + (hasTesting ? " + \(count.testing)" : "")
    }
    var (text, line, shown) = ("", "", 0)
    var left = lines
    for word in words {
      if !line.isEmpty && line.count + 2 + word.count > width {
        left -= 1
        guard left > 0 else { break }
        text += line + ",\n"
        line = word
      } else {
        line += (line.isEmpty ? "" : ", ") + word
      }
      shown += 1
    }
    return text + line + (shown < words.count ? " and \(words.count - shown) classes more" : "")
  }

  // MARK: Suspicions

  private static func names(_ dataset: Dataset) -> [Suspicion] {
    let kinds: [(Suspicion.Kind, (String) -> Bool)] = [
      (.splits, { Split($0) != nil }),
      (.folds, { isNumbered($0, after: ["fold", "cv", "part", "subset", "split", "partition"]) }),
      (.actors, { isNumbered($0, after: ["actor", "speaker", "spk", "subject", "participant", "person", "singer"]) }),
    ]
    for (kind, isOne) in kinds {
      let named = dataset.labels.filter(isOne)
      guard named.count >= 2, 2 * named.count >= dataset.labels.count else { continue }
      let naming = FileNaming.of(dataset.examples.map(\.path))
      return [.classesNamedLike(kind, labels: named, pattern: naming?.description)]
    }
    return []
  }

  private static func severalLabels(_ dataset: Dataset) -> [Suspicion] {
    let labels = SeveralLabels.suspects(among: dataset.labels)
    return labels.isEmpty ? [] : [.severalLabels(labels)]
  }

  /// Whether this is one of `words` and a number: "fold1", "Actor_01".
  private static func isNumbered(_ label: String, after words: [String]) -> Bool {
    let text = label.lowercased()
    return words.contains { word in
      guard text.hasPrefix(word) else { return false }
      let rest = text.dropFirst(word.count).drop { "_- ".contains($0) }
      return !rest.isEmpty && rest.allSatisfy { $0.isNumber }
    }
  }

  private static func repetitions(_ groups: [[Example]], _ parts: [String: Split]) -> [Suspicion] {
    func pairs(_ differ: (Example, Example) -> Bool) -> [(Example, Example)] {
      groups.compactMap { group in
        guard let first = group.first, let other = group.first(where: { differ(first, $0) }) else { return nil }
        return (first, other)
      }
    }
    var found: [Suspicion] = []
    let contradictions = pairs { $0.labels != $1.labels }
    if let (a, b) = contradictions.first {
      found.append(
        .contradiction(
          count: contradictions.count, path: a.path, label: a.labels.joined(separator: ","), other: b.path,
          otherLabel: b.labels.joined(separator: ",")))
    }
    let leaks = pairs { parts[$0.identity] != parts[$1.identity] }
    if let (a, b) = leaks.first { found.append(.leak(count: leaks.count, path: a.path, other: b.path)) }
    return found
  }

  private static func segments(_ examples: [Example], _ parts: [String: Split]) -> [Suspicion] {
    var first: [String: Split] = [:]
    var apart: [String] = []
    var known: Set<String> = []
    for example in examples where example.sound.seconds != nil {
      guard let part = parts[example.identity] else { continue }
      if first[example.path] == nil { first[example.path] = part }
      if first[example.path] != part && known.insert(example.path).inserted { apart.append(example.path) }
    }
    return apart.first.map { [.segmentsApart(files: apart.count, path: $0)] } ?? []
  }

  private static func fewFiles(_ classes: [ClassCount]) -> [Suspicion] {
    let few = classes.filter { $0.total < fewFiles }
    return few.isEmpty ? [] : [.fewFiles(few)]
  }

  private static func gaps(_ classes: [ClassCount], _ split: DatasetSplit, wantsValidation: Bool) -> [Suspicion] {
    var found: [Suspicion] = []
    if split.validation.isEmpty && wantsValidation { found.append(.nothingToValidate) }
    let learned = classes.filter { $0.training > 0 }
    for (part, examples, place) in [
      (Split.validation, split.validation, \ClassCount.validation), (.testing, split.testing, \.testing),
    ] where !examples.isEmpty {
      let missing = learned.filter { $0[keyPath: place] == 0 }.map(\.label)
      if !missing.isEmpty { found.append(.partWithoutClasses(part, labels: missing, of: learned.count)) }
    }
    return found
  }

  private static func lengths(_ examples: [Example], _ durations: [String: Double]) -> [Suspicion] {
    let known = examples.compactMap { example in
      durations[example.identity].flatMap { $0 > 0 ? (example.path, $0) : nil }
    }
    guard let (path, shortest) = known.min(by: { $0.1 < $1.1 }),
      let (longestPath, longest) = known.max(by: { $0.1 < $1.1 }),
      longest >= unequal * shortest
    else { return [] }
    return [.unequalLengths(shortest: shortest, path: path, longest: longest, longestPath: longestPath)]
  }
}
