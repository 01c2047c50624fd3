import AuricleBase
import RealModule

// What people read: reports and confusion matrices as tables for a terminal.

extension ClassificationReport {
  /// The per-class table with the means below it, the numbers on all files, the most frequent mistakes in words, the
  /// groups, and last the accuracy.
  ///
  ///     class          precision  recall      F1  files
  ///     -------------  ---------  ------  ------  -----
  ///     cat               1.0000  0.5000  0.6667      2
  ///     ...
  ///
  ///     accuracy 66.67% (2 of 3), 95% interval 20.77% to 93.85%
  public var text: String {
    var blocks = [classTable, numbers]
    if !confusion.confusions.isEmpty {
      blocks.append(
        (["most often confused:"] + confusionSentences(limit: 10).map { "  " + $0 }).joined(separator: "\n"))
    }
    blocks += groups.map(\.text)
    blocks.append(
      "accuracy \(percent(accuracy)) (\(confusion.correct) of \(confusion.total)), 95% interval \(interval.text)")
    return blocks.joined(separator: "\n\n")
  }

  /// The most frequent mistakes in words, the most frequent first.
  public func confusionSentences(limit: Int) -> [String] {
    confusion.confusions.prefix(limit).map { printable($0.sentence) }
  }

  private var classTable: String {
    let scored = scores != nil
    var table = TextTable(
      [.left("class"), .right("precision"), .right("recall"), .right("F1")]
        + (scored ? [.right("ROC AUC"), .right("avg. prec.")] : []) + [.right("files")])
    func append(_ name: String, _ numbers: [Double?], _ files: Int) {
      table.append([name] + numbers.map { $0.map { fixed($0, decimals: 4) } ?? "-" } + [String(files)])
    }
    for (index, metrics) in perClass.enumerated() {
      let ranking = scores.map { [$0.rankings[index].rocAUC, $0.rankings[index].averagePrecision] } ?? []
      append(metrics.label, [metrics.precision, metrics.recall, metrics.f1] + ranking, metrics.support)
    }
    table.append([])
    append(
      "macro mean",
      [macroMean.precision, macroMean.recall, macroMean.f1]
        + (scores.map { [$0.macroROCAUC, $0.macroAveragePrecision] } ?? []), confusion.total)
    append(
      "weighted mean",
      [weightedMean.precision, weightedMean.recall, weightedMean.f1]
        + (scores.map { [$0.weightedROCAUC, $0.weightedAveragePrecision] } ?? []), confusion.total)
    return table.text
  }

  private var numbers: String {
    var rows = [
      ("balanced accuracy", balancedAccuracy.map(percent) ?? "-"),
      ("Cohen's kappa", cohenKappa.map { fixed($0, decimals: 4) } ?? "-"),
      ("Matthews correlation", fixed(matthewsCorrelation, decimals: 4)),
    ]
    if let scores {
      rows += scores.topAccuracy.map { ("among the first \($0.k)", percent($0.accuracy)) }
      rows.append(("log loss", fixed(scores.logLoss, decimals: 4)))
      rows.append(("calibration error", percent(scores.expectedCalibrationError)))
    }
    let width = rows.reduce(0) { max($0, $1.0.count) }
    return rows.map { name, value in name + String(repeating: " ", count: width + 2 - name.count) + value }
      .joined(separator: "\n")
  }
}

extension GroupReport {
  /// A table of the groups and the worst one's name. Of more than 30 groups the 30 of the lowest accuracy are listed.
  public var text: String {
    let limit = 30
    let shown = groups.count <= limit ? groups : Array(groups.sorted { $0.accuracy < $1.accuracy }.prefix(limit))
    var table = TextTable([.left(field), .right("accuracy"), .left("95% interval"), .right("files")])
    for group in shown {
      table.append([group.value, percent(group.accuracy), group.interval.text, String(group.files)])
    }
    var lines = [table.text]
    if shown.count < groups.count {
      lines.append("and \(groups.count - shown.count) groups that are as good or better")
    }
    if let worst {
      let name = printable("\(field) \(worst.value)")
      lines.append(
        "worst: \(name), \(percent(worst.accuracy)) (\(worst.correct) of \(worst.files)), 95% interval \(worst.interval.text)"
      )
    }
    return lines.joined(separator: "\n")
  }
}

