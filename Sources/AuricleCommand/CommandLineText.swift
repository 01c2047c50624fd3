import ArgumentParser
import Auricle
import AuricleBase

/// What people type, before and after the parser looks at it.
enum CommandLineText {
  /// `-j4` is `-j 4`, as in make; `--hop -1` is `--hop=-1`, so that the number is told to be wrong, not taken for an option.
  static func separated(_ arguments: [String]) -> [String] {
    var words: [String] = []
    for (index, word) in arguments.enumerated() {
      if let before = words.last, before.hasPrefix("--"), before.count > 2, !before.contains("="), word.hasPrefix("-"),
        Double(word) != nil
      {
        words[words.count - 1] = "\(before)=\(word)"
      } else if word == "--" {
        return words + arguments[index...]
      } else if word.count > 2, word.hasPrefix("-j"), word.dropFirst(2).allSatisfy(\.isNumber) {
        words += ["-j", String(word.dropFirst(2))]
      } else {
        words.append(word)
      }
    }
    return words
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

  /// What the parser says of wrong usage, in several lines with its help and usage, as one sentence, "The value 'x' is
  /// invalid for '--epochs <n>' (Passes over the data)", and the command that it is about, "auricle train".
  static func reading(_ message: String) -> (sentence: String, command: String) {
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
    if choices.isEmpty, let start = sentence.firstRange(of: few) {
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
    return (sentence, command)
  }

  /// A sentence for each option that the command's help does not name, with the one that it may be.
  static func unknownOptions(_ words: [String], help: String) -> [String] {
    let known = Set(help.matches(of: /--[a-z0-9-]+/).map { String($0.output) })
    return words.prefix { $0 != "--" }.filter { $0.hasPrefix("--") }.compactMap { word in
      let name = String(word.prefix { $0 != "=" })
      guard !known.contains(name) else { return nil }
      let near = known.map { ($0, distance(name, $0)) }.min { ($0.1, $0.0) < ($1.1, $1.0) }
      let hint = near.flatMap { near, count in 3 * count <= near.count ? ". Did you mean '\(near)'?" : nil }
      return "Unknown option '\(name)'" + (hint ?? "")
    }
  }

  /// The words without the option that `sentence` finds wrong, or with the one that it suggests; nil where it is not about
  /// one option.
  static func mended(_ words: [String], after sentence: String) -> [String]? {
    var words = words
    if let match = sentence.firstMatch(of: /^Unknown option '(-[^']+)'(?:\. Did you mean '(-[^']+)')?/) {
      let wrong = String(match.1)
      guard let index = words.firstIndex(where: { $0 == wrong || $0.hasPrefix(wrong + "=") }) else { return nil }
      if let near = match.2 {
        words[index] = "\(near)\(words[index].dropFirst(wrong.count))"
      } else {
        removeOption(at: index, from: &words, withValue: words[index] == wrong && isValue(index + 1, of: words))
      }
    } else if let match = sentence.firstMatch(of: /^The value '(.*)' is invalid for '(-[^' ,]+)/) {
      let (value, option) = (String(match.1), String(match.2))
      if let index = words.indices.dropLast().firstIndex(where: { words[$0] == option && words[$0 + 1] == value }) {
        words.removeSubrange(index...index + 1)
      } else if let index = words.firstIndex(of: "\(option)=\(value)") {
        words.remove(at: index)
      } else {
        return nil
      }
    } else if let match = sentence.firstMatch(of: /^Missing value for '(-[^' ,]+)/) {
      let option = String(match.1)
      func isMissing(_ index: Int) -> Bool { index + 1 == words.count || words[index + 1].hasPrefix("-") }
      guard let index = words.indices.last(where: { words[$0] == option && isMissing($0) }) else { return nil }
      words.remove(at: index)
    } else if let match = sentence.firstMatch(of: /^--([a-z])[a-z0-9-]*/) {
      // What a group of options says of one: it has a value.
      let names = [String(match.0), "-\(match.1)"]
      guard
        let index = words.lastIndex(where: { word in names.contains(word) || word.hasPrefix(names[0] + "=") })
      else { return nil }
      removeOption(at: index, from: &words, withValue: names.contains(words[index]) && index + 1 < words.count)
    } else {
      return nil
    }
    return words
  }

  private static func removeOption(at index: Int, from words: inout [String], withValue: Bool) {
    words.removeSubrange(index...(withValue ? index + 1 : index))
  }

  /// Whether the word looks like the value of an unknown option before it: neither an option nor a file.
  private static func isValue(_ index: Int, of words: [String]) -> Bool {
    index < words.count && !words[index].hasPrefix("-") && !FileAccess.exists(words[index])
  }
}
