import AudioFeatures
import AudioInput
import AuricleBase
import RealModule
import Testing

@testable import Augmentation

@Suite("Augmentation of features")
struct FeatureAugmenterTests {
  private static let logMel: FeatureConfiguration = {
    var configuration = FeatureConfiguration.speech(sampleRate: 8000)
    configuration.kind = .logMel
    configuration.deltas.order = 0
    return configuration
  }()

  private static let speech = FeatureConfiguration.speech(sampleRate: 8000)

  private static func features(_ configuration: FeatureConfiguration) throws -> FeatureMatrix {
    try FeatureExtractor(configuration).features(of: tone)
  }

  private func augmented(
    _ features: FeatureMatrix, _ configuration: FeatureConfiguration, _ example: Int = 0,
    _ change: (inout Augmentation) -> Void
  ) throws -> FeatureMatrix {
    var augmentation = Augmentation.none
    change(&augmentation)
    var generator = generator(example)
    return try FeatureAugmenter(augmentation, configuration).augmented(features, using: &generator)
  }

  @Test("nothing is changed when nothing is asked for")
  func none() throws {
    let features = try Self.features(Self.speech)
    #expect(try augmented(features, Self.speech) { _ in } == features)
  }

  @Test("a level is the same change of every log-mel energy, of coefficient 0 alone in cepstra")
  func level() throws {
    for configuration in [Self.logMel, Self.speech] {
      let features = try Self.features(configuration)
      let changed = try augmented(features, configuration) { $0.level = 10 }
      let differences = zip(changed.values, features.values).map { $0 - $1 }
      let first = differences[0]
      // Natural logarithms, of which 10 dB are 2.3; coefficient 0 has sqrt(40) of them.
      #expect(abs(first) > 0.01 && abs(first) < (configuration.kind == .mfcc ? 15 : 2.31))
      for (place, difference) in differences.enumerated() {
        let isChanged = configuration.kind == .logMel || place % 39 == 0
        #expect(abs(difference - (isChanged ? first : 0)) < 1e-3)
      }
    }
  }

  @Test("a move repeats the outermost frame, a roll goes round")
  func moves() throws {
    let features = FeatureMatrix(
      coefficients: 40, values: (0..<50).flatMap { [Float](repeating: Float($0), count: 40) })
    var distances: Set<Int> = []
    for example in 0..<8 {
      let moved = try augmented(features, Self.logMel, example) { $0.move = 0.2 }
      let frames = (0..<50).map { Int(moved[$0].first ?? -1) }
      let distance = 25 - frames[25]
      #expect(abs(distance) <= 10 && frames == (0..<50).map { min(49, max(0, $0 - distance)) })
      distances.insert(distance)
      let rolled = try augmented(features, Self.logMel, example) { $0.roll = 1 }
      let turned = (0..<50).map { Int(rolled[$0].first ?? -1) }
      #expect(turned == (0..<50).map { ($0 + turned[0]) % 50 })
    }
    #expect(distances.count > 3)
  }

  @Test("a floor only raises, and by no more than to the mean, give or take its noise and slope")
  func floor() throws {
    let features = try Self.features(Self.logMel)
    let changed = try augmented(features, Self.logMel) { $0.floor = 1 }
    #expect(zip(changed.values, features.values).allSatisfy { $0 >= $1 } && changed != features)
    // Cepstra are no energies.
    let cepstra = try Self.features(Self.speech)
    #expect(try augmented(cepstra, Self.speech) { $0.floor = 1 } == cepstra)
  }

  @Test("a background is added as energy, 0 to 25 dB below the sound")
  func background() throws {
    let features = try Self.features(Self.logMel)
    let noise = FeatureMatrix(coefficients: 40, values: (0..<7 * 40).map { Float($0 % 11) - 5 })
    var augmentation = Augmentation.none
    augmentation.background = 1
    let augmenter = try FeatureAugmenter(augmentation, Self.logMel, backgrounds: [noise])
    func power(_ values: [Float]) -> Double { values.reduce(0) { $0 + Double.exp(Double($1)) } }
    var ratios: [Double] = []
    for example in 0..<10 {
      var generator = generator(example)
      let changed = augmenter.augmented(features, using: &generator)
      #expect(zip(changed.values, features.values).allSatisfy { $0 >= $1 - 1e-5 })
      ratios.append((power(changed.values) - power(features.values)) / power(features.values))
    }
    // 10^0 to 10^-2.5 of the sound's.
    #expect(ratios.allSatisfy { (0.003...1.01).contains($0) } && Set(ratios).count == 10)
    // Without recordings nothing is added.
    #expect(try augmented(features, Self.logMel) { $0.background = 1 } == features)
  }

