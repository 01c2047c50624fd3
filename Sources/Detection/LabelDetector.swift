/// One class's smoothed scores in, its events out: steps 2 to 6 of `EventDetector.Configuration`.
struct LabelDetector: Sendable {
  struct Hop: Sendable {
    let start: Double
    let end: Double
    let score: Float
  }

  private struct Run: Sendable {
    let start: Double
    var end: Double
    var peak: Float
  }

  private let label: String
  private let threshold: EventDetector.Configuration.Threshold
  private let agreement: Int
  private let agreementHops: Int
  private let minimumDuration: Double
  private let minimumGap: Double
  private let refractoryTime: Double

  private var isOn = false
  /// Hops at `off` or more, of which it is not known yet whether they reach `on`.
  private var rising: [Hop] = []
  /// Whether each of the last `agreementHops` hops was on, hop `n` at place `n % agreementHops`, and how many were.
  private var votes: [Bool]
  private var votesOn = 0
  private var voted = 0
  /// Hops that wait for those after them to vote: the last `agreementHops / 2`, hop `n` at place `n % count`.
  private var waiting: [Hop] = []
  private var run: Run?
  /// Where the last event that was given ended.
  private var lastEnd: Double?

  init(
    label: String, configuration: EventDetector.Configuration,
    threshold: EventDetector.Configuration.Threshold? = nil
  ) {
    self.label = label
    self.threshold = threshold ?? configuration.threshold(of: label)
    agreement = configuration.agreement
    agreementHops = configuration.agreementHops
    minimumDuration = configuration.minimumDuration - ScoreTrack.tolerance
    minimumGap = configuration.minimumGap - ScoreTrack.tolerance
    refractoryTime = configuration.refractoryTime - ScoreTrack.tolerance
    votes = [Bool](repeating: false, count: configuration.agreementHops)
  }

  mutating func append(_ hop: Hop, into events: inout [SoundEvent]) {
    isOn = hop.score >= (isOn ? threshold.off : threshold.on)
    let isRising = !isOn && hop.score >= threshold.off
    if !isRising || rising.count == EventDetector.Configuration.mostRisingHops { settle(into: &events) }
    if isRising { rising.append(hop) } else { take(hop, into: &events) }
  }

  mutating func finish(into events: inout [SoundEvent]) {
    settle(into: &events)
    let count = waiting.count
    // As long as hops are still missing from a full delay, none was decided, and the first stands at place 0.
    let oldest = count < agreementHops / 2 ? 0 : voted
    for _ in count..<(agreementHops / 2) { vote(false) }
    for index in 0..<count {
      vote(false)
      decide(waiting[(oldest + index) % count], isActive: votesOn >= agreement, into: &events)
    }
    waiting = []
    close(into: &events)
  }

  /// The event that has begun and may go on, if it is long enough.
  var running: SoundEvent? { run.flatMap(event) }

  /// Those that were rising are on if the hop after them is, and off if not.
  private mutating func settle(into events: inout [SoundEvent]) {
    for hop in rising { take(hop, into: &events) }
    rising.removeAll(keepingCapacity: true)
  }

  private mutating func take(_ hop: Hop, into events: inout [SoundEvent]) {
    vote(isOn)
    let delay = agreementHops / 2
    guard delay > 0 else { return decide(hop, isActive: isOn, into: &events) }
    guard waiting.count == delay else { return waiting.append(hop) }
    let place = (voted - 1) % delay
    let decided = waiting[place]
    waiting[place] = hop
    decide(decided, isActive: votesOn >= agreement, into: &events)
  }

  private mutating func vote(_ isOn: Bool) {
    let place = voted % agreementHops
    votesOn += (isOn ? 1 : 0) - (votes[place] ? 1 : 0)
    votes[place] = isOn
    voted += 1
  }

  private mutating func decide(_ hop: Hop, isActive: Bool, into events: inout [SoundEvent]) {
    guard var run else {
      if isActive { run = Run(start: hop.start, end: hop.end, peak: hop.score) }
      return
    }
    if isActive {
      run.end = hop.end
      run.peak = max(run.peak, hop.score)
      self.run = run
    } else if hop.end - run.end >= minimumGap {
      // The next event begins where this hop ends, or later.
      close(into: &events)
    }
  }

  private mutating func close(into events: inout [SoundEvent]) {
    defer { run = nil }
    guard let run, let event = event(run) else { return }
    lastEnd = run.end
    events.append(event)
  }

  private func event(_ run: Run) -> SoundEvent? {
    guard run.end - run.start >= minimumDuration else { return nil }
    if let lastEnd, run.start - lastEnd < refractoryTime { return nil }
    return SoundEvent(checkedStart: run.start, end: run.end, label: label, probability: run.peak)
  }
}
