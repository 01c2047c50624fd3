import SequenceModel

/// What a tensor of an ONNX graph means: which axes are sequences and frames, and where a frame's numbers lie.
///
/// Auricle has the numbers of a frame in one order, here split into factors from the slowest to the fastest: bins and
/// channels, directions and units. A tensor has them on one axis or on several, in any order, so that transposing and
/// reshaping changes no layer, only `axes`.
struct ONNXSignal {
  enum Atom: Hashable {
    case sequences, frames
    case factor(Int)
    /// `range` of a frame's numbers.
    case part
  }
  /// `final` is the last of a forward direction and the first of a backward one.
  enum Place { case first, last, final }

  /// The last layer that made it.
  var link: Int
  var shape: LayerShape
  /// Their product is `shape.count`.
  var factors: [Int]
  /// What each axis runs over, slowest first; an axis of size 1 over nothing.
  var axes: [[Atom]]
  /// Where the graph was exported for one length only, and for one number of sequences.
  var frameCount: Int?
  var sequenceCount: Int?

  // What is no layer yet.
  /// Only these numbers of a frame, in Auricle's order.
  var range: Range<Int>?
  /// Only this frame.
  var place: Place?
  var isReversed = false
  /// Frames of zeros that were put before and after.
  var padding = (before: 0, after: 0)
  /// Softmax over the frames of each number.
  var isShare = false
  /// Its numbers were made probabilities by softmax.
  var isProbability = false

  /// The tensor of a layer's output whose frames are one axis' numbers.
  func followed(by link: Int, _ shape: LayerShape, factors: [Int], axes: [[Atom]]) -> ONNXSignal {
    var next = ONNXSignal(
      link: link, shape: shape, factors: factors, axes: axes.map { $0.filter { !$0.isSingle(factors) } },
      sequenceCount: sequenceCount)
    next.frameCount = frameCount.map { count in
      let stride = shape.frameStride / max(1, self.shape.frameStride)
      return (count + stride - 1) / max(1, stride)
    }
    return next
  }

  // MARK: Axes

  func axis(_ index: Int) throws(ImportProblem) -> Int {
    let place = index < 0 ? index + axes.count : index
    guard axes.indices.contains(place) else {
      throw ImportProblem(reason: "names axis \(index) of a tensor of \(axes.count)")
    }
    return place
  }

  /// Numbers along an axis; nil for sequences and frames.
  func size(_ axis: [Atom]) -> Int? {
    var size = 1
    for atom in axis {
      switch atom {
      case .factor(let index): size *= factors[index]
      case .part: size *= range?.count ?? 1
      case .sequences, .frames: return nil
      }
    }
    return size
  }

  /// All of a frame's factors, in any order.
  func isAll(_ axis: [Atom]) -> Bool { Set(axis) == Set(allFactors) && axis.count == allFactors.count }

  var allFactors: [Atom] { factors.indices.filter { factors[$0] > 1 }.map { .factor($0) } }

  /// For each place along an axis, or several from slow to fast, which of Auricle's numbers of a frame it is; factors that
  /// are not on it count from 0.
  func order(_ axis: [Atom]) -> [Int] {
    var order = [0]
    for case .factor(let index) in axis {
      let step = factors[(index + 1)...].reduce(1, *)
      order = order.flatMap { place in (0..<factors[index]).map { place + $0 * step } }
    }
    return order
  }

  mutating func transpose(_ order: [Int]) throws(ImportProblem) {
    guard order.sorted() == Array(axes.indices) else { throw ImportProblem(reason: "has no order of its axes") }
    axes = order.map { axes[$0] }
  }

  mutating func unsqueeze(_ places: [Int]) throws(ImportProblem) {
    let count = axes.count + places.count
    let wanted = Set(places.map { $0 < 0 ? $0 + count : $0 })
    guard wanted.count == places.count, wanted.allSatisfy({ $0 >= 0 && $0 < count }) else {
      throw ImportProblem(reason: "names axes that cannot be")
    }
    var rest = axes[...]
    axes = (0..<count).map { wanted.contains($0) ? [] : rest.popFirst() ?? [] }
  }

  mutating func squeeze(_ places: [Int]?) throws(ImportProblem) {
    var gone: Set<Int> = []
    if let places {
      for place in places { gone.insert(try axis(place)) }
    } else {
      gone = Set(axes.indices.filter { axes[$0].isEmpty })
    }
    for place in gone where !axes[place].isEmpty {
      // Exported for a single sequence.
      throw ImportProblem(reason: "drops axis \(place), which is not of size 1")
    }
    axes = axes.indices.filter { !gone.contains($0) }.map { axes[$0] }
  }

