import CKernels
import Testing

/// A convolution of sequences of `lengths` frames, which lie one after the other, and its loops as the header has them.
struct ConvolutionCase: Sendable, CustomTestStringConvertible {
  var lengths = [4, 1, 2]
  var frames = 3, frameStride = 1, frameDilation = 1
  var bins = 10, channels = 16, dense = false
  var binTaps = 3, binStride = 1, binDilation = 1, binPadding = 1
  var filters = 32
  var relu = false, bias = true
  var winograd = false

  var testDescription: String {
    "\(bins) bins x \(channels)\(dense ? " dense" : "") -> \(filters), \(frames) x \(binTaps), strides \(frameStride) "
      + "\(binStride), dilation \(frameDilation) \(binDilation), padding \(binPadding), lengths \(lengths)\(winograd ? " by Winograd" : "")"
  }

  var outputBins: Int { (bins + 2 * binPadding - (binTaps - 1) * binDilation - 1) / binStride + 1 }
  var inputStep: Int { dense ? channels : padded(channels) }
  var inputRow: Int { padded(bins * inputStep) }
  var outputRow: Int { outputBins * padded(filters) }
  var inputRows: Int { lengths.reduce(0, +) }
  var outputLengths: [Int] { lengths.map { ($0 + frameStride - 1) / frameStride } }
  var outputRows: Int { outputLengths.reduce(0, +) }
  var depth: Int { frames * binTaps * channels }

  /// Winograd's sums have larger terms.
  var tolerance: Double { winograd ? 20 : 1 }

  /// For each output row and tap, the input row it sees.
  var taps: [Int?] {
    var rows: [Int?] = []
    var first = 0
    for (length, outputs) in zip(lengths, outputLengths) {
      for output in 0..<outputs {
        for tap in 0..<frames {
          let frame = output * frameStride + (tap - (frames - 1) / 2) * frameDilation
          rows.append((0..<length).contains(frame) ? first + frame : nil)
        }
      }
      first += length
    }
    return rows
  }

  /// For each input row and turned tap, the output row that saw it.
  var backwardTaps: [Int?] {
    var rows = [Int?](repeating: nil, count: inputRows * frames)
    for (index, input) in taps.enumerated() {
      if let input { rows[input * frames + frames - 1 - index % frames] = index / frames }
    }
    return rows
  }

  /// Each product of the sum: output element, input element, filter element without its filter, filter.
  func forEachTerm(_ body: (_ output: Int, _ input: Int, _ patch: Int, _ filter: Int) -> Void) {
    for (index, input) in taps.enumerated() {
      guard let input else { continue }
      let (row, tap) = (index / frames, index % frames)
      for bin in 0..<outputBins {
        for k in 0..<binTaps {
          let seen = bin * binStride + k * binDilation - binPadding
          guard (0..<bins).contains(seen) else { continue }
          for c in 0..<channels {
            for f in 0..<filters {
              body(
                row * outputRow + bin * padded(filters) + f, input * inputRow + seen * inputStep + c,
                (tap * binTaps + k) * channels + c, f)
            }
          }
        }
      }
    }
  }

  // What must not matter, such as padding and scratch, is NaN.
  func input<R: Real>(_: R.Type) -> [R] {
    let padding: R = winograd ? 0 : .nan
    let x: [R] = matrix(inputRows * bins, channels, columns: inputStep, padding: padding, seed: 1)
    let width = bins * inputStep
    return (0..<inputRows).flatMap {
      x[$0 * width..<($0 + 1) * width] + Array(repeating: padding, count: inputRow - width)
    }
  }
  func stored<R: Real>(_: R.Type) -> [R] { noise(depth * filters, seed: 2).map { R($0) } }
  func bias<R: Real>(_: R.Type) -> [R] { matrix(1, filters, seed: 3) }
  func outputGradient<R: Real>(_: R.Type) -> [R] { matrix(outputRows, filters, segments: outputBins, seed: 4) }

