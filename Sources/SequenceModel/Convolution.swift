/// A convolution over time, or over time and frequency, with ReLU behind it.
///
///     Convolution(filters: 64, frames: 5, frameStride: 2)             // 1-D: each filter spans all coefficients
///     Convolution(filters: 32, frames: 3, bins: 3, binStride: 2)      // 2-D: 3 frames x 3 coefficients
///
/// Output frame `t` is centred on input frame `t * frameStride`: `(frames - 1) / 2` frames before it count and
/// `frames / 2` after it, those beyond the sequence's own ends as zeros, never the frames of another sequence or of
/// padding. So `n` frames become exactly `n / frameStride`, rounded up (PyTorch with `padding = frames // 2` for odd
/// `frames`; Keras's "same" where the stride is 1). Bins likewise. Cross-correlation, like all libraries.
public struct Convolution: Codable, Hashable, Sendable {
  /// Filters, which are the channels of the output.
  public var filters: Int
  /// Frames a filter spans, and from one output frame to the next.
  public var frames: Int
  public var frameStride: Int
  /// Coefficients a filter spans, and from one output bin to the next; nil for all of them, which makes it 1-D.
  public var bins: Int?
  public var binStride: Int

  public init(filters: Int, frames: Int, frameStride: Int = 1, bins: Int? = nil, binStride: Int = 1) {
    self.filters = filters
    self.frames = frames
    self.frameStride = frameStride
    self.bins = bins
    self.binStride = binStride
  }

  private enum CodingKeys: String, CodingKey, CaseIterable { case filters, frames, frameStride, bins, binStride }

  public init(from decoder: any Decoder) throws {
    try refuseUnknownKeys(of: CodingKeys.self, decoder, in: "a convolution")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      filters: try values.decode(Int.self, forKey: .filters), frames: try values.decode(Int.self, forKey: .frames),
      frameStride: try values.decodeIfPresent(Int.self, forKey: .frameStride) ?? 1,
      bins: try values.decodeIfPresent(Int.self, forKey: .bins),
      binStride: try values.decodeIfPresent(Int.self, forKey: .binStride) ?? 1)
  }

  func outputFrames(_ count: Int) -> Int { (count + frameStride - 1) / frameStride }

  /// What this layer makes of a frame of `input`. Throws `ModelError.configuration` for what cannot be.
  func output(of input: ConvolutionInput) throws(ModelError) -> ConvolutionInput {
    try ModelConfiguration.check("number of filters", filters, 1...16_384)
    try ModelConfiguration.check("frames of a convolution", frames, 1...1024)
    try ModelConfiguration.check("frame stride of a convolution", frameStride, 1...1024)
    if let bins {
      guard !input.isFlat else {
        throw .configuration("a convolution over bins after one that spans all of them; put it before")
      }
      try ModelConfiguration.check("bins of a convolution", bins, 1...1024)
      try ModelConfiguration.check("bin stride of a convolution", binStride, 1...1024)
    } else if binStride != 1 {
      throw .configuration("a bin stride of \(binStride) for a convolution that spans all bins")
    }
    let output = ConvolutionGeometry(self, input).output
    try ModelConfiguration.check("size of a convolution's output", output.axis.count, 1...1_048_576)
    return output
  }
}

/// A frame as a convolution sees it: `bins x channels`, channels last.
struct ConvolutionInput: Hashable, Sendable {
  let bins: Int
  let channels: Int
  /// Whether frequencies are gone, filters having spanned them all.
  let isFlat: Bool
  /// How it lies in memory.
  let axis: Axis

  /// The features: one channel.
  init(_ inputSize: Int) {
    (bins, channels, isFlat, axis) = (inputSize, 1, false, Axis(inputSize))
  }

  fileprivate init(bins: Int, channels: Int, isFlat: Bool) {
    (self.bins, self.channels, self.isFlat, axis) = (bins, channels, isFlat, Axis(channels, segments: bins))
  }

  /// Elements from one bin to the next in a row.
  var binStep: Int { axis.segments == 1 ? channels : axis.paddedSize }
}

/// One convolution with all its sizes. A 1-D one is a 2-D one whose filters span all bins and do not move.
struct ConvolutionGeometry: Hashable, Sendable {
  let input: ConvolutionInput
  let output: ConvolutionInput
  let frames: Int
  let frameStride: Int
  let bins: Int
  let binStride: Int
  /// Zeros before the first frame and the first bin.
  let framePadding: Int
  let binPadding: Int

  init(_ convolution: Convolution, _ input: ConvolutionInput) {
    self.input = input
    frames = convolution.frames
    frameStride = convolution.frameStride
    bins = convolution.bins ?? input.bins
    binStride = convolution.binStride
    framePadding = (frames - 1) / 2
    binPadding = convolution.bins.map { ($0 - 1) / 2 } ?? 0
    output = ConvolutionInput(
      bins: convolution.bins == nil ? 1 : (input.bins + binStride - 1) / binStride, channels: convolution.filters,
      isFlat: convolution.bins == nil)
  }

  /// Everything one element of the output is made of: frames, then bins, then channels.
  var patch: Axis { Axis(frames * bins * input.channels) }
  var outputAxis: Axis { output.axis }
  /// As Keras has it: `frames x inputs x filters` (1-D) or `frames x bins x channels x filters`.
  var kernelShape: [Int] {
    output.isFlat
      ? [frames, bins * input.channels, output.channels] : [frames, bins, input.channels, output.channels]
  }
}

extension ModelConfiguration {
  var convolutionGeometries: [ConvolutionGeometry] {
    var input = ConvolutionInput(inputSize)
    return convolutions.map { convolution in
      let geometry = ConvolutionGeometry(convolution, input)
      input = geometry.output
      return geometry
    }
  }
}
