import AuricleBase

/// What is wrong with the parts of a run.
public struct MergeProblems: Sendable {
  init() {}

  /// Up to `limit` of what is missing and what is there twice, as people know it, and how many there are.
  public internal(set) var missing: [String] = []
  public internal(set) var missingCount = 0
  public internal(set) var doubled: [String] = []
  public internal(set) var doubledCount = 0
  /// Files whose run has not ended.
  public internal(set) var unfinished: [String] = []

  static let limit = 20

  public var areNone: Bool { missingCount == 0 && doubledCount == 0 && unfinished.isEmpty }

  mutating func addMissing(_ text: @autoclosure () -> String, count: Int = 1) {
    if missing.count < Self.limit { missing.append(text()) }
    missingCount += count
  }

  mutating func addDoubled(_ text: @autoclosure () -> String) {
    if doubled.count < Self.limit { doubled.append(text()) }
    doubledCount += 1
  }
}

/// Joins the rows of the shards of one run: predictions, detections, or what became of features.
///
///     let merge = try RowMerge(parts: ["part-1.jsonl", "part-2.jsonl"], list: "list.txt")
///     if merge.problems.areNone { try merge.write(to: "all.jsonl") }
///
/// Rows stand in the order of the run, without `shard` and `row`: they are those of a run in one piece. Rows without them,
/// as a run without shards gives them, stand in the order of the parts. Memory: 32 bytes a row.
public struct RowMerge: Sendable {
  private struct Row {
    /// In the whole run, from 1; 0 where it is not said.
    var number: Int
    var part: Int32
    var length: Int32
    var offset: Int
  }

  public private(set) var problems = MergeProblems()
  private let parts: [String]
  private var rows: [Row] = []

  public var count: Int { rows.count }

  /// Reads the parts. With `list`, which was the run's `--files-from`, it is known whether all its lines are answered, each
  /// by the row of its own file.
  ///
  /// Throws `FileError`, and `EvaluationError` for what are no rows, or not those of one run and of that list.
  public init(parts all: [String], list: String? = nil) throws {
    var problems = MergeProblems()
    problems.unfinished = all.filter { $0.hasSuffix(".part") }
    parts = all.filter { !$0.hasSuffix(".part") }
    var (shards, shardCount, empty): (Set<Int>, Int?, Int) = ([], nil, 0)
    var hashes: [UInt64: Int32] = [:]
    for (index, path) in parts.enumerated() {
      let before = rows.count
      try Self.forEachLine(of: path) { line, offset, number in
        let (shard, row, sound) = try Self.place(line, path, number)
        rows.append(Row(number: row ?? 0, part: Int32(index), length: Int32(clamping: line.count), offset: offset))
        guard (rows[0].number > 0) == (row != nil) else {
          throw EvaluationError.malformedRow(path: path, line: number, reason: "some rows say their place, some do not")
        }
        if let shard {
          guard shardCount ?? shard.count == shard.count else {
            throw EvaluationError.notMerged(
              path: path, reason: "it is of a run of \(shard.count) shards, others of \(shardCount ?? 0)")
          }
          shardCount = shard.count
          shards.insert(shard.index)
        }
        // Without places, a file that two parts answer is there twice.
        if row == nil, let other = hashes.updateValue(Int32(index), forKey: pathHash(sound.utf8)), other != index {
          problems.addDoubled("\(sound) (\(parts[Int(other)]), \(path))")
        }
      }
      if rows.count == before { empty += 1 }
    }
    if rows.first.map({ $0.number > 0 }) ?? false {
      rows.sort { ($0.number, $0.part, $0.offset) < ($1.number, $1.part, $1.offset) }
      removeDoubled(&problems)
    }
    try list.map { try check($0, &problems) } ?? checkNumbers(&problems)
    // A shard to which no file falls has an empty part.
    if let shardCount, list == nil {
      let absent = (1...shardCount).filter { !shards.contains($0) }
      if absent.count > empty {
        problems.missing = absent.prefix(MergeProblems.limit).map { "shard \($0)/\(shardCount)" } + problems.missing
        problems.missingCount = max(1, problems.missingCount)
      }
    }
    self.problems = problems
  }

  /// Writes the rows that are there. Throws `FileError`.
  public func write(to path: String) throws {
    let temporary = PartFile.temporaryPath(of: path)
    let output =
      try path == "-"
      ? AppendableFile(path: "-", keeping: 0) : AppendableFile(path: temporary, keeping: 0, exclusively: true)
    var files = OpenFiles(parts)
    var buffer: [UInt8] = []
    for row in rows {
      let line = try files.bytes(of: row.part, row.offset, Int(row.length))
      if row.number > 0 { buffer += try Self.withoutPlace(line).utf8 } else { buffer += line }
      buffer.append(UInt8(ascii: "\n"))
      if buffer.count >= 1 << 16 {
        try output.append(buffer)
        buffer.removeAll(keepingCapacity: true)
      }
    }
    try output.append(buffer)
    if path != "-" { try output.rename(to: path) }
  }

