import AudioFeatures
import AuricleBase
import RealModule
import SequenceModel

/// Folds networks over their layers into stages of a C program.
struct CLayers {
  var program: CProgram
  private var network = ""
  private var weights: [[Float]] = []

  init(_ program: CProgram) { self.program = program }

  /// (x - mean) * scale of each number of a frame.
  mutating func normalization(_ normalizer: FeatureNormalizer, width: Int) {
    let mean = program.constant("mean", normalizer.mean)
    let scale = program.constant("scale", normalizer.scale)
    let y = program.row(width)
    program.add(
      "Normalisation.",
      push: """
          float *y = \(y);
          int i;
          for (i = 0; i < \(width); i++) y[i] = (x[i] - \(mean)[i]) * \(scale)[i];
          {push}(s, y);
        """)
  }

  /// All layers of a member, of whose probabilities `share` is added to the answer.
  mutating func network(_ member: SequenceClassifier, share: Float) throws(ModelError) {
    let configuration = member.configuration
    weights = ParameterLayout(configuration).tensors.reversed().map { Array(member.parameters[$0.range]) }
    try fold(configuration.layers, configuration.shapes)
    answer(member.output, configuration.classCount, share)
  }

  private mutating func fold(_ layers: [Layer], _ shapes: [LayerShape]) throws(ModelError) {
    for (index, layer) in layers.enumerated() {
      let (input, output) = (shapes[index], shapes[index + 1])
      switch layer {
      case .activation(let layer): activation(layer, input)
      case .batchNormalization(let layer): batchNormalization(layer, input)
      case .convolution(let layer): convolution(layer, input)
      case .dense(let layer): dense(layer, input)
      case .depthwiseConvolution(let layer): depthwiseConvolution(layer, input)
      case .dropout: break
      case .layerNormalization(let layer): layerNormalization(layer, input)
      case .pooling(let layer): pooling(layer, input)
      case .recurrent(let layer): recurrent(layer, input)
      case .residual(let layer): try residual(layer, input)
      case .windowPooling(let layer): windowPooling(layer, input, output)
      }
    }
  }

  private mutating func next() -> [Float] { weights.popLast() ?? [] }

  private mutating func constant(_ role: String, _ values: [Float]) -> String {
    program.constant("\(role)_\(program.next)", values)
  }

  /// Applies a layer's own activation to `count` values of `y`.
  private mutating func apply(_ function: Activation.Function?, _ count: Int, _ indent: String = "  ") -> String {
    guard let function else { return "" }
    return "\(indent)for (i = 0; i < \(count); i++) y[i] = \(program.function(function, of: "y[i]"));\n"
  }
}

// MARK: Layers of each frame by itself

extension CLayers {
  private mutating func activation(_ layer: Activation, _ input: LayerShape) {
    let y = program.row(input.count)
    let value = program.function(layer.function, of: "x[i]")
    program.add(
      "\(layer.function.rawValue).",
      push: """
          float *y = \(y);
          int i;
          for (i = 0; i < \(input.count); i++) y[i] = \(value);
          {push}(s, y);
        """)
  }

  private mutating func dense(_ layer: Dense, _ input: LayerShape) {
    let kernel = program.matrix(
      "kernel_\(program.next)", transposed(next(), rows: input.count), rows: layer.units, columns: input.count)
    let bias = constant("bias", next())
    let y = program.row(layer.units)
    let activation = apply(layer.activation, layer.units)
    program.add(
      "Dense, \(input.count) to \(layer.units).",
      push: """
          float *y = \(y);
        \(activation.isEmpty ? "" : "  int i;\n")\
          memcpy(y, \(bias), \(layer.units) * sizeof *y);
          \(program.addProduct(kernel, x: "x", y: "y"))
        \(activation)  {push}(s, y);
        """)
  }

  private mutating func batchNormalization(_ layer: BatchNormalization, _ input: LayerShape) {
    let (gamma, beta, mean, variance) = (next(), next(), next(), next())
    let scale = gamma.indices.map { Double(gamma[$0]) / Double.sqrt(Double(variance[$0]) + layer.epsilon) }
    let shift = scale.indices.map { Float(Double(beta[$0]) - Double(mean[$0]) * scale[$0]) }
    let scaleName = constant("scale", scale.map { Float($0) })
    let shiftName = constant("shift", shift)
    let y = program.row(input.count)
    let channel = gamma.count == input.count ? "i" : "i % \(gamma.count)"
    program.add(
      "Batch normalisation.",
      push: """
          float *y = \(y);
          int i;
          for (i = 0; i < \(input.count); i++) y[i] = x[i] * \(scaleName)[\(channel)] + \(shiftName)[\(channel)];
          {push}(s, y);
        """)
  }

