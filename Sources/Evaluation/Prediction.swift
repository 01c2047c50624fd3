/// What a model said of one file, and what was expected.
///
///     let prediction = Prediction(
///       path: "7_theo_1.wav", truth: "7", label: "7", probability: 0.75,
///       probabilities: [.init(label: "2", probability: 0.25), .init(label: "7", probability: 0.75)])
///     print(prediction.jsonLine)
///     // {"path":"7_theo_1.wav","truth":"7","label":"7","probability":0.75,"probabilities":{"2":0.25,"7":0.75}}
///
/// A file that could not be read has an `error` and no label.
public struct Prediction: Hashable, Sendable {
  /// A label and how probable the model finds it, in [0, 1].
  public struct Candidate: Hashable, Sendable {
    public var label: String
    public var probability: Float

    public init(label: String, probability: Float) {
      self.label = label
      self.probability = probability
    }
  }

  /// A member of a JSON object, its value as JSON.
  public struct Member: Hashable, Sendable {
    public var name: String
    public var json: String

    public init(name: String, json: String) {
      self.name = name
      self.json = json
    }
  }

  public var path: String
  /// The label the data set gives.
  public var truth: String?
  /// The label the model finds most probable.
  public var label: String?
  /// Of `label`, in [0, 1].
  public var probability: Float?
  /// Every label in the model's order.
  public var probabilities: [Candidate]
  /// Of the sound, in seconds.
  public var duration: Double?
  /// Of the file, in Hz.
  public var sampleRate: Int?
  /// The time it took to answer, in seconds.
  public var seconds: Double?
  /// Why there is no label.
  public var error: String?
  /// What failed: "audio", "features", "model".
  public var stage: String?
  /// Which model and settings gave the answer, as a fingerprint.
  public var model: String?
  /// What else is to be told of the file.
  public var fields: [String: String]
  /// What whoever asked said of the file himself, handed on in JSON lines; not read back.
  public var members: [Member] = []
  /// The shard of the run that answered, as "3/8", and the file's place in the whole run, from 1; in JSON lines only.
  public var shard: String?
  public var row: Int?
  /// What a person should know of the sound; not kept in files.
  public var warnings: [String] = []

  /// Whether the label is the true one; nil when either is missing.
  public var isCorrect: Bool? {
    if let truth, let label { truth == label } else { nil }
  }

  public init(
    path: String, truth: String? = nil, label: String? = nil, probability: Float? = nil,
    probabilities: [Candidate] = [], duration: Double? = nil, sampleRate: Int? = nil, seconds: Double? = nil,
    error: String? = nil, stage: String? = nil, model: String? = nil, fields: [String: String] = [:]
  ) {
    self.path = path
    self.truth = truth
    self.label = label
    self.probability = probability
    self.probabilities = probabilities
    self.duration = duration
    self.sampleRate = sampleRate
    self.seconds = seconds
    self.error = error
    self.stage = stage
    self.model = model
    self.fields = fields
  }
}
