import Datasets
import Testing

@Suite struct SplitTests {
  /// So many files of each class: "a/0", "a/1", ..., "b/0", ...
  private func dataset(_ sizes: KeyValuePairs<String, Int>, fields: (Int) -> [String: String] = { _ in [:] }) -> Dataset
  {
    let examples = sizes.flatMap { label, size in
      (0..<size).map { Example(path: "\(label)/\($0)", label: label, fields: fields($0)) }
    }
    return Dataset(examples: examples, source: "test")
  }

  private func counts(_ examples: [Example]) -> [String: Int] {
    examples.reduce(into: [:]) { $0[$1.label, default: 0] += 1 }
  }

  @Test(
    "a fraction is taken of every class, and each class keeps a file on both sides",
    arguments: [
      (0.1, ["a": 5, "b": 2, "c": 1]), (0.5, ["a": 25, "b": 10, "c": 1]), (0.99, ["a": 49, "b": 19, "c": 1]),
    ])
  func stratified(fraction: Double, expected: [String: Int]) throws {
    let split = try dataset(["a": 50, "b": 20, "c": 2, "d": 1]).split(validation: .fraction(fraction), seed: 3)
    #expect(counts(split.validation) == expected)
    #expect(split.training.count + split.validation.count == 73)
    #expect(Set(split.training).isDisjoint(with: split.validation))
    #expect(counts(split.training)["d"] == 1)
  }

  @Test("the choice depends on the seed, not on the order of the examples")
  func deterministic() throws {
    let dataset = dataset(["a": 50, "b": 50])
    let reversed = Dataset(examples: dataset.examples.reversed(), source: "test")
    let first = try dataset.split(validation: .fraction(0.2), seed: 1)
    #expect(try dataset.split(validation: .fraction(0.2), seed: 1) == first)
    #expect(Set(try reversed.split(validation: .fraction(0.2), seed: 1).validation) == Set(first.validation))
    #expect(try dataset.split(validation: .fraction(0.2), seed: 2).validation != first.validation)
  }

  @Test("files of one group stay on one side")
  func groups() throws {
    let dataset = dataset(["a": 40, "b": 40]) { ["group": "speaker \($0 % 10)"] }
    let split = try dataset.split(validation: .fraction(0.2), seed: 5)
    let heldOut = Set(split.validation.compactMap { $0.fields["group"] })
    #expect(heldOut.count == 2)
    #expect(heldOut.isDisjoint(with: split.training.compactMap { $0.fields["group"] }))
  }

  @Test("a group that holds all of a class stays in training", arguments: 0..<8)
  func wholeClassInGroup(seed: Int) throws {
    let files = (0..<20).map { Example(path: "a/\($0)", label: "a", fields: $0 < 3 ? ["group": "g"] : [:]) }
    let rare = (0..<2).map { Example(path: "b/\($0)", label: "b", fields: ["group": "g"]) }
    let split = try Dataset(examples: files + rare, source: "test")
      .split(validation: .fraction(0.25), seed: UInt64(seed))
    #expect(counts(split.validation) == ["a": 5] && counts(split.training) == ["a": 15, "b": 2])
  }

