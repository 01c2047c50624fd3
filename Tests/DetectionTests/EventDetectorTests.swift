import AudioInput
import Detection
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

typealias Configuration = EventDetector.Configuration

/// A track of one label, a hop of half a second for each score.
private func track(_ scores: [Float], hop: Double = 0.5) throws -> ScoreTrack {
  try ScoreTrack(labels: ["a"], boundaries: (0...scores.count).map { Double($0) * hop }, scores: scores)
}

private func spans(_ scores: [Float], _ configuration: Configuration) throws -> [[Double]] {
  try track(scores).events(configuration).map { [$0.start, $0.end] }
}

/// Configurations with every step on and off.
private func configurations() throws -> [Configuration] {
  var all: [Configuration] = []
  for smoothing in [1, 3, 7] {
    for agreement in [(1, 1), (2, 3), (3, 5), (1, 3)] {
      for times in [(0.0, 0.0, 0.0), (0.15, 0, 0), (0, 0.3, 0), (0.2, 0.2, 0.5)] {
        all.append(
          try Configuration(
            smoothing: smoothing == 7 ? .median : .mean, smoothingHops: smoothing,
            threshold: .init(on: 0.4, off: 0.35), thresholds: ["a": .init(on: 0.5, off: 0.3)],
            agreement: agreement.0, agreementHops: agreement.1, minimumDuration: times.0, minimumGap: times.1,
            refractoryTime: times.2))
      }
    }
  }
  return all
}

