import Auricle

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Makes the HTML report of an evaluation: what Evaluation cannot know, spectrograms, sound and learning curves, is
/// added here.
struct EvaluationPage {
  /// Files whose mel spectrogram is in the report, wrong answers first.
  let illustrations: Int
  let embedsAudio: Bool
  let channel: ChannelSelection
  let jobs: Int

  /// Bytes of sound embedded at most; browsers refuse pages much larger.
  private static let audioLimit = 200 << 20

  func write(
    _ report: ClassificationReport, of tally: EvaluationTally, model: ClassifierEnsemble?, name: String?, data: String,
    to path: String
  ) async throws {
    var page = HTMLReport(report, of: tally, title: name.map { "How good is \($0)?" } ?? "Evaluation")
    page.subtitle = "\(grouped(report.confusion.total)) files of \(data), \(report.confusion.labels.count) classes"
    page.audioPrefix = Self.way(from: path)
    let members = model?.members ?? []
    page.trainings = members.enumerated().compactMap { index, member in
      member.record.map { training($0, network: members.count > 1 ? "Network \(index + 1) of \(members.count): " : "") }
    }
    try await illustrate(&page)
    try FileAccess.writeAtomically(page.html(), to: path)
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

  /// Reads the files worth looking at once more. One that cannot be read has no spectrogram.
  private func illustrate(_ page: inout HTMLReport) async throws {
    let chosen = page.illustrated(limit: illustrations)
    let paths = chosen.map { page.path(of: $0) }
    var progress = ProgressLine()
    var (audioBytes, withoutAudio) = (0, 0)
    var found: [Int: HTMLReport.Illustration] = [:]
    let (channel, embedsAudio) = (channel, embedsAudio)
    try await orderedMap(paths, jobs: jobs, until: Interruption.isRequested) { path in
      try? Self.illustration(path, channel, embedsAudio: embedsAudio)
    } each: { index, illustration in
      progress.update("report: \(index + 1) of \(paths.count) spectrograms")
      guard var illustration else { return }
      if let audio = illustration.audio {
        if audioBytes + audio.bytes.count > Self.audioLimit {
          illustration.audio = nil
          withoutAudio += 1
        } else {
          audioBytes += audio.bytes.count
        }
      }
      found[chosen[index]] = illustration
    }
    progress.clear()
    page.illustrations = found
    if withoutAudio > 0 {
      StandardError.write(
        "auricle: the sound of \(withoutAudio) files is linked, not embedded: more than \(Self.audioLimit >> 20) MiB")
    }
  }

  private static func illustration(
    _ path: String, _ channel: ChannelSelection, embedsAudio: Bool
  ) throws -> HTMLReport.Illustration {
    let sound = SoundSpan(identity: path).heard(in: channel)
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
  static func way(from path: String) -> String {
    let folders = path.split(separator: "/", omittingEmptySubsequences: true).dropLast().filter { $0 != "." }
    if path.hasPrefix("/") || folders.contains("..") { return FileManager.default.currentDirectoryPath + "/" }
    return String(repeating: "../", count: folders.count)
  }
}

/// A small mel spectrogram of a whole sound.
enum MelThumbnail {
  private static let widest = 96
  /// From the loudest down to silence, in nats: 80 dB.
  private static let range: Float = 18.42

  /// `HTMLReport.spectrogramHeight x frames` levels, the highest band first, 96 frames at most: the loudest of those
  /// that fall together. Bands lie between 20 Hz and 8 kHz.
  static func levels(of waveform: Waveform) throws -> [UInt8] {
    var configuration = FeatureConfiguration.speech(sampleRate: waveform.sampleRate, kind: .logMel)
    configuration.deltas.order = 0
    configuration.normalization = .none
    configuration.preEmphasis.coefficient = 0
    configuration.logarithm.floor = 1e-12
    configuration.mel.count = HTMLReport.spectrogramHeight
    configuration.mel.highFrequency = min(8000, Double(waveform.sampleRate) / 2)
    configuration.mel.emptyFilters = .zero
    let features = try FeatureExtractor(configuration).features(of: waveform)

    let (height, frames) = (HTMLReport.spectrogramHeight, features.frames)
    let width = min(widest, frames)
    let loudest = features.values.max() ?? 0
    var levels = [UInt8](repeating: 0, count: width * height)
    for column in 0..<width {
      let source = column * frames / width..<max((column + 1) * frames / width, column * frames / width + 1)
      for band in 0..<height {
        let value = source.reduce(-Float.infinity) { max($0, features.values[$1 * height + band]) }
        levels[(height - 1 - band) * width + column] = UInt8(min(255, max(0, 255 * (1 + (value - loudest) / range))))
      }
    }
    return levels
  }
}

extension Waveform {
  /// A WAV file of 16-bit samples; those beyond 1 are held to it.
  var wavBytes: [UInt8] {
    var bytes: [UInt8] = []
    func word<Integer: FixedWidthInteger>(_ value: Integer) {
      withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }
    let size = UInt32(clamping: 2 * samples.count)
    bytes += "RIFF".utf8
    word(36 + min(size, .max - 36))
    bytes += "WAVEfmt ".utf8
    word(UInt32(16))
    word(UInt16(1))
    word(UInt16(1))
    word(UInt32(sampleRate))
    word(UInt32(2 * sampleRate))
    word(UInt16(2))
    word(UInt16(16))
    bytes += "data".utf8
    word(size)
    for sample in samples { word(Int16(min(32_767, max(-32_768, (sample * 32_768).rounded())))) }
    return bytes
  }
}