  // MARK: Reshaping

  /// Of a new shape, as the graph computes it.
  enum Size: Hashable {
    case known(Int)
    case sequences, frames
    /// Computed in a way that is not followed.
    case unknown

    static func * (a: Size, b: Size) -> Size {
      switch (a, b) {
      case (.known(let a), .known(let b)):
        let (product, overflow) = a.multipliedReportingOverflow(by: b)
        return overflow ? .unknown : .known(product)
      case (.known(1), let other), (let other, .known(1)): return other
      default: return .unknown
      }
    }
  }

  func sizes() -> [Size] {
    axes.map { axis in
      axis.isEmpty
        ? .known(1)
        : size(axis).map { .known($0) } ?? (axis == [.sequences] ? .sequences : axis == [.frames] ? .frames : .unknown)
    }
  }

  /// `keepsZeros`: a size of 0 is that of the same axis before.
  mutating func reshape(_ sizes: [Size], keepsZeros: Bool) throws(ImportProblem) {
    var rest = axes.flatMap { $0 }[...]
    var result = [[Atom]](repeating: [], count: sizes.count)
    let open = sizes.indices.filter { sizes[$0] == .unknown || sizes[$0] == .known(-1) }
    guard open.count <= 1 else { throw ImportProblem(reason: "reshapes in a way that is not followed") }
    let end = open.first ?? sizes.count
    for place in 0..<end {
      if keepsZeros && sizes[place] == .known(0) {
        guard place < axes.count, rest.starts(with: axes[place]) else {
          throw ImportProblem(reason: "reshapes in a way that is not followed")
        }
        result[place] = axes[place]
        rest = rest.dropFirst(axes[place].count)
      } else {
        try take(sizes[place], of: &rest, into: &result, place, atFront: true)
      }
    }
    for place in stride(from: sizes.count - 1, to: end, by: -1) {
      if keepsZeros && sizes[place] == .known(0) {
        throw ImportProblem(reason: "reshapes in a way that is not followed")
      }
      try take(sizes[place], of: &rest, into: &result, place, atFront: false)
    }
    if let place = open.first {
      result[place] = Array(rest)
      rest = []
    }
    guard rest.isEmpty else { throw ImportProblem(reason: "reshapes to fewer numbers than there are") }
    axes = result
  }

  private mutating func take(
    _ size: Size, of rest: inout ArraySlice<Atom>, into result: inout [[Atom]], _ place: Int, atFront: Bool
  ) throws(ImportProblem) {
    let problem = ImportProblem(
      reason: "splits or joins sequences, frames and their numbers in a way that no layer does")
    func next() -> Atom? { atFront ? rest.first : rest.last }
    func remove() -> Atom { atFront ? rest.removeFirst() : rest.removeLast() }
    switch size {
    case .sequences, .frames:
      guard next() == (size == .frames ? .frames : .sequences) else { throw problem }
      result[place] = [remove()]
    case .unknown: throw problem
    case .known(let wanted):
      guard wanted > 0 else { throw problem }
      var left = wanted
      if left == 1, next() == .sequences, sequenceCount == 1 { result[place] = [remove()] }
      while left > 1 {
        guard let atom = next() else { throw problem }
        let size =
          switch atom {
          case .sequences: sequenceCount
          case .frames: frameCount
          case .factor(let index): factors[index]
          case .part: range?.count
          }
        guard let size, size > 0 else { throw problem }
        if left % size == 0 {
          result[place].insert(remove(), at: atFront ? result[place].count : 0)
          left /= size
        } else if case .factor(let index) = atom, size % left == 0 {
          let slow = atFront ? left : size / left
          split(index, slow: slow, &rest, &result)
        } else {
          throw problem
        }
      }
    }
  }

  /// Makes two factors of one, wherever it stands.
  private mutating func split(_ index: Int, slow: Int, _ rest: inout ArraySlice<Atom>, _ result: inout [[Atom]]) {
    let fast = factors[index] / slow
    factors.replaceSubrange(index...index, with: [slow, fast])
    func renamed(_ axis: some Sequence<Atom>) -> [Atom] {
      axis.flatMap { atom -> [Atom] in
        guard case .factor(let place) = atom else { return [atom] }
        if place == index { return [.factor(index), .factor(index + 1)] }
        return [.factor(place > index ? place + 1 : place)]
      }
    }
    rest = renamed(rest)[...]
    result = result.map { renamed($0) }
  }
}

extension ONNXSignal.Atom {
  fileprivate func isSingle(_ factors: [Int]) -> Bool {
    if case .factor(let index) = self { factors.indices.contains(index) && factors[index] == 1 } else { false }
  }
}
