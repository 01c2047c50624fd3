import AudioFeatures
import AuricleBase
import Pictures
import RealModule

/// Draws the features of one sound over time, gathered block by block in bounded memory.
///
///     var picture = FeaturePicture(extractor.configuration, title: "seven.wav")
///     _ = try extractor.features(ofFile: "seven.wav") { picture.append($0) }
///     try FileAccess.writeAtomically(picture.picture.png(), to: "seven.png")
///
/// Across: seconds, each frame about its centre. Up: Hz for a spectrogram, Hz at the filters' centres for mel energies,
/// the index for cepstra; deltas are left out. Energies are shown in dB, logarithms in their own unit, down to 80 dB below
/// the greatest; cepstra from the first to the ninety-ninth percentile of all but coefficient 0. Where there are more
/// frames than pixels, a pixel shows the largest of its energies, or the mean of its cepstra.
public struct FeaturePicture: Hashable, Sendable {
  private let configuration: FeatureConfiguration
  private let title: String
  /// Coefficients without deltas.
  private let rows: Int
  /// Column after column; each stands for `framesPerColumn` frames, the last for as many as there are.
  private(set) var columns: [Float] = []
  private var framesPerColumn = 1
  private var frames = 0

  private static let (width, height) = (900, 420)
  private static let plot = Picture.Rectangle(x: 76, y: 40, width: 710, height: 322)
  /// Twice as many as the plot is wide, and so at most two for a pixel.
  private static let mostColumns = 2 * 2 * 710
  private static let depth = 80.0

  public init(_ configuration: FeatureConfiguration, title: String) {
    self.configuration = configuration
    self.title = title
    rows = configuration.baseCount
  }

  private var isCepstral: Bool { configuration.kind == .mfcc }

  /// Adds the next frames.
  public mutating func append(_ block: FeatureMatrix) {
    guard block.coefficients >= rows else { return }
    for frame in 0..<block.frames {
      let values = block[frame].prefix(rows).map(shown)
      let place = frames % framesPerColumn
      if place == 0 {
        columns += values
      } else {
        let start = columns.count - rows
        for row in 0..<rows { columns[start + row] = merged(columns[start + row], values[row], weight: place) }
      }
      frames += 1
      if columns.count == FeaturePicture.mostColumns * rows && frames.isMultiple(of: framesPerColumn) { halve() }
    }
  }

  /// A value as it is drawn: energies become dB.
  private func shown(_ value: Float) -> Float {
    switch configuration.kind {
    case .mfcc, .logMel: value
    case .mel, .spectrogram:
      Float((configuration.usesPower ? 10 : 20) * Double.log10(max(Double(value), 1e-30)))
    }
  }

  /// `a`, which stands for `weight` frames, and `b`, which stands for one, or for as many.
  private func merged(_ a: Float, _ b: Float, weight: Int) -> Float {
    isCepstral ? a + (b - a) / Float(weight + 1) : max(a, b)
  }

  /// Makes one column of every two.
  private mutating func halve() {
    let count = columns.count / rows / 2
    for column in 0..<count {
      for row in 0..<rows {
        columns[column * rows + row] = merged(
          columns[2 * column * rows + row], columns[(2 * column + 1) * rows + row], weight: 1)
      }
    }
    columns.removeLast(columns.count - count * rows)
    framesPerColumn *= 2
  }

  // MARK: Drawing

  public var picture: Picture {
    var picture = Picture(width: FeaturePicture.width, height: FeaturePicture.height)
    let plot = FeaturePicture.plot
    let range = range
    picture.text(
      shortened(title, width: plot.width), at: (plot.x + plot.width / 2, 25), size: 15, horizontal: .middle)
    if !columns.isEmpty { picture.image(image(range), in: plot) }
    picture.frame(plot)
    drawTime(on: &picture)
    drawRows(on: &picture)
    drawScale(range, on: &picture)
    return picture
  }

  /// The values at the ends of the colours.
  private var range: ClosedRange<Float> {
    if isCepstral {
      let zeroth = configuration.cepstrum.zerothPosition == .last ? rows - 1 : 0
      let values = columns.indices.filter { rows == 1 || $0 % rows != zeroth }.map { columns[$0] }.sorted()
      guard let first = values.first, let last = values.last else { return 0...1 }
      let (low, high) = (values[values.count / 100], values[values.count - 1 - values.count / 100])
      return high > low ? low...high : first...max(last, first + 1)
    }
    let perDecibel =
      switch configuration.logarithm.unit {
      case _ where configuration.kind != .logMel: 1.0
      case .decibels: 1.0
      case .natural: Double.log(10) / 10
      case .decimal: 0.1
      }
    let (high, low) = (columns.max() ?? 0, columns.min() ?? 0)
    return max(low, high - Float(FeaturePicture.depth * perDecibel))...(high > low ? high : high + 1)
  }

  /// The last row on top.
  private func image(_ range: ClosedRange<Float>) -> Bitmap {
    let count = columns.count / rows
    var values: [Float] = []
    values.reserveCapacity(columns.count)
    for row in (0..<rows).reversed() {
      for column in 0..<count { values.append(columns[column * rows + row]) }
    }
    return Bitmap(values, width: count, range: range, map: isCepstral ? .viridis : .magma)
  }