  private mutating func layerNormalization(_ layer: LayerNormalization, _ input: LayerShape) {
    let columns = input.columnCount
    let gamma = constant("gamma", next())
    let beta = constant("beta", next())
    let y = program.row(input.count)
    program.add(
      "Layer normalisation.",
      push: """
          float *y = \(y);
          int i, first;
          for (first = 0; first < \(input.count); first += \(columns)) {
            float mean = 0, variance = 0;
            for (i = 0; i < \(columns); i++) mean += x[first + i];
            mean /= \(columns);
            for (i = 0; i < \(columns); i++) variance += (x[first + i] - mean) * (x[first + i] - mean);
            variance = 1 / sqrtf(variance / \(columns) + \(Float(layer.epsilon))f);
            for (i = 0; i < \(columns); i++) {
              y[first + i] = (x[first + i] - mean) * variance * \(gamma)[i] + \(beta)[i];
            }
          }
          {push}(s, y);
        """)
  }

  private mutating func answer(_ output: ModelOutput, _ classes: Int, _ share: Float) {
    let weight = share == 1 ? "" : " * \(share)f"
    let body =
      switch output {
      case .softmax:
        """
          float greatest = x[0], sum = 0;
          for (i = 1; i < \(classes); i++) greatest = x[i] > greatest ? x[i] : greatest;
          for (i = 0; i < \(classes); i++) sum += expf(x[i] - greatest);
          for (i = 0; i < \(classes); i++) s->answer[i] += expf(x[i] - greatest) / sum\(weight);
        """
      case .sigmoid: "  for (i = 0; i < \(classes); i++) s->answer[i] += 1 / (1 + expf(-x[i]))\(weight);"
      }
    program.add(
      "The answer.",
      push: """
          int i;
        \(body)
          for (i = 0; i < \(classes); i++) {
            if (!(fabsf(x[i]) <= FLT_MAX)) s->status = \(program.prefix.uppercased())_NOT_FINITE;
          }
        """, flush: "  (void)s;")
  }

  private mutating func residual(_ layer: Residual, _ input: LayerShape) throws(ModelError) {
    let shapes = try NetworkConfiguration.shapes(of: layer.layers, input: input)
    let ahead = zip(layer.layers, shapes).reduce(0) { $0 + lookahead($1.0, $1.1) }
    let (capacity, begin) = (min(ahead, rowsKept(input)) + 1, program.next)
    program.add(
      "A residual block: what comes in waits for what is made of it.",
      fields: [
        .init(element: .float, name: "x", count: capacity * input.count), .init(element: .int32, name: "first"),
        .init(element: .int32, name: "count"),
      ],
      push: """
          int place = {s}.first + {s}.count;
          if ({s}.count == \(capacity)) {
            s->status = \(program.prefix.uppercased())_TOO_LONG;
            return;
          }
          if (place >= \(capacity)) place -= \(capacity);
          memcpy({s}.x + place * \(input.count), x, \(input.count) * sizeof *x);
          {s}.count++;
          {push}(s, x);
        """)
    try fold(layer.layers, shapes)
    let y = program.row(input.count)
    program.add(
      "The end of the block.",
      push: """
          float *y = \(y);
          const float *before = s->at\(begin).x + s->at\(begin).first * \(input.count);
          int i;
          for (i = 0; i < \(input.count); i++) y[i] = before[i] + x[i];
          s->at\(begin).first = s->at\(begin).first + 1 == \(capacity) ? 0 : s->at\(begin).first + 1;
          s->at\(begin).count--;
          {push}(s, y);
        """)
  }

  /// Frames that a layer must have seen beyond one before it answers for it.
  private func lookahead(_ layer: Layer, _ input: LayerShape) -> Int {
    guard input.hasFrames else { return 0 }
    switch layer {
    case .convolution(let layer):
      return FrameTaps(layer.frames, dilation: layer.frameDilation, causal: layer.causal).lookahead
    case .depthwiseConvolution(let layer):
      return FrameTaps(layer.frames, dilation: layer.frameDilation, causal: layer.causal).lookahead
    case .recurrent(let layer): return layer.directions == 2 ? rowsKept(input) : 0
    case .residual(let layer):
      let shapes = (try? NetworkConfiguration.shapes(of: layer.layers, input: input)) ?? []
      return zip(layer.layers, shapes).reduce(0) { $0 + lookahead($1.0, $1.1) }
    case .activation, .batchNormalization, .dense, .dropout, .layerNormalization, .pooling, .windowPooling: return 0
    }
  }