/// The steps of the configuration's documentation one after the other on whole columns: slow, and plain to see.
private func reference(_ track: ScoreTrack, _ configuration: Configuration) -> [SoundEvent] {
  var events: [SoundEvent] = []
  let hops = track.hops
  for (column, label) in track.labels.enumerated() where !configuration.ignoredLabels.contains(label) {
    let half = configuration.smoothingHops / 2
    let smooth: [Float] = (0..<hops).map { hop in
      let window = (max(0, hop - half)...min(hops - 1, hop + half)).map { track.row($0).dropFirst(column).first ?? 0 }
      if configuration.smoothing == .mean {
        return Float(window.reduce(0.0) { $0 + Double($1) } / Double(window.count))
      }
      let sorted = window.sorted()
      let middle = sorted.count / 2
      return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
    let threshold = configuration.threshold(of: label)
    var isOn = smooth.map { _ in false }
    for hop in smooth.indices where smooth[hop] >= threshold.on {
      for neighbour in smooth[hop...].indices.prefix(while: { !isOn[$0] && smooth[$0] >= threshold.off }) {
        isOn[neighbour] = true
      }
      for neighbour in smooth[..<hop].indices.reversed().prefix(while: { !isOn[$0] && smooth[$0] >= threshold.off }) {
        isOn[neighbour] = true
      }
    }
    let reach = configuration.agreementHops / 2
    let active = (0..<hops).map { hop in
      (max(0, hop - reach)...min(hops - 1, hop + reach)).count { isOn[$0] } >= configuration.agreement
    }
    var runs: [(start: Double, end: Double, peak: Float)] = []
    for hop in 0..<hops where active[hop] {
      let (start, end) = (track.boundaries[hop], track.boundaries[hop + 1])
      if let last = runs.last, start == last.end || start - last.end < configuration.minimumGap - 1e-6 {
        runs[runs.count - 1] = (last.start, end, max(last.peak, smooth[hop]))
      } else {
        runs.append((start, end, smooth[hop]))
      }
    }
    var lastEnd = -Double.infinity
    for run in runs where run.end - run.start >= configuration.minimumDuration - 1e-6 {
      if run.start - lastEnd < configuration.refractoryTime - 1e-6 { continue }
      lastEnd = run.end
      if let event = try? SoundEvent(start: run.start, end: run.end, label: label, probability: run.peak) {
        events.append(event)
      }
    }
  }
  return events.sorted(by: SoundEvent.precedes)
}

@Suite struct EventDetectorTests {
  @Test("the stream finds what the steps done one after the other on the whole find")
  func steps() throws {
    for number in 0..<2 {
      for track in try ScoreCase(number).tracks.values {
        for configuration in try configurations() {
          #expect(
            try track.events(configuration) == reference(track, configuration), "case \(number), \(configuration)")
        }
      }
    }
  }

  @Test("sounds shorter than every window are detected in", arguments: 0...7)
  func short(hops: Int) throws {
    let track = try track([0.9, 0.2, 0.8, 0.9, 0.1, 0.7, 0.9].prefix(hops).map { Float($0) })
    for configuration in try configurations() {
      #expect(try track.events(configuration) == reference(track, configuration))
    }
  }

  @Test("an event comes with the row that makes it known, and not later")
  func latency() throws {
    for configuration in try configurations() where configuration.refractoryTime == 0 {
      for number in 0..<1 {
        for track in try ScoreCase(number).tracks.values {
          var detector = try EventDetector(
            labels: track.labels,
            configuration: .init(
              smoothing: configuration.smoothing, smoothingHops: configuration.smoothingHops,
              threshold: .init(on: configuration.threshold.on), agreement: configuration.agreement,
              agreementHops: configuration.agreementHops, minimumDuration: configuration.minimumDuration,
              minimumGap: configuration.minimumGap))
          for hop in 0..<track.hops {
            for event in try detector.append(track.row(hop), until: track.boundaries[hop + 1]) {
              let hopLength = track.boundaries[1] - track.boundaries[0]
              let wait = max(configuration.minimumGap, hopLength) + Double(configuration.lookahead) * hopLength
              // The wait is rounded up to whole hops, since rows come in them.
              #expect(track.boundaries[hop + 1] - event.end < wait + hopLength - 1e-6)
              #expect(track.boundaries[hop + 1] - event.end >= wait - 1e-5)
            }
          }
        }
      }
    }
  }

  @Test("an event reaches the upper threshold, and lasts as long as the score is above the lower one")
  func hysteresis() throws {
    let scores: [Float] = [0.5, 0.8, 0.5, 0.45, 0.3, 0.5]
    #expect(try spans(scores, Configuration(threshold: .init(on: 0.7, off: 0.4))) == [[0, 2]])
    #expect(try spans([0.5, 0.8, 0.3, 0.5, 0.5], Configuration(threshold: .init(on: 0.7, off: 0.4))) == [[0, 1]])
    #expect(try spans(scores, Configuration(threshold: .init(on: 0.5))) == [[0, 1.5], [2.5, 3]])
  }

  @Test("gaps close before durations are judged, and the refractory time counts from events that were given")
  func order() throws {
    let scores: [Float] = [1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1]
    #expect(try spans(scores, Configuration(minimumGap: 0.6)) == [[0, 1.5], [2.5, 3], [4.5, 5.5]])
    #expect(try spans(scores, Configuration(minimumDuration: 0.6, minimumGap: 0.6)) == [[0, 1.5], [4.5, 5.5]])
    #expect(try spans(scores, Configuration(refractoryTime: 1.2)) == [[0, 0.5], [2.5, 3], [4.5, 5.5]])
    #expect(
      try spans(scores, Configuration(minimumDuration: 0.6, refractoryTime: 10)) == [[4.5, 5.5]],
      "dropped events begin no refractory time")
  }

  @Test("k of n agree around the hop, so that the edges of an event stay where they are")
  func agreement() throws {
    let scores: [Float] = [0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 0]
    #expect(try spans(scores, Configuration(agreement: 2, agreementHops: 3)) == [[2, 4.5]])
  }

  @Test("ignored classes are no events, and others have thresholds of their own")
  func labels() throws {
    let track = try ScoreTrack(
      labels: ["a", "b", "_"], boundaries: [0, 1, 2], scores: [0.6, 0.6, 0.9, 0.8, 0.1, 0.9])
    let configuration = try Configuration(thresholds: ["a": .init(on: 0.7)], ignoredLabels: ["_"])
    let events = try track.events(configuration)
    #expect(
      events.map(\.label) == ["b", "a"] && events.map(\.start) == [0, 1] && events.map(\.probability) == [0.6, 0.8])
  }

  @Test("what runs is shown before it ends")
  func running() throws {
    var detector = try EventDetector(labels: ["a"], configuration: Configuration(minimumDuration: 0.8))
    #expect(try detector.append([1], until: 0.5).isEmpty && detector.running.isEmpty)
    #expect(try detector.append([0.7], until: 1).isEmpty)
    #expect(detector.running.map(\.end) == [1] && detector.running.map(\.probability) == [1])
    #expect(try detector.append([0], until: 1.5).map(\.end) == [1] && detector.running.isEmpty)
    #expect(detector.finish().isEmpty)
  }

  @Test("rows that do not fit are refused, and leave the detector as it was")
  func rows() throws {
    var detector = try EventDetector(labels: ["a", "b"])
    _ = try detector.append([1, 0], until: 1)
    #expect(throws: DetectionError.wrongShape(found: 1, wanted: 2)) { try detector.append([1], until: 2) }
    #expect(throws: DetectionError.wrongTime(found: 1, wanted: 1)) { try detector.append([1, 1], until: 1) }
    #expect(throws: DetectionError.invalidScore(seconds: 1)) { try detector.append([1, .nan], until: 2) }
    #expect(throws: DetectionError.wrongTime(found: .infinity, wanted: 1)) {
      try detector.append([1, 1], until: .infinity)
    }
    #expect(try detector.append([0, 0], until: 2).map(\.end) == [1])
  }

  @Test(
    "windows that slide are smoothed over half of one",
    arguments: [(1, 1, 1), (1, 0.5, 1), (1, 0.25, 3), (1, 0.1, 5), (3, 0.5, 3)])
  func sliding(window: Double, hop: Double, hops: Int) throws {
    let configuration = try Configuration.sliding(window: window, hop: hop, ignoring: ["_"])
    #expect(configuration.smoothing == .mean && configuration.smoothingHops == hops)
    #expect(configuration.threshold == .init(on: 0.7, off: 0.5) && configuration.ignoredLabels == ["_"])
    for (window, hop) in [(1, 0), (1, -1), (1, .nan), (.infinity, 1), (1e300, 1e-300)] {
      #expect((1...Configuration.mostHops).contains(try Configuration.sliding(window: window, hop: hop).smoothingHops))
    }
  }

  @Test("impossible configurations are refused, from code and from JSON")
  func doors() throws {
    #expect(throws: DetectionError.self) { try Configuration(smoothingHops: 2) }
    #expect(throws: DetectionError.self) { try Configuration(smoothingHops: -1) }
    #expect(throws: DetectionError.self) { try Configuration(agreement: 4, agreementHops: 3) }
    #expect(throws: DetectionError.self) { try Configuration(threshold: .init(on: 0.5, off: 0.6)) }
    #expect(throws: DetectionError.self) { try Configuration(thresholds: ["a": .init(on: .nan)]) }
    #expect(throws: DetectionError.self) { try Configuration(minimumGap: -1) }
    #expect(throws: DetectionError.self) { try EventDetector(labels: ["a", "a"]) }
    #expect(throws: DetectionError.unknownLabel("b", known: ["a"])) {
      try EventDetector(labels: ["a"], configuration: Configuration(ignoredLabels: ["b"]))
    }
    let json = Data(#"{"smoothingHops": 4}"#.utf8)
    #expect(throws: DetectionError.self) { try JSONDecoder().decode(Configuration.self, from: json) }
    for configuration in try configurations() {
      let data = try JSONEncoder().encode(configuration)
      #expect(try JSONDecoder().decode(Configuration.self, from: data) == configuration)
    }
    #expect(try JSONDecoder().decode(Configuration.self, from: Data("{}".utf8)) == Configuration())
  }

  @Test("events that cannot be are refused")
  func events() throws {
    #expect(throws: DetectionError.self) { try SoundEvent(start: 2, end: 1, label: "a") }
    #expect(throws: DetectionError.self) { try SoundEvent(start: -1, end: 1, label: "a") }
    #expect(throws: DetectionError.self) { try SoundEvent(start: 0, end: .infinity, label: "a") }
    #expect(throws: DetectionError.self) { try SoundEvent(start: 0, end: 1e300, label: "a") }
    #expect(throws: DetectionError.self) { try SoundEvent(start: 0, end: 1, label: "") }
    #expect(throws: DetectionError.self) { try SoundEvent(start: 0, end: 1, label: "a", channel: 0) }
    #expect(try SoundEvent(start: 1, end: 2, label: "a", path: "x").span?.seconds == 1..<2)
  }
}

