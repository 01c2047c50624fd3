import AuricleBase

/// What this program stands on, on this machine.
public struct Installation: Codable, Sendable {
  /// Version of libsndfile, and what it reads, by its own names.
  public var soundLibrary: String
  public var containers: [String]
  public var encodings: [String]
  /// Version of FFTW.
  public var fourierLibrary: String
  /// That the kernels are made for: "avx512", "avx2", "baseline" or "neon".
  public var instructionSet: String
  /// The first line of `ffmpeg -version`; nil where it is not installed.
  public var ffmpeg: String?
  /// Why something that is needed does not work, a sentence each.
  public var problems: [String]

  /// Looks at this machine, and tries the bundled model and the temporary folder.
  public init() {
    soundLibrary = AudioLibrary.version
    containers = AudioLibrary.containers
    encodings = AudioLibrary.encodings
    fourierLibrary = NumericLibraries.fftwVersion
    instructionSet = NumericLibraries.instructionSet
    ffmpeg = ExternalDecoder.ffmpeg.version
    problems = []
    for (name, words) in [("FLAC", "FLAC"), ("Vorbis", "Vorbis"), ("Opus", "Opus"), ("MP3", "MPEG Layer III")]
    where !(encodings + containers).contains(where: { $0.contains(words) }) {
      problems.append("libsndfile was built without \(name); take version 1.1 or later, as distributions have it")
    }
    do { _ = try ScratchFile() } catch { problems.append("\(error)") }
    do {
      let classifier = try SoundClassifier()
      let tone = (0..<16_000).map { Float($0 % 100) / 100 - 0.5 }
      let answer = try classifier.classify(Waveform(samples: tone, sampleRate: 16_000))
      let sum = answer.probabilities.reduce(0) { $0 + $1.probability }
      if abs(sum - 1) > 1e-4 { problems.append("the bundled model's probabilities sum to \(sum)") }
    } catch {
      problems.append("the bundled model does not answer: \(error)")
    }
  }
}
