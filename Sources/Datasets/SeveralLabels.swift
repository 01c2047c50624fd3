import AuricleBase

/// Cells of a table that hold several labels: "dog|rain", "dog;rain", "dog,rain", "['dog', 'rain']".
enum SeveralLabels {
  /// The labels of a list in JSON or Python's notation; nil for other text.
  static func list(_ text: String) -> [String]? {
    guard text.hasPrefix("["), text.hasSuffix("]"), text.count >= 2 else { return nil }
    return parts(of: String(text.dropFirst().dropLast()), ",").map { part in
      for quote in ["\"", "'"] where part.count >= 2 && part.hasPrefix(quote) && part.hasSuffix(quote) {
        return String(part.dropFirst().dropLast())
      }
      return part
    }
  }

  /// The parts of a label that might be several; none where it is one.
  static func parts(of text: String) -> [String] {
    for separator in ["|", ";", ","] as [Character] where text.contains(separator) {
      let parts = parts(of: text, separator)
      if parts.count > 1 { return parts }
    }
    return []
  }

  static func parts(of text: String, _ separator: Character) -> [String] {
    var parts: [String] = []
    for part in text.split(separator: separator).map({ trimmed($0) }) where !part.isEmpty && !parts.contains(part) {
      parts.append(part)
    }
    return parts
  }

  /// Whether a label may be several, by its looks alone. A comma before a blank is a part of names such as "Dog, barking".
  static func areLikely(in text: String) -> Bool {
    parts(of: text).count > 1 && (text.contains { "|;".contains($0) } || !text.contains(", "))
  }

  /// What is one label, to judge by all cells: it stands alone in one, or as a part in two.
  static func labels(in cells: Set<String>) -> Set<String> {
    var labels = cells.filter { parts(of: $0).isEmpty }
    var seen: Set<String> = []
    for part in cells.filter(areLikely).flatMap({ parts(of: $0) }) where !seen.insert(part).inserted {
      labels.insert(part)
    }
    return labels
  }

  /// Those of `classes` that look like several labels, also where they are made of other classes: "dog+rain".
  static func suspects(among classes: [String]) -> [String] {
    let all = Set(classes)
    return classes.filter { label in
      areLikely(in: label)
        || ["+", "&", "/"].contains { (separator: Character) in
          let parts = parts(of: label, separator)
          return parts.count > 1 && parts.allSatisfy(all.contains)
        }
    }
  }
}