@Suite struct ScoreTrackTests {
  @Test("pieces make the whole again, and pieces that do not follow are refused")
  func pieces() throws {
    let whole = try #require(try ScoreCase(3).tracks["0"])
    var merged = try ScoreTrack(labels: whole.labels)
    for range in [0..<7, 7..<8, 8..<whole.hops] {
      try merged.append(
        ScoreTrack(
          labels: whole.labels, boundaries: Array(whole.boundaries[range.lowerBound...range.upperBound]),
          scores: range.flatMap { whole.row($0) }))
    }
    #expect(merged == whole)
    #expect(throws: DetectionError.self) { try merged.append(whole) }
    #expect(throws: DetectionError.self) { try merged.append(ScoreTrack(labels: ["z"], startingAt: merged.duration)) }
  }

  @Test("NumPy's records of scores are read back bit for bit, whatever the labels")
  func numpy() throws {
    let labels = ["yes", "it's", "a\\b", "\u{1}", "große Öse", "\"", "]", "x'y"]
    var track = try ScoreTrack(labels: labels, startingAt: 1.5)
    for hop in 0..<50 {
      let row = labels.indices.map { Float((7 * hop + 3 * $0) % 13) / 13 }
      try track.append(row, until: 1.7 + 0.1 * Double(hop))
    }
    let bytes = try track.npy()
    #expect(try ScoreTrack(npy: bytes, path: "s.npy") == track)
    #expect(try ScoreTrack(npy: ScoreTrack(labels: labels).npy(), path: "s.npy").hops == 0)
    // The numbers begin at a multiple of 64 bytes.
    #expect((bytes.count - 50 * (16 + 4 * labels.count)) % 64 == 0)
    for length in [0, 5, 11, 40, bytes.count - 1] {
      #expect(throws: DetectionError.self) { try ScoreTrack(npy: bytes.prefix(length), path: "s.npy") }
    }
    #expect(throws: DetectionError.self) { try ScoreTrack(labels: ["onset"]).npy() }
  }

