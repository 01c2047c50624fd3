import AudioFeatures
import AuricleBase
import RealModule

/// Computes features from samples in C: each frame as soon as its last sample is there, with the transform of
/// `FourierTransform`, in single precision.
struct CFeatures {
  private let configuration: FeatureConfiguration

  /// For features that `requireExportable` lets pass.
  init(_ configuration: FeatureConfiguration) { self.configuration = configuration }

  private var used: Int { configuration.usedLength }
  private var origin: Int { configuration.frameOrigin }
  private var bins: Int { configuration.binCount }
  private var isLogarithmic: Bool { configuration.kind == .logMel || configuration.kind == .mfcc }
  /// Numbers of a frame before the cepstrum.
  private var columns: Int { configuration.kind == .spectrogram ? bins : configuration.mel.count }
  private var hasEnergy: Bool { configuration.energy != .none }

  /// Samples after which frame 0 is complete, were nothing mirrored; frame `t` is `t` hops later.
  private var due: Int {
    let (frame, hop) = (configuration.frameLength, configuration.hopLength)
    let exists =
      switch configuration.framing {
      case .centerZero, .centerReflect: max(configuration.fftLength, frame) % 2
      case .snipEdges: frame
      case .padEnd: frame - hop + 1
      case .kaldiCenter: hop - hop / 2
      }
    return max(origin + used, exists, 1)
  }

  /// Samples without which what is mirrored before the first is not known.
  private var mirrored: Int {
    switch configuration.framing {
    case .centerReflect: 1 - origin
    case .kaldiCenter: -origin
    case .centerZero, .snipEdges, .padEnd: 0
    }
  }

  private var capacity: Int { max(due - origin, mirrored, origin + used + 2, used) + 2 }

  /// All stages between samples and normalised features.
  func add(to program: inout CProgram) {
    spectrum(&program)
    let width = columns + (hasEnergy ? 1 : 0)
    if configuration.needsGreatest { range(&program, width: width) }
    if configuration.kind == .mfcc { cepstrum(&program, width: width) }
    for order in 0..<configuration.deltas.order { deltas(&program, order: order) }
    if configuration.needsStatistics { statistics(&program) }
  }

  // MARK: Samples to energies

