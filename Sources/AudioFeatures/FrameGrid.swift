extension FeatureConfiguration {
  /// First sample of frame 0; negative where frames begin before the signal.
  package var frameOrigin: Int { FrameGrid(self, samples: 1).origin }
}

/// Where the frames of a signal begin and what lies beyond its ends, by the configuration's framing.
struct FrameGrid {
  /// Number of frames.
  let count: Int
  /// First sample of frame 0; negative where frames begin before the signal.
  let origin: Int
  /// Samples of the signal; `unknownLength` while its end is not known.
  let samples: Int
  private let framing: FeatureConfiguration.Framing

  /// Stands for a signal that goes on.
  static let unknownLength = 1 << 60

  init(_ configuration: FeatureConfiguration, samples: Int) {
    let (frame, hop, fft) = (configuration.frameLength, configuration.hopLength, configuration.fftLength)
    self.samples = samples
    framing = configuration.framing
    guard samples > 0 else {
      (count, origin) = (0, 0)
      return
    }
    switch framing {
    case .centerZero, .centerReflect:
      // The padding and the count are those of the transform, in which the window is centred.
      let outer = max(fft, frame)
      count = 1 + (samples + outer / 2 * 2 - outer) / hop
      origin = (outer - frame) / 2 - outer / 2
    case .snipEdges:
      count = samples < frame ? 0 : 1 + (samples - frame) / hop
      origin = 0
    case .padEnd:
      count = samples <= frame ? 1 : 1 + (samples - frame + hop - 1) / hop
      origin = 0
    case .kaldiCenter:
      count = (samples + hop / 2) / hop
      origin = hop / 2 - frame / 2
    }
  }

  /// Frames, from the first on, that are as they will be whatever comes after the first `received` samples, where a frame
  /// takes `length` samples (less than its own where the transform is shorter).
  static func complete(_ configuration: FeatureConfiguration, received: Int, length: Int) -> Int {
    // However the sound goes on, it has these frames.
    let existing = FrameGrid(configuration, samples: received)
    let inside = received - length - existing.origin
    let mirrored =
      switch configuration.framing {
      case .centerReflect: 1 - existing.origin
      case .kaldiCenter: -existing.origin
      case .centerZero, .snipEdges, .padEnd: 0
      }
    guard inside >= 0, received >= mirrored else { return 0 }
    return min(existing.count, inside / configuration.hopLength + 1)
  }

  /// The sample that stands at `index`, which may lie beyond either end; nil for silence.
  func source(of index: Int) -> Int? {
    if index >= 0 && index < samples { return index }
    let period: Int
    var folded: Int
    switch framing {
    case .centerZero, .snipEdges, .padEnd: return nil
    case .centerReflect:  // ... 2 1 | 0 1 2 ... n-1 | n-2 ...
      guard samples > 1 else { return 0 }
      period = 2 * samples - 2
      folded = ((index % period) + period) % period
      if folded >= samples { folded = period - folded }
    case .kaldiCenter:  // ... 1 0 | 0 1 2 ... n-1 | n-1 ...
      period = 2 * samples
      folded = ((index % period) + period) % period
      if folded >= samples { folded = period - 1 - folded }
    }
    return folded
  }
}

extension FeatureConfiguration {
  /// Of a sound that has a frame.
  var fewestSamples: Int {
    switch framing {
    case .snipEdges: frameLength
    case .kaldiCenter: hopLength - hopLength / 2
    case .centerZero, .centerReflect, .padEnd: 1
    }
  }

  /// Frames of a sound of so many samples.
  package func frames(ofSamples samples: Int) -> Int { FrameGrid(self, samples: samples).count }
}
