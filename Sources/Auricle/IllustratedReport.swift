import AuricleBase

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Makes the HTML report of an evaluation: what Evaluation cannot know, spectrograms, sound and learning curves, is
/// added here.
///
///     let tally = try await evaluator.evaluate(model, on: data)       // with `keepsFiles`
///     var page = IllustratedReport()
///     page.title = "How good is birds.safetensors?"
///     try await page.write(tally.report(), of: tally, model: model, data: "test.csv", to: "report.html")
public struct IllustratedReport: Sendable {
  public var title = "Evaluation"
  /// Files whose mel spectrogram is in the report, wrong answers first.
  public var illustrations = 1000
  /// Whether their sound is, too; without, the report links to the files.
  public var embedsAudio = false
  /// Which channel is listened to in files of several.
  public var channel = ChannelSelection.mix
  public var decoding = SoundDecoding()
  /// Threads to use.
  public var jobs = 1

  /// Bytes of sound embedded at most; browsers refuse pages much larger.
  public static let audioLimit = 200 << 20

  public init() {}

  /// Writes the page to `path`, with the learning curves of `model`, if it is known; `data` says whose files these are.
  /// Returns the number of files whose sound is linked, because that of others is `audioLimit` bytes.
  ///
  /// A file that cannot be read has no spectrogram. Throws `FileError` where the page cannot be written, and
  /// `CancellationError` when `stop` says so.
  @discardableResult
  public func write(
    _ report: ClassificationReport, of tally: EvaluationTally, model: ClassifierEnsemble? = nil, data: String,
    to path: String, isolation: isolated (any Actor)? = #isolation,
    until stop: @autoclosure @escaping @Sendable () -> Bool = false,
    progress: (_ done: Int, _ of: Int) -> Void = { _, _ in }
  ) async throws -> Int {
    var page = HTMLReport(report, of: tally, title: title)
    page.subtitle = "\(grouped(report.confusion.total)) files of \(data), \(report.confusion.labels.count) classes"
    page.audioPrefix = Self.way(from: path)
    let members = model?.members ?? []
    page.trainings = members.enumerated().compactMap { index, member in
      member.record.map { training($0, network: members.count > 1 ? "Network \(index + 1) of \(members.count): " : "") }
    }
    let (illustrations, linked) = try await illustrations(for: page, until: stop(), progress: progress)
    page.illustrations = illustrations
    try FileAccess.writeAtomically(page.html(), to: path)
    return linked
  }

  private func training(_ record: TrainingRecord, network: String) -> HTMLReport.Training {
    HTMLReport.Training(
      epochs: record.epochs.map {
        HTMLReport.Epoch(
          number: $0.number, trainingLoss: $0.trainingLoss, trainingAccuracy: $0.trainingAccuracy,
          validationLoss: $0.validationLoss, validationAccuracy: $0.validationAccuracy)
      }, bestEpoch: record.bestEpoch,
      note: network
        + "\(grouped(record.trainingExamples)) files to learn from, \(grouped(record.validationExamples)) to validate; the "
        + "weights of epoch \(record.bestEpoch) of \(record.epochs.count) were kept.")
  }

  /// "12,345".
  private func grouped(_ count: Int) -> String {
    let digits = Array(String(count))
    return digits.indices.reduce("") { text, place in
      text + (place > 0 && (digits.count - place) % 3 == 0 ? "," : "") + String(digits[place])
    }
  }

  /// Reads the files worth looking at once more.
  private func illustrations(
    for page: HTMLReport, isolation: isolated (any Actor)? = #isolation,
    until stop: @autoclosure @escaping @Sendable () -> Bool, progress: (Int, Int) -> Void
  ) async throws -> ([Int: HTMLReport.Illustration], linked: Int) {
    let chosen = page.illustrated(limit: illustrations)
    let paths = chosen.map { page.path(of: $0) }
    var (audioBytes, linked) = (0, 0)
    var found: [Int: HTMLReport.Illustration] = [:]
    let (channel, decoding, embedsAudio) = (channel, decoding, embedsAudio)
    try await orderedMap(paths, jobs: jobs, until: stop()) { path in
      let sound = SoundSpan(identity: path).decoded(by: decoding).heard(in: channel)
      return try? Self.illustration(sound, embedsAudio: embedsAudio)
    } each: { index, illustration in
      progress(index + 1, paths.count)
      guard var illustration else { return }
      if let audio = illustration.audio {
        if audioBytes + audio.bytes.count > Self.audioLimit {
          illustration.audio = nil
          linked += 1
        } else {
          audioBytes += audio.bytes.count
        }
      }
      found[chosen[index]] = illustration
    }
    return (found, linked)
  }

  private static func illustration(_ sound: SoundSpan, embedsAudio: Bool) throws -> HTMLReport.Illustration {
    let waveform = try Waveform(of: sound)
    return HTMLReport.Illustration(
      spectrogram: try MelThumbnail.levels(of: waveform), audio: embedsAudio ? try audio(sound, waveform) : nil)
  }

  /// Compressed formats that browsers play go in as they are, all others as 16-bit WAV of what the model hears.
  private static func audio(_ sound: SoundSpan, _ waveform: Waveform) throws -> (type: String, bytes: [UInt8]) {
    let types = [
      "flac": "audio/flac", "mp3": "audio/mpeg", "ogg": "audio/ogg", "oga": "audio/ogg", "opus": "audio/ogg",
    ]
    if sound.seconds == nil, let type = types[ending(of: sound.path)] { return (type, try FileAccess.read(sound.path)) }
    return ("audio/wav", waveform.wavBytes)
  }

  /// What leads from the folder of the file at `path` to the current one: "../" for each folder below it, or the whole
  /// way where that is not plain.
  package static func way(from path: String) -> String {
    let folders = path.split(separator: "/", omittingEmptySubsequences: true).dropLast().filter { $0 != "." }
    if path.hasPrefix("/") || folders.contains("..") { return FileManager.default.currentDirectoryPath + "/" }
    return String(repeating: "../", count: folders.count)
  }
}
