import ArgumentParser
import Auricle
import AuricleBase

/// All that is wrong with a command, told at once, a line each.
struct Problems: Error {
  private(set) var sentences: [String] = []

  mutating func add(_ sentence: String) { sentences.append(sentence) }

  mutating func add(_ sentence: @autoclosure () -> String, if isWrong: Bool) {
    if isWrong { sentences.append(sentence()) }
  }

  /// Notes what `check` throws, after `option`.
  mutating func add(_ option: String? = nil, _ check: () throws -> Void) {
    do { try check() } catch { sentences.append((option.map { "\($0): " } ?? "") + "\(error)") }
  }

  /// Notes those of `paths` at which nothing is.
  mutating func add(missing paths: [String?]) {
    for path in Set(paths.compactMap { $0 }).sorted() where path != "-" && !path.isEmpty && !FileAccess.exists(path) {
      sentences.append("\(path): no such file or folder")
    }
  }

  /// Notes those of `paths` that no file can be written to.
  mutating func add(unwritable paths: [String?]) {
    for path in paths.compactMap({ $0 }) { add { try FileAccess.checkWritable(path) } }
  }

  func check() throws { if !sentences.isEmpty { throw self } }
}

/// A command that looks at all its options, and all its files, before it begins.
protocol CheckedCommand: ParsableCommand {
  /// Options that are wrong, or do not go with each other.
  func checkOptions(_ problems: inout Problems)
  /// Files that are not there, or cannot be written.
  func checkFiles(_ problems: inout Problems)
}

extension CheckedCommand {
  func validate() throws {
    var problems = Problems()
    checkOptions(&problems)
    guard !problems.sentences.isEmpty else { return }
    checkFiles(&problems)
    throw ValidationError(WrongUsage.joined(problems.sentences))
  }

  /// Throws `Problems`, which are no wrong usage.
  func checkFiles() throws {
    var problems = Problems()
    checkFiles(&problems)
    try problems.check()
  }
}

/// All that is wrong with the words of a command.
struct WrongUsage {
  /// "auricle train"
  let command: String
  let sentences: [String]

  /// One for each thing that is wrong; the last says where to read more.
  var lines: [String] {
    let help = "see '\(command) --help'"
    return sentences.count == 1
      ? ["\(sentences[0]); \(help)"] : sentences + ["\(sentences.count) things are wrong; \(help)"]
  }

  /// Stands after each sentence of a command that has told all it finds.
  private static let separator: Character = "\u{1E}"

  static func joined(_ sentences: [String]) -> String { sentences.map { "\($0)\(separator)" }.joined() }

  /// All that `parse` finds wrong with the words: as it stops at the first, it is asked again without that one. `message` is
  /// what it says of an error that is wrong usage, `help` the command's. Nil where nothing is wrong.
  init?(
    _ words: [String], help: String, parse: ([String]) throws -> any ParsableCommand,
    message: (any Error) -> String?
  ) {
    var words = words
    var command: String?
    var found: [String] = []
    func note(_ sentences: [String]) { found += sentences.filter { !found.contains($0) } }
    // Of these the parser speaks last, when all else is right.
    for sentence in CommandLineText.unknownOptions(words, help: help) {
      guard let mended = CommandLineText.mended(words, after: sentence) else { continue }
      note([sentence])
      words = mended
    }
    while found.count < 100 {
      do {
        let parsed = try parse(words)
        var problems = Problems()
        if !found.isEmpty { (parsed as? any CheckedCommand)?.checkFiles(&problems) }
        note(problems.sentences)
        break
      } catch {
        guard let message = message(error) else { break }
        let (text, name) = CommandLineText.reading(message)
        command = command ?? name
        note(text.split(separator: WrongUsage.separator).map { String($0.hasSuffix(".") ? $0.dropLast() : $0) })
        guard text.last != WrongUsage.separator, let mended = CommandLineText.mended(words, after: text) else { break }
        words = mended
      }
    }
    guard !found.isEmpty else { return nil }
    self.command = command ?? (["auricle"] + words.prefix { !$0.hasPrefix("-") }.prefix(1)).joined(separator: " ")
    sentences = found
  }
}
