import AuricleBase

extension AnnotationFormat {
  /// The most bytes that are read of an annotation file.
  static let byteLimit = 1 << 30

  /// The events in the file at `path`, standard input for `-`, in the order of the file.
  ///
  ///     let truth = try AnnotationFormat.read("day.TextGrid")
  ///
  /// Unless `format` is given, the content tells the format, and where it does not, the name. Events of formats that name
  /// no sound have no path. Throws `FileError` for what cannot be read, and `DetectionError` with file, line and reason for
  /// what is not of the format.
  public static func read(_ path: String, as format: AnnotationFormat? = nil) throws -> [SoundEvent] {
    try events(in: FileAccess.read(path, limit: byteLimit), path: path, as: format)
  }

  /// The events in the bytes of a file whose name is `path`; see `read(_:as:)`.
  public static func events(
    in bytes: some Collection<UInt8>, path: String, as format: AnnotationFormat? = nil
  ) throws(DetectionError) -> [SoundEvent] {
    let source = try AnnotationSource(bytes, path: path)
    guard let format = format ?? recognized(source) else { throw .unrecognizedFormat(path: path) }
    return try format.coding.events(source)
  }

  /// The format of the bytes of a file whose name is `path`: by content, or else by name; nil when neither tells.
  public static func recognized(_ bytes: some Collection<UInt8>, path: String) throws(DetectionError) -> Self? {
    recognized(try AnnotationSource(bytes, path: path))
  }

  private static func recognized(_ source: AnnotationSource) -> AnnotationFormat? {
    if let format = allCases.first(where: { $0.coding.recognizes(source) }) { return format }
    if let format = AnnotationFormat(name: source.path) { return format }
    // Audacity writes a track without labels as a file without content; and its labels may be numbers.
    let isAudacity = source.filledLines.first.map { line in
      let cells = tabbed(line.text)
      return cells.count == 3 && cells.allSatisfy { finiteNumber($0) != nil }
    }
    return (isAudacity ?? true) && source.path.lowercased().hasSuffix(".txt") ? .audacity : nil
  }

  /// A file of `events`. `duration` is the sound's in seconds, for TextGrid, which says it; without it, the last event's
  /// end.
  ///
  /// Throws `DetectionError.unwritable` for what the format cannot hold: events of several sounds where it has no column
  /// for them, labels that would break its lines.
  public func text(_ events: [SoundEvent], duration: Double? = nil) throws(DetectionError) -> String {
    if !holdsPaths, let first = events.first, events.contains(where: { $0.path != first.path }) {
      throw .unwritable(format: self, reason: "they are of several sounds; write a file for each")
    }
    return try coding.text(events, duration: duration)
  }

  /// Writes `text(_:duration:)` to the file at `path`, standard output for `-`, at once and whole.
  public func write(_ events: [SoundEvent], to path: String, duration: Double? = nil) throws {
    try FileAccess.writeAtomically(text(events, duration: duration), to: path)
  }

  /// Throws when one of `labels` cannot stand in a file of this format, so that a long run can be refused before it begins.
  public func check(labels: [String]) throws(DetectionError) {
    for label in labels { try coding.check(label: label) }
  }
}

/// Writes events as they come, for a live stream or a long run.
///
///     var writer = try AnnotationWriter(.audacity)
///     print(writer.header, terminator: "")
///     print(try writer.text(of: event), terminator: "")
public struct AnnotationWriter: Sendable {
  public let format: AnnotationFormat
  private let frequencies: Bool
  private var count: Int

  /// `frequencies` says whether columns for a band are written, where they are optional; `after` events stand in the file
  /// already. Throws for TextGrid, which has to know all events before its first line.
  public init(_ format: AnnotationFormat, frequencies: Bool = false, after: Int = 0) throws(DetectionError) {
    guard format.coding is any StreamableAnnotationCoding.Type else {
      throw .unwritable(format: format, reason: "it is written only when all of them are known")
    }
    self.format = format
    self.frequencies = frequencies
    count = after
  }

  /// What stands before the first event, with its line ends.
  public var header: String { coding?.header(frequencies: frequencies) ?? "" }

  /// The lines of the next event, with their line ends. Throws `DetectionError.unwritable`.
  public mutating func text(of event: SoundEvent) throws(DetectionError) -> String {
    guard let coding else { return "" }
    try coding.check(label: event.label)
    let text = try coding.lines(event, number: count + 1, frequencies: frequencies)
    count += 1
    return text
  }

  private var coding: (any StreamableAnnotationCoding.Type)? { format.coding as? any StreamableAnnotationCoding.Type }
}
