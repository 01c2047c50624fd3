import ArgumentParser
import Auricle

/// How a classifier is slid over sound, and how its scores become events.
struct DetectionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Length of what is classified at a time: as a rule, of the clips trained on.", valueName: "s"))
  var window = 1.0
  @Option(help: ArgumentHelp("From one window to the next; at most the window.", valueName: "s"))
  var hop = 0.2
  @Flag(
    help: "No windows: the state, every hop, of a network that has heard everything (GRU or LSTM with last pooling).")
  var running = false
  @Option(
    help: ArgumentHelp("Smooth scores: mean or median of an odd number of hops (mean:3).", valueName: "kind:hops"))
  var smooth: Smoothing?
  @Option(
    help: ArgumentHelp(
      "Score at which a class is on, and below which it is off again, for all classes or one (0.8, 0.8/0.4, yes=0.9/0.5); "
        + "repeat. Default: 0.5.", valueName: "[label=]on[/off]"))
  var threshold: [Threshold] = []
  @Option(help: ArgumentHelp("Active where so many of so many hops are on (2/3).", valueName: "k/n"))
  var agreement: Agreement?
  @Option(help: ArgumentHelp("Drop events shorter than this.", valueName: "s"))
  var minDuration = 0.0
  @Option(help: ArgumentHelp("Make one event of those of a class less than this apart.", valueName: "s"))
  var minGap = 0.0
  @Option(help: ArgumentHelp("Drop events that begin less than this after one of their class ended.", valueName: "s"))
  var refractory = 0.0
  @Option(
    help: ArgumentHelp(
      "Classes that are no events, with commas between them, or '' for none (default: those of _silence_, _unknown_, "
        + "_background_, _background_noise_ and background that the model knows).", valueName: "labels"))
  var ignore: String?

  struct Smoothing: ExpressibleByArgument {
    let kind: EventDetector.Configuration.Smoothing
    let hops: Int

    init?(argument: String) {
      let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 2, let kind = EventDetector.Configuration.Smoothing(rawValue: String(parts[0])),
        let hops = Int(parts[1])
      else { return nil }
      (self.kind, self.hops) = (kind, hops)
    }
  }

  struct Threshold: ExpressibleByArgument {
    let label: String?
    let value: EventDetector.Configuration.Threshold

    init?(argument: String) {
      let mark = argument.lastIndex(of: "=")
      label = mark.map { String(argument[..<$0]) }
      let numbers = argument[(mark.map { argument.index(after: $0) } ?? argument.startIndex)...]
        .split(separator: "/", omittingEmptySubsequences: false).map { Float($0) }
      guard (1...2).contains(numbers.count), let on = numbers[0], let off = numbers[numbers.count - 1] else {
        return nil
      }
      value = .init(on: on, off: off)
    }
  }

  struct Agreement: ExpressibleByArgument {
    let (count, hops): (Int, Int)

    init?(argument: String) {
      let parts = argument.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
      guard parts.count == 2, let count = parts[0], let hops = parts[1] else { return nil }
      (self.count, self.hops) = (count, hops)
    }
  }

  func validate() throws { try checkUsage { _ = try configuration(labels: nil) } }

  func detector(_ classifier: SoundClassifier) throws -> SoundDetector {
    do {
      return try SoundDetector(
        classifier, window: window, hop: hop, isRunning: running,
        events: configuration(labels: classifier.model.labels))
    } catch let error as DetectionError {
      throw ValidationError("\(error).")
    } catch let error as ModelError where running {
      throw ValidationError("--running: \(error).")
    }
  }

  /// `labels` are the model's, once it is known.
  private func configuration(labels: [String]?) throws(DetectionError) -> EventDetector.Configuration {
    let ignored = ignore.map { Set($0.split(separator: ",").map { String($0) }) }
    let named = threshold.compactMap { threshold in threshold.label.map { ($0, threshold.value) } }
    return try EventDetector.Configuration(
      smoothing: smooth?.kind ?? .mean, smoothingHops: smooth?.hops ?? 1,
      threshold: threshold.last { $0.label == nil }?.value ?? .init(on: 0.5),
      thresholds: Dictionary(named) { $1 }, agreement: agreement?.count ?? 1, agreementHops: agreement?.hops ?? 1,
      minimumDuration: minDuration, minimumGap: minGap, refractoryTime: refractory,
      ignoredLabels: ignored ?? SoundDetector.backgroundLabels.intersection(labels ?? []))
  }
}

/// How events are written: a table for people, or a format for programs.
enum EventFormat: ExpressibleByArgument {
  case table
  case annotation(AnnotationFormat)

  static let names = ["table"] + AnnotationFormat.allCases.map(\.rawValue)

  init?(argument: String) {
    if argument == "table" {
      self = .table
    } else if let format = AnnotationFormat(rawValue: argument) {
      self = .annotation(format)
    } else {
      return nil
    }
  }
}

/// The text of events, as they come.
struct EventText {
  private var writer: AnnotationWriter?
  private let labelWidth: Int

  /// Throws for TextGrid, which is not written as events come, and labels that the format cannot hold.
  init(_ format: EventFormat, labels: [String]) throws {
    labelWidth = labels.map(\.count).max() ?? 0
    guard case .annotation(let format) = format else { return }
    try format.check(labels: labels)
    writer = try AnnotationWriter(format)
  }

  /// What stands before the first event, with its line end.
  var header: String { writer?.header ?? "" }

  /// An event's lines, with their line ends.
  mutating func text(of event: SoundEvent) throws -> String {
    if writer != nil { return try writer?.text(of: event) ?? "" }
    let times = [event.start, event.end].map { padded(fixed($0, decimals: 3), toLeftOf: 10) }.joined(separator: " ")
    let label = event.label + String(repeating: " ", count: max(0, labelWidth - event.label.count))
    let probability = event.probability.map { fixed(Double($0), decimals: 4) } ?? ""
    return "\(times)  \(printable(label))  \(probability)  \(printable(event.path ?? ""))\n"
  }
}

func padded(_ text: String, toLeftOf width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}