  private func drawTime(on picture: inout Picture) {
    let plot = FeaturePicture.plot
    let hop = Double(configuration.hopLength) / Double(configuration.sampleRate)
    let center =
      switch configuration.framing {
      case .centerZero, .centerReflect: 0.0
      case .snipEdges, .padEnd: Double(configuration.frameLength) / 2 / Double(configuration.sampleRate)
      case .kaldiCenter: hop / 2
      }
    let start = center - hop / 2
    let duration = Double(max(1, columns.count / rows) * framesPerColumn) * hop
    for (value, text) in AxisTicks(from: start, to: start + duration, count: 12).ticks {
      let x = plot.x + (value - start) / duration * plot.width
      picture.line([(x, plot.y + plot.height), (x, plot.y + plot.height + 4)])
      picture.text(text, at: (x, plot.y + plot.height + 18), horizontal: .middle)
    }
    picture.text(
      "time (s)", at: (plot.x + plot.width / 2, plot.y + plot.height + 40), size: 13, horizontal: .middle)
  }

  private func drawRows(on picture: inout Picture) {
    let plot = FeaturePicture.plot
    var lowest = Double.infinity
    for (row, text) in rowTicks {
      let y = plot.y + plot.height * (1 - (row + 0.5) / Double(rows))
      guard y >= plot.y - 0.5, y <= plot.y + plot.height + 0.5, lowest - y >= 12 else { continue }
      lowest = y
      picture.line([(plot.x - 4, y), (plot.x, y)])
      picture.text(text, at: (plot.x - 8, y), horizontal: .end, vertical: .middle)
    }
    let label =
      switch configuration.kind {
      case .spectrogram: "frequency (Hz)"
      case .mel, .logMel: "frequency of the mel filters (Hz)"
      case .mfcc: "coefficient"
      }
    picture.text(
      label, at: (22, plot.y + plot.height / 2), size: 13, horizontal: .middle, vertical: .middle, direction: .up)
  }

  /// Where round numbers lie on the rows; the centre of the first row is 0.
  private var rowTicks: [(row: Double, text: String)] {
    switch configuration.kind {
    case .mfcc:
      let isLast = configuration.cepstrum.zerothPosition == .last
      let step = max(1, (rows + 14) / 15)
      return stride(from: 0, to: rows, by: step).map { row in
        (Double(row), "\(isLast ? (row + 1) % rows : row)")
      }
    case .spectrogram:
      let perRow = Double(configuration.sampleRate) / Double(configuration.fftLength)
      return AxisTicks(from: 0, to: Double(configuration.sampleRate) / 2, count: 10).ticks.map {
        ($0.value / perRow, $0.text)
      }
    case .mel, .logMel:
      let mel = configuration.mel
      let high = mel.highFrequency ?? Double(configuration.sampleRate) / 2
      let (low, width) = (mel.scale.mels(mel.lowFrequency), mel.scale.mels(high) - mel.scale.mels(mel.lowFrequency))
      func row(_ frequency: Double) -> Double {
        (mel.scale.mels(frequency) - low) / width * Double(rows + 1) - 1
      }
      // About evenly spaced on a mel scale; in a narrow band there may be too few of them.
      let round = [
        63, 125, 250, 500, 750, 1000, 1500, 2000, 3000, 4000, 6000, 8000, 12_000, 16_000, 24_000, 32_000, 48_000,
      ].filter { $0 > mel.lowFrequency && $0 <= high }
      if round.count > 3 { return round.map { (row($0), "\(Int($0))") } }
      return AxisTicks(from: mel.lowFrequency, to: high, count: 8).ticks.map { (row($0.value), $0.text) }
    }
  }

  private func drawScale(_ range: ClosedRange<Float>, on picture: inout Picture) {
    let plot = FeaturePicture.plot
    let bar = Picture.Rectangle(x: plot.x + plot.width + 20, y: plot.y, width: 14, height: plot.height)
    let shades = (0..<256).reversed().map { Float($0) }
    picture.image(Bitmap(shades, width: 1, range: 0...255, map: isCepstral ? .viridis : .magma), in: bar)
    picture.frame(bar)
    let (low, high) = (Double(range.lowerBound), Double(range.upperBound))
    for (value, text) in AxisTicks(from: low, to: high, count: 9).ticks {
      let y = bar.y + bar.height * (1 - (value - low) / (high - low))
      picture.line([(bar.x + bar.width, y), (bar.x + bar.width + 4, y)])
      picture.text(text, at: (bar.x + bar.width + 8, y), vertical: .middle)
    }
    let quantity = configuration.usesPower ? "power" : "magnitude"
    let label =
      switch (configuration.kind, configuration.logarithm.unit) {
      case (.mfcc, _): "value"
      case (.logMel, .natural): "logarithm of the \(quantity) (ln)"
      case (.logMel, .decimal): "logarithm of the \(quantity) (log10)"
      default: "\(quantity) (dB)"
      }
    picture.text(
      label, at: (Double(FeaturePicture.width) - 18, plot.y + plot.height / 2), size: 13, horizontal: .middle,
      vertical: .middle, direction: .up)
  }

  /// A title that fits, its beginning left out if need be.
  private func shortened(_ title: String, width: Double) -> String {
    guard Picture.width(of: title, size: 15) > width else { return title }
    var rest = title[...]
    while !rest.isEmpty && Picture.width(of: "..." + rest, size: 15) > width { rest.removeFirst() }
    return "..." + rest
  }
}
