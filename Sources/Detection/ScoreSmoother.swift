/// The mean or median of each class's scores over an odd number of hops, `hops / 2` hops late.
struct ScoreSmoother: Sendable {
  private let kind: EventDetector.Configuration.Smoothing
  private let hops: Int
  private let classes: Int

  /// The last `hops` rows, row `n` of the stream at place `n % hops`, and the times at which they begin and end.
  private var rows: [Float]
  private var times: [(start: Double, end: Double)]
  private var received = 0
  private var given = 0
  private var sorted: [Float] = []

  /// Where the last row ends.
  private(set) var end: Double
  /// The row that was smoothed last.
  private(set) var output: [Float]
  private(set) var outputStart = 0.0
  private(set) var outputEnd = 0.0

  init(kind: EventDetector.Configuration.Smoothing, hops: Int, classes: Int, start: Double) {
    self.kind = kind
    self.hops = hops
    self.classes = classes
    end = start
    rows = []
    times = []
    output = [Float](repeating: 0, count: classes)
  }

  /// Takes a row; whether there is another `output`.
  mutating func append(_ row: some Collection<Float>, until end: Double) -> Bool {
    let place = received % hops
    if place == times.count {
      rows += row
      times.append((self.end, end))
    } else {
      rows.replaceSubrange(place * classes..<(place + 1) * classes, with: row)
      times[place] = (self.end, end)
    }
    self.end = end
    received += 1
    guard received > hops / 2 else { return false }
    smooth()
    return true
  }

  /// After the last row: whether there is another `output`.
  mutating func flush() -> Bool {
    guard given < received else { return false }
    smooth()
    return true
  }

  /// Each window is summed anew, so that no rounding error is carried along a stream of days.
  private mutating func smooth() {
    let window = max(0, given - hops / 2)..<min(received, given + hops / 2 + 1)
    (outputStart, outputEnd) = times[given % hops]
    for column in 0..<classes {
      if window.count == 1 {
        output[column] = rows[given % hops * classes + column]
      } else if kind == .mean {
        let sum = window.reduce(0.0) { $0 + Double(rows[$1 % hops * classes + column]) }
        output[column] = Float(sum / Double(window.count))
      } else {
        sorted.removeAll(keepingCapacity: true)
        for row in window { sorted.append(rows[row % hops * classes + column]) }
        sorted.sort()
        let middle = sorted.count / 2
        output[column] = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
      }
    }
    given += 1
  }
}
