import CKernels

/// One convolution with ReLU, as matrix products over patches ("im2col").
///
/// Shapes: inputs are `rows x input axis`, outputs `rows x output axis`, rows in the order of a `BatchShape`; the two
/// shapes hold the same sequences in the same order. A patch is what one output bin of one frame sees, and a row of the
/// matrix product: patches are made for a block of frames at a time, so that they stay in the cache.
struct ConvolutionLayer<Scalar: NetworkScalar>: Sendable {
  let geometry: ConvolutionGeometry
  private let kernel: Buffer<Scalar>
  private let kernelTransposed: Buffer<Scalar>?
  private let bias: Buffer<Scalar>
  private let offsets: (kernel: Int, bias: Int)

  private var filters: Axis { Axis(geometry.output.channels) }

  init(
    _ geometry: ConvolutionGeometry, index: Int, layout: ParameterLayout, parameters: UnsafePointer<Scalar>,
    forTraining: Bool
  ) {
    self.geometry = geometry
    func offset(_ name: String) -> Int { layout["convolution.\(index).\(name)"]?.offset ?? 0 }
    offsets = (offset("kernel"), offset("bias"))
    let (filters, packer) = (Axis(geometry.output.channels), Packer<Scalar>())
    let stored = parameters + offsets.kernel
    kernel = packer.pack(stored, leading: filters.count, rows: geometry.patch, columns: filters)
    kernelTransposed =
      forTraining
      ? packer.packTransposed(stored, leading: filters.count, rows: geometry.patch, columns: filters) : nil
    bias = Buffer(filters.paddedCount)
    Padding.expandRow(parameters + offsets.bias, filters, into: bias.base)
  }

  /// Buffers of both passes; reused from batch to batch.
  final class Scratch {
    fileprivate let patches = Buffer<Scalar>(), dpatches = Buffer<Scalar>(), gradient = Buffer<Scalar>()
  }

  /// Rows of the matrix product that are computed at once.
  private var blockRows: Int { 256 }

  func outputShape(of shape: BatchShape) -> BatchShape {
    shape.withLengths { ($0 + geometry.frameStride - 1) / geometry.frameStride }
  }

  /// Sets `y`. The first output frame's patch begins `lead` frames before the first input frame (`framePadding`, but
  /// for a piece of a stream); frames that are not there are zeros.
  func forward(
    _ input: BatchShape, _ x: UnsafePointer<Scalar>, _ output: BatchShape, _ y: UnsafeMutablePointer<Scalar>,
    lead: Int, scratch: Scratch
  ) {
    let (width, depth) = (filters.paddedCount, geometry.patch.paddedCount)
    forEachBlock(output) { steps, rows in
      makePatches(input, x, output, steps, lead: lead, scratch.patches)
      let y = y + rows.lowerBound * width
      Scalar.kernels.pointee.gemm(
        rows.count, width, depth, scratch.patches.base, depth, kernel.base, bias.base, false, y, width)
      for i in 0..<rows.count * width { y[i] = y[i] < 0 ? 0 : y[i] }
    }
  }

  /// Adds the gradients of kernel and bias to `gradient` and, where `dx` is given, sets that of `x`. Consumes `dy`.
  func backward(
    _ input: BatchShape, _ x: UnsafePointer<Scalar>, _ output: BatchShape, y: UnsafePointer<Scalar>,
    dy: UnsafeMutablePointer<Scalar>, dx: UnsafeMutablePointer<Scalar>?, scratch: Scratch,
    gradient: UnsafeMutablePointer<Scalar>
  ) {
    let kernels = Scalar.kernels.pointee
    let (width, depth, lead) = (filters.paddedCount, geometry.patch.paddedCount, geometry.framePadding)
    scratch.gradient.reserve((depth + 1) * width)
    scratch.gradient.clear((depth + 1) * width)
    let (dkernel, dbias) = (scratch.gradient.base, scratch.gradient.base + depth * width)
    dx?.update(repeating: 0, count: input.rows * geometry.input.axis.paddedCount)
    forEachBlock(output) { steps, rows in
      let (y, dy) = (y + rows.lowerBound * width, dy + rows.lowerBound * width)
      for i in 0..<rows.count * width { dy[i] = y[i] > 0 ? dy[i] : 0 }
      makePatches(input, x, output, steps, lead: lead, scratch.patches)
      kernels.gemm_transposed(
        depth, width, rows.count, scratch.patches.base, depth, dy, width, dkernel, width)
      kernels.add_column_sums(rows.count, width, dy, width, dbias)
      if let dx, let kernelTransposed {
        scratch.dpatches.reserve(rows.count * depth)
        kernels.gemm(
          rows.count, depth, width, dy, width, kernelTransposed.base, nil, false, scratch.dpatches.base, depth)
        forEachRun(input, output, steps, lead: lead) { run in
          guard let source = run.source else { return }
          let (dpatch, dx) = (scratch.dpatches.base + run.patch, dx + source)
          for i in 0..<run.count { dx[i] += dpatch[i] }
        }
      }
    }
    Padding.addCollapsed(
      dkernel, rows: geometry.patch, columns: filters, leading: filters.count, to: gradient + offsets.kernel)
    Padding.addCollapsedRow(dbias, filters, to: gradient + offsets.bias)
  }

