import Detection
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

private func golden<Golden: Decodable>(_ name: String) throws -> [Golden] {
  let folder = String(#filePath.dropLast("MetricsTests.swift".count)) + "Goldens/"
  return try JSONDecoder().decode([Golden].self, from: Data(contentsOf: URL(filePath: folder + name)))
}

/// Whether both are nil, or differ by no more than 1e-9, of numbers above 1 relatively.
private func agree(_ found: [Double?], _ golden: [Double?]) -> Bool {
  found.count == golden.count
    && zip(found, golden).allSatisfy { found, golden in
      guard let found, let golden else { return found == nil && golden == nil }
      return abs(found - golden) <= 1e-9 * max(1, abs(golden))
    }
}

private struct EventGolden: Decodable {
  struct Metrics: Decodable {
    let overall: [Double?]
    let average: [Double?]
    let classes: [[Double?]]

    func expect(_ overall: DetectionCounts, _ averages: DetectionAverages, _ classes: [DetectionCounts], _ name: String)
    {
      var figures = [
        overall.f1, overall.precision, overall.recall, overall.errorRate, overall.substitutionRate,
        overall.deletionRate, overall.insertionRate,
      ]
      var means = [
        averages.f1, averages.precision, averages.recall, averages.errorRate, averages.deletionRate,
        averages.insertionRate,
      ]
      if overall.trueNegatives != nil {
        figures += [overall.sensitivity, overall.specificity, overall.balancedAccuracy, overall.accuracy]
        means += [averages.sensitivity, averages.specificity, averages.balancedAccuracy, averages.accuracy]
      }
      #expect(agree(figures, self.overall), "\(name), overall: \(figures) but \(self.overall)")
      #expect(agree(means, average), "\(name), averages: \(means) but \(average)")
      for (found, golden) in zip(classes, self.classes) {
        let figures = [Double(found.truth), Double(found.found), found.f1, found.errorRate]
        #expect(agree(figures, golden), "\(name), a class: \(figures) but \(golden)")
      }
      #expect(classes.count == self.classes.count)
    }
  }

  let events: Metrics
  let segments: Metrics
}

@Suite struct MetricsTests {
  @Test("event-based and segment-based metrics of 200 random pairs agree with sed_eval")
  func sedEval() throws {
    let goldens: [EventGolden] = try golden("events.json")
    #expect(goldens.count == 200)
    for (number, golden) in goldens.enumerated() {
      let pair = try EventCase(number)
      let events = try EventMetrics(
        truth: pair.truth, found: pair.found, labels: pair.labels, matching: pair.matching)
      golden.events.expect(events.overall, events.averages, events.classes, "events of case \(number)")
      let segments = try SegmentMetrics(
        truth: pair.truth, found: pair.found, labels: pair.labels, resolution: pair.resolution)
      golden.segments.expect(segments.overall, segments.averages, segments.classes, "segments of case \(number)")
    }
  }

  @Test("PSDS of 200 random tables of scores agrees with sed_scores_eval")
  func psds() throws {
    struct Golden: Decodable {
      let psds1: [Double]
      let psds2: [Double]
      let wide: [Double]
    }
    let goldens: [Golden] = try golden("psds.json")
    #expect(goldens.count == 200)
    let wide = try PSDS.Parameters(
      detectionTolerance: 0.5, groundTruthIntersection: 0.5, crossTriggerCost: 1, instabilityCost: 0,
      maximumFalsePositivesPerHour: 2000)
    for (number, golden) in goldens.enumerated() {
      let scores = try ScoreCase(number)
      for (parameters, golden) in [(PSDS.Parameters.psds1, golden.psds1), (.psds2, golden.psds2), (wide, golden.wide)] {
        let found = try PSDS(truth: scores.truth, tracks: scores.tracks, parameters: parameters)
        let figures = [found.value] + found.classes.map(\.value)
        #expect(agree(figures, golden), "case \(number): \(figures) but \(golden)")
        #expect(found.classes.map(\.label) == scores.labels)
      }
    }
  }

  @Test("PSDS leaves out labels without truth, and refuses truth it cannot judge")
  func psdsDoors() throws {
    let track = try ScoreTrack(labels: ["a", "b"], boundaries: [0, 1, 2], scores: [0.9, 0.5, 0.1, 0.5])
    let score = try PSDS(truth: [event(0, 1, path: "x")], tracks: ["x": track], parameters: .psds1)
    #expect(score.value == 1 && score.labelsWithoutTruth == ["b"] && score.classes.map(\.label) == ["a"])
    let refused = [
      [try event(0, 1, path: "y")], [try event(0, 1, "c", path: "x")], [try event(1, 1, path: "x")],
      [try event(0, 1, path: "x"), try event(0.5, 2, path: "x")], [],
    ]
    for truth in refused {
      #expect(throws: DetectionError.self) { try PSDS(truth: truth, tracks: ["x": track], parameters: .psds1) }
    }
  }

  @Test("a long chain of events is matched without recursion, and as well as can be")
  func chain() throws {
    // Each found event fits the annotated one before it and the one after it, and takes the first; the last of the list
    // fits that first one alone, so that every pair has to change.
    let count = 50_000
    let truth = try (1...count).map { try event(Double($0), Double($0) + 0.5) }
    let found = try (1..<count).map { try event(Double($0) + 0.5, Double($0) + 1) } + [event(0.5, 1)]
    let optimal = try EventMatching(collar: 0.5, evaluatesOffset: false)
    #expect(try EventMetrics(truth: truth, found: found, matching: optimal).overall.correct == count)
    let greedy = try EventMatching(collar: 0.5, evaluatesOffset: false, method: .greedy)
    #expect(try EventMetrics(truth: truth, found: found, matching: greedy).overall.correct == count - 1)
  }

  @Test("confusion of events tells the mistaken, the missed and the extra, and adds up")
  func confusion() throws {
    let truth = [try event(0, 1, "a"), try event(2, 3, "a"), try event(4, 5, "b"), try event(6, 7, "b")]
    let found = [try event(0, 1, "a"), try event(2, 3, "b"), try event(4, 5, "b"), try event(9, 10, "a")]
    let metrics = try EventMetrics(truth: truth, found: found, matching: EventMatching())
    #expect(metrics.confusion.counts == [[1, 1], [0, 1]])
    #expect(metrics.confusion.missed == [0, 1] && metrics.confusion.extra == [1, 0])
    #expect(metrics.overall.substitutions == 1 && metrics.overall.errorRate == 0.75)
  }

  @Test("a class that was not found counts as 0 when that is asked for")
  func emptyIsZero() throws {
    let truth = [try event(0, 1, "a"), try event(2, 3, "b")]
    let found = [try event(0, 1, "a")]
    let plain = try EventMetrics(truth: truth, found: found, matching: EventMatching())
    #expect(plain.averages.f1 == 1 && plain.classes[1].precision == nil)
    let zero = try EventMetrics(truth: truth, found: found, matching: EventMatching(), emptyIsZero: true)
    #expect(zero.averages.f1 == 0.5)
  }

  @Test("silent sounds are segments that are right")
  func silence() throws {
    let found = [try event(0, 1, "a", path: "x")]
    let metrics = try SegmentMetrics(truth: [], found: found, durations: ["x": 4, "y": 6])
    #expect(metrics.overall.trueNegatives == 9 && metrics.overall.insertions == 1 && metrics.length == 10)
  }

  @Test("events of labels that are not listed, and settings out of range, are refused")
  func doors() throws {
    let events = [try event(0, 1, "z")]
    #expect(throws: DetectionError.unknownLabel("z", known: ["a"])) {
      try EventMetrics(truth: events, found: [], labels: ["a"], matching: EventMatching())
    }
    #expect(throws: DetectionError.duplicateLabel("z")) {
      try SegmentMetrics(truth: events, found: [], labels: ["z", "z"])
    }
    #expect(throws: DetectionError.self) { try EventMatching(collar: -1) }
    #expect(throws: DetectionError.self) { try EventMatching(percentageOfLength: 1.5) }
    #expect(throws: DetectionError.self) { try EventMatching(evaluatesOnset: false, evaluatesOffset: false) }
    #expect(throws: DetectionError.self) { try SegmentMetrics(truth: events, found: [], resolution: 0) }
    #expect(throws: DetectionError.self) { try SegmentMetrics(truth: events, found: [], durations: ["": .infinity]) }
  }

  @Test("a year of sound is judged as fast as its events")
  func year() throws {
    let events = [try event(0, 3e7), try event(3.1e7, 3.15e7)]
    let metrics = try SegmentMetrics(truth: events, found: events, resolution: 0.01)
    #expect(metrics.overall.correct == 3_050_000_000 && metrics.overall.f1 == 1)
  }
}

