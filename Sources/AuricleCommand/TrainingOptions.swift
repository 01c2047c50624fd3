import ArgumentParser
import Auricle

/// How `train` trains.
struct TrainingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How much is done for a good model: chooses network, epochs, recipe, augmentation and the number of networks by the data, where no other option does (default: normal, unless --architecture, --network or an option of theirs names a network of before).",
      valueName: "quick|normal|best"))
  var effort: Effort?
  @Option(
    help: ArgumentHelp(
      "Go on from this model, with its features and networks: for more epochs, for other classes, or for more of them (what it knows of classes that are still there is kept).",
      valueName: "model"))
  var from: String?
  @Option(help: ArgumentHelp("Of --from: so many layers, from the first on, stay as they are.", valueName: "layers"))
  var freeze = 0
  @Option(
    help: ArgumentHelp(
      "Of --from: what the learning rate of its layers is multiplied by (default: 0.3 where there are new classes, else 1).",
      valueName: "share"))
  var oldRate: Double?
  @Option(help: ArgumentHelp("Passes over the data (default: by the effort, else 30).", valueName: "n"))
  var epochs: Int?
  @Option(help: ArgumentHelp("Files in a mini-batch (default: by the effort, else 32).", valueName: "n"))
  var batchSize: Int?
  @Option(help: "Optimiser (default: adamw by the effort, else adam).")
  var optimizer: Optimizer.Kind?
  @Option(
    help: ArgumentHelp(
      "Greatest learning rate (default: by the effort; else 0.002 for adam and adamw, 0.01 for sgd, 0.001 for rmsprop).",
      valueName: "rate"))
  var learningRate: Double?
  @Option(
    help: ArgumentHelp(
      "Decay of weights, not of biases (default: by the effort; else 0.004 for adamw, 0 for the others).",
      valueName: "rate"))
  var weightDecay: Double?
  @Option(help: ArgumentHelp("Nesterov's momentum of sgd.", valueName: "share"))
  var momentum = TrainingConfiguration().momentum
  @Option(help: "Course of the learning rate (default: one-cycle by the effort, else cosine).")
  var schedule: LearningRateSchedule?
  @Option(help: ArgumentHelp("Epochs over which the learning rate rises before the cosine.", valueName: "epochs"))
  var warmUp = TrainingConfiguration().warmUp
  @Option(help: ArgumentHelp("Epochs without progress that the plateau schedule bears.", valueName: "n"))
  var plateauPatience = TrainingConfiguration().plateauPatience
  @Option(help: ArgumentHelp("What the plateau schedule multiplies the learning rate by.", valueName: "factor"))
  var plateauFactor = TrainingConfiguration().plateauFactor
  @Option(help: ArgumentHelp("Largest norm of a gradient (default: 5 by the effort, else 1).", valueName: "norm"))
  var clipNorm: Double?
  @Option(help: ArgumentHelp("Share of each target spread over all classes.", valueName: "share"))
  var labelSmoothing = TrainingConfiguration().loss.labelSmoothing
  @Option(
    help: ArgumentHelp(
      "What a file of each class counts: balanced, so that all classes count the same, or for example dog=2,cat=1.",
      valueName: "balanced|weights"))
  var classWeight: ClassWeightOption?
  @Option(
    help: ArgumentHelp("Stop after so many epochs without progress on the validation data.", valueName: "epochs"))
  var patience: Int?
  @Option(
    help: ArgumentHelp(
      "Which epoch's weights are kept: the last one's, which no validation file has decided, or those that did best on the validation files (default: last by the effort, else best; with --patience, best).",
      valueName: "last|best"))
  var keep: KeptEpoch?
  @Option(
    help: ArgumentHelp(
      "Validate and keep a moving average of the weights that decays so slowly, for example 0.999.", valueName: "share")
  )
  var averageDecay: Double?
  @Option(help: ArgumentHelp("The same seed gives the same model, byte for byte.", valueName: "n"))
  var seed = TrainingConfiguration().seed

  func validate() throws {
    if from == nil && (freeze != 0 || oldRate != nil) {
      throw ValidationError("--freeze and --old-rate need the model to go on from: --from.")
    }
    if freeze < 0 { throw ValidationError("--freeze is \(freeze); it must not be negative.") }
    if let oldRate, !(0...1000).contains(oldRate) {
      throw ValidationError("--old-rate is \(oldRate); it must be 0 to 1000.")
    }
    let given = configuration(jobs: 1)
    // Each alone, so that it is named.
    func check<Value>(_ option: String, _ field: WritableKeyPath<TrainingConfiguration, Value>) throws {
      var configuration = TrainingConfiguration()
      configuration[keyPath: field] = given[keyPath: field]
      try check(option, configuration)
    }
    func check(_ option: String, _ configuration: TrainingConfiguration) throws {
      do {
        try configuration.validate()
      } catch TrainingError.configuration(let reason) {
        throw ValidationError("\(option): \(reason).")
      }
    }
    try check("--epochs", \.epochs)
    try check("--batch-size", \.batchSize)
    try check("--momentum", \.momentum)
    try check("--warm-up", \.warmUp)
    try check("--plateau-patience", \.plateauPatience)
    try check("--plateau-factor", \.plateauFactor)
    try check("--clip-norm", \.clipNorm)
    try check("--label-smoothing", \.loss)
    try check("--patience", \.patience)
    try check("--average-decay", \.averageDecay)
    try check("--weight-decay", \.weightDecay)
    try check("--learning-rate", given)
  }

  /// `base` with what options change.
  func configuration(jobs: Int, base: TrainingConfiguration = TrainingConfiguration()) -> TrainingConfiguration {
    var configuration = base
    configuration.epochs = epochs ?? base.epochs
    configuration.batchSize = batchSize ?? base.batchSize
    if let optimizer, optimizer != base.optimizer {
      // Rate and decay of the base are another optimiser's.
      (configuration.optimizer, configuration.learningRate, configuration.weightDecay) = (optimizer, nil, nil)
    }
    configuration.learningRate = learningRate ?? configuration.learningRate
    configuration.weightDecay = weightDecay ?? configuration.weightDecay
    configuration.momentum = momentum
    configuration.schedule = schedule ?? base.schedule
    configuration.warmUp = warmUp
    configuration.plateauPatience = plateauPatience
    configuration.plateauFactor = plateauFactor
    configuration.clipNorm = clipNorm ?? base.clipNorm
    configuration.loss = .softmaxCrossEntropy(labelSmoothing: labelSmoothing)
    if classWeight == .balanced { configuration.classWeights = .balanced }
    configuration.patience = patience
    configuration.keeps = keep ?? (patience == nil ? base.keeps : .best)
    configuration.averageDecay = averageDecay ?? base.averageDecay
    configuration.seed = seed
    configuration.jobs = jobs
    return configuration
  }
}

extension Effort: ExpressibleByArgument {}
extension KeptEpoch: ExpressibleByArgument {}

/// `balanced`, or `label=weight` pairs with commas between them.
enum ClassWeightOption: ExpressibleByArgument, Hashable {
  case balanced
  case given([String: Double])

  init?(argument: String) {
    if argument == "balanced" {
      self = .balanced
      return
    }
    var weights: [String: Double] = [:]
    for pair in argument.split(separator: ",", omittingEmptySubsequences: false) {
      guard let sign = pair.lastIndex(of: "="), sign > pair.startIndex,
        let weight = Double(pair[pair.index(after: sign)...]),
        weight >= 0, weight.isFinite, weights.updateValue(weight, forKey: String(pair[..<sign])) == nil
      else { return nil }
    }
    self = .given(weights)
  }

  var byLabel: [String: Double]? { if case .given(let weights) = self { weights } else { nil } }
}
