/// How sequences of several lengths lie in one matrix without padding: sorted from long to short, time step after time
/// step. Step `t` is rows `offsets[t] ..< offsets[t + 1]`, one for each sequence that is still running, so a prefix of
/// the sorted sequences, and fewer as they end.
///
///     lengths 3, 1, 2  ->  sorted 3, 2, 1  ->  step 0: A C B, step 1: A C, step 2: A
struct BatchShape: Sendable {
  /// `order[i]` is the caller's index of the sequence in sorted place `i`.
  let order: [Int]
  /// Frames, by sorted place.
  let lengths: [Int]
  /// First row of each step, and the number of rows at the end.
  let offsets: [Int]

  init(lengths callerLengths: [Int]) {
    // Ties keep the caller's order, so that the result does not depend on the sort.
    let order = callerLengths.indices.sorted { (callerLengths[$1], $0) < (callerLengths[$0], $1) }
    self.init(order: order, lengths: order.map { callerLengths[$0] })
  }

  /// The same sequences in the same order, with as many frames as `count` makes of each; it must not turn a longer
  /// sequence into a shorter one.
  func withLengths(_ count: (Int) -> Int) -> BatchShape {
    BatchShape(order: order, lengths: lengths.map(count))
  }

  private init(order: [Int], lengths: [Int]) {
    self.order = order
    self.lengths = lengths
    var offsets = [0]
    var running = lengths.count
    for step in 0..<(lengths.first ?? 0) {
      while running > 0 && lengths[running - 1] <= step { running -= 1 }
      offsets.append(offsets[step] + running)
    }
    self.offsets = offsets
  }

  var sequences: Int { lengths.count }
  var steps: Int { offsets.count - 1 }
  var rows: Int { offsets[steps] }
  func running(_ step: Int) -> Int { offsets[step + 1] - offsets[step] }
}