  func forward<R: Real>(_ kernels: auricle_kernels, _ x: [R], _ taps: [Int?]) -> [R] {
    var packed = [R](
      repeating: .nan,
      count: winograd
        ? auricle_winograd_size(frames, channels, filters) : auricle_packed_size(depth, padded(filters)))
    if winograd {
      kernels.pack_winograd(frames, channels, filters, stored(R.self), &packed)
    } else {
      kernels.pack_filters(depth, filters, stored(R.self), &packed)
    }
    let rows = taps.count / frames
    var y = [R](repeating: .nan, count: rows * outputRow)
    withRows(x, inputRow, taps) { x in
      packed.withUnsafeBytes { packed in
        bias(R.self).withUnsafeBytes { bias in
          y.withUnsafeMutableBytes { y in
            var arguments = auricle_convolution(
              rows: rows, taps: frames, x: x, bins_in: bins, bins_out: outputBins, x_bin: inputStep, channels: channels,
              bin_taps: binTaps, bin_stride: binStride, bin_dilation: binDilation, bin_padding: binPadding,
              bin_spread: 1, packed: packed.baseAddress!, bias: self.bias ? bias.baseAddress! : nil, filters: filters,
              y: y.baseAddress!, y_row: outputRow, y_bin: padded(filters), relu: relu,
              winograd: winograd, scratch: y.baseAddress!)
            var scratch = [R](repeating: .nan, count: kernels.convolution_scratch(&arguments))
            scratch.withUnsafeMutableBytes {
              arguments.scratch = $0.baseAddress!
              kernels.convolution(&arguments)
            }
          }
        }
      }
    }
    return y
  }

  func backward<R: Real>(_ kernels: auricle_kernels, _ dy: [R]) -> [R] {
    var packed = [R](
      repeating: .nan,
      count: winograd
        ? auricle_winograd_size(frames, filters, channels)
        : auricle_packed_size(frames * binTaps * filters, padded(channels)))
    if winograd {
      kernels.pack_winograd_backward(frames, channels, filters, stored(R.self), &packed)
    } else {
      kernels.pack_filters_backward(frames, binTaps, channels, filters, stored(R.self), &packed)
    }
    var dx = [R](repeating: 0, count: inputRows * inputRow)
    withRows(dy, outputRow, backwardTaps) { dy in
      packed.withUnsafeBytes { packed in
        dx.withUnsafeMutableBytes { dx in
          var arguments = auricle_convolution(
            rows: inputRows, taps: frames, x: dy, bins_in: outputBins, bins_out: bins, x_bin: padded(filters),
            channels: filters, bin_taps: binTaps, bin_stride: 1, bin_dilation: binDilation,
            bin_padding: binDilation * (binTaps - 1) - binPadding, bin_spread: binStride,
            packed: packed.baseAddress!, bias: nil, filters: channels, y: dx.baseAddress!, y_row: inputRow,
            y_bin: inputStep, relu: false, winograd: winograd, scratch: dx.baseAddress!)
          var scratch = [R](repeating: .nan, count: kernels.convolution_scratch(&arguments))
          scratch.withUnsafeMutableBytes {
            arguments.scratch = $0.baseAddress!
            kernels.convolution(&arguments)
          }
        }
      }
    }
    return dx
  }

  func gradient<R: Real>(_ kernels: auricle_kernels, _ x: [R], _ dy: [R], _ stored: inout [R], _ sums: inout [R]) {
    var gradient = [R](repeating: 0, count: depth * padded(filters))
    withRows(x, inputRow, taps) { x in
      dy.withUnsafeBytes { dy in
        gradient.withUnsafeMutableBytes { gradient in
          sums.withUnsafeMutableBytes { sums in
            var arguments = auricle_convolution_gradient(
              rows: outputRows, taps: frames, x: x, bins_in: bins, bins_out: outputBins, x_bin: inputStep,
              channels: channels, bin_taps: binTaps, bin_stride: binStride, bin_dilation: binDilation,
              bin_padding: binPadding, filters: filters, dy: dy.baseAddress!, dy_row: outputRow,
              dy_bin: padded(filters), gradient: gradient.baseAddress!, sums: sums.baseAddress!, winograd: winograd,
              scratch: gradient.baseAddress!)
            var scratch = [R](repeating: .nan, count: kernels.convolution_gradient_scratch(&arguments))
            scratch.withUnsafeMutableBytes {
              if let base = $0.baseAddress { arguments.scratch = base }
              kernels.convolution_gradient(&arguments)
            }
          }
        }
      }
    }
    kernels.add_filters(depth, filters, gradient, &stored)
  }
}

