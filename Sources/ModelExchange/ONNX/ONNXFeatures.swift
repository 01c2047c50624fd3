import AudioFeatures
import AuricleBase
import RealModule

/// Computes features from samples in the graph, without operators for signals: offset, pre-emphasis within frames, window
/// and transform are one convolution, its kernel computed in double precision.
struct ONNXFeatures {
  let configuration: FeatureConfiguration

  /// Throws `ModelExchangeError.features` for what the graph cannot compute.
  init(_ configuration: FeatureConfiguration) throws(ModelExchangeError) {
    self.configuration = configuration
    try configuration.requireExportable()
    let usedLength = configuration.usedLength
    let size = 2 * configuration.binCount * usedLength
    guard size <= 1 << 24 else {
      throw .features("a transform of \(configuration.fftLength) points would be a matrix of \(size) numbers")
    }
  }

  /// Samples of a frame that reach the transform.
  var usedLength: Int { configuration.usedLength }

  /// What is known of the batch; whole numbers.
  private struct Batch {
    /// Frames of each row, `batch`, at least 1; and of the longest, one number.
    var lengths: String
    var frames: String
    /// 0, 1, ... of the rows, `batch x 1`.
    var rows: String
    /// Whether a frame is within its sound: `batch x frames`.
    var mask: String
  }

  /// Frames (`batch x frames x width`), how many of each row count, and, for framings that do not pad, whether a row is as
  /// long as a frame (`batch x 1`).
  func add(to graph: inout ONNXGraph, samples: String, lengths: String)
    -> (features: String, lengths: String, isLongEnough: String?)
  {
    graph.scope = "features/"
    let size = graph.size(of: samples, axis: 1)
    let rows = graph.unsqueeze(graph.range(graph.size(of: samples, axis: 0)), [1])
    let frames = frameCount(&graph, samples: size)
    let own = frameCount(&graph, samples: lengths)
    let mask = graph.add("Less", [graph.range(frames), graph.unsqueeze(own, [1])])
    let batch = Batch(lengths: own, frames: frames, rows: rows, mask: mask)

    let places = places(&graph, batch, samples: size, lengths: lengths)
    let emphasis = configuration.preEmphasis.scope == .signal ? configuration.preEmphasis.coefficient : 0
    let prepared = signal(&graph, emphasis == 0 ? samples : emphasised(&graph, samples, emphasis), places)
    let isPlain = emphasis == 0 || configuration.energy != .raw
    let plain = isPlain ? prepared : signal(&graph, samples, places)

    let y = frameFeatures(&graph, prepared, plain: plain, mask: mask)
    var orders = [y]
    for _ in 0..<configuration.deltas.order { orders.append(delta(&graph, orders[orders.count - 1], batch)) }
    var result = orders.count > 1 ? graph.add("Concat", orders, [("axis", .integer(2))]) : y
    if configuration.needsStatistics { result = normalized(&graph, result, batch) }
    var isLongEnough: String?
    let fewest =
      switch configuration.framing {
      case .snipEdges: configuration.frameLength
      case .kaldiCenter: configuration.hopLength - configuration.hopLength / 2
      case .centerZero, .centerReflect, .padEnd: 1
      }
    if fewest > 1 {
      let least = graph.integers([fewest - 1])
      isLongEnough = graph.unsqueeze(graph.add("Less", [least, lengths]), [1])
    }
    return (result, own, isLongEnough)
  }

  /// What is computed of each frame by itself (`batch x frames x values`) of the samples under the frames, `batch x 1 x
  /// places`, with pre-emphasis and, for the energy, without. `mask`: whether a frame is within its sound.
  func frameFeatures(_ graph: inout ONNXGraph, _ prepared: String, plain: String, mask: String?) -> String {
    // batch x values x frames.
    let power = spectrum(&graph, prepared)
    var y = configuration.usesPower ? power : graph.add("Sqrt", [power])
    let spectrum = y
    if configuration.kind != .spectrogram {
      let filters = MelBands.filters(configuration).flatMap { $0.map { Float($0) } }
      y = graph.add(
        "MatMul", [graph.constant("mel", filters, shape: [configuration.mel.count, configuration.binCount]), y])
    }
    if configuration.kind == .logMel || configuration.kind == .mfcc { y = logarithm(&graph, y, mask) }
    if configuration.kind == .mfcc {
      y = cepstra(&graph, y, energy: energy(&graph, power: power, spectrum: spectrum, plain: plain))
    }
    return graph.transpose(y, [0, 2, 1])
  }
}

// MARK: Frames

