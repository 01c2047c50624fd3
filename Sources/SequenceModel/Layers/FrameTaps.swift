/// Which frames an output frame of a filter or window sees: `taps` of them, `dilation` apart, and the next output frame's
/// `stride` later.
///
/// Output frame `t` begins `lead` frames before input frame `t * stride`. Frames before a sequence's own beginning and
/// after its end are not there, and never those of another sequence.
package struct FrameTaps: Hashable, Sendable {
  package var taps: Int
  package var stride = 1
  package var dilation = 1
  package var lead = 0

  /// Centred on frame `t * stride`, with the middle one of an even number before it; or, if `causal`, ending there.
  package init(_ taps: Int, stride: Int = 1, dilation: Int = 1, causal: Bool = false) {
    let span = (taps - 1) * dilation
    (self.taps, self.stride, self.dilation, lead) = (taps, stride, dilation, causal ? span : span / 2)
  }

  /// Beginning at frame `t * stride`.
  static func windows(_ taps: Int, stride: Int) -> FrameTaps {
    var windows = FrameTaps(taps, stride: stride)
    windows.lead = 0
    return windows
  }

  /// Frames after `t * stride` that output frame `t` sees.
  package var lookahead: Int { (taps - 1) * dilation - lead }

  /// `n` frames become `n / stride`, rounded up.
  package func outputFrames(_ count: Int) -> Int { (count + stride - 1) / stride }
  func outputShape(of shape: BatchShape) -> BatchShape { stride == 1 ? shape : shape.withLengths(outputFrames) }

  /// For each row of `output` and each tap, the row of `x` that it sees; nil where there is none. For a piece of a stream
  /// `lead` may be another than in the whole.
  func inputs<Scalar>(
    of output: BatchShape, in x: Frames<Scalar>, lead: Int? = nil
  ) -> [UnsafeRawPointer?] {
    let lead = lead ?? self.lead
    return pointers(output, x) { step, tap in step * stride + tap * dilation - lead }
  }

  /// For each row of `input` and each tap, the last tap first, the row of `dy` that saw it with that tap; nil where none
  /// did.
  func outputs<Scalar>(of input: BatchShape, in dy: Frames<Scalar>) -> [UnsafeRawPointer?] {
    pointers(input, dy) { step, tap in
      let first = step + lead - (taps - 1 - tap) * dilation
      return first >= 0 && first.isMultiple(of: stride) ? first / stride : -1
    }
  }

  /// Pointers to rows of `x`, for each row of `shape` and each tap, at the frame that `time` says.
  @inline(__always)
  private func pointers<Scalar>(
    _ shape: BatchShape, _ x: Frames<Scalar>, _ time: (_ step: Int, _ tap: Int) -> Int
  ) -> [UnsafeRawPointer?] {
    let (base, width, frames) = (x.base, x.width, x.shape)
    let count = shape.rows * taps
    return [UnsafeRawPointer?](unsafeUninitializedCapacity: count) { pointers, initialized in
      for step in 0..<shape.steps {
        let (first, running) = (shape.offsets[step] * taps, shape.running(step))
        for tap in 0..<taps {
          let time = time(step, tap)
          // Sequences are sorted from long to short: those that have such a frame are the first ones.
          let isThere = time >= 0 && time < frames.steps
          let present = isThere ? min(running, frames.running(time)) : 0
          let source = base + (isThere ? frames.offsets[time] : 0) * width
          for place in 0..<running {
            pointers[first + place * taps + tap] = place < present ? UnsafeRawPointer(source + place * width) : nil
          }
        }
      }
      initialized = count
    }
  }
}

/// The stream of a layer whose output frames see several input frames: it keeps the last frames until all that they take
/// part in is computed.
///
/// An output frame is made as soon as the last frame that it sees has come; at the end of the sequence what is left is
/// made without what never came, as in one piece.
struct FrameTapsStream<Scalar: NetworkScalar>: LayerStream {
  /// Makes `count` output frames of `x`; the first begins `lead` frames before the first frame of `x`.
  typealias Piece = (_ x: Frames<Scalar>, _ output: BatchShape, _ lead: Int) -> Frames<Scalar>

  private let taps: FrameTaps
  private let piece: Piece
  /// Frames that are still needed, padded rows; `first` is the place of the first in the sequence.
  private var frames: [Scalar] = []
  private var first = 0
  private var received = 0
  private var produced = 0
  /// Holds nothing between calls, so that copies may share it.
  private let input = Buffer<Scalar>()

  init(_ taps: FrameTaps, _ piece: @escaping Piece) {
    self.taps = taps
    self.piece = piece
  }

  mutating func append(_ x: Frames<Scalar>, isLast: Bool) -> Frames<Scalar> {
    let width = x.width
    frames.append(contentsOf: UnsafeBufferPointer(start: x.base, count: x.rows * width))
    received += x.rows
    let complete =
      isLast
      ? taps.outputFrames(received)
      : received > taps.lookahead ? (received - taps.lookahead - 1) / taps.stride + 1 : 0
    let ready = max(0, complete - produced)
    let held = Frames(BatchShape(lengths: [received - first]), x.axis, input)
    frames.withUnsafeBufferPointer { frames in
      if let start = frames.baseAddress { held.base.update(from: start, count: frames.count) }
    }
    let y = piece(held, BatchShape(lengths: [ready]), taps.lead + first - produced * taps.stride)
    produced += ready
    let needed = produced * taps.stride - taps.lead
    let dropped = max(0, min(needed, received) - first)
    frames.removeFirst(dropped * width)
    first += dropped
    return y
  }
}