private let cases: [ConvolutionCase] = [
  ConvolutionCase(),
  ConvolutionCase(channels: 1, dense: true, filters: 32, relu: true),
  ConvolutionCase(bins: 40, channels: 1, dense: true, filters: 16),
  ConvolutionCase(lengths: [2, 1], bins: 40, channels: 32, filters: 32, relu: true),
  ConvolutionCase(lengths: [2], bins: 20, channels: 64, filters: 64, bias: false),
  ConvolutionCase(bins: 10, channels: 20, filters: 40),
  ConvolutionCase(lengths: [3], bins: 7, channels: 96, filters: 96),
  ConvolutionCase(bins: 5, channels: 17, filters: 33),
  ConvolutionCase(lengths: [1], bins: 1, channels: 24, binTaps: 1, binPadding: 0, filters: 48),
  ConvolutionCase(lengths: [30, 7], frames: 5, bins: 1, channels: 24, binTaps: 1, binPadding: 0, filters: 48),
  ConvolutionCase(frames: 3, bins: 13, channels: 1, dense: true, binTaps: 13, binPadding: 0, filters: 24),
  ConvolutionCase(frames: 2, bins: 6, channels: 20, binTaps: 6, binPadding: 0, filters: 24),
  ConvolutionCase(bins: 25, channels: 8, binStride: 2, filters: 16),
  ConvolutionCase(bins: 26, channels: 8, binTaps: 4, binStride: 3, binPadding: 0, filters: 16),
  ConvolutionCase(bins: 9, channels: 3, binStride: 2, filters: 5),
  ConvolutionCase(frameStride: 2, bins: 13, channels: 12, binTaps: 5, binStride: 2, binDilation: 2, binPadding: 4),
  ConvolutionCase(lengths: [9, 4], frameDilation: 2, bins: 18, channels: 32, binDilation: 3, binPadding: 3),
  ConvolutionCase(bins: 12, channels: 16, binTaps: 1, binPadding: 2, filters: 16),
  ConvolutionCase(bins: 12, channels: 16, binTaps: 1, binStride: 2, binPadding: 0, filters: 16),
  ConvolutionCase(bins: 3, channels: 16, binTaps: 7, binPadding: 3, filters: 16),
  ConvolutionCase(lengths: [9, 5], bins: 14, channels: 11, filters: 112),
  ConvolutionCase(bins: 12, channels: 16, filters: 16, winograd: true),
  ConvolutionCase(lengths: [2, 1], bins: 40, channels: 32, filters: 32, relu: true, winograd: true),
  ConvolutionCase(frames: 5, frameDilation: 2, bins: 10, channels: 20, filters: 40, bias: false, winograd: true),
  ConvolutionCase(lengths: [40, 11], frames: 1, bins: 7, binPadding: 0, filters: 48, winograd: true),
  ConvolutionCase(bins: 3, binPadding: 2, winograd: true),
  ConvolutionCase(bins: 1, winograd: true),
]

@Suite("Convolutions")
struct ConvolutionTests {
  @Test("the forward pass agrees with a sum in double precision", arguments: cases)
  func forward(_ shape: ConvolutionCase) {
    let (x, filters, bias) = (shape.input(Double.self), shape.stored(Double.self), shape.bias(Double.self))
    var wanted = [Sum](repeating: Sum(), count: shape.outputRows * shape.outputRow)
    if shape.bias { for i in wanted.indices { wanted[i] += bias[i % padded(shape.filters)] } }
    shape.forEachTerm { wanted[$0] += x[$1] * filters[$2 * shape.filters + $3] }
    if shape.relu { for i in wanted.indices { wanted[i].value = max(0, wanted[i].value) } }
    func check<R: Real>(_: R.Type, _ name: String) {
      let found = shape.forward(UnsafePointer.named(name).pointee, shape.input(R.self), shape.taps)
      #expect(disagreement(found, wanted, factor: shape.tolerance) == nil, "\(name)")
    }
    for name in tables { check(Float.self, name) }
    check(Double.self, "double")
  }

