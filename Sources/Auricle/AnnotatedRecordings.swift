import AuricleBase

/// Recordings whose events are annotated: windows of them are examples to learn detection from.
///
///     let recordings = try AnnotatedRecordings(sounds: ["recordings/"], annotations: ["labels/"])
///     let dataset = recordings.dataset(TrainingWindows(seconds: 1), seed: 1)
///     dataset.labels       // ["_background_", "no", "yes"]
public struct AnnotatedRecordings: Sendable {
  public struct Recording: Hashable, Sendable {
    public var path: String
    /// Seconds, as the header has it or, where it says nothing, as reading finds.
    public var duration: Double
    /// In order of time; empty where it is said, or agreed, that nothing happens.
    public var events: [SoundEvent]

    public init(path: String, duration: Double, events: [SoundEvent]) {
      (self.path, self.duration) = (path, duration)
      self.events = events.sorted(by: SoundEvent.precedes)
    }
  }

  public let recordings: [Recording]
  /// Sounds of which no annotation tells anything.
  public let withoutAnnotations: [String]
  private let decoding: SoundDecoding

  public init(_ recordings: [Recording]) {
    self.init(recordings, decoding: SoundDecoding())
  }

  private init(_ recordings: [Recording], decoding: SoundDecoding) {
    (self.recordings, withoutAnnotations, self.decoding) = (recordings, [], decoding)
  }

  /// Reads annotations of any `AnnotationFormat` and finds the recordings they belong to.
  ///
  /// `sounds` and `annotations` are files and folders. Events of formats that name their sound belong to the sound whose
  /// path ends so, or else has that name, with or without its ending. An annotation file that names none belongs to the
  /// sound it is called after ("day.selections.txt" to "day.flac"); one alone to the one sound there is.
  ///
  /// Throws `DetectionError` for an annotation file that cannot be read, a sound that is not there or may be several, and
  /// an event that begins after its sound has ended; `AudioError` for a sound that cannot be opened; `DatasetError` for a
  /// folder.
  public init(sounds: [String], annotations: [String], decoding: SoundDecoding = SoundDecoding()) throws {
    let sounds = try AudioFiles.expand(paths: sounds, extensions: decoding.extensions)
    self.decoding = decoding
    let names = SoundNames(sounds)
    var events: [String: [SoundEvent]] = [:]
    for file in try Self.annotationFiles(annotations) {
      let found = try AnnotationFormat.read(file)
      if found.allSatisfy({ $0.path == nil }) {
        let sound = try names.sound(annotatedBy: file)
        events[sound, default: []] += found
      } else {
        for event in found {
          guard let path = event.path else {
            throw DetectionError.malformed(
              path: file, line: 1, reason: "some of its events name their sound, others do not")
          }
          events[try names.sound(named: path, in: file), default: []].append(event.located(in: nil))
        }
      }
    }
    recordings = try sounds.compactMap { sound in
      guard let events = events[sound] else { return nil }
      let duration = try Self.duration(of: sound, decoding)
      if let late = events.first(where: { $0.start >= duration }) {
        throw DetectionError.invalidEvent(
          reason: "'\(late.label)' begins at \(late.start) s, but \(sound) is \(duration) s long")
      }
      return Recording(path: sound, duration: duration, events: events)
    }
    withoutAnnotations = sounds.filter { events[$0] == nil }
  }

  /// Recordings in which nothing of what is to be found is heard. Throws `AudioError` and `DatasetError`.
  public init(silent sounds: [String], decoding: SoundDecoding = SoundDecoding()) throws {
    self.init(
      try AudioFiles.expand(paths: sounds, extensions: decoding.extensions).map {
        Recording(path: $0, duration: try Self.duration(of: $0, decoding), events: [])
      }, decoding: decoding)
  }

  /// The endings, without dot, of the files that are taken for annotations in a folder.
  public static let annotationEndings: Set<String> = [
    "txt", "rttm", "textgrid", "tsv", "csv", "jsonl", "ndjson", "srt",
  ]

  private static func annotationFiles(_ paths: [String]) throws -> [String] {
    try paths.flatMap { path in
      guard FileAccess.isFolder(path) else { return [path] }
      let files = try AudioFiles.expand(paths: [path], extensions: annotationEndings)
      guard !files.isEmpty else { throw DetectionError.unrecognizedFormat(path: path) }
      return files
    }
  }