@Suite struct DetectionCurveTests {
  /// An hour in which "a" peaks as `scores` say, ten seconds apart, with a hop a second.
  private func track(_ scores: [Float]) throws -> ScoreTrack {
    var track = try ScoreTrack(labels: ["a"])
    for second in 0..<3600 {
      let score = second % 10 == 5 && second / 10 < scores.count ? scores[second / 10] : 0
      try track.append([score], until: Double(second + 1))
    }
    return track
  }

  private func curve(_ scores: [Float], truth places: [Int]) throws -> DetectionCurve {
    let truth = try places.map { try event(Double($0 * 10 + 5), Double($0 * 10 + 6)) }
    return try DetectionCurve(
      truth: truth, tracks: ["": track(scores)], labels: ["a"], configuration: .init(),
      matching: EventMatching(collar: 0.5))
  }

  @Test("false alarms and false rejects are counted at every peak")
  func counts() throws {
    let curve = try curve([0.9, 0.8, 0.7, 0.6, 0.5], truth: [0, 2, 4])
    #expect(curve.hours == 1 && curve.truth == 3)
    #expect(curve.points.map(\.falseRejects).prefix(6) == [3, 2, 2, 1, 1, 0])
    #expect(curve.points.map(\.falseAlarms).prefix(6) == [0, 0, 1, 1, 2, 2])
    #expect(curve.threshold(forFalseAlarmsPerHour: 0)?.threshold == 0.9)
    #expect(curve.threshold(forFalseAlarmsPerHour: 1)?.threshold == 0.7)
    #expect(curve.threshold(forFalseAlarmsPerHour: 2.5)?.threshold == 0.5)
    let point = try #require(curve.threshold(forFalseAlarmsPerHour: 1))
    #expect(curve.falseAlarmsPerHour(point) == 1 && curve.falseRejectRate(point) == 1.0 / 3)
  }

