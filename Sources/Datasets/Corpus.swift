import AudioInput
import AuricleBase

/// Audio files with a name for each, under which something made of it is kept.
///
///     let corpus = try Corpus(paths: ["recordings"])
///     corpus.files[0]     // path "recordings/ann/one.wav", name "ann/one"
///
/// No two files have one name; a file that is given twice is there once. A name is a relative path without the file's ending: below the folder, where one folder is
/// all that was given; below the deepest folder that all paths share, where there are several. For a manifest it is the
/// column `id` (or `utterance`, `utterance_id`, `utt_id`, `utt`, `key`), or else the path that is written there, with the
/// seconds after it where only a part of the file counts ("meeting-61.5-64.0"). Names never lead out of where they are put: `..` and a leading `/` are left out.
public struct Corpus: Sendable {
  public struct File: Hashable, Sendable {
    public var sound: SoundSpan
    public var name: String

    public init(_ sound: SoundSpan, name: String) {
      self.sound = sound
      self.name = name
    }

    public init(path: String, name: String) {
      self.init(SoundSpan(path), name: name)
    }

    public var path: String {
      get { sound.path }
      set { sound.path = newValue }
    }
  }

  /// In the order given; those of a folder by the bytes of their paths.
  public let files: [File]
  /// The files of the folders that were passed over.
  public let leftOut: LeftOut

  /// Expands audio files, folders of them, manifests (CSV, TSV or JSON lines; paths in them are relative to them, and must
  /// not lead out of the folder `root`, if given), and `-` for standard input. `decoding` says how they are decoded, and
  /// so which files are looked for in folders.
  ///
  /// Throws `DatasetError.sameName` for two files of one name, and what is wrong with a folder or a manifest.
  public init(
    paths: [String], root: String? = nil, table options: TableOptions = TableOptions(),
    decoding: SoundDecoding = SoundDecoding()
  ) throws(DatasetError) {
    var leftOut = LeftOut()
    let folders = paths.filter { $0 != "-" }.map { components($0).dropLast() }
    let shared = folders.dropFirst().reduce(folders.first ?? []) { shared, folder in
      shared.prefix(zip(shared, folder).prefix { $0 == $1 }.count)
    }
    var found: [File] = []
    for path in paths {
      if path == "-" {
        found.append(File(path: path, name: "stdin"))
      } else if case .folder = FileKind(path) {
        let root = paths.count == 1 ? components(path).count : shared.count
        let inside = try AudioFiles.find(paths: [path], extensions: decoding.extensions)
        leftOut.add(inside.leftOut)
        for file in inside.files {
          found.append(File(path: file, name: Corpus.name(components(file).dropFirst(root), hasEnding: true)))
        }
      } else if let format = Table.Format(path: path) {
        let request = Request(path: path, root: root, options: options)
        for (sound, name, isPath) in try Layouts.manifest(request, format, needsLabels: false).files() {
          var name = Corpus.name(components(name)[...], hasEnding: isPath)
          if isPath, let seconds = sound.seconds { name += "-\(seconds.lowerBound)-\(seconds.upperBound)" }
          found.append(File(sound, name: name))
        }
      } else {
        found.append(File(path: path, name: Corpus.name(components(path).dropFirst(shared.count), hasEnding: true)))
      }
    }
    var files: [File] = []
    var earlier: [String: SoundSpan] = [:]
    for var file in found {
      file.sound = file.sound.decoded(by: decoding)
      switch earlier.updateValue(file.sound, forKey: file.name) {
      case nil: files.append(file)
      case let other? where other.identity.utf8.elementsEqual(file.sound.identity.utf8): break  // twice is one
      case let other?: throw .sameName(file.name, path: file.path, earlier: other.path)
      }
    }
    self.files = files
    self.leftOut = leftOut
  }

  /// A relative path that stays below where it begins.
  private static func name(_ components: ArraySlice<String>, hasEnding: Bool) -> String {
    var parts = components.filter { $0 != ".." && $0 != "/" }
    if hasEnding, let last = parts.last, let dot = last.lastIndex(of: "."), dot > last.startIndex {
      parts[parts.count - 1] = String(last[..<dot])
    }
    return parts.isEmpty ? "unnamed" : parts.joined(separator: "/")
  }
}

/// The parts of a path; "/" first when it is absolute, and none that mean nothing.
private func components(_ path: String) -> [String] {
  (isAbsolute(path) ? ["/"] : []) + path.unicodeScalars.split(separator: "/").map { String($0) }.filter { $0 != "." }
}
