import AudioFeatures
import SequenceModel

/// What a person should know of a model before using it, in Markdown (after Mitchell et al., "Model cards for model
/// reporting", 2019): what it hears, what it was trained on, its figures, its limits. All of it is in the model file but
/// for the name and the licence.
///
///     print(ModelCard(model, name: "digits", licence: "CC BY 4.0").markdown)
public struct ModelCard: Sendable {
  private let model: ClassifierEnsemble
  private let name: String
  private let licence: String?

  public init(_ model: ClassifierEnsemble, name: String, licence: String? = nil) {
    (self.model, self.name, self.licence) = (model, name, licence)
  }

  public var markdown: String {
    let sections = [
      ("What it hears", hears), ("Network", network), ("Training data and settings", training), ("Figures", figures),
      ("Limits", limits), ("Licence", licence ?? "Not stated: ask whoever gave you the model before passing it on."),
    ]
    return "# \(Self.escaped(name))\n\n" + sections.map { "## \($0)\n\n\($1)\n" }.joined(separator: "\n")
  }

  private var hears: String {
    let labels = model.labels.map { "`\($0.replacing("`", with: "'").replacing("\n", with: " "))`" }
    let answer =
      model.output == .softmax
      ? "One of \(labels.count) classes, with a probability for each; they sum to 1."
      : "Any number of \(labels.count) classes, each with a probability of its own."
    let input =
      switch model.input {
      case .audio(let features):
        "Sound of any rate, resampled to \(features.sampleRate) Hz, the mean of its channels; of it "
          + "\(features.coefficientCount) \(features.kind.rawValue) coefficients every \(Self.milliseconds(features.hopLength, features.sampleRate))"
          + " ms, from frames of \(Self.milliseconds(features.frameLength, features.sampleRate)) ms."
      case .sequence(let width): "Sequences of \(width) numbers a frame, not sound."
      }
    return "\(answer)\n\nClasses: \(labels.joined(separator: ", ")).\n\nInput: \(input)"
  }

  private var network: String {
    var text = ""
    for (index, member) in model.members.enumerated()
    where model.members.firstIndex(where: { $0.configuration == member.configuration }) == index {
      let summary = ModelSummary(member.configuration)
      text += "| layer | output | parameters |\n|---|---|---:|\n"
      for layer in summary.layers { text += "| \(layer.name) | \(layer.output) | \(layer.parameters) |\n" }
      text += "\n"
    }
    let several = model.members.count > 1 ? " in \(model.members.count) networks, whose mean is the answer" : ""
    let precision = model.members[0].precision == .int8 ? ", weights of 8 bits" : ""
    return text + "\(model.parameterCount) parameters\(several)\(precision)."
  }

  private var training: String {
    let records = model.members.compactMap(\.record)
    guard let record = records.first else { return "The model file does not say." }
    let several = records.count > 1 ? " Of \(records.count) networks the first; others differ in their seed." : ""
    var lines = [
      "- trained on \(record.trainingExamples) examples, \(record.validationExamples) held out to choose the epoch",
      "- epoch \(record.bestEpoch) of \(record.epochs.count) was kept",
    ]
    lines += (record.settings ?? [:]).sorted { $0.key < $1.key }.map { "- \($0.key): \(Self.escaped($0.value))" }
    return lines.joined(separator: "\n") + (several.isEmpty ? "" : "\n\n" + several.dropFirst())
  }

  private var figures: String {
    let rows = model.members.enumerated().compactMap { index, member -> String? in
      guard let record = member.record, let best = record.epochs.first(where: { $0.number == record.bestEpoch }) else {
        return nil
      }
      func percent(_ value: Double?) -> String {
        value.map { "\(($0 * 1000).rounded() / 10) %" } ?? "not measured"
      }
      return "| \(index + 1) | \(percent(best.trainingAccuracy)) | \(percent(best.validationAccuracy)) |"
    }
    guard !rows.isEmpty else {
      return "The model file has none; measure with `auricle evaluate` on data it has not seen."
    }
    return "| network | accuracy in training | on what was held out |\n|---|---:|---:|\n"
      + rows.joined(separator: "\n")
      + "\n\nWhat was held out chose the epoch, so unseen data give somewhat less; measure with `auricle evaluate`."
  }

  private var limits: String {
    var lines = [
      model.output == .softmax
        ? "It knows no other classes: whatever it hears, it answers with one of these."
        : "It knows no other classes.",
      "Voices, rooms and devices that its training data lack may be heard worse; a probability is no promise.",
    ]
    if let reason = model.members.lazy.compactMap(\.configuration.waitsForEnd).first {
      lines.append("It needs a sound's end before it answers: \(reason.prefix { $0 != ";" }).")
    } else {
      lines.append("It can follow a stream and answer at any time.")
    }
    if case .audio(let features) = model.input {
      lines.append("It hears nothing above \(features.sampleRate / 2) Hz.")
      if features.framing == .snipEdges {
        lines.append("A sound shorter than \(features.frameLength) samples at its rate has no answer.")
      }
    }
    return lines.map { "- \($0)" }.joined(separator: "\n")
  }

  private static func milliseconds(_ samples: Int, _ rate: Int) -> String {
    let value = (Double(samples) / Double(rate) * 10_000).rounded() / 10
    return value == value.rounded() ? "\(Int(value))" : "\(value)"
  }

  private static func escaped(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).joined(separator: " ").replacing("<", with: "&lt;")
  }
}