  @Test("the detector at the chosen threshold makes the promised errors")
  func promise() throws {
    for number in 0..<1 {
      let scores = try ScoreCase(number)
      let configuration = try EventDetector.Configuration(
        smoothingHops: 3, threshold: .init(on: 0.5, off: 0.45), minimumGap: 0.2)
      let matching = try EventMatching(collar: 0.5, evaluatesOffset: false)
      for label in scores.labels {
        let curve = try DetectionCurve(
          truth: scores.truth, tracks: scores.tracks, labels: [label], configuration: configuration, matching: matching,
          thresholds: [0.3, 0.5, 0.6, 0.7, 0.8])
        for point in curve.points {
          let threshold = EventDetector.Configuration.Threshold(on: point.threshold, off: min(0.45, point.threshold))
          let chosen = try configuration.with(threshold: threshold)
          let found = try scores.tracks.flatMap { path, track in
            try track.events(chosen).map { $0.located(in: path) }
          }.filter { $0.label == label }
          let truth = scores.truth.filter { $0.label == label }
          let counts = try EventMetrics(truth: truth, found: found, matching: matching).overall
          #expect(counts.insertions == point.falseAlarms && counts.deletions == point.falseRejects)
        }
      }
    }
  }

  @Test("thresholds for several labels share the false alarms where they gain most")
  func shared() throws {
    let easy = try curve([0.9, 0.8, 0.7], truth: [0, 1, 2])
    let hard = try curve([0.9, 0.8, 0.7, 0.6], truth: [1, 3])
    let points = try #require(DetectionCurve.points(of: [easy, hard], forFalseAlarmsPerHour: 1))
    #expect(points.map(\.falseRejects) == [0, 1] && points.map(\.falseAlarms) == [0, 1])
    let more = try #require(DetectionCurve.points(of: [easy, hard], forFalseAlarmsPerHour: 2))
    #expect(more.map(\.threshold) == [0.7, 0.6])
  }

  @Test("a thousand peaks are thinned out, the highest stay")
  func thinned() throws {
    var track = try ScoreTrack(labels: ["a"])
    for hop in 0..<4_000 {
      try track.append([hop % 4 == 0 ? Float(hop) / 4_000 : 0], until: Double(hop + 1) / 10)
    }
    let curve = try DetectionCurve(
      truth: [], tracks: ["": track], labels: ["a"], configuration: .init(), matching: EventMatching())
    #expect(curve.points.count < 450 && curve.points.last?.threshold == 0)
    #expect(curve.points.prefix(150).map(\.falseAlarms) == Array(0..<150))
  }
}