  private func spectrum(_ program: inout CProgram) {
    let (length, status) = (configuration.fftLength, program.prefix.uppercased())
    let isEven = length.isMultiple(of: 2)
    let points = isEven ? length / 2 : length
    let isPowerOfTwo = isEven && points & (points - 1) == 0
    let shape = configuration.window.values(configuration.frameLength)
    let scale = configuration.spectrumScale(of: shape)
    let factor = configuration.inputScale.factor * Double.sqrt(scale)
    let window = program.constant("window", shape[..<used].map { Float($0 * factor) })
    let angles = (0..<(isPowerOfTwo ? points : length)).map { 2 * Double.pi * Double($0) / Double(length) }
    let waves = program.constant("waves", angles.flatMap { [Float(Double.cos($0)), Float(-Double.sin($0))] })

    let transform =
      isPowerOfTwo ? powerOfTwo(points, waves) : mixedRadix(&program, points, waves, isEven: isEven)
    let row = program.row(columns + (hasEnergy ? 1 : 0))
    var lines: [String] = []
    let needsPlain = configuration.energy == .raw && emphasis != 0
    if needsPlain {
      lines += ["copy_samples(s, first, length, 0);", "remove_offset(s->at{n}.z);", "energy = square_sum(s->at{n}.z);"]
    }
    lines.append("copy_samples(s, first, length, \(emphasis != 0 ? "1" : "0"));")
    if configuration.removesOffset { lines.append("remove_offset({s}.z);") }
    if configuration.energy == .raw && !needsPlain { lines.append("energy = square_sum({s}.z);") }
    if inFrame != 0 {
      lines.append("for (i = \(used - 1); i > 0; i--) {s}.z[i] -= \(Float(inFrame))f * {s}.z[i - 1];")
      if configuration.preEmphasis.firstSample == .repeated {
        lines.append("{s}.z[0] -= \(Float(inFrame))f * {s}.z[0];")
      }
    }
    lines.append("for (i = 0; i < \(used); i++) {s}.z[i] *= \(window)[i];")
    if configuration.energy == .windowed {
      lines.append("energy = square_sum({s}.z) * \(Float(1 / scale))f;")
    } else if configuration.energy == .raw {
      let squared = configuration.inputScale.factor * configuration.inputScale.factor
      if squared != 1 { lines.append("energy *= \(Float(squared))f;") }
    }
    lines.append("transform({s}.z);")
    if !configuration.usesPower { lines.append("for (i = 0; i < \(bins); i++) {s}.z[i] = sqrtf({s}.z[i]);") }
    if configuration.energy == .spectrum {
      lines.append("for (i = 0, energy = 0; i < \(bins); i++) energy += {s}.z[i];")
    }
    if configuration.kind == .spectrogram {
      lines.append("memcpy(y, {s}.z, \(bins) * sizeof *y);")
    } else {
      lines += mel(&program)
    }
    lines += [
      "for (i = 0; i < \(columns); i++) sum += y[i];",
      "if (!(fabsf(sum) <= FLT_MAX)) s->status = \(status)_NOT_FINITE;",
    ]
    if isLogarithmic {
      let log = configuration.logarithm
      let shift = log.shift(usesPower: configuration.usesPower)
      lines.append(
        "for (i = 0; i < \(columns); i++) y[i] = \(logarithm("y[i]\(log.offset == 0 ? "" : " + \(Float(log.offset))f")", floor: log.floor, factor: configuration.logarithmFactor))\(shift == 0 ? "" : " - \(Float(shift))f");"
      )
      if hasEnergy {
        lines.append(
          "y[\(columns)] = \(logarithm("energy", floor: configuration.cepstrum.energyFloor, factor: log.factor));")
      }
    }
    var helpers = copySamples(program.prefix) + transform
    if configuration.removesOffset {
      helpers += """
        static void remove_offset(float *x) {
          float mean = 0;
          int i;
          for (i = 0; i < \(used); i++) mean += x[i];
          mean /= \(used);
          for (i = 0; i < \(used); i++) x[i] -= mean;
        }


        """
    } else {
      lines.removeAll { $0.hasPrefix("remove_offset(s->") }
    }
    if configuration.energy == .raw || configuration.energy == .windowed {
      helpers += """
        static float square_sum(const float *x) {
          float sum = 0;
          int i;
          for (i = 0; i < \(used); i++) sum += x[i] * x[i];
          return sum;
        }


        """
    }
    if isLogarithmic { helpers += "static float at_least(float x, float floor) { return x < floor ? floor : x; }\n\n" }
    let work = isPowerOfTwo ? length + 2 : 2 * max(points, 2) + 2
    program.add(
      "Samples: \(configuration.kind.rawValue), frames of \(configuration.frameLength) every \(configuration.hopLength).",
      fields: [
        .init(element: .int64, name: "received"), .init(element: .int64, name: "due"),
        .init(element: .int64, name: "frames"), .init(element: .int32, name: "place"),
        .init(element: .float, name: "samples", count: capacity), .init(element: .float, name: "z", count: work),
      ] + (isPowerOfTwo ? [] : [.init(element: .float, name: "other", count: work)]),
      before: helpers
        + """
        /* The next frame of a sound of so many samples. */
        static void make_frame({T} *s, int64_t length) {
          const int64_t first = {s}.frames * \(configuration.hopLength) + (\(origin));
          float *y = \(row), sum = 0\(hasEnergy ? ", energy" : "");
          int i;
        \(lines.map { "  " + $0 }.joined(separator: "\n"))
          {s}.frames++;
          {push}(s, y);
        }


        """.replacing("transform({s}.z)", with: isPowerOfTwo ? "transform({s}.z)" : "transform({s}.z, {s}.other)"),
      push: """
          /* One sample. */
          if (!(fabsf(*x) <= FLT_MAX)) s->status = \(status)_NOT_FINITE;
          {s}.samples[{s}.place] = *x;
          if (++{s}.place == \(capacity)) {s}.place = 0;
          if (++{s}.received < \(max(mirrored, 1))) return;
          while ({s}.frames * \(configuration.hopLength) + (\(due)) <= {s}.received) make_frame(s, INT64_MAX / 4);
        """,
      flush: """
          const int64_t n = {s}.received, frames = n == 0 ? 0 : \(frameCount);
          while ({s}.frames < frames) make_frame(s, n);
          {flush};
        """)
  }