  /// Blocks of output steps, and the rows of the matrix product that they are.
  private func forEachBlock(_ output: BatchShape, _ body: (_ steps: Range<Int>, _ rows: Range<Int>) -> Void) {
    let bins = geometry.output.bins
    var first = 0
    for step in 0..<output.steps {
      let rows = (output.offsets[first] * bins)..<(output.offsets[step + 1] * bins)
      guard rows.count >= blockRows || step + 1 == output.steps else { continue }
      body(first..<step + 1, rows)
      first = step + 1
    }
  }

  private func makePatches(
    _ input: BatchShape, _ x: UnsafePointer<Scalar>, _ output: BatchShape, _ steps: Range<Int>, lead: Int,
    _ patches: Buffer<Scalar>
  ) {
    let rows = (output.offsets[steps.upperBound] - output.offsets[steps.lowerBound]) * geometry.output.bins
    let (depth, count) = (geometry.patch.paddedCount, geometry.patch.count)
    patches.reserve(rows * depth)
    for row in 0..<rows { (patches.base + row * depth + count).update(repeating: 0, count: depth - count) }
    forEachRun(input, output, steps, lead: lead) { run in
      if let source = run.source {
        (patches.base + run.patch).update(from: x + source, count: run.count)
      } else {
        (patches.base + run.patch).update(repeating: 0, count: run.count)
      }
    }
  }

  /// Elements that lie together, both in the patches of a block and in the input; without a source, zeros.
  private struct Run {
    let patch: Int
    let source: Int?
    let count: Int
  }

  /// All runs of a block, in order of time.
  @inline(__always)
  private func forEachRun(
    _ input: BatchShape, _ output: BatchShape, _ steps: Range<Int>, lead: Int, _ body: (Run) -> Void
  ) {
    let (from, to) = (geometry.input, geometry.output)
    let (depth, width, span) = (geometry.patch.paddedCount, from.axis.paddedCount, geometry.bins * from.channels)
    let isDense = from.binStep == from.channels
    var patch = 0
    for step in steps {
      for place in 0..<output.running(step) {
        for bin in 0..<to.bins {
          let first = bin * geometry.binStride - geometry.binPadding
          let present = max(0, first)..<max(max(0, first), min(from.bins, first + geometry.bins))
          for frame in 0..<geometry.frames {
            let tap = patch + frame * span
            let time = step * geometry.frameStride + frame - lead
            guard time >= 0 && time < input.lengths[place] else {
              body(Run(patch: tap, source: nil, count: span))
              continue
            }
            let row = (input.offsets[time] + place) * width
            let before = (present.lowerBound - first) * from.channels
            let within = present.count * from.channels
            if before > 0 { body(Run(patch: tap, source: nil, count: before)) }
            if isDense {
              body(Run(patch: tap + before, source: row + present.lowerBound * from.channels, count: within))
            } else {
              for (index, source) in present.enumerated() {
                body(
                  Run(
                    patch: tap + before + index * from.channels, source: row + source * from.binStep,
                    count: from.channels))
              }
            }
            let after = span - before - within
            if after > 0 { body(Run(patch: tap + before + within, source: nil, count: after)) }
          }
          patch += depth
        }
      }
    }
  }
}
