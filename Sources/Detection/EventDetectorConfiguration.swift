extension EventDetector {
  /// How scores become events. By default a class is active while its score is 0.5 or more, and everything else is off.
  ///
  ///     let configuration = try EventDetector.Configuration(
  ///       smoothing: .median, smoothingHops: 5, threshold: .init(on: 0.8, off: 0.4), minimumDuration: 0.2)
  ///
  /// The steps, in their order, each for one class by itself:
  /// 1. smoothing: the mean or the median of the scores of `smoothingHops` hops, the hop itself in their middle;
  /// 2. threshold with hysteresis: on are hops at `off` or more that follow each other, if one of them is at `on` or more
  ///    (as scikit-image's `apply_hysteresis_threshold`; at most `mostRisingHops` before that one);
  /// 3. agreement: active where at least `agreement` of `agreementHops` hops, the hop itself in their middle, are on;
  /// 4. events: hops that follow each other and are active, and those less than `minimumGap` apart, make one event;
  /// 5. events shorter than `minimumDuration` are dropped;
  /// 6. so are those that begin less than `refractoryTime` after the end of an event that was not dropped.
  ///
  /// At the ends of the sound, smoothing takes the hops that are there; hops that are not there are not on.
  /// Times are compared to the microsecond.
  public struct Configuration: Hashable, Sendable {
    public enum Smoothing: String, Codable, CaseIterable, Sendable {
      case mean
      case median
    }

    /// A score that an event must reach, and one that it may not fall below as long as it lasts.
    public struct Threshold: Codable, Hashable, Sendable {
      public let on: Float
      public let off: Float

      /// `off` is at most `on`, and the same when it is not given.
      public init(on: Float, off: Float? = nil) {
        self.on = on
        self.off = off ?? on
      }

      /// Events that last as long, and must reach another score; no longer where that is below `off`.
      public func with(on: Float) -> Threshold { Threshold(on: on, off: min(on, off)) }
    }

    /// The most hops that smoothing and agreement look at.
    public static let mostHops = 100_001
    /// The most hops that an event can have before the one that reaches `on`.
    public static let mostRisingHops = 10_000

    public let smoothing: Smoothing
    /// Odd; 1 is off.
    public let smoothingHops: Int
    /// For classes that `thresholds` does not name.
    public let threshold: Threshold
    public let thresholds: [String: Threshold]
    /// 1 of 1 is off.
    public let agreement: Int
    /// Odd.
    public let agreementHops: Int
    /// Seconds; 0 is off.
    public let minimumDuration: Double
    /// Seconds; 0 is off.
    public let minimumGap: Double
    /// Seconds; 0 is off.
    public let refractoryTime: Double
    /// Classes that are no events, such as `_silence_`.
    public let ignoredLabels: Set<String>

    /// Throws `DetectionError.invalidConfiguration` for a number of hops that is even or not in `1...mostHops`, more hops
    /// to agree than there are, a threshold that is not finite or turns off above where it turns on, and times below 0.
    public init(
      smoothing: Smoothing = .mean, smoothingHops: Int = 1, threshold: Threshold = Threshold(on: 0.5),
      thresholds: [String: Threshold] = [:], agreement: Int = 1, agreementHops: Int = 1, minimumDuration: Double = 0,
      minimumGap: Double = 0, refractoryTime: Double = 0, ignoredLabels: Set<String> = []
    ) throws(DetectionError) {
      for (name, hops) in [("smoothingHops", smoothingHops), ("agreementHops", agreementHops)] {
        guard (1...Self.mostHops).contains(hops), hops % 2 == 1 else {
          throw .invalidConfiguration(name: name, reason: "\(hops); wanted an odd number from 1 to \(Self.mostHops)")
        }
      }
      guard (1...agreementHops).contains(agreement) else {
        throw .invalidConfiguration(name: "agreement", reason: "\(agreement) of \(agreementHops) hops cannot agree")
      }
      let named = thresholds.sorted { $0.key < $1.key }.map { ("threshold of '\($0.key)'", $0.value) }
      for (name, threshold) in [("threshold", threshold)] + named {
        guard threshold.on.isFinite, threshold.off.isFinite, threshold.off <= threshold.on else {
          throw .invalidConfiguration(
            name: name, reason: "on at \(threshold.on), off below \(threshold.off); off cannot be above on")
        }
      }
      let times = [
        ("minimum duration", minimumDuration), ("minimum gap", minimumGap), ("refractory time", refractoryTime),
      ]
      for (name, seconds) in times where !(seconds.isFinite && seconds >= 0) {
        throw .invalidConfiguration(name: name, reason: "\(seconds) s; wanted 0 or more")
      }
      self.smoothing = smoothing
      self.smoothingHops = smoothingHops
      self.threshold = threshold
      self.thresholds = thresholds
      self.agreement = agreement
      self.agreementHops = agreementHops
      self.minimumDuration = minimumDuration
      self.minimumGap = minimumGap
      self.refractoryTime = refractoryTime
      self.ignoredLabels = ignoredLabels
    }

    /// What the scores of windows that slide over sound need as a rule, since a window with a part of an event may be taken
    /// for anything: the mean over half a window, and events that reach 0.7 and last while the score is 0.5 or more.
    ///
    /// Throws as the initialiser does.
    public static func sliding(
      window: Double, hop: Double, ignoring labels: Set<String> = []
    ) throws(DetectionError) -> Configuration {
      // A hop and a window that are rounded to frames have as many.
      let half = window / (4 * hop) + 0.15
      return try Configuration(
        smoothingHops: half > 0 ? 2 * Int(min(half, Double(mostHops / 2))) + 1 : 1,
        threshold: Threshold(on: 0.7, off: 0.5), ignoredLabels: labels)
    }

    /// How many hops after a hop must be known before it is known whether it is active.
    public var lookahead: Int { smoothingHops / 2 + agreementHops / 2 }

    /// The threshold of one class.
    public func threshold(of label: String) -> Threshold { thresholds[label] ?? threshold }

    /// The same, with other thresholds.
    public func with(
      threshold: Threshold, thresholds: [String: Threshold] = [:]
    ) throws(DetectionError) -> Configuration {
      try Configuration(
        smoothing: smoothing, smoothingHops: smoothingHops, threshold: threshold, thresholds: thresholds,
        agreement: agreement, agreementHops: agreementHops, minimumDuration: minimumDuration, minimumGap: minimumGap,
        refractoryTime: refractoryTime, ignoredLabels: ignoredLabels)
    }
  }
}

