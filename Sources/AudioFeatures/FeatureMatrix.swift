/// The features of one sound: `frames x coefficients`, one row per frame in order of time.
///
///     let mfcc = try FeatureExtractor(.speech(sampleRate: 16_000)).features(of: waveform)
///     mfcc.frames            // 98 for one second
///     mfcc.coefficients      // 39: 13 cepstra, their deltas, and theirs
///     mfcc[4][0]             // coefficient 0 of frame 4
public struct FeatureMatrix: Sendable, Equatable {
  public let frames: Int
  public let coefficients: Int
  /// Row-major, `frames * coefficients` elements.
  public var values: [Float]

  /// Traps unless `values` holds whole rows; it is for code that computed them, not for input.
  public init(coefficients: Int, values: [Float]) {
    precondition(coefficients > 0 && values.count.isMultiple(of: coefficients), "values must be whole rows")
    self.frames = values.count / coefficients
    self.coefficients = coefficients
    self.values = values
  }

  /// The coefficients of one frame.
  public subscript(frame: Int) -> ArraySlice<Float> {
    values[frame * coefficients..<(frame + 1) * coefficients]
  }
}
