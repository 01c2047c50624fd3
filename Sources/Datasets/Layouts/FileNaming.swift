/// Conventions by which file names carry labels; a pattern for one is suggested, in words, never taken unasked.
struct FileNaming: Sendable {
  let name: String
  let pattern: String
  /// What the label is, and what else the name says.
  let meaning: String
  private let fits: @Sendable ([String: String]) -> Bool

  private static let known = [
    // S. R. Livingstone, F. A. Russo, 2018, doi:10.1371/journal.pone.0196391
    FileNaming(
      name: "RAVDESS", pattern: "{modality}-{channel}-{label}-{intensity}-{statement}-{repetition}-{actor}",
      meaning:
        "the third number is the emotion (01 neutral, 02 calm, 03 happy, 04 sad, 05 angry, 06 fearful, 07 disgust, "
        + "08 surprised), the last the actor"
    ) { fields in fields.values.allSatisfy { $0.count == 2 && Int($0) != nil } },
    // F. Burkhardt et al., "A database of German emotional speech", Interspeech 2005
    FileNaming(
      name: "EMO-DB", pattern: "{actor:2}{text:3}{label:1}{version:1}",
      meaning:
        "the sixth letter is the emotion (W anger, L boredom, E disgust, A fear, F happiness, T sadness, N neutral), "
        + "the first two digits the actor"
    ) { fields in
      Int(fields["actor"] ?? "") != nil && "WLEAFTN".contains(fields["label"] ?? "-")
        && fields["text"]?.first.map { "ab".contains($0) } == true
    },
    // H. Cao et al., 2014, doi:10.1109/TAFFC.2014.2336244
    FileNaming(
      name: "CREMA-D", pattern: "{actor}_{sentence}_{label}_{intensity}",
      meaning: "the third part is the emotion, the first the actor"
    ) { fields in ["ANG", "DIS", "FEA", "HAP", "NEU", "SAD"].contains(fields["label"] ?? "") },
    // https://github.com/Jakobovski/free-spoken-digit-dataset
    FileNaming(
      name: "the Free Spoken Digit Dataset", pattern: "{label}_{speaker}_{index}",
      meaning: "the first part is the digit, the second the speaker"
    ) { fields in
      fields["label"]?.count == 1 && Int(fields["label"] ?? "") != nil && Int(fields["index"] ?? "") != nil
        && fields["speaker"]?.contains("_") == false
    },
  ]

  /// The convention that all of the first files follow.
  static func of(_ files: [String]) -> FileNaming? {
    guard !files.isEmpty else { return nil }
    return known.first { naming in
      guard let pattern = try? LabelPattern(naming.pattern) else { return false }
      return files.prefix(100).allSatisfy { pattern.fields(of: $0).map(naming.fits) == true }
    }
  }

  /// "'{label}_{speaker}_{index}' (named as ...: the first part is ...)".
  var description: String { "'\(pattern)' (named as in \(name): \(meaning))" }

  /// A pattern that would match the files' names, in quotation marks, with what is known of it. Of an unknown
  /// convention, the first part is the label: "'{label}_{b}_{c}'" for "7_theo_12.wav".
  static func suggestion(for files: [String]) -> String {
    if let naming = of(files) { return naming.description }
    guard let file = files.first else { return "'{label}'" }
    return "'\(parts(of: file))'"
  }

  private static func parts(of file: String) -> String {
    let stem = fileName(of: file).dropLast(fileExtension(of: file).count + 1)
    guard let separator = stem.first(where: { "_- .".contains($0) }) else { return "{label}" }
    let count = stem.split(separator: separator).count
    guard (2...6).contains(count) else { return "{label}\(separator)*" }
    return (["{label}"] + "bcdef".prefix(count - 1).map { "{\($0)}" }).joined(separator: String(separator))
  }
}
