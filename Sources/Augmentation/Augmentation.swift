/// What is changed at random in the training data, afresh in every epoch, so that a model learns what does not matter.
///
///     var augmentation = Augmentation.strong
///     augmentation.noise.probability = 0      // as strong, but no more noise than that of `ends`
///
/// Every field can be set alone, and what is zero is off. Draws depend on the training's seed, the epoch and the example
/// alone. Changes of the waveform need features computed again in every epoch; those of the features are nearly free.
public struct Augmentation: Codable, Hashable, Sendable {
  /// Noise added to the waveform at a drawn ratio of signal to noise.
  public struct Noise: Codable, Hashable, Sendable {
    /// Share of examples that get it.
    public var probability: Double
    /// The ratio of mean powers in dB, drawn evenly between these.
    public var lowestRatio: Double
    public var highestRatio: Double

    public init(probability: Double = 0, lowestRatio: Double = 5, highestRatio: Double = 30) {
      self.probability = probability
      self.lowestRatio = lowestRatio
      self.highestRatio = highestRatio
    }
  }

  // MARK: The waveform

  /// Largest change of loudness, in dB, up or down.
  public var gain = 0.0
  /// Farthest move in time, in seconds, earlier or later; silence moves in, the length stays.
  public var shift = 0.0
  /// Largest change of speed, as a share, faster or slower, in steps of 0.01: a tape's, so that pitch and formants change
  /// with it (Ko et al., "Audio augmentation for speech recognition", Interspeech 2015).
  public var speed = 0.0
  /// Largest gain of the lowest frequency against the highest, in dB, up or down, with a gradual change between them:
  /// another microphone, another distance. Noise and rooms come after it, so that weak consonants sink below noise, as
  /// they do in recordings, which `filter` cannot imitate.
  public var tilt = 0.0
  /// Largest share of the sound that is cut off at its beginning and at its end, each in half of the examples: recordings
  /// that begin too late or end too early.
  public var cut = 0.0
  /// Longest silence before and after the sound, in seconds, each in half of the examples: how closely it was cut. Below
  /// it and the sound lies white or pink noise, 20 to 70 dB weaker than the sound: how quiet the place was.
  public var ends = 0.0
  /// White and pink noise, or recordings where there are any.
  public var noise = Noise()
  /// Share of examples that sound as in a room: a synthetic one, or a recorded one where there are impulse responses.
  public var roomProbability = 0.0
  /// As `mixup`, of waveforms: two sounds at once, as in life (Tokozume et al., "Learning from between-class examples for
  /// deep sound recognition", ICLR 2018). Comes last, and each of the two is changed by itself before.
  public var soundMixup = 0.0

  // MARK: The features

  /// Largest stretch of the frequency axis, as a share, up or down: a longer or shorter vocal tract (Jaitly and Hinton,
  /// "Vocal tract length perturbation", ICML workshop 2013).
  public var frequencyWarp = 0.0
  /// Largest gain of a frequency, in dB, up or down, the same for the whole sound: another microphone, another place. The
  /// curve is straight between 2 to 5 frequencies (Nam et al., "FilterAugment", ICASSP 2022).
  public var filter = 0.0
  /// Largest change of loudness, in dB, up or down; as `gain`, without the waveform.
  public var level = 0.0
  /// Share of examples of log-mel energies that get a floor of noise, level or sloping over frequency, 0 to 36 dB below
  /// their mean.
  public var floor = 0.0
  /// Share of examples of log-mel energies that get one of the recordings of noise, where there are any, 0 to 25 dB below
  /// them. Energies are added, as those of sounds that have nothing to do with each other.
  public var background = 0.0
  /// Farthest move in time, as a share of the length, earlier or later; the outermost frame is repeated.
  public var move = 0.0
  /// Farthest turn in time, as a share of the length, in half of the examples: what leaves at one end comes in at the other.
  public var roll = 0.0
  /// Largest change of tempo, as a share: frames are interpolated, nothing else changes.
  public var tempo = 0.0
  /// Farthest that the middle of a sequence moves in time, as a share of its length (Park et al., "SpecAugment",
  /// Interspeech 2019).
  public var timeWarp = 0.0
  /// Masks over time, and the largest share of the sequence that each covers (SpecAugment).
  public var timeMasks = 0
  public var timeMaskShare = 0.1
  /// Masks over frequency, and the largest share of the mel axis that each covers (SpecAugment).
  public var frequencyMasks = 0
  public var frequencyMaskShare = 0.1
  /// Parameter of the beta distribution from which the share of another example is drawn; 0 for no mixing (Zhang et al.,
  /// "mixup", ICLR 2018).
  public var mixup = 0.0