  /// Of `n` samples, at least one, as `FrameGrid` counts them.
  private var frameCount: String {
    let (frame, hop) = (configuration.frameLength, configuration.hopLength)
    switch configuration.framing {
    case .centerZero, .centerReflect: return "1 + (n - \(max(configuration.fftLength, frame) % 2)) / \(hop)"
    case .snipEdges: return "n < \(frame) ? 0 : 1 + (n - \(frame)) / \(hop)"
    case .padEnd: return "n <= \(frame) ? 1 : 1 + (n - \(frame) + \(hop - 1)) / \(hop)"
    case .kaldiCenter: return "(n + \(hop / 2)) / \(hop)"
    }
  }

  private var emphasis: Double {
    configuration.preEmphasis.scope == .signal ? configuration.preEmphasis.coefficient : 0
  }
  private var inFrame: Double {
    configuration.preEmphasis.scope == .frame ? configuration.preEmphasis.coefficient : 0
  }

  /// Where the samples of a frame come from, ends and pre-emphasis included.
  private func copySamples(_ prefix: String) -> String {
    let mirror: String
    switch configuration.framing {
    case .centerZero, .snipEdges, .padEnd: mirror = "if (at < 0 || at >= length) return 0;"
    case .centerReflect, .kaldiCenter:
      let isOnSample = configuration.framing == .centerReflect
      mirror = """
        if (at < 0 || at >= length) {
            const int64_t period = 2 * length\(isOnSample ? " - 2" : "");
            at = \(isOnSample ? "length < 2 ? 0 : " : "")(at % period + period) % period;
            if (at >= length) at = period\(isOnSample ? "" : " - 1") - at;
          }
        """
    }
    let first = configuration.preEmphasis.firstSample == .kept ? "" : "x -= \(Float(emphasis))f * x;"
    let emphasised =
      emphasis == 0
      ? "  (void)emphasised;"
      : "  if (emphasised) {\n    if (at > 0) x -= \(Float(emphasis))f * held(s, at - 1);\n"
        + (first.isEmpty ? "" : "    else \(first)\n") + "  }"
    return """
      static float held(const {T} *s, int64_t at) {
        int place = {s}.place - (int)({s}.received - at);
        if (place < 0) place += \(capacity);
        return {s}.samples[place];
      }

      /* The sample at a place that may lie beyond the ends. */
      static float sample(const {T} *s, int64_t at, int64_t length, int emphasised) {
        float x;
        \(mirror)
        x = held(s, at);
      \(emphasised)
        return x;
      }

      static void copy_samples({T} *s, int64_t first, int64_t length, int emphasised) {
        int i = 0;
        if (first > 0 && first + \(used) <= {s}.received) {
          int place = {s}.place - (int)({s}.received - first);
          \(emphasis == 0 ? "" : "float before = held(s, first - 1);\n    ")if (place < 0) place += \(capacity);
          for (; i < \(used); i++) {
            const float x = {s}.samples[place];
            {s}.z[i] = \(emphasis == 0 ? "x" : "emphasised ? x - \(Float(emphasis))f * before : x");\(emphasis == 0 ? "" : "\n      before = x;")
            if (++place == \(capacity)) place = 0;
          }
        }
        for (; i < \(used); i++) {s}.z[i] = sample(s, first + i, length, emphasised);
        for (; i < \(configuration.fftLength); i++) {s}.z[i] = 0;
      }


      """
  }

  // MARK: The transform

