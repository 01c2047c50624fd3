import Datasets
import Testing

@Suite("Folds of a cross-validation")
struct FoldTests {
  /// 50 files of a, 20 of b, 10 of c: "a/0", "a/1", ...
  private func dataset(fields: (Int) -> [String: String] = { _ in [:] }) -> Dataset {
    let examples = [("a", 50), ("b", 20), ("c", 10)].flatMap { label, size in
      (0..<size).map { Example(path: "\(label)/\($0)", label: label, fields: fields($0)) }
    }
    return Dataset(examples: examples, source: "test")
  }

  private func counts(_ examples: [Example]) -> [String: Int] {
    examples.reduce(into: [:]) { $0[$1.label, default: 0] += 1 }
  }

  @Test(
    "every file is judged once, by a model of all others; each fold has its share of every class", arguments: [2, 5])
  func stratified(count: Int) throws {
    let dataset = dataset()
    let folds = try dataset.folds(count, seed: 1)
    #expect(folds.map(\.name) == (1...count).map { "fold \($0)" })
    #expect(folds.flatMap(\.testing).map(\.path).sorted() == dataset.examples.map(\.path).sorted())
    for fold in folds {
      #expect(counts(fold.testing) == ["a": 50 / count, "b": 20 / count, "c": 10 / count])
      #expect(Set(fold.training).union(fold.testing) == Set(dataset.examples))
      #expect(Set(fold.training).isDisjoint(with: fold.testing))
    }
  }

  @Test("the choice depends on the seed, not on the order of the examples")
  func deterministic() throws {
    let dataset = dataset()
    let reversed = Dataset(examples: dataset.examples.reversed(), source: "test")
    let first = try dataset.folds(5, seed: 1).map { Set($0.testing) }
    #expect(try dataset.folds(5, seed: 1).map { Set($0.testing) } == first)
    #expect(try reversed.folds(5, seed: 1).map { Set($0.testing) } == first)
    #expect(try dataset.folds(5, seed: 2).map { Set($0.testing) } != first)
  }

  @Test("files of one group stay in one fold")
  func groups() throws {
    for fold in try dataset(fields: { ["group": "speaker \($0 % 10)"] }).folds(5, seed: 1) {
      let groups = Set(fold.testing.compactMap { $0.fields["group"] })
      #expect(groups.count == 2 && fold.testing.count == 16)
      #expect(groups.isDisjoint(with: fold.training.compactMap { $0.fields["group"] }))
    }
  }

  @Test("leaving one out: a fold for each value, in natural order; what has none is always learned from")
  func leaveOneOut() throws {
    let names = ["10", "2", "", "1"]
    let dataset = dataset { ["speaker": names[$0 % 4]].filter { !$0.value.isEmpty } }
    let folds = try dataset.folds(leavingOut: "speaker")
    #expect(folds.map(\.name) == ["speaker=1", "speaker=2", "speaker=10"])
    for (fold, name) in zip(folds, ["1", "2", "10"]) {
      #expect(fold.testing == dataset.examples.filter { $0.fields["speaker"] == name })
      #expect(fold.training == dataset.examples.filter { $0.fields["speaker"] != name })
    }
  }

  @Test("what the data set keeps for testing is in no fold")
  func testing() throws {
    let kept = ["a", "b", "c"].map { Example(path: "\($0)/kept", label: $0, split: .testing, fields: ["half": "1"]) }
    let all = Dataset(examples: dataset { ["half": "\($0 % 2)"] }.examples + kept, source: "test")
    for fold in try all.folds(5, seed: 1) + all.folds(leavingOut: "half") {
      #expect(fold.training.count + fold.testing.count == 80)
      #expect(Set(fold.training + fold.testing).isDisjoint(with: kept))
    }
  }

  @Test("what cannot be is refused in a sentence")
  func refused() {
    let dataset = dataset { ["speaker": "anna", "kind": $0 < 10 ? "x" : "y"] }
    for count in [-1, 0, 1, 81] {
      #expect(sentence { _ = try dataset.folds(count, seed: 1) }.contains("\(count) folds of 80 files"))
    }
    #expect(
      sentence { _ = try dataset.folds(leavingOut: "size") }.contains(
        "'size' to leave out by; there are: kind, speaker"))
    #expect(sentence { _ = try dataset.folds(leavingOut: "speaker") }.contains("the same 'speaker', 'anna'"))
    #expect(
      sentence { _ = try dataset.folds(leavingOut: "kind") }.contains("all 10 files of class 'c' are for testing"))
    let single = Dataset(examples: dataset.examples + [Example(path: "d/0", label: "d")], source: "test")
    #expect(sentence { _ = try single.folds(5, seed: 1) }.contains("all 1 files of class 'd'"))
  }
}