extension ConfusionMatrix {
  /// The matrix as a table, rows the truth, columns the prediction, zeros as dots; shares as percentages.
  ///
  /// Labels too long to head columns within `width` characters are lettered. What is too wide even so would not be read
  /// as a matrix: the mistakes that were made most often are listed instead. `colored` shades each cell, in a terminal's
  /// 256 colours, by its share of the row.
  public func text(_ normalization: Normalization = .none, width: Int = 100, colored: Bool = false) -> String {
    let shades = values(normalization == .none ? .truth : normalization)
    let cells = zip(counts, values(normalization)).map { counts, values in
      zip(counts, values).map { count, value in
        count == 0 ? "." : normalization == .none ? String(count) : fixed(100 * value, decimals: 1)
      }
    }
    let widest = cells.joined().reduce(0) { max($0, $1.count) }
    func total(_ names: [String], _ titles: [String]) -> Int {
      names.reduce(5) { max($0, terminalWidth($1)) } + titles.reduce(0) { $0 + max(terminalWidth($1), widest) + 2 }
    }
    var (names, titles) = (labels, labels)
    if total(names, titles) > width {
      titles = labels.indices.map(letters)
      names = zip(titles, labels).map { "\($0) = \($1)" }
    }
    if total(names, titles) > width { return mostFrequentConfusions(limit: 20) }

    var table = TextTable(
      [.left(normalization == .none ? "truth" : "truth, %")] + titles.map { .right($0) })
    for row in labels.indices {
      table.append(
        shaded: [(names[row], nil)]
          + labels.indices.map { column in
            let share = shades[row][column]
            return (cells[row][column], share == 0 ? nil : row == column ? .right(share) : .wrong(share))
          })
    }
    return table.text(colored: colored)
  }

  private func mostFrequentConfusions(limit: Int) -> String {
    let confusions = confusions
    guard !confusions.isEmpty else { return "no mistakes" }
    var table = TextTable([.left("truth"), .left("predicted"), .right("files"), .right("of the class")])
    for confusion in confusions.prefix(limit) {
      table.append(
        [
          confusion.truth, confusion.predicted, String(confusion.count),
          percent(Double(confusion.count) / Double(confusion.support)),
        ])
    }
    let rest = confusions.dropFirst(limit).reduce(0) { $0 + $1.count }
    return table.text + (rest > 0 ? "\nand \(rest) mistakes of \(confusions.count - limit) other kinds" : "")
  }
}

/// a, b, ..., z, aa, ab, ... as spreadsheets name columns.
private func letters(_ index: Int) -> String {
  let last = String(Unicode.Scalar(UInt8(ascii: "a") + UInt8(index % 26)))
  return index < 26 ? last : letters(index / 26 - 1) + last
}

extension Comparison {
  /// The accuracies, their difference and how sure it is, in lines for people.
  public func text(first: String, second: String) -> String {
    func accuracy(_ correct: Int) -> String {
      percent(files == 0 ? 0 : Double(correct) / Double(files)) + " (\(correct) of \(files))"
    }
    let sign = difference > 0 ? "+" : ""
    let interval = interval
    let verdict =
      pValue < 0.05 ? "unlikely to be chance" : "may be chance"
    return """
      first       \(accuracy(firstCorrect))  \(printable(first))
      second      \(accuracy(secondCorrect))  \(printable(second))
      difference  \(sign)\(fixed(100 * difference, decimals: 2)) points, 95% interval \(fixed(100 * interval.lower, decimals: 2)) to \
      \(fixed(100 * interval.upper, decimals: 2))
      changed     \(onlySecondRight) only the second has right, \(onlyFirstRight) only the first; both right \(bothRight), both wrong \(bothWrong)
      McNemar     p = \(significant(pValue)) (exact, two-sided): \(verdict)
      """
  }
}

/// Three significant digits for probabilities however small: "0.0703", "1.20e-12".
private func significant(_ value: Double) -> String {
  if value >= 0.001 { return fixed(value, decimals: 4) }
  guard value > 0 else { return "0" }
  let exponent = Int((Double.log10(value)).rounded(.down))
  return fixed(value / Double.pow(10, Double(exponent)), decimals: 2) + "e\(exponent)"
}

/// `value` in [0, 1] as a percentage with two decimals: "98.33%".
public func percent(_ value: Double) -> String {
  fixed(100 * value, decimals: 2) + "%"
}

/// `value` rounded to so many decimals, half away from zero; numbers too large for that as Swift prints them.
public func fixed(_ value: Double, decimals: Int) -> String {
  let scale = (0..<max(0, decimals)).reduce(1.0) { scale, _ in 10 * scale }
  guard let scaled = Int(exactly: (value.magnitude * scale).rounded()) else { return value.description }
  var digits = String(scaled)
  digits = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
  let sign = value < 0 && scaled != 0 ? "-" : ""
  return sign + digits.dropLast(max(0, decimals)) + (decimals > 0 ? "." + digits.suffix(decimals) : "")
}