  /// The most frames of the whole sound, in this shape.
  private func rowsKept(_ shape: LayerShape) -> Int {
    (program.mostFrames + shape.frameStride - 1) / shape.frameStride
  }
}

// MARK: Layers over time

extension CLayers {
  private mutating func convolution(_ layer: Convolution, _ input: LayerShape) {
    let (bins, channels) = layer.bins == nil ? (1, input.count) : (input.bins, input.channels)
    let taps = FrameTaps(
      layer.frames, stride: layer.frameStride, dilation: layer.frameDilation, causal: layer.causal)
    let binTaps = FrameTaps(layer.bins ?? 1, stride: layer.binStride, dilation: layer.binDilation)
    let (binsOut, places) = (binTaps.outputFrames(bins), taps.taps * binTaps.taps)
    // From `places x channels x filters` to `places x filters x channels`.
    let stored = next()
    let values = (0..<stored.count).map { index in
      let (place, filter, channel) =
        (index / (layer.filters * channels), index / channels % layer.filters, index % channels)
      return stored[(place * channels + channel) * layer.filters + filter]
    }
    let kernel = program.matrix(
      "kernel_\(program.next)", values, rows: layer.filters, columns: channels, blocks: places)
    let bias = constant("bias", next())
    let count = binsOut * layer.filters
    let y = program.row(count)
    let isInt8 = program.precision == .int8
    let block = "tap * \(binTaps.taps) + bin_tap"
    let call = program.addProduct(
      kernel, x: "from + at_bin * \(channels)", prepared: isInt8 ? "{s}.scale[place]" : nil,
      y: "y + bin * \(layer.filters)", block: block)
    let activation = apply(layer.activation, count)
    addTaps(
      taps, isInt8: isInt8, input: input.count,
      comment:
        "Convolution, \(layer.filters) filters of \(layer.frames) frames\(layer.bins.map { " x \($0) bins" } ?? "").",
      declarations: "  int bin, bin_tap\(activation.isEmpty ? "" : ", i");\n",
      y: y,
      begin:
        "  for (bin = 0; bin < \(binsOut); bin++) memcpy(y + bin * \(layer.filters), \(bias), sizeof \(bias));\n",
      each: """
            for (bin = 0; bin < \(binsOut); bin++) {
              for (bin_tap = 0; bin_tap < \(binTaps.taps); bin_tap++) {
                const int at_bin = bin * \(binTaps.stride) - \(binTaps.lead) + bin_tap * \(binTaps.dilation);
                if (at_bin < 0 || at_bin >= \(bins)) continue;
                \(call)
              }
            }
        """, end: activation)
  }

  private mutating func depthwiseConvolution(_ layer: DepthwiseConvolution, _ input: LayerShape) {
    let channels = input.columnCount
    let taps = FrameTaps(
      layer.frames, stride: layer.frameStride, dilation: layer.frameDilation, causal: layer.causal)
    let kernel = constant("kernel", next())
    let bias = constant("bias", next())
    let y = program.row(input.count)
    let isInt8 = program.precision == .int8
    let channel = channels == input.count ? "i" : "i % \(channels)"
    addTaps(
      taps, isInt8: isInt8, input: input.count, comment: "Depthwise convolution of \(layer.frames) frames.",
      declarations: "  int i;\n", y: y,
      begin: "  for (i = 0; i < \(input.count); i++) y[i] = \(bias)[\(channel)];\n",
      each: """
            for (i = 0; i < \(input.count); i++) {
              y[i] += \(kernel)[tap * \(channels) + \(channel)] * \(isInt8 ? "({s}.scale[place] * (float)from[i])" : "from[i]");
            }
        """, end: "")
  }