  /// Radix 2 in place on half as many complex numbers as there are reals; leaves the power spectrum.
  private func powerOfTwo(_ points: Int, _ waves: String) -> String {
    """
    /* z, \(2 * points) reals, becomes its power spectrum. */
    static void transform(float *z) {
      int i, j = 0, half;
      for (i = 1; i < \(points); i++) {
        int bit = \(points) >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i < j) {
          const float re = z[2 * i], im = z[2 * i + 1];
          z[2 * i] = z[2 * j];
          z[2 * i + 1] = z[2 * j + 1];
          z[2 * j] = re;
          z[2 * j + 1] = im;
        }
      }
      for (half = 1; half < \(points); half *= 2) {
        const int step = \(points) / half;
        for (j = 0; j < half; j++) {
          const float re = \(waves)[2 * j * step], im = \(waves)[2 * j * step + 1];
          for (i = j; i < \(points); i += 2 * half) {
            float *a = z + 2 * i, *b = a + 2 * half;
            const float x = re * b[0] - im * b[1], y = re * b[1] + im * b[0];
            b[0] = a[0] - x;
            b[1] = a[1] - y;
            a[0] += x;
            a[1] += y;
          }
        }
      }
    \(unpacked(points, waves))
    }


    """
  }

  /// The power spectrum of the reals whose even and odd samples were the transformed complex numbers.
  private func unpacked(_ points: Int, _ waves: String) -> String {
    """
      {
        const float first = z[0] + z[1], last = z[0] - z[1];
        int k;
        for (k = 1; 2 * k <= \(points); k++) {
          float *a = z + 2 * k, *b = z + 2 * (\(points) - k);
          const float even_re = 0.5f * (a[0] + b[0]), even_im = 0.5f * (a[1] - b[1]);
          const float odd_re = 0.5f * (a[1] + b[1]), odd_im = -0.5f * (a[0] - b[0]);
          const float re = \(waves)[2 * k] * odd_re - \(waves)[2 * k + 1] * odd_im;
          const float im = \(waves)[2 * k] * odd_im + \(waves)[2 * k + 1] * odd_re;
          a[0] = (even_re + re) * (even_re + re) + (even_im + im) * (even_im + im);
          if (a != b) b[0] = (even_re - re) * (even_re - re) + (even_im - im) * (even_im - im);
        }
        z[0] = first * first;
        for (k = 1; k < \(points); k++) z[k] = z[2 * k];
        z[\(points)] = last * last;
      }
    """
  }

  /// Any length, by its prime factors (Cooley and Tukey, 1965).
  private func mixedRadix(_ program: inout CProgram, _ points: Int, _ waves: String, isEven: Bool) -> String {
    var (factors, rest, factor): ([Int16], Int, Int) = ([], points, 2)
    while rest > 1 {
      while rest.isMultiple(of: factor) {
        factors.append(Int16(factor))
        rest /= factor
      }
      factor += 1
    }
    let stride = isEven ? 2 : 1
    let length = configuration.fftLength
    let name = program.constant("factors", factors + [1])
    let after =
      isEven
      ? "memcpy(z, other, \(2 * points) * sizeof *z);\n" + unpacked(points, waves)
      : "for (i = 0; i < \(bins); i++) z[i] = other[2 * i] * other[2 * i] + other[2 * i + 1] * other[2 * i + 1];"
    return """
      /* y is the transform of every step-th of the complex numbers x, \(points) / step of them. */
      static void part(int step, const float *x, float *y, const int16_t *factor) {
        const int n = \(points) / step, m = n / *factor;
        int r, q, k;
        float old[\(2 * Int(factors.max() ?? 1))];
        if (n == 1) {
          y[0] = x[0];
          y[1] = x[1];
          return;
        }
        for (r = 0; r < *factor; r++) part(step * *factor, x + 2 * r * step, y + 2 * r * m, factor + 1);
        for (k = 0; k < m; k++) {
          for (r = 0; r < *factor; r++) {
            old[2 * r] = y[2 * (r * m + k)];
            old[2 * r + 1] = y[2 * (r * m + k) + 1];
          }
          for (q = 0; q < *factor; q++) {
            float re = 0, im = 0;
            for (r = 0; r < *factor; r++) {
              const float *wave = \(waves) + 2 * ((int32_t)r * (k + q * m) % n * step * \(stride) % \(length));
              re += wave[0] * old[2 * r] - wave[1] * old[2 * r + 1];
              im += wave[0] * old[2 * r + 1] + wave[1] * old[2 * r];
            }
            y[2 * (q * m + k)] = re;
            y[2 * (q * m + k) + 1] = im;
          }
        }
      }

      /* z, \(length) reals, becomes its power spectrum. */
      static void transform(float *z, float *other) {
      \(isEven ? "" : "  int i;\n  for (i = \(length - 1); i >= 0; i--) {\n    z[2 * i] = z[i];\n    z[2 * i + 1] = 0;\n  }\n")\
        part(1, z, other, \(name));
        \(after)
      }


      """
  }

