import AudioFeatures
import AuricleBase
import RealModule

/// Changes features at random: warps of frequency and time, tempo, masks.
///
///     let augmenter = try FeatureAugmenter(.light, configuration)
///     let changed = augmenter.augmented(features, using: &generator)      // frames x coefficients, frames may differ
///
/// Works on features as they come from the extractor, before any normalisation, and treats deltas as what they are:
/// slopes grow with the tempo, and a masked constant has none.
public struct FeatureAugmenter: Sendable {
  public let augmentation: Augmentation
  private let base: Int
  private let envelope: SpectralEnvelope
  /// Of log-mel energies, which can be added to each other as energies.
  private let hasEnergies: Bool
  private let backgrounds: [FeatureMatrix]

  /// - Parameter backgrounds: features of recordings of noise, for `Augmentation.background`.
  public init(
    _ augmentation: Augmentation, _ configuration: FeatureConfiguration, backgrounds: [FeatureMatrix] = []
  ) throws(AugmentationError) {
    try augmentation.validate()
    self.augmentation = augmentation
    hasEnergies = configuration.kind == .logMel && configuration.deltas.order == 0
    self.backgrounds = backgrounds.filter { $0.frames > 0 && $0.coefficients == configuration.baseCount }
    base = configuration.baseCount
    envelope = SpectralEnvelope(configuration)
  }

  /// The features as this epoch sees them; at least one frame.
  public func augmented(_ features: FeatureMatrix, using generator: inout SeededGenerator) -> FeatureMatrix {
    guard features.frames > 0, features.coefficients.isMultiple(of: base) else { return features }
    var result = changedSpectrum(features, using: &generator)
    filter(&result, using: &generator)
    result = changedTime(result, using: &generator)
    result = moved(result, using: &generator)
    if hasEnergies {
      addBackground(to: &result, using: &generator)
      addFloor(to: &result, using: &generator)
    }
    changeLevel(&result, using: &generator)
    maskTime(&result, using: &generator)
    return result
  }

  /// Frequency warp and masks: each frame's spectral envelope is changed, and the change carried into the coefficients.
  private func changedSpectrum(_ features: FeatureMatrix, using generator: inout SeededGenerator) -> FeatureMatrix {
    var factor = 1.0
    if augmentation.frequencyWarp > 0 {
      factor = generator.uniform(in: 1 - augmentation.frequencyWarp...1 + augmentation.frequencyWarp)
    }
    let masks = (0..<augmentation.frequencyMasks).map { _ in
      drawMask(envelope.bands, share: augmentation.frequencyMaskShare, using: &generator)
    }.filter { !$0.isEmpty }
    guard factor != 1 || !masks.isEmpty else { return features }
    let change = envelope.change(warp: factor, masks: masks)

    var result = features
    let mean = change.keepsMean ? means(features) : []
    for frame in 0..<features.frames {
      for first in stride(from: 0, to: features.coefficients, by: base) {
        let row = frame * features.coefficients + first
        for i in 0..<base {
          var sum: Float = 0
          for j in 0..<base { sum += change.matrix[i * base + j] * features.values[row + j] }
          if change.keepsMean && first == 0 {
            for j in 0..<base { sum += change.meanMatrix[i * base + j] * mean[j] }
          }
          result.values[row + i] = sum
        }
      }
    }
    return result
  }

  /// A random curve over frequency is added to the logarithmic spectrum of every frame; slopes over time do not change.
  private func filter(_ features: inout FeatureMatrix, using generator: inout SeededGenerator) {
    guard augmentation.filter > 0 else { return }
    let gains = (0..<2 + generator.index(4)).map { _ in
      generator.uniform(in: -augmentation.filter...augmentation.filter)
    }
    add(envelope.gain(decibels: gains), to: &features)
  }

  private func add(_ change: (values: [Float], isFactor: Bool), to features: inout FeatureMatrix) {
    for frame in 0..<features.frames {
      let row = frame * features.coefficients
      for i in 0..<base {
        if change.isFactor {
          features.values[row + i] *= change.values[i]
        } else {
          features.values[row + i] += change.values[i]
        }
      }
    }
  }

  /// Tempo and time warp: frames between frames, interpolated.
  private func changedTime(_ features: FeatureMatrix, using generator: inout SeededGenerator) -> FeatureMatrix {
    guard augmentation.tempo > 0 || augmentation.timeWarp > 0, features.frames > 2 else { return features }
    let tempo = augmentation.tempo > 0 ? generator.uniform(in: 1 - augmentation.tempo...1 + augmentation.tempo) : 1
    let move = augmentation.timeWarp > 0 ? generator.uniform(in: -augmentation.timeWarp...augmentation.timeWarp) : 0
    let frames = max(1, Int((Double(features.frames) / tempo).rounded()))
    // The middle of the result is taken from 1/2 + move of the original; each half is stretched evenly.
    let (last, middle) = (Double(features.frames - 1), Double(frames - 1) / 2)
    let pivot = last * (0.5 + move)
    let width = features.coefficients
    var values = [Float](repeating: 0, count: frames * width)
    for frame in 0..<frames {
      let isEarly = Double(frame) < middle
      let slope = middle > 0 ? (isEarly ? pivot : last - pivot) / middle : 1
      let position = min(last, max(0, isEarly ? Double(frame) * slope : pivot + (Double(frame) - middle) * slope))
      let row = features.interpolated(at: position)
      var scale: Float = 1
      for i in 0..<width {
        if i > 0 && i.isMultiple(of: base) { scale *= Float(slope) }
        values[frame * width + i] = scale * row[i]
      }
    }
    return FeatureMatrix(coefficients: width, values: values)
  }

