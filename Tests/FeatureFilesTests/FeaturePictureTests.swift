import AudioFeatures
import Pictures
import Testing

@testable import FeatureFiles

@Suite struct FeaturePictureTests {
  // The plot's corners in the picture, in pixels at two to the point.
  private let left = 152
  private let top = 80
  private let right = 1572
  private let bottom = 724

  private func spectrogram(sampleRate: Int = 16_000) -> FeatureConfiguration {
    .speech(sampleRate: sampleRate, kind: .spectrogram)
  }

  /// Where the brightest colour of the map is inside the plot: the middle of its columns and rows, as shares.
  private func brightest(_ bitmap: Bitmap) -> (x: Double, y: Double)? {
    let color = ColorMap.magma.color(at: 1)
    var (columns, rows) = ([Int](), [Int]())
    for y in top + 4..<bottom - 4 {
      for x in left + 4..<right - 4 where bitmap[x, y] == color {
        columns.append(x)
        rows.append(y)
      }
    }
    guard let minX = columns.min(), let maxX = columns.max(), let minY = rows.min(), let maxY = rows.max() else {
      return nil
    }
    return (
      (Double(minX + maxX + 1) / 2 - Double(left)) / Double(right - left),
      (Double(bottom) - Double(minY + maxY + 1) / 2) / Double(bottom - top)
    )
  }

  @Test("a tone in one frame is a block at its time and frequency")
  func place() throws {
    let configuration = spectrogram()
    var picture = FeaturePicture(configuration, title: "tone")
    let rows = configuration.baseCount  // three kinds of columns: statics, deltas and theirs
    let width = configuration.coefficientCount
    var values = [Float](repeating: 1e-6, count: 100 * width)
    values[70 * width + 64] = 1  // bin 64 of 257
    values[20 * width + rows + 64] = 100  // a delta, which is not drawn
    picture.append(FeatureMatrix(coefficients: width, values: values))
    let found = try #require(brightest(picture.picture.bitmap()))
    #expect(abs(found.x - 70.5 / 100) < 0.002 && abs(found.y - 64.5 / 257) < 0.003)
  }

  @Test("in blocks as at once, and in bounded memory with the largest kept, however long it is")
  func long() throws {
    let configuration = spectrogram()
    let (rows, width) = (configuration.baseCount, configuration.coefficientCount)
    var (blocks, whole) = (FeaturePicture(configuration, title: ""), FeaturePicture(configuration, title: ""))
    let frames = 12_345
    var values = [Float](repeating: 1e-6, count: frames * width)
    values[9000 * width + 100] = 1
    let features = FeatureMatrix(coefficients: width, values: values)
    whole.append(features)
    for start in stride(from: 0, to: frames, by: 1000) {
      blocks.append(features.frames(start..<min(frames, start + 1000)))
    }
    #expect(blocks == whole)
    #expect(whole.columns.count <= 2840 * rows && whole.columns.count > 1420 * rows)
    let found = try #require(brightest(whole.picture.bitmap()))
    #expect(abs(found.x - 9000.0 / Double(frames)) < 0.002 && abs(found.y - 100.5 / Double(rows)) < 0.003)
  }

  @Test("cepstra of many frames are averaged, not their largest taken")
  func mean() {
    let configuration = FeatureConfiguration.kaldi(sampleRate: 16_000)
    var picture = FeaturePicture(configuration, title: "")
    // 8 is a power of two times more columns than fit; every other frame is 1, the others -1.
    let frames = 2840 * 8
    let values = (0..<frames).flatMap { [Float](repeating: $0.isMultiple(of: 2) ? 1 : -1, count: 13) }
    picture.append(FeatureMatrix(coefficients: 13, values: values))
    #expect(picture.columns.allSatisfy { $0 == 0 })
  }

