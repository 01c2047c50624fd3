import AuricleBase

/// A data directory of Kaldi (https://kaldi-asr.org/doc/data_prep.html): `wav.scp`, perhaps `segments` and `utt2spk`.
///
/// The label of an utterance is in `utt2label`, in `utt2lang`, or in `text`, the first that is there, or in the file that
/// the label column names; it is all that follows the utterance's name. A relative path is below the audio root, if one is
/// given, or else below the directory itself, or, as Kaldi has it, below the working directory. A segment's fifth column is
/// its channel, the first being 0.
enum KaldiDirectory: Layout {
  static let scriptName = "wav.scp"
  private static let labelFiles = ["utt2label", "utt2lang", "text"]

  static func dataset(inFolder folder: Request) throws(DatasetError) -> Dataset? {
    guard folder.hasFile(scriptName) else { return nil }
    let names = folder.options.labelColumn.map { [$0] } ?? labelFiles
    guard let labelFile = names.first(where: { folder.hasFile($0) }) else {
      throw .missingFile(folder: folder.path, wanted: names, purpose: "the labels")
    }
    let script = try List(folder, scriptName)
    let segments = folder.hasFile("segments") ? try List(folder, "segments") : nil
    let (labels, speakers) = (
      try List(folder, labelFile), folder.hasFile("utt2spk") ? try List(folder, "utt2spk") : nil
    )

    let files = try paths(script)
    var problems = LineProblems(path: (segments ?? script).path)
    var rows: [Table.Row] = []
    for entry in (segments ?? script).entries {
      do throws(DatasetError) {
        var cells: [String: Table.Cell] = ["id": .text(entry.key)]
        if let segments {
          cells.merge(try segment(entry, segments, files)) { first, _ in first }
        } else {
          cells["path"] = files[entry.key].map { .text($0) }
        }
        guard let label = labels.value[entry.key] else {
          throw .malformedLine(
            path: problems.path, line: entry.line, reason: "'\(entry.key)' has no label in \(labelFile)")
        }
        cells["label"] = .text(label)
        cells["speaker"] = (speakers?.value[entry.key]).map { .text($0) }
        rows.append(Table.Row(line: entry.line, cells: cells))
      } catch {
        problems.add(error)
      }
    }
    try problems.check()
    let table = Table(
      path: problems.path, format: "Kaldi", columns: ["path", "start", "end", "channel", "id", "label", "speaker"],
      rows: rows)
    var convention = TableConvention(name: "Kaldi data directory", pathColumns: ["path"], labelColumns: ["label"])
    convention.hasSpans = segments != nil
    convention.channelColumn = "channel"
    var request = folder
    request.options.labelColumn = nil
    if request.options.audioRoot == nil, let first = files.values.min(by: bytesPrecede), !isAbsolute(first),
      FileKind(join(folder.path, first)) == nil, FileKind(first) != nil
    {
      request.options.audioRoot = ""
    }
    let dataset = try Manifest(table, convention, request).dataset()
    return dataset.with(
      source: "Kaldi data directory (\(segments == nil ? scriptName : "segments")), labels from '\(labelFile)'"
        + (labelFile == "text" ? ", each text a class" : ""))
  }

  /// The files by the names of their recordings.
  private static func paths(_ script: List) throws(DatasetError) -> [String: String] {
    var problems = LineProblems(path: script.path)
    for entry in script.entries {
      func refuse(_ reason: String) {
        problems.add(.malformedLine(path: script.path, line: entry.line, reason: reason))
      }
      let isInArchive = entry.value.lastIndex(of: ":").map { place in
        let digits = entry.value[entry.value.index(after: place)...]
        return !digits.isEmpty && digits.allSatisfy(\.isNumber)
      }
      if entry.value.isEmpty {
        refuse("no file follows '\(entry.key)'")
      } else if entry.value.hasSuffix("|") || entry.value.hasPrefix("|") {
        refuse(
          "a command ('|'), which is not run; write its output to files ('wav-copy scp:wav.scp ...') and list those")
      } else if entry.value == "-" {
        refuse("standard input ('-'), where a file is wanted")
      } else if isInArchive == true {
        refuse("a place in an archive ('\(entry.value)'); write it to a file of its own ('wav-copy')")
      }
    }
    try problems.check()
    return script.value
  }

  private static func segment(
    _ entry: List.Entry, _ segments: List, _ files: [String: String]
  ) throws(DatasetError) -> [String: Table.Cell] {
    func malformed(_ reason: String) -> DatasetError {
      .malformedLine(path: segments.path, line: entry.line, reason: reason)
    }
    let parts = entry.value.split(whereSeparator: \.isWhitespace).map { String($0) }
    guard parts.count == 3 || parts.count == 4 else {
      throw malformed(
        "wanted an utterance, a recording, its beginning and its end in seconds, and perhaps its channel")
    }
    var cells: [String: Table.Cell] = ["start": .text(parts[1]), "end": .text(parts[2])]
    if parts.count == 4 {
      guard let channel = Int(parts[3]), (0..<1024).contains(channel) else {
        throw malformed("the channel '\(parts[3])'; the first is 0")
      }
      cells["channel"] = .text("\(channel + 1)")
    }
    guard let path = files[parts[0]] else { throw malformed("the recording '\(parts[0])' is not in \(scriptName)") }
    guard !parts[2].hasPrefix("-") else {
      throw malformed("the end '\(parts[2])' stands for the recording's; write how many seconds that is")
    }
    cells["path"] = .text(path)
    return cells
  }

  /// A file of lines that begin with a key.
  private struct List {
    struct Entry {
      let key: String
      let value: String
      let line: Int
    }

    let path: String
    var entries: [Entry] = []
    var value: [String: String] = [:]

    init(_ folder: Request, _ name: String) throws(DatasetError) {
      path = join(folder.path, name)
      var problems = LineProblems(path: path)
      for (index, line) in try readText(path).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        .enumerated()
      {
        let text = trimmed(line)
        guard let key = text.split(maxSplits: 1, whereSeparator: \.isWhitespace).first.map({ String($0) }) else {
          continue
        }
        let rest = trimmed(text.dropFirst(key.count))
        if value.updateValue(rest, forKey: key) != nil {
          problems.add(.malformedLine(path: path, line: index + 1, reason: "'\(key)' stands in it twice"))
        }
        entries.append(Entry(key: key, value: rest, line: index + 1))
      }
      try problems.check()
      guard !entries.isEmpty else { throw .noExamples(path: path) }
    }
  }
}
