import AuricleBase

/// A file of predictions, one a row: CSV for a name in `.csv`, JSON lines otherwise.
///
///     let file = PredictionFile(path: "predictions.jsonl")
///     let end = try file.read { print($0.path) }
///     end.isCutOff        // whether an unfinished row, which a stopped run left, was passed over
///
/// Read and written a row at a time: memory does not grow with the number of files. A path may hold any character,
/// quotation marks and line ends too. Bytes that are not UTF-8 are read as U+FFFD.
public struct PredictionFile: Sendable {
  public enum Format: Sendable {
    case jsonLines, csv
  }

  /// Where reading came to an end.
  public struct End: Sendable {
    /// Rows read, without the header.
    public let rows: Int
    /// The bytes up to the end of the last whole row.
    public let byteCount: Int
    /// Whether an unfinished row follows.
    public let isCutOff: Bool
    let columns: PredictionColumns?
  }

  public let path: String
  public let format: Format

  public init(path: String) {
    self.path = path
    format = path.lowercased().hasSuffix(".csv") ? .csv : .jsonLines
  }

  /// Hands each row to `each`.
  ///
  /// A last row without a line end is handed over too if it can be read, unless `linesMustEnd`: then it counts as cut
  /// off. Throws `FileError`, and `EvaluationError.malformedRow` for any other row that cannot be read.
  @discardableResult
  public func read(linesMustEnd: Bool = false, _ each: (Prediction) throws -> Void) throws -> End {
    var records = RecordSplitter(quoted: format == .csv)
    var columns: PredictionColumns?
    var rows = 0
    func prediction(_ record: ArraySlice<UInt8>) throws(MalformedPrediction) -> Prediction? {
      guard format == .csv else { return try Prediction(jsonLine: record) }
      let cells: [String]
      do throws(DelimitedText.Malformed) {
        cells = try DelimitedText(trimsBlanks: false).cells(of: record)
      } catch {
        throw MalformedPrediction(reason: error.reason)
      }
      if let columns { return try columns.prediction(cells) }
      columns = PredictionColumns(names: cells)
      if columns == nil { throw MalformedPrediction(reason: "no column 'path' in the header") }
      return nil
    }

    try FileAccess.readBlocks(path) { block in
      try records.append(block) { record, line in
        do {
          guard let prediction = try prediction(record) else { return }
          rows += 1
          try each(prediction)
        } catch let error as MalformedPrediction {
          throw EvaluationError.malformedRow(path: path, line: line, reason: error.reason)
        }
      }
      if records.rest.count > Self.longestRow {
        throw EvaluationError.malformedRow(
          path: path, line: records.line, reason: "no line end within \(Self.longestRow) bytes")
      }
    }
    let rest = records.rest
    let last = rest.isEmpty || linesMustEnd ? nil : try? prediction(rest[...])
    if let last { try each(last) }
    return End(
      rows: rows + (last == nil ? 0 : 1), byteCount: records.byteCount, isCutOff: !rest.isEmpty && last == nil,
      columns: columns)
  }

  private static let longestRow = 1 << 26

  /// Every label in the file: those that have probabilities in the order of the first row that has any, then the others
  /// in natural order.
  public func labels() throws -> [String] {
    var ordered: [String] = []
    var known: Set<String> = []
    var others: Set<String> = []
    try read { prediction in
      for candidate in prediction.probabilities where known.insert(candidate.label).inserted {
        ordered.append(candidate.label)
      }
      for label in [prediction.truth, prediction.label] {
        if let label, !known.contains(label) { others.insert(label) }
      }
    }
    return ordered + others.subtracting(known).sorted(by: naturallyPrecedes)
  }
}

/// Cuts bytes that come in blocks into lines; a line end between quotation marks belongs to its line if `quoted`.
private struct RecordSplitter {
  /// What follows the last line end.
  private(set) var rest: [UInt8] = []
  /// Bytes up to the last line end.
  private(set) var byteCount = 0
  /// The number of the line that `rest` begins, from 1.
  private(set) var line = 1

  private let quoted: Bool
  private var isInQuotes = false
  private var lineEnds = 0

  init(quoted: Bool) {
    self.quoted = quoted
  }

  /// Hands each line that holds anything to `each`, with its number, from 1.
  mutating func append(_ block: ArraySlice<UInt8>, each: (ArraySlice<UInt8>, Int) throws -> Void) rethrows {
    var start = block.startIndex
    for index in block.indices {
      let byte = block[index]
      if quoted && byte == UInt8(ascii: "\"") { isInQuotes.toggle() }
      guard byte == UInt8(ascii: "\n") else { continue }
      lineEnds += 1
      if isInQuotes { continue }
      let piece = block[start..<index]
      let record = rest.isEmpty ? piece : (rest + piece)[...]
      if record.contains(where: { $0 > 0x20 }) { try each(record, line) }
      byteCount += record.count + 1
      line += lineEnds
      lineEnds = 0
      rest = []
      start = index + 1
    }
    rest += block[start...]
  }
}
