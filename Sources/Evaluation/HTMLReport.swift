import AuricleBase
import CReportTemplate

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The report as one HTML file that needs no network: everything is in it, or beside it for sound that is not embedded.
///
///     var tally = try EvaluationTally(labels: labels, groupBy: ["speaker"], keepsFiles: true)
///     for prediction in predictions { try tally.add(prediction) }
///     var page = HTMLReport(tally.report(), of: tally, title: "Digits")
///     for file in page.illustrated(limit: 1000) { page.illustrations[file] = ... }
///     try page.html().write(...)
///
/// A file takes about 12 bytes, and its path less what that has in common with the one before: 100,000 files are some
/// megabytes.
public struct HTMLReport: Sendable {
  /// What is to be seen and heard of one file.
  public struct Illustration: Sendable {
    /// `HTMLReport.spectrogramHeight x frames` levels from 0 to 255, the highest frequency first.
    public var spectrogram: [UInt8]
    /// The sound itself, embedded in the page; nil for a link to the file.
    public var audio: (type: String, bytes: [UInt8])?

    public init(spectrogram: [UInt8], audio: (type: String, bytes: [UInt8])? = nil) {
      self.spectrogram = spectrogram
      self.audio = audio
    }
  }

  /// An epoch of the training, as a learning curve has it.
  public struct Epoch: Encodable, Sendable {
    public var number: Int
    public var trainingLoss: Double
    public var trainingAccuracy: Double
    public var validationLoss: Double?
    public var validationAccuracy: Double?

    public init(
      number: Int, trainingLoss: Double, trainingAccuracy: Double, validationLoss: Double?, validationAccuracy: Double?
    ) {
      self.number = number
      self.trainingLoss = trainingLoss
      self.trainingAccuracy = trainingAccuracy
      self.validationLoss = validationLoss
      self.validationAccuracy = validationAccuracy
    }
  }

  /// The training of a network. Learning curves are drawn from two epochs on.
  public struct Training: Encodable, Sendable {
    public var epochs: [Epoch]
    public var bestEpoch: Int
    public var note: String

    public init(epochs: [Epoch], bestEpoch: Int, note: String) {
      self.epochs = epochs
      self.bestEpoch = bestEpoch
      self.note = note
    }
  }

  /// Mel bands of the spectrograms.
  public static let spectrogramHeight = 40

  public let report: ClassificationReport
  private let outcomes: Outcomes
  private let files: ReportedFiles

  public var title: String
  public var subtitle = ""
  /// Of each network of the model.
  public var trainings: [Training] = []
  /// What leads from the report's folder to relative paths, for the players.
  public var audioPrefix = ""
  /// By position among the answered files.
  public var illustrations: [Int: Illustration] = [:]

  /// `tally` must have been made with `keepsFiles`; without, the report lists no files.
  public init(_ report: ClassificationReport, of tally: EvaluationTally, title: String) {
    self.report = report
    self.title = title
    outcomes = tally.outcomes
    files = tally.files ?? ReportedFiles(groupBy: [])
  }

  /// The path of an answered file.
  public func path(of file: Int) -> String { files.paths[file] }

  /// Positions of up to `limit` files worth looking at: wrong answers first, the surest of them first; then the right
  /// ones, the least sure first.
  public func illustrated(limit: Int) -> [Int] {
    let limit = max(0, limit)
    let confidences = outcomes.haveProbabilities ? outcomes.confidences : []
    func isRight(_ file: Int) -> Bool { outcomes.truth[file] == outcomes.predicted[file] }
    func confidence(_ file: Int) -> Float { confidences.isEmpty ? 0 : confidences[file] }
    let wrong = files.paths.indices.filter { !isRight($0) }.sorted { (confidence($1), $0) < (confidence($0), $1) }
    if wrong.count >= limit { return Array(wrong.prefix(limit)) }
    let right = files.paths.indices.filter(isRight).sorted { (confidence($0), $0) < (confidence($1), $1) }
    return wrong + right.prefix(limit - wrong.count)
  }

  /// The page as UTF-8.
  public func html() throws -> [UInt8] {
    let page = UnsafeBufferPointer(start: auricle_report_page(), count: auricle_report_page_size())
    return try Self.filled(page, title: title, data: data())
  }

