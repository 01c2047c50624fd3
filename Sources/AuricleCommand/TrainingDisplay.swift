import Auricle

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Shows a training run on standard error: a bar on a terminal, a line per epoch everywhere; JSON lines go to standard
/// output.
struct TrainingDisplay {
  let epochs: Int
  let json: Bool
  /// The network that is being trained, counted from 1, of how many.
  private var network = 1
  private var networks = 1
  private var line = ProgressLine()
  private let start = ContinuousClock.now
  private var trainingStart: ContinuousClock.Instant?

  init(epochs: Int, json: Bool) {
    self.epochs = epochs
    self.json = json
  }

  mutating func show(_ progress: SoundTrainer.Progress) {
    switch progress {
    case .file(let done, let total, let failure):
      if let failure {
        line.clear()
        StandardError.report(failure.reason)
      }
      line.update("reading \(bar(Double(done) / Double(total))) \(done) of \(total) files")
    case .cached(let memory, let disk):
      line.clear()
      if disk > 0 {
        StandardError.write(
          "features: \(megabytes(memory)) in memory, \(megabytes(disk)) beyond --cache-memory in a temporary file")
      }
    case .network(let number, let count):
      line.clear()
      (network, networks) = (number, count)
      StandardError.write("network \(number) of \(count)")
    case .training(.batch(let epoch, let batch, let batches, let loss, let accuracy)):
      let started = trainingStart ?? ContinuousClock.now
      trainingStart = started
      let epochShare = (Double(epoch - 1) + Double(batch) / Double(batches)) / Double(epochs)
      let (share, epochs) = ((Double(network - 1) + epochShare) / Double(networks), epochs)
      let left = (ContinuousClock.now - started) / .seconds(1) * (1 - share) / share
      line.update(
        "epoch \(epoch)/\(epochs) \(bar(share)) loss \(fixed(loss, decimals: 4))  accuracy \(percent(accuracy))  "
          + "\(clock(left)) left")
    case .training(.resumed(let epochs, let batches)):
      line.clear()
      StandardError.write(
        "going on after epoch \(epochs)\(batches > 0 ? " and \(batches) batches of the next" : "")")
    case .training(.stoppedEarly(let epoch)):
      line.clear()
      StandardError.write("no progress for as long as --patience allows; stopped after epoch \(epoch)")
    case .training(.epoch(let epoch, let isBest)):
      line.clear()
      if json, let text = try? jsonLine(EpochLine(epoch: epoch, network: networks > 1 ? network : nil)) {
        try? StandardOutput.write(text)
      }
      var text =
        "epoch \(epoch.number)/\(epochs)  loss \(fixed(epoch.trainingLoss, decimals: 4))  "
        + "accuracy \(percent(epoch.trainingAccuracy))"
      if let loss = epoch.validationLoss, let accuracy = epoch.validationAccuracy {
        text += "  validation loss \(fixed(loss, decimals: 4))  accuracy \(percent(accuracy))"
        if let found = epoch.validationFound { text += "  \(percent(found)) found" }
        text += isBest ? " *" : ""
      }
      StandardError.write(text)
    }
  }
}

/// An epoch, and of which network, where there are several.
private struct EpochLine: Encodable {
  let epoch: TrainingRecord.Epoch
  let network: Int?

  enum CodingKeys: CodingKey { case network }

  func encode(to encoder: any Encoder) throws {
    try epoch.encode(to: encoder)
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encodeIfPresent(network, forKey: .network)
  }
}

private func bar(_ share: Double) -> String {
  let width = 24
  let filled = min(width, max(0, Int(share * Double(width))))
  return "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled) + "]"
}

private func megabytes(_ bytes: Int) -> String {
  "\(fixed(Double(bytes) / Double(1 << 20), decimals: 1)) MB"
}

private func clock(_ seconds: Double) -> String {
  let total = Int(min(max(seconds, 0), 1e6))
  let (minutes, rest) = total.quotientAndRemainder(dividingBy: 60)
  return "\(minutes):\(rest < 10 ? "0" : "")\(rest)"
}

/// A value as one line of JSON, keys sorted.
func jsonLine(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}
