#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// How a model is best slid over sound and how its scores become events: kept in its file, and what `SoundDetector` does
/// unless it is told otherwise.
///
///     var model = try ClassifierEnsemble(contentsOf: "words.safetensors")
///     try model.setDetectionSettings(DetectionSettings(window: 1, events: .init(threshold: .init(on: 0.8, off: 0.5))))
///     try model.write(to: "words.safetensors")
///     try SoundDetector(SoundClassifier(model)).window      // 1.0
public struct DetectionSettings: Codable, Hashable, Sendable {
  /// Seconds; what the model was trained on is as long.
  public var window: Double?
  /// Seconds.
  public var hop: Double?
  /// Smoothing, thresholds and the rest; nil where nobody has chosen any.
  public var events: EventDetector.Configuration?
  /// What the thresholds were chosen for: at most so many false alarms an hour.
  public var falseAlarmsPerHour: Double?

  public init(
    window: Double? = nil, hop: Double? = nil, events: EventDetector.Configuration? = nil,
    falseAlarmsPerHour: Double? = nil
  ) {
    (self.window, self.hop, self.events, self.falseAlarmsPerHour) = (window, hop, events, falseAlarmsPerHour)
  }

  /// All that a detector of `labels` needs: what is given, then what these settings say, then a window of 1 s, a hop of a
  /// quarter of the window, and events `EventDetector.Configuration.sliding`, without `SoundDetector.backgroundLabels`.
  ///
  /// Throws `DetectionError.invalidConfiguration`.
  public func complete(
    window: Double? = nil, hop: Double? = nil, labels: [String]
  ) throws(DetectionError) -> (window: Double, hop: Double, events: EventDetector.Configuration) {
    let window = window ?? self.window ?? 1
    let hop = hop ?? self.hop.flatMap { $0 <= window ? $0 : nil } ?? window / 4
    if let events { return (window, hop, events) }
    let ignored = SoundDetector.backgroundLabels.intersection(labels)
    return (window, hop, try .sliding(window: window, hop: hop, ignoring: ignored))
  }
}

extension ClassifierEnsemble {
  /// What the model says of how it detects; all nil where it says nothing.
  ///
  /// Throws `DetectionError.invalidConfiguration` for what cannot be read or is impossible.
  public func detectionSettings() throws(DetectionError) -> DetectionSettings {
    guard let detection else { return DetectionSettings() }
    let settings: DetectionSettings
    do {
      settings = try JSONDecoder().decode(DetectionSettings.self, from: Data(detection.utf8))
    } catch {
      throw .invalidConfiguration(
        name: "'auricle.detection' in the model's file",
        reason: (error as? DetectionError)?.description ?? "not readable")
    }
    let known = Set(labels)
    let named = settings.events.map { Set($0.thresholds.keys).union($0.ignoredLabels) } ?? []
    if let unknown = named.subtracting(known).min() { throw .unknownLabel(unknown, known: labels) }
    return settings
  }

  /// Has the model say how it detects. Throws `DetectionError.unknownLabel` for a threshold of a class it does not know.
  public mutating func setDetectionSettings(_ settings: DetectionSettings) throws(DetectionError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(settings) else {
      throw .invalidConfiguration(name: "detection settings", reason: "a number that is not finite")
    }
    let before = detection
    detection = String(decoding: data, as: UTF8.self)
    do { _ = try detectionSettings() } catch {
      detection = before
      throw error
    }
  }
}
