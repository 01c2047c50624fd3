import Auricle
import TestSupport
import Testing

@Suite("Training on files")
struct SoundTrainerTests {
  /// Zeros and sevens of four voices of Fixtures/digits, split by voice.
  private func split() throws -> DatasetSplit {
    let pattern = try LabelPattern("{label}_{voice}_{take}")
    let dataset = try Dataset(at: fixture("digits"), labelPattern: pattern)
    let voices: Set = ["flite-rms", "flite-slt", "flite-awb", "en-us-f1"]
    let chosen = dataset.examples.filter { ["0", "7"].contains($0.label) && voices.contains($0.fields["voice"] ?? "") }
    #expect(chosen.count == 16)
    return try Dataset(examples: chosen, source: "digits")
      .split(validation: .holdOut([FieldCondition("voice=flite-slt")]), seed: 1)
  }

  private var trainer: SoundTrainer {
    var trainer = SoundTrainer(features: .speech(sampleRate: 8000))
    trainer.networks = [
      NetworkTemplate([.recurrent(.gru, units: 16, directions: 2), .dropout(0.3), .pooling(.attention())])
    ]
    trainer.training.epochs = 12
    trainer.training.batchSize = 4
    trainer.training.learningRate = 0.01
    return trainer
  }

  @Test("tells zero from seven in a voice that was held out; the model's bytes do not depend on the jobs")
  func learns() async throws {
    let split = try split()
    var trainer = trainer
    let one = try await trainer.train(split, labels: ["0", "7"])
    #expect(one.failures.isEmpty)
    let classifier = try SoundClassifier(one.model)
    for example in split.validation { #expect(try classifier.classify(example.path).label == example.label) }

    trainer.training.jobs = 2
    let two = try await trainer.train(split, labels: ["0", "7"])
    #expect(try one.model.fileBytes() == two.model.fileBytes())
  }

  @Test("several processes find the model, the failures and the folds of one")
  func processes() async throws {
    var split = try split()
    split.training.insert(Example(path: fixture("audio/text.wav"), label: "7"), at: 5)
    split.training.append(Example(path: "nowhere.wav", label: "0"))
    var trainer = trainer
    trainer.training.epochs = 2
    trainer.training.batchSize = 40
    trainer.augmentation = .light
    trainer.augmentation.mixup = 0.2
    trainer.features.normalization = .global
    let folds = try Dataset(examples: split.training + split.validation, source: "digits").folds(2, seed: 1)
    let one = try await trainer.train(split, labels: ["0", "7"])
    #expect(one.failures.count == 2 && one.validationExamples == 4)
    let found = try await trainer.crossValidate(folds, labels: ["0", "7"]).folds
    let (given, base) = (split, trainer)
    for result in await TaskProcess.run(
      3,
      { process in
        var trainer = base
        trainer.group = process
        // Nothing of other processes' files is kept.
        trainer.cacheMemory = process.rank == 1 ? 0 : base.cacheMemory
        do {
          let several = try await trainer.train(given, labels: ["0", "7"])
          let folds = try await trainer.crossValidate(folds, labels: ["0", "7"]).folds
          return Result<_, any Error>.success((several, folds))
        } catch {
          return .failure(error)
        }
      })
    {
      let (several, foldsOfSeveral) = try result.get()
      #expect(try several.model.fileBytes() == one.model.fileBytes())
      #expect(several.failures == one.failures && several.validationCorrect == one.validationCorrect)
      #expect(foldsOfSeveral == found)
    }
  }

  @Test("of several networks the first is the one that would be trained alone; the others begin elsewhere")
  func several() async throws {
    let split = try split()
    var trainer = trainer
    trainer.training.epochs = 3
    trainer.augmentation = .light
    let alone = try await trainer.train(split, labels: ["0", "7"])
    trainer.networks += [trainer.networks[0], NetworkName.gruSmall.template]
    var begun: [Int] = []
    let one = try await trainer.train(split, labels: ["0", "7"]) { progress in
      if case .network(let number, of: 3) = progress { begun.append(number) }
    }
    #expect(begun == [1, 2, 3])
    let members = one.model.members
    #expect(members[0].parameters == alone.model.members[0].parameters)
    #expect(members[1].parameters != members[0].parameters && members[1].configuration == members[0].configuration)
    #expect(
      members[2].configuration.layers.contains(.pooling(.mean)) && members.allSatisfy { $0.record?.epochs.count == 3 })
    let classifier = try SoundClassifier(one.model)
    let right = try split.validation.count { try classifier.classify($0.path).label == $0.label }
    #expect(one.validationCorrect == right && one.validationExamples == split.validation.count)

    trainer.training.jobs = 2
    let two = try await trainer.train(split, labels: ["0", "7"])
    #expect(try one.model.fileBytes() == two.model.fileBytes())
  }

