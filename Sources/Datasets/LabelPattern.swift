/// How file names carry the label, and whatever else they carry.
///
///     let pattern = try LabelPattern("{label}_{speaker}_{index}")
///     pattern.fields(of: "7_theo_12.wav")     // ["label": "7", "speaker": "theo", "index": "12"]
///     pattern.fields(of: "seven.wav")         // nil
///
/// `{name}` takes one or more characters other than `/`, as few as let the rest match, and `{name:2}` takes two; `*` takes
/// any, or none; all else stands for itself. A pattern is matched with the file's name without its extension (with it, when the pattern ends
/// in one, as in `{label}_*.wav`); one that contains `/`, with the path relative to the data set's root.
public struct LabelPattern: Hashable, Sendable {
  public let text: String
  /// The names in braces, in their order.
  public let names: [String]

  private enum Piece: Hashable, Sendable {
    case literal(Character)
    case capture(String, width: Int?)
    case anything
  }
  private let pieces: [Piece]
  private let matchesPath: Bool
  private let matchesExtension: Bool

  /// Throws `DatasetError.invalidPattern` for braces that do not pair, a name that is empty, used twice or not made of
  /// letters, digits, `_` and `-`, and a pattern without any name.
  public init(_ text: String) throws(DatasetError) {
    var pieces: [Piece] = []
    var names: [String] = []
    var rest = text[...]
    while let character = rest.popFirst() {
      switch character {
      case "{":
        guard let end = rest.firstIndex(of: "}") else { throw .invalidPattern(text, reason: "a '{' is never closed") }
        let (name, width) = try Self.capture(rest[..<end], of: text)
        guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }) else {
          throw .invalidPattern(text, reason: "'{\(name)}' is not a name of letters, digits, '_' and '-'")
        }
        guard !names.contains(name) else { throw .invalidPattern(text, reason: "'{\(name)}' stands in it twice") }
        names.append(name)
        pieces.append(.capture(name, width: width))
        rest = rest[rest.index(after: end)...]
      case "}": throw .invalidPattern(text, reason: "a '}' has no '{' before it")
      case "*": pieces.append(.anything)
      default: pieces.append(.literal(character))
      }
    }
    guard !names.isEmpty else {
      throw .invalidPattern(text, reason: "no name in braces is in it; '{label}_*' takes what precedes the first '_'")
    }
    self.text = text
    self.names = names
    self.pieces = pieces
    matchesPath = text.contains("/")
    matchesExtension = AudioFiles.extensions.contains(fileExtension(of: text))
  }

  /// The name and the width of "name:2".
  private static func capture(
    _ inside: Substring, of text: String
  ) throws(DatasetError) -> (name: String, width: Int?) {
    guard let colon = inside.firstIndex(of: ":") else { return (String(inside), nil) }
    guard let width = Int(inside[inside.index(after: colon)...]), (1...1000).contains(width) else {
      throw .invalidPattern(text, reason: "'{\(inside)}': a number of characters, 1 to 1000, must follow the ':'")
    }
    return (String(inside[..<colon]), width)
  }

  /// What each name takes from `path` (relative to the data set's root), or nil when the pattern does not match.
  public func fields(of path: String) -> [String: String]? {
    var subject = matchesPath ? path[...] : fileName(of: path)
    let suffix = fileExtension(of: path)
    if !matchesExtension && !suffix.isEmpty { subject = subject.dropLast(suffix.count + 1) }

    let characters = Array(subject)
    var fields: [String: String] = [:]
    // Places from which the rest is known not to match: without them, a pattern of many stars takes exponential time.
    var failures: Set<Int> = []

    func match(_ piece: Int, _ start: Int) -> Bool {
      guard piece < pieces.count else { return start == characters.count }
      let place = piece * (characters.count + 1) + start
      guard !failures.contains(place) else { return false }
      switch pieces[piece] {
      case .literal(let character):
        if start < characters.count && characters[start] == character && match(piece + 1, start + 1) { return true }
      case .anything:
        for end in start...characters.count where match(piece + 1, end) { return true }
      case .capture(let name, let width):
        var end = start
        while end < characters.count && characters[end] != "/" && end - start != width {
          end += 1
          if let width, end - start < width { continue }
          if match(piece + 1, end) {
            fields[name] = String(characters[start..<end])
            return true
          }
        }
      }
      failures.insert(place)
      return false
    }
    return match(0, 0) ? fields : nil
  }
}
