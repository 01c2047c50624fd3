import SystemPackage

/// The lines of a file, or of standard input for `-`, read when they are asked for, without their line ends (LF or CR LF).
///
///     let reader = try LineReader("list.txt")
///     while let lines = try reader.next() { print(lines.count) }
///
/// Memory holds what came in one piece, and one line. A pipe may take its time. Not `Sendable`.
public final class LineReader {
  public let path: String
  private let file: FileDescriptor
  private var rest: [UInt8] = []
  private var block = [UInt8](repeating: 0, count: 1 << 16)
  private var isEnded = false

  /// Bytes of a line at most.
  public static let longestLine = 1 << 26

  public init(_ path: String) throws(FileError) {
    self.path = path
    file =
      path == "-" ? .standardInput : try unreadable(path) { try .open(path.filePath, .readOnly, options: .closeOnExec) }
  }

  deinit {
    if file != .standardInput { try? file.close() }
  }

  /// The next lines, as many as come in one piece, at least one; waits for them. Nil at the end.
  public func next() throws(FileError) -> [ArraySlice<UInt8>]? {
    while !isEnded {
      let count = try unreadable(path) { try block.withUnsafeMutableBytes { try file.read(into: $0) } }
      guard count > 0 else {
        isEnded = true
        defer { rest = [] }
        return rest.isEmpty ? nil : [LineReader.withoutReturn(rest[...])]
      }
      guard let end = block[..<count].lastIndex(of: UInt8(ascii: "\n")) else {
        rest += block[..<count]
        guard rest.count <= LineReader.longestLine else {
          throw .unreadable(path: path, reason: "no line end within \(LineReader.longestLine) bytes")
        }
        continue
      }
      let piece = rest + block[..<end]
      rest = Array(block[(end + 1)..<count])
      return piece.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(LineReader.withoutReturn)
    }
    return nil
  }

  private static func withoutReturn(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    line.last == UInt8(ascii: "\r") ? line.dropLast() : line
  }
}
