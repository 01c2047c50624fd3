import Auricle
import AuricleBase
import Synchronization

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Of several processes that train together, the first alone speaks.
let isSilent = Atomic<Bool>(false)

/// Results, a line at a time, so that a reader at the end of a pipe has each as soon as it is there.
enum StandardOutput {
  static let isTerminal = isatty(1) == 1

  /// Whether escape sequences for colours are welcome: on a terminal that knows them, unless `NO_COLOR` is set to
  /// anything (https://no-color.org).
  static let hasColor: Bool = {
    let environment = ProcessInfo.processInfo.environment
    return isTerminal && environment["TERM"] != "dumb" && environment["NO_COLOR", default: ""].isEmpty
  }()

  /// Columns of the terminal; nil where it is none.
  static var width: Int? {
    var size = winsize()
    guard isTerminal, ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  static func write(_ line: String) throws {
    if isSilent.load(ordering: .relaxed) { return }
    try FileAccess.writeAtomically(line + "\n", to: "-")
  }
}

/// Everything that is not a result.
enum StandardError {
  static let isTerminal = isatty(2) == 1

  /// One line, whatever a file is called.
  static func report(_ sentence: String) {
    write("auricle: " + printable(sentence))
  }

  static func write(_ text: String, terminator: String = "\n") {
    if isSilent.load(ordering: .relaxed) { return }
    let bytes = Array((text + terminator).utf8)
    _ = bytes.withUnsafeBytes { systemWrite(2, $0) }
  }
}

/// `text` with control characters spelled out: a file's name must neither break a line nor send commands to a terminal.
func printable(_ text: String) -> String {
  guard text.unicodeScalars.contains(where: isControl) else { return text }
  return text.replacingScalars { scalar in
    switch scalar {
    case "\n": "\\n"
    case "\r": "\\r"
    case "\t": "\\t"
    case _ where isControl(scalar): "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
    default: nil
    }
  }
}

private func isControl(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .control, .lineSeparator, .paragraphSeparator: true
  default: false
  }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
  write(descriptor, bytes.baseAddress, bytes.count)
}

/// One line on a terminal that is drawn again and again; nothing where standard error is not a terminal.
struct ProgressLine {
  private var lastDrawn: ContinuousClock.Instant?
  private var isDrawn = false

  /// Draws `text()` unless it was drawn less than a tenth of a second ago.
  mutating func update(_ text: @autoclosure () -> String) {
    guard StandardError.isTerminal else { return }
    let now = ContinuousClock.now
    if let lastDrawn, now - lastDrawn < .milliseconds(100) { return }
    lastDrawn = now
    isDrawn = true
    StandardError.write("\r\u{1B}[K" + text(), terminator: "")
  }

  /// Removes the line, before other text is written.
  mutating func clear() {
    if isDrawn { StandardError.write("\r\u{1B}[K", terminator: "") }
    isDrawn = false
    lastDrawn = nil
  }
}
