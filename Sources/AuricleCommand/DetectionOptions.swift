import ArgumentParser
import Auricle

/// How a classifier is slid over sound.
struct DetectionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Length of what is classified at a time (default: of the clips the model was trained on, or 1).", valueName: "s"))
  var window: Double?
  @Option(
    help: ArgumentHelp("From one window to the next; at most the window (default: a quarter of it).", valueName: "s"))
  var hop: Double?
  @Flag(
    exclusivity: .exclusive,
    help: """
      Windows that overlap: each by itself; with the layers before the first recurrent one seeing each frame once (the \
      default, where there are such layers); or with recurrent layers going on through the sound, too, which is quickest.
      """)
  var overlap: SoundDetector.Overlap?
  @OptionGroup var events: EventOptions

  func detector(_ classifier: SoundClassifier) throws -> SoundDetector {
    do {
      let labels = classifier.model.labels
      let settings = try classifier.model.detectionSettings().complete(window: window, hop: hop, labels: labels)
      return try SoundDetector(
        classifier, window: settings.window, hop: settings.hop, overlap: overlap,
        events: events.configuration(settings.events))
    } catch let error as DetectionError {
      throw ValidationError("\(error).")
    } catch let error as ModelError {
      guard let overlap else { throw error }
      throw ValidationError("--\(overlap): \(error).")
    }
  }
}

extension SoundDetector.Overlap: EnumerableFlag {}

/// How scores become events. What is not given is as the model says, if it does.
struct EventOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Smooth scores: mean or median of an odd number of hops (mean:3; mean:1 for none). Default: the model's, or the mean "
        + "over half a window.", valueName: "kind:hops"))
  var smooth: Smoothing?
  @Option(
    help: ArgumentHelp(
      "Score that an event must reach, and one that it may not fall below as long as it lasts, for all classes or one (0.8, "
        + "0.8/0.4, yes=0.9/0.5); repeat. Default: the model's, or 0.7/0.5.", valueName: "[label=]on[/off]"))
  var threshold: [Threshold] = []
  @Option(help: ArgumentHelp("Active where so many of so many hops are on (2/3).", valueName: "k/n"))
  var agreement: Agreement?
  @Option(help: ArgumentHelp("Drop events shorter than this.", valueName: "s"))
  var minDuration: Double?
  @Option(help: ArgumentHelp("Make one event of those of a class less than this apart.", valueName: "s"))
  var minGap: Double?
  @Option(help: ArgumentHelp("Drop events that begin less than this after one of their class ended.", valueName: "s"))
  var refractory: Double?
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

  func validate() throws { try checkUsage { _ = try configuration(EventDetector.Configuration()) } }

  /// `given`, but for what the options say; `ignoring` takes the place of `--ignore`. Throws `DetectionError`.
  func configuration(
    _ given: EventDetector.Configuration, ignoring: Set<String>? = nil
  ) throws(DetectionError) -> EventDetector.Configuration {
    let named = Dictionary(threshold.compactMap { threshold in threshold.label.map { ($0, threshold.value) } }) { $1 }
    // A threshold for all classes is one for those, too, that have one of their own in the model.
    let general = threshold.last { $0.label == nil }?.value
    return try EventDetector.Configuration(
      smoothing: smooth?.kind ?? given.smoothing, smoothingHops: smooth?.hops ?? given.smoothingHops,
      threshold: general ?? given.threshold,
      thresholds: general == nil ? given.thresholds.merging(named) { $1 } : named,
      agreement: agreement?.count ?? given.agreement, agreementHops: agreement?.hops ?? given.agreementHops,
      minimumDuration: minDuration ?? given.minimumDuration, minimumGap: minGap ?? given.minimumGap,
      refractoryTime: refractory ?? given.refractoryTime, ignoredLabels: ignoring ?? ignored ?? given.ignoredLabels)
  }

  /// The labels of `--ignore`.
  var ignored: Set<String>? { ignore.map { Set($0.split(separator: ",").map { String($0) }) } }
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
    writer = try AnnotationWriter(format, frequencies: format == .raven)
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
