import Auricle
import Foundation

// One recurrent layer in Auricle: answers requests of `compare.py` on standard input. What is timed is the whole
// network, from the copy of the features to the logits of a dense layer and back.

struct Request {
  var cell: Recurrent.Cell
  var pass: String
  /// Sequences in a batch; for `evaluate`, `fit` and `epoch`, jobs.
  var batch: Int
  var frames: Int
  var inputs: Int
  var hidden: Int
  var seconds: Double

  init?(_ line: String) {
    let fields = line.split(separator: " ").map(String.init)
    let cells: [String: Recurrent.Cell] = ["gru": .gru, "lstm": .lstm, "rnn": .simpleRNN]
    let numbers = fields.dropFirst(2).prefix(4).compactMap { Int($0) }
    guard fields.count == 7, numbers.count == 4, let cell = cells[fields[0]], let seconds = Double(fields[6]) else {
      return nil
    }
    self.cell = cell
    pass = fields[1]
    (batch, frames, inputs, hidden) = (numbers[0], numbers[1], numbers[2], numbers[3])
    self.seconds = seconds
  }

  var network: NetworkConfiguration {
    get throws {
      try NetworkConfiguration(input: inputs, [.recurrent(cell, units: hidden), .pooling(.last), .dense(10)])
    }
  }

  func sequences(_ count: Int) throws -> [FeatureMatrix] {
    var generator = SeededGenerator(seed: 7)
    return try (0..<count).map { _ in
      try FeatureMatrix(
        frames: frames, coefficients: inputs, values: (0..<frames * inputs).map { _ in Float(generator.normal()) })
    }
  }
}

/// Nanoseconds of the fastest of the calls that fit in `seconds`.
func fastest(_ seconds: Double, _ body: () async throws -> Void) async rethrows -> Double {
  let clock = ContinuousClock()
  try await body()
  var best = Duration.seconds(1_000)
  let end = clock.now + .seconds(seconds)
  repeat { best = min(best, try await clock.measure(body)) } while clock.now < end
  return best / .nanoseconds(1)
}

func measure(_ request: Request) async throws -> Double {
  let network = try request.network
  let layout = ParameterLayout(network)
  let parameters = layout.initialParameters(seed: 1)
  switch request.pass {
  case "forward":
    let weights = try TrainableNetwork(network, layout: layout, parameters: parameters)
    let (sequences, worker) = (try request.sequences(request.batch), NetworkWorker(network))
    return try await fastest(request.seconds) { _ = try worker.logits(weights, of: sequences, normalizer: nil) }
  case "train":
    let weights = try TrainableNetwork(network, layout: layout, parameters: parameters)
    let (sequences, worker) = (try request.sequences(request.batch), NetworkWorker(network))
    worker.computesInputGradient = true  // as oneDNN does
    let upstream = [Float](repeating: 0.01, count: request.batch * 10)
    var gradient = [Float](repeating: 0, count: layout.count)
    return try await fastest(request.seconds) {
      _ = try worker.logits(weights, of: sequences, normalizer: nil, dropoutSeed: nil)
      try worker.addGradient(weights, ofLogits: upstream, to: &gradient)
    }
  case "evaluate":
    let weights = try TrainableNetwork(network, layout: layout, parameters: parameters)
    let batches = try (0..<16).map { _ in try request.sequences(32) }
    return try await fastest(request.seconds) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for job in 0..<request.batch {
          group.addTask {
            for place in stride(from: job, to: batches.count, by: request.batch) {
              _ = try weights.logits(of: batches[place], normalizer: nil)
            }
          }
        }
        try await group.waitForAll()
      }
    }
  case "fit":
    let examples = try request.sequences(512).enumerated().map {
      try LabeledFeatures(features: $1, label: $0 % 10, of: 10)
    }
    return try await epoch(of: network, examples, jobs: request.batch)
  case "crnn":
    // Eight batches of 32 of one second, 40 coefficients; see `crnn.py`.
    let network = try NetworkName.crnn.template.network(input: request.inputs, classCount: 10)
    let examples = try request.sequences(256).enumerated().map {
      try LabeledFeatures(features: $1, label: $0 % 10, of: 10)
    }
    return try await epoch(of: network, examples, jobs: request.batch)
  default:
    // The network that `auricle train` makes, on 1,024 sequences of 20 to 79 frames.
    let recurrent = Layer.recurrent(.gru, units: request.hidden, directions: 2)
    let network = try NetworkConfiguration(
      input: request.inputs,
      [recurrent, .dropout(0.3), recurrent, .pooling(.attention()), .dropout(0.3), .dense(10)])
    let examples = try request.sequences(1024).enumerated().map { index, features in
      let frames = 20 + index * 37 % 60
      return try LabeledFeatures(
        features: try FeatureMatrix(
          frames: frames, coefficients: request.inputs, values: Array(features.values.prefix(frames * request.inputs))),
        label: index % 10, of: 10)
    }
    return try await epoch(of: network, examples, jobs: request.batch)
  }
}

/// Nanoseconds of the fastest of the epochs after the first.
func epoch(of network: NetworkConfiguration, _ examples: [LabeledFeatures], jobs: Int) async throws -> Double {
  var settings = TrainingConfiguration()
  (settings.epochs, settings.batchSize, settings.jobs) = (3, 32, jobs)
  let clock = ContinuousClock()
  var ends: [ContinuousClock.Instant] = []
  _ = try await Trainer(settings).train(network, on: examples) {
    if case .epoch = $0 { ends.append(clock.now) }
  }
  return zip(ends, ends.dropFirst()).map { ($1 - $0) / .nanoseconds(1) }.min() ?? .nan
}

/// To a pipe, standard output is written when it is told to.
func answer(_ line: Any) {
  print(line)
  fflush(nil)
}

answer("Auricle")
while let line = readLine(), let request = Request(line) { answer(try await measure(request)) }
