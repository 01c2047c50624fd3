import Auricle
import AuricleBase

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Makes the HTML report of `evaluate --events`: what Evaluation cannot know, spectrograms and sound, is added here.
struct EventReportPage {
  let judged: EventEvaluation.Judged
  let matching: EventMatching
  /// Recordings, by the names that the events give them.
  let sounds: [String: String]
  let embedsAudio: Bool
  let channel: ChannelSelection
  let jobs: Int

  /// Bytes of sound embedded at most; browsers refuse pages much larger.
  private static let audioLimit = 200 << 20
  /// Columns of a spectrogram in a second, and of a whole recording.
  private static let (columnsPerSecond, mostColumns) = (20.0, 200_000.0)

  func write(to path: String) async throws {
    let metrics = judged.report.events
    var page = EventPage(title: "Events", matching: matching.summary)
    page.subtitle = "\(metrics.overall.truth) annotated, \(metrics.overall.found) found"
    page.rows =
      zip(metrics.labels, metrics.classes).map(Self.row) + [Self.row("all together", metrics.overall)]
    if let curve = judged.report.curves.first {
      page.curve = curve.points.compactMap { point in
        curve.falseRejectRate(point).map { [curve.falseAlarmsPerHour(point), $0] }
      }
    }
    let names = Set(judged.truth.map(\.path) + judged.found.map(\.path) + sounds.keys.map { $0.isEmpty ? nil : $0 })
      .sorted {
        ($0 ?? "") < ($1 ?? "")
      }
    var (progress, audioBytes) = (ProgressLine(), 0)
    let prefix = IllustratedReport.way(from: path)
    let (sounds, channel) = (sounds, channel)
    try await orderedMap(names, jobs: jobs, until: Interruption.isRequested) { name in
      Result { try sounds[name ?? ""].map { try Self.levels(of: $0, channel) } }
    } each: { index, result in
      progress.update("report: \(index + 1) of \(names.count) recordings")
      let (name, sound) = (names[index], sounds[names[index] ?? ""])
      var picture: (levels: [UInt8], duration: Double)?
      do { picture = try result.get() } catch { StandardError.report("\(error)") }
      var recording = recording(named: name, sound: sound, duration: picture?.duration)
      if let picture { recording.setSpectrogram(picture.levels) }
      if let sound {
        recording.sound = sound.hasPrefix("/") ? sound : prefix + sound
        if embedsAudio, let size = FileAccess.size(of: sound), audioBytes + size <= Self.audioLimit {
          audioBytes += size
          recording.embed(try FileAccess.read(sound), type: Self.mediaType(of: sound))
        }
      }
      page.recordings.append(recording)
    }
    progress.clear()
    try FileAccess.writeAtomically(page.html(), to: path)
  }

  private static func row(_ label: String, _ counts: DetectionCounts) -> EventPage.Row {
    EventPage.Row(
      label: label, truth: counts.truth, found: counts.found, correct: counts.correct, f1: counts.f1,
      precision: counts.precision, recall: counts.recall)
  }

  private func recording(named name: String?, sound: String?, duration: Double?) -> EventPage.Recording {
    let (truth, found) = (
      judged.truth.filter { $0.path == name }.sorted(by: SoundEvent.precedes),
      judged.found.filter { $0.path == name }.sorted(by: SoundEvent.precedes)
    )
    let pairing = matching.pairing(truth, found)
    var truthNotes = [String](repeating: "missed", count: truth.count)
    var foundNotes = [String](repeating: "extra", count: found.count)
    for pair in pairing.substitutions {
      truthNotes[pair.truth] = "found as \(found[pair.found].label)"
      foundNotes[pair.found] = "annotated as \(truth[pair.truth].label)"
    }
    for pair in pairing.pairs { (truthNotes[pair.truth], foundNotes[pair.found]) = ("right", "right") }
    func event(_ event: SoundEvent, _ note: String) -> EventPage.Event {
      let probability = event.probability.map { ", probability \(fixed(Double($0), decimals: 3))" } ?? ""
      return EventPage.Event(
        start: event.start, end: event.end, label: event.label, wrong: note != "right",
        note: (note == "right" ? note : "\(event.label) \(note)") + probability)
    }
    let length =
      duration ?? judged.tracks[name ?? ""]?.boundaries.last ?? (truth + found).map(\.end).max() ?? 0
    return EventPage.Recording(
      name: sound ?? name ?? "the recording", duration: max(length, (truth + found).map(\.end).max() ?? 0, 0.001),
      truth: zip(truth, truthNotes).map(event), found: zip(found, foundNotes).map(event),
      note:
        "\(fixed(length, decimals: 1)) s; \(truth.count) annotated, \(found.count) found, \(pairing.pairs.count) right"
        + (sound == nil ? "; --audio names the recording, to see and hear it" : ""))
  }

  /// Levels of mel energies, the loudest of those that fall on a column, 70 dB down from the loudest of all.
  private static func levels(
    of path: String, _ channel: ChannelSelection
  ) throws -> (levels: [UInt8], duration: Double) {
    var configuration = FeatureConfiguration.speech(sampleRate: 16_000, kind: .logMel)
    configuration.deltas.order = 0
    configuration.normalization = .none
    configuration.preEmphasis.coefficient = 0
    configuration.logarithm.floor = 1e-12
    configuration.mel.count = EventPage.spectrogramHeight
    configuration.mel.emptyFilters = .zero
    let span = SoundSpan(path).heard(in: channel)
    let blocks = try SoundBlocks(span, sampleRate: configuration.sampleRate)
    let seconds = Double(blocks.expectedSamples) / Double(configuration.sampleRate)
    let rate = seconds > 0 ? min(columnsPerSecond, mostColumns / seconds) : columnsPerSecond
    let framesPerSecond = Double(configuration.sampleRate) / Double(configuration.hopLength)
    let height = EventPage.spectrogramHeight
    var (columns, frame): ([Float], Int) = ([], 0)
    let (_, duration) = try FeatureExtractor(configuration).features(of: blocks) { rows in
      for row in 0..<rows.frames {
        let column = Int(Double(frame) / framesPerSecond * rate)
        while columns.count < (column + 1) * height { columns.append(-.infinity) }
        for (band, value) in rows[row].enumerated() {
          columns[column * height + band] = max(columns[column * height + band], value)
        }
        frame += 1
      }
    }
    // The last column may be cut by the end; those that had no frame are silent.
    let wanted = max(1, Int((duration * rate).rounded())) * height
    if columns.count > wanted { columns.removeLast(columns.count - wanted) }
    while columns.count < wanted { columns.append(-.infinity) }
    let loudest = columns.max() ?? 0
    let range: Float = 16.1  // 70 dB in nats
    return (columns.map { $0.isFinite ? UInt8(min(255, max(0, 255 * (1 + ($0 - loudest) / range)))) : 0 }, duration)
  }

  private static func mediaType(of path: String) -> String {
    switch ending(of: path) {
    case "flac": "audio/flac"
    case "mp3": "audio/mpeg"
    case "ogg", "oga", "opus": "audio/ogg"
    default: "audio/wav"
    }
  }
}