extension EventDetector.Configuration: Codable {
  private enum Key: String, CodingKey {
    case smoothing, smoothingHops, threshold, thresholds, agreement, agreementHops
    case minimumDuration, minimumGap, refractoryTime, ignoredLabels
  }

  /// Members that are missing take their defaults. Throws what the initialiser throws.
  public init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: Key.self)
    try self.init(
      smoothing: members.decodeIfPresent(Smoothing.self, forKey: .smoothing) ?? .mean,
      smoothingHops: members.decodeIfPresent(Int.self, forKey: .smoothingHops) ?? 1,
      threshold: members.decodeIfPresent(Threshold.self, forKey: .threshold) ?? Threshold(on: 0.5),
      thresholds: members.decodeIfPresent([String: Threshold].self, forKey: .thresholds) ?? [:],
      agreement: members.decodeIfPresent(Int.self, forKey: .agreement) ?? 1,
      agreementHops: members.decodeIfPresent(Int.self, forKey: .agreementHops) ?? 1,
      minimumDuration: members.decodeIfPresent(Double.self, forKey: .minimumDuration) ?? 0,
      minimumGap: members.decodeIfPresent(Double.self, forKey: .minimumGap) ?? 0,
      refractoryTime: members.decodeIfPresent(Double.self, forKey: .refractoryTime) ?? 0,
      ignoredLabels: members.decodeIfPresent(Set<String>.self, forKey: .ignoredLabels) ?? [])
  }

  public func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: Key.self)
    try members.encode(smoothing, forKey: .smoothing)
    try members.encode(smoothingHops, forKey: .smoothingHops)
    try members.encode(threshold, forKey: .threshold)
    try members.encode(thresholds, forKey: .thresholds)
    try members.encode(agreement, forKey: .agreement)
    try members.encode(agreementHops, forKey: .agreementHops)
    try members.encode(minimumDuration, forKey: .minimumDuration)
    try members.encode(minimumGap, forKey: .minimumGap)
    try members.encode(refractoryTime, forKey: .refractoryTime)
    try members.encode(ignoredLabels.sorted(), forKey: .ignoredLabels)
  }
}
