import ArgumentParser
import Auricle

/// How `train` trains.
struct TrainingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Passes over the data.", valueName: "n"))
  var epochs = TrainingConfiguration().epochs
  @Option(help: ArgumentHelp("Files in a mini-batch.", valueName: "n"))
  var batchSize = TrainingConfiguration().batchSize
  @Option(help: "Optimiser.")
  var optimizer = TrainingConfiguration().optimizer
  @Option(
    help: ArgumentHelp(
      "Greatest learning rate (default: 0.002 for adam and adamw, 0.01 for sgd, 0.001 for rmsprop).", valueName: "rate")
  )
  var learningRate: Double?
  @Option(help: ArgumentHelp("Decay of weights, not of biases (default: 0.004 for adamw, else 0).", valueName: "rate"))
  var weightDecay: Double?
  @Option(help: ArgumentHelp("Nesterov's momentum of sgd.", valueName: "share"))
  var momentum = TrainingConfiguration().momentum
  @Option(help: "Course of the learning rate.")
  var schedule = TrainingConfiguration().schedule
  @Option(help: ArgumentHelp("Epochs over which the learning rate rises before the cosine.", valueName: "epochs"))
  var warmUp = TrainingConfiguration().warmUp
  @Option(help: ArgumentHelp("Epochs without progress that the plateau schedule bears.", valueName: "n"))
  var plateauPatience = TrainingConfiguration().plateauPatience
  @Option(help: ArgumentHelp("What the plateau schedule multiplies the learning rate by.", valueName: "factor"))
  var plateauFactor = TrainingConfiguration().plateauFactor
  @Option(help: ArgumentHelp("Largest norm of a gradient.", valueName: "norm"))
  var clipNorm = TrainingConfiguration().clipNorm
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
      "Validate and keep a moving average of the weights that decays so slowly, for example 0.999.", valueName: "share")
  )
  var averageDecay: Double?
  @Option(help: ArgumentHelp("The same seed gives the same model, byte for byte.", valueName: "n"))
  var seed = TrainingConfiguration().seed

  func validate() throws {
    try checkUsage { try configuration(jobs: 1).validate() }
  }

  func configuration(jobs: Int) -> TrainingConfiguration {
    var configuration = TrainingConfiguration()
    configuration.epochs = epochs
    configuration.batchSize = batchSize
    configuration.optimizer = optimizer
    configuration.learningRate = learningRate
    configuration.weightDecay = weightDecay
    configuration.momentum = momentum
    configuration.schedule = schedule
    configuration.warmUp = warmUp
    configuration.plateauPatience = plateauPatience
    configuration.plateauFactor = plateauFactor
    configuration.clipNorm = clipNorm
    configuration.loss = .softmaxCrossEntropy(labelSmoothing: labelSmoothing)
    if classWeight == .balanced { configuration.classWeights = .balanced }
    configuration.patience = patience
    configuration.averageDecay = averageDecay
    configuration.seed = seed
    configuration.jobs = jobs
    return configuration
  }
}

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
