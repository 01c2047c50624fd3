// What people read: reports and confusion matrices as tables for a terminal.

extension ClassificationReport {
  /// The per-class table with the means below it, and the accuracy.
  ///
  ///     class          precision  recall      F1  files
  ///     -------------  ---------  ------  ------  -----
  ///     cat               1.0000  0.5000  0.6667      2
  ///     ...
  ///
  ///     accuracy 66.67% (2 of 3)
  public var text: String {
    var table = TextTable([.left("class"), .right("precision"), .right("recall"), .right("F1"), .right("files")])
    func append(_ name: String, _ numbers: [Double], _ files: Int) {
      table.append([name] + numbers.map { fixed($0, decimals: 4) } + [String(files)])
    }
    for metrics in perClass {
      append(metrics.label, [metrics.precision, metrics.recall, metrics.f1], metrics.support)
    }
    table.append([])
    append("macro mean", [macroMean.precision, macroMean.recall, macroMean.f1], confusion.total)
    append("weighted mean", [weightedMean.precision, weightedMean.recall, weightedMean.f1], confusion.total)
    return table.text + "\n\naccuracy \(percent(accuracy)) (\(confusion.correct) of \(confusion.total))"
  }
}

extension ConfusionMatrix {
  /// The matrix as a table, rows the truth, columns the prediction, zeros as dots.
  ///
  /// Labels too long to head columns within 100 characters are lettered. More than 20 classes would not be read as a
  /// matrix: those mistakes that were made most often are listed instead.
  public var text: String {
    if labels.count > 20 { return mostFrequentConfusions(limit: 20) }
    let widest = counts.joined().reduce(0) { max($0, String($1).count) }
    let width = labels.reduce(0) { max($0, $1.count) } + labels.reduce(0) { $0 + max($1.count, widest) + 2 }
    let titles = width <= 100 ? labels : labels.indices.map { String("abcdefghijklmnopqrst".dropFirst($0).prefix(1)) }
    var table = TextTable([.left("truth")] + titles.map { .right($0) })
    for (index, label) in labels.enumerated() {
      let name = width <= 100 ? label : "\(titles[index]) = \(label)"
      table.append([name] + counts[index].map { $0 == 0 ? "." : String($0) })
    }
    return table.text
  }

  private func mostFrequentConfusions(limit: Int) -> String {
    let confusions = confusions
    guard !confusions.isEmpty else { return "no mistakes" }
    var table = TextTable([.left("truth"), .left("predicted"), .right("files"), .right("of the class")])
    for confusion in confusions.prefix(limit) {
      let share = Double(confusion.count) / Double(support(of: confusion.truth))
      table.append([confusion.truth, confusion.predicted, String(confusion.count), percent(share)])
    }
    let rest = confusions.dropFirst(limit).reduce(0) { $0 + $1.count }
    return table.text + (rest > 0 ? "\nand \(rest) mistakes of \(confusions.count - limit) other kinds" : "")
  }
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
