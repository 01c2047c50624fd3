/// A maximum matching of a bipartite graph: Hopcroft and Karp's algorithm as David Eppstein wrote it (2002), which
/// mir_eval and sed_eval have taken over. Of several maximum matchings it finds the same one as they do, since what counts
/// as a substitution hangs on it; their vertices on the left are the found events.
struct BipartiteMatching {
  /// In the order of the annotated events.
  let pairs: [(truth: Int, found: Int)]

  /// `edges[truth]` are the found events, rising, that fit the annotated one.
  init(_ edges: [[Int]], rightCount: Int) {
    // Left vertices in the order in which sed_eval meets them: row after row of the matrix truth x found.
    var graph = [[Int]](repeating: [], count: rightCount)
    var left: [Int] = []
    for (truth, row) in edges.enumerated() {
      for found in row {
        if graph[found].isEmpty { left.append(found) }
        graph[found].append(truth)
      }
    }
    var matching = [Int?](repeating: nil, count: edges.count)
    for found in left {
      if let free = graph[found].first(where: { matching[$0] == nil }) { matching[free] = found }
    }

    while true {
      var layers = Layers(graph: graph, left: left, matching: matching)
      if layers.unmatched.isEmpty { break }
      for truth in layers.unmatched { layers.augment(truth, &matching) }
    }
    pairs = matching.enumerated().compactMap { truth, found in found.map { (truth, $0) } }
  }

  /// The residual graph in layers, from free found events to free annotated ones.
  private struct Layers {
    private enum Predecessor {
      case none
      case free
      case truth(Int)
    }

    private var predecessors: [Predecessor]
    private var candidates: [[Int]?]
    private(set) var unmatched: [Int] = []

    init(graph: [[Int]], left: [Int], matching: [Int?]) {
      predecessors = [Predecessor](repeating: .none, count: graph.count)
      candidates = [[Int]?](repeating: nil, count: matching.count)
      for found in left { predecessors[found] = .free }
      for case let found? in matching { predecessors[found] = .none }
      var layer = left.filter { if case .free = predecessors[$0] { true } else { false } }
      while !layer.isEmpty && unmatched.isEmpty {
        var order: [Int] = []
        var next: [Int: [Int]] = [:]
        for found in layer {
          for truth in graph[found] where candidates[truth] == nil {
            if next[truth] == nil { order.append(truth) }
            next[truth, default: []].append(found)
          }
        }
        layer = []
        for truth in order {
          candidates[truth] = next[truth]
          if let found = matching[truth] {
            layer.append(found)
            predecessors[found] = .truth(truth)
          } else {
            unmatched.append(truth)
          }
        }
      }
    }

    /// Searches a way from `truth` back to a free found event, and turns the pairs on it around. Not recursive: a way may
    /// be as long as the recording.
    mutating func augment(_ truth: Int, _ matching: inout [Int?]) {
      var path: [(truth: Int, rest: ArraySlice<Int>, chosen: Int)] = []
      func enter(_ truth: Int) -> Bool {
        guard let list = candidates[truth] else { return false }
        candidates[truth] = nil
        path.append((truth, list[...], -1))
        return true
      }
      guard enter(truth) else { return }
      while let last = path.indices.last {
        guard let found = path[last].rest.popFirst() else {
          path.removeLast()
          continue
        }
        let predecessor = predecessors[found]
        predecessors[found] = .none
        path[last].chosen = found
        switch predecessor {
        case .none: continue
        case .free:
          for step in path { matching[step.truth] = step.chosen }
          return
        case .truth(let before): _ = enter(before)
        }
      }
    }
  }
}
