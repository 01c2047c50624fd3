import ArgumentParser
import Auricle

/// Training for detection: `train --events`, and sound that holds none.
struct EventTrainingOptions: ParsableArguments {
  @Option(
    name: .customLong("events"),
    help: ArgumentHelp(
      "Annotations of events in the recordings that <dataset> is then a file or folder of: Audacity, Raven, RTTM, TextGrid, DESED TSV, SRT, CSV or JSON lines; a file that names its sounds, or a folder with a file for each. Repeat for several.",
      valueName: "file|folder"))
  var annotations: [String] = []
  @Option(
    name: .customLong("event-window"),
    help: ArgumentHelp(
      "Length of the windows to learn from (default: what holds nine of ten events; with --negatives alone, the clips').",
      valueName: "s"))
  var window: Double?
  @Option(
    help: ArgumentHelp(
      "Windows from between the events, and of --negatives, for each window with an event (default: 0.5).",
      valueName: "n"))
  var background: Double?
  @Option(
    help: ArgumentHelp(
      "Sound that holds none of the classes, of which windows are learned as _background_; repeat for several.",
      valueName: "file|folder"))
  var negatives: [String] = []

  func validate() throws {
    if let window, !(0.01...600).contains(window) {
      throw ValidationError("--event-window is \(window); it must be 0.01 to 600.")
    }
    if let background, !(0...1000).contains(background) {
      throw ValidationError("--background is \(background); it must be 0 to 1000.")
    }
    if annotations.isEmpty && negatives.isEmpty && (window != nil || background != nil) {
      throw ValidationError("--event-window and --background go with --events or --negatives.")
    }
  }

  /// The data set of `options`, or of windows of annotated recordings, with windows of the negatives.
  func load(_ options: DatasetOptions, seed: UInt64) throws -> LabeledData {
    guard !annotations.isEmpty || !negatives.isEmpty else { return try options.load() }
    do {
      let decoding = options.labels.decodingOptions.decoding
      if annotations.isEmpty { return try withNegatives(options.load(), decoding) }
      let recordings = try AnnotatedRecordings(
        sounds: [options.dataset], annotations: annotations, decoding: decoding)
      if !recordings.withoutAnnotations.isEmpty {
        StandardError.report(
          "left out: \(recordings.withoutAnnotations.count) recordings without annotations "
            + "(\(recordings.withoutAnnotations[0])\(recordings.withoutAnnotations.count > 1 ? ", ..." : ""))")
      }
      var windows = TrainingWindows(seconds: window ?? TrainingWindows.length(for: recordings))
      windows.background = background ?? windows.background
      let found = recordings.dataset(windows, seed: seed)
      guard !found.examples.isEmpty else {
        throw CommandError("\(annotations.joined(separator: ", ")): no event is annotated")
      }
      return LabeledData(try adding(to: found, windows, decoding))
    } catch let error as DetectionError {
      throw CommandError("\(error)")
    }
  }

  private func withNegatives(_ data: LabeledData, _ decoding: SoundDecoding) throws -> LabeledData {
    guard data.sequences == nil else { throw CommandError("--negatives is for sound; these are features") }
    var windows = TrainingWindows(seconds: window ?? typicalSeconds(data.dataset.examples))
    windows.background = background ?? windows.background
    return LabeledData(try adding(to: data.dataset, windows, decoding))
  }

  private func adding(
    to dataset: Dataset, _ windows: TrainingWindows, _ decoding: SoundDecoding
  ) throws -> Dataset {
    guard !negatives.isEmpty else { return dataset }
    let count = dataset.examples.count { $0.label != windows.backgroundLabel }
    return try AnnotatedRecordings(silent: negatives, decoding: decoding)
      .adding(negatives: Int((windows.background * Double(count)).rounded()), to: dataset, windows)
  }

  /// The middle of the lengths of up to a hundred clips.
  private func typicalSeconds(_ examples: [Example]) -> Double {
    let step = max(1, examples.count / 100)
    let seconds = stride(from: 0, to: examples.count, by: step).compactMap { index -> Double? in
      if let seconds = examples[index].sound.seconds { return seconds.upperBound - seconds.lowerBound }
      let info = try? AudioFile(of: examples[index].sound).info
      return info.map { Double($0.frames) / Double($0.sampleRate) }
    }.sorted()
    return seconds.isEmpty ? 1 : min(600, max(0.01, seconds[seconds.count / 2]))
  }
}