extension ONNXFeatures {
  /// As `FrameGrid` counts them, but at least 1: rows too short for a frame get NaN at the end.
  private func frameCount(_ graph: inout ONNXGraph, samples: String) -> String {
    let (frame, hop) = (configuration.frameLength, configuration.hopLength)
    func quotient(_ graph: inout ONNXGraph, _ x: String, plus offset: Int) -> String {
      let sum = offset == 0 ? x : graph.add("Add", [x, graph.integers([offset])])
      return graph.add("Div", [sum, graph.integers([hop])])
    }
    switch configuration.framing {
    case .centerZero, .centerReflect:
      let odd = max(configuration.fftLength, frame) % 2
      return quotient(&graph, samples, plus: hop - odd)
    case .snipEdges:
      return quotient(&graph, graph.greatest(samples, graph.integers([frame])), plus: hop - frame)
    case .padEnd:
      return quotient(&graph, graph.greatest(samples, graph.integers([frame])), plus: 2 * hop - 1 - frame)
    case .kaldiCenter:
      return graph.greatest(quotient(&graph, samples, plus: hop / 2), graph.integers([1]))
    }
  }

  /// Which sample of all rows, one after the other, stands where under the frames (`batch x places`), and where there is
  /// one; nil where there always is.
  private func places(
    _ graph: inout ONNXGraph, _ batch: Batch, samples: String, lengths: String
  ) -> (index: String, isThere: String?) {
    let origin = configuration.frameOrigin
    let stretch = graph.add("Mul", [batch.frames, graph.integers([configuration.hopLength])])
    let count = graph.add("Add", [stretch, graph.integers([usedLength - configuration.hopLength])])
    let position = graph.add("Add", [graph.range(count), graph.integers([origin])])
    let length = graph.unsqueeze(lengths, [1])
    let index: String
    var isThere: String?
    switch configuration.framing {
    case .centerZero, .snipEdges, .padEnd:
      let begins = graph.add("Less", [graph.integers([-1]), position])
      let both = graph.add("And", [begins, graph.add("Less", [position, length])])
      index = graph.add("Where", [both, position, graph.integers([0])])
      isThere = both
    case .centerReflect, .kaldiCenter:
      // Mirrored on the outermost sample, or beside it; see `FrameGrid.source`.
      let isOnSample = configuration.framing == .centerReflect
      let twice = graph.add("Add", [length, length])
      let period =
        isOnSample ? graph.greatest(graph.add("Sub", [twice, graph.integers([2])]), graph.integers([1])) : twice
      let shifted = graph.add(
        "Add", [position, graph.add("Mul", [period, graph.integers([max(0, -origin)])])])
      let whole = graph.add("Mul", [graph.add("Div", [shifted, period]), period])
      let folded = graph.add("Sub", [shifted, whole])
      let end = isOnSample ? period : graph.add("Sub", [period, graph.integers([1])])
      index = graph.add("Where", [graph.add("Less", [folded, length]), folded, graph.add("Sub", [end, folded])])
    }
    return (graph.add("Add", [index, graph.add("Mul", [batch.rows, samples])]), isThere)
  }

  /// The samples under the frames: `batch x 1 x places`.
  private func signal(
    _ graph: inout ONNXGraph, _ samples: String, _ places: (index: String, isThere: String?)
  ) -> String {
    var y = graph.add("Gather", [graph.reshape(samples, [-1]), places.index], [("axis", .integer(0))])
    if let isThere = places.isThere { y = graph.add("Where", [isThere, y, graph.scalar(0)]) }
    return graph.unsqueeze(y, [1])
  }

  private func emphasised(_ graph: inout ONNXGraph, _ samples: String, _ coefficient: Double) -> String {
    func columns(_ graph: inout ONNXGraph, to end: Int) -> String {
      graph.add("Slice", [samples], [("axes", .integers([1])), ("starts", .integers([0])), ("ends", .integers([end]))])
    }
    var first = columns(&graph, to: 1)
    if configuration.preEmphasis.firstSample == .kept { first = graph.add("Mul", [first, graph.scalar(0)]) }
    let before = graph.add("Concat", [first, columns(&graph, to: -1)], [("axis", .integer(1))])
    return graph.add("Sub", [samples, graph.add("Mul", [before, graph.scalar(Float(coefficient))])])
  }
}

// MARK: Spectrum, logarithm, cepstrum