  @Test("a table of scores is read back bit for bit")
  func table() throws {
    for number in 0..<5 {
      for track in try ScoreCase(number).tracks.values {
        #expect(try ScoreTrack(tsv: track.tsv().utf8, path: "x.tsv") == track)
      }
    }
  }

  @Test(
    "what is no table of scores is refused with its line",
    arguments: [
      ("", 1), ("a\tb\n", 1), ("onset\toffset\ta\ta\n", 1), ("onset\toffset\ta\n0\t1\n", 2),
      ("onset\toffset\ta\n0\t1\t0.5\n\n1\tx\t0.5\n", 4), ("onset\toffset\ta\n0\t1\t0.5\n2\t3\t0.5\n", 3),
      ("onset\toffset\ta\n0\t1\tnan\n", 2), ("onset\toffset\ta\n1\t0\t1\n", 2), ("onset\toffset\ta\n-1\t0\t1\n", 2),
    ])
  func malformed(text: String, line: Int) {
    do {
      _ = try ScoreTrack(tsv: text.utf8, path: "x.tsv")
      Issue.record("read \(text)")
    } catch {
      guard case .malformed("x.tsv", line, _) = error else {
        Issue.record("\(error)")
        return
      }
    }
  }

  @Test("shapes that do not fit are refused")
  func doors() throws {
    #expect(throws: DetectionError.self) { try ScoreTrack(labels: ["a"], boundaries: [], scores: []) }
    #expect(throws: DetectionError.self) { try ScoreTrack(labels: ["a"], boundaries: [0, 1], scores: [1, 2]) }
    #expect(throws: DetectionError.self) { try ScoreTrack(labels: ["a"], boundaries: [0, 0], scores: [1]) }
    #expect(throws: DetectionError.self) { try ScoreTrack(labels: ["a"], startingAt: -1) }
    #expect(throws: DetectionError.self) { try ScoreTrack(labels: ["a\tb"]).tsv() }
  }
}
