import AuricleBase

/// A line of a list of files: which sound it means, and what else it says.
///
/// A line is a path, or a JSON object: `path` (or `file`, `audio`, `audio_filepath`); of a part of a file `offset` and
/// `duration`, or `start` and `end`, in seconds; `channel`, 1 being the first; `label` (or `truth`), the true one; `id`, a
/// name for what is made of it. Whatever else it holds is the caller's, and is handed on.
public struct ListedFile: Sendable {
  /// In the list, from 1.
  public var line: Int
  /// Among the lines that are handed out, from 0.
  var place = 0
  /// What to hear, its true label if there is one, and further members that are texts, numbers or truth values as fields.
  public var example: Example
  /// A name for what is made of it.
  public var name: String?
  /// All members of a JSON line but the one that names the file.
  public var members: [Prediction.Member] = []
  /// Why the line names no file.
  public var problem: String?

  private static let pathNames = ["path", "file", "audio", "audio_filepath"]

  init(path: String, line: Int) {
    self.line = line
    example = Example(SoundSpan(path), labels: [])
  }

  init(_ bytes: ArraySlice<UInt8>, line: Int) {
    self.init(path: "", line: line)
    guard let first = bytes.first(where: { $0 > 0x20 }) else {
      problem = "line \(line) of the list is empty"
      return
    }
    guard first == UInt8(ascii: "{") else {
      example.path = String(decoding: bytes, as: UTF8.self)
      return
    }
    do {
      try read(bytes)
    } catch {
      problem = "line \(line) of the list: \(error.reason)"
    }
  }

  /// A relative path without ending, under which what is made of it is kept: the `id`, or else the path, with the seconds
  /// after it where only a part of the file counts. It never leads out of where it is put.
  public var outputName: String {
    let parts = (name ?? example.path).unicodeScalars.split(separator: "/").map { String($0) }
    var kept = parts.filter { $0 != "." && $0 != ".." }
    if name == nil, let last = kept.last, let dot = last.lastIndex(of: "."), dot > last.startIndex {
      kept[kept.count - 1] = String(last[..<dot])
    }
    let joined = kept.isEmpty ? "unnamed" : kept.joined(separator: "/")
    guard name == nil, let seconds = example.sound.seconds else { return joined }
    return "\(joined)-\(seconds.lowerBound)-\(seconds.upperBound)"
  }

  /// What an answer to it is called; empty where it names no file.
  var identity: String { example.path.isEmpty ? "" : example.identity }

  private mutating func read(_ bytes: ArraySlice<UInt8>) throws(MalformedJSON) {
    let found = try jsonMembers(bytes)
    var texts: [String: String] = [:]
    for member in found {
      var scanner = JSONScanner(member.json.utf8)
      switch scanner.kind() {
      case .string, .number, .boolean: texts[member.name] = try scanner.text()
      default: break
      }
    }
    let pathName = Self.pathNames.first { texts[$0] != nil }
    members = found.filter { $0.name != pathName }
    guard let pathName, let path = texts[pathName], !path.isEmpty else {
      throw MalformedJSON(reason: "it has no 'path'")
    }
    example.path = path
    func seconds(_ name: String) throws(MalformedJSON) -> Double? {
      guard let text = texts[name] else { return nil }
      guard let value = Double(text), value.isFinite, value >= 0 else {
        throw MalformedJSON(reason: "'\(name)' is \(text); it must be a number of seconds from 0")
      }
      return value
    }
    var span = SoundSpan(path)
    let start = texts["offset"] == nil ? try seconds("start") : try seconds("offset")
    var end = try seconds("end")
    if end == nil, let start, let duration = try seconds("duration") { end = start + duration }
    if let end {
      guard (start ?? 0) < end else {
        throw MalformedJSON(reason: "it ends at \(end) s, but begins at \(start ?? 0) s")
      }
      span.seconds = (start ?? 0)..<end
    } else if let start, start > 0 {
      throw MalformedJSON(reason: "it begins at \(start) s, but no end and no duration is given")
    }
    if let text = texts["channel"] {
      guard let channel = Int(text), channel >= 1 else {
        throw MalformedJSON(reason: "'channel' is \(text); 1 is the first")
      }
      span.channel = .channel(channel)
    }
    example.sound = span
    name = texts["id"]
    let truth = texts["truth"] ?? texts["label"]
    example.labels = truth.map { [$0] } ?? []
    let own: Set<String> = [pathName, "offset", "start", "end", "duration", "channel", "truth", "label"]
    example.fields = texts.filter { !own.contains($0.key) && $0.key != "split" }
    example.split = texts["split"].flatMap { Split($0) }
  }
}

extension ListedFile {
  /// Hands each line of the list at `path` to `body`, with its number from 1; returns how many there are.
  @discardableResult
  static func forEach(in path: String, _ body: (ListedFile, _ line: Int) throws -> Void) throws -> Int {
    let reader = try LineReader(path)
    var number = 0
    while let lines = try reader.next() {
      for bytes in lines {
        number += 1
        try body(ListedFile(bytes, line: number), number)
      }
    }
    return number
  }
}