extension ONNXFeatures {
  /// The power spectrum, `batch x bins x frames`.
  private func spectrum(_ graph: inout ONNXGraph, _ signal: String) -> String {
    let (bins, used) = (configuration.binCount, usedLength)
    let kernel = graph.constant("transform", transformKernel(), shape: [2 * bins, 1, used])
    let parts = convolve(&graph, signal, kernel)
    let squares = graph.add("Mul", [parts, parts])
    func part(_ graph: inout ONNXGraph, _ start: Int) -> String {
      graph.add(
        "Slice", [squares],
        [("axes", .integers([1])), ("starts", .integers([start])), ("ends", .integers([start + bins]))])
    }
    return graph.add("Add", [part(&graph, 0), part(&graph, bins)])
  }

  private func convolve(_ graph: inout ONNXGraph, _ signal: String, _ kernel: String) -> String {
    graph.add(
      "Conv", [signal, kernel],
      [("kernel_shape", .integers([usedLength])), ("strides", .integers([configuration.hopLength]))])
  }

  /// Real, then imaginary parts of all bins: what each sample of a frame adds to them.
  private func transformKernel() -> [Float] {
    let (used, length) = (usedLength, configuration.fftLength)
    let shape = configuration.window.values(configuration.frameLength)
    let factor = configuration.inputScale.factor * Double.sqrt(configuration.spectrumScale(of: shape))
    let window = shape[..<used].map { $0 * factor }
    let angles = (0..<length).map { 2 * Double.pi * Double($0) / Double(length) }
    let inFrame = configuration.preEmphasis.scope == .frame ? configuration.preEmphasis.coefficient : 0
    let repeats = configuration.preEmphasis.firstSample == .repeated
    var kernel: [Float] = []
    kernel.reserveCapacity(2 * configuration.binCount * used)
    for wave in [angles.map(Double.cos), angles.map { -Double.sin($0) }] {
      for bin in 0..<configuration.binCount {
        var row = (0..<used).map { window[$0] * wave[bin * $0 % length] }
        if inFrame > 0 {
          // y[i] = x[i] - a x[i - 1]
          let first = row[0]
          for i in 0..<used - 1 { row[i] -= inFrame * row[i + 1] }
          if repeats { row[0] -= inFrame * first }
        }
        let mean = configuration.removesOffset ? row.reduce(0, +) / Double(used) : 0
        kernel += row.map { Float($0 - mean) }
      }
    }
    return kernel
  }

  private func logarithm(_ graph: inout ONNXGraph, _ energies: String, _ mask: String?) -> String {
    let logarithm = configuration.logarithm
    let sum =
      logarithm.offset == 0 ? energies : graph.add("Add", [energies, graph.scalar(Float(logarithm.offset))])
    var y = scaledLogarithm(&graph, sum, floor: logarithm.floor, factor: configuration.logarithmFactor)
    if let range = logarithm.range, let mask {
      let own = graph.add(
        "Where", [graph.unsqueeze(mask, [1]), y, graph.scalar(-.greatestFiniteMagnitude)])
      let greatest = graph.reduce("Max", graph.reduce("Max", own, axis: 2), axis: 1)
      y = graph.add("Max", [y, graph.add("Sub", [greatest, graph.scalar(Float(range))])])
    }
    let shift = logarithm.shift(usesPower: configuration.usesPower)
    return shift == 0 ? y : graph.add("Sub", [y, graph.scalar(Float(shift))])
  }

  private func scaledLogarithm(
    _ graph: inout ONNXGraph, _ x: String, floor: Double, factor: Double
  ) -> String {
    let y = graph.add("Log", [graph.add("Max", [x, graph.scalar(Float(floor))])])
    return factor == 1 ? y : graph.add("Mul", [y, graph.scalar(Float(factor))])
  }

  /// What stands in place of coefficient 0, `batch x 1 x frames`, as a logarithm; nil where nothing does.
  private func energy(_ graph: inout ONNXGraph, power: String, spectrum: String, plain: String) -> String? {
    let (bins, length, scale) = (configuration.binCount, configuration.fftLength, configuration.inputScale.factor)
    var energy: String
    switch configuration.energy {
    case .none: return nil
    case .spectrum: energy = graph.reduce("Sum", spectrum, axis: 1)
    case .windowed:
      // Parseval's theorem: all bins but the first, and the last of an even length, stand for two.
      let shape = configuration.window.values(configuration.frameLength)
      let share = 1 / (Double(length) * configuration.spectrumScale(of: shape))
      let weights = (0..<bins).map { Float($0 == 0 || 2 * $0 == length ? share : 2 * share) }
      energy = graph.add("MatMul", [graph.constant("parseval", weights, shape: [1, bins]), power])
    case .raw:
      let ones = [Float](repeating: 1, count: usedLength)
      let sum = graph.constant("sum", ones, shape: [1, 1, usedLength])
      energy = convolve(&graph, graph.add("Mul", [plain, plain]), sum)
      if configuration.removesOffset {
        let total = convolve(&graph, plain, sum)
        let square = graph.add("Mul", [graph.add("Mul", [total, total]), graph.scalar(1 / Float(usedLength))])
        energy = graph.add("Sub", [energy, square])
      }
      if scale != 1 { energy = graph.add("Mul", [energy, graph.scalar(Float(scale * scale))]) }
    }
    return scaledLogarithm(
      &graph, energy, floor: configuration.cepstrum.energyFloor, factor: configuration.logarithm.factor)
  }