  @Test("a frequency warp moves a spectral peak, and more warp moves it farther")
  func frequencyWarp() throws {
    // A peak at 2 kHz in a flat spectrum.
    let bands = Self.logMel.mel.count
    let envelope = SpectralEnvelope(Self.logMel)
    func peak(_ factor: Double) -> Int {
      let matrix = envelope.change(warp: factor, masks: []).matrix
      let spectrum = (0..<bands).map { Float(Double.exp(-Double.pow(Double($0 - bands / 2) / 2, 2))) }
      let warped = (0..<bands).map { i in (0..<bands).reduce(Float(0)) { $0 + matrix[i * bands + $1] * spectrum[$1] } }
      return warped.indices.max { warped[$0] < warped[$1] } ?? 0
    }
    #expect(peak(1) == bands / 2)
    // Stretching by more than 1 reads from higher frequencies, so a peak comes down.
    #expect(peak(1.2) < peak(1.1) && peak(1.1) < peak(1) && peak(1) < peak(0.9) && peak(0.9) < peak(0.8))
  }

  @Test("a warp of cepstra is the warp of the spectrum they describe")
  func cepstralWarp() throws {
    // As many cepstra as filters describe all of the spectrum.
    var mfcc = Self.logMel
    mfcc.kind = .mfcc
    mfcc.cepstrum.count = mfcc.mel.count
    var liftered = mfcc
    liftered.cepstrum.lifter = 22
    for configuration in [mfcc, liftered] {
      let count = mfcc.mel.count
      let (cepstra, logs) = (try Self.features(configuration), try Self.features(Self.logMel))
      let change = SpectralEnvelope(configuration).change(warp: 1.1, masks: [3..<6])
      let wanted = SpectralEnvelope(Self.logMel).change(warp: 1.1, masks: [3..<6])
      func apply(_ matrix: [Float], _ row: ArraySlice<Float>) -> [Float] {
        (0..<count).map { i in zip(matrix[i * count..<(i + 1) * count], row).reduce(0) { $0 + $1.0 * $1.1 } }
      }
      // Both in the domain of cepstra, through the extractor's own DCT: compare by transforming logs with it.
      let analysis = cepstraOf(apply(wanted.matrix, logs[5]), like: configuration)
      let found = apply(change.matrix, cepstra[5])
      for (a, b) in zip(found, analysis) { #expect(abs(a - b) < 2e-3 * max(1, abs(b))) }
    }
  }

  /// The DCT-II with lifter of log energies, straight from its formula.
  private func cepstraOf(_ logs: [Float], like configuration: FeatureConfiguration) -> [Float] {
    let (count, lifter) = (logs.count, configuration.cepstrum.lifter)
    return (0..<count).map { n in
      let sum = logs.indices.reduce(0.0) {
        $0 + Double(logs[$1]) * Double.cos(Double.pi * Double(n) * (Double($1) + 0.5) / Double(count))
      }
      let lift = lifter > 0 ? 1 + lifter / 2 * Double.sin(Double.pi * Double(n) / lifter) : 1
      return Float(sum * Double.sqrt((n == 0 ? 1 : 2) / Double(count)) * lift)
    }
  }

  @Test("a filter adds one curve within its limit to all frames; cepstra get its DCT and deltas nothing")
  func filter() throws {
    let logs = try Self.features(Self.logMel)
    let changed = try augmented(logs, Self.logMel) { $0.filter = 10 }
    let curve = (0..<logs.coefficients).map { changed.values[$0] - logs.values[$0] }
    let limit = Float(10 * Double.log(10) / 10)
    #expect(curve.allSatisfy { abs($0) <= limit * 1.001 } && Set(curve.map { ($0 * 1e3).rounded() }).count > 10)
    for index in logs.values.indices {
      #expect(abs(changed.values[index] - logs.values[index] - curve[index % logs.coefficients]) < 1e-4)
    }

    let mfcc = try Self.features(Self.speech)
    let liftered = try augmented(mfcc, Self.speech) { $0.filter = 10 }
    let cepstra = cepstraOf(curve, like: Self.speech)
    for index in mfcc.values.indices {
      let place = index % mfcc.coefficients
      let wanted = place < 13 ? cepstra[place] : 0
      #expect(abs(liftered.values[index] - mfcc.values[index] - wanted) < 1e-3 * max(1, abs(wanted)))
    }
  }

  @Test("a frequency mask sets bands to their mean over the file")
  func frequencyMask() throws {
    let features = try Self.features(Self.logMel)
    let changed = try augmented(features, Self.logMel, 3) {
      $0.frequencyMasks = 1
      $0.frequencyMaskShare = 0.5
    }
    let constant = (0..<changed.coefficients).filter { band in
      (1..<changed.frames).allSatisfy { abs(changed[$0][$0 * changed.coefficients + band] - changed[0][band]) < 1e-4 }
    }
    #expect(!constant.isEmpty && constant.count <= changed.coefficients / 2)
    let untouched = (0..<changed.coefficients).filter { !constant.contains($0) }
    #expect(
      untouched.allSatisfy { band in
        (0..<changed.frames).allSatisfy {
          let place = $0 * changed.coefficients + band
          return abs(changed.values[place] - features.values[place]) < 1e-4
        }
      })
  }

