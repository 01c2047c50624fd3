import Auricle
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The signal that asked the program to stop; 0 as long as there was none.
private let received = Atomic<Int32>(0)

/// The first Ctrl-C (SIGINT) or SIGTERM ends a command in good order: what is in flight is finished and kept. The second
/// one ends the program at once.
enum Interruption {
  static func listen() {
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        received.store(number, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
    }
  }

  /// A closed pipe, and a file that has grown as large as it may, become errors of the write instead of the end.
  static func turnSignalsIntoErrors() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
  }

  /// Whether there was a signal.
  static var isRequested: Bool { received.load(ordering: .relaxed) != 0 }

  /// Cancels the current task if there was a signal.
  static func check() {
    if isRequested { withUnsafeCurrentTask { $0?.cancel() } }
  }

  static var status: ExitStatus { received.load(ordering: .relaxed) == SIGTERM ? .terminated : .interrupted }
}
