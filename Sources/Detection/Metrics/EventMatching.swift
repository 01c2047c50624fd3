/// When a found event is the one that was annotated, and how the events of a sound are paired.
///
///     let matching = try EventMatching(collar: 0.5, evaluatesOffset: false)
///
/// The conditions and both methods are sed_eval's (Mesaros, Heittola and Virtanen, "Metrics for polyphonic sound event
/// detection", Applied Sciences 6(6), 2016, doi:10.3390/app6060162): labels are the same; onsets differ by no more than
/// `collar`; offsets differ by no more than `collar` or `percentageOfLength` of the annotated event, whichever is longer.
public struct EventMatching: Codable, Hashable, Sendable {
  public enum Method: String, Codable, CaseIterable, Sendable {
    /// As many pairs as possible: a maximum matching of the bipartite graph (Hopcroft and Karp, SIAM Journal on Computing
    /// 2(4), 1973).
    case optimal
    /// Each annotated event in the order of the file takes the first found one that fits and is free.
    case greedy
  }

  /// Seconds.
  public let collar: Double
  /// A share of the annotated event's length, in [0, 1].
  public let percentageOfLength: Double
  public let evaluatesOnset: Bool
  public let evaluatesOffset: Bool
  public let method: Method

  /// The defaults are sed_eval's. Throws `DetectionError.invalidConfiguration` for a collar below 0, a share not in [0, 1], or
  /// neither onset nor offset evaluated.
  public init(
    collar: Double = 0.2, percentageOfLength: Double = 0.5, evaluatesOnset: Bool = true, evaluatesOffset: Bool = true,
    method: Method = .optimal
  ) throws(DetectionError) {
    guard collar.isFinite, collar >= 0 else {
      throw .invalidConfiguration(name: "collar", reason: "\(collar) s; wanted 0 or more")
    }
    guard (0...1).contains(percentageOfLength) else {
      throw .invalidConfiguration(name: "percentageOfLength", reason: "\(percentageOfLength); wanted 0 to 1")
    }
    guard evaluatesOnset || evaluatesOffset else {
      throw .invalidConfiguration(name: "evaluatesOnset, evaluatesOffset", reason: "both false; events need a time")
    }
    self.collar = collar
    self.percentageOfLength = percentageOfLength
    self.evaluatesOnset = evaluatesOnset
    self.evaluatesOffset = evaluatesOffset
    self.method = method
  }

  private enum CodingKeys: String, CodingKey {
    case collar, percentageOfLength, evaluatesOnset, evaluatesOffset, method
  }

  /// Throws what the other initialiser throws.
  public init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      collar: members.decode(Double.self, forKey: .collar),
      percentageOfLength: members.decode(Double.self, forKey: .percentageOfLength),
      evaluatesOnset: members.decode(Bool.self, forKey: .evaluatesOnset),
      evaluatesOffset: members.decode(Bool.self, forKey: .evaluatesOffset),
      method: members.decode(Method.self, forKey: .method))
  }

  /// How it matches, in words: "labels, onsets within 0.2 s, offsets within 0.2 s or 50% of the length; optimal pairs".
  public var summary: String {
    var conditions = ["labels"]
    if evaluatesOnset { conditions.append("onsets within \(plain(collar)) s") }
    if evaluatesOffset {
      conditions.append("offsets within \(plain(collar)) s or \(plain(100 * percentageOfLength))% of the length")
    }
    return conditions.joined(separator: ", ") + "; \(method.rawValue) pairs"
  }

  /// Whether the times of `found` fit those of `truth`, whatever their labels.
  public func timesAgree(_ truth: SoundEvent, _ found: SoundEvent) -> Bool {
    if evaluatesOnset && !(abs(truth.start - found.start) <= collar) { return false }
    return !evaluatesOffset || abs(truth.end - found.end) <= offsetCollar(truth)
  }

  private func offsetCollar(_ truth: SoundEvent) -> Double { max(collar, percentageOfLength * truth.duration) }

  /// Events of one sound, as indices into the two lists.
  public struct Pairing: Sendable {
    /// Of the same label.
    public internal(set) var pairs: [(truth: Int, found: Int)] = []
    /// Of other labels and agreeing times: one mistaken for the other.
    public internal(set) var substitutions: [(truth: Int, found: Int)] = []
  }

  /// Pairs annotated and found events of one sound.
  public func pairing(_ truth: [SoundEvent], _ found: [SoundEvent]) -> Pairing {
    let candidates = candidates(truth, found)
    let fitting = truth.indices.map { index in candidates[index].filter { found[$0].label == truth[index].label } }
    var pairing = Pairing()
    switch method {
    case .optimal: pairing.pairs = BipartiteMatching(fitting, rightCount: found.count).pairs
    case .greedy:
      var taken = [Bool](repeating: false, count: found.count)
      for index in truth.indices {
        guard let first = fitting[index].first(where: { !taken[$0] }) else { continue }
        taken[first] = true
        pairing.pairs.append((index, first))
      }
    }

    var truthIsFree = [Bool](repeating: true, count: truth.count)
    var foundIsFree = [Bool](repeating: true, count: found.count)
    for (truth, found) in pairing.pairs { (truthIsFree[truth], foundIsFree[found]) = (false, false) }
    for index in truth.indices where truthIsFree[index] {
      guard let first = candidates[index].first(where: { foundIsFree[$0] }) else { continue }
      foundIsFree[first] = false
      pairing.substitutions.append((index, first))
    }
    return pairing
  }

  /// For each annotated event the found ones whose times agree, in their order.
  private func candidates(_ truth: [SoundEvent], _ found: [SoundEvent]) -> [[Int]] {
    func time(_ event: SoundEvent) -> Double { evaluatesOnset ? event.start : event.end }
    let order = found.indices.sorted { time(found[$0]) < time(found[$1]) }
    return truth.map { event in
      // A little wider than the collar: subtraction rounds.
      let reach = (evaluatesOnset ? collar : offsetCollar(event)) + 1e-6
      let first = order.partitioningIndex { time(found[$0]) >= time(event) - reach }
      return order[first...].prefix { time(found[$0]) <= time(event) + reach }
        .filter { timesAgree(event, found[$0]) }.sorted()
    }
  }
}

extension Array {
  /// The first index from which on `belongs` is true; the array is sorted that way.
  func partitioningIndex(where belongs: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if belongs(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