  private func cepstra(_ graph: inout ONNXGraph, _ x: String, energy: String?) -> String {
    let (cepstrum, mels) = (configuration.cepstrum, configuration.mel.count)
    var matrix = cepstrum.matrix(mels: mels)
    guard let energy else {
      return graph.add("MatMul", [graph.constant("dct", matrix, shape: [cepstrum.count, mels]), x])
    }
    guard cepstrum.count > 1 else { return energy }
    matrix.removeSubrange(cepstrum.zerothIndex * mels..<(cepstrum.zerothIndex + 1) * mels)
    let others = graph.add("MatMul", [graph.constant("dct", matrix, shape: [cepstrum.count - 1, mels]), x])
    return graph.add(
      "Concat", cepstrum.zerothIndex == 0 ? [energy, others] : [others, energy], [("axis", .integer(1))])
  }
}

// MARK: Over time

extension ONNXFeatures {
  /// The regression over frames, of which those beyond the ends repeat the outermost: `batch x frames x count`.
  private func delta(_ graph: inout ONNXGraph, _ x: String, _ batch: Batch) -> String {
    let (half, count) = (configuration.deltas.halfWidth, configuration.baseCount)
    let positions = graph.range(graph.add("Add", [batch.frames, graph.integers([2 * half])]))
    let source = graph.add("Sub", [positions, graph.integers([half])])
    let last = graph.unsqueeze(graph.add("Sub", [batch.lengths, graph.integers([1])]), [1])
    let held = graph.least(graph.greatest(source, graph.integers([0])), last)
    let index = graph.add("Add", [held, graph.add("Mul", [batch.rows, batch.frames])])
    let frames = graph.add("Gather", [graph.reshape(x, [-1, count]), index], [("axis", .integer(0))])
    return regression(&graph, frames)
  }

  /// The slope at each frame that has `halfWidth` frames before and after it.
  func regression(_ graph: inout ONNXGraph, _ frames: String) -> String {
    let half = configuration.deltas.halfWidth
    let scale = 1 / Double(2 * (1...half).reduce(0) { $0 + $1 * $1 })
    let weights = (-half...half).map { Float(Double($0) * scale) }
    let kernel = graph.constant("delta_\(graph.nodes.count)", weights, shape: [1, 1, 2 * half + 1, 1])
    let y = graph.add(
      "Conv", [graph.unsqueeze(frames, [1]), kernel], [("kernel_shape", .integers([2 * half + 1, 1]))])
    return graph.add("Squeeze", [y], [("axes", .integers([1]))])
  }

  /// Each coefficient's mean over the sound's own frames subtracted, and where wanted divided by its deviation; in double
  /// precision, or a coefficient that never changes would seem to.
  private func normalized(_ graph: inout ONNXGraph, _ x: String, _ batch: Batch) -> String {
    let mask = graph.unsqueeze(graph.cast(batch.mask, to: .double), [2])
    let count = graph.unsqueeze(graph.cast(batch.lengths, to: .double), [1, 2])
    func mean(_ graph: inout ONNXGraph, _ x: String) -> String {
      graph.add("Div", [graph.reduce("Sum", graph.add("Mul", [x, mask]), axis: 1), count])
    }
    let wide = graph.cast(x, to: .double)
    let centered = graph.add("Sub", [wide, mean(&graph, wide)])
    guard configuration.normalization == .utteranceMeanVariance else { return graph.cast(centered, to: .float) }
    let deviation = graph.add("Sqrt", [mean(&graph, graph.add("Mul", [centered, centered]))])
    // 1 where the deviation is next to nothing.
    let isSteady = graph.cast(graph.add("Less", [deviation, graph.double(1e-8)]), to: .double)
    let divisor = graph.add(
      "Add", [graph.add("Mul", [deviation, graph.add("Sub", [graph.double(1), isSteady])]), isSteady])
    return graph.cast(graph.add("Div", [centered, divisor]), to: .float)
  }
}