  /// A stage of output frames that see several input frames, of which it keeps as many as it must.
  private mutating func addTaps(
    _ taps: FrameTaps, isInt8: Bool, input: Int, comment: String, declarations: String, y: String, begin: String,
    each: String, end: String
  ) {
    let capacity = (taps.taps - 1) * taps.dilation + 1
    var fields: [CProgram.Field] = [
      .init(element: .int32, name: "received"), .init(element: .int32, name: "made"),
      .init(element: isInt8 ? .int8 : .float, name: "frames", count: capacity * input),
    ]
    if isInt8 { fields.insert(.init(element: .float, name: "scale", count: capacity), at: 2) }
    let place = "{s}.received % \(capacity)"
    let store =
      isInt8
      ? program.quantize(input, "x", to: "{s}.frames + (\(place)) * \(input)", scale: "{s}.scale[\(place)]")
      : "memcpy({s}.frames + (\(place)) * \(input), x, \(input) * sizeof *x);"
    let before = """
      static void make_{n}({T} *s) {
        const int first = {s}.made * \(taps.stride) - \(taps.lead);
        float *y = \(y);
        int tap;
      \(declarations)\(begin)\
        for (tap = 0; tap < \(taps.taps); tap++) {
          const int at = first + tap * \(taps.dilation), place = at < 0 ? 0 : at % \(capacity);
          const \(isInt8 ? "int8_t" : "float") *from = {s}.frames + place * \(input);
          if (at < 0 || at >= {s}.received) continue;
      \(each)
        }
      \(end)\
        {s}.made++;
        {push}(s, y);
      }


      """
    program.add(
      comment, fields: fields, before: before,
      push: """
          \(store)
          {s}.received++;
          while ({s}.made * \(taps.stride) + \(taps.lookahead) < {s}.received) make_{n}(s);
          if ({s}.made >= \(2 * capacity)) {  /* counts stay small, however long the sound */
            {s}.made -= \(capacity);
            {s}.received -= \(capacity * taps.stride);
          }
        """,
      flush: """
          while ({s}.made * \(taps.stride) < {s}.received) make_{n}(s);
          {flush};
        """)
  }

  private mutating func windowPooling(_ layer: WindowPooling, _ input: LayerShape, _ output: LayerShape) {
    let (bins, channels) = layer.bins == 1 ? (1, input.count) : (input.bins, input.channels)
    let binsOut = (bins + layer.bins - 1) / layer.bins
    let count = binsOut * channels
    let y = program.row(count)
    let index = "bin / \(layer.bins) * \(channels) + channel"
    let isMax = layer.kind == .max
    let take =
      isMax
      ? """
            const int to = \(index);
            const float value = x[bin * \(channels) + channel];
            if ({s}.frames == 0 && bin % \(layer.bins) == 0) {s}.y[to] = value;
            else if (!(value <= {s}.y[to])) {s}.y[to] = value;
      """
      : "      {s}.y[\(index)] += x[bin * \(channels) + channel];"
    let give =
      isMax
      ? "  memcpy(y, {s}.y, sizeof {s}.y);"
      : """
        int bin, channel;
        for (bin = 0; bin < \(binsOut); bin++) {
          const int left = \(bins) - bin * \(layer.bins);
          const float share = 1 / ((float){s}.frames * (float)(left < \(layer.bins) ? left : \(layer.bins)));
          for (channel = 0; channel < \(channels); channel++) {
            y[bin * \(channels) + channel] = {s}.y[bin * \(channels) + channel] * share;
          }
        }
        memset({s}.y, 0, sizeof {s}.y);
      """
    program.add(
      "\(isMax ? "Max" : "Mean") pooling, \(layer.frames) frames x \(layer.bins) bins.",
      fields: [.init(element: .float, name: "y", count: count), .init(element: .int32, name: "frames")],
      before: """
        static void make_{n}({T} *s) {
          float *y = \(y);
        \(give)
          {s}.frames = 0;
          {push}(s, y);
        }


        """,
      push: """
          int bin, channel;
          for (bin = 0; bin < \(bins); bin++) {
            for (channel = 0; channel < \(channels); channel++) {
        \(take)
            }
          }
          if (++{s}.frames == \(layer.frames)) make_{n}(s);
        """,
      flush: """
          if ({s}.frames > 0) make_{n}(s);
          {flush};
        """)
  }

