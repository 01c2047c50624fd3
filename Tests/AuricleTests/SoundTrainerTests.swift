import Auricle
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
    trainer.architecture.hiddenSize = 16
    trainer.architecture.layers = 1
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

  @Test("augmentation changes the model, the same way for the same seed and any number of jobs")
  func augmentation() async throws {
    let split = try split()
    var trainer = trainer
    trainer.training.epochs = 2
    let plain = try await trainer.train(split, labels: ["0", "7"]).model.parameters
    for augmentation in [Augmentation.light, .strong] {
      trainer.augmentation = augmentation
      trainer.training.jobs = 1
      let one = try await trainer.train(split, labels: ["0", "7"]).model.parameters
      trainer.training.jobs = 2
      #expect(try await trainer.train(split, labels: ["0", "7"]).model.parameters == one)
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
    let both = try await trainer.train(split, labels: ["0", "7"]).model.parameters
    trainer.roomFiles = []
    let noise = try await trainer.train(split, labels: ["0", "7"]).model.parameters
    trainer.noiseFiles = []
    let neither = try await trainer.train(split, labels: ["0", "7"]).model.parameters
    #expect(both != noise && noise != neither)
  }

  @Test("features normalised over each file train alike with and without augmentation that is off")
  func utteranceNormalization() async throws {
    let split = try split()
    var trainer = trainer
    trainer.features.normalization = .utteranceMeanVariance
    trainer.training.epochs = 2
    let result = try await trainer.train(split, labels: ["0", "7"])
    #expect(result.model.record?.epochs.last?.trainingLoss ?? 1 < 0.7)
    trainer.augmentation = try Augmentation("time-mask-share=0.2")
    #expect(try await trainer.train(split, labels: ["0", "7"]).model.parameters == result.model.parameters)
  }
}