  public init() {}

  /// Nothing is changed.
  public static let none = Augmentation()

  /// Changes of the features only, which cost next to nothing.
  public static let light: Augmentation = {
    var augmentation = Augmentation()
    augmentation.frequencyWarp = 0.1
    augmentation.filter = 6
    augmentation.tempo = 0.1
    augmentation.timeMasks = 1
    augmentation.frequencyMasks = 1
    return augmentation
  }()

  /// For any kind of sound, and changes of the features only: what `auricle train` uses unless told otherwise.
  public static let normal: Augmentation = {
    var augmentation = Augmentation()
    augmentation.frequencyWarp = 0.08
    augmentation.filter = 8
    augmentation.level = 8
    augmentation.floor = 0.5
    augmentation.background = 0.5
    augmentation.move = 0.1
    augmentation.tempo = 0.12
    augmentation.timeMasks = 2
    augmentation.timeMaskShare = 0.15
    augmentation.frequencyMasks = 2
    augmentation.frequencyMaskShare = 0.15
    augmentation.mixup = 0.2
    return augmentation
  }()

  /// Tuned on real speech for speakers that training has not heard; see the table in the documentation.
  public static let strong: Augmentation = {
    var augmentation = Augmentation.light
    augmentation.gain = 8
    augmentation.speed = 0.1
    augmentation.tilt = 24
    augmentation.cut = 0.2
    augmentation.ends = 0.25
    augmentation.roomProbability = 0.5
    augmentation.noise = Noise(probability: 0.8, lowestRatio: 0, highestRatio: 40)
    augmentation.frequencyWarp = 0.12
    augmentation.filter = 16
    augmentation.tempo = 0.2
    augmentation.timeMasks = 2
    augmentation.frequencyMasks = 2
    augmentation.mixup = 0.4
    return augmentation
  }()

  /// Whether features must be computed afresh in every epoch.
  public var changesWaveform: Bool {
    gain > 0 || shift > 0 || speed > 0 || tilt > 0 || cut > 0 || ends > 0 || noise.probability > 0
      || roomProbability > 0 || soundMixup > 0
  }

  /// Whether anything is changed at all.
  public var isOn: Bool { self != Augmentation(unchanging: self) }

  /// What is off in `other`, with its settings that do nothing alone.
  private init(unchanging other: Augmentation) {
    (timeMaskShare, frequencyMaskShare) = (other.timeMaskShare, other.frequencyMaskShare)
    (noise.lowestRatio, noise.highestRatio) = (other.noise.lowestRatio, other.noise.highestRatio)
  }

  /// Throws `AugmentationError.configuration`, which says what is wrong, for a value out of range.
  public func validate() throws(AugmentationError) {
    func require(_ name: String, _ value: Double, _ range: ClosedRange<Double>) throws(AugmentationError) {
      guard range.contains(value) else {
        throw .configuration("\(name) is \(value); it must be \(range.lowerBound) to \(range.upperBound)")
      }
    }
    try require("gain (dB)", gain, 0...60)
    try require("shift (s)", shift, 0...3600)
    try require("speed", speed, 0...0.5)
    try require("tilt (dB)", tilt, 0...60)
    try require("cut", cut, 0...0.4)
    try require("silence at the ends (s)", ends, 0...60)
    try require("probability of noise", noise.probability, 0...1)
    try require("lowest signal-to-noise ratio (dB)", noise.lowestRatio, -60...120)
    try require("highest signal-to-noise ratio (dB)", noise.highestRatio, noise.lowestRatio...120)
    try require("probability of a room", roomProbability, 0...1)
    try require("mixup of sounds", soundMixup, 0...100)
    try require("frequency warp", frequencyWarp, 0...0.5)
    try require("filter (dB)", filter, 0...60)
    try require("level (dB)", level, 0...60)
    try require("probability of a floor", floor, 0...1)
    try require("probability of a background", background, 0...1)
    try require("move", move, 0...1)
    try require("roll", roll, 0...1)
    try require("tempo", tempo, 0...0.5)
    try require("time warp", timeWarp, 0...0.4)
    try require("number of time masks", Double(timeMasks), 0...100)
    try require("share of a time mask", timeMaskShare, 0...1)
    try require("number of frequency masks", Double(frequencyMasks), 0...100)
    try require("share of a frequency mask", frequencyMaskShare, 0...1)
    try require("mixup", mixup, 0...100)
  }
}

/// What can be wrong with augmentation.
public enum AugmentationError: Error, Hashable, Sendable, CustomStringConvertible {
  case configuration(String)

  public var description: String {
    switch self {
    case .configuration(let reason): "impossible augmentation: \(reason)"
    }
  }
}