  private mutating func recurrent(_ layer: Recurrent, _ input: LayerShape) {
    let units = layer.units
    let steps = (0..<layer.directions).map { step(layer, input, direction: $0) }.joined()
    let cell: [CProgram.Field] = layer.cell == .lstm ? [.init(element: .float, name: "c", count: units)] : []
    let state = layer.cell == .lstm ? "{s}.h, {s}.c" : "{s}.h"
    let name = "\(layer.cell.rawValue), \(input.count) to \(units)"
    guard layer.directions == 2 else {
      program.add(
        "\(name).", fields: [.init(element: .float, name: "h", count: units)] + cell, before: steps,
        push: """
            step_{n}_0(s, x, \(state));
            {push}(s, {s}.h);
          """)
      return
    }
    let (most, inputs) = (rowsKept(input), input.count)
    let y = program.row(2 * units)
    program.add(
      "\(name) in both directions, once all frames are there.",
      fields: [
        .init(element: .float, name: "x", count: most * inputs), .init(element: .float, name: "y", count: most * units),
        .init(element: .float, name: "h", count: units), .init(element: .int32, name: "frames"),
      ] + cell, before: steps,
      push: """
          if ({s}.frames == \(most)) {
            s->status = \(program.prefix.uppercased())_TOO_LONG;
            return;
          }
          memcpy({s}.x + {s}.frames * \(inputs), x, \(inputs) * sizeof *x);
          {s}.frames++;
        """,
      flush: """
          int t;
          for (t = {s}.frames - 1; t >= 0; t--) {
            step_{n}_1(s, {s}.x + t * \(inputs), \(state));
            memcpy({s}.y + t * \(units), {s}.h, sizeof {s}.h);
          }
          memset({s}.h, 0, sizeof {s}.h);
        \(layer.cell == .lstm ? "  memset({s}.c, 0, sizeof {s}.c);\n" : "")\
          for (t = 0; t < {s}.frames; t++) {
            float *y = \(y);
            step_{n}_0(s, {s}.x + t * \(inputs), \(state));
            memcpy(y, {s}.h, sizeof {s}.h);
            memcpy(y + \(units), {s}.y + t * \(units), sizeof {s}.h);
            {push}(s, y);
          }
          {flush};
        """)
  }

  /// One step of one direction, as a function of the frame and the state, which it changes.
  private mutating func step(_ layer: Recurrent, _ input: LayerShape, direction: Int) -> String {
    let (units, inputs, cell) = (layer.units, input.count, layer.cell)
    let gates = cell == .lstm ? 4 : cell == .gru || cell == .gruResetBefore ? 3 : 1
    let place = "\(program.next)_\(direction)"
    let kernel = program.matrix(
      "kernel_\(place)", transposed(next(), rows: inputs), rows: gates * units, columns: inputs)
    let recurrent = program.matrix(
      "recurrent_\(place)", transposed(next(), rows: units), rows: gates * units, columns: units)
    let bias = program.constant("bias_\(place)", next())
    program.needGates((cell == .gru ? 6 : cell == .gruResetBefore ? 4 : gates) * units)
    let hasGates = cell != .simpleRNN && cell != .simpleRNNReLU
    let (sigmoid, tanh) = (hasGates ? program.sigmoid : "", cell == .simpleRNNReLU ? "" : program.tanh)
    let ofInput = "  \(program.addProduct(kernel, x: "x", y: "a"))\n"
    func ofState(_ target: String, _ rows: Range<Int>? = nil, x: String = "h") -> String {
      "  \(program.addProduct(recurrent, x: x, y: target, rows: rows))\n"
    }
    let body: String
    switch cell {
    case .gru:
      body = """
          float *b = a + \(3 * units);
          int i;
          memcpy(a, \(bias), sizeof \(bias));
        \(ofInput)\(ofState("b"))\
          for (i = 0; i < \(units); i++) {
            const float z = \(sigmoid)(a[i] + b[i]), r = \(sigmoid)(a[\(units) + i] + b[\(units) + i]);
            const float n = \(tanh)(a[\(2 * units) + i] + r * b[\(2 * units) + i]);
            h[i] = n + z * (h[i] - n);
          }
        """
    case .gruResetBefore:
      body = """
          float *reset = a + \(3 * units);
          int i;
          memcpy(a, \(bias), sizeof \(bias));
        \(ofInput)\(ofState("a", 0..<2 * units))\
          for (i = 0; i < \(units); i++) reset[i] = \(sigmoid)(a[\(units) + i]) * h[i];
        \(ofState("a + \(2 * units)", 2 * units..<3 * units, x: "reset"))\
          for (i = 0; i < \(units); i++) {
            const float z = \(sigmoid)(a[i]), n = \(tanh)(a[\(2 * units) + i]);
            h[i] = n + z * (h[i] - n);
          }
        """
    case .lstm:
      body = """
          int i;
          memcpy(a, \(bias), sizeof \(bias));
        \(ofInput)\(ofState("a"))\
          for (i = 0; i < \(units); i++) {
            c[i] = \(sigmoid)(a[\(units) + i]) * c[i] + \(sigmoid)(a[i]) * \(tanh)(a[\(2 * units) + i]);
            h[i] = \(sigmoid)(a[\(3 * units) + i]) * \(tanh)(c[i]);
          }
        """
    case .simpleRNN, .simpleRNNReLU:
      let value = cell == .simpleRNN ? "\(tanh)(a[i])" : "a[i] < 0 ? 0 : a[i]"
      body = """
          int i;
          memcpy(a, \(bias), sizeof \(bias));
        \(ofInput)\(ofState("a"))\
          for (i = 0; i < \(units); i++) h[i] = \(value);
        """
    }
    return """
      static void step_\(place)({T} *s, const float *x, float *h\(cell == .lstm ? ", float *c" : "")) {
        float *a = s->gates;
      \(body)
      }


      """
  }