  /// Earlier or later, with the outermost frame repeated, or round and round.
  private func moved(_ features: FeatureMatrix, using generator: inout SeededGenerator) -> FeatureMatrix {
    guard augmentation.move > 0 || augmentation.roll > 0 else { return features }
    let frames = features.frames
    func draw(_ share: Double) -> Int {
      share > 0 ? Int((generator.uniform(in: -share...share) * Double(frames)).rounded()) : 0
    }
    let move = draw(augmentation.move)
    let roll = augmentation.roll > 0 && generator.uniform() < 0.5 ? draw(augmentation.roll) : 0
    guard move != 0 || roll != 0 else { return features }
    var values: [Float] = []
    values.reserveCapacity(features.values.count)
    for frame in 0..<frames {
      let rolled = ((frame - roll) % frames + frames) % frames
      values += features[min(frames - 1, max(0, rolled - move))]
    }
    return FeatureMatrix(coefficients: features.coefficients, values: values)
  }

  /// One of the backgrounds from a random place, round and round.
  private func addBackground(to features: inout FeatureMatrix, using generator: inout SeededGenerator) {
    guard augmentation.background > 0, !backgrounds.isEmpty, generator.uniform() < augmentation.background else {
      return
    }
    let noise = backgrounds[generator.index(backgrounds.count)]
    let start = generator.index(noise.frames)
    let ratio = generator.uniform(in: 0...25)
    // Logarithms to energies: of natural logarithms where the unit is another.
    let scale = envelope.naturalPerUnit
    func energies(_ values: some Collection<Float>) -> [Double] { values.map { Double.exp(Double($0) * scale) } }
    let width = features.coefficients
    let signal = energies(features.values)
    var other: [Double] = []
    other.reserveCapacity(signal.count)
    for frame in 0..<features.frames { other += energies(noise[(start + frame) % noise.frames]) }
    let (signalSum, noiseSum) = (signal.reduce(0, +), other.reduce(0, +))
    guard signalSum > 0, noiseSum > 0, signalSum.isFinite, noiseSum.isFinite else { return }
    let factor = signalSum / noiseSum * Double.pow(10, -ratio / 10)
    for i in 0..<features.frames * width {
      features.values[i] = Float(Double.log(signal[i] + factor * other[i]) / scale)
    }
  }

  /// Nothing is below a noise of 3 dB around a straight line over frequency.
  private func addFloor(to features: inout FeatureMatrix, using generator: inout SeededGenerator) {
    guard augmentation.floor > 0, generator.uniform() < augmentation.floor else { return }
    let mean = features.values.reduce(0) { $0 + Double($1) } / Double(features.values.count)
    let unit = envelope.unitsPerDecibel
    let level = mean - unit * generator.uniform(in: 0...36)
    let slope = unit * generator.uniform(in: -15...15)
    let width = features.coefficients
    let levels = (0..<width).map { level + slope * (Double($0) / Double(max(1, width - 1)) - 0.5) }
    for i in features.values.indices {
      let floor = Float(levels[i % width] + 3 * unit * generator.normal())
      if floor > features.values[i] { features.values[i] = floor }
    }
  }

  /// The same gain at all times and frequencies.
  private func changeLevel(_ features: inout FeatureMatrix, using generator: inout SeededGenerator) {
    guard augmentation.level > 0 else { return }
    add(envelope.gain(decibels: [generator.uniform(in: -augmentation.level...augmentation.level)]), to: &features)
  }

  /// Masked frames hold the sequence's mean, and no slopes.
  private func maskTime(_ features: inout FeatureMatrix, using generator: inout SeededGenerator) {
    guard augmentation.timeMasks > 0 else { return }
    let mean = means(features)
    for _ in 0..<augmentation.timeMasks {
      for frame in drawMask(features.frames, share: augmentation.timeMaskShare, using: &generator) {
        let row = frame * features.coefficients
        for i in 0..<features.coefficients { features.values[row + i] = i < base ? mean[i] : 0 }
      }
    }
  }

  /// A run of 0 to `share` of `count` places, anywhere.
  private func drawMask(_ count: Int, share: Double, using generator: inout SeededGenerator) -> Range<Int> {
    let width = generator.index(Int(Double(count) * share) + 1)
    let start = generator.index(count - width + 1)
    return start..<start + width
  }

  private func means(_ features: FeatureMatrix) -> [Float] {
    var sums = [Double](repeating: 0, count: features.coefficients)
    for (index, value) in features.values.enumerated() { sums[index % features.coefficients] += Double(value) }
    return sums.map { Float($0 / Double(features.frames)) }
  }

  /// `first` mixed with `second`, which is stretched to its length: `share` of the former and the rest of the latter.
  public static func mixed(_ first: FeatureMatrix, _ second: FeatureMatrix, share: Double) -> FeatureMatrix {
    guard first.coefficients == second.coefficients, first.frames > 0, second.frames > 0 else { return first }
    var result = first
    let width = first.coefficients
    let step = Double(second.frames - 1) / Double(max(1, first.frames - 1))
    for frame in 0..<first.frames {
      let row = second.interpolated(at: Double(frame) * step)
      for i in 0..<width {
        result.values[frame * width + i] =
          Float(share) * first.values[frame * width + i] + Float(1 - share) * row[i]
      }
    }
    return result
  }
}

extension FeatureMatrix {
  /// The coefficients at a place between frames, on the straight line from one to the next; the last frame from there on.
  fileprivate func interpolated(at position: Double) -> [Float] {
    let before = min(frames - 1, Int(position))
    let after = min(frames - 1, before + 1)
    let share = Float(position - Double(before))
    return (0..<coefficients).map { i in
      let (x, y) = (values[before * coefficients + i], values[after * coefficients + i])
      return x + share * (y - x)
    }
  }
}
