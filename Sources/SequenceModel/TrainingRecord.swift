import AuricleBase

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// How a model came to be: kept in its file, so that a result can be traced and a curve drawn.
public struct TrainingRecord: Codable, Hashable, Sendable {
  /// What one epoch gave. Losses are mean cross-entropies in nats, accuracies shares in [0, 1].
  public struct Epoch: Codable, Hashable, Sendable {
    public var number: Int
    public var learningRate: Double
    public var trainingLoss: Double
    public var trainingAccuracy: Double
    public var validationLoss: Double?
    public var validationAccuracy: Double?
    /// Of the validation examples that are not background, the share that is found where false alarms are limited.
    public var validationFound: Double?

    public init(
      number: Int, learningRate: Double, trainingLoss: Double, trainingAccuracy: Double, validationLoss: Double? = nil,
      validationAccuracy: Double? = nil
    ) {
      self.number = number
      self.learningRate = learningRate
      self.trainingLoss = trainingLoss
      self.trainingAccuracy = trainingAccuracy
      self.validationLoss = validationLoss
      self.validationAccuracy = validationAccuracy
    }
  }

  public var seed: UInt64
  public var batchSize: Int
  /// Files trained on and held out.
  public var trainingExamples: Int
  public var validationExamples: Int
  /// The epoch whose weights were kept.
  public var bestEpoch: Int
  public var epochs: [Epoch]
  /// How it was trained, by name; nil in files of before this was kept.
  public var settings: [String: String]?
  /// What the logits were divided by afterwards so that probabilities come true; the last layer's weights have it in them.
  public var temperature: Double?

  public init(
    seed: UInt64, batchSize: Int, trainingExamples: Int, validationExamples: Int, bestEpoch: Int = 0,
    epochs: [Epoch] = [], settings: [String: String]? = nil
  ) {
    self.seed = seed
    self.batchSize = batchSize
    self.trainingExamples = trainingExamples
    self.validationExamples = validationExamples
    self.bestEpoch = bestEpoch
    self.epochs = epochs
    self.settings = settings
  }
}

/// A record as a model file keeps it, decoded when it is asked for: few who classify ask.
enum StoredRecord: Sendable {
  case decoded(TrainingRecord)
  case json(String)

  /// Throws `MalformedJSON` for text that is not JSON.
  init(json text: String) throws(MalformedJSON) {
    var scanner = JSONScanner(text.utf8)
    try scanner.skipValue()
    try scanner.end()
    self = .json(text)
  }

  var value: TrainingRecord? {
    switch self {
    case .decoded(let record): record
    case .json(let text): try? JSONDecoder().decode(TrainingRecord.self, from: Data(text.utf8))
    }
  }
}