  private mutating func pooling(_ layer: SequencePooling, _ input: LayerShape) {
    let count = input.count
    var fields: [CProgram.Field] = [.init(element: .int32, name: "frames")]
    let take: String
    let give: String
    var size = count
    switch layer.kind {
    case .last where input.isBidirectional:
      fields.append(.init(element: .float, name: "y", count: count))
      take = """
          memcpy({s}.y, x, \(count / 2) * sizeof *x);
          if ({s}.frames == 0) memcpy({s}.y + \(count / 2), x + \(count / 2), \(count / 2) * sizeof *x);
        """
      give = "  memcpy(y, {s}.y, sizeof {s}.y);"
    case .last:
      fields.append(.init(element: .float, name: "y", count: count))
      take = "  memcpy({s}.y, x, sizeof {s}.y);"
      give = "  memcpy(y, {s}.y, sizeof {s}.y);"
    case .mean:
      fields.append(.init(element: .float, name: "y", count: count))
      take = "  int i;\n  for (i = 0; i < \(count); i++) {s}.y[i] += x[i];"
      give = "  int i;\n  for (i = 0; i < \(count); i++) y[i] = {s}.y[i] / (float){s}.frames;"
    case .max:
      fields.append(.init(element: .float, name: "y", count: count))
      take = """
          int i;
          for (i = 0; i < \(count); i++) {
            if ({s}.frames == 0 || !(x[i] <= {s}.y[i])) {s}.y[i] = x[i];
          }
        """
      give = "  memcpy(y, {s}.y, sizeof {s}.y);"
    case .attention(let heads):
      size = heads * count
      let query = constant("query", next())
      fields += [
        .init(element: .float, name: "greatest", count: heads), .init(element: .float, name: "weight", count: heads),
        .init(element: .float, name: "y", count: size),
      ]
      take = """
          int head, i;
          for (head = 0; head < \(heads); head++) {
            const float *query = \(query) + head * \(count);
            float *y = {s}.y + head * \(count), score = 0, share;
            for (i = 0; i < \(count); i++) score += query[i] * x[i];
            if ({s}.frames == 0) {s}.greatest[head] = score;
            if (score > {s}.greatest[head]) {
              const float less = expf({s}.greatest[head] - score);
              {s}.weight[head] *= less;
              for (i = 0; i < \(count); i++) y[i] *= less;
              {s}.greatest[head] = score;
            }
            share = expf(score - {s}.greatest[head]);
            {s}.weight[head] += share;
            for (i = 0; i < \(count); i++) y[i] += share * x[i];
          }
        """
      give = """
          int i;
          for (i = 0; i < \(size); i++) y[i] = {s}.y[i] / {s}.weight[i / \(count)];
        """
    }
    let y = program.row(size)
    program.poolings.append(program.next)
    program.add(
      "Pooling over time.", fields: fields,
      before: """
        static void pooled_{n}({T} *s) {
          float *y = \(y);
          if ({s}.frames == 0) {
            if (s->status == 0) s->status = \(program.prefix.uppercased())_TOO_SHORT;
            return;
          }
        \(give)
          {push}(s, y);
        }


        """,
      push: """
        \(take)
          {s}.frames++;
        """,
      flush: """
          pooled_{n}(s);
          {flush};
        """)
  }
}