  /// A template with its title, the style, the script and the data.
  static func filled(_ template: UnsafeBufferPointer<UInt8>, title: String, data: [UInt8]) -> [UInt8] {
    let template = String(decoding: template, as: UTF8.self)
    let style = UnsafeBufferPointer(start: auricle_report_style(), count: auricle_report_style_size())
    let script = UnsafeBufferPointer(start: auricle_report_script(), count: auricle_report_script_size())
    var page: [UInt8] = []
    var rest = template[...]
    // Once through the template: a mark within what is put in is not one.
    while let start = rest.firstRange(of: "{{"), let end = rest.firstRange(of: "}}") {
      page += rest[..<start.lowerBound].utf8
      switch rest[start.upperBound..<end.lowerBound] {
      case "title": page += markup(title).utf8
      case "style": page += style
      case "script": page += script
      default: page += data
      }
      rest = rest[end.upperBound...]
    }
    return page + rest.utf8
  }

  /// The data as JSON that may stand in a script element, whatever labels and paths hold.
  private func data() throws -> [UInt8] {
    let content = Content(
      title: title, subtitle: subtitle, labels: outcomes.labels, report: report, files: files.packed(with: outcomes),
      failures: files.failures, histograms: ScoreHistograms(outcomes),
      spectrogramHeight: Self.spectrogramHeight,
      spectrograms: Dictionary(
        uniqueKeysWithValues: illustrations.compactMap { file, illustration in
          illustration.spectrogram.isEmpty ? nil : (String(file), base64(illustration.spectrogram))
        }),
      audio: Dictionary(
        uniqueKeysWithValues: illustrations.compactMap { file, illustration in
          illustration.audio.map { (String(file), "data:\($0.type);base64,\(base64($0.bytes))") }
        }),
      audioPrefix: audioPrefix, trainings: trainings)
    return try Self.json(content)
  }

  /// JSON that may stand in a script element.
  static func json(_ content: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var result: [UInt8] = []
    for byte in try encoder.encode(content) {
      // These stand in strings only; as escapes they cannot end the element.
      switch byte {
      case UInt8(ascii: "<"): result += "\\u003c".utf8
      case UInt8(ascii: ">"): result += "\\u003e".utf8
      case UInt8(ascii: "&"): result += "\\u0026".utf8
      default: result.append(byte)
      }
    }
    return result
  }

  private struct Content: Encodable {
    let title: String
    let subtitle: String
    let labels: [String]
    let report: ClassificationReport
    let files: ReportedFiles.Packed
    let failures: [ReportedFiles.Failure]
    let histograms: ScoreHistograms?
    let spectrogramHeight: Int
    let spectrograms: [String: String]
    let audio: [String: String]
    let audioPrefix: String
    let trainings: [Training]
  }
}

/// How many files got which probability, in 20 bins of equal width from 0 to 1.
struct ScoreHistograms: Encodable {
  struct Class: Encodable {
    var own = Array(repeating: 0, count: binCount)
    var others = Array(repeating: 0, count: binCount)
  }

  static let binCount = 20
  /// The probability of the label that was given, in files where it is right and where it is wrong.
  var right = Array(repeating: 0, count: binCount)
  var wrong = Array(repeating: 0, count: binCount)
  /// The probability of each class, in its own files and in the others.
  var classes: [Class]

  /// Nil without probabilities.
  init?(_ outcomes: Outcomes) {
    guard outcomes.haveProbabilities else { return nil }
    func bin(_ probability: Float) -> Int { min(Self.binCount - 1, Int(probability * Float(Self.binCount))) }
    let count = outcomes.labels.count
    classes = Array(repeating: Class(), count: count)
    for (file, confidence) in outcomes.confidences.enumerated() {
      let truth = Int(outcomes.truth[file])
      if truth == Int(outcomes.predicted[file]) { right[bin(confidence)] += 1 } else { wrong[bin(confidence)] += 1 }
      for index in 0..<count {
        let bin = bin(outcomes.probabilities[file * count + index])
        if index == truth { classes[index].own[bin] += 1 } else { classes[index].others[bin] += 1 }
      }
    }
  }
}

/// `bytes` in Base64 (RFC 4648).
func base64(_ bytes: some Collection<UInt8>) -> String {
  Data(bytes).base64EncodedString()
}