  @Test(
    "axes: seconds and hertz, the file's name on top, units at the colours",
    arguments: FeatureConfiguration.Kind.allCases)
  func labels(kind: FeatureConfiguration.Kind) {
    var configuration = FeatureConfiguration.speech(sampleRate: 16_000, kind: kind)
    configuration.deltas.order = 0
    var picture = FeaturePicture(configuration, title: "seven & eight.wav")
    let width = configuration.coefficientCount
    picture.append(FeatureMatrix(coefficients: width, values: (0..<100 * width).map { Float($0 % 17) }))
    let svg = picture.picture.svg
    #expect(svg.contains(">seven &amp; eight.wav<") && svg.contains(">time (s)<"))
    #expect(svg.contains(">0.0<") && svg.contains(">0.9<"), "99 hops of 10 ms")
    switch kind {
    case .spectrogram:
      #expect(svg.contains(">frequency (Hz)<") && svg.contains(">8000<") && svg.contains(">power (dB)<"))
    case .mel: #expect(svg.contains(">1000<") && svg.contains("mel filters (Hz)<") && svg.contains(">power (dB)<"))
    case .logMel: #expect(svg.contains(">1000<") && svg.contains("mel filters (Hz)<") && svg.contains("(ln)<"))
    case .mfcc: #expect(svg.contains(">12<") && svg.contains(">coefficient<"))
    }
  }

  @Test("a mel filter's frequency stands at its row")
  func melAxis() throws {
    // Filters of the Slaney scale below 1 kHz are equally far apart in Hz: the tenth of 39 up to 1 kHz is at 250 Hz.
    var configuration = FeatureConfiguration.librosa(sampleRate: 16_000, kind: .logMel)
    configuration.mel.count = 39
    configuration.mel.highFrequency = 1000
    var picture = FeaturePicture(configuration, title: "")
    picture.append(FeatureMatrix(coefficients: 39, values: [Float](repeating: 0, count: 39)))
    let line = try #require(picture.picture.svg.split(separator: "\n").first { $0.contains(">250<") })
    let y = try #require(
      line.split(separator: "y=\"").dropFirst().first?.split(separator: "\"").first.flatMap { Double($0) })
    // On the baseline, half a capital's height (0.35 of 12 points) below the middle of the row.
    #expect(abs(y - 4.2 - (40 + 322 * (1 - 9.5 / 39))) < 0.02)
  }

  @Test("HTK's order of cepstra has coefficient 0 on top")
  func zerothLast() throws {
    let picture = FeaturePicture(.htk(sampleRate: 16_000), title: "")
    let svg = picture.picture.svg.split(separator: "\n")
    let zero = try #require(svg.firstIndex { $0.contains(">0<") && $0.contains("text-anchor=\"end\"") })
    let one = try #require(svg.firstIndex { $0.contains(">1<") && $0.contains("text-anchor=\"end\"") })
    #expect(one < zero, "drawn from the bottom up")
  }

  @Test("nothing drawn, one frame, constant values, and a title too long are drawn all the same")
  func edges() {
    for frames in 0...2 {
      for kind in FeatureConfiguration.Kind.allCases {
        let configuration = FeatureConfiguration.librosa(sampleRate: 16_000, kind: kind)
        var picture = FeaturePicture(configuration, title: String(repeating: "long", count: 100))
        let width = configuration.coefficientCount
        picture.append(FeatureMatrix(coefficients: width, values: [Float](repeating: 0, count: frames * width)))
        #expect(picture.picture.svg.contains(">..."))
      }
    }
  }

  @Test(
    "ticks are round numbers, no more than asked for",
    arguments: [
      (0.0, 1.0, 12, ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1.0"]),
      (-0.005, 0.505, 6, ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"]),
      (0, 10_800, 12, ["0", "1000", "2000", "3000", "4000", "5000", "6000", "7000", "8000", "9000", "10000"]),
      (-80, 0, 5, ["-80", "-60", "-40", "-20", "0"]), (3, 3, 5, []), (0, .infinity, 5, []),
    ] as [(Double, Double, Int, [String])])
  func ticks(lower: Double, upper: Double, count: Int, expected: [String]) {
    #expect(AxisTicks(from: lower, to: upper, count: count).ticks.map(\.text) == expected)
  }
}