  @Test("groups too large for the fraction are refused rather than leaving nothing to validate with")
  func largeGroups() {
    let dataset = dataset(["a": 40, "b": 40]) { ["group": "speaker \($0 % 2)"] }
    #expect(throws: DatasetError.groupsTooLarge(fraction: 0.1, groups: 2)) {
      try dataset.split(validation: .fraction(0.1), seed: 5)
    }
  }

  @Test("a fraction of 0 takes nothing; below 0, of 1 or no number it is refused", arguments: [-0.1, 1, 1.5, .nan])
  func fractions(refused: Double) throws {
    let dataset = dataset(["a": 4, "b": 4])
    #expect(try dataset.split(validation: .fraction(0), seed: 1).validation.isEmpty)
    #expect(throws: DatasetError.self) { try dataset.split(validation: .fraction(refused), seed: 1) }
  }

  @Test("held out is what meets every condition")
  func holdOut() throws {
    let dataset = dataset(["a": 10, "b": 10]) { ["index": "\($0)", "parity": "\($0 % 2)"] }
    let conditions = [try FieldCondition("index<4"), try FieldCondition("parity=1")]
    let split = try dataset.split(validation: .holdOut(conditions), seed: 1)
    #expect(split.validation.map(\.path) == ["a/1", "a/3", "b/1", "b/3"])
    #expect(split.training.count == 16)
    #expect(
      sentence { _ = try dataset.split(validation: .holdOut([FieldCondition("index>10")]), seed: 1) }
        == "no file meets 'index>10'")
  }

  @Test("a class that training would lose is refused by name")
  func lostClass() throws {
    let dataset = dataset(["a": 10, "b": 3]) { ["index": "\($0)"] }
    let lost = Dataset.LostClass(label: "b", count: 3, split: .validation, path: "b/0")
    #expect(throws: DatasetError.classesNotInTraining([lost])) {
      try dataset.split(validation: .holdOut([FieldCondition("index<3")]), seed: 1)
    }
  }

  @Test("a class that only files for testing have is refused by name, line and split, or allowed")
  func onlyInTesting() throws {
    let folder = try TemporaryFolder()
    let list = try folder.write(
      "path,label,split\na.wav,x,train\nb.wav,y,train\nc.wav,x,valid\nd.wav,z,test\ne.wav,x,test\n", to: "list.csv")
    let dataset = try Dataset(at: list)
    #expect(
      sentence { _ = try dataset.split(validation: .asGiven, seed: 1) }
        == "\(list), line 5: class 'z': its one file is for testing ('\(folder.path)/d.wav'), and none is left for training"
    )
    let split = try dataset.split(validation: .asGiven, seed: 1, allowingClassesOnlyInTesting: true)
    #expect(split.labels == ["x", "y"] && split.testingByUnknownLabel == ["z": 1] && split.testing.count == 2)
    let validation = try folder.write("path,label,split\na.wav,x,\nb.wav,y,\nc.wav,z,val\n", to: "validation.csv")
    #expect(
      sentence {
        _ = try Dataset(at: validation).split(validation: .asGiven, seed: 1, allowingClassesOnlyInTesting: true)
      }.contains("class 'z'"), "training would count its files as another class's")
  }

  @Test("one class alone is refused")
  func oneClass() {
    #expect(throws: DatasetError.singleClass(label: "a", source: "test")) {
      try dataset(["a": 10]).split(validation: .fraction(0.1), seed: 1)
    }
  }

  private func given(_ splits: [Split?]) -> Dataset {
    let examples = ["a", "b"].flatMap { label in
      splits.enumerated().map { Example(path: "\(label)/\($0)", label: label, split: $1) }
    }
    return Dataset(examples: examples, source: "test")
  }

  @Test("splits that are given are kept; a file without one is for training")
  func asGiven() throws {
    let dataset = given([.training, .validation, .testing, nil])
    let split = try dataset.split(validation: .asGiven, seed: 1)
    #expect(split.training.map(\.path) == ["a/0", "a/3", "b/0", "b/3"])
    #expect(split.validation.map(\.path) == ["a/1", "b/1"])
    #expect(split.testing.map(\.path) == ["a/2", "b/2"])
    #expect(try dataset.split(validation: .automatic(fraction: 0.5), seed: 1) == split)
    #expect(throws: DatasetError.noSplitGiven(source: "test")) {
      try given([nil, nil]).split(validation: .asGiven, seed: 1)
    }
  }

  @Test("what is not given is taken from training, never from testing")
  func automatic() throws {
    let split = try given([nil, nil, nil, nil, .testing]).split(validation: .automatic(fraction: 0.25), seed: 1)
    #expect(counts(split.validation) == ["a": 1, "b": 1] && counts(split.training) == ["a": 3, "b": 3])
    #expect(split.testing.map(\.path) == ["a/4", "b/4"])
    let asked = try given([.training, .validation, .validation, .testing]).split(validation: .fraction(0.34), seed: 1)
    #expect(counts(asked.validation) == ["a": 1, "b": 1] && counts(asked.testing) == ["a": 1, "b": 1])
  }
}

@Suite struct BatchPlanTests {
  private let lengths = (0..<1_003).map { 20 + ($0 * 7_919) % 181 }

  @Test("every index comes exactly once", arguments: [1, 7, 32, 1_003, 5_000], [1, 8, 10_000])
  func complete(batchSize: Int, window: Int) throws {
    let batches = try BatchPlan(lengths: lengths, batchSize: batchSize, seed: 1, window: window).batches(epoch: 2)
    #expect(batches.joined().sorted() == Array(lengths.indices))
    #expect(batches.count == (lengths.count + min(batchSize, 1_003) - 1) / min(batchSize, 1_003))
    #expect(batches.count { $0.count != min(batchSize, 1_003) } <= 1)
  }

  @Test("the same seed and epoch give the same batches, others give others")
  func deterministic() throws {
    let plan = try BatchPlan(lengths: lengths, batchSize: 32, seed: 1)
    #expect(try plan.batches(epoch: 0) == BatchPlan(lengths: lengths, batchSize: 32, seed: 1).batches(epoch: 0))
    #expect(plan.batches(epoch: 0) != plan.batches(epoch: 1))
    #expect(try plan.batches(epoch: 0) != BatchPlan(lengths: lengths, batchSize: 32, seed: 2).batches(epoch: 0))
  }

  @Test("batches of like lengths have far less padding than random ones, and are not in order of length")
  func padding() throws {
    func frames(_ window: Int) throws -> Int {
      try BatchPlan(lengths: lengths, batchSize: 32, seed: 1, window: window).batches(epoch: 0)
        .reduce(0) { $0 + $1.count * ($1.map { lengths[$0] }.max() ?? 0) }
    }
    let sound = lengths.reduce(0, +)
    #expect(try (frames(8) - sound) * 4 < frames(1) - sound)
    let plan = try BatchPlan(lengths: lengths, batchSize: 32, seed: 1, window: lengths.count)
    let longest = plan.batches(epoch: 0).map { $0.map { lengths[$0] }.max() ?? 0 }
    #expect(longest != longest.sorted())
  }

  @Test("no examples give no batches; a batch of none is refused")
  func edges() throws {
    #expect(try BatchPlan(lengths: [], batchSize: 4, seed: 1).batches(epoch: 0).isEmpty)
    #expect(throws: DatasetError.invalidBatchSize(0)) { try BatchPlan(lengths: [1], batchSize: 0, seed: 1) }
  }
}
