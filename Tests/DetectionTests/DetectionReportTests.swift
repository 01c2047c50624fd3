import Detection
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

@Suite struct DetectionReportTests {
  @Test("the text says how it matched, and leaves undefined figures open")
  func text() throws {
    let truth = [try event(0, 1, "cat"), try event(2, 3, "cat"), try event(4, 5, "dog")]
    let found = [try event(0, 1, "cat"), try event(2, 3, "dog"), try event(9, 10, "owl")]
    let matching = try EventMatching(collar: 0.5, evaluatesOffset: false)
    var report = DetectionReport(events: try EventMetrics(truth: truth, found: found, matching: matching))
    report.segments = try SegmentMetrics(truth: truth, found: found, durations: ["": 20])
    let track = try ScoreTrack(labels: ["cat"], boundaries: [0, 1, 2, 3600], scores: [0.9, 0.1, 0.2])
    let cats = [try event(0, 1, "cat")]
    report.psds = [.init("PSDS1", try PSDS(truth: cats, tracks: ["": track], parameters: .psds1))]
    report.curves = [
      try DetectionCurve(
        truth: cats, tracks: ["": track], labels: ["cat"], configuration: .init(), matching: matching)
    ]
    let expected = """
      event-based: labels, onsets within 0.5 s; optimal pairs
      3 annotated events and 3 found in 1 sound

      class            annotated  found  correct      F1  precision  recall  error rate  subst.    del.    ins.
      cat                      2      1        1  0.6667     1.0000  0.5000      0.5000          0.5000  0.0000
      dog                      1      1        0  0.0000     0.0000  0.0000      2.0000          1.0000  1.0000
      owl                      0      1        0       -     0.0000       -           -               -       -
      mean of classes                             0.3333     0.3333  0.2500           -               -       -
      all together             3      3        1  0.3333     0.3333  0.3333      1.0000  0.3333  0.3333  0.3333

      most often confused:
        1 cat found as dog

      segment-based: segments of 1 s
      20.0 s of 1 sound
      """
    #expect(report.text.hasPrefix(expected), "\(report.text)")
    let end = """
      PSDS1 1.0000 (DTC 0.7, GTC 0.7, alpha_ST 1, up to 100 false positives an hour)
      class   score
      cat    1.0000

      detection curve of cat: labels, onsets within 0.5 s; optimal pairs
      1 annotated event in 1.000 hours
      false alarms/h up to  threshold  false alarms/h  false rejects
      0                        0.9000            0.00          0.00%
      """
    #expect(report.text.contains(end), "\(report.text)")
    let data = try JSONEncoder().encode(report)
    #expect(try JSONDecoder().decode(DetectionReport.self, from: data) == report)
  }

  @Test("a class nothing was found of is named")
  func empty() throws {
    let metrics = try EventMetrics(truth: [event(0, 1, "cat")], found: [], matching: EventMatching())
    let text = DetectionReport(events: metrics).text
    #expect(text.hasSuffix("nothing was found of cat; the means of precision and F1 leave out such classes"), "\(text)")
  }
}