  // MARK: Energies to features

  private func mel(_ program: inout CProgram) -> [String] {
    var (first, count, weights): ([UInt16], [UInt16], [Float]) = ([], [], [])
    for filter in MelBands.filters(configuration) {
      let begin = filter.firstIndex { $0 > 0 } ?? 0
      let end = (filter.lastIndex { $0 > 0 } ?? -1) + 1
      first.append(UInt16(begin))
      count.append(UInt16(max(0, end - begin)))
      if end > begin { weights += filter[begin..<end].map { Float($0) } }
    }
    let firstName = program.constant("mel_first", first)
    let countName = program.constant("mel_count", count)
    let name = program.constant("mel", weights.isEmpty ? [0] : weights)
    return [
      "{", "  const float *weight = \(name);", "  for (i = 0; i < \(columns); i++) {",
      "    const float *from = {s}.z + \(firstName)[i];", "    int k;", "    y[i] = 0;",
      "    for (k = 0; k < \(countName)[i]; k++) y[i] += *weight++ * from[k];", "  }", "}",
    ]
  }

  private func logarithm(_ x: String, floor: Double, factor: Double) -> String {
    "logf(at_least(\(x), \(Float(floor))f))" + (factor == 1 ? "" : " * \(Float(factor))f")
  }

  /// Raises what lies too far below the sound's greatest.
  private func range(_ program: inout CProgram, width: Int) {
    keep(
      &program, width: width, "The range of logarithms, once the greatest is known.",
      """
        int t, i;
        float least = -FLT_MAX;
        for (t = 0; t < {s}.frames; t++) {
          for (i = 0; i < \(columns); i++) least = {s}.x[t * \(width) + i] > least ? {s}.x[t * \(width) + i] : least;
        }
        least -= \(Float(configuration.logarithm.range ?? 0))f;
        for (t = 0; t < {s}.frames; t++) {
          float *y = {s}.x + t * \(width);
          for (i = 0; i < \(columns); i++) y[i] = y[i] < least ? least : y[i];
          {push}(s, y);
        }
      """)
  }

  private func keep(_ program: inout CProgram, width: Int, _ comment: String, _ flush: String) {
    program.add(
      comment,
      fields: [
        .init(element: .float, name: "x", count: program.mostFrames * width), .init(element: .int32, name: "frames"),
      ],
      push: """
          if ({s}.frames == \(program.mostFrames)) {
            s->status = \(program.prefix.uppercased())_TOO_LONG;
            return;
          }
          memcpy({s}.x + {s}.frames * \(width), x, \(width) * sizeof *x);
          {s}.frames++;
        """,
      flush: flush + "\n  {flush};")
  }

  /// The mean goes out first, which keeps the sums small; only coefficient 0 sees it.
  private func cepstrum(_ program: inout CProgram, width: Int) {
    let (cepstrum, mels) = (configuration.cepstrum, configuration.mel.count)
    let matrix = cepstrum.matrix(mels: mels)
    let zeroth = cepstrum.zerothIndex
    let weight = matrix[zeroth * mels..<(zeroth + 1) * mels].reduce(0) { $0 + Double($1) }
    let name = program.constant("dct", matrix)
    let y = program.row(cepstrum.count)
    program.add(
      "Cepstrum.",
      push: """
          float *y = \(y), mean = 0;
          int i, k;
          for (i = 0; i < \(mels); i++) mean += x[i];
          mean /= \(mels);
          for (k = 0; k < \(cepstrum.count); k++) {
            y[k] = 0;
            for (i = 0; i < \(mels); i++) y[k] += \(name)[k * \(mels) + i] * (x[i] - mean);
          }
          y[\(zeroth)] = \(hasEnergy ? "x[\(mels)]" : "y[\(zeroth)] + mean * \(Float(weight))f");
          {push}(s, y);
        """)
  }