  @Test("features on disk give the same model as features in memory")
  func cacheMemory() async throws {
    let split = try split()
    var trainer = trainer
    trainer.training.epochs = 2
    let memory = try await trainer.train(split, labels: ["0", "7"]) { progress in
      if case .cached(let memory, let disk) = progress { #expect(memory > 0 && disk == 0) }
    }
    trainer.cacheMemory = 0
    let disk = try await trainer.train(split, labels: ["0", "7"]) { progress in
      if case .cached(let memory, let disk) = progress { #expect(memory == 0 && disk > 0) }
    }
    #expect(try memory.model.fileBytes() == disk.model.fileBytes())
  }

  @Test("files that cannot be read are left out and named; a class without any is an error")
  func failures() async throws {
    var split = try split()
    var trainer = trainer
    trainer.training.epochs = 1
    split.training.append(Example(path: fixture("audio/text.wav"), label: "7"))
    let result = try await trainer.train(split, labels: ["0", "7"])
    #expect(result.failures.map(\.path) == [fixture("audio/text.wav")])

    split.training.append(Example(path: fixture("audio/empty.wav"), label: "9"))
    let broken = split
    await #expect { try await trainer.train(broken, labels: ["0", "7", "9"]) } throws: { "\($0)".contains("'9'") }
  }

  @Test("an unknown label and a repeated one are errors, before any file is read")
  func labels() async throws {
    let split = try split()
    for labels in [["0", "8"], ["0", "7", "7"], ["0", "0", "7"]] {
      await #expect(throws: TrainingError.self, "\(labels)") {
        try await trainer.train(split, labels: labels) { progress in
          if case .file = progress { Issue.record("a file was read") }
        }
      }
    }
    await #expect { try await trainer.train(split, labels: ["0", "8"]) } throws: { "\($0)".contains("'7'") }
    let folds = try Dataset(examples: split.training, source: "digits").folds(2, seed: 1)
    await #expect(throws: TrainingError.self) { try await trainer.crossValidate(folds, labels: ["0", "8"]) { _ in } }
  }

  @Test("augmentation changes the model, the same way for the same seed and any number of jobs")
  func augmentation() async throws {
    let split = try split()
    var trainer = trainer
    trainer.training.epochs = 2
    let plain = try await trainer.train(split, labels: ["0", "7"]).model.members[0].parameters
    for augmentation in [Augmentation.light, .strong] {
      trainer.augmentation = augmentation
      trainer.training.jobs = 1
      let one = try await trainer.train(split, labels: ["0", "7"]).model.members[0].parameters
      trainer.training.jobs = 2
      #expect(try await trainer.train(split, labels: ["0", "7"]).model.members[0].parameters == one)
      #expect(one != plain)
    }
  }

  @Test("recordings of noise and rooms are used")
  func recordings() async throws {
    let split = try split()
    var trainer = trainer
    trainer.training.epochs = 1
    trainer.augmentation = try Augmentation("noise=1,room=0.5")
    trainer.noiseFiles = [fixture("audio/word.wav")]
    trainer.roomFiles = [fixture("audio/word-8k.wav")]
    let both = try await trainer.train(split, labels: ["0", "7"]).model.members[0].parameters
    trainer.roomFiles = []
    let noise = try await trainer.train(split, labels: ["0", "7"]).model.members[0].parameters
    trainer.noiseFiles = []
    let neither = try await trainer.train(split, labels: ["0", "7"]).model.members[0].parameters
    #expect(both != noise && noise != neither)
  }

  @Test("features normalised over each file train alike with and without augmentation that is off")
  func utteranceNormalization() async throws {
    let split = try split()
    var trainer = trainer
    trainer.features.normalization = .utteranceMeanVariance
    trainer.training.epochs = 2
    let result = try await trainer.train(split, labels: ["0", "7"])
    #expect(result.model.members[0].record?.epochs.last?.trainingLoss ?? 1 < 0.7)
    trainer.augmentation = try Augmentation("time-mask-share=0.2")
    #expect(
      try await trainer.train(split, labels: ["0", "7"]).model.members[0].parameters
        == result.model.members[0].parameters)
  }
}
