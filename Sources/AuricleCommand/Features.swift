import ArgumentParser
import Auricle

struct Features: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compute features only, and write them for other programs.",
    discussion: """
      Examples:
        auricle features recordings/ -o features/
        auricle features seven.wav --preset librosa --format csv
      """)

  enum Preset: String, CaseIterable, ExpressibleByArgument {
    case speech, librosa
  }

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case npy, csv
  }

  @Option(help: "Whose conventions: speech (what train uses) or librosa (librosa.feature.mfcc).")
  var preset = Preset.speech
  @Option(help: ArgumentHelp("The features of this model file instead (without its normalisation).", valueName: "file"))
  var model: String?
  @Option(help: ArgumentHelp("Resample to this rate first (default: each file's own).", valueName: "Hz"))
  var sampleRate: Int?
  @Option(help: "npy (float32, frames x coefficients) or csv (a line per frame).")
  var format = Format.npy
  @Option(name: .shortAndLong, help: ArgumentHelp("Folder to write to, a file for each; csv goes to standard output without it.", valueName: "folder"))
  var output: String?
  @OptionGroup var channelOptions: ChannelOptions
  @OptionGroup var outputOptions: OutputOptions
  @OptionGroup var jobOptions: JobOptions
  @Argument(help: ArgumentHelp("Audio files, folders of them, or - for standard input.", valueName: "file"))
  var files: [String]

  func validate() throws {
    if output == nil && format == .npy { throw ValidationError("Say where to write with -o FOLDER, or use --format csv.") }
    if model != nil && sampleRate != nil { throw ValidationError("A model has its own sample rate; leave --sample-rate out.") }
  }

  /// A file and where its features go.
  private struct Job: Sendable {
    var path: String
    var target: String?
  }

  private struct Written: Encodable {
    var path: String
    var output: String?
    var frames: Int?
    var coefficients: Int?
    var error: String?
  }

  func run() async throws {
    let jobs = try plan()
    let fixedExtractor = try fixedConfiguration().map { try FeatureExtractor($0) }
    let (preset, format, channel) = (preset, format, channelOptions.selection)
    var failed = 0
    try await orderedMap(jobs, jobs: jobOptions.jobs) { job -> Result<(features: FeatureMatrix?, written: Written), any Error> in
      Result {
        let features =
          if let fixedExtractor {
            try fixedExtractor.features(ofFile: job.path, channel: channel).features
          } else {
            try Features.ownRate(job.path, preset, channel)
          }
        guard let target = job.target else { return (features, Written(path: job.path)) }
        try FileAccess.makeFolder(Features.folder(of: target))
        try FileAccess.writeAtomically(
          format == .npy ? NumpyFile.bytes(features) : Array(features.csv.utf8), to: target)
        return (
          nil,
          Written(path: job.path, output: target, frames: features.frames, coefficients: features.coefficients)
        )
      }
    } each: { index, result in
      switch result {
      case .failure(let error):
        failed += 1
        StandardError.write("auricle: \(error)")
        if outputOptions.json { try StandardOutput.write(jsonLine(Written(path: jobs[index].path, error: "\(error)"))) }
      case .success(let (features?, _)):
        try FileAccess.writeAtomically(features.csv, to: "-")
      case .success((nil, let written)):
        if outputOptions.json {
          try StandardOutput.write(jsonLine(written))
        } else {
          try StandardOutput.write(
            "\(written.output ?? "")  \(written.frames ?? 0) x \(written.coefficients ?? 0)")
        }
      }
    }
    try ExitStatus.check(failed: failed, of: jobs.count)
  }

  /// What all files share; nil when each is taken at its own rate.
  private func fixedConfiguration() throws -> FeatureConfiguration? {
    if let model { return try SequenceClassifier(contentsOf: model).features }
    return sampleRate.map { Features.configuration(preset, sampleRate: $0) }
  }

  private static func configuration(_ preset: Preset, sampleRate: Int) -> FeatureConfiguration {
    preset == .librosa ? .librosa(sampleRate: sampleRate) : .speech(sampleRate: sampleRate)
  }

  private static func ownRate(_ path: String, _ preset: Preset, _ channel: ChannelSelection) throws -> FeatureMatrix {
    let waveform = try Waveform(contentsOf: path, channel: channel)
    return try FeatureExtractor(configuration(preset, sampleRate: waveform.sampleRate)).features(of: waveform)
  }

  /// The files and their targets: those from a folder keep their place below it. Two files for one target are refused.
  private func plan() throws -> [Job] {
    var jobs: [Job] = []
    var sources: [String: String] = [:]
    for argument in files {
      for path in try AudioFiles.expand(paths: [argument]) {
        guard let output else {
          jobs.append(Job(path: path))
          continue
        }
        let inside = path.hasPrefix(argument) && path != argument
        var name = path == "-" ? "stdin" : inside ? String(path.dropFirst(argument.count)) : Features.name(of: path)
        while name.hasPrefix("/") { name.removeFirst() }
        if let dot = name.lastIndex(of: "."), dot > name.startIndex, !name[dot...].contains("/") {
          name = String(name[..<dot])
        }
        let target = "\(output)/\(name).\(format.rawValue)"
        if let other = sources.updateValue(path, forKey: target) {
          throw CommandError("\(path) and \(other) would both be written to \(target); name them apart, or use two runs")
        }
        jobs.append(Job(path: path, target: target))
      }
    }
    return jobs
  }

  private static func name(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  private static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }
}