  /// Frames with the slope of their last part appended; those beyond the ends repeat the outermost.
  private func deltas(_ program: inout CProgram, order: Int) {
    let (base, half) = (configuration.baseCount, configuration.deltas.halfWidth)
    let (width, kept) = (base * (order + 1), 2 * configuration.deltas.halfWidth + 1)
    let scale = 1 / Float(2 * (1...half).reduce(0) { $0 + $1 * $1 })
    let y = program.row(width + base)
    program.add(
      "Deltas.",
      fields: [
        .init(element: .int32, name: "received"), .init(element: .int32, name: "made"),
        .init(element: .float, name: "frames", count: kept * width),
      ],
      before: """
        static void make_{n}({T} *s) {
          const int t = {s}.made, last = {s}.received - 1;
          float *y = \(y);
          int i, k;
          memcpy(y, {s}.frames + t % \(kept) * \(width), \(width) * sizeof *y);
          for (i = 0; i < \(base); i++) y[\(width) + i] = 0;
          for (k = 1; k <= \(half); k++) {
            const int before = t - k < 0 ? 0 : t - k, after = t + k > last ? last : t + k;
            const float *a = {s}.frames + after % \(kept) * \(width) + \(width - base);
            const float *b = {s}.frames + before % \(kept) * \(width) + \(width - base);
            for (i = 0; i < \(base); i++) y[\(width) + i] += (float)k * \(scale)f * (a[i] - b[i]);
          }
          {s}.made++;
          {push}(s, y);
        }


        """,
      push: """
          memcpy({s}.frames + {s}.received % \(kept) * \(width), x, \(width) * sizeof *x);
          {s}.received++;
          if ({s}.made + \(half) < {s}.received) make_{n}(s);
          if ({s}.made >= \(2 * kept)) {  /* counts stay small, however long the sound */
            {s}.made -= \(kept);
            {s}.received -= \(kept);
          }
        """,
      flush: """
          while ({s}.made < {s}.received) make_{n}(s);
          {flush};
        """)
  }

  /// Normalisation over the sound's own frames.
  private func statistics(_ program: inout CProgram) {
    let width = configuration.coefficientCount
    let isScaled = configuration.normalization == .utteranceMeanVariance
    keep(
      &program, width: width, "Normalisation by the sound's own mean\(isScaled ? " and deviation" : "").",
      """
        int t, i;
        for (i = 0; i < \(width); i++) {
          double mean = 0;
          for (t = 0; t < {s}.frames; t++) mean += (double){s}.x[t * \(width) + i];
          mean /= {s}.frames;
      \(isScaled ? """
          {
            double square = 0;
            float scale;
            for (t = 0; t < {s}.frames; t++) {
              const double d = (double){s}.x[t * \(width) + i] - mean;
              square += d * d;
            }
            square = sqrt(square / {s}.frames);
            scale = square > 1e-8 ? (float)(1 / square) : 1.0f;
            for (t = 0; t < {s}.frames; t++) {
              {s}.x[t * \(width) + i] = ({s}.x[t * \(width) + i] - (float)mean) * scale;
            }
          }
      """ : """
          for (t = 0; t < {s}.frames; t++) {s}.x[t * \(width) + i] -= (float)mean;
      """)
        }
        for (t = 0; t < {s}.frames; t++) {push}(s, {s}.x + t * \(width));
      """)
  }

  // MARK: Outside the chain

  /// The functions that take samples.
  func feed(_ program: CProgram, first: Int) -> String {
    """
    void \(program.prefix)_feed(\(program.stream) *s, const float *samples, size_t count) {
      size_t i;
      for (i = 0; i < count; i++) push_\(first)(s, samples + i);
    }

    void \(program.prefix)_feed16(\(program.stream) *s, const int16_t *samples, size_t count) {
      size_t i;
      for (i = 0; i < count; i++) {
        const float sample = (float)samples[i] / 32768;
        push_\(first)(s, &sample);
      }
    }

    static void finish_samples(\(program.stream) *s) {
      flush_\(first)(s);
    }
    """
  }
}
