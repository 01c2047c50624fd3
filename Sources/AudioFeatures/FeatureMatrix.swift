/// The features of one sound: `frames x coefficients`, one row per frame in order of time.
///
///     let mfcc = try FeatureExtractor(.speech(sampleRate: 16_000)).features(of: waveform)
///     mfcc.frames            // 98 for one second
///     mfcc.coefficients      // 39: 13 cepstra, their deltas, and theirs
///     mfcc[4][0]             // coefficient 0 of frame 4
public struct FeatureMatrix: Sendable, Equatable {
  public let frames: Int
  public let coefficients: Int
  /// Row-major, always `frames * coefficients` elements: within the package they are changed, never their number.
  public package(set) var values: [Float]

  /// Features that were computed elsewhere: `values` is row-major, one row per frame.
  ///
  /// Throws `FeatureError.shape` unless there is at least one coefficient and `values` has `frames * coefficients`
  /// elements.
  public init(frames: Int, coefficients: Int, values: [Float]) throws(FeatureError) {
    let (count, overflows) = frames.multipliedReportingOverflow(by: coefficients)
    guard frames >= 0, coefficients > 0, !overflows, count == values.count else {
      throw .shape(frames: frames, coefficients: coefficients, values: values.count)
    }
    self.frames = frames
    self.coefficients = coefficients
    self.values = values
  }

  /// For code that computed `values`, not for input: traps unless they are whole rows.
  package init(coefficients: Int, values: [Float]) {
    precondition(coefficients > 0 && values.count.isMultiple(of: coefficients), "values must be whole rows")
    self.frames = values.count / coefficients
    self.coefficients = coefficients
    self.values = values
  }

  /// The coefficients of one frame.
  public subscript(frame: Int) -> ArraySlice<Float> {
    values[frame * coefficients..<(frame + 1) * coefficients]
  }

  /// Some of the frames, which must be among them.
  package func slice(_ range: Range<Int>) -> FeatureMatrix {
    FeatureMatrix(
      coefficients: coefficients,
      values: Array(values[range.lowerBound * coefficients..<range.upperBound * coefficients]))
  }
}
