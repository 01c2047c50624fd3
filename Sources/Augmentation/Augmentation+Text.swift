extension Augmentation {
  /// From a preset's name and changes of single fields, as on a command line.
  ///
  ///     try Augmentation("strong,noise=0,mixup=0.2")
  ///     try Augmentation("frequency-warp=0.1")         // that alone
  ///
  /// Throws `AugmentationError.configuration` for an unknown name or an impossible value.
  public init(_ text: String) throws(AugmentationError) {
    self = .none
    for (index, word) in text.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      if index == 0, parts.count == 1, let preset = Augmentation.presets[parts[0]] {
        self = preset
      } else if parts.count == 2, let value = Double(parts[1]), set(parts[0], to: value) {
        continue
      } else {
        throw .configuration(
          "'\(word)' is neither none, light, normal, strong nor a field with a number: \(Augmentation.fieldNames.joined(separator: ", "))"
        )
      }
    }
    try validate()
  }

  private static let presets: [String: Augmentation] = [
    "none": .none, "light": .light, "normal": .normal, "strong": .strong,
  ]

  private static let fieldNames = [
    "gain", "shift", "speed", "tilt", "cut", "ends", "noise", "noise-lowest-ratio", "noise-highest-ratio", "room",
    "sound-mixup", "frequency-warp", "filter", "level", "floor", "background", "move", "roll", "tempo", "time-warp",
    "time-masks", "time-mask-share", "frequency-masks", "frequency-mask-share", "mixup",
  ]

  /// False for an unknown name, or a count that is not one.
  private mutating func set(_ name: String, to value: Double) -> Bool {
    switch name {
    case "gain": gain = value
    case "shift": shift = value
    case "speed": speed = value
    case "tilt": tilt = value
    case "cut": cut = value
    case "ends": ends = value
    case "noise": noise.probability = value
    case "noise-lowest-ratio": noise.lowestRatio = value
    case "noise-highest-ratio": noise.highestRatio = value
    case "room": roomProbability = value
    case "sound-mixup": soundMixup = value
    case "frequency-warp": frequencyWarp = value
    case "filter": filter = value
    case "level": level = value
    case "floor": floor = value
    case "background": background = value
    case "move": move = value
    case "roll": roll = value
    case "tempo": tempo = value
    case "time-warp": timeWarp = value
    case "time-masks": return set(\.timeMasks, value)
    case "time-mask-share": timeMaskShare = value
    case "frequency-masks": return set(\.frequencyMasks, value)
    case "frequency-mask-share": frequencyMaskShare = value
    case "mixup": mixup = value
    default: return false
    }
    return true
  }

  private mutating func set(_ count: WritableKeyPath<Augmentation, Int>, _ value: Double) -> Bool {
    guard let whole = Int(exactly: value) else { return false }
    self[keyPath: count] = whole
    return true
  }
}