  private static func duration(of path: String, _ decoding: SoundDecoding) throws -> Double {
    let blocks = try SoundBlocks(SoundSpan(path).decoded(by: decoding))
    if blocks.info.frames > 0 { return Double(blocks.info.frames) / Double(blocks.info.sampleRate) }
    var (samples, block): (Int, [Float]) = (0, [])
    while try blocks.next(into: &block) {
      samples += block.count
      block.removeAll(keepingCapacity: true)
    }
    return Double(samples) / Double(blocks.sampleRate)
  }
}

/// Finds sounds by what annotations call them.
private struct SoundNames {
  private let sounds: [String]
  private var byName: [String: [String]] = [:]

  init(_ sounds: [String]) {
    self.sounds = sounds
    for sound in sounds {
      let name = Self.name(sound)
      byName[name, default: []].append(sound)
      if Self.stem(name) != name { byName[Self.stem(name), default: []].append(sound) }
    }
  }

  func sound(named path: String, in file: String) throws(DetectionError) -> String {
    let ending = "/" + path
    let candidates = byName[Self.name(path)] ?? byName[Self.stem(Self.name(path))] ?? []
    let exact = candidates.filter { $0 == path || $0.hasSuffix(ending) }
    return try only(exact.isEmpty ? candidates : exact, path, in: file)
  }

  func sound(annotatedBy file: String) throws(DetectionError) -> String {
    let name = Self.name(file)
    // "a.b.txt" is of "a.b.wav" rather than of "a.wav".
    var stem = name
    while stem.contains(".") {
      stem = Self.stem(stem)
      if let found = byName[stem] { return try only(found, stem, in: file) }
    }
    if sounds.count == 1 { return sounds[0] }
    throw DetectionError.unknownSound(Self.stem(name), annotations: file, candidates: [])
  }

  private func only(_ candidates: [String], _ name: String, in file: String) throws(DetectionError) -> String {
    guard candidates.count == 1 else {
      throw .unknownSound(name, annotations: file, candidates: candidates)
    }
    return candidates[0]
  }

  private static func name(_ path: String) -> String {
    path.split(separator: "/").last.map { String($0) } ?? path
  }

  private static func stem(_ name: String) -> String {
    name.lastIndex(of: ".").flatMap { $0 > name.startIndex ? String(name[..<$0]) : nil } ?? name
  }
}

/// How examples are cut out of recordings.
public struct TrainingWindows: Hashable, Sendable {
  /// Seconds, the length of every example; a recording that is shorter is one example.
  public var seconds: Double
  /// Windows of an event that fits into one: the first with the event in its middle, the others with it anywhere within.
  public var perEvent = 2
  /// Windows without any event, for each one with one.
  public var background = 0.5
  /// What these are called.
  public var backgroundLabel = TrainingWindows.background

  static let background = "_background_"

  public init(seconds: Double) { self.seconds = seconds }

  /// The length that holds nine of ten events whole, in tenths of a second, at least 0.3 s and at most 10 s.
  public static func length(for recordings: AnnotatedRecordings) -> Double {
    let durations = recordings.recordings.flatMap { $0.events.map(\.duration) }.sorted()
    guard !durations.isEmpty else { return 1 }
    let long = durations[min(durations.count - 1, durations.count * 9 / 10)]
    return min(10, max(0.3, (long * 10 - 1e-6).rounded(.up) / 10))
  }
}

extension AnnotatedRecordings {
  /// Windows with an event, labelled as it is, and windows from between the events; in the order of the recordings.
  ///
  /// An event longer than a window gives one every half window. A window of which another label's event takes more than a
  /// quarter is left out, unless it is the first one of its event. Background is drawn without touching any event, from
  /// where there is room; less than was asked for where there is little. Each example's field `group` is the recording,
  /// where there are ten or more, or else its minute: validation examples that are drawn by groups lie apart from those to
  /// train on.
  ///
  /// The same recordings, windows and `seed` give the same examples.
  public func dataset(_ windows: TrainingWindows, seed: UInt64) -> Dataset {
    var examples: [Example] = []
    var places: [(recording: Int, start: Double)] = []
    for (index, recording) in recordings.enumerated() {
      var generator = SeededGenerator(seed: seed, stream: UInt64(2 * index))
      for event in recording.events {
        for start in recording.starts(of: event, windows, using: &generator) {
          examples.append(example(index, start, windows, event.label))
        }
      }
      places += recording.backgrounds(windows, index)
    }
    var generator = SeededGenerator(seed: seed, stream: 1)
    let wanted = Int((windows.background * Double(examples.count)).rounded())
    for place in places.shuffled(using: &generator).prefix(wanted).sorted(by: { $0 < $1 }) {
      examples.append(example(place.recording, place.start, windows, windows.backgroundLabel))
    }
    return Dataset(
      examples: examples,
      source: "\(recordings.count) annotated \(recordings.count == 1 ? "recording" : "recordings"), windows of "
        + "\(windows.seconds) s")
  }

