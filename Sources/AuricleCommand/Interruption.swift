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

/// Turns the first Ctrl-C (SIGINT) or SIGTERM into the cancellation of a task, which then ends in good order. The second
/// one ends the program at once.
struct Interruption {
  /// Begins to listen.
  init() {
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        received.store(number, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
    }
    received.store(0, ordering: .relaxed)
  }

  /// Cancels the current task if there was a signal.
  func check() {
    if received.load(ordering: .relaxed) != 0 { withUnsafeCurrentTask { $0?.cancel() } }
  }

  var status: ExitStatus { received.load(ordering: .relaxed) == SIGTERM ? .terminated : .interrupted }
}