  private mutating func removeDoubled(_ problems: inout MergeProblems) {
    var kept = 0
    for row in rows {
      if kept > 0, rows[kept - 1].number == row.number {
        problems.addDoubled("row \(row.number) (\(parts[Int(rows[kept - 1].part)]), \(parts[Int(row.part)]))")
      } else {
        rows[kept] = row
        kept += 1
      }
    }
    rows.removeLast(rows.count - kept)
  }

  /// Rows that must be there because later ones are.
  private func checkNumbers(_ problems: inout MergeProblems) {
    var expected = 1
    for row in rows where row.number > 0 {
      if row.number > expected {
        let gap = row.number - expected
        problems.addMissing(gap == 1 ? "row \(expected)" : "rows \(expected) to \(row.number - 1)", count: gap)
      }
      expected = row.number + 1
    }
  }

  /// Each line of the list, and the row that answers it.
  private func check(_ list: String, _ problems: inout MergeProblems) throws {
    var files = OpenFiles(parts)
    var next = 0
    let areNumbered = rows.first.map { $0.number > 0 } ?? false
    // Rows without a place are found by their path.
    var answers: [UInt64: Int] = [:]
    if !areNumbered {
      for row in rows {
        let line = try files.bytes(of: row.part, row.offset, Int(row.length))
        answers[pathHash(try Self.place(line[...], parts[Int(row.part)], 0).path.utf8), default: 0] += 1
      }
    }
    let count = try ListedFile.forEach(in: list) { file, number in
      if !areNumbered {
        let hash = pathHash(file.identity.utf8)
        if let left = answers[hash], left > 0 { answers[hash] = left - 1 } else { problems.addMissing(file.identity) }
        return
      }
      guard next < rows.count, rows[next].number == number else {
        problems.addMissing(file.identity.isEmpty ? "line \(number)" : file.identity)
        return
      }
      let (row, part) = (rows[next], parts[Int(rows[next].part)])
      let path = try Self.place(files.bytes(of: row.part, row.offset, Int(row.length))[...], part, 0).path
      guard path == file.identity else {
        throw EvaluationError.notMerged(
          path: part, reason: "row \(number) is \(path), but line \(number) of \(list) is \(file.identity)")
      }
      next += 1
    }
    if areNumbered && next < rows.count {
      throw EvaluationError.notMerged(
        path: parts[Int(rows[next].part)],
        reason: "it has a row \(rows[next].number), but \(list) has only \(count) lines")
    }
  }

  // MARK: Rows

  private static func forEachLine(
    of path: String, _ body: (ArraySlice<UInt8>, _ offset: Int, _ line: Int) throws -> Void
  ) throws {
    let reader = try LineReader(path)
    var (offset, number) = (0, 0)
    while let lines = try reader.next() {
      for line in lines {
        number += 1
        if !line.isEmpty { try body(line, offset, number) }
        offset += line.count + 1
      }
    }
  }

  private static func place(
    _ line: ArraySlice<UInt8>, _ path: String, _ number: Int
  ) throws(EvaluationError) -> (shard: Shard?, row: Int?, path: String) {
    var (shard, row, sound): (String?, Int?, String?)
    var scanner = JSONScanner(line)
    do {
      try scanner.object { (scanner, name) throws(MalformedJSON) in
        switch name {
        case "shard": shard = try scanner.text()
        case "row": row = try scanner.number()
        case "path": sound = try scanner.text()
        default: try scanner.skipValue()
        }
      }
      try scanner.end()
    } catch {
      throw .malformedRow(path: path, line: number, reason: error.reason)
    }
    guard let sound, row ?? 1 > 0 else {
      throw .malformedRow(path: path, line: number, reason: "it has no 'path', or a 'row' that is none")
    }
    return (shard.flatMap { try? Shard($0) }, row, sound)
  }

  /// The row that a run in one piece would give.
  private static func withoutPlace(_ line: [UInt8]) throws(MalformedJSON) -> String {
    jsonObject(try jsonMembers(line).filter { $0.name != "shard" && $0.name != "row" }.map { ($0.name, $0.json) })
  }

  /// Parts that are read here and there, some open at a time.
  private struct OpenFiles {
    let paths: [String]
    var open: [Int32: SeekableFile] = [:]

    init(_ paths: [String]) { self.paths = paths }

    mutating func bytes(of part: Int32, _ offset: Int, _ count: Int) throws -> [UInt8] {
      if let file = open[part] { return try file.read(count, at: offset) }
      if open.count >= 256 { open.removeAll() }
      let file = try SeekableFile(paths[Int(part)])
      open[part] = file
      return try file.read(count, at: offset)
    }
  }
}