  @Test("a time mask sets frames to the mean and their deltas to zero")
  func timeMask() throws {
    let features = try Self.features(Self.speech)
    let changed = try augmented(features, Self.speech, 1) {
      $0.timeMasks = 1
      $0.timeMaskShare = 0.5
    }
    let differing = (0..<features.frames).filter { Array(changed[$0]) != Array(features[$0]) }
    #expect(!differing.isEmpty && differing.count <= features.frames / 2)
    #expect(differing == Array(differing[0]...differing[differing.count - 1]))
    for frame in differing { #expect(changed[frame].suffix(26).allSatisfy { $0 == 0 }) }
  }

  @Test("tempo changes the number of frames and the slopes with it", arguments: 0..<6)
  func tempo(example: Int) throws {
    // A ramp: coefficient 0 rises by 1 a frame, its delta is 1, its second delta 0.
    var configuration = Self.logMel
    configuration.mel.count = 2
    configuration.deltas.order = 1
    let ramp = FeatureMatrix(coefficients: 4, values: (0..<100).flatMap { [Float($0), 0, 1, 0] })
    let changed = try augmented(ramp, configuration, example) { $0.tempo = 0.3 }
    #expect(changed.frames != 100 && changed.frames >= 76 && changed.frames <= 143)
    #expect(changed[0].first == 0 && abs(changed[changed.frames - 1][(changed.frames - 1) * 4] - 99) < 1e-3)
    for frame in 1..<changed.frames {
      let rise = changed.values[frame * 4] - changed.values[(frame - 1) * 4]
      #expect(abs(rise - changed.values[frame * 4 + 2]) < 1e-3)
    }
  }

  @Test("a time warp keeps the ends and the number of frames and moves the middle")
  func timeWarp() throws {
    var configuration = Self.logMel
    configuration.mel.count = 1
    let ramp = FeatureMatrix(coefficients: 1, values: (0..<101).map { Float($0) })
    let changed = try augmented(ramp, configuration, 2) { $0.timeWarp = 0.2 }
    #expect(changed.frames == 101 && changed.values[0] == 0 && abs(changed.values[100] - 100) < 1e-3)
    #expect(abs(changed.values[50] - 50) > 0.5 && abs(changed.values[50] - 50) <= 20)
    #expect(zip(changed.values, changed.values.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test("mixing stretches the second to the first's length and keeps the shares")
  func mixing() {
    let first = FeatureMatrix(coefficients: 1, values: [1, 1, 1, 1, 1])
    let second = FeatureMatrix(coefficients: 1, values: [0, 10, 20])
    let mixed = FeatureAugmenter.mixed(first, second, share: 0.5)
    #expect(mixed.values == [0.5, 3, 5.5, 8, 10.5])
  }

  @Test("one frame, and nothing at all, pass through every change")
  func short() throws {
    for frames in 0...3 {
      let features = FeatureMatrix(coefficients: 39, values: [Float](repeating: 1, count: 39 * frames))
      var generator = generator()
      let changed = try FeatureAugmenter(.strong, Self.speech).augmented(features, using: &generator)
      #expect((changed.frames > 0) == (frames > 0) && changed.values.allSatisfy(\.isFinite))
    }
  }

  @Test("shares of a mix come from the beta distribution")
  func beta() {
    var generator = generator()
    for (alpha, variance) in [(0.2, 1 / 5.6), (1.0, 1 / 12.0), (4.0, 1 / 36.0)] {
      let draws = (0..<4000).map { _ in generator.beta(alpha) }
      let mean = draws.reduce(0, +) / 4000
      let spread = draws.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000
      #expect(abs(mean - 0.5) < 0.02 && abs(spread - variance) < 0.1 * variance)
    }
  }
}
