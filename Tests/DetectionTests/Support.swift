import Detection

/// Knuth's MMIX generator, the same as in Goldens/make_goldens.py.
struct Random {
  private var state: UInt64

  init(_ seed: Int) {
    state = UInt64(seed)
    for _ in 0..<4 { _ = uniform() }
  }

  mutating func uniform() -> Double {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(state >> 11) * 0x1p-53
  }

  mutating func below(_ count: Int) -> Int { Int(uniform() * Double(count)) }
}

private func toGrid(_ seconds: Double, _ grid: Double) -> Double {
  (seconds / grid).rounded(.down) * grid
}

private func labels(_ count: Int) -> [String] { Array(["a", "b", "c", "d", "e"].prefix(count)) }

/// `event_case` of Goldens/make_goldens.py.
struct EventCase {
  let labels: [String]
  let matching: EventMatching
  let resolution: Double
  var truth: [SoundEvent] = []
  var found: [SoundEvent] = []

  init(_ number: Int) throws {
    var random = Random(number)
    labels = DetectionTests.labels(1 + random.below(5))
    let grid = [0.05, 0.001][random.below(2)]
    let collar = [0.2, 0.25, 0.5][random.below(3)]
    let percentage = [0.0, 0.2, 0.5, 1.0][random.below(4)]
    let onset = random.below(5) > 0
    let offset = random.below(3) > 0
    matching = try EventMatching(
      collar: collar, percentageOfLength: percentage, evaluatesOnset: onset, evaluatesOffset: offset || !onset,
      method: [.optimal, .greedy][random.below(2)])
    resolution = [0.1, 0.5, 1.0][random.below(3)]
    for file in 0..<(1 + random.below(3)) {
      var inFile: [SoundEvent] = []
      func event(_ start: Double, _ end: Double, _ label: String) throws -> SoundEvent {
        try SoundEvent(start: start, end: end, label: label, path: "\(file)")
      }
      for _ in 0..<random.below(25) {
        var start = toGrid(random.uniform() * 20, grid)
        var end = start + grid + toGrid(random.uniform() * 3, grid)
        var label = labels[random.below(labels.count)]
        truth.append(try event(start, end, label))
        if random.uniform() < 0.75 {
          start = max(0, toGrid(start + (random.uniform() - 0.5) * 0.8, grid))
          end = max(start + grid, toGrid(end + (random.uniform() - 0.5) * 1.2, grid))
          if random.uniform() < 0.25 { label = labels[random.below(labels.count)] }
          inFile.append(try event(start, end, label))
        }
      }
      for _ in 0..<random.below(8) {
        let start = toGrid(random.uniform() * 20, grid)
        let end = start + grid + toGrid(random.uniform() * 2, grid)
        inFile.append(try event(start, end, labels[random.below(labels.count)]))
      }
      found += random.below(2) == 0 ? inFile.reversed() : inFile
    }
  }
}

/// `score_case` of Goldens/make_goldens.py.
struct ScoreCase {
  let labels: [String]
  var tracks: [String: ScoreTrack] = [:]
  var truth: [SoundEvent] = []

  init(_ number: Int) throws {
    var random = Random(1000 + number)
    labels = DetectionTests.labels(2 + random.below(3))
    let hop = [0.064, 0.1, 0.25][random.below(3)]
    let levels = [20.0, 1000][random.below(2)]
    for file in 0..<(1 + random.below(4)) {
      let hops = 300 + random.below(900)
      let boundaries = (0...hops).map { Double($0) * hop }
      var events: [SoundEvent] = []
      for label in labels {
        var start = random.uniform() * 20
        while start < boundaries[hops] - 0.5 {
          let end = start + 0.2 + random.uniform() * 3
          events.append(
            try SoundEvent(start: toGrid(start, 0.001), end: toGrid(end, 0.001), label: label, path: "\(file)"))
          start = end + 5 + random.uniform() * 40
        }
      }
      var scores: [Float] = []
      var last = [Double](repeating: 0, count: labels.count)
      for (index, boundary) in boundaries.dropLast().enumerated() {
        let active = Set(events.filter { $0.start <= boundary && boundary < $0.end }.map(\.label))
        for (place, label) in labels.enumerated() {
          let isOther = active.contains(labels[(place + 1) % labels.count]) && index / 40 % 3 == 0
          let level = random.uniform() * 0.6 + (active.contains(label) ? 0.45 : isOther ? 0.25 : 0)
          last[place] = 0.5 * last[place] + 0.5 * level
        }
        scores += last.map { Float(($0 * levels).rounded(.down) / levels) }
      }
      tracks["\(file)"] = try ScoreTrack(labels: labels, boundaries: boundaries, scores: scores)
      truth += events
    }
    for label in labels where !truth.contains(where: { $0.label == label }) {
      truth.append(try SoundEvent(start: 0, end: 1, label: label, path: "0"))
    }
  }
}

/// An event without checks getting in the way of a test's reader.
func event(_ start: Double, _ end: Double, _ label: String = "a", path: String? = nil) throws -> SoundEvent {
  try SoundEvent(start: start, end: end, label: label, path: path)
}