  @Test("Winograd's rounding errors are less than 1e-6 of the output", arguments: tables)
  func winogradError(_ name: String) {
    let shape = ConvolutionCase(lengths: [9], bins: 40, channels: 32, winograd: true)
    let (x, filters, bias) = (shape.input(Double.self), shape.stored(Double.self), shape.bias(Double.self))
    var wanted = (0..<shape.outputRows * shape.outputRow).map { bias[$0 % padded(shape.filters)] }
    shape.forEachTerm { wanted[$0] += x[$1] * filters[$2 * shape.filters + $3] }
    let found = shape.forward(UnsafePointer.named(name).pointee, shape.input(Float.self), shape.taps)
    let error = zip(found, wanted).reduce(0.0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
    let power = wanted.reduce(0.0) { $0 + $1 * $1 }
    #expect((error / power).squareRoot() < 1e-6)
  }

  @Test("a row alone has the same bits as in any batch", arguments: tables, cases)
  func sameBits(_ name: String, _ shape: ConvolutionCase) {
    let (kernels, x, taps) = (UnsafePointer.named(name).pointee, shape.input(Float.self), shape.taps)
    let alone = (0..<shape.outputRows).flatMap {
      shape.forward(kernels, x, Array(taps[$0 * shape.frames..<($0 + 1) * shape.frames]))
    }
    #expect(shape.forward(kernels, x, taps) == alone)
  }

  @Test("the gradients of input, filters and bias agree with sums in double precision", arguments: cases)
  func gradients(_ shape: ConvolutionCase) {
    let (x, dy) = (shape.input(Double.self), shape.outputGradient(Double.self))
    let (filters, bias) = (shape.stored(Double.self), shape.bias(Double.self))
    var wanted = [Sum](repeating: Sum(), count: shape.inputRows * shape.inputRow)
    var (wantedFilters, wantedSums) = (filters.map { Sum($0) }, bias.map { Sum($0) })
    shape.forEachTerm {
      wanted[$1] += dy[$0] * filters[$2 * shape.filters + $3]
      wantedFilters[$2 * shape.filters + $3] += x[$1] * dy[$0]
    }
    for (index, d) in dy.enumerated() { wantedSums[index % padded(shape.filters)] += d }
    func check<R: Real>(_: R.Type, _ name: String) {
      let (kernels, dy) = (UnsafePointer.named(name).pointee, shape.outputGradient(R.self))
      #expect(disagreement(shape.backward(kernels, dy), wanted, factor: shape.tolerance) == nil, "\(name)")
      var (filters, sums) = (shape.stored(R.self), shape.bias(R.self))
      shape.gradient(kernels, shape.input(R.self), dy, &filters, &sums)
      #expect(disagreement(filters, wantedFilters, factor: shape.tolerance) == nil, "\(name)")
      #expect(disagreement(sums, wantedSums) == nil, "\(name)")
    }
    for name in tables { check(Float.self, name) }
    check(Double.self, "double")
  }

  @Test(
    "depthwise convolutions and their gradients agree with sums in double precision", arguments: allTables,
    [(1, 16), (3, 20), (1, 300)])
  func depthwise(_ name: String, _ size: (segments: Int, channels: Int)) {
    func check<R: Real>(_: R.Type) {
      let shape = ConvolutionCase(lengths: [9, 1, 4], frames: 5, frameDilation: 2)
      let (kernels, columns, taps) = (UnsafePointer.named(name).pointee, padded(size.channels), shape.taps)
      let width = size.segments * columns
      let x: [R] = matrix(shape.inputRows, size.channels, segments: size.segments, seed: 1)
      let weights: [R] = matrix(shape.frames, size.channels, seed: 2)
      let bias: [R] = matrix(1, size.channels, seed: 3)
      let dy: [R] = matrix(shape.outputRows, size.channels, segments: size.segments, seed: 4)
      var y = [R](repeating: .nan, count: shape.outputRows * width)
      var dweights: [R] = matrix(shape.frames, size.channels, seed: 5)
      var sums: [R] = matrix(1, size.channels, seed: 6)
      var wanted = [Sum](repeating: Sum(), count: y.count)
      var wantedWeights = [Sum](repeating: Sum(), count: dweights.count)
      var wantedSums = [Sum](repeating: Sum(), count: sums.count)
      for i in dweights.indices { wantedWeights[i] += Double(dweights[i]) }
      for i in sums.indices { wantedSums[i] += Double(sums[i]) }
      for i in y.indices {
        let (row, c) = (i / width, i % columns)
        wanted[i] += Double(bias[c])
        wantedSums[c] += Double(dy[i])
        for tap in 0..<shape.frames {
          guard let input = taps[row * shape.frames + tap] else { continue }
          let value = Double(x[input * width + i % width])
          wanted[i] += Double(weights[tap * columns + c]) * value
          wantedWeights[tap * columns + c] += Double(dy[i]) * value
        }
      }
      withRows(x, width, taps) { x in
        func arguments(_ y: UnsafeMutableRawPointer) -> auricle_depthwise {
          weights.withUnsafeBytes { weights in
            bias.withUnsafeBytes { bias in
              auricle_depthwise(
                rows: shape.outputRows, taps: shape.frames, segments: size.segments, columns: columns, x: x,
                weights: weights.baseAddress!, bias: bias.baseAddress!, y: y, y_row: width)
            }
          }
        }
        y.withUnsafeMutableBytes {
          var arguments = arguments($0.baseAddress!)
          kernels.depthwise(&arguments)
        }
        var copy = dy
        copy.withUnsafeMutableBytes {
          var arguments = arguments($0.baseAddress!)
          kernels.depthwise_gradient(&arguments, &dweights, &sums)
        }
      }
      #expect(disagreement(y, wanted) == nil)
      #expect(disagreement(dweights, wantedWeights) == nil)
      #expect(disagreement(sums, wantedSums) == nil)
    }
    if name == "double" { check(Double.self) } else { check(Float.self) }
  }
}
