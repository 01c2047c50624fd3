import ArgumentParser
import Auricle
import AuricleBase

/// What people type, before and after the parser looks at it.
enum CommandLineText {
  /// `-j4` is `-j 4`, as in make, and `-omodel` is `-o model`.
  static func separated(_ arguments: [String]) -> [String] {
    var isOver = false
    return arguments.flatMap { word -> [String] in
      isOver = isOver || word == "--"
      guard !isOver, word.count > 2, word.hasPrefix("-j"), word.dropFirst(2).allSatisfy(\.isNumber) else {
        return [word]
      }
      return ["-j", String(word.dropFirst(2))]
    }
  }

  /// A sentence about a first word that is no command; nil where it is one, an option, or missing.
  static func misspeltCommand(_ arguments: [String], commands: [String]) -> String? {
    guard let word = arguments.first, !word.hasPrefix("-"), word != "help", !commands.contains(word) else { return nil }
    let list = "the commands are \(commands.joined(separator: ", "))"
    if FileAccess.exists(word) {
      return "'\(word)' is a file, where a command is wanted; for example: auricle classify \(word)"
    }
    let near = commands.map { ($0, distance(word.lowercased(), $0)) }.min { $0.1 < $1.1 }
    if let (command, count) = near, 3 * count <= max(command.count, 3) {
      return "there is no command '\(word)'; did you mean '\(command)'? (\(list))"
    }
    return "there is no command '\(word)'; \(list)"
  }

  /// Letters to insert, remove, replace or exchange with their neighbour to make one word of the other (optimal string
  /// alignment).
  static func distance(_ first: String, _ second: String) -> Int {
    let (a, b) = (Array(first), Array(second))
    var rows = [Array(0...b.count)]
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var best = min(row[j] + 1, rows[i][j + 1] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, rows[i - 1][j - 1] + 1) }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }

  /// What the parser says of wrong usage, in several lines with its help and usage, as one line:
  /// "train: the value 'x' is invalid for '--epochs <n>' (Passes over the data.); see 'auricle train --help'".
  static func oneLine(_ message: String) -> String {
    var sentence = ""
    var choices: [String] = []
    var help = ""
    var command = "auricle"
    for line in message.split(separator: "\n").map({ String($0) }) {
      if line.hasPrefix("Error: ") {
        sentence = String(line.dropFirst(7))
      } else if line.hasPrefix("  - ") {
        choices.append(String(line.dropFirst(4)))
      } else if line.hasPrefix("Help:") {
        // "Help:  --epochs <n>  Passes over the data."
        help = line.split(separator: "  ").dropFirst(2).joined(separator: " ").trimmingPrefix(" ").description
      } else if line.hasPrefix("Usage: ") {
        let words = line.dropFirst(7).split(separator: " ")
        command = words.prefix { !"[<-(".contains($0.first ?? "-") }.joined(separator: " ")
      } else if choices.isEmpty && help.isEmpty && !line.hasPrefix(" ") {
        sentence += " " + line
      }
    }
    let few = ". Please provide one of "
    if let start = sentence.firstRange(of: few) {
      sentence.replaceSubrange(start, with: "; there are: ")
      if sentence.hasSuffix(".") { sentence.removeLast() }
    }
    if !choices.isEmpty {
      let request = " Please provide one of the following:"
      if sentence.hasSuffix(request) { sentence.removeLast(request.count) }
      sentence += sentence.hasSuffix(".") ? "" : ";"
      sentence =
        (sentence.hasSuffix(".") ? String(sentence.dropLast()) + ";" : sentence) + " there are: "
        + choices.joined(separator: ", ")
    } else if !help.isEmpty {
      sentence += " (\(help.hasSuffix(".") ? String(help.dropLast()) : help))"
    }
    if sentence.hasSuffix(".") { sentence.removeLast() }
    return "\(sentence); see '\(command) --help'"
  }
}

/// All that is wrong with a command, told at once.
struct UsageProblems {
  private var sentences: [String] = []

  /// Notes what `check` throws.
  mutating func add(_ check: () throws -> Void) {
    do { try check() } catch { sentences.append("\(error)") }
  }

  /// Throws where anything was noted, and names those of `paths` at which nothing stands, too.
  func check(paths: [String?]) throws {
    guard !sentences.isEmpty else { return }
    let missing = paths.compactMap { $0 }.filter { $0 != "-" && !$0.isEmpty && !FileAccess.exists($0) }
    let all = (sentences + missing.map { "\($0): no such file or folder" }).map { sentence in
      sentence.hasSuffix(".") ? String(sentence.dropLast()) : sentence
    }
    throw ValidationError((all.count == 1 ? "" : "\(all.count) things are wrong: ") + all.joined(separator: "; ") + ".")
  }
}