  /// `dataset` with at most `count` windows without any event, spread evenly over the recordings. Where `dataset` says
  /// itself which examples are for validation, the last tenth of these windows are, too.
  public func adding(negatives count: Int, to dataset: Dataset, _ windows: TrainingWindows) -> Dataset {
    let places = recordings.enumerated().flatMap { $1.backgrounds(windows, $0) }
    let count = min(max(0, count), places.count)
    let hasSplit = dataset.examples.contains { $0.split == .validation }
    let negatives = (0..<count).map { place in
      let (recording, start) = places[place * places.count / count]
      var example = example(recording, start, windows, windows.backgroundLabel)
      if hasSplit { example.split = place < count - count / 10 ? .training : .validation }
      return example
    }
    return dataset.adding(
      negatives, source: "\(dataset.source), \(count) windows without events")
  }

  private func example(_ index: Int, _ start: Double, _ windows: TrainingWindows, _ label: String) -> Example {
    let recording = recordings[index]
    let end = min(recording.duration, start + windows.seconds)
    let group = recordings.count >= 10 ? recording.path : "\(recording.path)#\(Int(start / 60))"
    let span = SoundSpan(recording.path, seconds: start..<end).decoded(by: decoding)
    return Example(span, labels: [label], fields: ["group": group])
  }
}

extension AnnotatedRecordings.Recording {
  /// Where the windows of an event begin; milliseconds are enough.
  fileprivate func starts(
    of event: SoundEvent, _ windows: TrainingWindows, using generator: inout SeededGenerator
  ) -> [Double] {
    let length = windows.seconds
    let end = min(event.end, duration)
    let latest = max(0, duration - length)
    func held(_ start: Double) -> Double { (min(max(0, start), latest) * 1000).rounded(.down) / 1000 }
    guard end - event.start <= length else {
      return stride(from: event.start, through: end - length, by: length / 2).map(held)
    }
    let first = held((event.start + end - length) / 2)
    let others = (1..<max(1, windows.perEvent)).map { _ in
      held(end - length + generator.uniform() * (event.start - end + length))
    }
    return [first] + others.filter { $0 != first && !isShared($0..<$0 + length, with: event) }
  }

  /// Whether an event of another label takes more than a quarter of a window.
  private func isShared(_ window: Range<Double>, with event: SoundEvent) -> Bool {
    let others = events.filter { $0.label != event.label }
    let seconds = others.reduce(0) { sum, other in
      sum + max(0, min(other.end, window.upperBound) - max(other.start, window.lowerBound))
    }
    return seconds > 0.25 * (window.upperBound - window.lowerBound)
  }

  /// Windows without any event, half a window apart.
  fileprivate func backgrounds(_ windows: TrainingWindows, _ index: Int) -> [(recording: Int, start: Double)] {
    let length = windows.seconds
    var places: [(recording: Int, start: Double)] = []
    var free = 0.0
    for (start, end) in events.map({ ($0.start, $0.end) }) + [(duration, duration)] {
      let room = min(start, duration) - free
      if room >= length {
        // In the middle of the room that is left over, and so away from both events.
        let count = Int((room - length) / (length / 2) + 1e-9)
        let margin = (room - length - Double(count) * length / 2) / 2
        places += (0...count).map { place in
          (index, ((free + margin + Double(place) * length / 2) * 1000).rounded(.up) / 1000)
        }
      }
      free = max(free, end)
    }
    // A recording shorter than a window, with nothing in it.
    if events.isEmpty && duration > 0 && duration < length { places.append((index, 0)) }
    return places
  }
}
